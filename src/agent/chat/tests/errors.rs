//! What goes wrong, and what is made of it.

use std::time::Instant;

use super::*;

async fn error(script: Vec<Turn>) -> (ModelError, usize) {
    let server = ModelServer::scripted(script);
    let settings = Server { access: Access::Key("sk-very-secret".into()), ..native(&server) };
    let error = ask(settings).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("sk-very-secret"), "{error}");
    (error, server.asked().len())
}

#[tokio::test]
async fn each_refusal_has_a_name_and_is_not_repeated() {
    let kind = |error: &ModelError| format!("{error:?}").split(' ').next().unwrap_or_default().to_owned();
    let table = [
        (
            refusal(401, json!({"message": "Incorrect API key provided: sk-very-secret", "code": "invalid_api_key"})),
            "Unauthorized",
        ),
        (Reply::raw(403, "text/html", "<html>no</html>"), "Unauthorized"),
        (
            refusal(404, json!({"code": "DeploymentNotFound", "message": "The API deployment does not exist"})),
            "NoModel",
        ),
        (refusal(404, json!({"message": "The model `m` does not exist", "code": "model_not_found"})), "NoModel"),
        (Reply::raw(404, "text/plain", "404 page not found"), "Unusable"),
        (
            refusal(
                400,
                json!({"code": "content_filter", "message": "filtered", "innererror": {"code": "ResponsibleAIPolicyViolation"}}),
            ),
            "Filtered",
        ),
        (refusal(400, json!({"message": "maximum context length is 4096 tokens", "code": 400})), "TooLong"),
        (
            refusal(429, json!({"message": "You exceeded your current quota", "code": "insufficient_quota"})),
            "Overloaded",
        ),
        (refusal(400, json!({"message": "messages[0] is wrong"})), "Unusable"),
        (Reply::raw(302, "text/html", "").with("location", "http://127.0.0.1:1/"), "Unusable"),
    ];
    for (reply, expected) in table {
        let (error, times) = error(vec![reply.clone().into()]).await;
        assert_eq!((kind(&error).as_str(), times), (expected, 1), "{reply:?}: {error}");
    }
    let (error, _) =
        error(vec![refusal(400, json!({"message": "maximum context length is 4096 tokens"})).into()]).await;
    assert!(matches!(error, ModelError::TooLong { window: Some(4096), .. }), "{error:?}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&soon).unwrap();
    let server = ModelServer::scripted(vec![
        refusal(429, json!({"message": "slow down"})).with("retry-after-ms", "300").with("retry-after", "60").into(),
        refusal(503, json!({"message": "loading"})).with("retry-after", "1").into(),
        Reply::raw(502, "text/html", "<html>").with("retry-after", &date).into(),
        text("at last").into(),
    ]);
    let start = Instant::now();
    let (reply, _) = ask(native(&server)).await.unwrap();
    let took = start.elapsed();
    assert_eq!((reply.text.as_str(), reply.tries), ("at last", 4));
    assert!(took > Duration::from_millis(1300) && took < Duration::from_secs(10), "{took:?}");
    let sent: usize = server.asked().iter().map(|asked| asked.body.len()).sum();
    assert_eq!(reply.bytes_sent, sent as u64);
}

#[tokio::test]
async fn a_server_that_wants_more_time_than_there_is_is_not_waited_for() {
    let start = Instant::now();
    let (error, times) =
        error(vec![refusal(429, json!({"message": "later"})).with("retry-after", "86400").into()]).await;
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(times, 1);
    let text = error.to_string();
    assert!(matches!(error, ModelError::Overloaded { .. }) && text.contains("a pause of 86400 s"), "{text}");
}

#[tokio::test]
async fn a_turn_ends_in_time_however_busy_the_server_is() {
    let server = ModelServer::by(|_: &Asked| refusal(500, json!({"message": "no"})));
    let start = Instant::now();
    let settings = Server { timeout: Duration::from_secs(2), ..native(&server) };
    let error = ask(settings).await.unwrap_err();
    assert!(matches!(error, ModelError::Overloaded { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(4) && (2..=5).contains(&server.asked().len()));
    // One that never answers.
    let server = ModelServer::by(|_: &Asked| Reply {
        status: 200,
        headers: Vec::new(),
        pieces: vec![Piece::Pause(Duration::from_secs(3))],
    });
    let settings = Server { timeout: Duration::from_secs(1), idle: Duration::from_secs(9), ..native(&server) };
    let error = ask(settings).await.unwrap_err();
    assert!(error.to_string().contains("no answer within 1 s"), "{error}");
}

fn begun() -> Reply {
    Reply::events(&[json!({"choices": [{"delta": {"content": "Once upon"}}]})])
}

#[tokio::test]
async fn a_stream_that_breaks_is_asked_for_again() {
    for broken in
        [begun().then(Piece::Reset), begun(), begun().then(Piece::Bytes(b"data: {\"choices\": [{\"del".to_vec()))]
    {
        let server = ModelServer::scripted(vec![broken.into(), text("whole").into()]);
        let (reply, heard) = ask(native(&server)).await.unwrap();
        assert_eq!((reply.text.as_str(), reply.tries), ("whole", 2));
        assert_eq!(heard, "Once uponwhole");
    }
    let (error, times) =
        error(vec![begun().then(Piece::Reset).into(), begun().into(), begun().into(), text("x").into()]).await;
    assert!(matches!(error, ModelError::Unreachable { .. }) && times == 3, "{error} {times}");
}

#[tokio::test]
async fn a_stream_that_stands_still_is_given_up() {
    let start = Instant::now();
    let (error, times) = error(vec![begun().then(Piece::Stall).into(), text("x").into()]).await;
    assert!(matches!(error, ModelError::Unreachable { .. }) && times == 1, "{error}");
    assert!(error.to_string().contains("stood still for 1.5 s") && start.elapsed() < Duration::from_secs(5), "{error}");
    // A sign of life is enough.
    let slow = begun().then(Piece::Pause(Duration::from_millis(900))).then(Piece::Bytes(b": still here\n\n".to_vec()));
    let slow = slow.then(Piece::Pause(Duration::from_millis(900))).done();
    let server = ModelServer::scripted(vec![slow.into()]);
    assert_eq!(ask(native(&server)).await.unwrap().0.text, "Once upon");
}

#[tokio::test]
async fn an_answer_that_said_why_it_ends_is_whole() {
    let ended =
        || begun().then(Piece::Bytes(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n".to_vec()));
    let half = Piece::Bytes(b"data: {\"choices\": [], \"usa".to_vec());
    let alive = || Piece::Bytes(b": still here\n\n".to_vec());
    let pings = (0..40).fold(ended(), |reply, _| reply.then(alive()).then(Piece::Pause(Duration::from_millis(100))));
    let last = Piece::Bytes(b"data: {\"error\": {\"message\": \"too late\"}}\n\n".to_vec());
    for reply in [ended().then(Piece::Reset), ended().then(Piece::Stall), ended().then(half), pings.then(last)] {
        let server = ModelServer::scripted(vec![reply.into(), text("x").into()]);
        let (reply, _) = ask(native(&server)).await.unwrap();
        assert_eq!((reply.text.as_str(), reply.tries), ("Once upon", 1));
    }
}

#[tokio::test]
async fn a_model_that_has_not_begun_may_think_for_as_long_as_a_turn_has() {
    let first = Reply::events(&[
        json!({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
        json!({"choices": [{"delta": {"role": "assistant", "content": ""}}]}),
    ]);
    let reply = first.then(Piece::Pause(Duration::from_millis(700)));
    let reply = reply.then(Piece::Bytes(b"data: {\"choices\":[{\"delta\":{\"content\":\"ok\"}}]}\n\n".to_vec())).done();
    let server = ModelServer::scripted(vec![reply.into()]);
    let settings = Server { idle: Duration::from_millis(200), ..native(&server) };
    assert_eq!(ask(settings).await.unwrap().0.text, "ok");
}

#[tokio::test]
async fn what_can_not_be_read_is_asked_for_again_and_then_told() {
    let garbled = [
        Reply::raw(200, "application/json", "{\"choices\": [{\"mess"),
        Reply::raw(200, "text/html", "<html>Sign in</html>"),
        Reply::raw(200, "application/json", "{}"),
        Reply::events(&[json!({"hello": 1})]).done(),
        Reply::raw(200, "text/event-stream", "data: hello\n\n"),
    ];
    for reply in garbled {
        let again = || -> Turn { reply.clone().into() };
        let (error, times) = error(vec![again(), again(), again(), text("x").into()]).await;
        assert!(matches!(error, ModelError::Unusable { .. }) && times == 3, "{reply:?}: {error} {times}");
    }
}

#[tokio::test]
async fn an_error_in_a_stream_is_an_error() {
    let (filtered, _) =
        error(vec![Reply::events(&[json!({"error": {"code": "content_filter", "message": "no"}})]).into()]).await;
    assert!(matches!(filtered, ModelError::Filtered { .. }), "{filtered}");
    let busy = Reply::events(&[json!({"error": {"type": "server_error", "message": "overloaded"}})]);
    let server = ModelServer::scripted(vec![busy.into(), text("ok").into()]);
    assert_eq!(ask(native(&server)).await.unwrap().0.tries, 2);
    let long =
        json!({"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400});
    let (long, _) = error(vec![Reply::events(&[long]).into()]).await;
    assert!(matches!(long, ModelError::TooLong { window: Some(4096), .. }), "{long}");
}

#[tokio::test]
async fn nobody_there() {
    let server = ModelServer::scripted(Vec::new());
    let settings = native(&server);
    drop(server);
    let error = ask(settings).await.unwrap_err();
    assert!(matches!(error, ModelError::Unreachable { .. }) && error.to_string().contains("refused"), "{error}");
    assert!(error.hint().is_some());
}
