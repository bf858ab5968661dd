//! Nothing that was planted in a cluster comes out: the real program reads a cluster that has a secret wherever one can
//! be, asks a model that wants to see all of it, and every byte that leaves is looked at.
//!
//! What has neither a name nor a form, such as a word in a log, is known to nobody and is not planted. The clone of the
//! team's runbooks is a copy of what is theirs, and is not looked at.

mod api;
mod objects;
mod plants;
mod stage;

use std::path::Path;

use kubectl_react::model::{Kind, LogTail, ObjectRef, Scope, Snapshot};
use plants::Plants;
use stage::{Stage, files, git};

/// What the model asks for, line by line.
const LINES: &[&str] = &[
    "kubectl get pod cart-1 -n shop -o yaml",
    "kubectl describe pod cart-1 -n shop",
    "kubectl logs cart-1 -n shop -c app --tail=100",
    "kubectl logs cart-1 -n shop -c app --previous",
    "kubectl get events -n shop",
    "kubectl events -n shop",
    "kubectl get deployment cart -n shop -o json",
    "kubectl describe deployment cart -n shop",
    "kubectl get configmap cart -n shop -o yaml",
    "kubectl describe configmap cart -n shop",
    "kubectl get secret cart-db -n shop -o yaml",
    "kubectl get secrets -n shop",
    "kubectl get secret cart-db -n shop -o jsonpath='{.data.password}'",
    "kubectl describe secret cart-db -n shop",
    "kubectl describe secret sh.helm.release.v1.cart.v1 -n shop",
    "kubectl get pods -n shop -o jsonpath='{.items[*].spec.containers[*].env}'",
    "kubectl get pods -n shop -o jsonpath='{.items[0].spec.containers[0].env[0].value}'",
    "kubectl get pods -n shop -o custom-columns=N:.metadata.name,E:.spec.containers[0].args",
    "kubectl get pods -n shop --show-labels",
    "kubectl get pods -n shop -L example.com/api-token",
    "kubectl get databases -n shop -o yaml",
    "kubectl describe database db -n shop",
    "kubectl get node node-1 -o yaml",
    "kubectl describe node node-1",
    "kubectl get ingress -n shop -o yaml",
    "kubectl get pv pv-1 -o yaml",
    "kubectl describe pv pv-1",
    "kubectl get storageclass fast -o yaml",
    "kubectl get validatingwebhookconfigurations -o yaml",
    "kubectl get service cart -n shop -o yaml",
    "kubectl get serviceaccount cart -n shop -o yaml",
    "kubectl get cronjob nightly -n shop -o yaml",
    "kubectl get namespace shop -o yaml",
    "kubectl get pvc -n shop -o yaml",
    "kubectl get configmap cart -n shop -o jsonpath='{.data}'",
];

/// A runbook of the team's, in which somebody left more than they should.
fn runbook(stage: &mut Stage) {
    let home = stage.home.path().to_owned();
    git(&home, &["init", "-q", "--bare", "-b", "main", "runbooks.git"]);
    git(&home, &["clone", "-q", "runbooks.git", "work/team"]);
    let folder = home.join("work/team");
    let key = stage.plants.key("runbook: key");
    let mut word = |what: &str| stage.plants.word(&format!("runbook: {what}"));
    let text = format!(
        "---\nname: cart-login\ntitle: The cart can't log in\ndescription: The database refuses the cart, see https://me:{}@wiki.example.com/\nstatus: approved\nseverity: critical\nmatch:\n  detectors: [container-exits, dependency-auth-failed, replicas-missing]\n---\n\n## Meaning\n\nThe password is wrong. The right one is password={} since May.\n\n## Diagnosis\n\n```sh\nkubectl get pods -n <NAMESPACE> --token={}\n```\n\n## Mitigation\n\n```sh\npsql postgres://app:{}@db/cart\n```\n\n```yaml\ndb:\n  password: {}\n```\n\n{key}\n",
        word("front matter"),
        word("text"),
        word("command"),
        word("fence"),
        word("YAML"),
    );
    std::fs::write(folder.join("cart-login.md"), text).unwrap();
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-qm", "the cart"]);
    git(&folder, &["push", "-q", "origin", "HEAD"]);
}

#[test]
fn nothing_planted_leaves() {
    let mut stage = Stage::new();
    runbook(&mut stage);
    let (api, home) = (stage.api.url(), stage.home.path().to_owned());
    let token = stage.plants.form("the API server's token", &[""], 40);
    let proxy = format!("http://me:{}@127.0.0.1:9", stage.plants.word("proxy"));
    let embedder = stage.plants.form("the embedder's key", &["sk", "-"], 32);
    let env = [("HTTPS_PROXY", proxy.as_str()), ("HTTP_PROXY", &proxy), ("EMBEDDER_KEY", &embedder)];
    let key = stage.plants.key("question: key");
    let question = format!(
        "why does the login with password={} fail? The key is\n{key}\nand the token {}",
        stage.plants.word("question: pair"),
        stage.plants.token("question: token"),
    );
    let live = ["--server", &api, "--token", &token];

    let diagnose = |more: &[&'static str]| -> Vec<String> {
        let words = ["diagnose"].iter().copied().chain(live).chain(more.iter().copied());
        words.map(str::to_owned).collect()
    };
    let mut told = Vec::new();
    for more in [
        &["-v", "--explain=always"][..],
        &["-n", "shop", "-o", "json", "--explain=always"],
        &["--events", "--explain=always"],
        &["-o", "yaml", "--no-llm"],
        &["-o", "markdown", "-v", "--no-llm"],
    ] {
        let mut args = diagnose(more);
        if !more.contains(&"--no-llm") {
            args.extend(["-q".to_owned(), question.clone()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        told.push(stage.run(&args, &env));
    }
    for (args, expected) in [(&["snapshot", "out.json.gz"][..], "wrote"), (&["doctor"], "model")] {
        let args: Vec<&str> = args.iter().copied().chain(live).collect();
        let text = stage.run(&args, &env);
        assert!(text.contains(expected), "{args:?}: {text}");
    }
    for args in [
        &["diagnose", "--from", "out.json.gz", "--no-llm", "-v"][..],
        &["incidents", "list"],
        &["incidents", "show", "latest", "--steps", "-v"],
        &["incidents", "show", "latest", "--steps", "-o", "json"],
        &["incidents", "show", "latest", "--steps", "-o", "yaml"],
        &["incidents", "show", "latest", "--steps", "-o", "markdown"],
        &["incidents", "export", "latest", "-f", "incident.json.gz"],
        &["incidents", "show", "--from", "incident.json.gz"],
        &["incidents", "replay", "latest", "-o", "json"],
        &["runbooks", "index"],
        &["runbooks", "list"],
        &["runbooks", "list", "-o", "json"],
        &["runbooks", "search", "the cart can't log in"],
        &["runbooks", "search", "the cart can't log in", "-o", "json"],
        &["runbooks", "show", "cart-login"],
        &["runbooks", "show", "cart-login", "-o", "json"],
        &["runbooks", "lint", "team"],
        &["runbooks", "lint", "team", "--format", "json"],
        &["runbooks", "stats"],
        &["config"],
        &["config", "-o", "json"],
        &["config", "validate"],
        &["version"],
    ] {
        told.push(stage.run(args, &env));
    }
    let search = format!("login with password={}", stage.plants.word("search"));
    stage.run(&["runbooks", "search", &search], &env);

    looked_at(&stage, &told, &home);
    let leaks = stage.leaks();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// That the secrets were near: the places that hold them were read and sent, with placeholders.
fn looked_at(stage: &Stage, told: &[String], home: &Path) {
    let asked = stage.model.asked();
    let sent: String = asked.iter().map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect();
    for word in [
        "DB_PASSWORD",
        "postgres://app:<redacted:",
        "AccountName=cart;AccountKey=<redacted:",
        "--password",
        "client_secret=",
        "db_host=db",
        "application.yaml",
        "adminPassword",
        "Failed to pull image",
        "volumeAttributes",
        "KubeletNotReady",
        "auth-url",
        "cart-login",
        "hooks.example.com",
        "helm.sh/release.v1",
        "logins_total",
        "CartCantLogIn",
        "requirepass <redacted:",
        "example.com/as-it-was",
    ] {
        assert!(sent.contains(word), "{word} was never sent\n{}", told.first().map_or("", String::as_str));
    }
    assert!(
        stage
            .embedder
            .asked()
            .iter()
            .any(|asked| String::from_utf8_lossy(&asked.body).contains("The cart can't log in"))
    );
    let kept = files(home).iter().filter(|file| file.ends_with("observations.jsonl")).count();
    assert!(kept >= 3, "{kept} incidents: {}", told.join("\n"));
}

/// Every cause of the planted cluster is recorded, with words of its own and with what a person says of it: commits, messages,
/// names of branches and pull requests have none of it.
#[test]
fn what_is_recorded_has_nothing_planted() {
    let mut stage = Stage::new();
    let (api, home) = (stage.api.url(), stage.home.path().to_owned());
    git(&home, &["init", "-q", "--bare", "-b", "main", "records.git"]);
    git(&home, &["clone", "-q", "records.git", "start"]);
    git(&home.join("start"), &["commit", "-q", "--allow-empty", "-m", "start"]);
    git(&home.join("start"), &["push", "-q", "origin", "HEAD:main"]);
    let records = home.join("records.git").display().to_string();
    let env = [
        ("KUBECTL_REACT_RUNBOOKS", records.as_str()),
        ("KUBECTL_REACT_EMBEDDER", "none"),
        ("KUBECTL_REACT_FORGE_KIND", "none"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
    ];
    let found = json_of(&stage.run(&["diagnose", "--server", &api, "-o", "json", "--no-llm"], &env));
    let causes = found["causes"].as_array().map_or(0, Vec::len);
    assert!(causes > 5, "{causes} causes");
    stage.run(&["snapshot", "after.json.gz", "--server", &api], &env);
    let words = format!("The password={} was renewed.", stage.plants.word("what a person says"));
    let line = format!(
        "kubectl -n shop create secret generic cart-db --from-literal=password={}",
        stage.plants.word("what a person typed")
    );
    for number in (1..=causes).map(|number| number.to_string()) {
        let record = ["record", "--from", "after.json.gz", "--cause", &number];
        let run = |stage: &mut Stage, more: &[&str]| stage.run(&[&record[..], more].concat(), &env);
        run(&mut stage, &["--unresolved", "--dry-run"]);
        run(&mut stage, &["--fix", &words, "--fix", &line, "--dry-run"]);
        let told = run(&mut stage, &["--unresolved", "--yes"]);
        assert!(told.contains("committed ") || told.contains("nothing to add"), "{number}: {told}");
    }
    let branches = stage.history(&home.join("records.git"));
    assert!(branches > 5, "{branches} branches");
    let leaks = stage.leaks();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// A snapshot that somebody made by hand is masked when it is read.
#[test]
fn a_snapshot_that_is_not_masked_is_masked_when_it_is_read() {
    let (mut stage, mut plants) = (Stage::new(), Plants::default());
    let planted = objects::cluster(&mut plants);
    let mut snapshot = Snapshot::new("2026-01-01T12:00:00Z".parse().unwrap(), "test", Scope::default());
    for object in planted.objects {
        snapshot.objects.add_json(object).unwrap();
    }
    for (previous, log) in [(false, planted.logs), (true, planted.previous)] {
        let lines = log.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
        let pod = ObjectRef::new(Kind::Pod, "shop", "cart-1");
        snapshot.logs.push(LogTail { pod, container: "app".into(), previous, lines });
    }
    let raw = serde_json::to_vec(&snapshot).unwrap();
    assert!(plants.finder().found(&raw).len() > 80, "the secrets are in it");
    std::fs::write(stage.home.path().join("work/team.json"), raw).unwrap();
    let env = [("KUBECTL_REACT_EMBEDDER", "none"), ("KUBECTL_REACT_RUNBOOKS", "")];
    for more in [&["-v", "--explain=always"][..], &["-o", "json", "--no-llm"], &["--events", "--no-llm"]] {
        let args: Vec<&str> = ["diagnose", "--from", "team.json"].into_iter().chain(more.iter().copied()).collect();
        let told = stage.run(&args, &env);
        assert!(told.contains("cart"), "{told}");
    }
    let leaks = stage.leaks();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// `redact` in the config file masks addresses too; a test has no terminal, so nothing is put back.
#[test]
fn addresses_leave_unless_they_are_not_to() {
    const ADDRESSES: &[&str] =
        &["10.0.0.7", "10.0.0.1", "10.96.0.7", "fd00:10::7", "ops@example.org", "jo.doe@example.org"];
    let there = |stage: &Stage| -> Vec<String> {
        let mut there = Vec::new();
        for (place, bytes) in stage.left().iter().filter(|(place, _)| !place.starts_with("API server")) {
            let text = String::from_utf8_lossy(bytes);
            there
                .extend(ADDRESSES.iter().filter(|address| text.contains(*address)).map(|a| format!("{a}: in {place}")));
        }
        there
    };
    let env = [("KUBECTL_REACT_EMBEDDER", "none"), ("KUBECTL_REACT_RUNBOOKS", "")];
    let run = |stage: &mut Stage| -> (String, String) {
        let api = stage.api.url();
        let live = ["--server", &api];
        let args =
            |words: &[&'static str]| -> Vec<String> { words.iter().copied().chain(live).map(str::to_owned).collect() };
        let mut told = |words: &[&'static str]| {
            let args = args(words);
            stage.run(&args.iter().map(String::as_str).collect::<Vec<_>>(), &env)
        };
        told(&["diagnose", "-v", "--explain=always", "-q", "why does 10.0.0.7 fail, asks jo.doe@example.org?"]);
        told(&["diagnose", "--events", "--no-llm"]);
        told(&["snapshot", "out.json.gz"]);
        let json = told(&["diagnose", "-o", "json", "--explain=always"]);
        stage.run(&["incidents", "show", "latest", "--steps", "-v"], &env);
        stage.run(&["incidents", "export", "latest", "-f", "incident.json.gz"], &env);
        (json, stage.run(&["incidents", "replay", "latest", "-o", "json"], &env))
    };
    let mut open = Stage::new();
    run(&mut open);
    let there_are = there(&open);
    for address in ADDRESSES {
        assert!(there_are.iter().any(|place| place.starts_with(address)), "{address} leaves where nothing is said");
    }
    let mut stage = Stage::new();
    let folder = stage.home.path().join(".config/kubectl-react");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.yaml"), "redact: {emails: true, ips: true}\n").unwrap();
    let (live, replayed) = run(&mut stage);
    let told = stage.run(&["config"], &env);
    assert!(told.lines().any(|line| line.starts_with("redact.ips") && line.contains(" true ")), "{told}");
    let leaks = there(&stage);
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    // Without the notes on standard error, of which a replay has none where it comes to the same.
    let (live, replayed) = (json_of(&live), json_of(&replayed));
    assert_eq!(replayed, live, "an incident without addresses plays again");
    let sent: String =
        stage.model.asked().iter().map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect();
    for kept in ["~ip>", "~email>", "cart 1.25.3 at 12:34:56", "127.0.0.1", "registry.example.com/cart:1.25.3"] {
        assert!(sent.contains(kept), "{kept} is not in what the model was sent");
    }
}

/// The JSON at the beginning of what was told.
fn json_of(told: &str) -> serde_json::Value {
    serde_json::Deserializer::from_str(told).into_iter().next().unwrap().unwrap()
}
