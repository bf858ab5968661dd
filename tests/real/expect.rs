//! What a file in `faults/` says of itself, and whether a diagnosis agrees.
//!
//! A file's first document is the expectation, the others are applied in a namespace of the file's name:
//!
//! ```yaml
//! test: {detector: oom-killed, object: Deployment/web, says: [64Mi], consequences: [Service/web]}
//! ```
//!
//! `causes: [{detector, object, says, consequences}, …]` instead where several faults are there at once;
//! `healthy: true` where there is none, with `twin: NAME` for the fault that it nearly is. `steps` (kubectl
//! arguments, or `ctl` and those of `tests/cluster/ctl`) run one after the other once the objects are there,
//! `undo` when the file is done. `kubelets` names nodes of the file for which the test plays the kubelet: they are
//! ready, with 8 cpu and 16Gi, before the steps run, and stay so. `alone: true` for what the whole cluster feels, `extra: true` for what only
//! the full run does. `wide: [words]` is said too where all namespaces are read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
struct Head {
    test: Expectation,
}

/// The head of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Expectation {
    pub(crate) healthy: bool,
    pub(crate) twin: String,
    detector: String,
    object: String,
    says: Vec<String>,
    consequences: Vec<String>,
    causes: Vec<ExpectedCause>,
    /// What the answer must say too where all namespaces are read.
    wide: Vec<String>,
    /// What the answer must not say.
    silent_on: Vec<String>,
    pub(crate) steps: Vec<Vec<String>>,
    pub(crate) undo: Vec<Vec<String>>,
    pub(crate) kubelets: Vec<String>,
    pub(crate) alone: bool,
    pub(crate) extra: bool,
}

/// A cause that must be told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExpectedCause {
    pub(crate) detector: String,
    /// `Kind/name`.
    pub(crate) object: String,
    pub(crate) says: Vec<String>,
    consequences: Vec<String>,
}

/// A file in `faults/`.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The folder.
    pub(crate) group: String,
    /// The file.
    pub(crate) name: String,
    pub(crate) expected: Expectation,
    pub(crate) manifest: String,
}

/// All files, sorted by group and name.
pub(crate) fn faults() -> Vec<Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/faults");
    let mut faults: Vec<Fault> = entries(&folder).iter().flat_map(|group| entries(group)).map(read).collect();
    faults.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    let names: BTreeSet<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!(names.len(), faults.len(), "two files of one name would share a namespace");
    for fault in &faults {
        let twin = &fault.expected.twin;
        assert!(twin.is_empty() || names.contains(twin.as_str()), "{}: no file is called {twin}", fault.title());
    }
    faults
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).expect("the folder of faults").map(|entry| entry.expect("an entry").path()).collect()
}

fn read(path: PathBuf) -> Fault {
    let text = std::fs::read_to_string(&path).expect("a file");
    let (head, manifest) = text.split_once("\n---\n").unwrap_or((&text, ""));
    let head: Head = serde_saphyr::from_str(head).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let word = |path: Option<&Path>| path.and_then(Path::file_stem).expect("a name").to_string_lossy().into_owned();
    Fault { group: word(path.parent()), name: word(Some(&path)), expected: head.test, manifest: manifest.to_owned() }
}

impl Fault {
    /// `network/target-port-wrong`.
    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.group, self.name)
    }

    /// Where its objects live.
    pub(crate) fn namespace(&self) -> String {
        format!("fault-{}", self.name)
    }

    /// The manifest by namespace, its own first: others bear its name and a suffix.
    pub(crate) fn manifests(&self) -> Vec<(String, String)> {
        let own = self.namespace();
        let mut parts = vec![(own.clone(), String::new())];
        for document in self.manifest.split("\n---\n").filter(|document| !document.trim().is_empty()) {
            let mut words = document.split([' ', ',', '{', '}', '\n']).skip_while(|word| *word != "namespace:");
            let other = words.nth(1).filter(|name| name.starts_with(&format!("{own}-")));
            let namespace = other.unwrap_or(&own);
            let at = parts.iter().position(|(known, _)| known == namespace).unwrap_or_else(|| {
                parts.push((namespace.to_owned(), String::new()));
                parts.len() - 1
            });
            parts[at].1.extend(["---\n", document, "\n"]);
        }
        parts
    }

    /// The causes that must be told; none for what is healthy.
    pub(crate) fn causes(&self) -> Vec<ExpectedCause> {
        let head = &self.expected;
        if head.healthy {
            return Vec::new();
        }
        if !head.causes.is_empty() {
            return head.causes.clone();
        }
        vec![ExpectedCause {
            detector: head.detector.clone(),
            object: head.object.clone(),
            says: head.says.clone(),
            consequences: head.consequences.clone(),
        }]
    }

    /// The causes of a diagnosis that concern this file's namespace, or an object that it expects.
    pub(crate) fn told<'d>(&self, diagnosis: &'d Value) -> Vec<&'d Value> {
        let expected = self.causes();
        let namespace = self.namespace();
        let concerns = |cause: &&Value| {
            let place = &cause["object"]["namespace"];
            // Of what lies outside, what is expected, and what was named after the file.
            *place == namespace.as_str()
                || expected.iter().any(|wanted| object(&cause["object"]) == wanted.object)
                    && *place != Value::Null
                    && !place
                        .as_str()
                        .is_some_and(|place| place.starts_with("fault-") && !place.starts_with(&namespace))
                || *place == Value::Null
                    && (expected.iter().any(|wanted| object(&cause["object"]) == wanted.object)
                        || cause["object"]["name"].as_str().is_some_and(|name| name.starts_with(&namespace)))
        };
        diagnosis["causes"].as_array().into_iter().flatten().filter(concerns).collect()
    }

    /// What is not as expected in a diagnosis; none where all is.
    pub(crate) fn check(&self, diagnosis: &Value) -> Option<String> {
        let told = self.told(diagnosis);
        let list = || told.iter().map(|cause| line(cause)).collect::<Vec<_>>().join(" | ");
        let expected = self.causes();
        if expected.is_empty() {
            return (!told.is_empty()).then(|| format!("should be silent, but: {}", list()));
        }
        for wanted in &expected {
            let Some(cause) = told.iter().find(|cause| is(cause, wanted)) else {
                return Some(format!("no {} at {}; found: {}", wanted.detector, wanted.object, list()));
            };
            if let Some(why) = lacks(cause, wanted) {
                return Some(why);
            }
        }
        let text = told.iter().map(ToString::to_string).collect::<String>();
        if let Some(word) = self.expected.silent_on.iter().find(|word| text.contains(word.as_str())) {
            return Some(format!("should not say {word:?}: {}", list()));
        }
        (told.len() > expected.len()).then(|| format!("more than {} causes: {}", expected.len(), list()))
    }
}

impl Fault {
    /// What a diagnosis of all namespaces does not say; none where all is as expected.
    pub(crate) fn check_wide(&self, diagnosis: &Value) -> Option<String> {
        self.check(diagnosis).or_else(|| {
            let text = self.told(diagnosis).iter().map(ToString::to_string).collect::<String>();
            let word = self.expected.wide.iter().find(|word| !text.contains(word.as_str()))?;
            Some(format!("does not say {word:?} of another namespace"))
        })
    }
}

/// Whether this is the cause that is wanted.
pub(crate) fn is(cause: &Value, wanted: &ExpectedCause) -> bool {
    cause["detector"] == wanted.detector.as_str() && object(&cause["object"]) == wanted.object
}

/// Whether the first runbook of a cause is the one that is about just this fault.
pub(crate) fn cites_its_own(cause: &Value) -> bool {
    let path = cause["runbooks"][0]["path"].as_str().unwrap_or_default();
    path.ends_with(&format!("/{}.md", cause["detector"].as_str().unwrap_or_default()))
}

/// What a cause that was found doesn't have.
fn lacks(cause: &Value, wanted: &ExpectedCause) -> Option<String> {
    if cause["evidence"].as_array().is_none_or(Vec::is_empty) {
        return Some(format!("no evidence: {}", line(cause)));
    }
    if !cites_its_own(cause) {
        return Some(format!("another runbook than its own, {}: {}", cause["runbooks"][0]["path"], line(cause)));
    }
    // As it is read, not as JSON writes it; what a runbook says proves nothing.
    let mut cause = cause.clone();
    if let Some(fields) = cause.as_object_mut() {
        fields.remove("runbooks");
    }
    let cause = &cause;
    let text = cause.to_string().replace("\\\"", "\"");
    if let Some(word) = wanted.says.iter().find(|word| !text.contains(word.as_str())) {
        return Some(format!("does not say {word:?}: {}", line(cause)));
    }
    let found: Vec<String> =
        cause["consequences"].as_array().into_iter().flatten().map(|c| object(&c["object"])).collect();
    let lost = wanted.consequences.iter().find(|consequence| !found.contains(consequence))?;
    Some(format!("{lost} is not among the consequences {found:?} of {}", line(cause)))
}

fn line(cause: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{} {}: {}", text(&cause["detector"]), object(&cause["object"]), text(&cause["summary"]))
}

fn object(reference: &Value) -> String {
    format!("{}/{}", reference["kind"].as_str().unwrap_or_default(), reference["name"].as_str().unwrap_or_default())
}
