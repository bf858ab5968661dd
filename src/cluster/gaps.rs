//! Gaps, few and readable.

use std::collections::BTreeMap;

use crate::model::{Gap, Kind};

/// More custom kinds than this with one reason are one gap.
const NAMED: usize = 3;

/// Orders gaps, drops doubles, and folds those of custom kinds that share a reason: no detector
/// asks for one of them, and a cluster may have a hundred.
pub(super) fn tidy(gaps: Vec<Gap>) -> Vec<Gap> {
    let is_custom = |gap: &Gap| matches!(gap.kind, Some(Kind::Custom(_)));
    let (custom, mut rest): (Vec<Gap>, Vec<Gap>) = gaps.into_iter().partition(is_custom);
    let mut by_reason: BTreeMap<(String, Option<String>), Vec<Gap>> = BTreeMap::new();
    for gap in custom {
        by_reason.entry((gap.reason.clone(), gap.namespace.clone())).or_default().push(gap);
    }
    for ((reason, namespace), mut gaps) in by_reason {
        if gaps.len() <= NAMED {
            rest.append(&mut gaps);
            continue;
        }
        gaps.sort();
        let names = gaps.iter().take(NAMED).map(|gap| gap.what.as_str()).collect::<Vec<_>>().join(", ");
        let what = format!("custom resources of {} kinds ({names}, …)", gaps.len());
        rest.push(Gap { what, namespace, reason, kind: None });
    }
    rest.sort();
    rest.dedup();
    rest
}

/// `log of shop/web-1 (app)`, or `37 logs` where there are many with one reason.
pub(super) fn fold(many: &str, failures: Vec<(String, String)>) -> Vec<Gap> {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (what, reason) in failures {
        by_reason.entry(reason).or_default().push(what);
    }
    let gap = |what: String, reason: &str| Gap { what, namespace: None, reason: reason.to_owned(), kind: None };
    let mut gaps = Vec::new();
    for (reason, mut whats) in by_reason {
        if whats.len() > NAMED {
            gaps.push(gap(format!("{} {many}", whats.len()), &reason));
        } else {
            whats.sort();
            gaps.extend(whats.into_iter().map(|what| gap(what, &reason)));
        }
    }
    gaps
}
