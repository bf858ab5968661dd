//! With fewer rights the answer is smaller and says so; it never fails.

use crate::cluster::cluster;

#[test]
fn the_view_role_gets_a_useful_answer_and_its_gaps() {
    let Some(cluster) = cluster() else { return };
    let diagnosis = cluster.diagnose("viewer", &["-A"]);
    let gaps = diagnosis["gaps"].to_string();
    for kind in ["secrets", "nodes"] {
        assert!(gaps.contains(kind), "no gap for {kind}: {gaps}");
    }
    assert!(diagnosis["counts"]["pods"].as_u64() > Some(0), "pods are read: {diagnosis}");
    assert_ne!(diagnosis["verdict"], "healthy", "unknown is not healthy");
}

#[test]
fn without_any_right_the_verdict_is_unknown() {
    let Some(cluster) = cluster() else { return };
    let diagnosis = cluster.diagnose("nobody", &[]);
    assert_eq!(diagnosis["verdict"], "unknown", "{diagnosis}");
    assert!(diagnosis["gaps"].as_array().is_some_and(|gaps| !gaps.is_empty()), "{diagnosis}");
    let output = cluster.plugin("nobody", &["diagnose", "--exit-code"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_shipped_role_reads_all_but_secrets() {
    let Some(cluster) = cluster() else { return };
    let role = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/rbac.yaml"))
        .expect("deploy/rbac.yaml");
    cluster.apply("default", &role);
    let binding = cluster.run(&[
        "create",
        "clusterrolebinding",
        "react-reader-test",
        "--clusterrole=react-reader",
        "--user=react-reader",
        "--dry-run=client",
        "-o",
        "yaml",
    ]);
    cluster.apply("default", &binding);
    let diagnosis = cluster.diagnose("react-reader", &["-A"]);
    let gaps = diagnosis["gaps"].as_array().cloned().unwrap_or_default();
    let others: Vec<_> = gaps
        .iter()
        .filter(|gap| !gap["what"].as_str().is_some_and(|what| what.to_lowercase().contains("secret")))
        .collect();
    assert!(others.is_empty(), "the shipped role leaves gaps: {others:?}");
    cluster.run(&["delete", "clusterrolebinding", "react-reader-test"]);
}

#[test]
fn each_way_of_not_getting_in_has_its_own_line_and_hint() {
    let Some(cluster) = cluster() else { return };
    for user in ["expired", "wrong-ca"] {
        let output = cluster.plugin(user, &["diagnose"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{user}: {errors}");
        let lines: Vec<&str> = errors.lines().filter(|line| !line.is_empty()).collect();
        assert!(lines.first().is_some_and(|line| line.starts_with("error: ")), "{user}: {errors}");
        assert!(lines.get(1).is_some_and(|line| line.starts_with("hint: ")), "{user}: {errors}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
}
