//! Servers that are not there, or are not what the settings say.

use serde_json::json;

use crate::{Home, Run, closed, servers};

/// One call of each tool.
fn both(home: &Home, prometheus: &str, alertmanager: &str) -> Run {
    let tools = [("query_prometheus", json!({"query": "up"})), ("list_alerts", json!({}))];
    home.explore(home.program(prometheus, alertmanager), &tools, &json!([]))
}

#[test]
fn a_server_that_is_down_is_an_observation() {
    let home = Home::new();
    let run = both(&home, &closed(), &closed());
    for step in [1, 2] {
        let text = run.observation(step);
        assert!(text.starts_with("error: no answer: ") && text.contains("onnection refused"), "{text}");
        assert!(text.ends_with("\nhint: go on without this tool"), "{text}");
    }
    assert_eq!(run.diagnosis["causes"].as_array().unwrap().len(), 1, "what the detectors proved stays");
}

#[test]
fn a_wrong_path_is_told_as_one() {
    let Some(servers) = servers() else { return };
    let home = Home::new();
    let nowhere = |url: &str| format!("{url}/nowhere");
    let run = both(&home, &nowhere(&servers.prometheus), &nowhere(&servers.alertmanager));
    for step in [1, 2] {
        assert_eq!(
            run.observation(step),
            "error: it answered 404: 404 page not found\nhint: the configured address may be wrong: go on without this tool"
        );
    }
    // Each at the other's address.
    let run = both(&home, &servers.alertmanager, &servers.prometheus);
    for step in [1, 2] {
        let text = run.observation(step);
        assert!(text.starts_with("error: it answered 404") && text.contains("address may be wrong"), "{text}");
    }
}

#[test]
fn what_can_not_be_opened_is_told_and_its_tool_not_offered() {
    let home = Home::new();
    let mut program = home.program("prometheus:9090", "http://127.0.0.1:9");
    program.env("KUBECTL_REACT_ALERTMANAGER_TOKEN_FILE", "/no/such/file");
    let run = home.explore(program, &[("list_alerts", json!({}))], &json!([]));
    assert!(run.errors.contains("Prometheus is not asked: `prometheus.url` can't be used: "), "{}", run.errors);
    let told = "Alertmanager is not asked: `alertmanager.token.file` can't be read: ";
    assert!(run.errors.contains(told), "{}", run.errors);
    assert!(run.observation(1).starts_with("error: there is no tool `list_alerts`"), "{}", run.observation(1));
    assert_eq!(run.diagnosis["causes"].as_array().map(Vec::len), Some(1));
}
