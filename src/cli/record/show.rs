//! What a person reads of it.
//!
//! *Invariant:* text of a cluster is stripped of control characters; data goes to standard output, all else is the caller's to
//! put on standard error.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::publish::{Proposal, Published};
use super::sources::Sources;
use crate::cli::error::CommandError;
use crate::cli::terminal;
use crate::output;
use crate::printable::{one_line, printable, wrapping};
use crate::record::{Case, Drafted, Proof};
use crate::runbook::repo::propose::Pushed;

/// Counts breaking changes of the output.
const SCHEMA_VERSION: &str = "kubectl-react/record/v1";

/// What is done, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    schema_version: &'static str,
    /// `planned`, `known`, `committed`, `pushed`, `opened`, `updated`.
    outcome: &'static str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    news: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compare_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_pushed: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    lint: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    near: &'a [String],
}

impl<'a> Report<'a> {
    fn of(drafted: &'a Drafted, outcome: &'static str) -> Report<'a> {
        Report {
            schema_version: SCHEMA_VERSION,
            outcome,
            path: &drafted.path,
            text: None,
            news: &drafted.news,
            title: None,
            body: None,
            branch: None,
            base: None,
            commit: None,
            url: None,
            compare_url: None,
            not_pushed: None,
            lint: &drafted.lint,
            near: &drafted.near,
        }
    }
}

/// One line while it is looked.
pub(super) fn looking(proof: &Proof, held: Option<i64>, settle: Duration) -> String {
    if let Some(held) = held {
        return format!("it holds, for {held} of {} s", settle.as_secs());
    }
    let first = proof.seen.fails.first().map_or("", String::as_str);
    one_line(&format!("waiting: {first}")).into_owned()
}

/// The error that says what still fails.
pub(super) fn not_fixed(case: &Case, proof: &Proof) -> CommandError {
    let fails: Vec<String> = proof.seen.fails.iter().take(4).map(|fail| one_line(fail).into_owned()).collect();
    let what = if fails.is_empty() { "what was broken is not seen to work".to_owned() } else { fails.join("; ") };
    CommandError::new(format!("incident {} is not over: {what}", case.id)).hinted(
        "mend it, and record again (a longer --timeout waits for it); `--unresolved` records it as known, without a fix",
    )
}

/// Which cause is over, and what shows it: read before anything is asked.
pub(super) fn over(case: &Case, proof: &Proof) -> String {
    let Some(cause) = case.diagnosis.causes.get(proof.cause) else { return String::new() };
    let mut page = format!("Incident {} is over:\n", case.id);
    page += &wrapped(&cause.summary, "  ", "  ");
    for held in &proof.seen.holds {
        page += &wrapped(held, "  - ", "    ");
    }
    let others = case.diagnosis.causes.len() - 1;
    if others > 0 {
        let of = proof.cause + 1;
        page += &wrapped(&format!("This is cause {of} of {}: --cause takes another.", others + 1), "  ", "  ");
    }
    page
}

/// As wide as the terminal; a word that is longer stays whole, to be copied.
pub(super) fn wrapped(text: &str, first: &str, others: &str) -> String {
    let options = wrapping(terminal::width()).initial_indent(first).subsequent_indent(others);
    textwrap::fill(&one_line(text), options) + "\n"
}

/// Nothing is to be added.
pub(super) fn known(drafted: &Drafted, sources: &Sources, format: &str) -> String {
    if format == "json" {
        return output::json(&Report::of(drafted, "known"));
    }
    let source = sources.wanted.as_ref().map(|wanted| crate::runbook::repo::shown(&wanted.source)).unwrap_or_default();
    one_line(&format!("{} of {source} says all of it already: there is nothing to add", drafted.path)).into_owned()
        + "\n"
}

/// The runbook and the pull request, as they would be.
pub(super) fn dry_run(proposal: &Proposal, format: &str) -> String {
    let drafted = &proposal.drafted;
    if format == "json" {
        return output::json(&Report {
            text: Some(&drafted.text),
            title: Some(&proposal.title),
            body: Some(&proposal.body),
            branch: Some(&proposal.branch),
            ..Report::of(drafted, "planned")
        });
    }
    let mut page = format!("# {} on branch {}\n\n{}\n", drafted.path, proposal.branch, drafted.text.trim_end());
    let _ = write!(page, "\n# pull request: {}\n\n{}", proposal.title, proposal.body);
    printable(&page).into_owned()
}

/// What a person sees before it is committed.
pub(super) fn before_commit(proposal: &Proposal) -> String {
    let drafted = &proposal.drafted;
    let verb = if drafted.blob.is_some() { "change" } else { "add" };
    let mut page = format!("\nThis would {verb} {} on branch {}:\n\n", drafted.path, proposal.branch);
    for line in drafted.text.lines() {
        let _ = writeln!(page, "  {line}");
    }
    for news in &drafted.news {
        let _ = writeln!(page, "\nnew in it: {news}");
    }
    page.push('\n');
    printable(&page).into_owned()
}

/// What became of it.
pub(super) fn published(published: &Published, proposal: &Proposal, format: &str) -> String {
    let drafted = &proposal.drafted;
    let outcome = match (&published.url, &published.pushed) {
        (Some(_), _) if published.updated => "updated",
        (Some(_), _) => "opened",
        (None, Pushed::Yes | Pushed::UpToDate) => "pushed",
        (None, Pushed::No | Pushed::Failed { .. }) => "committed",
    };
    let not_pushed = match &published.pushed {
        Pushed::Failed { reason, .. } => Some(reason.as_str()),
        _ => None,
    };
    if format == "json" {
        return output::json(&Report {
            title: Some(&proposal.title),
            branch: Some(&proposal.branch),
            base: Some(&published.base),
            commit: Some(&published.commit),
            url: published.url.as_deref(),
            compare_url: published.compare.as_deref(),
            not_pushed,
            ..Report::of(drafted, outcome)
        });
    }
    let short = published.commit.get(..12).unwrap_or(&published.commit);
    let verb = if published.unchanged { "committed before:" } else { "committed" };
    let mut page = format!("{verb} {}@{short}\non branch {}\n", drafted.path, proposal.branch);
    match &published.pushed {
        Pushed::Yes => _ = writeln!(page, "pushed to {}", published.remote),
        Pushed::UpToDate => _ = writeln!(page, "{} has the branch already", published.remote),
        Pushed::No => page += "not pushed\n",
        Pushed::Failed { reason, hint } => _ = writeln!(page, "not pushed: {reason}\nto push it: {hint}"),
    }
    match (&published.url, &published.compare) {
        (Some(url), _) if published.updated => _ = writeln!(page, "pull request, open already: {url}"),
        (Some(url), _) => _ = writeln!(page, "pull request: {url}"),
        (None, Some(compare)) => _ = writeln!(page, "open the pull request here: {compare}"),
        (None, None) => {}
    }
    printable(&page).into_owned()
}
