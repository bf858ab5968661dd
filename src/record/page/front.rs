//! The front matter of a page.
//!
//! *Invariant:* a new runbook is suggested at the most; its risk is that of its worst line.

use std::fmt::Write as _;

use super::Material;
use super::sections::quotes;
use crate::detect::{self, Detector};
use crate::kubectl;
use crate::model::runbook::{
    AppliesTo, Automation, BlastRadius, FrontMatter, Level, Provenance, RUNBOOK_SCHEMA, Risk, RootCause, Signature,
    Status,
};
use crate::model::{Cause, Kind, Severity};
use crate::record::phrase::Names;

pub(super) fn front(
    material: &Material<'_>,
    detector: Option<&Detector>,
    title: String,
    names: &Names,
    fixes: &[String],
) -> FrontMatter {
    let (cause, builtin) = (material.cause, material.builtin.map(|runbook| &runbook.front));
    let used = names.used();
    let params = used.iter().map(|(name, what)| {
        let better = builtin.and_then(|front| front.params.get(name)).filter(|_| !what.contains("right once"));
        (name.clone(), better.unwrap_or(what).clone())
    });
    let quote = quotes(material).into_iter().next();
    let mut description =
        format!("Use when {}", lower(detector.map_or(cause.summary.as_str(), |detector| detector.summary)));
    if let Some(quote) = quote.filter(|quote| quote.len() < 300) {
        let _ = write!(description, ", seen as {quote}");
    }
    let description = material.general.text(&description);
    let changes = fixes.iter().any(|line| matches!(kubectl::parse(line), Ok(kubectl::Command::Change(_))));
    FrontMatter {
        json_schema: None,
        schema: RUNBOOK_SCHEMA.to_owned(),
        name: material.name.to_owned(),
        title,
        description: description.chars().take(1000).collect::<String>().trim_end_matches('.').to_owned() + ".",
        status: if material.done.is_empty() && material.words.is_none() { Status::Draft } else { Status::Active },
        superseded_by: None,
        severity: if cause.severity == Severity::Info { Severity::Warning } else { cause.severity },
        root_cause: builtin.map_or(RootCause::Unknown, |front| front.root_cause),
        signature: signature(cause),
        applies_to: AppliesTo::default(),
        automation: Automation {
            level: if changes { Level::Suggest } else { Level::None },
            risk: changes.then(|| risk(fixes)),
            blast_radius: changes.then(|| radius(material, fixes)),
            ..Automation::default()
        },
        params: params.collect(),
        owners: material.owners.to_vec(),
        reviewed: Some(material.today.to_owned()),
        provenance: Some(Provenance {
            generated_by: Some(format!("kubectl-react {}", env!("CARGO_PKG_VERSION"))),
            model: None,
            incidents: vec![material.incident.to_owned()],
        }),
        references: builtin.map(|front| front.references.clone()).unwrap_or_default(),
        tags: builtin.map(|front| front.tags.clone()).unwrap_or_default(),
    }
}

/// The detector, and the kinds at which it shows: what another incident of the same fault has too.
fn signature(cause: &Cause) -> Signature {
    let known = detect::find(&cause.detector).is_some();
    Signature {
        detectors: known.then(|| cause.detector.clone()).into_iter().collect(),
        reasons: if known { Vec::new() } else { vec![cause.detector.clone()] },
        ..Signature::default()
    }
}

fn risk(fixes: &[String]) -> Risk {
    use kubectl::Risk as Danger;
    let mut worst = Risk::Low;
    for line in fixes {
        let Ok(kubectl::Command::Change(change)) = kubectl::parse(line) else { continue };
        for danger in change.open_risks() {
            let weight = match danger {
                Danger::RunsImage
                | Danger::ToZero
                | Danger::BySelector
                | Danger::Open
                | Danger::TemporaryData
                | Danger::Written => Risk::Medium,
                _ => Risk::High,
            };
            worst = worst.max(weight);
        }
        // It restarts pods that serve.
        let rolls = matches!((change.verb(), change.subcommand()), ("set" | "rollout" | "patch", _));
        if rolls {
            worst = worst.max(Risk::Medium);
        }
    }
    worst
}

fn radius(material: &Material<'_>, fixes: &[String]) -> BlastRadius {
    let nodes = fixes.iter().any(|line| line.contains("$NODE"));
    let inside = fixes.iter().all(|line| line.contains(" -n "));
    match material.cause.object.kind {
        _ if nodes => BlastRadius::Node,
        _ if !inside => BlastRadius::Cluster,
        Kind::Service
        | Kind::Ingress
        | Kind::NetworkPolicy
        | Kind::ResourceQuota
        | Kind::LimitRange
        | Kind::ConfigMap
        | Kind::Secret => BlastRadius::Namespace,
        Kind::Pod => BlastRadius::Pod,
        _ => BlastRadius::Workload,
    }
}

/// With a small first letter, where the word is none that is written large.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let (first, second) = (letters.next(), text.chars().nth(1));
    let name = second.is_some_and(char::is_uppercase)
        || text.split([' ', '\'']).next().is_some_and(|word| Kind::from_word(word).is_some());
    match first {
        Some(first) if !name => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
