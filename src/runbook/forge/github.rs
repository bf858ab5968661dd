//! GitHub, by the document "GitHub v3 REST API" (github/rest-api-description, `api.github.com`), operations `pulls/list`,
//! `pulls/create` and `pulls/update`.
//!
//! *Invariant:* a draft is asked for once; where the plan has none, the pull request is opened as one that is ready, and a
//! note says so.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::remote::Remote;
use super::wire::{Api, Ask, page};
use super::{Forge, ForgeError, Known, PullRequest};

pub(super) struct GitHub<'a> {
    pub(super) api: Api<'a>,
    pub(super) remote: &'a Remote,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    html_url: String,
    body: Option<String>,
    head: Branch,
    base: Branch,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(rename = "ref")]
    name: String,
}

impl GitHub<'_> {
    fn known(&self, pull: Pull) -> Result<Known, ForgeError> {
        let url = page(&self.api, &pull.html_url)?;
        Ok(Known { number: pull.number, url, body: pull.body.unwrap_or_default() })
    }

    async fn post(&self, pr: &PullRequest, draft: bool) -> Result<Known, ForgeError> {
        let path = ["repos", &self.remote.owner, &self.remote.repo, "pulls"];
        let body = json!({"title": pr.title, "body": pr.body, "head": pr.branch, "base": pr.base, "draft": draft});
        self.known(self.api.ask(Ask::send(Method::POST, &path, &[], body)).await?)
    }
}

impl Forge for GitHub<'_> {
    async fn find(&self, pr: &PullRequest) -> Result<Option<Known>, ForgeError> {
        let path = ["repos", &self.remote.owner, &self.remote.repo, "pulls"];
        let head = format!("{}:{}", self.remote.owner, pr.branch);
        let query = [("state", "open"), ("head", &head), ("base", &pr.base)];
        let pulls: Vec<Pull> = self.api.ask(Ask::get(&path, &query)).await?;
        // An owner who does not exist makes it list all.
        let pull = pulls.into_iter().find(|pull| pull.head.name == pr.branch && pull.base.name == pr.base);
        pull.map(|pull| self.known(pull)).transpose()
    }

    async fn create(&self, pr: &PullRequest, notes: &mut Vec<String>) -> Result<Known, ForgeError> {
        match self.post(pr, pr.draft).await {
            Err(error) if pr.draft && error.says_no_drafts() => {
                let known = self.post(pr, false).await?;
                notes.push("GitHub has no drafts in this repository: it is open for review".to_owned());
                Ok(known)
            }
            Ok(known) => {
                if pr.draft {
                    notes.push("GitHub asks code owners once it is ready for review".to_owned());
                }
                Ok(known)
            }
            refused => refused,
        }
    }

    async fn rewrite(&self, known: &Known, body: &str) -> Result<(), ForgeError> {
        let number = known.number.to_string();
        let path = ["repos", &self.remote.owner, &self.remote.repo, "pulls", &number];
        let _: Pull = self.api.ask(Ask::send(Method::PATCH, &path, &[], json!({"body": body}))).await?;
        Ok(())
    }
}
