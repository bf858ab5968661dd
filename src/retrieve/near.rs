//! Runbooks that say nearly the same, for lint: one that exists is better mended than written a second time.
//!
//! *Invariant:* pure, needs no model, and takes time in the order of what documents have in common.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::chunk;
use crate::model::Runbook;

/// A term that more than this share of all documents have tells none apart.
const COMMON: f32 = 0.2;

/// Pairs, as numbers in `runbooks`, whose weighted terms have a cosine of at least `least`; the nearest first.
pub fn near_duplicates(runbooks: &[&Runbook], least: f32) -> Vec<(usize, usize, f32)> {
    let terms: Vec<BTreeMap<String, f32>> =
        runbooks.par_iter().map(|runbook| chunk::derive(runbook).terms.counts).collect();
    // Terms by the order in which they come; who has each, with its count.
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut holders: Vec<Vec<(usize, f32)>> = Vec::new();
    for (at, counts) in terms.iter().enumerate() {
        for (term, count) in counts {
            let number = *numbers.entry(term).or_insert(holders.len());
            match holders.get_mut(number) {
                Some(holders) => holders.push((at, *count)),
                None => holders.push(vec![(at, *count)]),
            }
        }
    }
    let all = runbooks.len() as f32;
    let mut lengths = vec![0.0_f32; runbooks.len()];
    // Of each runbook, its terms that tell it apart: which one, and what it weighs.
    let mut telling: Vec<Vec<(usize, f32)>> = vec![Vec::new(); runbooks.len()];
    let mut lists: Vec<Vec<(usize, f32)>> = Vec::new();
    for mut holders in holders {
        let rarity = (1.0 + all / holders.len() as f32).ln();
        for (at, weight) in &mut holders {
            *weight = (1.0 + *weight).ln() * rarity;
            if let Some(length) = lengths.get_mut(*at) {
                *length += weight.powi(2);
            }
        }
        // In a small collection every term is common.
        if holders.len() > 8 && holders.len() as f32 > COMMON * all {
            continue;
        }
        for (at, weight) in &holders {
            if let Some(telling) = telling.get_mut(*at) {
                telling.push((lists.len(), *weight));
            }
        }
        lists.push(holders);
    }
    let length = |at: usize| lengths.get(at).copied().unwrap_or_default().sqrt();
    let mut near = Vec::new();
    let mut products = vec![0.0_f32; runbooks.len()];
    for (a, telling) in telling.iter().enumerate() {
        products.fill(0.0);
        for (list, first) in telling {
            let list = lists.get(*list).map(Vec::as_slice).unwrap_or_default();
            let behind = list.partition_point(|(at, _)| *at <= a);
            for (b, second) in list.iter().skip(behind) {
                if let Some(product) = products.get_mut(*b) {
                    *product += first * second;
                }
            }
        }
        for (b, product) in products.iter().enumerate().skip(a + 1) {
            let cosine = (product / (length(a) * length(b)).max(f32::MIN_POSITIVE)).min(1.0);
            if *product > 0.0 && cosine >= least {
                near.push((a, b, cosine));
            }
        }
    }
    near.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    near
}

#[cfg(test)]
mod tests {
    use super::near_duplicates;
    use crate::model::{Library, Place, Runbook};
    use crate::runbook;

    fn book(number: usize, title: &str, text: &str) -> Runbook {
        let place = Place {
            library: Library::Team,
            path: format!("{number}.md"),
            commit: String::new(),
            blob: format!("{number:040}"),
        };
        runbook::parse(place, format!("# {title}\n\n## Meaning\n\n{text}\n").as_bytes()).runbook.unwrap()
    }

    #[test]
    fn what_says_the_same_is_a_pair_and_what_shares_some_words_is_none() {
        let full = "The disk of the database is full since old segments are kept for a replica that is gone.";
        let own = |number: usize| (0..12).map(|word| format!("word{number}x{word}")).collect::<Vec<_>>().join(" ");
        let mut books: Vec<Runbook> =
            (0..30).map(|at| book(at, &format!("Fault {at}"), &format!("The disk {}", own(at)))).collect();
        books.push(book(30, "Database disk is full", full));
        books.push(book(31, "Database disk is full", &format!("{full} Drop the slot.")));
        books.push(book(32, "Database disk is full", "A replica was added."));
        let all: Vec<&Runbook> = books.iter().collect();
        let near = near_duplicates(&all, 0.8);
        assert_eq!(near.iter().map(|near| (near.0, near.1)).collect::<Vec<_>>(), [(30, 31)], "{near:?}");
        assert!((0.8..1.0).contains(&near[0].2));
        let twice = near_duplicates(&[all[31], all[31]], 0.8);
        assert!(matches!(*twice, [(0, 1, cosine)] if cosine > 0.999), "{twice:?}");
        assert_eq!(near_duplicates(&[], 0.0), []);
    }
}
