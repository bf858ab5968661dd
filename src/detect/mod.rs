//! Detectors: pure functions from a view to findings, one file per fault in `rules/`.
//!
//! *Invariant:* a detector sees the view and nothing else: no client, clock, environment or file.
//! A detector is about a fault that hurts now, and names the deepest cause that the objects prove.

pub mod addresses;
pub mod admission;
pub mod calls;
pub mod certificates;
pub mod config_uses;
pub mod cron;
pub mod endpoints;
pub mod heap;
pub mod images;
pub mod intent;
pub mod logs;
pub mod neighbours;
pub mod nodes;
pub mod policies;
pub mod prelude;
pub mod rules;
pub mod scheduling;
pub mod storage;
#[cfg(test)]
pub mod testing;
pub mod webhooks;

use std::sync::atomic::{AtomicUsize, Ordering};

pub use neighbours::{neighbours, strangers};

use crate::graph::View;
use crate::model::kinds::Namespace;
use crate::model::{Finding, Kind, ObjectRef, Want};

/// What a detector is about, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Programs that don't start, end or are killed; probes and hooks.
    Containers,
    /// Images that can't be pulled or run.
    Images,
    /// Configuration, accounts and rights.
    Configuration,
    /// Pods without a node.
    Scheduling,
    /// Claims, volumes, mounts.
    Storage,
    /// Rollouts, jobs, autoscalers, budgets.
    Workloads,
    /// What the API server refuses.
    Admission,
    /// Services, Ingresses, policies, names.
    Network,
    /// Nodes and the control plane.
    Nodes,
    /// Custom resources.
    Custom,
}

/// One fault that is known how to be seen.
#[derive(Debug)]
pub struct Detector {
    /// Stable, kebab-case, named after the fault: `oom-killed`.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it is about.
    pub group: Group,
    /// The kinds without which it can't tell; a gap in one of them means unknown, not healthy.
    pub reads: &'static [Kind],
    /// What it may want to be read beside the lists.
    pub wants: Option<fn(&View<'_>) -> Vec<Want>>,
    /// Markdown with the headings `## What it detects`, `## Why it matters`, `## Evidence`,
    /// `## Look-alikes`, `## What it does not see`, `## What to do`.
    pub doc: &'static str,
    /// Looks.
    pub run: fn(&View<'_>) -> Vec<Finding>,
}

/// All detectors, sorted by id.
pub fn detectors() -> &'static [&'static Detector] {
    rules::DETECTORS
}

/// The detector of this id.
pub fn find(id: &str) -> Option<&'static Detector> {
    detectors().iter().copied().find(|detector| detector.id == id)
}

/// Runs all detectors on so many threads. The order is the same each time: by object, detector and key.
pub fn detect(view: &View<'_>, threads: usize) -> Vec<Finding> {
    let mut findings = each(threads, |detector| {
        let mut findings = (detector.run)(view);
        findings.retain(|finding| finding.of_deletion || !going(view, &finding.object));
        for finding in &mut findings {
            detector.id.clone_into(&mut finding.detector);
        }
        findings
    });
    findings.sort_by(|a, b| (&a.object, &a.detector, &a.key).cmp(&(&b.object, &b.detector, &b.key)));
    findings
}

/// Whether an object goes with its namespace: what is taken away is not broken.
fn going(view: &View<'_>, object: &ObjectRef) -> bool {
    !object.ns().is_empty()
        && view.get::<Namespace>("", object.ns()).is_some_and(|namespace| namespace.metadata.deleting())
}

/// What `ask` gets from each detector, in their order, whichever thread was first.
fn each<T: Send>(threads: usize, ask: impl Fn(&Detector) -> Vec<T> + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut answers = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(detector) = detectors().get(number) else { return answers };
            answers.push((number, ask(detector)));
        }
    };
    let mut answers = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut answers = work();
        for other in others {
            match other.join() {
                Ok(more) => answers.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        answers
    });
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().flat_map(|(_, answer)| answer).collect()
}

/// What the detectors want to be read beside the lists, the most urgent first, each once.
///
/// Of the pods of one workload two are enough: replicas fail alike.
pub fn wants(view: &View<'_>, threads: usize) -> Vec<Want> {
    let mut all = each(threads, |detector| detector.wants.map(|wants| wants(view)).unwrap_or_default());
    all.sort();
    all.dedup();
    let mut per_workload = std::collections::BTreeMap::new();
    all.retain(|want| {
        let Want::Log { pod, container, previous } = want else { return true };
        let workload = view.meta(pod).map_or_else(|| pod.clone(), |meta| view.top_owner(pod.clone(), meta));
        let seen: &mut usize = per_workload.entry((workload, container.clone(), *previous)).or_default();
        *seen += 1;
        *seen <= 2
    });
    // Stable: within the same urgency the order of names stays.
    all.sort_by_key(|want| match want {
        Want::SecretKeys { .. } | Want::ConfigValues { .. } => 0,
        Want::Log { pod, .. } => match view.get::<crate::model::kinds::Pod>(pod.ns(), &pod.name) {
            Some(pod) if view.pod_severity(pod) == crate::model::Severity::Critical => 1,
            Some(pod) if pod.ready() => 3,
            _ => 2,
        },
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_unique_and_kebab_case() {
        let ids: Vec<&str> = detectors().iter().map(|detector| detector.id).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "sort rules/mod.rs by id: {ids:?}");
        for id in ids {
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{id}");
        }
    }

    #[test]
    fn every_detector_is_documented() {
        for detector in detectors() {
            for heading in [
                "## What it detects",
                "## Why it matters",
                "## Evidence",
                "## Look-alikes",
                "## What it does not see",
                "## What to do",
            ] {
                assert!(detector.doc.contains(heading), "{} lacks `{heading}`", detector.id);
            }
            assert!(
                !detector.summary.ends_with('.') && detector.summary.len() <= 90,
                "{}: {}",
                detector.id,
                detector.summary
            );
            assert!(!detector.reads.is_empty(), "{} reads nothing", detector.id);
        }
    }

    /// A file that is not in the list would be a detector that never runs.
    #[test]
    fn every_file_is_registered() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/detect/rules");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "mod.rs")
            .map(|name| name.trim_end_matches(".rs").replace('_', "-"))
            .collect();
        files.sort();
        let ids: Vec<&str> = detectors().iter().map(|detector| detector.id).collect();
        assert_eq!(files, ids, "each file in rules/ is one detector of the same name");
    }
}
