//! The commit, the push and the pull request.
//!
//! *Invariant:* all text that goes out has been through the redactor once more, whatever it was made of; what failed half-way
//! leaves the rest in place, and says the command that goes on.

use sha2::{Digest, Sha256};

use super::request::Forge;
use super::sources::Sources;
use super::{Answer, RecordArgs};
use crate::cli::error::CommandError;
use crate::config::Settings;
use crate::model::Cause;
use crate::record::{Case, Done, Drafted, Proof, Verdict, pull};
use crate::redact::Redactor;
use crate::runbook::repo::hex;
use crate::runbook::repo::propose::{self, Edit, Message, Pushed, Wish};

/// What is proposed, ready to leave.
pub(super) struct Proposal {
    /// The runbook.
    pub(super) drafted: Drafted,
    /// The branch.
    pub(super) branch: String,
    /// The title of the pull request, and the first line of the commit.
    pub(super) title: String,
    /// The text of the pull request.
    pub(super) body: String,
    message: String,
    trailers: Vec<(String, String)>,
    /// Whether it is a draft.
    pub(super) draft: bool,
    signoff: bool,
    push: bool,
}

/// What became of it.
pub(super) struct Published {
    /// The branch that it shall be merged into.
    pub(super) base: String,
    /// The commit.
    pub(super) commit: String,
    /// The repository, without a password.
    pub(super) remote: String,
    /// Whether the repository has it.
    pub(super) pushed: Pushed,
    /// Whether the branch had it all.
    pub(super) unchanged: bool,
    /// What the server said to the push.
    pub(super) server: Vec<String>,
    /// The page of the pull request.
    pub(super) url: Option<String>,
    /// Whether it was open already.
    pub(super) updated: bool,
    /// Where a person opens it by hand.
    pub(super) compare: Option<String>,
    /// What else there is to know.
    pub(super) notes: Vec<String>,
}

impl Proposal {
    pub(super) fn new(
        args: &RecordArgs,
        case: &Case,
        proof: &Proof,
        cause: &Cause,
        answer: &Answer,
        drafted: &Drafted,
        redactor: &Redactor,
    ) -> Proposal {
        let mut done: Vec<String> = answer.done.iter().map(told).collect();
        done.extend(answer.words.clone());
        let proof = proof_lines(case, proof);
        let proposal = pull::Proposal {
            incident: &case.id,
            cause,
            front: &drafted.front,
            path: &drafted.path,
            news: &drafted.news,
            done: &done,
            fixes: &drafted.fixes,
            proof: &proof,
            lint: &drafted.lint,
            near: &drafted.near,
            model: drafted.model.as_deref(),
        };
        let sealed = |text: String| redactor.seal_texts(text).into_inner();
        Proposal {
            branch: args.branch.clone().unwrap_or_else(|| branch(drafted)),
            title: sealed(pull::title(&proposal)),
            body: sealed(pull::body(&proposal)),
            message: sealed(pull::message(&proposal)),
            trailers: pull::trailers(&proposal),
            drafted: drafted.clone(),
            draft: args.draft,
            signoff: args.signoff,
            push: !args.no_push,
        }
    }

    /// As git is asked for it.
    pub(super) fn wish(&self) -> Wish {
        Wish {
            branch: self.branch.clone(),
            edits: vec![Edit {
                path: self.drafted.path.clone(),
                content: self.drafted.text.clone(),
                base_blob: self.drafted.blob.clone(),
            }],
            message: Message {
                subject: self.title.clone(),
                body: self.message.clone(),
                trailers: self.trailers.clone(),
            },
            signoff: self.signoff,
            push: self.push,
            push_options: Vec::new(),
        }
    }
}

fn told(done: &Done) -> String {
    if done.object.is_empty() { done.what.clone() } else { format!("{}: {}", done.object, done.what) }
}

/// `react/NAME-HASH`: one branch for each runbook, so that one runbook has one pull request.
pub(super) fn branch(drafted: &Drafted) -> String {
    let hash = hex(Sha256::digest(drafted.path.as_bytes()).get(..3).unwrap_or_default());
    format!("react/{}-{hash}", drafted.front.name)
}

/// What was seen, and for how long.
fn proof_lines(case: &Case, proof: &Proof) -> Vec<String> {
    let mut lines = proof.seen.holds.clone();
    let cause = case.diagnosis.causes.get(proof.cause);
    let began = cause.and_then(|cause| cause.since).unwrap_or(case.time);
    match proof.verdict {
        Verdict::Proven { since, held } => {
            let took = since.as_second() - began.as_second();
            lines.push(format!("it took {} from its beginning, and held for {held} s", span(took)));
            lines
        }
        Verdict::SeenOnce => {
            lines.push("seen in one snapshot; that it stays so was not looked at".to_owned());
            lines
        }
        Verdict::NotFixed => Vec::new(),
    }
}

/// `12 min`, `3 h`.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Commits, pushes, and opens the pull request.
pub(super) fn publish(sources: &Sources, proposal: &Proposal, settings: &Settings) -> Result<Published, CommandError> {
    let wanted = sources.wanted.as_ref().ok_or_else(crate::cli::runbooks::no_repository)?;
    let forge = Forge::of(&wanted.source, &settings.forge)?;
    let mut wish = proposal.wish();
    if let Some(forge) = &forge {
        wish.push_options = forge.push_options(proposal, wanted.branch.as_deref());
    }
    let proposed = propose::propose(wanted, &wish, sources.sync)?;
    let published = Published {
        base: proposed.base,
        commit: proposed.commit,
        remote: proposed.remote,
        unchanged: proposed.unchanged,
        server: proposed.server,
        url: None,
        updated: false,
        compare: None,
        notes: proposed.notes,
        pushed: proposed.pushed,
    };
    Ok(match (&published.pushed, forge) {
        (Pushed::Yes | Pushed::UpToDate, Some(forge)) => forge.open(published, proposal),
        _ => published,
    })
}
