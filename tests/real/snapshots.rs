//! A saved snapshot is diagnosed like the cluster it was taken from.

use crate::cluster::cluster;

#[test]
fn a_snapshot_is_diagnosed_without_the_cluster_and_always_the_same() {
    let Some(cluster) = cluster() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cluster.json.gz");
    let path = file.to_str().expect("a path");
    let output = cluster.plugin("admin", &["snapshot", path]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for format in ["json", "text", "yaml", "markdown", "name"] {
        // `nobody` has no rights: nothing but the file is read.
        let first = cluster.plugin("nobody", &["diagnose", "--from", path, "-o", format]);
        let second = cluster.plugin("nobody", &["diagnose", "--from", path, "-o", format]);
        assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
        assert!(!first.stdout.is_empty() || format == "name");
        assert_eq!(first.stdout, second.stdout, "-o {format}");
    }
}

#[test]
fn a_live_diagnosis_and_that_of_its_snapshot_are_the_same_bytes() {
    use kubectl_react::{cluster, diagnose, redact};
    let Some(real) = crate::cluster::cluster() else { return };
    rustls_provider();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let options = cluster::ConnectOptions { kubeconfig: Some(real.kubeconfig("admin")), ..Default::default() };
        let connection = cluster::connect(&options).await.expect("a connection");
        let redactor = redact::Redactor::new([7; 32]);
        let request = diagnose::Request::default();
        let handles = diagnose::Context {
            source: diagnose::Source::Live(Box::new(connection)),
            redactor,
            page_size: 500,
            runbooks: None,
            explorer: None,
        };
        let live = diagnose::diagnose(&handles, &request, &|_| {}).await.expect("a diagnosis");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("cluster.json.gz");
        cluster::snapshot_file::write(&file, &live.snapshot).expect("written");
        let loaded = cluster::snapshot_file::read(&file, &handles.redactor).expect("read");
        assert!(loaded == *live.snapshot, "what is read is what was written");
        let again = diagnose::derive(&loaded, &request).expect("a diagnosis");
        let text = |diagnosis| serde_json::to_string_pretty(diagnosis).expect("JSON");
        assert_eq!(text(&again), text(&live.diagnosis));
    });
}

fn rustls_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
