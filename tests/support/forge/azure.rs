//! Azure DevOps, by "Git" of MicrosoftDocs/vsts-rest-api-specs (`specification/git/7.1/git.json`) and its examples:
//! `Pull Requests - Get Pull Requests`, `Get Pull Request`, `Create`, `Update`.

use serde_json::{Value, json};

use super::Type::{Bool, Other, Text};
use super::{Answer, Pull, Reply, Request, Rules, State};

pub(super) const RULES: Rules = Rules {
    name: "Azure DevOps",
    remote: "git@ssh.dev.azure.com:v3/acme/Team%20SRE/runbooks",
    base: "",
    // `:TOKEN` in base64.
    access: "authorization: Basic OnQwa2VuLWNhbmFyeS03ZjNh",
    answer,
};

fn answer(request: &Request, state: &mut State) -> Answer {
    if request.parameter("api-version") != "7.1" {
        return Err("no version".to_owned());
    }
    let ["acme", "Team SRE", "_apis", "git", "repositories", "runbooks", "pullrequests", behind @ ..] =
        &*request.parts()
    else {
        return Err("no such path".to_owned());
    };
    match (&*request.method, behind) {
        ("GET", []) => {
            request.parameters(
                &["api-version"],
                &[
                    "searchCriteria.status",
                    "searchCriteria.sourceRefName",
                    "searchCriteria.targetRefName",
                    "searchCriteria.creatorId",
                    "searchCriteria.reviewerId",
                    "searchCriteria.includeLinks",
                    "$top",
                    "$skip",
                ],
            )?;
            if !["abandoned", "active", "all", "completed", "notSet"]
                .contains(&request.parameter("searchCriteria.status"))
            {
                return Err("no such status".to_owned());
            }
            let source = request.parameter("searchCriteria.sourceRefName").to_owned();
            let target = request.parameter("searchCriteria.targetRefName").to_owned();
            let fits = |pull: &Pull| {
                (source.is_empty() || source == format!("refs/heads/{}", pull.branch))
                    && (target.is_empty() || target == format!("refs/heads/{}", pull.base))
            };
            let mut found: Vec<Value> = state.listed(fits).iter().map(shape).collect();
            for pull in &mut found {
                let short: String = pull["description"].as_str().unwrap_or_default().chars().take(400).collect();
                pull["description"] = short.into();
            }
            Ok(Reply::json(200, &json!({"value": found, "count": found.len()})))
        }
        ("GET", [number]) => {
            request.parameters(&["api-version"], &["includeCommits", "includeWorkItemRefs"])?;
            Ok(state.at(number).map_or_else(missing, |pull| Reply::json(200, &shape(pull))))
        }
        ("POST", []) => create(request, state),
        ("PATCH", [number]) => {
            request.parameters(&["api-version"], &[])?;
            request.fields(
                &[],
                &[
                    ("title", Text),
                    ("description", Text),
                    ("status", Text),
                    ("targetRefName", Text),
                    ("completionOptions", Other),
                    ("mergeOptions", Other),
                    ("autoCompleteSetBy", Other),
                ],
            )?;
            let body = request.text("description");
            if body.encode_utf16().count() > 4000 {
                return Ok(too_long());
            }
            let Some(pull) = state.at(number) else { return Ok(missing()) };
            pull.body = body;
            Ok(Reply::json(200, &shape(pull)))
        }
        _ => Err("no such operation".to_owned()),
    }
}

fn create(request: &Request, state: &mut State) -> Answer {
    request.parameters(&["api-version"], &["supportsIterations"])?;
    request.fields(
        &[("sourceRefName", Text), ("targetRefName", Text), ("title", Text)],
        &[("description", Text), ("isDraft", Bool), ("reviewers", Other), ("labels", Other), ("workItemRefs", Other)],
    )?;
    let branch = |name: &str| {
        let text = request.text(name);
        text.strip_prefix("refs/heads/").map(str::to_owned).ok_or(format!("`{name}` is no ref: {text}"))
    };
    let (branch, base) = (branch("sourceRefName")?, branch("targetRefName")?);
    if state.exists(&branch, &base) {
        return Ok(error(
            409,
            "GitPullRequestExistsException",
            "TF401179: An active pull request for the source and target branch already exists.",
        ));
    }
    let (title, body, draft) = (request.text("title"), request.text("description"), request.flag("isDraft"));
    if body.encode_utf16().count() > 4000 || title.encode_utf16().count() > 400 {
        return Ok(too_long());
    }
    let pull = state.add(Pull { number: 0, title, body, branch, base, draft, fork: false });
    Ok(Reply::json(201, &shape(&pull)))
}

fn shape(pull: &Pull) -> Value {
    let repository = json!({"id": "3411ebc1-d5aa-464f-9615-0b527bc66719", "name": "runbooks", "project": {"name": "Team SRE", "state": "wellFormed"}});
    let mut shape = json!({
        "repository": repository,
        "pullRequestId": pull.number,
        "codeReviewId": pull.number,
        "status": "active",
        "createdBy": {"id": "d6245f20-2af8-44f4-9451-8107cb2767db", "displayName": "Ann", "uniqueName": "ann@acme.test"},
        "creationDate": "2026-11-20T08:00:00.0000000Z",
        "title": pull.title,
        "sourceRefName": format!("refs/heads/{}", pull.branch),
        "targetRefName": format!("refs/heads/{}", pull.base),
        "mergeStatus": "queued",
        "isDraft": pull.draft,
        "reviewers": [],
        "url": format!("https://dev.azure.com/acme/_apis/git/repositories/3411ebc1/pullRequests/{}", pull.number),
        "supportsIterations": true,
    });
    // One without a description has no such field.
    if !pull.body.is_empty() {
        shape["description"] = pull.body.clone().into();
    }
    if pull.fork {
        shape["forkSource"] =
            json!({"name": format!("refs/heads/{}", pull.branch), "repository": {"name": "runbooks.ann"}});
    }
    shape
}

fn error(status: u16, kind: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"$id": "1", "innerException": null, "message": message, "typeName": format!("Microsoft.TeamFoundation.Git.Server.{kind}"), "typeKey": kind, "errorCode": 0, "eventId": 3000}),
    )
}

fn too_long() -> Reply {
    error(
        400,
        "InvalidArgumentValueException",
        "Invalid argument value.\r\nParameter name: Invalid pull request description. It must not exceed 4000 characters.",
    )
}

fn missing() -> Reply {
    error(404, "GitPullRequestNotFoundException", "TF401180: The requested pull request was not found.")
}
