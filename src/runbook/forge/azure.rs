//! Azure DevOps, by the document "Git" (MicrosoftDocs/vsts-rest-api-specs, `specification/git/7.1/git.json`), operations
//! `Pull Requests - Get Pull Requests`, `Get Pull Request`, `Create` and `Update`.
//!
//! *Invariant:* a list cuts descriptions after 400 characters, so a description that is to be changed is read by itself.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::remote::Remote;
use super::wire::{Api, Ask};
use super::{Forge, ForgeError, Known, PullRequest};

/// Of the API.
const VERSION: (&str, &str) = ("api-version", "7.1");

pub(super) struct Azure<'a> {
    pub(super) api: Api<'a>,
    pub(super) remote: &'a Remote,
}

#[derive(Deserialize)]
struct List {
    value: Vec<Pull>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    #[serde(rename = "pullRequestId")]
    number: u64,
    description: Option<String>,
    source_ref_name: String,
    target_ref_name: String,
    /// There where the branch is of a fork.
    fork_source: Option<serde::de::IgnoredAny>,
}

fn branch(name: &str) -> String {
    format!("refs/heads/{name}")
}

impl Azure<'_> {
    /// The collection and the project, then what is behind them.
    fn path<'a>(&'a self, behind: &[&'a str]) -> Vec<&'a str> {
        let mut path: Vec<&str> = self.remote.owner.split('/').filter(|part| !part.is_empty()).collect();
        let project = self.remote.project.as_deref().unwrap_or(&self.remote.repo);
        path.extend([project, "_apis", "git", "repositories", &self.remote.repo, "pullrequests"]);
        path.extend(behind);
        path
    }

    /// The API names no page.
    fn known(&self, pull: Pull) -> Result<Known, ForgeError> {
        let number = pull.number;
        let url = self.remote.page(&["pullrequest", &number.to_string()]);
        let url = url.ok_or_else(|| self.api.odd("the repository has no page"))?;
        Ok(Known { number, url: url.into(), body: pull.description.unwrap_or_default() })
    }
}

impl Forge for Azure<'_> {
    async fn find(&self, pr: &PullRequest) -> Result<Option<Known>, ForgeError> {
        let (source, target) = (branch(&pr.branch), branch(&pr.base));
        let query = [
            ("searchCriteria.status", "active"),
            ("searchCriteria.sourceRefName", &source),
            ("searchCriteria.targetRefName", &target),
            VERSION,
        ];
        let list: List = self.api.ask(Ask::get(&self.path(&[]), &query)).await?;
        let ours = |pull: &Pull| {
            pull.source_ref_name == source && pull.target_ref_name == target && pull.fork_source.is_none()
        };
        let Some(pull) = list.value.into_iter().find(ours) else { return Ok(None) };
        let number = pull.number.to_string();
        let pull: Pull = self.api.ask(Ask::get(&self.path(&[&number]), &[VERSION])).await?;
        self.known(pull).map(Some)
    }

    async fn create(&self, pr: &PullRequest, _: &mut Vec<String>) -> Result<Known, ForgeError> {
        let body = json!({
            "title": pr.title,
            "description": pr.body,
            "sourceRefName": branch(&pr.branch),
            "targetRefName": branch(&pr.base),
            "isDraft": pr.draft,
        });
        self.known(self.api.ask(Ask::send(Method::POST, &self.path(&[]), &[VERSION], body)).await?)
    }

    async fn rewrite(&self, known: &Known, body: &str) -> Result<(), ForgeError> {
        let number = known.number.to_string();
        let path = self.path(&[&number]);
        let ask = Ask::send(Method::PATCH, &path, &[VERSION], json!({"description": body}));
        let _: Pull = self.api.ask(ask).await?;
        Ok(())
    }
}
