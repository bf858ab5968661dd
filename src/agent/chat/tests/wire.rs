//! The wire: addresses, headers, streams in odd pieces, and servers that don't stream.

use super::*;

#[tokio::test]
async fn words_and_calls_come_in_pieces_and_are_put_together() {
    let said =
        calls(&[("kubectl", json!({"command": "kubectl get pods"})), ("finish", json!({"command": "größer →"}))]);
    for size in [1, 2, 3, 7, 64, 100_000] {
        let said = said.clone().saying("Let me look at the pöds.");
        let server = ModelServer::scripted(vec![Box::new(move |asked: &Asked| said.reply(asked).cut(size))]);
        let (reply, heard) = ask(native(&server)).await.unwrap();
        assert_eq!((reply.text.as_str(), heard.as_str()), ("Let me look at the pöds.", "Let me look at the pöds."));
        let call = |id: &str, name: &str, arguments: &str| Call {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        };
        assert_eq!(
            reply.calls,
            [
                call("call_x0", "kubectl", r#"{"command":"kubectl get pods"}"#),
                call("call_x1", "finish", r#"{"command":"größer →"}"#)
            ]
        );
        assert_eq!(reply.tokens, Some(Tokens { input: 100, cached: 0, output: 10 }));
        let asked = server.asked();
        assert_eq!((reply.tries, reply.bytes_sent), (1, asked[0].body.len() as u64));
    }
}

#[tokio::test]
async fn a_request_is_what_servers_know() {
    let server = ModelServer::scripted(vec![text("ok").into()]);
    let access = Access::Key("sk-1".into());
    let (organisation, project) = (Some("org-1".to_owned()), Some("proj-1".to_owned()));
    let settings = Server { access, organisation, project, max_output_tokens: Some(500), ..native(&server) };
    ask(settings).await.unwrap();
    let asked = server.asked().remove(0);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v1/chat/completions"));
    let header = |name: &str| asked.headers.get(name).map(String::as_str);
    assert_eq!(header("authorization"), Some("Bearer sk-1"));
    assert_eq!((header("openai-organization"), header("openai-project")), (Some("org-1"), Some("proj-1")));
    assert_eq!((header("content-type"), header("api-key")), (Some("application/json"), None));
    let mut body = asked.json();
    let tools = body.as_object_mut().unwrap().remove("tools").unwrap();
    assert_eq!(tools.as_array().unwrap().len(), 2);
    assert_eq!(
        body,
        json!({
            "model": "m", "temperature": 0, "max_tokens": 500, "stream": true, "stream_options": {"include_usage": true},
            "messages": [{"role": "system", "content": "rules"}, {"role": "user", "content": "why?"}],
            "tool_choice": "auto",
        })
    );
}

#[tokio::test]
async fn azure_in_both_forms_and_servers_without_a_key() {
    let version = "2024-10-21".to_owned();
    let old = "/openai/deployments/m/chat/completions?api-version=2024-10-21";
    let with_query = "/openai/deployments/m/chat/completions?s=1&api-version=2024-10-21";
    let table = [
        (Api::OpenAi, "/v1", Access::Open, "/v1/chat/completions", None, None),
        (Api::AzureV1, "/openai/v1", Access::Key("k".into()), "/openai/v1/chat/completions", Some("k"), None),
        (Api::AzureDeployment { version: version.clone() }, "", Access::Key("k".into()), old, Some("k"), None),
        (Api::OpenAi, "/v1", Access::Key("k".into()), "/v1/chat/completions", None, Some("Bearer k")),
        // A gateway's own key in the address goes along.
        (Api::OpenAi, "/v1?key=abc", Access::Open, "/v1/chat/completions?key=abc", None, None),
        (Api::AzureDeployment { version: version.clone() }, "?s=1", Access::Open, with_query, None, None),
    ];
    for (api, path, access, expected, api_key, bearer) in table {
        let server = ModelServer::scripted(vec![text("ok").into()]);
        let url = format!("{}{path}", server.url());
        ask(Server { url, api, access, ..native(&server) }).await.unwrap();
        let asked = server.asked().remove(0);
        assert_eq!(asked.path, expected);
        assert_eq!(asked.headers.get("api-key").map(String::as_str), api_key);
        assert_eq!(asked.headers.get("authorization").map(String::as_str), bearer);
    }
}

#[tokio::test]
async fn servers_that_do_not_stream_work_too() {
    // It answers at once, whatever was asked for.
    let plain: Turn = Box::new(|asked| Reply::json(200, &kubectl().saying("Look.").whole(asked)));
    let server = ModelServer::scripted(vec![plain]);
    let (reply, heard) = ask(native(&server)).await.unwrap();
    assert_eq!((reply.calls.len(), reply.text.as_str(), heard.as_str()), (1, "Look.", "Look."));
    // It says what it is by its first letter alone.
    let said = kubectl();
    let unlabelled: Turn = Box::new(move |asked| Reply { headers: Vec::new(), ..said.reply(asked).cut(1) });
    let server = ModelServer::scripted(vec![unlabelled]);
    assert_eq!(ask(native(&server)).await.unwrap().0.calls.len(), 1);
    // It refuses, and is not asked so again.
    let refuses = |asked: &Asked| {
        if asked.json().get("stream").is_some() {
            refusal(400, json!({"message": "Streaming is not supported"}))
        } else {
            kubectl().reply(asked)
        }
    };
    let server = ModelServer::by(refuses);
    let model = OpenAi::open(native(&server)).unwrap();
    assert_eq!(turn(&model).await.unwrap().0.tries, 2);
    assert_eq!(turn(&model).await.unwrap().0.tries, 1);
    assert!(server.asked()[2].json().get("stream_options").is_none());
}

#[tokio::test]
async fn what_is_missing_or_unknown_does_no_harm() {
    let server = ModelServer::scripted(vec![
        text("no costs").usage(None).into(),
        text("odd costs").usage(Some(json!({"total": 3}))).into(),
        Reply::events(&[
            json!({"choices": [], "prompt_filter_results": [{"x": 1}]}),
            json!({"choices": [{"delta": {"content": "Hi", "reasoning_content": "hm", "new": [1]}, "content_filter_results": {}}], "obfuscation": "x"}),
            json!({"choices": [{"delta": {}, "finish_reason": "length"}]}),
        ])
        .into(),
        text("").finish("content_filter").into(),
        Reply::raw(200, "text/event-stream", ": ping\r\n\r\nevent: x\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}").into(),
    ]);
    let model = OpenAi::open(native(&server)).unwrap();
    assert_eq!(turn(&model).await.unwrap().0.tokens, None);
    assert_eq!(turn(&model).await.unwrap().0.tokens, None);
    // An end that has no `[DONE]`, but a reason.
    let (reply, _) = turn(&model).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("Hi", Finish::Length));
    assert_eq!(turn(&model).await.unwrap().0.finish, Finish::Filtered);
    assert_eq!(turn(&model).await.unwrap().0.text, "ok");
}

#[tokio::test]
async fn parameters_that_are_refused_are_left_out_from_then_on() {
    let refuses = |asked: &Asked| {
        let body = asked.json();
        let wrong = |name: &str, code: &str| {
            refusal(
                400,
                json!({"message": format!("Unsupported: '{name}' is not supported with this model."), "param": name, "code": code}),
            )
        };
        if body.get("max_tokens").is_some() {
            wrong("max_tokens", "unsupported_parameter")
        } else if body.get("temperature").is_some() {
            wrong("temperature", "unsupported_value")
        } else if body.get("stream_options").is_some() {
            refusal(400, json!({"message": "Unrecognized request argument supplied: stream_options"}))
        } else {
            text("ok").reply(asked)
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let server = ModelServer::by(refuses);
    let settings = Server { max_output_tokens: Some(9), cache: Some(folder.path().into()), ..native(&server) };
    let model = OpenAi::open(settings.clone()).unwrap();
    let (reply, _) = turn(&model).await.unwrap();
    let sent: usize = server.asked().iter().map(|asked| asked.body.len()).sum();
    assert_eq!((reply.tries, reply.bytes_sent), (4, sent as u64));
    assert_eq!(turn(&model).await.unwrap().0.tries, 1);
    // In the next process too.
    assert_eq!(ask(settings).await.unwrap().0.tries, 1);
    assert_eq!(server.asked().last().unwrap().json()["max_completion_tokens"], 9);
    // Models that reason are asked right at once.
    let server = ModelServer::scripted(vec![text("ok").into()]);
    ask(Server { model: "o3-mini".into(), max_output_tokens: Some(9), ..native(&server) }).await.unwrap();
    let body = server.asked()[0].json();
    assert!(body.get("temperature").is_none() && body["max_completion_tokens"] == 9, "{body}");
}

#[tokio::test]
async fn a_proxy_is_asked_in_the_servers_stead() {
    let proxy = ModelServer::scripted(vec![text("through").into()]);
    let access = Access::Key("k".into());
    let settings = Server { url: "http://model.test:81/v1".into(), proxy: Some(proxy.url()), access, ..native(&proxy) };
    assert_eq!(ask(settings).await.unwrap().0.text, "through");
    assert_eq!(proxy.asked()[0].path, "http://model.test:81/v1/chat/completions");
    // Of what is encrypted it sees a host and a port, and nothing else.
    let proxy = ModelServer::by(|_: &Asked| Reply::raw(403, "text/plain", "no way out"));
    let access = Access::Key("k".into());
    let settings = Server { url: "https://model.test/v1".into(), proxy: Some(proxy.url()), access, ..native(&proxy) };
    assert!(matches!(ask(settings).await.unwrap_err(), ModelError::Unreachable { .. }));
    let asked = proxy.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("CONNECT", "model.test:443"));
    assert!(asked.iter().all(|asked| !asked.headers.contains_key("authorization")));
}

#[test]
fn what_can_not_be_used_is_told_before_anyone_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let server = || Server::new("https://model.test/v1", "m");
    let table = [
        (Server::new("model.test", "m"), "`model.url` is no address of a server"),
        (Server::new("file:///etc", "m"), "`model.url` is no address of a server"),
        (Server { access: Access::Key("a\nb".into()), ..server() }, "the key holds what can't be sent"),
        (Server { ca_file: Some(file), ..server() }, "there are none"),
        (Server { ca_file: Some("/no/where".into()), ..server() }, "`/no/where`: No such file"),
        (Server { proxy: Some("http://".into()), ..server() }, "the proxy's address is none"),
    ];
    for (server, expected) in table {
        let Err(error) = OpenAi::open(server) else { panic!("{expected}") };
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("a\nb"));
    }
}

/// The tokens that each request had for its reply.
fn rooms(server: &ModelServer) -> Vec<u64> {
    let room = |asked: Asked| {
        let body = asked.json();
        ["max_tokens", "max_completion_tokens"].iter().find_map(|name| body.get(*name)?.as_u64()).unwrap_or_default()
    };
    server.asked().into_iter().map(room).collect()
}

async fn ask_for(model: &OpenAi, tokens: u32) -> ChatReply {
    let request = ChatRequest { max_output_tokens: Some(tokens), ..request().into_inner() };
    model.turn(&Redactor::new([7; 32]).seal_texts(request), &|_| ()).await.unwrap()
}

#[tokio::test]
async fn a_model_that_thinks_has_room_to() {
    // What is set is what is asked for; the model's name, its window.
    let table =
        [("m", None, 4_000), ("m", Some(20_000), 20_000), ("o3-mini", None, 16_000), ("o3-mini", Some(500), 500)];
    for (name, set, expected) in table {
        let server = ModelServer::scripted(vec![text("ok").into()]);
        let usual = Server { window: 128_000, max_output_tokens: set, ..native(&server) };
        ask_for(&OpenAi::open(Server { model: name.into(), ..usual }).unwrap(), 4_000).await;
        assert_eq!(rooms(&server), [expected], "{name} {set:?}");
    }
    // Of one whose name says nothing, what it refuses does.
    let server = ModelServer::by(|asked: &Asked| match asked.json().get("max_tokens") {
        Some(_) => refusal(
            400,
            json!({"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "param": null}),
        ),
        None => text("ok").reply(asked),
    });
    ask_for(&OpenAi::open(Server { window: 128_000, ..native(&server) }).unwrap(), 4_000).await;
    assert_eq!(rooms(&server), [4_000, 16_000]);
}

#[tokio::test]
async fn a_reply_that_was_all_thought_is_asked_for_with_twice_the_room() {
    let starved = || -> Turn { text("<think>hm").finish("length").into() };
    let server = ModelServer::scripted(vec![starved(), text("done").into(), text("more").into()]);
    let model = OpenAi::open(Server { window: 128_000, ..native(&server) }).unwrap();
    let reply = ask_for(&model, 4_000).await;
    assert_eq!((reply.text.as_str(), reply.tries), ("done", 2));
    assert_eq!(reply.tokens, Some(Tokens { input: 200, cached: 0, output: 20 }));
    ask_for(&model, 4_000).await;
    assert_eq!(rooms(&server), [4_000, 8_000, 8_000]);
    // Once in a turn; and where the user said how much, no more than that.
    let server = ModelServer::scripted(vec![starved(), starved(), text("x").into()]);
    let model = OpenAi::open(Server { window: 128_000, ..native(&server) }).unwrap();
    assert_eq!(ask_for(&model, 4_000).await.finish, Finish::Length);
    let server = ModelServer::scripted(vec![starved(), text("x").into()]);
    let model = OpenAi::open(Server { max_output_tokens: Some(500), ..native(&server) }).unwrap();
    assert_eq!((ask_for(&model, 4_000).await.finish, rooms(&server)), (Finish::Length, vec![500]));
}

#[tokio::test]
async fn how_much_it_is_to_think_is_asked_until_that_is_refused() {
    let refuses = |asked: &Asked| match asked.json().get("reasoning_effort") {
        Some(_) => refusal(400, json!({"message": "Unrecognized request argument supplied: reasoning_effort"})),
        None => text("ok").reply(asked),
    };
    let server = ModelServer::by(refuses);
    let model = OpenAi::open(Server { reasoning_effort: Some("low".into()), ..native(&server) }).unwrap();
    assert_eq!((turn(&model).await.unwrap().0.tries, turn(&model).await.unwrap().0.tries), (2, 1));
    assert_eq!(server.asked()[0].json()["reasoning_effort"], "low");
}

#[tokio::test]
async fn each_piece_of_a_stream_is_heard_whatever_is_in_it() {
    let plain: Turn = Box::new(|asked| Reply::json(200, &kubectl().whole(asked)));
    let server = ModelServer::scripted(vec![kubectl().into(), plain]);
    let model = OpenAi::open(native(&server)).unwrap();
    let pieces = Mutex::new(0);
    let hearing = |piece: Heard<'_>| *pieces.lock().unwrap() += usize::from(piece == Heard::Streamed);
    model.turn(&request(), &hearing).await.unwrap();
    let streamed = *pieces.lock().unwrap();
    assert!(streamed > 3, "{streamed}");
    model.turn(&request(), &hearing).await.unwrap();
    assert_eq!(*pieces.lock().unwrap(), streamed);
}
