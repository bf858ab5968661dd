//! What a reviewer reads: the title and the text of a pull request, and the message of its commit.
//!
//! *Invariant:* pure. What happened and what proves it is quoted from the redacted incident, in fences that it can't close, so
//! nothing of a cluster's text becomes markdown.

use std::fmt::Write as _;

use super::page::dangers;
use crate::model::runbook::{FrontMatter, Level};
use crate::model::{Cause, Source};
use crate::printable::one_line;

/// The most quotes.
const QUOTES: usize = 5;

/// What a pull request is about.
pub struct Proposal<'a> {
    /// The incident's id.
    pub incident: &'a str,
    /// The cause.
    pub cause: &'a Cause,
    /// The front matter of the file as it is proposed.
    pub front: &'a FrontMatter,
    /// The path of the file.
    pub path: &'a str,
    /// What is new in a file that was there; empty for a new file.
    pub news: &'a [String],
    /// What was done, in words.
    pub done: &'a [String],
    /// The lines that the runbook suggests.
    pub fixes: &'a [String],
    /// What was seen to hold, and for how long.
    pub proof: &'a [String],
    /// What lint says of it; empty where it has nothing against it.
    pub lint: &'a [String],
    /// Runbooks that say nearly the same.
    pub near: &'a [String],
    /// The model whose words are in it.
    pub model: Option<&'a str>,
}

/// The first line of the commit, and the title of the pull request: at most 72 letters.
pub fn title(proposal: &Proposal<'_>) -> String {
    let verb = if proposal.news.is_empty() { "Add runbook" } else { "Update runbook" };
    let text = format!("{verb} {}: {}", proposal.front.name, proposal.front.title);
    if text.chars().count() <= 72 {
        return text;
    }
    let cut: String = text.chars().take(71).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(cut, _)| cut).trim_end_matches([':', ',']).to_owned();
    cut + "…"
}

/// The body of the commit's message: what it is from, in a few lines.
pub fn message(proposal: &Proposal<'_>) -> String {
    let mut text = match proposal.news {
        [] => format!("Made from an incident that `{}` found", proposal.cause.detector),
        news => format!("Adds {}", news.join(" and ")),
    };
    text += if proposal.proof.is_empty() { ", before it was mended." } else { ", and that was seen to be over." };
    textwrap::fill(&text, 72)
}

/// The trailers of the commit.
pub fn trailers(proposal: &Proposal<'_>) -> Vec<(String, String)> {
    let mut trailers = vec![
        ("Incident".to_owned(), proposal.incident.to_owned()),
        ("Detector".to_owned(), proposal.cause.detector.clone()),
    ];
    if let Some(model) = proposal.model {
        trailers.push(("Assisted-by".to_owned(), format!("kubectl-react:{}", one_line(model))));
    }
    trailers
}

/// The text of the pull request.
pub fn body(proposal: &Proposal<'_>) -> String {
    let Proposal { cause, front, .. } = proposal;
    let mut text = String::new();
    let _ = writeln!(text, "### What happened\n");
    fence(&mut text, &summary(cause));
    let _ = writeln!(text, "### Evidence\n");
    fence(&mut text, &evidence(cause));
    let _ = writeln!(text, "### What mended it\n");
    if proposal.done.is_empty() {
        let _ = writeln!(text, "Nothing yet: it is recorded as known, without a fix.\n");
    } else {
        fence(&mut text, &proposal.done.join("\n"));
    }
    if !proposal.proof.is_empty() {
        let _ = writeln!(text, "### Proof that it is over\n");
        fence(&mut text, &proposal.proof.join("\n"));
    }
    let _ = writeln!(text, "### What the runbook does\n");
    let _ = writeln!(
        text,
        "`{}`, for `{}`. Automation level `{}`: {}\n",
        proposal.path,
        cause.detector,
        word(front.automation.level),
        level(front.automation.level)
    );
    for news in proposal.news {
        let _ = writeln!(text, "- adds {news}");
    }
    if !proposal.news.is_empty() {
        text.push('\n');
    }
    if !proposal.fixes.is_empty() {
        let _ = writeln!(text, "```sh\n{}\n```\n", proposal.fixes.join("\n"));
        let dangers = dangers(proposal.fixes);
        if !dangers.is_empty() {
            let _ = writeln!(text, "Risk: it {}.\n", dangers.join("; it "));
        }
    }
    let _ = writeln!(text, "### Checks\n");
    match proposal.lint {
        [] => text += "- `kubectl react runbooks lint`: nothing against it\n",
        problems => {
            for problem in problems {
                let _ = writeln!(text, "- lint: {}", code(problem));
            }
        }
    }
    match proposal.near {
        [] => text += "- near duplicates: none found\n",
        near => {
            for near in near {
                let _ = writeln!(text, "- says nearly the same: {}", code(near));
            }
        }
    }
    let _ = write!(
        text,
        "\nIncident `{}`. Merging gives it authority: from then on `kubectl react diagnose` cites it. Read the commands as if you typed them.\n",
        proposal.incident
    );
    text
}

fn summary(cause: &Cause) -> String {
    let mut lines = vec![cause.summary.clone()];
    lines.extend(cause.consequences.iter().take(5).map(|consequence| format!("  then: {}", consequence.summary)));
    if cause.consequences.len() > 5 {
        lines.push(format!("  and {} more", cause.consequences.len() - 5));
    }
    lines.join("\n")
}

fn evidence(cause: &Cause) -> String {
    let lines = cause.evidence.iter().take(QUOTES).map(|evidence| {
        let source = match &evidence.source {
            Source::Field { object, path } => format!("{object} {path}"),
            Source::Event { object, reason } => format!("{object} event {reason}"),
            Source::Log { object, container, .. } => format!("{object} log of {container}"),
        };
        format!("{source}: {}", one_line(&evidence.quote))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn word(level: Level) -> &'static str {
    match level {
        Level::None => "none",
        Level::Suggest => "suggest",
        Level::Approve => "approve",
        Level::Auto => "auto",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::None => "a person reads it; nothing of it is offered to run.",
        Level::Suggest => "its fix is shown, and a person runs it.",
        Level::Approve => "its fix runs when a person says so.",
        Level::Auto => "its fix runs by itself.",
    }
}

/// A text in a fence that is longer than any in it.
fn fence(out: &mut String, text: &str) {
    let mut longest = 0;
    let mut run = 0;
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let mark = "`".repeat((longest + 1).max(3));
    let _ = writeln!(out, "{mark}text\n{}\n{mark}\n", crate::printable::printable(text).trim_end());
}

/// A text as code in a line.
fn code(text: &str) -> String {
    format!("`{}`", one_line(text).replace('`', "'"))
}
