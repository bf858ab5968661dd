//! How tools are called: found out once, kept, and given up where a server refuses.

use super::*;

fn schema_only(asked: &Asked) -> Reply {
    let body = asked.json();
    if body.get("tools").is_some() {
        refusal(400, json!({"message": "m does not support tools"}))
    } else if body["response_format"]["json_schema"]["schema"]["properties"]["tool"]["enum"][0] == "ping" {
        text(r#"{"thought": "t", "tool": "ping", "arguments": {"word": "pong"}}"#).reply(asked)
    } else {
        text(r#"{"thought": "look", "tool": "kubectl", "arguments": {"command": "kubectl get pods"}}"#).reply(asked)
    }
}

/// It ignores tools and schemas, as small models do.
fn text_only(asked: &Asked) -> Reply {
    if asked.last().contains("ping") {
        text("Pong to you!").reply(asked)
    } else {
        text("Thought: look\nAction: kubectl\nAction Input: kubectl get pods\n").reply(asked)
    }
}

#[tokio::test]
async fn each_server_is_asked_once_what_it_can() {
    let native: fn(&Asked) -> Reply =
        |asked| if asked.last().contains("ping") { pong().reply(asked) } else { kubectl().saying("look").reply(asked) };
    let table = [(native, Mode::Native, 2), (schema_only, Mode::Schema, 3), (text_only, Mode::Text, 3)];
    for (answer, mode, tries) in table {
        let folder = tempfile::tempdir().unwrap();
        let server = ModelServer::by(answer);
        let settings = Server { cache: Some(folder.path().into()), ..auto(&server) };
        let model = OpenAi::open(settings.clone()).unwrap();
        assert_eq!(model.mode(), None);
        let (reply, heard) = turn(&model).await.unwrap();
        assert_eq!(reply.calls[0].name, "kubectl", "{mode}");
        assert_eq!(reply.calls[0].arguments, r#"{"command":"kubectl get pods"}"#.replace(": ", ":"), "{mode}");
        assert_eq!((reply.text.as_str(), heard.as_str()), ("look", "look"), "{mode}");
        assert_eq!((model.mode(), reply.tries), (Some(mode), tries));
        let sent: usize = server.asked().iter().map(|asked| asked.body.len()).sum();
        assert_eq!(reply.bytes_sent, sent as u64);
        // What asking cost is counted.
        assert!(reply.tokens.unwrap().input > 100, "{mode}");
        assert_eq!(turn(&model).await.unwrap().0.tries, 1);
        // The next process knows.
        let model = OpenAi::open(settings).unwrap();
        assert_eq!((model.mode(), turn(&model).await.unwrap().0.tries), (Some(mode), 1));
    }
}

#[tokio::test]
async fn a_mode_that_is_set_is_not_asked_for() {
    for (mode, key) in [(Mode::Native, "tools"), (Mode::Schema, "response_format"), (Mode::Text, "stop")] {
        let server = ModelServer::scripted(vec![text("nothing").into()]);
        ask(Server { tools: Tools::Always(mode), ..auto(&server) }).await.unwrap();
        assert!(server.asked()[0].json().get(key).is_some(), "{mode}");
    }
    // And not left.
    let server = ModelServer::by(schema_only);
    let error = ask(Server { tools: Tools::Always(Mode::Native), ..auto(&server) }).await.unwrap_err();
    assert!(
        matches!(error, ModelError::Unusable { .. }) && error.to_string().contains("does not support tools"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_refuses_later_falls_to_the_next_mode() {
    let mut times = 0;
    let server = ModelServer::by(move |asked: &Asked| {
        times += 1;
        match times {
            1 => pong().reply(asked),
            2 => kubectl().reply(asked),
            _ if asked.json().get("response_format").is_some() => {
                refusal(400, json!({"message": "response_format is not supported"}))
            }
            _ if asked.json().get("tools").is_some() => refusal(400, json!({"message": "m does not support tools"})),
            _ => text("Action: kubectl\nAction Input: kubectl get pods").reply(asked),
        }
    });
    let model = OpenAi::open(auto(&server)).unwrap();
    turn(&model).await.unwrap();
    assert_eq!(model.mode(), Some(Mode::Native));
    let (reply, _) = turn(&model).await.unwrap();
    assert_eq!((model.mode(), reply.calls.len(), reply.tries), (Some(Mode::Text), 1, 3));
}

#[tokio::test]
async fn a_choice_that_is_refused_is_left_to_the_model() {
    let server = ModelServer::by(|asked: &Asked| {
        if asked.json().get("tool_choice").is_some() {
            refusal(400, json!({"message": "Thinking mode does not support this tool_choice"}))
        } else {
            kubectl().reply(asked)
        }
    });
    let (reply, _) = ask(native(&server)).await.unwrap();
    assert_eq!((reply.calls.len(), reply.tries), (1, 2));
    assert!(server.asked()[1].json().get("tools").is_some());
}

#[tokio::test]
async fn a_call_in_words_counts_where_the_server_reads_none() {
    let said =
        "Look: <tool_call>{\"name\": \"kubectl\", \"arguments\": {\"command\": \"kubectl get pods\"}}</tool_call>";
    let server = ModelServer::scripted(vec![text(said).into()]);
    let (reply, _) = ask(native(&server)).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.calls.len(), reply.calls[0].id.as_str()), ("Look:", 1, "call_1"));
}

#[tokio::test]
async fn two_turns_at_once_ask_once_what_it_can() {
    let server =
        ModelServer::by(
            |asked: &Asked| if asked.last().contains("ping") { pong().reply(asked) } else { kubectl().reply(asked) },
        );
    let model = OpenAi::open(auto(&server)).unwrap();
    let (a, b) = tokio::join!(turn(&model), turn(&model));
    assert_eq!((a.unwrap().0.calls.len(), b.unwrap().0.calls.len()), (1, 1));
    assert_eq!(server.asked().iter().filter(|asked| asked.last().contains("ping")).count(), 1);
}

#[tokio::test]
async fn a_filter_that_refuses_the_probe_says_nothing_of_tools() {
    let server = ModelServer::by(|asked: &Asked| {
        if asked.last().contains("ping") {
            refusal(400, json!({"code": "content_filter", "message": "filtered"}))
        } else {
            kubectl().reply(asked)
        }
    });
    let model = OpenAi::open(auto(&server)).unwrap();
    assert_eq!(turn(&model).await.unwrap().0.calls.len(), 1);
    assert_eq!(model.mode(), None);
}

#[tokio::test]
async fn an_answer_that_was_cut_says_nothing_of_tools() {
    let by = |enough: u64| {
        ModelServer::by(move |asked: &Asked| match asked.json()["max_tokens"].as_u64() {
            Some(room) if room < enough => text("Let me think").finish("length").reply(asked),
            Some(_) => pong().reply(asked),
            None => kubectl().reply(asked),
        })
    };
    // The last one is asked neither again nor in another way; the next process asks anew.
    for (enough, mode, tries) in [(1_000, Some(Mode::Native), 2), (4_000, Some(Mode::Native), 3), (9_000, None, 3)] {
        let folder = tempfile::tempdir().unwrap();
        let server = by(enough);
        let settings = Server { cache: Some(folder.path().into()), ..auto(&server) };
        let model = OpenAi::open(settings.clone()).unwrap();
        let (reply, _) = turn(&model).await.unwrap();
        assert_eq!((model.mode(), reply.tries, reply.calls.len()), (mode, tries, 1), "{enough}");
        assert_eq!(turn(&model).await.unwrap().0.tries, 1);
        assert!(server.asked().iter().all(|asked| asked.json().get("tools").is_some()));
        assert_eq!(OpenAi::open(settings).unwrap().mode(), mode);
    }
}
