//! GitLab, by the page "Merge requests API" of its documentation (`doc/api/merge_requests.md`): list project merge
//! requests, create MR, update MR.
//!
//! *Invariant:* the merge request of a fork's branch with the same name is not taken for ours.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::remote::Remote;
use super::wire::{Api, Ask, page};
use super::{Forge, ForgeError, Known, PullRequest};

pub(super) struct GitLab<'a> {
    pub(super) api: Api<'a>,
    pub(super) remote: &'a Remote,
}

#[derive(Deserialize)]
struct MergeRequest {
    iid: u64,
    web_url: String,
    description: Option<String>,
    source_branch: String,
    target_branch: String,
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
}

impl GitLab<'_> {
    /// The path of the project, which is one part of an address.
    fn project(&self) -> String {
        format!("{}/{}", self.remote.owner, self.remote.repo)
    }

    fn known(&self, found: MergeRequest) -> Result<Known, ForgeError> {
        let url = page(&self.api, &found.web_url)?;
        Ok(Known { number: found.iid, url, body: found.description.unwrap_or_default() })
    }
}

impl Forge for GitLab<'_> {
    async fn find(&self, pr: &PullRequest) -> Result<Option<Known>, ForgeError> {
        let project = self.project();
        let path = ["projects", &project, "merge_requests"];
        let query = [("state", "opened"), ("source_branch", &pr.branch), ("target_branch", &pr.base)];
        let found: Vec<MergeRequest> = self.api.ask(Ask::get(&path, &query)).await?;
        let ours = |found: &MergeRequest| {
            found.source_branch == pr.branch
                && found.target_branch == pr.base
                && found.source_project_id == found.target_project_id
        };
        found.into_iter().find(ours).map(|found| self.known(found)).transpose()
    }

    async fn create(&self, pr: &PullRequest, _: &mut Vec<String>) -> Result<Known, ForgeError> {
        let project = self.project();
        let path = ["projects", &project, "merge_requests"];
        let body = json!({
            "title": pr.title,
            "description": pr.body,
            "source_branch": pr.branch,
            "target_branch": pr.base,
        });
        self.known(self.api.ask(Ask::send(Method::POST, &path, &[], body)).await?)
    }

    async fn rewrite(&self, known: &Known, body: &str) -> Result<(), ForgeError> {
        let (project, number) = (self.project(), known.number.to_string());
        let path = ["projects", &project, "merge_requests", &number];
        let ask = Ask::send(Method::PUT, &path, &[], json!({"description": body}));
        let _: MergeRequest = self.api.ask(ask).await?;
        Ok(())
    }
}
