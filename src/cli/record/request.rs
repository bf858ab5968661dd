//! The pull request: by the forge's API where there is a token, by options of the push where GitLab has none, else by a
//! person, on the page that is named.
//!
//! *Invariant:* the commit is pushed already, so nothing here fails the command: what did not work is a note with what to do.

use std::path::PathBuf;

use reqwest::Url;

use super::publish::{Proposal, Published};
use crate::cli::error::CommandError;
use crate::cli::runtime;
use crate::config::{ForgeChoice, ForgeSettings};
use crate::printable::one_line;
use crate::runbook::forge::{self, Connection, ForgeError, ForgeKind, PullRequest, Remote, Token};

/// Whom to ask for a pull request.
pub(super) struct Forge {
    remote: Remote,
    token: Result<Token, ForgeError>,
    api: Option<Url>,
    connection: Connection,
}

impl Forge {
    /// The forge of a repository; none where it has none, or none is wanted.
    pub(super) fn of(source: &str, settings: &ForgeSettings) -> Result<Option<Forge>, CommandError> {
        let kind = match *settings.kind {
            ForgeChoice::None => return Ok(None),
            ForgeChoice::Auto => None,
            ForgeChoice::GitHub => Some(ForgeKind::GitHub),
            ForgeChoice::GitLab => Some(ForgeKind::GitLab),
            ForgeChoice::Azure => Some(ForgeKind::AzureDevOps),
            ForgeChoice::Gitea => Some(ForgeKind::Gitea),
        };
        let Ok(remote) = forge::parse(source, kind) else { return Ok(None) };
        let api = match settings.url.as_deref() {
            Some(text) => Some(Url::parse(text).map_err(|error| {
                CommandError::new(format!("`forge.url` is no address: {error}"))
                    .hinted("https://HOST/api/v1, or the like")
            })?),
            None => None,
        };
        let env = |name: &str| std::env::var(name).ok();
        let token = forge::find(&remote, settings.token_env.as_deref(), &env, &forge::run);
        let connection = Connection {
            ca_file: settings.ca_file.as_deref().map(PathBuf::from),
            proxy: settings.proxy.value.clone(),
            ..Connection::default()
        };
        Ok(Some(Forge { remote, token, api, connection }))
    }

    /// Options of the push that open the request, where only they can: GitLab without a token.
    pub(super) fn push_options(&self, proposal: &Proposal, base: Option<&str>) -> Vec<String> {
        if self.remote.kind != Some(ForgeKind::GitLab) || self.token.is_ok() {
            return Vec::new();
        }
        let mut options = vec!["merge_request.create".to_owned()];
        let mut set = |name: &str, value: &str| options.push(format!("merge_request.{name}={}", one_line(value)));
        set("title", &proposal.title);
        // An option is one line; the text is in the commit and the file.
        set("description", &format!("Runbook {}, see the commit", proposal.drafted.path));
        if let Some(base) = base {
            set("target", base);
        }
        if proposal.draft {
            options.push("merge_request.draft".to_owned());
        }
        options
    }

    /// Opens it, or says where.
    pub(super) fn open(&self, mut published: Published, proposal: &Proposal) -> Published {
        published.compare = self.remote.compare_url(&published.base, &proposal.branch);
        // A server that opened one by the push says where it is.
        published.url = published.server.iter().find_map(|line| merge_request(line));
        if published.url.is_some() {
            return published;
        }
        let token = match &self.token {
            Ok(token) => token,
            Err(error) => {
                published.notes.push(told("no pull request was opened", error));
                return published;
            }
        };
        let request = PullRequest {
            title: proposal.title.clone(),
            body: proposal.body.clone(),
            branch: proposal.branch.clone(),
            base: published.base.clone(),
            draft: proposal.draft,
        };
        let opened = runtime::run(async {
            Ok(forge::open(&self.remote, self.api.as_ref(), token, &self.connection, &request).await)
        });
        match opened {
            Ok(Ok(opened)) => {
                published.url = Some(opened.url);
                published.updated = opened.updated;
                published.notes.extend(opened.notes);
            }
            Ok(Err(error)) => published.notes.push(told("no pull request was opened", &error)),
            Err(error) => published.notes.push(format!("no pull request was opened: {}", error.told())),
        }
        published
    }
}

fn told(what: &str, error: &ForgeError) -> String {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{what}: {error}{hint}")
}

/// The page of a merge request, where a line of a server names one that is there.
fn merge_request(line: &str) -> Option<String> {
    let word =
        line.split_whitespace().find(|word| word.starts_with("https://") && word.contains("/merge_requests/"))?;
    let number = word.rsplit('/').next()?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| word.to_owned())
}
