//! Diagnoses for tests.

use crate::model::diagnosis::{Counts, SCHEMA_VERSION};
use crate::model::{
    Answer, Cause, Claim, Diagnosis, DryRun, Exploration, Gap, Kind, ObjectRef, Observation, Severity, Source,
    Standing, StatedCause, Step, SuggestedChange, Time, Usage, Verdict,
};

pub(super) fn at(clock: &str) -> Time {
    format!("2026-11-23T{clock}:00Z").parse().unwrap()
}

pub(super) fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef::new(kind, "shop", name)
}

pub(super) fn healthy() -> Diagnosis {
    Diagnosis {
        schema_version: SCHEMA_VERSION.to_owned(),
        context: "prod-weu".to_owned(),
        namespace: None,
        taken_at: at("08:43"),
        verdict: Verdict::Healthy,
        causes: Vec::new(),
        gaps: Vec::new(),
        silenced: 0,
        counts: Counts { objects: 2113, pods: 312, nodes: 6, namespaces: 14 },
        libraries: Vec::new(),
        exploration: None,
    }
}

pub(super) fn unknown() -> Diagnosis {
    let gap = |what: &str, kind| Gap { what: what.to_owned(), namespace: None, reason: "forbidden".to_owned(), kind };
    Diagnosis {
        verdict: Verdict::Unknown,
        gaps: vec![
            gap("pods", Some(Kind::Pod)),
            gap("nodes", Some(Kind::Node)),
            Gap {
                what: "log of shop/web-1 (app)".to_owned(),
                namespace: None,
                reason: "timed out".to_owned(),
                kind: None,
            },
        ],
        ..healthy()
    }
}

/// One cause with all there can be.
pub(super) fn cascade() -> Diagnosis {
    let cause: Cause = serde_saphyr::from_str(CASCADE).unwrap();
    Diagnosis { verdict: Verdict::Unhealthy, causes: vec![cause], ..healthy() }
}

const CASCADE: &str = "
fingerprint: config-key-missing/Deployment/shop/cart/cart-db/DB_PASSWORD
detector: config-key-missing
severity: critical
stage: start
object: {kind: Deployment, namespace: shop, name: cart}
culprit: {kind: Secret, namespace: shop, name: cart-db}
summary: 'container `app` can''t start: Secret `cart-db` has no key `DB_PASSWORD`, it has `password`'
since: 2026-11-23T08:31:00Z
count: 40
members:
- {kind: Pod, namespace: shop, name: cart-7d9f8b6c5-x2x4z}
evidence:
- quote: couldn't find key DB_PASSWORD in Secret shop/cart-db
  source:
    type: field
    object: {kind: Pod, namespace: shop, name: cart-7d9f8b6c5-x2x4z}
    path: status.containerStatuses[app].state.waiting.message
- quote: 'Error: couldn''t find key DB_PASSWORD in Secret shop/cart-db'
  source: {type: event, object: {kind: Pod, namespace: shop, name: cart-7d9f8b6c5-x2x4z}, reason: Failed}
  time: 2026-11-23T08:42:00Z
consequences:
- detector: service-without-endpoints
  object: {kind: Service, namespace: shop, name: cart}
  summary: 0 of 40 endpoints are ready
  severity: critical
  path:
  - {kind: Service, namespace: shop, name: cart}
  - {kind: Pod, namespace: shop, name: cart-7d9f8b6c5-x2x4z}
  - {kind: Secret, namespace: shop, name: cart-db}
- detector: ingress-without-backend
  object: {kind: Ingress, namespace: shop, name: shop}
  summary: path /cart has no backend
  severity: critical
  path:
  - {kind: Ingress, namespace: shop, name: shop}
  - {kind: Service, namespace: shop, name: cart}
  - {kind: Pod, namespace: shop, name: cart-7d9f8b6c5-x2x4z}
  - {kind: Secret, namespace: shop, name: cart-db}
changes:
- {time: '2026-11-23T08:30:00Z', object: {kind: Secret, namespace: shop, name: cart-db}, what: data, by: kubectl-edit}
commands:
- changes: false
  purpose: see which keys it has
  line: kubectl --context prod-weu -n shop describe secret cart-db
- changes: true
  purpose: go back to the revision before
  line: kubectl --context prod-weu -n shop rollout undo deployment/cart
";

/// The same, with what an agent can find out.
pub(super) fn explored() -> Diagnosis {
    Diagnosis { exploration: Some(serde_saphyr::from_str(EXPLORATION).unwrap()), ..cascade() }
}

const EXPLORATION: &str = r#"
question: why does the cart not start?
steps:
- number: 1
  thought: Which keys has the Secret?
  tool: kubectl
  action: kubectl describe secret cart-db -n shop
  observation: {text: "password:  12 bytes"}
answer:
  summary: |
    The **cart** waits for a key, see [the docs](https://example.com/docs):

    - it asks for `DB_PASSWORD`
    - the Secret has `password`

    ```sh
    kubectl -n shop get secret
    ```

    | key | wanted |
    |---|---|
    | password | no |
  causes:
  - statement: The Secret has no key DB_PASSWORD
    object: secret/cart-db in shop
    standing: {is: supported}
    claims:
    - {text: the only key is password, step: 1, quote: "password:  12 bytes", standing: {is: supported}}
    - {text: the container is not created, step: 0, quote: "couldn't find key DB_PASSWORD", standing: {is: supported}}
  - statement: Somebody renamed the key at noon
    standing: {is: unsupported, why: no claim of it holds}
    claims:
    - {text: it was renamed, step: 9, quote: renamed, standing: {is: unsupported, why: there is no step 9}}
    - {text: by hand, step: 1, quote: "", standing: {is: unchecked}}
  contradictions: [the model says that Service cart is well]
  undecided: the audit log of the API server
  notChecked: [the Deployment's history]
  confidence: medium
  changes:
  - line: kubectl --context prod-weu -n shop rollout undo deployment/cart
    purpose: go back to the revision that asks for another key
    risks: [all pods are replaced]
    dryRun: {accepted: true, said: deployment.apps/cart rolled back}
  - {line: kubectl exec cart -- sh, purpose: look into it, refused: "`exec` runs a program"}
notes: [one request was repeated]
usage:
  model: gpt-4.1
  server: api.openai.com
  requests: 3
  inputTokens: 12400
  cachedTokens: 1024
  outputTokens: 800
  bytesSent: 51200
  cost: 0.03
  millis: 8200
incident: 20261126-101500-7f3a
"#;

/// As many causes, one like the other.
pub(super) fn many(number: usize) -> Diagnosis {
    let mut diagnosis = cascade();
    let cause = diagnosis.causes.remove(0);
    diagnosis.causes = (0..number)
        .map(|n| Cause {
            object: object(Kind::Deployment, &format!("worker-{n:02}")),
            severity: if n < 3 { Severity::Critical } else { Severity::Warning },
            ..cause.clone()
        })
        .collect();
    diagnosis
}

/// A diagnosis in which every string that a cluster can write is hostile.
pub(super) fn hostile(bytes: &str) -> Diagnosis {
    let mut diagnosis = cascade();
    diagnosis.context = bytes.to_owned();
    diagnosis.gaps = vec![Gap {
        what: bytes.to_owned(),
        namespace: Some(bytes.to_owned()),
        reason: bytes.to_owned(),
        kind: Some(Kind::parse(bytes)),
    }];
    let evil = ObjectRef::new(Kind::parse(&format!("Evil{bytes}.example.com")), bytes, bytes);
    let cause = &mut diagnosis.causes[0];
    cause.object = evil.clone();
    cause.culprit = Some(evil.clone());
    cause.members = vec![evil.clone()];
    for text in [&mut cause.summary, &mut cause.detector, &mut cause.fingerprint] {
        *text = bytes.to_owned();
    }
    cause.unknown = vec![bytes.to_owned()];
    for evidence in &mut cause.evidence {
        evidence.quote = bytes.to_owned();
        evidence.source = Source::Log { object: evil.clone(), container: bytes.to_owned(), previous: true };
    }
    for consequence in &mut cause.consequences {
        consequence.object = evil.clone();
        consequence.summary = bytes.to_owned();
        consequence.path = vec![evil.clone(), evil.clone()];
    }
    for change in &mut cause.changes {
        change.object = evil.clone();
        change.what = bytes.to_owned();
        change.by = Some(bytes.to_owned());
    }
    for command in &mut cause.commands {
        command.purpose = bytes.to_owned();
        command.line = bytes.to_owned();
    }
    diagnosis.exploration = Some(hostile_exploration(bytes));
    diagnosis
}

/// What an agent found out, in which every string is hostile.
fn hostile_exploration(bytes: &str) -> Exploration {
    let text = || bytes.to_owned();
    let why = || Standing::Unsupported { why: text() };
    let claim = |step, standing| Claim { text: text(), step, quote: text(), standing };
    let cause = |standing| StatedCause {
        statement: text(),
        object: Some(text()),
        explains: Some(text()),
        claims: vec![claim(1, Standing::Supported), claim(2, why()), claim(0, Standing::Unchecked)],
        standing,
    };
    let change = |refused| SuggestedChange {
        line: text(),
        purpose: text(),
        refused,
        risks: vec![text()],
        dry_run: Some(DryRun { accepted: false, said: text() }),
    };
    Exploration {
        question: Some(text()),
        steps: vec![Step {
            number: 1,
            thought: text(),
            tool: text(),
            action: text(),
            observation: Observation { text: text(), note: Some(text()), ..Observation::default() },
            millis: 1,
        }],
        answer: Some(Answer {
            // In the middle of a line, and as a block.
            summary: format!("{bytes}\n\nso {bytes} is it\n\n- {bytes}\n- and\n\n{bytes}"),
            causes: vec![cause(Standing::Supported), cause(why())],
            changes: vec![change(None), change(Some(text()))],
            not_checked: vec![text()],
            undecided: Some(text()),
            contradictions: vec![text()],
            ..Answer::default()
        }),
        notes: vec![text()],
        usage: Usage { model: text(), server: text(), prompt_version: text(), ..Usage::default() },
        incident: Some(text()),
        ..Exploration::default()
    }
}
