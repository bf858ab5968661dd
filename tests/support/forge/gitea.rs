//! Gitea and Forgejo, by "Gitea API" (`templates/swagger/v1_json.tmpl`): `repoListPullRequests`,
//! `repoCreatePullRequest` (`CreatePullRequestOption`), `repoEditPullRequest` (`EditPullRequestOption`).

use serde_json::{Value, json};

use super::Type::{Bool, Other, Text};
use super::{Answer, Pull, Reply, Request, Rules, State};

pub(super) const RULES: Rules = Rules {
    name: "Gitea",
    remote: "https://gitea.com/sre/runbooks.git",
    base: "/api/v1",
    access: "authorization: token TOKEN",
    answer,
};

/// `api.MAX_RESPONSE_ITEMS` of a small server.
const MOST: usize = 3;

fn answer(request: &Request, state: &mut State) -> Answer {
    match (&*request.method, request.parts().as_slice()) {
        ("GET", ["repos", "sre", "runbooks", "pulls"]) => {
            request
                .parameters(&[], &["base_branch", "state", "sort", "milestone", "labels", "poster", "page", "limit"])?;
            if !["open", "closed", "all"].contains(&request.parameter("state")) {
                return Err("no such state".to_owned());
            }
            let number =
                |name: &str| request.parameter(name).parse::<usize>().map_err(|_| format!("`{name}` is no number"));
            let (page, limit) = (number("page")?, number("limit")?.min(MOST));
            let all = state.listed(|_| true);
            let pulls = all.iter().skip((page - 1) * limit).take(limit);
            Ok(Reply::json(200, &pulls.map(shape).collect()).with("x-total-count", &all.len().to_string()))
        }
        ("POST", ["repos", "sre", "runbooks", "pulls"]) => {
            request.fields(
                &[("head", Text), ("base", Text), ("title", Text)],
                &[
                    ("body", Text),
                    ("assignee", Text),
                    ("assignees", Other),
                    ("milestone", Other),
                    ("labels", Other),
                    ("due_date", Text),
                    ("reviewers", Other),
                    ("team_reviewers", Other),
                    ("allow_maintainer_edit", Bool),
                ],
            )?;
            let (branch, base) = (request.text("head"), request.text("base"));
            if state.exists(&branch, &base) {
                return Ok(error(
                    409,
                    &format!(
                        "pull request already exists for these targets [id: 1, issue_id: 1, head_repo_id: 1, base_repo_id: 1, head_branch: {branch}, base_branch: {base}]"
                    ),
                ));
            }
            let (title, body) = (request.text("title"), request.text("body"));
            if title.chars().count() > 255 {
                return Ok(error(422, "[]: title is too long"));
            }
            let draft = title.starts_with("WIP:");
            let pull = state.add(Pull { number: 0, title, body, branch, base, draft, fork: false });
            Ok(Reply::json(201, &shape(&pull)))
        }
        ("PATCH", ["repos", "sre", "runbooks", "pulls", number]) => {
            request.fields(
                &[],
                &[
                    ("title", Text),
                    ("body", Text),
                    ("base", Text),
                    ("assignee", Text),
                    ("assignees", Other),
                    ("milestone", Other),
                    ("labels", Other),
                    ("state", Text),
                    ("due_date", Text),
                    ("unset_due_date", Bool),
                    ("allow_maintainer_edit", Bool),
                ],
            )?;
            let body = request.text("body");
            let Some(pull) = state.at(number) else {
                return Ok(error(404, "The target couldn't be found."));
            };
            pull.body = body;
            Ok(Reply::json(201, &shape(pull)))
        }
        _ => Err("no such operation".to_owned()),
    }
}

fn shape(pull: &Pull) -> Value {
    let branch = |name: &str, repo: u64| json!({"label": name, "ref": name, "sha": "0".repeat(40), "repo_id": repo, "repo": {"id": repo, "name": "runbooks"}});
    json!({
        "id": 500 + pull.number,
        "url": format!("https://gitea.com/sre/runbooks/pulls/{}", pull.number),
        "number": pull.number,
        "user": {"id": 1, "login": "ann"},
        "title": pull.title,
        "body": pull.body,
        "labels": [],
        "state": "open",
        "draft": pull.draft,
        "html_url": format!("https://gitea.com/sre/runbooks/pulls/{}", pull.number),
        "mergeable": true,
        "merged": false,
        "merged_at": null,
        "base": branch(&pull.base, 4),
        "head": branch(&pull.branch, if pull.fork { 5 } else { 4 }),
        "created_at": "2026-11-20T08:00:00Z",
    })
}

fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"message": message, "url": "https://gitea.com/api/swagger"}))
}
