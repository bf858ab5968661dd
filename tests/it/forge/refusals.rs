//! What a forge says to refuse, and what a person is told.

use kubectl_react::runbook::forge::parse;
use reqwest::Url;

use super::servers::{AZURE, ForgeServer, GITEA, GITHUB, GITLAB, Rules, TOKEN};
use super::{asked, opened};
use crate::agent::model_server::Reply;

/// Names and values.
type Headers = &'static [(&'static str, &'static str)];
/// Which forge, to which method, the status, the headers and the body of its answer; what is said, with what to do.
type No = (&'static Rules, &'static str, u16, Headers, &'static str, &'static str, &'static str);

const TABLE: &[No] = &[
    (
        GITHUB,
        "GET",
        401,
        &[],
        r#"{"message": "Bad credentials"}"#,
        "GitHub at PLACE does not accept the token of A_TOKEN (401): Bad credentials",
        "make a new one, or leave A_TOKEN unset",
    ),
    (
        GITLAB,
        "GET",
        401,
        &[],
        r#"{"message": "401 Unauthorized"}"#,
        "GitLab at PLACE does not accept the token of A_TOKEN (401): 401 Unauthorized",
        "the scope `api`",
    ),
    (
        AZURE,
        "GET",
        203,
        &[],
        "<html>Sign in",
        "Azure DevOps at PLACE does not accept the token of A_TOKEN (203)",
        "`Code (read & write)`",
    ),
    (
        AZURE,
        "GET",
        302,
        &[("location", "https://login.test/")],
        "",
        "Azure DevOps at PLACE does not accept the token of A_TOKEN (302)",
        "make a new one",
    ),
    (
        GITEA,
        "GET",
        401,
        &[],
        r#"{"message": "invalid username, password or token"}"#,
        "Gitea at PLACE does not accept the token of A_TOKEN (401): invalid username, password or token",
        "`write:repository`",
    ),
    (
        GITHUB,
        "POST",
        403,
        &[],
        r#"{"message": "Resource not accessible by personal access token"}"#,
        "GitHub at PLACE does not allow it to the token of A_TOKEN (403): Resource not accessible by personal access token",
        "`Pull requests: write`",
    ),
    (
        GITHUB,
        "GET",
        403,
        &[("x-github-sso", "required; url=https://github.com/orgs/a/sso?t=x")],
        r#"{"message": "Resource protected by organization SAML enforcement."}"#,
        "GitHub at PLACE wants the token of A_TOKEN authorised for the organisation's single sign-on (403): Resource protected by organization SAML enforcement.",
        "Configure SSO",
    ),
    (
        GITLAB,
        "POST",
        403,
        &[],
        r#"{"error": "insufficient_scope", "error_description": "needs higher privileges", "scope": "api"}"#,
        "GitLab at PLACE does not allow it to the token of A_TOKEN (403): needs higher privileges; insufficient_scope",
        "the role Developer",
    ),
    (
        AZURE,
        "POST",
        403,
        &[],
        r#"{"message": "TF401027: You need the Git 'PullRequestContribute' permission"}"#,
        "Azure DevOps at PLACE does not allow it to the token of A_TOKEN (403): TF401027: You need the Git 'PullRequestContribute' permission",
        "`Code",
    ),
    (
        GITHUB,
        "GET",
        404,
        &[],
        r#"{"message": "Not Found"}"#,
        "GitHub at PLACE shows no such repository to the token of A_TOKEN (404): Not Found",
        "check the repository's address",
    ),
    (
        GITLAB,
        "GET",
        404,
        &[],
        r#"{"message": "404 Project Not Found"}"#,
        "GitLab at PLACE shows no such repository to the token of A_TOKEN (404): 404 Project Not Found",
        "a private one",
    ),
    (
        AZURE,
        "GET",
        404,
        &[],
        r#"{"message": "TF401019: The Git repository with name or identifier runbooks does not exist"}"#,
        "Azure DevOps at PLACE shows no such repository to the token of A_TOKEN (404): TF401019: The Git repository with name or identifier runbooks does not exist",
        "check",
    ),
    (
        GITEA,
        "POST",
        404,
        &[],
        r#"{"message": "The target couldn't be found."}"#,
        "Gitea at PLACE takes no pull request (404): The target couldn't be found.",
        "is the branch pushed?",
    ),
    (
        GITHUB,
        "GET",
        301,
        &[("location", "https://elsewhere.test/")],
        r#"{"message": "Moved Permanently"}"#,
        "GitHub at PLACE has the repository under another address (301): Moved Permanently",
        "git remote -v",
    ),
    (
        GITEA,
        "POST",
        409,
        &[],
        r#"{"message": "pull request already exists for these targets"}"#,
        "Gitea at PLACE says that there is a pull request already, and lists none (409): pull request already exists for these targets",
        "run it again",
    ),
    (
        GITHUB,
        "POST",
        422,
        &[],
        r#"{"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom", "message": "No commits between main and x"}]}"#,
        "GitHub at PLACE finds nothing in the branch that the base lacks (422): Validation Failed; No commits between main and x",
        "merged already",
    ),
    (
        GITHUB,
        "POST",
        422,
        &[],
        r#"{"message": "Validation Failed", "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid"}]}"#,
        "GitHub at PLACE does not have one of the branches (422): Validation Failed; head invalid",
        "push the branch first",
    ),
    (
        GITHUB,
        "POST",
        422,
        &[],
        r#"{"message": "Validation Failed", "errors": [{"message": "Repository rule violations found"}]}"#,
        "GitHub at PLACE refuses the pull request by a rule of the branch (422): Validation Failed; Repository rule violations found",
        "keeps the repository's rules",
    ),
    (
        GITLAB,
        "POST",
        403,
        &[],
        r#"{"message": "You are not allowed to use this protected branch"}"#,
        "GitLab at PLACE refuses the pull request by a rule of the branch (403): You are not allowed to use this protected branch",
        "another branch",
    ),
    (
        GITHUB,
        "POST",
        422,
        &[],
        r#"{"message": "Validation Failed", "errors": [{"field": "title", "code": "too_long", "message": "bad\u001b[2J\ntitle"}]}"#,
        "GitHub at PLACE does not take the pull request (422): Validation Failed; bad title",
        "open it by hand",
    ),
    (
        GITLAB,
        "POST",
        400,
        &[],
        r#"{"message": {"title": ["can't be blank"]}}"#,
        "GitLab at PLACE does not take the pull request (400): title can't be blank",
        "open it by hand",
    ),
    (
        AZURE,
        "POST",
        400,
        &[],
        r#"{"message": "TF401398: The pull request cannot be activated because the source branch no longer exists"}"#,
        "Azure DevOps at PLACE does not have one of the branches (400): TF401398: The pull request cannot be activated because the source branch no longer exists",
        "push",
    ),
    (
        GITHUB,
        "POST",
        403,
        &[],
        r#"{"message": "You have exceeded a secondary rate limit"}"#,
        "GitHub at PLACE had too many requests (403): You have exceeded a secondary rate limit",
        "nothing is lost",
    ),
    (
        GITHUB,
        "GET",
        403,
        &[
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1795694570"),
            ("date", "Thu, 26 Nov 2026 12:02:00 GMT"),
        ],
        r#"{"message": "API rate limit exceeded"}"#,
        "GitHub at PLACE had too many requests, and wants none for 50 s (403): API rate limit exceeded",
        "wait",
    ),
    (
        GITLAB,
        "GET",
        429,
        &[("retry-after", "60")],
        "Retry later",
        "GitLab at PLACE had too many requests, and wants none for 60 s (429): Retry later",
        "wait",
    ),
    (
        GITEA,
        "GET",
        502,
        &[],
        "<html><h1>Bad Gateway",
        "Gitea at PLACE has trouble of its own (502)",
        "run it again later",
    ),
    (
        AZURE,
        "POST",
        500,
        &[],
        r#"{"message": "TF400898: An Internal Error Occurred."}"#,
        "Azure DevOps at PLACE has trouble of its own (500): TF400898: An Internal Error Occurred.",
        "what is there already is found",
    ),
    (
        GITLAB,
        "GET",
        200,
        &[],
        "<html>Log in",
        "GitLab at PLACE gave an answer that is none of its API (200)",
        "wants a login",
    ),
    (
        GITLAB,
        "POST",
        201,
        &[],
        r#"{"iid": 1}"#,
        "GitLab at PLACE gave an answer that is none of its API (201)",
        "the address of the API",
    ),
];

#[tokio::test]
async fn every_no_says_what_to_do() {
    for (rules, method, status, headers, body, said, hint) in TABLE.iter().copied() {
        let server = ForgeServer::start(rules);
        let plain = Reply::raw(status, "application/json", body);
        let reply = headers.iter().fold(plain, |reply, (name, value)| reply.with(name, value));
        // It comes back with each try.
        (0..40).for_each(|_| server.instead(method, reply.clone()));
        let api = server.api();
        let (came, waits) = opened(&api, &parse(rules.remote, None).unwrap(), &asked()).await;
        let error = came.unwrap_err();
        let place = Url::parse(&api).unwrap();
        let said = said.replace("PLACE", &format!("127.0.0.1:{}", place.port().unwrap()));
        assert_eq!(error.to_string(), said);
        let told = error.hint().unwrap();
        assert!(told.contains(hint), "{said}\n{told}");
        assert!(!format!("{error:?}{error}{told}").contains(TOKEN), "{error:?}");
        assert!(waits.iter().sum::<u64>() <= 20, "{waits:?}");
        assert_eq!(server.wrong(), Vec::<String>::new());
    }
}
