//! Which findings follow from which: a walk from each finding to all that depends on its object.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::table;
use crate::graph::View;
use crate::model::{Finding, ObjectRef, Stage};

/// That a finding follows from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The finding it follows from, by number.
    pub(super) parent: usize,
    /// From its own object to the parent's.
    pub(super) path: Vec<ObjectRef>,
}

/// For each finding, the root that it hangs under; none for a root.
pub(super) type Links = Vec<Option<Link>>;

/// How far a cause reaches: enough for Ingress → Service → Deployment → ReplicaSet → Pod → claim →
/// volume, and for another such chain that blames the Service.
const REACH: usize = 12;

/// How many objects one finding may reach; a hostile snapshot could link all with all.
const WIDTH: usize = 20_000;

/// Finds out which findings are roots, and under which root each other one hangs.
pub(super) fn fold(view: &View<'_>, findings: &[Finding]) -> Links {
    let index = Index::new(findings);
    let mut parents = vec![Vec::new(); findings.len()];
    for number in 0..findings.len() {
        for (child, path) in consequences(view, findings, &index, number) {
            if let Some(list) = parents.get_mut(child) {
                list.push(Link { parent: number, path });
            }
        }
    }
    hang(findings, &parents)
}

/// Findings by the object they are at, and by the object they blame.
struct Index<'f> {
    at: HashMap<&'f ObjectRef, Vec<usize>>,
    blaming: HashMap<&'f ObjectRef, Vec<usize>>,
}

impl<'f> Index<'f> {
    fn new(findings: &'f [Finding]) -> Index<'f> {
        let mut index = Index { at: HashMap::new(), blaming: HashMap::new() };
        for (number, finding) in findings.iter().enumerate() {
            index.at.entry(&finding.object).or_default().push(number);
            if let Some(culprit) = &finding.culprit {
                index.blaming.entry(culprit).or_default().push(number);
            }
        }
        index
    }
}

/// The findings that follow from finding `number`, each with the path from its object.
fn consequences(
    view: &View<'_>,
    findings: &[Finding],
    index: &Index<'_>,
    number: usize,
) -> Vec<(usize, Vec<ObjectRef>)> {
    let Some(cause) = findings.get(number) else { return Vec::new() };
    let mut found = BTreeMap::new();
    let mut seen: HashSet<ObjectRef> = HashSet::new();
    let mut queue = VecDeque::from([(cause.object.clone(), cause.stage, vec![cause.object.clone()], true)]);
    seen.insert(cause.object.clone());
    for pod in &cause.explains {
        let at = index.at.get(pod).into_iter().flatten().filter(|at| **at != number);
        found.extend(at.map(|at| (*at, vec![pod.clone(), cause.object.clone()])));
    }
    // What is wrong with a workload's template is wrong with its pods.
    if !cause.symptom && view.workload(&cause.object).is_some() {
        for pod in view.pods_of(&cause.object) {
            let pod = crate::model::Resource::object_ref(pod);
            if seen.insert(pod.clone()) {
                queue.push_back((pod.clone(), cause.stage.max(Stage::Start), vec![pod, cause.object.clone()], true));
            }
        }
    }
    while let Some((object, stage, path, own)) = queue.pop_front() {
        for &at in index.at.get(&object).into_iter().flatten() {
            if at != number
                && findings
                    .get(at)
                    .is_some_and(|other| if own { gives_way(other, cause) } else { follows(other, stage) })
            {
                found.entry(at).or_insert_with(|| path.clone());
            }
        }
        for &blaming in index.blaming.get(&object).into_iter().flatten() {
            let Some(other) =
                findings.get(blaming).filter(|other| blaming != number && other.object != object && !other.proven)
            else {
                continue;
            };
            let mut path = path.clone();
            path.insert(0, other.object.clone());
            found.entry(blaming).or_insert_with(|| path.clone());
            if seen.insert(other.object.clone()) && path.len() < REACH {
                queue.push_back((other.object.clone(), other.stage.max(Stage::Start), path, false));
            }
        }
        if path.len() >= REACH || seen.len() >= WIDTH {
            continue;
        }
        for (edge, dependent) in view.dependents(&object) {
            let Some(step) = table::step(edge, stage) else { continue };
            if seen.contains(dependent) || step.timely && !timely(findings, index, cause, dependent) {
                continue;
            }
            seen.insert(dependent.clone());
            let mut path = path.clone();
            path.insert(0, dependent.clone());
            queue.push_back((dependent.clone(), step.blocks, path, false));
        }
    }
    found.into_iter().collect()
}

/// Whether a finding at the same object (or at a pod of the workload) follows from `cause`: a
/// symptom gives way to what explains it, and not being ready to what stands before it.
fn gives_way(other: &Finding, cause: &Finding) -> bool {
    let explains = other.symptom && !cause.symptom && other.stage >= cause.stage;
    let stands_before = other.stage > cause.stage && other.stage >= Stage::Ready;
    explains || (stands_before && (other.symptom || !cause.symptom))
}

/// Whether a finding at an object that is blocked from `stage` on is explained by that. One that
/// blames another object has its own cause, and follows only from what is wrong with that object.
fn follows(other: &Finding, stage: Stage) -> bool {
    other.stage >= stage && (other.symptom || other.culprit.is_none())
}

/// Whether nothing at `dependent` is older than the cause.
fn timely(findings: &[Finding], index: &Index<'_>, cause: &Finding, dependent: &ObjectRef) -> bool {
    /// Clocks differ, and controllers take their time to notice.
    const SLACK: i64 = 180;
    let Some(began) = cause.since else { return true };
    let at = index.at.get(dependent).into_iter().flatten();
    at.filter_map(|at| findings.get(*at)?.since).all(|since| since.as_second() + SLACK >= began.as_second())
}

/// Hangs each finding under its nearest root. Where findings explain each other in a circle, the
/// one that blocks the earliest stage is the root.
fn hang(findings: &[Finding], parents: &[Vec<Link>]) -> Links {
    let mut children: Vec<Vec<(usize, &Link)>> = vec![Vec::new(); findings.len()];
    for (child, links) in parents.iter().enumerate() {
        for link in links {
            if let Some(list) = children.get_mut(link.parent) {
                list.push((child, link));
            }
        }
    }
    let mut order: Vec<usize> = (0..findings.len()).collect();
    // First the findings that nothing explains, then, for circles, by stage and age.
    order.sort_by_key(|&number| {
        let explained = parents.get(number).is_some_and(|links| !links.is_empty());
        let finding = findings.get(number);
        (explained, finding.map(|f| (f.symptom, f.stage, f.since.is_none(), f.since)), number)
    });
    let mut links: Links = vec![None; findings.len()];
    let mut placed = vec![false; findings.len()];
    for root in order {
        if placed.get(root).copied().unwrap_or(true) {
            continue;
        }
        placed.iter_mut().skip(root).take(1).for_each(|done| *done = true);
        let mut queue = VecDeque::from([(root, Vec::new())]);
        while let Some((parent, below)) = queue.pop_front() {
            for (child, link) in children.get(parent).into_iter().flatten() {
                if placed.get(*child).copied().unwrap_or(true) {
                    continue;
                }
                placed.iter_mut().skip(*child).take(1).for_each(|done| *done = true);
                let path = chain(&link.path, &below);
                if let Some(slot) = links.get_mut(*child) {
                    *slot = Some(Link { parent: root, path: path.clone() });
                }
                queue.push_back((*child, path));
            }
        }
    }
    links
}

/// Joins two paths at the object they share.
fn chain(first: &[ObjectRef], then: &[ObjectRef]) -> Vec<ObjectRef> {
    let mut path = first.to_vec();
    let shared = usize::from(path.last() == then.first());
    path.extend(then.iter().skip(shared).cloned());
    path
}
