//! Which faults of the past a proposed runbook would answer: those that it is for, and those that it is not.
//!
//! *Invariant:* it is ranked as a diagnosis ranks, among all that would be there, without a model.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Case, File, Proposed, commands, line};
use crate::model::runbook::{Signature, Status};
use crate::model::{Cause, Library, Runbook};
use crate::retrieve::memory::Memory;
use crate::retrieve::{Answer, Query, chunk, search, signature};
use crate::runbook::params;

/// How many are looked at to find a runbook's place.
const LOOKED_AT: usize = 20;
/// How many causes are told of for each runbook.
const TOLD: usize = 20;

/// By what a runbook matches a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// It names the cause's detector.
    Detector,
    /// It names no detectors, and something else of its signature matches.
    Signal,
    /// It names other detectors, and something else of its signature matches: it was not written for this.
    Stray,
}

/// A cause that a runbook matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fit {
    /// The incident or snapshot.
    pub case: String,
    /// The cause, in a sentence.
    pub cause: String,
    /// Its detector.
    pub detector: String,
    /// By what it matches.
    pub by: By,
    /// Each signal that matches.
    pub why: Vec<String>,
    /// Its place among all runbooks, from 1; none where it is far behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// The runbook that was first so far, and no longer would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displaces: Option<String>,
    /// The runbook that helped there, and would stand behind this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outranks_what_helped: Option<String>,
    /// Placeholders that this cause does not fill.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
}

impl Fit {
    /// Whether a reviewer should look: it answers what it was not written for, or stands before what helped.
    pub fn is_wrong(&self) -> bool {
        self.by == By::Stray || self.outranks_what_helped.is_some()
    }
}

/// What a runbook would answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fits {
    /// How many causes it matches.
    pub matched: usize,
    /// Of those, how many it was not written for.
    pub stray: usize,
    /// How many causes were tried.
    pub causes: usize,
    /// How many incidents and snapshots.
    pub cases: usize,
    /// The causes, what is wrong first; not all where they are many.
    pub fits: Vec<Fit>,
}

impl Fits {
    /// `matches 3 of 12 causes of 4 incidents and snapshots; 1 of them it was not written for`.
    pub(super) fn told(&self) -> String {
        let (causes, cases) = (self.causes, self.cases);
        let of = format!(
            "{causes} cause{} of {cases} incident{s} or snapshot{s}",
            if causes == 1 { "" } else { "s" },
            s = if cases == 1 { "" } else { "s" }
        );
        let stray = match self.stray {
            0 => String::new(),
            1 => "; 1 of them it was not written for".to_owned(),
            many => format!("; {many} of them it was not written for"),
        };
        format!("matches {} of {of}{stray}", self.matched)
    }
}

/// Runbooks as a search has them.
struct Shelf<'a> {
    memory: Memory,
    runbooks: Vec<&'a Runbook>,
}

impl<'a> Shelf<'a> {
    fn new(files: &'a [File], builtin: &'a [Runbook]) -> Shelf<'a> {
        let mut runbooks: Vec<&Runbook> =
            files.iter().filter_map(|file| file.runbook.as_ref()).chain(builtin).collect();
        // As the shelf sorts them.
        runbooks.sort_by(|a, b| a.place.cmp(&b.place));
        Shelf { memory: Memory::new(runbooks.iter().copied(), chunk::derive), runbooks }
    }

    /// The paths of what is found, the best first; nothing where no runbook matches.
    fn ask(&self, query: &Query) -> Vec<(Library, String)> {
        let signatures: Vec<(u32, &Signature)> =
            (0_u32..).zip(self.runbooks.iter().map(|runbook| &runbook.front.signature)).collect();
        let found = search(query, &self.memory, &signatures, &|| None, None).ok();
        let hits = found.filter(|answer: &Answer| !answer.abstained).map(|answer| answer.hits).unwrap_or_default();
        hits.into_iter().map(|hit| (hit.place.library, hit.place.path)).collect()
    }
}

/// What each proposed runbook would answer, by its path.
pub(super) fn fits(proposed: &Proposed<'_>, cases: &[Case]) -> BTreeMap<String, Fits> {
    let paths = proposed.differences.iter().filter(|difference| difference.what != "removed");
    let paths: Vec<&str> = paths.map(|difference| difference.path.as_str()).collect();
    let runbooks = proposed.head.iter().filter(|file| paths.contains(&file.path.as_str()));
    let runbooks: Vec<&Runbook> = runbooks
        .filter_map(|file| file.runbook.as_ref())
        .filter(|runbook| runbook.front.status != Status::Deprecated)
        .collect();
    let causes = cases.iter().map(|case| case.causes.len()).sum();
    let nothing = Fits { causes, cases: cases.len(), ..Fits::default() };
    let mut all: BTreeMap<String, Fits> =
        runbooks.iter().map(|runbook| (line(&runbook.place.path), nothing.clone())).collect();
    if runbooks.is_empty() || causes == 0 {
        return all;
    }
    let (before, now) = (Shelf::new(proposed.before, proposed.builtin), Shelf::new(proposed.head, proposed.builtin));
    for (case, cause) in cases.iter().flat_map(|case| case.causes.iter().map(move |cause| (case, cause))) {
        let query = Query { limit: LOOKED_AT, ..Query::from_cause(cause) };
        let matching = runbooks.iter().filter_map(|runbook| {
            Some((*runbook, signature::matches(&runbook.front.signature, &query.signals, &mut |_| {})?))
        });
        let matching: Vec<_> = matching.collect();
        if matching.is_empty() {
            continue;
        }
        let (then, here) = (before.ask(&query), now.ask(&query));
        for (runbook, found) in matching {
            let fit = fit(runbook, &found, case, cause, &then, &here, proposed);
            if let Some(fits) = all.get_mut(&line(&runbook.place.path)) {
                fits.matched += 1;
                fits.stray += usize::from(fit.by == By::Stray);
                fits.fits.push(fit);
            }
        }
    }
    for fits in all.values_mut() {
        fits.fits.sort_by_key(|fit| !fit.is_wrong());
        fits.fits.truncate(TOLD);
    }
    all
}

fn fit(
    runbook: &Runbook,
    found: &signature::Match,
    case: &Case,
    cause: &Cause,
    then: &[(Library, String)],
    here: &[(Library, String)],
    proposed: &Proposed<'_>,
) -> Fit {
    let own = &runbook.front.signature.detectors;
    let by = match own.contains(&cause.detector) {
        true => By::Detector,
        false if own.is_empty() => By::Signal,
        false => By::Stray,
    };
    let path = runbook.place.path.as_str();
    let was = proposed.differences.iter().find(|difference| difference.path == path);
    let was = was.and_then(|difference| difference.from.as_deref());
    let place = |order: &[(Library, String)], path: &str| {
        order.iter().position(|(library, own)| *library == runbook.place.library && own == path)
    };
    let rank = place(here, path);
    let stood = was.and_then(|was| place(then, was));
    let displaces = then.first().filter(|_| rank == Some(0) && stood != Some(0)).map(|(_, path)| line(path));
    // Of any library: what helped may have come with the plugin.
    let any = |order: &[(Library, String)], path: &str| order.iter().position(|(_, own)| own == path);
    let helped = case.helped.iter().filter(|helped| {
        helped.path != path
            && Some(helped.path.as_str()) != was
            && helped.fingerprint.as_ref().is_none_or(|fingerprint| *fingerprint == cause.fingerprint)
    });
    let outranked = helped.filter(|helped| {
        let before =
            |order, own: Option<usize>| own.is_some_and(|own| any(order, &helped.path).is_none_or(|at| own < at));
        before(here, rank) && !before(then, stood)
    });
    let values = params::of(cause);
    let open = commands::used(runbook).into_iter().filter(|name| !values.contains_key(name)).collect();
    Fit {
        case: line(&case.name),
        cause: line(&format!("{} {}", cause.object, cause.summary)),
        detector: line(&cause.detector),
        by,
        why: found.why.iter().map(|why| line(why)).collect(),
        rank: rank.map(|rank| rank + 1),
        displaces,
        outranks_what_helped: outranked.map(|helped| line(&helped.path)).next(),
        open,
    }
}
