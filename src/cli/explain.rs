//! `kubectl react explain`: what a detector looks for.

use std::process::ExitCode;

use clap::Args;

use super::error::CommandError;
use super::global::GlobalArgs;
use super::{Reply, terminal};
use crate::config::{Flags, Settings};
use crate::detect::{self, Detector};
use crate::near::nearest;
use crate::output::{self, Format, Style};

/// Say what a detector looks for, and when it can be wrong
///
/// Without an id: all detectors, one on a line.
#[derive(Args, Clone, Debug)]
pub(super) struct ExplainArgs {
    /// The detector's id, as `diagnose` prints it
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// How to write it: text or json
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
}

/// A detector as data.
#[derive(serde::Serialize)]
struct Entry {
    id: &'static str,
    group: String,
    summary: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    doc: Option<&'static str>,
}

impl Entry {
    fn new(detector: &'static Detector, doc: bool) -> Entry {
        let Detector { id, summary, group, .. } = *detector;
        Entry { id, group: format!("{group:?}").to_lowercase(), summary, doc: doc.then_some(detector.doc) }
    }
}

pub(super) fn run(args: ExplainArgs, global: &GlobalArgs) -> Reply {
    let settings = Settings::resolve(&Flags { output: Some(Format::Text), color: global.color, ..Flags::default() })?;
    let style = terminal::style(&settings, false);
    let json = args.output == "json";
    let text = match &args.id {
        None if json => {
            output::json(&detect::detectors().iter().map(|detector| Entry::new(detector, false)).collect::<Vec<_>>())
        }
        None => list(&style),
        Some(id) => {
            let detector = detect::find(id).ok_or_else(|| unknown(id))?;
            if json { output::json(&Entry::new(detector, true)) } else { page(detector, &style) }
        }
    };
    terminal::print(&text, &style)?;
    Ok(ExitCode::SUCCESS)
}

fn unknown(id: &str) -> CommandError {
    let error = CommandError::new(format!("there is no detector `{id}`"));
    match nearest(id, detect::detectors().iter().map(|detector| detector.id)) {
        Some(near) => error.hinted(format!("did you mean `{near}`?")),
        None => error.hinted("`kubectl react explain` lists all"),
    }
}

fn page(detector: &Detector, style: &Style) -> String {
    let source = format!("# {}: {}\n\n{}", detector.id, detector.summary, detector.doc);
    output::prose::page(&source, style)
}

/// All detectors by what they are about.
fn list(style: &Style) -> String {
    let mut detectors = detect::detectors().to_vec();
    detectors.sort_by_key(|detector| (detector.group, detector.id));
    let width = detectors.iter().map(|detector| detector.id.len()).max().unwrap_or_default();
    let mut out = String::new();
    let mut group = None;
    for detector in detectors {
        if group != Some(detector.group) {
            group = Some(detector.group);
            let gap = if out.is_empty() { "" } else { "\n" };
            out = format!("{out}{gap}{}", output::prose::page(&format!("# {:?}", detector.group), style));
        }
        out = format!("{out}{:width$}  {}\n", detector.id, detector.summary);
    }
    out
}
