//! What a file in `trajectories/` says: a hard case, what a model does about it, and what must come of that.
//!
//! The first document is the case, the others are applied in a namespace `traj-NAME`, or in that of `namespaces` which
//! they name:
//!
//! ```yaml
//! test:
//!   title: one line of a log
//!   ready: [{kubectl: logs deploy/web --tail=1, sees: 'id=9'}, {run: [rollout, restart, deployment/db]}]
//!   script: [{tool: kubectl, command: kubectl logs deploy/web -n traj-x, grep: error, sees: ['E42']}]
//!   finish: {summary: …, causes: [{statement: …, object: …, explains: 1, claims: [{text: …, step: 1, quote: '{re:E4\d}'}]}]}
//!   expect: {first: {detector: oom-killed, object: Deployment/web}, causes: [supported]}
//! ```
//!
//! `ready` is done in order before anything is asked: lines of kubectl that are asked until they show what is wanted, and
//! steps that are run. `{re:…}` stands for what the expression finds in the step that is quoted (in a call: in the newest
//! step), since the names of pods vary. `again` is the answer after the first was sent back; without it the model insists.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cluster::Cluster;

#[derive(Debug, Deserialize)]
struct Head {
    test: Case,
}

/// A file in `trajectories/`.
#[derive(Debug)]
pub(crate) struct Trajectory {
    pub(crate) name: String,
    pub(crate) case: Case,
    manifest: String,
}

/// The head of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) question: String,
    /// `--explain`.
    pub(crate) explain: String,
    /// `--check-changes`.
    pub(crate) check_changes: bool,
    /// Tokens that the model holds, where it is not the window of all cases.
    pub(crate) window: Option<u32>,
    namespaces: Vec<String>,
    pub(crate) ready: Vec<Ready>,
    pub(crate) script: Vec<Call>,
    pub(crate) finish: Finish,
    pub(crate) again: Option<Finish>,
    pub(crate) expect: Expect,
}

/// What is done before anything is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ready {
    /// Asked until it shows `sees`.
    pub(crate) kubectl: String,
    pub(crate) sees: String,
    /// Run once.
    pub(crate) run: Vec<String>,
}

/// A call of a tool.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Call {
    pub(crate) tool: String,
    pub(crate) command: String,
    pub(crate) grep: String,
    pub(crate) query: String,
    pub(crate) path: String,
    pub(crate) step: usize,
    pub(crate) from: usize,
    /// Expressions that the observation, or the note on it, must match.
    pub(crate) sees: Vec<String>,
    pub(crate) failed: bool,
    /// It may fail or not.
    pub(crate) anyway: bool,
}

/// An answer, as the tool `finish` takes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Finish {
    pub(crate) summary: String,
    pub(crate) causes: Vec<Stated>,
    pub(crate) changes: Vec<Change>,
    pub(crate) not_checked: Vec<String>,
    pub(crate) undecided: String,
    pub(crate) confidence: String,
}

/// A cause of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stated {
    pub(crate) statement: String,
    pub(crate) object: String,
    pub(crate) explains: usize,
    pub(crate) claims: Vec<Claim>,
}

/// A claim of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    pub(crate) text: String,
    pub(crate) step: usize,
    pub(crate) quote: String,
}

/// A change that it suggests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) line: String,
    pub(crate) purpose: String,
}

/// What must come of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Expect {
    /// `unhealthy` where nothing is said.
    pub(crate) verdict: String,
    /// The detectors' cause that must be found, and stay first whatever the model says.
    pub(crate) first: Option<First>,
    /// For each cause of the model `supported`, or `unsupported: ` and a part of why.
    pub(crate) causes: Vec<String>,
    /// A part of each contradiction.
    pub(crate) contradictions: Vec<String>,
    /// For each change `ok`, `refused`, or `risk: ` and a part of one.
    pub(crate) changes: Vec<String>,
    /// With `check_changes`, for each change `yes: ` or `no: ` and a part of what the server says to it.
    pub(crate) tried: Vec<String>,
    /// What kubectl shows after the run.
    pub(crate) after: Vec<Ready>,
    /// A part of it; there must be none where nothing is said.
    pub(crate) undecided: String,
    pub(crate) confidence: String,
    /// Requests; one for each call and one for the answer where nothing is said.
    pub(crate) requests: Option<usize>,
    /// Bytes that may be sent in all.
    pub(crate) most_bytes: Option<usize>,
    /// What must be neither sent nor printed.
    pub(crate) never: Vec<String>,
}

/// A cause of the detectors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct First {
    pub(crate) detector: String,
    /// `Kind/name`.
    pub(crate) object: String,
}

/// All files, sorted by name; of these, those whose name holds a word of `REACT_TEST_TRAJECTORIES`, where it is set.
pub(crate) fn trajectories() -> Vec<Trajectory> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/trajectories");
    let entries = std::fs::read_dir(folder).expect("the folder of trajectories");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let all: Vec<Trajectory> = paths.iter().map(|path| read(path)).collect();
    match std::env::var("REACT_TEST_TRAJECTORIES").ok().filter(|words| words != "all") {
        None => all,
        Some(words) => all.into_iter().filter(|one| words.split(',').any(|word| one.name.contains(word))).collect(),
    }
}

fn read(path: &Path) -> Trajectory {
    let text = std::fs::read_to_string(path).expect("a file");
    let (head, manifest) = text.split_once("\n---\n").unwrap_or((&text, ""));
    let head: Head = serde_saphyr::from_str(head).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    assert!(!head.test.title.is_empty(), "{name} has no title");
    assert!(text.starts_with("# Why hard: "), "{name} does not say why it is hard");
    Trajectory { name, case: head.test, manifest: manifest.to_owned() }
}

impl Trajectory {
    /// Where its objects live.
    pub(crate) fn namespace(&self) -> String {
        format!("traj-{}", self.name)
    }

    /// All namespaces that it makes, its own first.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        [&[self.namespace()], self.case.namespaces.as_slice()].concat()
    }

    /// Makes namespaces and objects.
    pub(crate) fn inject(&self, cluster: &Cluster) {
        let namespaces = self.namespaces();
        for namespace in &namespaces {
            let create = cluster.run(&["create", "namespace", namespace, "--dry-run=client", "-o", "yaml"]);
            cluster.apply("default", &create);
        }
        for namespace in &namespaces {
            let documents = self.manifest.split("\n---\n").filter(|document| self.home(document) == *namespace);
            let manifest = documents.collect::<Vec<_>>().join("\n---\n");
            if !manifest.is_empty() {
                cluster.apply(namespace, &manifest);
            }
        }
    }

    /// The namespace that a document names, else its own.
    fn home(&self, document: &str) -> String {
        let others = &self.case.namespaces;
        let named = others.iter().find(|other| document.contains(&format!("namespace: {other}")));
        named.cloned().unwrap_or_else(|| self.namespace())
    }
}
