//! GitLab, by "Merge requests API" of its documentation (`doc/api/merge_requests.md`): list project merge requests, create
//! MR, update MR; and by "REST API" for the path of a project and the token.

use serde_json::{Value, json};

use super::Type::{Bool, Other, Text};
use super::{Answer, Pull, Reply, Request, Rules, State};

pub(super) const RULES: Rules = Rules {
    name: "GitLab",
    remote: "git@gitlab.com:acme/sre/runbooks.git",
    base: "/api/v4",
    access: "private-token: TOKEN",
    answer,
};

/// Of a list.
const PARAMETERS: &[&str] = &[
    "state",
    "source_branch",
    "target_branch",
    "scope",
    "order_by",
    "sort",
    "iids[]",
    "milestone",
    "labels",
    "view",
    "search",
    "in",
    "wip",
    "author_id",
    "per_page",
    "page",
    "created_after",
    "updated_after",
];

fn answer(request: &Request, state: &mut State) -> Answer {
    match (&*request.method, request.parts().as_slice()) {
        ("GET", ["projects", "acme/sre/runbooks", "merge_requests"]) => {
            request.parameters(&[], PARAMETERS)?;
            if !["opened", "closed", "locked", "merged", "all"].contains(&request.parameter("state")) {
                return Err("no such state".to_owned());
            }
            let branch = request.parameter("source_branch").to_owned();
            let base = request.parameter("target_branch").to_owned();
            let fits =
                |pull: &Pull| (branch.is_empty() || branch == pull.branch) && (base.is_empty() || base == pull.base);
            Ok(Reply::json(200, &state.listed(fits).iter().map(shape).collect()))
        }
        ("POST", ["projects", "acme/sre/runbooks", "merge_requests"]) => {
            request.fields(
                &[("source_branch", Text), ("target_branch", Text), ("title", Text)],
                &[
                    ("description", Text),
                    ("assignee_id", Other),
                    ("assignee_ids", Other),
                    ("labels", Other),
                    ("milestone_id", Other),
                    ("remove_source_branch", Bool),
                    ("reviewer_ids", Other),
                    ("squash", Bool),
                    ("target_project_id", Other),
                    ("allow_collaboration", Bool),
                ],
            )?;
            let (branch, base) = (request.text("source_branch"), request.text("target_branch"));
            if let Some(pull) = state.pulls.iter().find(|pull| !pull.fork && pull.branch == branch && pull.base == base)
            {
                let message =
                    format!("Another open merge request already exists for this source branch: !{}", pull.number);
                return Ok(Reply::json(409, &json!({"message": [message]})));
            }
            let (title, body) = (request.text("title"), request.text("description"));
            if title.chars().count() > 255 || body.chars().count() > 1_048_576 {
                return Ok(Reply::json(
                    400,
                    &json!({"message": {"title": ["is too long (maximum is 255 characters)"]}}),
                ));
            }
            let draft = title.starts_with("Draft: ");
            let pull = state.add(Pull { number: 0, title, body, branch, base, draft, fork: false });
            Ok(Reply::json(201, &shape(&pull)))
        }
        ("PUT", ["projects", "acme/sre/runbooks", "merge_requests", number]) => {
            request.fields(
                &[],
                &[
                    ("title", Text),
                    ("description", Text),
                    ("target_branch", Text),
                    ("state_event", Text),
                    ("labels", Other),
                    ("assignee_ids", Other),
                    ("remove_source_branch", Bool),
                    ("squash", Bool),
                ],
            )?;
            let body = request.text("description");
            let Some(pull) = state.at(number) else {
                return Ok(Reply::json(404, &json!({"message": "404 Not found"})));
            };
            pull.body = body;
            Ok(Reply::json(200, &shape(pull)))
        }
        _ => Err("no such operation".to_owned()),
    }
}

fn shape(pull: &Pull) -> Value {
    json!({
        "id": 900 + pull.number,
        "iid": pull.number,
        "project_id": 7,
        "title": pull.title,
        "description": pull.body,
        "state": "opened",
        "created_at": "2026-11-20T08:00:00.000Z",
        "target_branch": pull.base,
        "source_branch": pull.branch,
        "author": {"id": 1, "username": "ann", "state": "active"},
        "source_project_id": if pull.fork { 8 } else { 7 },
        "target_project_id": 7,
        "labels": [],
        "draft": pull.draft,
        "work_in_progress": pull.draft,
        "detailed_merge_status": "checking",
        "sha": "0".repeat(40),
        "web_url": format!("https://gitlab.com/acme/sre/runbooks/-/merge_requests/{}", pull.number),
    })
}
