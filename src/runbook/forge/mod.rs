//! Pull requests: opened and updated on GitHub, GitLab, Azure DevOps, Gitea and Forgejo.
//!
//! *Invariant:* a branch has at most one open pull request into a base, however often it is opened. Of one that is open
//! nothing is written but what stands between our marks. A token goes to the API of its forge and nowhere else, over
//! https, and stands in no message.

mod azure;
mod body;
mod error;
mod gitea;
mod github;
mod gitlab;
mod program;
mod refusal;
mod remote;
mod token;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::Url;

pub use error::ForgeError;
pub use program::{Program, run};
pub use refusal::{Refusal, Why};
pub use remote::{Remote, parse};
pub use token::{Token, find};

/// What speaks which API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com, GitHub Enterprise Server, GitHub Enterprise Cloud with data residency.
    GitHub,
    /// gitlab.com and self-managed.
    GitLab,
    /// Azure DevOps Services and Server.
    AzureDevOps,
    /// Gitea, and Forgejo, which has kept its API.
    Gitea,
}

impl ForgeKind {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            ForgeKind::GitHub => "GitHub",
            ForgeKind::GitLab => "GitLab",
            ForgeKind::AzureDevOps => "Azure DevOps",
            ForgeKind::Gitea => "Gitea",
        }
    }

    /// The longest title and the longest description, counted as UTF-16 does, which no forge counts higher.
    fn limits(self) -> (usize, usize) {
        match self {
            ForgeKind::GitHub => (256, 65_536),
            ForgeKind::AzureDevOps => (400, 4_000),
            // Gitea's text has no limit, and nobody reads more.
            ForgeKind::GitLab | ForgeKind::Gitea => (255, 1_048_576),
        }
    }

    /// What a draft's title begins with, where that is what makes it one.
    fn draft_prefix(self) -> &'static str {
        match self {
            ForgeKind::GitHub | ForgeKind::AzureDevOps => "",
            ForgeKind::GitLab => "Draft: ",
            ForgeKind::Gitea => "WIP: ",
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its title; cut where it is too long for the forge.
    pub title: String,
    /// Markdown, already redacted; cut at the end of a line where it is too long for the forge.
    pub body: String,
    /// The branch with the commits, which is pushed already: `runbooks/oom`.
    pub branch: String,
    /// The branch that they are for.
    pub base: String,
    /// Whether it is not to be merged yet. One that is open keeps what its people made of it.
    pub draft: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its page.
    pub url: String,
    /// Its number.
    pub number: u64,
    /// It was open already.
    pub updated: bool,
    /// What is not as it was asked for, for people.
    pub notes: Vec<String>,
}

/// How long nothing is done.
pub type Pause = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// How a forge is reached.
#[derive(Clone)]
pub struct Connection {
    /// Certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// A proxy in the place of the system's.
    pub proxy: Option<String>,
    /// How to wait for a rate limit.
    pub pause: Pause,
}

impl Default for Connection {
    fn default() -> Connection {
        Connection { ca_file: None, proxy: None, pause: Arc::new(|time| Box::pin(tokio::time::sleep(time))) }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("ca_file", &self.ca_file).finish_non_exhaustive()
    }
}

/// Opens a pull request, or updates the one that this branch has into this base already. `api_base` is where the API is,
/// where that is not what the remote's host says.
///
/// # Errors
/// When the forge says no, or can't be asked.
pub async fn open(
    remote: &Remote,
    api_base: Option<&Url>,
    token: &Token,
    connection: &Connection,
    pr: &PullRequest,
) -> Result<Opened, ForgeError> {
    let Some(kind) = remote.kind else { return Err(ForgeError::Unknown { host: remote.host.clone() }) };
    let api = wire::Api::new(kind, remote, api_base, token, connection)?;
    match kind {
        ForgeKind::GitHub => settle(&github::GitHub { api, remote }, kind, pr).await,
        ForgeKind::GitLab => settle(&gitlab::GitLab { api, remote }, kind, pr).await,
        ForgeKind::AzureDevOps => settle(&azure::Azure { api, remote }, kind, pr).await,
        ForgeKind::Gitea => settle(&gitea::Gitea { api, remote }, kind, pr).await,
    }
}

/// A pull request as the forge has it.
struct Known {
    number: u64,
    url: String,
    body: String,
}

/// What each forge does in its own way.
trait Forge {
    /// The open pull request of this branch of this repository into this base.
    async fn find(&self, pr: &PullRequest) -> Result<Option<Known>, ForgeError>;
    /// A new one. Its title and body fit.
    async fn create(&self, pr: &PullRequest, notes: &mut Vec<String>) -> Result<Known, ForgeError>;
    /// Another body for an open one.
    async fn rewrite(&self, known: &Known, body: &str) -> Result<(), ForgeError>;
}

async fn settle(forge: &impl Forge, kind: ForgeKind, pr: &PullRequest) -> Result<Opened, ForgeError> {
    if let Some(known) = forge.find(pr).await? {
        return update(forge, kind, known, pr).await;
    }
    let mut notes = Vec::new();
    match forge.create(&fitting(kind, pr, &mut notes), &mut notes).await {
        Ok(Known { number, url, .. }) => Ok(Opened { url, number, updated: false, notes }),
        // Someone was faster: another run of ours, most likely.
        Err(error) if error.says_exists() => match forge.find(pr).await? {
            Some(known) => update(forge, kind, known, pr).await,
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

async fn update(forge: &impl Forge, kind: ForgeKind, known: Known, pr: &PullRequest) -> Result<Opened, ForgeError> {
    let mut notes = Vec::new();
    match body::merged(&known.body, &pr.body, kind.limits().1) {
        Some(body) => {
            if body.cut {
                notes.push(cut(kind, "description"));
            }
            if body.text != known.body {
                forge.rewrite(&known, &body.text).await?;
            }
        }
        None => notes.push(format!("its description is as long as {} allows, and stays as it is", kind.name())),
    }
    Ok(Opened { url: known.url, number: known.number, updated: true, notes })
}

/// The same within the limits of the forge, with our marks.
fn fitting(kind: ForgeKind, pr: &PullRequest, notes: &mut Vec<String>) -> PullRequest {
    let (longest_title, longest_body) = kind.limits();
    let prefix = if pr.draft { kind.draft_prefix() } else { "" };
    let title = body::title(prefix, &pr.title, longest_title);
    let body = body::marked(&pr.body, longest_body);
    for (what, is_cut) in [("title", title.cut), ("description", body.cut)] {
        if is_cut {
            notes.push(cut(kind, what));
        }
    }
    PullRequest { title: title.text, body: body.text, ..pr.clone() }
}

fn cut(kind: ForgeKind, what: &str) -> String {
    format!("the {what} is longer than {} allows, and cut", kind.name())
}
