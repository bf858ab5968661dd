//! Gitea and Forgejo, by the document "Gitea API" (`templates/swagger/v1_json.tmpl`), operations `repoListPullRequests`,
//! `repoCreatePullRequest` and `repoEditPullRequest`.
//!
//! *Invariant:* the list can't be narrowed to a branch, so it is read page by page, and no further than [`PAGES`].

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::remote::Remote;
use super::wire::{Api, Ask, page};
use super::{Forge, ForgeError, Known, PullRequest};

/// What is asked for at once; a server may give fewer.
const PAGE: &str = "50";
/// A repository of runbooks with more open pull requests has other worries.
const PAGES: usize = 40;

pub(super) struct Gitea<'a> {
    pub(super) api: Api<'a>,
    pub(super) remote: &'a Remote,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    html_url: String,
    body: Option<String>,
    head: Option<Branch>,
    base: Option<Branch>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(rename = "ref")]
    name: String,
    repo_id: i64,
}

impl Pull {
    /// From this branch of the repository itself into this base.
    fn is_of(&self, pr: &PullRequest) -> bool {
        let (Some(head), Some(base)) = (&self.head, &self.base) else { return false };
        head.name == pr.branch && base.name == pr.base && head.repo_id == base.repo_id
    }
}

impl Gitea<'_> {
    fn known(&self, pull: Pull) -> Result<Known, ForgeError> {
        let url = page(&self.api, &pull.html_url)?;
        Ok(Known { number: pull.number, url, body: pull.body.unwrap_or_default() })
    }
}

impl Forge for Gitea<'_> {
    async fn find(&self, pr: &PullRequest) -> Result<Option<Known>, ForgeError> {
        let path = ["repos", &self.remote.owner, &self.remote.repo, "pulls"];
        for number in 1..=PAGES {
            let number = number.to_string();
            let query = [("state", "open"), ("page", &*number), ("limit", PAGE)];
            let pulls: Vec<Pull> = self.api.ask(Ask::get(&path, &query)).await?;
            if pulls.is_empty() {
                break;
            }
            if let Some(pull) = pulls.into_iter().find(|pull| pull.is_of(pr)) {
                return self.known(pull).map(Some);
            }
        }
        Ok(None)
    }

    async fn create(&self, pr: &PullRequest, _: &mut Vec<String>) -> Result<Known, ForgeError> {
        let path = ["repos", &self.remote.owner, &self.remote.repo, "pulls"];
        let body = json!({"title": pr.title, "body": pr.body, "head": pr.branch, "base": pr.base});
        self.known(self.api.ask(Ask::send(Method::POST, &path, &[], body)).await?)
    }

    async fn rewrite(&self, known: &Known, body: &str) -> Result<(), ForgeError> {
        let number = known.number.to_string();
        let path = ["repos", &self.remote.owner, &self.remote.repo, "pulls", &number];
        let _: Pull = self.api.ask(Ask::send(Method::PATCH, &path, &[], json!({"body": body}))).await?;
        Ok(())
    }
}
