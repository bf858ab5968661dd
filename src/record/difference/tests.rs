//! Two states of a cluster, and the lines that lead from one to the other.

use crate::detect::testing::snapshot;
use crate::graph;
use crate::kubectl;
use crate::model::Cause;

use super::differences;
use crate::record::phrase::Phrase;

/// The lines for what changed between two lists of objects, about a cause at Deployment shop/web.
fn lines(before: &str, after: &str) -> Vec<String> {
    let cause: Cause = serde_saphyr::from_str(
        "{fingerprint: f, detector: d, severity: critical, stage: start, summary: s, count: 1, changes: [], commands: [], \
         object: {kind: Deployment, namespace: shop, name: web}, evidence: [], consequences: []}",
    )
    .unwrap();
    let (before, after) = (snapshot(before), snapshot(after));
    let (before, after) = (graph::build(&before), graph::build(&after));
    let mut lines = Vec::new();
    for found in differences(&before, &after, &cause) {
        for line in [&found.line, &found.back].into_iter().flatten() {
            kubectl::parse(&line.concrete()).unwrap_or_else(|refusal| panic!("{}: {refusal:?}", line.concrete()));
        }
        let line = found.line.as_ref().map_or_else(|| "-".to_owned(), Phrase::concrete);
        let back = found.back.as_ref().map_or_else(|| "-".to_owned(), Phrase::concrete);
        lines.push(format!("{} {}\n  {line}\n  {back}", found.object, found.what));
    }
    lines
}

#[track_caller]
fn check(before: &str, after: &str, expected: &str) {
    assert_eq!(lines(before, after).join("\n"), expected);
}

fn deployment(spec: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop, generation: 1}}\n\
         spec: {{replicas: 2, selector: {{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{{spec}}}}}}}"
    )
}

#[test]
fn a_verb_of_its_own_comes_before_a_patch() {
    let table = [
        (
            "containers: [{name: app, image: 'web:1'}]",
            "containers: [{name: app, image: 'web:2'}]",
            "Deployment shop/web image of app: web:1 → web:2\n  kubectl -n shop set image deployment/web app=web:2\n  \
             kubectl -n shop set image deployment/web app=web:1",
        ),
        (
            "containers: [{name: app, env: [{name: A, value: one}, {name: B, value: two}]}]",
            "containers: [{name: app, env: [{name: A, value: three}]}]",
            "Deployment shop/web variable A of app\n  kubectl -n shop set env deployment/web -c app A=three\n  \
             kubectl -n shop set env deployment/web -c app A=one\n\
             Deployment shop/web variable B of app removed\n  kubectl -n shop set env deployment/web -c app B-\n  \
             kubectl -n shop set env deployment/web -c app B=two",
        ),
        (
            "containers: [{name: app, resources: {limits: {memory: 64Mi}}}]",
            "containers: [{name: app, resources: {limits: {memory: 256Mi, cpu: '1'}, requests: {memory: 128Mi}}}]",
            "Deployment shop/web cpu limit none → 1, memory limit 64Mi → 256Mi, memory request none → 128Mi of app\n  \
             kubectl -n shop set resources deployment/web -c app --limits=cpu=1,memory=256Mi --requests=memory=128Mi\n  \
             kubectl -n shop set resources deployment/web -c app --limits=cpu=0,memory=64Mi --requests=memory=0",
        ),
        (
            "containers: [{name: app, readinessProbe: {httpGet: {path: /x, port: 80}}}]",
            "containers: [{name: app, readinessProbe: {httpGet: {path: /x, port: 8080}}}]",
            "Deployment shop/web `spec.template.spec.containers[app].readinessProbe.httpGet.port` 80 → 8080\n  \
             kubectl -n shop patch deployment web -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"app\",\"readinessProbe\":{\"httpGet\":{\"port\":8080}}}]}}}}'\n  \
             kubectl -n shop patch deployment web -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"app\",\"readinessProbe\":{\"httpGet\":{\"port\":80}}}]}}}}'",
        ),
    ];
    for (before, after, expected) in table {
        check(&deployment(before), &deployment(after), expected);
    }
}
