//! Runbooks that say nearly the same, for lint: one that exists is better mended than written a second time.
//!
//! *Invariant:* pure, needs no model, and takes time in the order of what documents have in common.

use std::collections::BTreeMap;

use super::chunk;
use crate::model::Runbook;

/// A term that more than this share of all documents have tells none apart.
const COMMON: f32 = 0.2;

/// Pairs, as numbers in `runbooks`, whose weighted terms have a cosine of at least `least`; the nearest first.
pub fn near_duplicates(runbooks: &[&Runbook], least: f32) -> Vec<(usize, usize, f32)> {
    let terms: Vec<BTreeMap<String, f32>> =
        runbooks.iter().map(|runbook| chunk::derive(runbook).terms.counts).collect();
    let mut holders: BTreeMap<&str, Vec<(usize, f32)>> = BTreeMap::new();
    for (at, counts) in terms.iter().enumerate() {
        for (term, count) in counts {
            holders.entry(term).or_default().push((at, *count));
        }
    }
    let all = runbooks.len() as f32;
    let mut lengths = vec![0.0_f32; runbooks.len()];
    let mut products: BTreeMap<(usize, usize), f32> = BTreeMap::new();
    for holders in holders.values() {
        let rarity = (1.0 + all / holders.len() as f32).ln();
        let weight = |count: f32| (1.0 + count).ln() * rarity;
        for (at, count) in holders {
            if let Some(length) = lengths.get_mut(*at) {
                *length += weight(*count).powi(2);
            }
        }
        // In a small collection every term is common.
        if holders.len() > 8 && holders.len() as f32 > COMMON * all {
            continue;
        }
        for (at, (a, first)) in holders.iter().enumerate() {
            for (b, second) in holders.iter().skip(at + 1) {
                *products.entry((*a, *b)).or_default() += weight(*first) * weight(*second);
            }
        }
    }
    let length = |at: usize| lengths.get(at).copied().unwrap_or_default().sqrt();
    let mut near: Vec<(usize, usize, f32)> = products
        .into_iter()
        .map(|((a, b), product)| (a, b, (product / (length(a) * length(b)).max(f32::MIN_POSITIVE)).min(1.0)))
        .filter(|(_, _, cosine)| *cosine >= least)
        .collect();
    near.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    near
}
