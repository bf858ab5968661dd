//! What the model reads of what the real servers say, and what its answer may quote.

use serde_json::{Value, json};

use crate::{Home, servers};

fn query(query: &str) -> (&'static str, Value) {
    ("query_prometheus", json!({ "query": query }))
}

fn over(minutes: u32, query: &str) -> (&'static str, Value) {
    ("query_prometheus", json!({"query": query, "minutes": minutes}))
}

fn alerts(filter: &str) -> (&'static str, Value) {
    ("list_alerts", json!({ "filter": filter }))
}

#[test]
fn metrics_and_alerts_are_read_and_can_be_quoted() {
    let Some(servers) = servers() else { return };
    let home = Home::new();
    let program = || home.program(&servers.prometheus, &servers.alertmanager);
    let tools = [
        query("react:answer:constant"),
        over(1, "time()"),
        over(20, "react:answer:constant"),
        query("ALERTS{alertname=\"ReactShardSlow\"}"),
        ("list_alerts", json!({})),
        alerts("{namespace=\"shop\", alertname=~\"React.*\"}"),
    ];
    let value = "react:answer:constant{namespace=\"shop\"} 42";
    let alert = "namespace=shop deployment=cart The cart answers 42 and nothing else.";
    let claims = json!([
        {"text": "the cart answers 42", "step": 1, "quote": value},
        {"text": "an alert says so", "step": 6, "quote": alert},
    ]);
    let run = home.explore(program(), &tools, &claims);

    assert_eq!(run.observation(1), value);
    let end = home.read.as_second();
    assert_eq!(
        run.observation(2),
        format!(
            "{{}} first {first} at {start}, lowest {first}, highest {end} at {read}, last {end} at {read}, 5 points",
            first = end - 60,
            start = kubectl_react::model::Time::from_second(end - 60).unwrap(),
            read = home.read,
        )
    );
    let range = run.observation(3);
    for part in ["{namespace=\"shop\"} first 42 at ", "lowest 42, highest 42", &format!("last 42 at {}", home.read)] {
        assert!(range.contains(part), "{part}: {range}");
    }
    let many = run.observation(4);
    assert_eq!(many.matches("ALERTS{alertname=\"ReactShardSlow\", alertstate=\"firing\"").count(), 40, "{many}");
    assert!(many.ends_with("\n[showing 40 of 60 series; aggregate, or narrow the labels]"), "{many}");
    let all = run.observation(5);
    assert!(all.starts_with("ReactCartDown severity=critical state=active since "), "the worst first: {all}");
    assert!(all.ends_with("\n[showing 50 of 61 alerts; narrow with `filter`]"), "{all}");
    let one = run.observation(6);
    assert_eq!((one.lines().count(), one.ends_with(alert)), (1, true), "{one}");

    let found = &run.diagnosis["exploration"];
    assert_eq!(found["answer"]["causes"][0]["standing"]["is"], "supported", "{found:#}");
    assert!(run.errors.contains("query_prometheus time() over 1 minutes"), "{}", run.errors);

    // It plays again from what was kept, with no one there to ask.
    let mut replay = home.program(&crate::closed(), &crate::closed());
    let replayed = replay.args(["incidents", "replay", "latest", "-o", "json"]).output().unwrap();
    assert_eq!(String::from_utf8(replayed.stdout).unwrap(), run.printed);
}

#[test]
fn what_the_servers_did_not_say_is_not_proven() {
    let Some(servers) = servers() else { return };
    let home = Home::new();
    let claims = json!([
        {"text": "the cart answers 43", "step": 1, "quote": "react:answer:constant{namespace=\"shop\"} 43"},
    ]);
    let run = home.explore(
        home.program(&servers.prometheus, &servers.alertmanager),
        &[query("react:answer:constant"), alerts("severity=\"none\"")],
        &claims,
    );
    assert_eq!(run.observation(2), "no alerts that match");
    let cause = &run.diagnosis["exploration"]["answer"]["causes"][0];
    assert_eq!(cause["claims"][0]["standing"]["is"], "unsupported", "{cause:#}");
    assert_eq!(cause["standing"]["is"], "unsupported");
    assert_eq!(run.diagnosis["causes"].as_array().unwrap().len(), 1, "what the detectors proved stays");
}

#[test]
fn what_the_servers_refuse_is_told_in_their_words() {
    let Some(servers) = servers() else { return };
    let home = Home::new();
    let tools = [
        query("sum("),
        query("react_no_such_metric"),
        over(5, "react_no_such_metric"),
        over(1, "vector(0)/0"),
        over(1, "\"text\""),
        alerts("nonsense"),
        query("up{job=\"prometheus\"}[10s]"),
    ];
    let run = home.explore(home.program(&servers.prometheus, &servers.alertmanager), &tools, &json!([]));
    let syntax = run.observation(1);
    assert!(syntax.starts_with("error: it answered 400: invalid parameter \"query\": 1:5: parse error"), "{syntax}");
    let unknown = run.observation(2);
    assert!(unknown.starts_with(&format!("no series at {}\n[there may be no such metric", home.read)), "{unknown}");
    let unknown = run.observation(3);
    assert!(unknown.starts_with(&format!("no series in the 5 minutes before {}\n[", home.read)), "{unknown}");
    let undefined = run.observation(4);
    assert!(undefined.starts_with("{} NaN from ") && undefined.ends_with(", 5 points"), "{undefined}");
    let kind = run.observation(5);
    assert!(kind.starts_with("error: it answered 400: ") && kind.contains("range query"), "{kind}");
    assert_eq!(run.observation(6), "error: it answered 400: bad matcher format: nonsense");
    let raw = run.observation(7);
    assert!(raw.starts_with("up{instance=\"") && raw.contains("first 1 at ") && raw.contains("last 1 at "), "{raw}");
}
