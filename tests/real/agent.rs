//! Hard cases on the real cluster, each with a model that follows a script: what its calls show, how its answer is held
//! against that, and that what the detectors proved is as it is without a model. [`crate::trajectory`] has the format.
//!
//! All cases are injected together; each is one run of the plugin, with the tools served from the cluster and the
//! model from this machine, over the real wire.

use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::Value;

use crate::cluster::{Cluster, Injecting, cluster};
use crate::player::Player;
use crate::trajectory::{Call, Ready, Trajectory, trajectories};

/// Until when a case must be as its file says, before anything is asked.
const PATIENCE: Duration = Duration::from_mins(4);
/// A run with the model.
const RUN: Duration = Duration::from_mins(1);
/// Tokens that the model holds where a case does not say: the largest request has to fit.
const WINDOW: u32 = 16_000;
/// Bytes of a token, as the plugin reckons with them.
const TOKEN: usize = 3;

/// Removes what was injected, however the test ends.
struct Cleanup<'c>(&'c Cluster, &'c [Trajectory]);

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        let mut delete = self.0.kubectl();
        delete.args(["delete", "namespace", "--ignore-not-found", "--timeout=90s"]);
        delete.args(self.1.iter().flat_map(Trajectory::namespaces));
        let _ = delete.output();
    }
}

/// What a case cost.
struct Row {
    name: String,
    steps: usize,
    requests: usize,
    sent: usize,
    largest: usize,
    took: Duration,
}

#[test]
fn agent_proves_hard_causes_and_marks_what_it_cannot_prove() {
    let Some(cluster) = cluster() else { return };
    let all = trajectories();
    assert!(!all.is_empty(), "REACT_TEST_TRAJECTORIES names no file");
    let _alone = Injecting::begin();
    let _cleanup = Cleanup(&cluster, &all);
    for one in &all {
        one.inject(&cluster);
    }
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for one in &all {
        let problems = match prepared(&cluster, one) {
            Err(why) => vec![why],
            Ok(()) => run(&cluster, one, &mut rows),
        };
        wrong.extend(problems.iter().map(|problem| format!("{} ({}): {problem}", one.name, one.case.title)));
    }
    table(&rows);
    assert!(wrong.is_empty(), "{} not as expected:\n{}", wrong.len(), wrong.join("\n"));
    printed_at_80_columns(&cluster, &all);
}

/// Waits until a case is what it says.
fn prepared(cluster: &Cluster, one: &Trajectory) -> Result<(), String> {
    let began = Instant::now();
    for ready in &one.case.ready {
        prepare(cluster, &one.namespace(), ready, began)?;
    }
    let Some(first) = &one.case.expect.first else { return Ok(()) };
    loop {
        let diagnosis = cluster.diagnose("admin", &["-n", &one.namespace()]);
        let cause = &diagnosis["causes"][0];
        if cause["detector"] == first.detector.as_str() && object(&cause["object"]) == first.object {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("the detectors don't find {} first: {:?}", first.object, causes(&diagnosis)));
        }
        std::thread::sleep(Duration::from_secs(2));
    }
}

fn prepare(cluster: &Cluster, namespace: &str, ready: &Ready, began: Instant) -> Result<(), String> {
    if !ready.run.is_empty() {
        let arguments: Vec<&str> = ["-n", namespace].into_iter().chain(ready.run.iter().map(String::as_str)).collect();
        cluster.run(&arguments);
        return Ok(());
    }
    let wanted = regex(&ready.sees);
    loop {
        let output = cluster.kubectl().args(["-n", namespace]).args(ready.kubectl.split_whitespace()).output();
        let output = output.expect("kubectl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && wanted.is_match(&text) {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            let tail: String = text.lines().rev().take(3).collect::<Vec<_>>().join(" | ");
            return Err(format!("`{}` never shows {:?}: {tail}", ready.kubectl, ready.sees));
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// One run of the plugin with the model; gives what is not as expected.
fn run(cluster: &Cluster, one: &Trajectory, rows: &mut Vec<Row>) -> Vec<String> {
    let player = Player::new(&one.case);
    let before = cluster.diagnose("admin", &["-n", &one.namespace()]);
    let began = Instant::now();
    let output = ask(cluster, one, &player, &["-o", "json"]);
    let took = began.elapsed();
    let after = cluster.diagnose("admin", &["-n", &one.namespace()]);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != Some(0) {
        return vec![format!("ends with {}: {printed}{errors}", output.status)];
    }
    let Ok(diagnosis) = serde_json::from_str::<Value>(&printed) else {
        return vec![format!("prints no JSON: {printed}{errors}")];
    };
    let bodies = player.bodies();
    rows.push(Row {
        name: one.name.clone(),
        steps: diagnosis["exploration"]["steps"].as_array().map_or(0, Vec::len),
        requests: bodies.len(),
        sent: bodies.iter().map(String::len).sum(),
        largest: bodies.iter().map(String::len).max().unwrap_or_default(),
        took,
    });
    if std::env::var_os("REACT_TEST_SHOW").is_some() {
        println!("{}\n{}\n{:#}", one.name, player.opening(), diagnosis["exploration"]);
    }
    let mut problems = Vec::new();
    if took > RUN {
        problems.push(format!("it took {took:?}"));
    }
    // The cluster moves between two readings; what is found at none of both times would be the model's doing.
    let with = causes(&diagnosis);
    if with != causes(&before) && with != causes(&after) {
        problems.push(format!("the model changes what the detectors say: {with:?}, without {:?}", causes(&after)));
    }
    problems.extend(detectors(one, &diagnosis));
    problems.extend(steps(&one.case.script, &diagnosis["exploration"]));
    problems.extend(answer(one, &diagnosis["exploration"]));
    problems.extend(traffic(one, &bodies, &diagnosis["exploration"]["usage"]));
    let after = one.case.expect.after.iter().map(|after| prepare(cluster, &one.namespace(), after, began));
    problems.extend(after.filter_map(Result::err));
    let sent = bodies.concat() + &printed + &errors;
    let leaks = one.case.expect.never.iter().filter(|word| sent.contains(word.as_str()));
    problems.extend(leaks.map(|word| format!("{word:?} was sent or printed")));
    problems
}

/// Runs `diagnose` on a case.
fn ask(cluster: &Cluster, one: &Trajectory, player: &Player, more: &[&str]) -> Output {
    let namespace = one.namespace();
    let mut arguments = vec!["diagnose", "-n", &namespace];
    arguments.extend(more);
    if !one.case.question.is_empty() {
        arguments.extend(["-q", &one.case.question]);
    }
    if !one.case.explain.is_empty() {
        arguments.extend(["--explain", &one.case.explain]);
    }
    if one.case.check_changes {
        arguments.push("--check-changes");
    }
    let mut command = cluster.plugin_command("admin", &arguments);
    command.env_remove("KUBECTL_REACT_MODEL_PROVIDER");
    command.env("OPENAI_BASE_URL", player.url()).env("OPENAI_API_KEY", "sk-of-a-test").env("OPENAI_MODEL", "gpt-4o");
    command.env("KUBECTL_REACT_MODEL_TOOLS", "native").env("NO_PROXY", "*");
    command.env("KUBECTL_REACT_MODEL_WINDOW", one.case.window.unwrap_or(WINDOW).to_string());
    command.output().expect("the plugin runs")
}

/// What the detectors proved is what was expected, and first.
fn detectors(one: &Trajectory, diagnosis: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let expect = &one.case.expect;
    let verdict = if expect.verdict.is_empty() { "unhealthy" } else { &expect.verdict };
    if diagnosis["verdict"] != verdict {
        problems.push(format!("the verdict is {}", diagnosis["verdict"]));
    }
    if let Some(first) = &expect.first {
        let cause = &diagnosis["causes"][0];
        if cause["detector"] != first.detector.as_str() || object(&cause["object"]) != first.object {
            problems.push(format!("{} does not stay first: {:?}", first.object, causes(diagnosis)));
        }
    } else if verdict == "healthy" && !causes(diagnosis).is_empty() {
        problems.push(format!("the detectors speak: {:?}", causes(diagnosis)));
    }
    problems
}

/// Each call was made as the script has it, and showed what it says.
fn steps(script: &[Call], exploration: &Value) -> Vec<String> {
    let made = exploration["steps"].as_array().cloned().unwrap_or_default();
    let mut problems = Vec::new();
    if made.len() != script.len() {
        problems.push(format!("{} steps of {}: {}", made.len(), script.len(), exploration["notes"]));
    }
    for (at, (call, step)) in script.iter().zip(&made).enumerate() {
        let number = at + 1;
        let (action, seen) = (&step["action"], &step["observation"]);
        let begins = call.command.split("{re:").next().unwrap_or_default();
        if step["tool"] != call.tool.as_str() || !action.as_str().unwrap_or_default().starts_with(begins) {
            problems.push(format!("step {number} is {action}"));
        }
        let text = seen["text"].as_str().unwrap_or_default();
        let all = format!("{text}\n{}", seen["note"].as_str().unwrap_or_default());
        if !call.anyway && call.failed != (seen["failed"] == true) {
            problems.push(format!("step {number}, {action}: failed is {}: {all}", seen["failed"]));
        }
        let unseen = call.sees.iter().filter(|wanted| !regex(wanted).is_match(&all));
        problems.extend(unseen.map(|wanted| format!("step {number}, {action}, does not show {wanted:?}: {all}")));
    }
    problems
}

/// The answer is marked as it must be.
fn answer(one: &Trajectory, exploration: &Value) -> Vec<String> {
    let expect = &one.case.expect;
    let answer = &exploration["answer"];
    let mut problems = Vec::new();
    if exploration["ended"] != "answered" {
        problems.push(format!("it ended as {}: {}", exploration["ended"], exploration["notes"]));
    }
    let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let causes: Vec<String> = list("causes").iter().map(standing).collect();
    if !fits(&expect.causes, &causes) {
        let claims: Vec<Value> = list("causes").iter().map(|cause| cause["claims"].clone()).collect();
        problems.push(format!("its causes are {causes:?}: {}", Value::from(claims)));
    }
    let changes: Vec<String> = list("changes").iter().map(mark).collect();
    if !fits(&expect.changes, &changes) {
        problems.push(format!("its changes are {changes:?}"));
    }
    let tried: Vec<String> = list("changes")
        .iter()
        .map(|change| &change["dryRun"])
        .filter(|tried| tried.is_object())
        .map(tried_as)
        .collect();
    let differs = |(expected, found): (&String, &String)| {
        let (word, part) = expected.split_once(": ").unwrap_or((expected, ""));
        !found.starts_with(word) || !found.contains(part)
    };
    if tried.len() != expect.tried.len() || expect.tried.iter().zip(&tried).any(differs) {
        problems.push(format!("the server says {tried:?} to its changes"));
    }
    let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let contradictions: Vec<String> = list("contradictions").iter().map(said).collect();
    if !fits(&expect.contradictions, &contradictions) {
        problems.push(format!("it contradicts: {contradictions:?}"));
    }
    let undecided = said(&answer["undecided"]);
    if expect.undecided.is_empty() != undecided.is_empty() || !undecided.contains(&expect.undecided) {
        problems.push(format!("undecided is {undecided:?}"));
    }
    if !expect.confidence.is_empty() && answer["confidence"] != expect.confidence.as_str() {
        problems.push(format!("its confidence is {}", answer["confidence"]));
    }
    problems
}

fn standing(cause: &Value) -> String {
    let text = |name: &str| cause["standing"][name].as_str().unwrap_or_default();
    format!("{}: {}", text("is"), text("why")).trim_end_matches(": ").to_owned()
}

fn mark(change: &Value) -> String {
    if let Some(why) = change["refused"].as_str() {
        return format!("refused: {why}");
    }
    let risks: Vec<&str> = change["risks"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if risks.is_empty() { "ok".to_owned() } else { format!("risk: {}", risks.join("; ")) }
}

fn tried_as(tried: &Value) -> String {
    let word = if tried["accepted"] == true { "yes" } else { "no" };
    format!("{word}: {}", tried["said"].as_str().unwrap_or_default())
}

/// Whether each is what is expected: the word before the colon, and the part after it.
fn fits(expected: &[String], found: &[String]) -> bool {
    let one = |(expected, found): (&String, &String)| {
        let (word, part) = expected.split_once(": ").unwrap_or((expected, ""));
        if part.is_empty()
            && !["ok", "refused", "risk", "supported", "unsupported"].contains(&word.trim_end_matches(':'))
        {
            return found.contains(expected.as_str());
        }
        found.split(':').next() == Some(word.trim_end_matches(':')) && found.contains(part)
    };
    expected.len() == found.len() && expected.iter().zip(found).all(one)
}

/// What was sent: as often as the script has it, within its bounds, and counted rightly.
fn traffic(one: &Trajectory, bodies: &[String], usage: &Value) -> Vec<String> {
    let expect = &one.case.expect;
    let mut problems = Vec::new();
    let wanted = expect.requests.unwrap_or(one.case.script.len() + 1);
    if bodies.len() != wanted {
        problems.push(format!("{} requests, not {wanted}", bodies.len()));
    }
    let sent: usize = bodies.iter().map(String::len).sum();
    if usage["bytesSent"] != sent || usage["requests"] != bodies.len() {
        problems.push(format!("{sent} bytes in {} requests were sent, and told is {usage}", bodies.len()));
    }
    if expect.most_bytes.is_some_and(|most| sent > most) {
        problems.push(format!("{sent} bytes were sent"));
    }
    let window = one.case.window.unwrap_or(WINDOW) as usize;
    let largest = bodies.iter().map(String::len).max().unwrap_or_default() / TOKEN;
    if largest >= window {
        problems.push(format!("a request of {largest} tokens does not fit in {window}"));
    }
    problems
}

/// The fingerprint, detector and object of each cause.
fn causes(diagnosis: &Value) -> Vec<String> {
    let cause = |cause: &Value| {
        let text = |name: &str| cause[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("fingerprint"), text("detector"), object(&cause["object"]))
    };
    diagnosis["causes"].as_array().into_iter().flatten().map(cause).collect()
}

fn object(reference: &Value) -> String {
    format!("{}/{}", reference["kind"].as_str().unwrap_or_default(), reference["name"].as_str().unwrap_or_default())
}

fn regex(expression: &str) -> Regex {
    Regex::new(&format!("(?m){expression}")).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

fn table(rows: &[Row]) {
    println!("| case | steps | requests | sent, bytes | largest request, tokens | s |");
    println!("|---|---|---|---|---|---|");
    for row in rows {
        let largest = row.largest / TOKEN;
        let seconds = row.took.as_secs_f64();
        println!("| {} | {} | {} | {} | {largest} | {seconds:.1} |", row.name, row.steps, row.requests, row.sent);
    }
}

/// What a person reads of three cases, kept in a file for the eye; in a pipe it is made for 80 columns, and only what is to
/// be pasted, or a word that can't be broken, is wider.
fn printed_at_80_columns(cluster: &Cluster, all: &[Trajectory]) {
    let mut shown = String::new();
    for one in all.iter().filter(|one| ["liar", "two-hops", "hostile-log"].contains(&one.name.as_str())) {
        let output = ask(cluster, one, &Player::new(&one.case), &[]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("AGENT"), "{}: {text}", one.name);
        let pasted = |line: &str| ["kubectl ", "# "].iter().any(|head| line.trim_start().starts_with(head));
        let breaks = |line: &str| line.split_whitespace().nth(1).is_some();
        let wide: Vec<&str> =
            text.lines().filter(|line| line.chars().count() > 80 && breaks(line) && !pasted(line)).collect();
        assert!(wide.is_empty(), "{}: wider than 80 columns: {wide:?}", one.name);
        shown.push_str(&format!("\n$ kubectl react diagnose -n {}\n{text}", one.namespace()));
    }
    let path: PathBuf = std::env::temp_dir().join("kubectl-react-test-state/agent-80-columns.txt");
    std::fs::write(&path, shown).expect("a file");
    println!("what a person reads: {}", path.display());
}
