//! What became of a runbook: noted by a diagnosis and by a person, shown, and what it decides.

use std::path::Path;

use kubectl_react::cluster::snapshot_file;
use kubectl_react::diagnose::{Request, derive};
use kubectl_react::incidents::{Head, Store};
use kubectl_react::model::Diagnosis;
use kubectl_react::redact::Redactor;
use kubectl_react::retriever::{Libraries, Options};
use kubectl_react::runbook::repo::{Sync, Wanted};
use serde_json::{Value, json};

use crate::agent::model_server::{Asked, ModelServer, Reply};
use crate::agent::told;
use crate::runbooks::{Team, runbook};

const OUTAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/outage.json.gz");

/// An incident of the outage, with the runbooks that it is shown.
fn incident(team: &Team, change: impl FnOnce(&mut Diagnosis)) -> String {
    let redactor = Redactor::new([7; 32]);
    let snapshot = snapshot_file::read(Path::new(OUTAGE), &redactor).unwrap();
    let mut diagnosis = derive(&snapshot, &Request::default()).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let wanted = Wanted { source: team.bare(), branch: None, path: None, cache: cache.path().to_owned() };
    let options = Options {
        team: Some(wanted),
        sync: Sync { skip: false, limit: None, interactive: false },
        builtin: true,
        cache: Some(cache.path().to_owned()),
        chroma: None,
        embedder: None,
        shipped: None,
        standing: None,
    };
    Libraries::open(options.into()).advise(&mut diagnosis);
    change(&mut diagnosis);
    let head = Head {
        time: diagnosis.taken_at,
        context: "prod".to_owned(),
        namespace: None,
        targets: Vec::new(),
        selector: None,
        question: None,
        prompt_version: "p1".to_owned(),
        model: "gpt".to_owned(),
        server: "models.example:443".to_owned(),
        start: Value::Null,
    };
    let store = Store::open(team.path("state/kubectl-react/incidents"), redactor);
    store.begin(head).unwrap().finish(&diagnosis, None).id.unwrap()
}

/// Two runbooks of the team that fit the outage's first cause equally.
fn team() -> Team {
    let team = Team::new();
    for name in ["alpha", "beta"] {
        team.write(&format!("runbooks/{name}.md"), &runbook("The key was renamed").replace("renamed-key", name));
    }
    team.commit("two");
    team
}

fn run(team: &Team, args: &[&str]) -> (i32, String, String) {
    told(&team.react().args(args).args(["--runbooks", &team.bare()]).output().unwrap())
}

fn lines(team: &Team) -> Vec<Value> {
    let text = std::fs::read_to_string(team.path("state/kubectl-react/outcomes.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The order in which a search finds the two.
fn order(team: &Team) -> String {
    let found =
        team.json(&["runbooks", "search", "-o", "json", "--runbooks", &team.bare(), "the key was renamed by vault"]);
    let names = found["results"].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap().to_owned());
    names.filter(|name| ["alpha", "beta"].contains(&name.as_str())).collect::<Vec<_>>().join(" ")
}

#[test]
fn feedback_counts_and_decides_between_equals() {
    let team = team();
    let id = incident(&team, |_| {});
    assert_eq!(order(&team), "alpha beta");
    let saved = ["diagnose", "--from", OUTAGE, "-o", "json"];
    let causes = || {
        let (code, out, err) = run(&team, &saved);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str::<Value>(&out).unwrap()["causes"].to_string()
    };
    let before = causes();
    assert!(lines(&team).is_empty(), "a saved snapshot notes nothing");
    let (code, out, err) = run(&team, &["feedback", "--did-not-help", "--note", "password: hunter2hunter2"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("noted: `runbooks/alpha.md` did not help") && out.contains("of its 3 causes"), "{out}");
    let (code, out, err) = run(&team, &["feedback", &id, "--helped", "--runbook", "beta"]);
    assert!(code == 0 && out.contains("noted: `runbooks/beta.md` helped"), "{out}{err}");
    let (_, out, _) = run(&team, &["feedback", "latest", "--helped", "--runbook", "runbooks/beta.md"]);
    assert!(out.contains("noted before"), "{out}");
    let noted = lines(&team);
    assert_eq!(noted.len(), 2, "{noted:#?}");
    for (key, value) in
        [("kind", "failed"), ("by", "person"), ("name", "alpha"), ("incident", &id), ("detector", "config-key-missing")]
    {
        assert_eq!(noted[0][key], *value, "{key}");
    }
    assert!(!noted[0]["note"].as_str().unwrap().contains("hunter2hunter2"), "{}", noted[0]);
    assert_eq!(order(&team), "beta alpha");
    // A new version of a runbook keeps its counts; a saved snapshot gives the same bytes, whatever happened since.
    assert_eq!(causes(), before);
    let stats = team.json(&["runbooks", "stats", "-o", "json", "--runbooks", &team.bare()]);
    let expected = json!([
        {"library": "team", "path": "runbooks/beta.md", "name": "beta", "shown": 0, "used": 0, "helped": 1, "failed": 0},
        {"library": "team", "path": "runbooks/alpha.md", "name": "alpha", "shown": 0, "used": 0, "helped": 0, "failed": 1},
    ]);
    assert_eq!(stats["outcomes"], expected, "{stats:#}");
    let (_, text, _) = run(&team, &["runbooks", "stats"]);
    assert!(text.contains("HELPED") && text.rfind("beta.md") < text.rfind("alpha.md"), "{text}");
    team.write(
        "runbooks/beta.md",
        &runbook("The key was renamed").replace("renamed-key", "beta").replace("Nothing", "Not a thing"),
    );
    team.commit("edit");
    let stats = team.json(&["runbooks", "stats", "-o", "json", "--runbooks", &team.bare()]);
    assert_eq!(stats["outcomes"][0]["helped"], 1, "{stats:#}");
    // A reviewer learns that a branch would put something before what helped.
    team.work(&["switch", "-qc", "proposal"]);
    let greedy = runbook("The key was renamed").replace("renamed-key", "aaa");
    team.write("runbooks/aaa.md", &greedy.replace("match:\n", "match:\n  kinds: [Deployment, Pod, Secret]\n"));
    team.commit("greedy");
    let (code, out, err) = run(&team, &["runbooks", "review", "proposal", "--incidents"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("look: incident") && out.contains("before `runbooks/beta.md`, which helped there"), "{out}");
}

#[test]
fn feedback_without_a_runbook_says_what_to_do() {
    let team = team();
    let (code, _, err) = run(&team, &["feedback", "--helped"]);
    assert!(code == 2 && err.contains("hint: "), "{err}");
    let (code, _, err) = run(&team, &["feedback"]);
    assert!(code == 2 && err.contains("--helped"), "{err}");
    incident(&team, |diagnosis| diagnosis.causes.iter_mut().for_each(|cause| cause.runbooks.clear()));
    let (code, _, err) = run(&team, &["feedback", "--helped"]);
    assert!(code == 2 && err.contains("was shown no runbook") && err.contains("--runbook"), "{err}");
    let (code, _, err) = run(&team, &["feedback", "--helped", "--runbook", "beto"]);
    assert!(code == 2 && err.contains("did you mean `beta`?"), "{err}");
    let (code, out, err) = run(&team, &["feedback", "--helped", "--runbook", "oom-killed"]);
    assert!(code == 0 && out.contains("oom-killed.md` helped"), "{out}{err}");
    assert_eq!(lines(&team)[0]["library"], "builtin");
    let id = incident(&team, |diagnosis| diagnosis.causes.clear());
    let (code, _, err) = run(&team, &["feedback", &id, "--helped"]);
    assert!(code == 2 && err.contains("has no cause"), "{err}");
}

/// A cluster of one pod whose container is killed for its memory.
fn cluster() -> ModelServer {
    let pod = json!({
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "u1", "creationTimestamp": "2026-11-26T10:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "web:1", "resources": {"limits": {"memory": "64Mi"}}}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [{
            "name": "app", "image": "web:1", "imageID": "", "ready": false, "restartCount": 9,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-26T10:10:00Z"}},
        }]},
    });
    ModelServer::by(move |asked: &Asked| {
        let path = asked.path.split('?').next().unwrap_or_default();
        let items = match path {
            "/version" => return Reply::json(200, &json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0"})),
            "/apis" => return Reply::json(200, &json!({"kind": "APIGroupList", "groups": []})),
            "/api/v1/pods" => vec![pod.clone()],
            "/api/v1/namespaces" => vec![json!({"metadata": {"name": "shop"}})],
            _ if path.ends_with("/log") => return Reply::raw(200, "text/plain", ""),
            _ => Vec::new(),
        };
        if asked.headers.get("accept").is_some_and(|accept| accept.contains("as=Table")) {
            let table = json!({"kind": "Table", "metadata": {}, "columnDefinitions": [{"name": "Name"}], "rows": []});
            return Reply::json(200, &table);
        }
        Reply::json(
            200,
            &json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}),
        )
    })
}

/// A diagnosis of a cluster notes what it cited first, once a day; where that can't be kept it is the same diagnosis.
#[test]
fn a_live_diagnosis_notes_what_it_shows_once() {
    let team = Team::new();
    let server = cluster();
    let live = |more: &[&str]| {
        let args = ["diagnose", "--server", &server.url(), "--no-llm", "-o", "json", "--runbooks", &team.bare()];
        let output = team.react().env("NO_PROXY", "127.0.0.1").args(args).args(more).output().unwrap();
        let (code, out, err) = told(&output);
        assert_eq!(code, 0, "{err}");
        (serde_json::from_str::<Value>(&out).unwrap(), err)
    };
    let (shown, _) = live(&[]);
    let causes = shown["causes"].as_array().unwrap();
    let cause = causes.iter().find(|cause| cause["detector"] == "oom-killed").unwrap_or_else(|| panic!("{shown:#}"));
    assert_eq!(cause["runbooks"][0]["name"], "oom-killed");
    let noted = lines(&team);
    assert_eq!(noted.len(), causes.len(), "{noted:#?}");
    let line = noted.iter().find(|line| line["fingerprint"] == cause["fingerprint"]).unwrap();
    for (key, value) in [("kind", "shown"), ("by", "diagnose"), ("library", "builtin"), ("name", "oom-killed")] {
        assert_eq!(line[key], value, "{line:#}");
    }
    live(&[]);
    // Midnight may have passed since, once.
    assert!(lines(&team).len() <= 2 * noted.len());
    let days = |lines: &[Value]| {
        let day =
            |line: &Value| format!("{} {}", line["fingerprint"], line["time"].as_str().unwrap().get(..10).unwrap());
        lines.iter().map(day).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(days(&lines(&team)), lines(&team).len(), "once for each cause and day");
    let file = team.path("state/kubectl-react/outcomes.lock");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (again, err) = live(&[]);
    assert_eq!((again["causes"].as_array().unwrap().len(), err.contains("outcomes")), (causes.len(), false), "{err}");
    assert!(live(&["-v"]).1.contains("which runbooks were shown is not kept"));
}
