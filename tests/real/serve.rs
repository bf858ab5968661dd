//! What is served looks as kubectl prints it, on the same cluster.

use std::sync::LazyLock;

use kubectl_react::cluster::{ConnectOptions, ServeOptions as Options, Server, connect};
use kubectl_react::kubectl::{self, Command};
use kubectl_react::redact::Redactor;

use crate::cluster::{Cluster, Injecting, cluster};

/// Lines whose answer is that of kubectl, ages and blanks at the ends aside. They are about what no other test changes.
const SAME: &[&str] = &[
    "get pods -n kube-system",
    "get pods -n kube-system -o wide",
    "get pods -n kube-system --show-labels --no-headers",
    "get pods -n kube-system -L k8s-app",
    "get pods -n kube-system -o name",
    "get pods -n kube-system -o jsonpath='{.items[*].metadata.name}'",
    "get pods -n kube-system -o jsonpath='{range .items[*]}{.metadata.name}{\"\\t\"}{.status.phase}{\"\\n\"}{end}'",
    "get pods -n kube-system -o custom-columns='NAME:.metadata.name,IMAGES:.spec.containers[*].image,NONE:.spec.nothing'",
    "get pods -n kube-system --field-selector=status.phase=Running --sort-by=.metadata.creationTimestamp",
    "get deploy,svc -n kube-system",
    "get svc kube-dns -n kube-system",
    "get deploy/coredns svc/kube-dns -n kube-system",
    "get cm -n kube-system -o name",
    "get svc kubernetes -n default -o yaml",
    "get namespaces kube-system -o yaml",
    "get nodes -l kubernetes.io/os=none -o yaml",
    "get sa -n kube-system",
    "get rs,ep -n kube-system",
    "get nodes",
    "get nodes -o wide",
    "get nodes -o jsonpath='{.items[?(@.spec.unschedulable)].metadata.name}'",
    "get sc",
    "get priorityclasses",
    "get apiservices",
    "get deployments.apps -n kube-system",
    "get secrets -n kube-public",
    "get pods -n kube-public",
    "rollout status deploy/coredns -n kube-system",
    "auth can-i delete pods -n kube-system",
    "api-resources -o name --sort-by=name --api-group=apps",
    "api-resources --api-group=batch",
];

/// Ages, which go on between the two questions.
fn ageless(text: &str) -> String {
    static AGE: LazyLock<regex::Regex> =
        LazyLock::new(|| regex::Regex::new(r"\b(\d+[smhdy]){1,2}\b( ago)?").expect("a pattern"));
    let line = |line: &str| AGE.replace_all(line, "AGE").split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn words(line: &str) -> Vec<String> {
    match kubectl::parse(&format!("kubectl {line}")) {
        Ok(command) => command.argv(),
        Err(refusal) => panic!("{line}: {refusal}"),
    }
}

fn theirs(cluster: &Cluster, line: &str) -> String {
    let output = cluster.kubectl().args(words(line)).output().expect("kubectl runs");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // The server's own remarks on a version of its API are not the answer.
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("Warning: ")).collect();
    lines.join("\n") + "\n"
}

async fn server(cluster: &Cluster) -> Server {
    let options = ConnectOptions { kubeconfig: Some(cluster.kubeconfig("admin")), ..ConnectOptions::default() };
    Server::live(&connect(&options).await.expect("a connection"), Redactor::new([1; 32]))
}

async fn ours(server: &Server, line: &str) -> String {
    let Ok(Command::Read(read)) = kubectl::parse(&format!("kubectl {line}")) else { panic!("{line} is no read") };
    match server.serve(&read, &Options::default()).await {
        Ok(served) => served.text.into_inner(),
        Err(error) => format!("error: {error}"),
    }
}

#[tokio::test]
async fn what_is_served_is_what_kubectl_prints() {
    let Some(cluster) = cluster() else { return };
    let _alone = Injecting::begin();
    let server = server(&cluster).await;
    let mut different = Vec::new();
    for line in SAME {
        different.extend(difference(&cluster, &server, line).await);
    }
    assert!(different.is_empty(), "{} lines differ:\n{}", different.len(), different.join("\n\n"));
}

/// Where the two differ, also when they are asked again: between two questions a pod may become ready.
async fn difference(cluster: &Cluster, server: &Server, line: &str) -> Option<String> {
    let mut told = None;
    for _ in 0..4 {
        let (ours, theirs) = (ours(server, line).await, theirs(cluster, line));
        if line.ends_with("-o yaml") {
            let read = |text: &str| serde_saphyr::from_str::<serde_json::Value>(text).ok();
            if read(&ours).is_some() && read(&ours) == read(&theirs) {
                return None;
            }
        }
        let (ours, theirs) = (ageless(&ours), ageless(&theirs));
        if ours == theirs {
            return None;
        }
        told = Some(format!("kubectl {line}\n--- ours\n{ours}\n--- kubectl's\n{theirs}"));
    }
    told
}

#[tokio::test]
async fn the_rest_is_answered_too() {
    let Some(cluster) = cluster() else { return };
    let _alone = Injecting::begin();
    let server = server(&cluster).await;
    for (line, part) in [
        ("describe deploy coredns -n kube-system", "Belongs to it:\n"),
        ("describe node", "Conditions:\n"),
        ("describe svc kube-dns -n kube-system", "endpoints, "),
        ("logs deploy/coredns -n kube-system", "["),
        ("events -A", "LAST SEEN"),
        ("explain deployment.spec.strategy", "FIELD: strategy <Object>"),
        ("auth can-i --list", "VERBS"),
        ("version", "Server Version: v1."),
        ("rollout history deploy/coredns -n kube-system", "REVISION"),
        ("wait deploy/coredns -n kube-system --for=condition=Available", "condition met"),
        ("get crd", ""),
    ] {
        let said = ours(&server, line).await;
        assert!(said.contains(part) && !said.starts_with("error"), "{line}:\n{said}");
    }
}
