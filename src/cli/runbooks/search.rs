//! `kubectl react runbooks search`: which runbooks answer, and why.

use std::process::ExitCode;

use clap::Args;

use super::{open, tell};
use crate::cli::error::CommandError;
use crate::cli::global::GlobalArgs;
use crate::cli::library::{Freshness, LibraryArgs, remembering};
use crate::cli::progress::ProgressLine;
use crate::cli::{Reply, terminal};
use crate::model::runbook::Status;
use crate::output::{self, Style};
use crate::printable::one_line;
use crate::retrieve::{Answer, Query};

/// Search runbooks by what they are about
///
/// Says of each how well it fits and why: what it matches exactly, the words it shares, how near its meaning is.
/// Where nothing fits well enough, it says so. With --runbooks only that library is searched.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct SearchArgs {
    /// A symptom, an event, an alert, a log line, a question
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,

    #[command(flatten)]
    library: LibraryArgs,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,

    /// Only those about this kind of object
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,

    /// Only those of this status
    #[arg(long, value_name = "STATUS", value_parser = ["draft", "active", "deprecated"])]
    status: Vec<String>,

    /// Only those for this platform: aks, eks, gke, openshift, k3s, kind
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,

    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
}

pub(super) fn run(args: SearchArgs, global: &GlobalArgs) -> Reply {
    let settings = args.library.settings(global, None)?;
    let text = args.text.join(" ");
    if text.trim().is_empty() {
        return Err(CommandError::new("there is nothing to search for"));
    }
    let mut query = Query::from_text(&text);
    query.limit = usize::from(args.limit);
    query.filter.kinds.clone_from(&args.kind);
    query.filter.platform.clone_from(&args.platform);
    query.filter.statuses = args.status.iter().filter_map(|word| status(word)).collect();
    let options = remembering(&settings, Freshness::Brief, args.library.runbooks.is_none())?;
    let mut retriever = open(&options)?;
    let answer = {
        let line = ProgressLine::start();
        let say = line.writer();
        retriever.answer(&query, &mut |progress| say(super::index::sentence(progress)))?
    };
    let style = terminal::style(&settings, false);
    let shown = if args.output == "json" { output::json(&answer) } else { page(&answer, &style) };
    terminal::print(&shown, &style)?;
    if args.output != "json" {
        for note in &answer.notes {
            terminal::report(&format!("note: {}\n", one_line(note)));
        }
    }
    tell(&retriever.states());
    Ok(ExitCode::SUCCESS)
}

fn status(word: &str) -> Option<Status> {
    [Status::Draft, Status::Active, Status::Deprecated].into_iter().find(|status| super::list::status(*status) == word)
}

fn page(answer: &Answer, style: &Style) -> String {
    let mut out = String::new();
    let wrap = |text: &str, indent: &str| {
        let options = textwrap::Options::new(style.width).initial_indent(indent).subsequent_indent(indent);
        textwrap::fill(&one_line(text), options) + "\n"
    };
    if answer.abstained {
        out += &wrap(
            &format!(
                "no runbook matches (best {:.2}, {:.2} is asked for); the nearest:",
                answer.confidence, answer.threshold
            ),
            "",
        );
    }
    for hit in &answer.hits {
        if !out.is_empty() {
            out.push('\n');
        }
        let label = output::status_note(hit.status, hit.superseded_by.as_deref());
        out += &wrap(&format!("{:.2}  {}{label}", hit.score, hit.title), "");
        out += &wrap(&format!("{}, by {}", output::citation(&hit.place), hit.why.told()), "      ");
        let heading = if hit.heading.is_empty() { String::new() } else { format!("{}: ", hit.heading) };
        out += &wrap(&format!("{heading}“{}”", hit.passage), "      ");
    }
    if answer.hits.is_empty() {
        out += "there are no runbooks to search in\n";
    }
    out
}
