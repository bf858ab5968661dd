//! What was read: the proofs of all steps, and the objects in them.
//!
//! *Invariant:* an object that was asked for and is not there was not read; it is kept apart as missing.

use super::Seen;
use super::names::{self, Mention};
use super::proof::Proof;
use super::quotes::{self, Found};
use crate::model::{Kind, ObjectRef, Step};

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// It was read.
    Read,
    /// It was asked for and is not there.
    Missing,
    /// It occurs in nothing that was read.
    Never,
}

/// An object, with the namespace where that is told.
#[derive(Debug, PartialEq, Eq)]
struct Sighting {
    kind: Kind,
    namespace: Option<String>,
    name: String,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Readings {
    proofs: Vec<Proof>,
    /// Names of the detectors' objects, and their namespaces.
    proven: Vec<String>,
    sightings: Vec<Sighting>,
}

impl Readings {
    /// Of a run.
    pub(super) fn of(seen: &Seen<'_>) -> Readings {
        let mut proofs = vec![Proof::start(seen.evidence)];
        for (step, proves) in &seen.steps {
            let origin = origin(step, seen);
            let proves = *proves && origin.is_none_or(|(_, proves)| proves);
            proofs.extend(Proof::of(step, origin.map_or(*step, |(step, _)| step)).filter(|_| proves));
        }
        let objects: Vec<&ObjectRef> =
            seen.causes.iter().flat_map(|known| std::iter::once(&known.object).chain(&known.culprit)).collect();
        let names =
            |object: &&ObjectRef| [Some(object.name.to_string()), object.namespace.as_deref().map(str::to_owned)];
        let proven: Vec<String> = objects.iter().flat_map(names).flatten().collect();
        let mut readings = Readings { proofs, proven, sightings: Vec::new() };
        readings.admit_namespaces(seen);
        readings.sightings = readings.sighted(&objects);
        readings
    }

    /// An empty list of a namespace that was read elsewhere may be quoted whole.
    fn admit_namespaces(&mut self, seen: &Seen<'_>) {
        let elsewhere = |proof: &Proof| {
            let namespace = proof.empty_namespace()?;
            (self.knowledge(namespace) == Knowledge::Read).then_some(proof.number)
        };
        let known: Vec<usize> = self.proofs.iter().filter_map(elsewhere).collect();
        for proof in self.proofs.iter_mut().filter(|proof| known.contains(&proof.number)) {
            if let Some((step, _)) = seen.steps.iter().find(|(step, _)| step.number == proof.number) {
                proof.admit_namespace(&step.observation.text);
            }
        }
    }

    fn sighted(&self, objects: &[&ObjectRef]) -> Vec<Sighting> {
        let proven = objects.iter().map(|object| Sighting {
            kind: object.kind,
            namespace: object.namespace.as_deref().map(str::to_owned),
            name: object.name.to_string(),
        });
        let start = self.proofs.iter().filter(|proof| proof.number == 0).flat_map(|proof| names::in_text(&proof.text));
        let start = start.filter_map(|mention| {
            let (namespace, name) = (mention.namespace.map(str::to_owned), mention.name.to_owned());
            mention.kind.map(|kind| Sighting { kind, namespace, name })
        });
        let answered = self.proofs.iter().filter(|proof| !proof.failed).filter_map(|proof| {
            let (kind, name) = answered(proof)?;
            let namespace = proof.line.as_ref()?.namespace().map(str::to_owned);
            Some(Sighting { kind, namespace, name })
        });
        proven.chain(start).chain(answered).collect()
    }

    /// What is known of a name.
    pub(super) fn knowledge(&self, name: &str) -> Knowledge {
        let short = name.split('.').next().filter(|short| short.len() > 1).unwrap_or(name);
        let read = |proof: &Proof| {
            names::stands(&proof.text, name)
                || names::stands(&proof.text, short)
                || answered(proof).is_some_and(|(_, of)| of == name)
                || is_listed(proof, name)
        };
        if self.proven.iter().any(|known| known == name) || self.proofs.iter().any(read) {
            return Knowledge::Read;
        }
        let missing = self.proofs.iter().any(|proof| proof.misses(name));
        if missing { Knowledge::Missing } else { Knowledge::Never }
    }

    /// Why what is said of an object's kind or namespace differs from what was read of it.
    pub(super) fn misplaced(&self, mention: &Mention<'_>) -> Option<String> {
        let (kind, name) = (mention.kind?, mention.name);
        let same: Vec<&Sighting> = self.sightings.iter().filter(|sighting| sighting.name == name).collect();
        let of_kind: Vec<&&Sighting> = same.iter().filter(|sighting| sighting.kind == kind).collect();
        if let (Some(other), true) = (same.first(), of_kind.is_empty())
            && !self.proofs.iter().any(|proof| tells_kind(proof, kind, name))
        {
            return Some(format!("`{name}` was read as {}, not as {}", other.kind.as_str(), kind.as_str()));
        }
        let namespace = mention.namespace?;
        let places: Vec<&str> = of_kind.iter().filter_map(|sighting| sighting.namespace.as_deref()).collect();
        let place = places.first().filter(|_| !places.contains(&namespace))?;
        let there = self.proofs.iter().any(|proof| tells_place(proof, namespace, name));
        (!there).then(|| format!("`{name}` was read in namespace {place}, not in {namespace}"))
    }

    /// The step in which the quote stands, the named one first.
    pub(super) fn find(&self, quote: &str, named: usize) -> Result<Option<usize>, TooShort> {
        let mut proofs: Vec<&Proof> = self.proofs.iter().collect();
        proofs.sort_by_key(|proof| proof.number != named);
        let mut short = false;
        for proof in proofs {
            for text in std::iter::once(proof.text.as_str()).chain(proof.said(quote)) {
                match quotes::find(quote, text) {
                    Found::Yes => return Ok(Some(proof.number)),
                    Found::TooShort => short = true,
                    Found::No => {}
                }
            }
        }
        if short { Err(TooShort) } else { Ok(None) }
    }

    /// What a step proves.
    pub(super) fn proof(&self, number: usize) -> Option<&Proof> {
        self.proofs.iter().find(|proof| proof.number == number)
    }
}

/// A quote stands somewhere, as nearly anything would.
pub(super) struct TooShort;

/// The step that made the call whose answer is shown on: that of `read_more`; with whether it proves something.
fn origin<'a>(step: &'a Step, seen: &Seen<'a>) -> Option<(&'a Step, bool)> {
    let number: usize = step.action.strip_prefix("read_more of step ")?.split(' ').next()?.parse().ok()?;
    let (found, proves) = seen.steps.iter().find(|(of, _)| of.number == number && of.number < step.number)?;
    Some(origin(found, seen).unwrap_or((found, *proves)))
}

/// The one object that an answer is about: the log of `deploy/web` need not say whose it is.
///
/// Only of verbs that fail where it is not there; `auth can-i` and `events --for` answer for anything, `describe` for
/// what begins so, and of several objects some may be missing.
fn answered(proof: &Proof) -> Option<(Kind, String)> {
    let line = proof.line.as_ref().filter(|_| !proof.failed)?;
    let targets = line.targets();
    let [target] = targets.as_slice() else { return None };
    let fails = matches!(line.verb(), "get" | "logs" | "rollout" | "top") && !line.has("ignore-not-found");
    let kind = names::of_word(&target.kind)?;
    target.name.clone().filter(|_| fails).map(|name| (kind, name))
}

/// Whether the namespace was asked in, and something is there: a list of what does not exist is empty.
fn is_listed(proof: &Proof, namespace: &str) -> bool {
    let Some(line) = proof.line.as_ref().filter(|line| line.namespace() == Some(namespace)) else { return false };
    let table = matches!(line.flag("output"), None | Some("wide" | "name")) && line.verb() == "get";
    let listed = table && !proof.text.trim().is_empty() && proof.empty_namespace().is_none();
    !proof.failed && (listed || answered(proof).is_some())
}

fn tells_kind(proof: &Proof, kind: Kind, name: &str) -> bool {
    let asked =
        |line: &crate::kubectl::Command| line.targets().iter().any(|target| names::of_word(&target.kind) == Some(kind));
    let word = kind.argument();
    let says = |line: &str| line.to_ascii_lowercase().contains(&word) && names::stands(line, name);
    proof.text.lines().any(says) || proof.line.as_ref().is_some_and(asked) && names::stands(&proof.text, name)
}

fn tells_place(proof: &Proof, namespace: &str, name: &str) -> bool {
    let asked = proof.line.as_ref().is_some_and(|line| {
        line.namespace() == Some(namespace) && !proof.failed
            || line.all_namespaces() && names::stands(&proof.text, namespace)
    });
    let says = |line: &str| names::stands(line, namespace) && names::stands(line, name);
    proof.text.lines().any(says) || asked && names::stands(&proof.text, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::EVIDENCE;
    use crate::agent::testing::start;
    use crate::model::Observation;

    /// What was read in one step, beside the start.
    fn after(action: &str, text: &str, failed: bool) -> Readings {
        let observation = Observation { text: text.to_owned(), failed, ..Observation::default() };
        let tool = action.split(' ').next().unwrap_or_default().to_owned();
        let step = Step { number: 1, tool, action: action.to_owned(), observation, ..Step::default() };
        let start = start();
        let seen = Seen {
            evidence: EVIDENCE,
            steps: vec![(&step, true)],
            causes: &start.causes,
            context: "prod",
            asked: false,
        };
        Readings::of(&seen)
    }

    #[test]
    fn a_name_is_read_missing_or_neither() {
        use Knowledge::{Missing, Never, Read};
        let missing = "error: pods \"ghost\" not found in namespace shop\nhint: near: ghost-1";
        for (action, text, failed, name, known) in [
            ("kubectl logs deploy/ghost -n shop --tail=20", "listening", false, "ghost", Read),
            ("kubectl logs ghost -n shop (grep x|y)", "listening", false, "ghost", Read),
            ("kubectl get deploy db ghost -n shop", "db 1/1", false, "ghost", Never),
            ("kubectl get deploy ghost --ignore-not-found", "", false, "ghost", Never),
            ("kubectl events --for deploy/ghost", "No events found.", false, "ghost", Never),
            ("kubectl auth can-i get deploy/ghost", "yes", false, "ghost", Never),
            ("kubectl get pod ghost -n shop", missing, true, "ghost", Missing),
            ("kubectl get pod ghost -n shop", missing, true, "ghost-1", Read),
            ("kubectl get pod ghost --since=x", "error: `--since` is no flag", true, "ghost", Never),
            ("kubectl get deploy -n ghost", "NAME READY\napi 1/1", false, "ghost", Read),
            ("kubectl get deploy api -n ghost", "NAME READY\napi 1/1", false, "ghost", Read),
            ("kubectl get deploy -n ghost", "No resources found in ghost namespace.", false, "ghost", Never),
            ("kubectl get deploy -n ghost -o yaml", "items: []", false, "ghost", Never),
            ("kubectl get pods -o jsonpath='{\"ghost\"}'", "ghost", false, "ghost", Never),
            (
                "query_prometheus label_replace(up, \"pod\", \"ghost\", \"\", \"\")",
                "up{pod=\"ghost\"} 1",
                false,
                "ghost",
                Never,
            ),
            ("the ghost", "x", false, "ghost", Never),
            ("kubectl get ns", "web.ghost.svc", false, "ghost", Read),
            ("kubectl get ns", "ghost", false, "ghost.shop.svc", Read),
        ] {
            assert_eq!(after(action, text, failed).knowledge(name), known, "{action}");
        }
    }

    #[test]
    fn an_empty_list_of_a_namespace_that_is_there_is_quoted_whole() {
        for (namespace, stands) in [("shop", true), ("disk-of-node-99-is-full", false)] {
            let text = format!("No resources found in {namespace} namespace.");
            let read = after(&format!("kubectl get pods -n {namespace}"), &text, false);
            assert_eq!(matches!(read.find(&text, 1), Ok(Some(1))), stands, "{namespace}");
            assert!(matches!(read.find("No resources found", 1), Ok(Some(1))));
        }
    }

    #[test]
    fn a_kind_and_a_namespace_are_those_that_were_read() {
        let pods = ("kubectl get pods -n infra", "web-1 1/1");
        let services = ("kubectl get services -n infra", "web ClusterIP");
        for ((action, text), said, wrong) in [
            (pods, "deployment/web -n shop", None),
            (pods, "deployment/web", None),
            (pods, "deployment/web -n infra", Some("`web` was read in namespace shop, not in infra")),
            (pods, "node/web", Some("`web` was read as Deployment, not as Node")),
            (services, "service/web -n infra", None),
            (services, "service/other", None),
            (("kubectl get deploy -A", "infra web 1/1\nshop web 0/1"), "deployment/web in namespace infra", None),
        ] {
            let read = after(action, text, false);
            let mentions = names::in_text(said);
            let found = mentions.iter().find_map(|mention| read.misplaced(mention));
            assert_eq!(found.as_deref(), wrong, "{said} after {action}");
        }
    }

    #[test]
    fn what_is_read_on_is_the_answer_of_the_call_before() {
        let text = |action: &str, text: &str| {
            let observation = Observation { text: text.to_owned(), ..Observation::default() };
            Step { tool: "kubectl".to_owned(), action: action.to_owned(), observation, ..Step::default() }
        };
        let invented = text("kubectl get pods -o jsonpath='{\"cart is dead\"}'", "x");
        let more = text("read_more of step 1 from line 2", "cart is dead");
        for (first, proves, found) in [
            (invented.clone(), true, false),
            (text("kubectl get ns", "x"), true, true),
            (text("read_runbook x", "x"), false, false),
        ] {
            let (first, more) = (Step { number: 1, ..first }, Step { number: 2, ..more.clone() });
            let steps = vec![(&first, proves), (&more, true)];
            let seen = Seen { evidence: EVIDENCE, steps, causes: &[], context: "prod", asked: false };
            assert_eq!(matches!(Readings::of(&seen).find("cart is dead", 2), Ok(Some(2))), found, "{}", first.action);
        }
    }
}
