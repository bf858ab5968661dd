//! What `doctor` and `config` say of the servers.

use serde_json::Value;

use crate::{Home, closed, servers};

/// The checks of this area: how they stand, and what they say.
fn checks(home: &Home, prometheus: &str, alertmanager: &str) -> Vec<(String, String, String)> {
    let output = home.program(prometheus, alertmanager).args(["doctor", "-o", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap().iter();
    let ours = checks.filter(|check| ["metrics", "alerts"].contains(&check["area"].as_str().unwrap()));
    let word = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    ours.map(|check| (word(check, "area"), word(check, "standing"), word(check, "said"))).collect()
}

#[test]
fn doctor_says_whether_they_answer() {
    let Some(servers) = servers() else { return };
    let home = Home::new();
    let well = checks(&home, &servers.prometheus, &servers.alertmanager);
    let [(metrics, ok, one), (alerts, also, many)] = well.as_slice() else { panic!("{well:?}") };
    assert_eq!((metrics.as_str(), ok.as_str(), alerts.as_str(), also.as_str()), ("metrics", "ok", "alerts", "ok"));
    assert!(one.starts_with("Prometheus at 127.0.0.1:") && one.ends_with(" ms, 1 targets"), "{one}");
    assert!(many.starts_with("Alertmanager at 127.0.0.1:") && many.ends_with(" ms, 61 alerts"), "{many}");

    let wrong = checks(&home, &servers.alertmanager, &format!("{}/x", servers.alertmanager));
    for (_, standing, said) in &wrong {
        assert!(standing == "failed" && said.contains("it answered 404"), "{wrong:?}");
    }
}

#[test]
fn doctor_says_what_is_down_and_leaves_out_what_is_not_configured() {
    let home = Home::new();
    let down = checks(&home, &closed(), "alertmanager");
    let [(_, _, metrics), (_, _, alerts)] = down.as_slice() else { panic!("{down:?}") };
    assert!(metrics.contains("no answer: ") && metrics.contains("onnection refused"), "{metrics}");
    assert!(alerts.starts_with("`alertmanager.url` can't be used: it is no address"), "{alerts}");
    assert!(down.iter().all(|(_, standing, _)| standing == "failed"), "{down:?}");
    assert_eq!(checks(&home, "", ""), []);
}

#[test]
fn config_shows_where_they_are_and_no_password() {
    let home = Home::new();
    let mut program = home.program("https://me:secret@prometheus.example/p", "http://alerts.example:9093");
    let output = program.args(["config"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |key: &str| text.lines().find(|line| line.contains(key)).unwrap_or_else(|| panic!("{key}: {text}"));
    assert!(line("prometheus.url").contains("https://prometheus.example/p"), "{text}");
    assert!(line("prometheus.url").contains("KUBECTL_REACT_PROMETHEUS_URL"), "{text}");
    assert!(line("alertmanager.url").contains("http://alerts.example:9093"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
