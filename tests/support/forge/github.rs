//! GitHub, by "GitHub v3 REST API" of github/rest-api-description, version 2022-11-28: `pulls/list`, `pulls/create`,
//! `pulls/update`.

use serde_json::{Value, json};

use super::Type::{Bool, Other, Text};
use super::{Answer, Pull, Reply, Request, Rules, State};

pub(super) const RULES: Rules = Rules {
    name: "GitHub",
    remote: "git@github.com:acme/runbooks.git",
    base: "",
    access: "authorization: Bearer TOKEN",
    answer,
};

fn answer(request: &Request, state: &mut State) -> Answer {
    if request.header("accept") != "application/vnd.github+json" {
        return Err("not the media type that is recommended".to_owned());
    }
    if request.header("x-github-api-version") != "2022-11-28" {
        return Err("no version".to_owned());
    }
    match (&*request.method, request.parts().as_slice()) {
        ("GET", ["repos", "acme", "runbooks", "pulls"]) => {
            request.parameters(&[], &["state", "head", "base", "sort", "direction", "per_page", "page"])?;
            if !["", "open", "closed", "all"].contains(&request.parameter("state")) {
                return Err("no such state".to_owned());
            }
            let (head, base) = (request.parameter("head").to_owned(), request.parameter("base").to_owned());
            let fits = |pull: &Pull| {
                let label = format!("{}:{}", owner(pull), pull.branch);
                (head.is_empty() || head == label) && (base.is_empty() || base == pull.base)
            };
            Ok(Reply::json(200, &state.listed(fits).iter().map(shape).collect()))
        }
        ("POST", ["repos", "acme", "runbooks", "pulls"]) => {
            request.fields(
                &[("title", Text), ("head", Text), ("base", Text)],
                &[
                    ("body", Text),
                    ("draft", Bool),
                    ("maintainer_can_modify", Bool),
                    ("head_repo", Text),
                    ("issue", Other),
                ],
            )?;
            let (branch, base) = (request.text("head"), request.text("base"));
            if state.exists(&branch, &base) {
                return Ok(invalid(&format!("A pull request already exists for acme:{branch}."), "head"));
            }
            for (name, longest) in [("title", 256), ("body", 65_536)] {
                if request.text(name).chars().count() > longest {
                    return Ok(invalid(&format!("{name} is too long (maximum is {longest} characters)"), name));
                }
            }
            let (title, body, draft) = (request.text("title"), request.text("body"), request.flag("draft"));
            let pull = state.add(Pull { number: 0, title, body, branch, base, draft, fork: false });
            Ok(Reply::json(201, &shape(&pull)))
        }
        ("PATCH", ["repos", "acme", "runbooks", "pulls", number]) => {
            request.fields(
                &[],
                &[("title", Text), ("body", Text), ("state", Text), ("base", Text), ("maintainer_can_modify", Bool)],
            )?;
            let body = request.text("body");
            if body.chars().count() > 65_536 {
                return Ok(invalid("body is too long (maximum is 65536 characters)", "body"));
            }
            let Some(pull) = state.at(number) else { return Ok(missing()) };
            pull.body = body;
            Ok(Reply::json(200, &shape(pull)))
        }
        _ => Err("no such operation".to_owned()),
    }
}

fn owner(pull: &Pull) -> &'static str {
    if pull.fork { "ann" } else { "acme" }
}

fn shape(pull: &Pull) -> Value {
    let owner = owner(pull);
    json!({
        "url": format!("https://api.github.com/repos/acme/runbooks/pulls/{}", pull.number),
        "id": 1_000_000 + pull.number,
        "node_id": "PR_kwDO",
        "html_url": format!("https://github.com/acme/runbooks/pull/{}", pull.number),
        "number": pull.number,
        "state": "open",
        "locked": false,
        "title": pull.title,
        "user": {"login": "ann", "id": 1, "type": "User"},
        "body": if pull.body.is_empty() { Value::Null } else { pull.body.clone().into() },
        "labels": [],
        "draft": pull.draft,
        "head": {"label": format!("{owner}:{}", pull.branch), "ref": pull.branch, "sha": "0".repeat(40), "repo": {"full_name": format!("{owner}/runbooks")}},
        "base": {"label": format!("acme:{}", pull.base), "ref": pull.base, "sha": "1".repeat(40), "repo": {"full_name": "acme/runbooks"}},
        "merged_at": null,
    })
}

fn invalid(message: &str, field: &str) -> Reply {
    let error = json!({"resource": "PullRequest", "code": "custom", "field": field, "message": message});
    Reply::json(
        422,
        &json!({"message": "Validation Failed", "errors": [error], "documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request", "status": "422"}),
    )
}

fn missing() -> Reply {
    Reply::json(
        404,
        &json!({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}),
    )
}
