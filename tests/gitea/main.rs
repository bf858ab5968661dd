//! Pull requests on a real Gitea.
//!
//! `tests/gitea/up` builds and starts it; `REACT_TEST_GITEA` is its address, `REACT_TEST_GITEA_TOKEN_FILE` the file with
//! its token. Without them the tests say that they are skipped; `./test --extra` counts that. *Invariant:* each test has a
//! repository of its own, and the token stands in no argument.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![expect(clippy::print_stderr, reason = "what is skipped is told")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kubectl_react::runbook::forge::{
    Connection, ForgeError, ForgeKind, Opened, PullRequest, Remote, Token, Why, find, open, parse,
};
use reqwest::Method;
use serde_json::{Value, json};

/// A repository with `main` and a branch that is ahead of it.
struct Repository {
    server: String,
    token: String,
    name: String,
}

impl Repository {
    async fn fresh(test: &str) -> Option<Repository> {
        let (Ok(server), Ok(file)) = (std::env::var("REACT_TEST_GITEA"), std::env::var("REACT_TEST_GITEA_TOKEN_FILE"))
        else {
            eprintln!("skipped: a real Gitea (REACT_TEST_GITEA is not set; run ./test --extra)");
            return None;
        };
        // Whoever made a client before has set it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let token = std::fs::read_to_string(file).unwrap().trim().to_owned();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let repository = Repository { server, token, name: format!("{test}-{now}") };
        let (status, made) = repository.api(Method::POST, "user/repos", Some(json!({"name": repository.name}))).await;
        assert_eq!(status, 201, "{made}");
        repository.push();
        repository.await_push().await;
        Some(repository)
    }

    /// What was pushed is looked at a moment later: until then it answers that there is nothing.
    async fn await_push(&self) {
        let began = Instant::now();
        while self.api(Method::GET, &format!("repos/react/{}", self.name), None).await.1["empty"] != false {
            assert!(began.elapsed() < Duration::from_mins(1), "{} stays empty", self.name);
        }
    }

    fn url(&self) -> String {
        format!("{}/react/{}.git", self.server, self.name)
    }

    fn remote(&self) -> Remote {
        parse(&self.url(), Some(ForgeKind::Gitea)).unwrap()
    }

    fn push(&self) {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        self.git(at, &["init", "--quiet", "--initial-branch=main"]);
        self.git(at, &["commit", "--quiet", "--allow-empty", "--message=first"]);
        self.git(at, &["switch", "--quiet", "--create", "runbooks/oom-killed"]);
        std::fs::write(at.join("oom-killed.md"), "# Out of memory\n").unwrap();
        self.git(at, &["add", "."]);
        self.git(at, &["commit", "--quiet", "--message=A runbook"]);
        self.git(at, &["push", "--quiet", &self.url(), "main", "runbooks/oom-killed"]);
    }

    fn git(&self, at: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", at).current_dir(at);
        for (name, value) in [("NAME", "Ann"), ("EMAIL", "ann@example.test")] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "http.extraHeader")
            .env("GIT_CONFIG_VALUE_0", format!("Authorization: token {}", self.token));
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(method, format!("{}/api/v1/{path}", self.server));
        let mut request = request.header("authorization", format!("token {}", self.token));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// All of its pull requests.
    async fn pulls(&self) -> Vec<Value> {
        let path = format!("repos/react/{}/pulls?state=all", self.name);
        self.api(Method::GET, &path, None).await.1.as_array().unwrap().clone()
    }

    async fn opened(&self, token: &Token, pr: &PullRequest) -> Result<Opened, ForgeError> {
        open(&self.remote(), None, token, &Connection::default(), pr).await
    }

    fn token(&self) -> Token {
        Token::new(&self.token, "GITEA_TOKEN").unwrap()
    }
}

fn asked() -> PullRequest {
    PullRequest {
        title: "Runbook: out of memory".to_owned(),
        body: "## What happened\n\nä pod was killed".to_owned(),
        branch: "runbooks/oom-killed".to_owned(),
        base: "main".to_owned(),
        draft: false,
    }
}

#[tokio::test]
async fn it_is_opened_once_and_updated_then() {
    let Some(repository) = Repository::fresh("once").await else { return };
    let token = repository.token();
    let first = repository.opened(&token, &asked()).await.unwrap();
    assert!(!first.updated && first.notes.is_empty(), "{first:?}");
    assert_eq!(first.url, format!("{}/react/{}/pulls/{}", repository.server, repository.name, first.number));
    let again = repository.opened(&token, &asked()).await.unwrap();
    assert_eq!(again, Opened { updated: true, ..first });

    // A reviewer writes around our text, and changes the title.
    let ours = "<!-- kubectl-react -->\n## What happened\n\nä pod was killed\n<!-- /kubectl-react -->";
    let path = format!("repos/react/{}/pulls/{}", repository.name, again.number);
    let edit = json!({"title": "OOM", "body": format!("Ann: fine\n\n{ours}\n\n- [x] read")});
    let (status, edited) = repository.api(Method::PATCH, &path, Some(edit)).await;
    assert!((200..300).contains(&status), "{edited}");
    let other = PullRequest { body: "new".to_owned(), ..asked() };
    assert_eq!(repository.opened(&token, &other).await.unwrap(), again);
    let pulls = repository.pulls().await;
    assert_eq!(pulls.len(), 1);
    assert_eq!(pulls[0]["title"], "OOM");
    let body = "Ann: fine\n\n<!-- kubectl-react -->\nnew\n<!-- /kubectl-react -->\n\n- [x] read";
    assert_eq!(pulls[0]["body"].as_str().unwrap().replace("\r\n", "\n"), body);

    // One that is closed is not opened again.
    repository.api(Method::PATCH, &path, Some(json!({"state": "closed"}))).await;
    let second = repository.opened(&token, &asked()).await.unwrap();
    assert!(!second.updated && second.number != again.number, "{second:?}");
}

#[tokio::test]
async fn a_branch_is_opened_as_soon_as_it_is_pushed() {
    let Some(repository) = Repository::fresh("soon").await else { return };
    let (token, folder) = (repository.token(), tempfile::tempdir().unwrap());
    repository.git(folder.path(), &["clone", "--quiet", &repository.url(), "clone"]);
    let clone = folder.path().join("clone");
    for number in 0..5 {
        let branch = format!("runbooks/new-{number}");
        repository.git(&clone, &["switch", "--quiet", "--create", &branch, "origin/main"]);
        std::fs::write(clone.join(format!("{number}.md")), "# New\n").unwrap();
        repository.git(&clone, &["add", "."]);
        repository.git(&clone, &["commit", "--quiet", "--message=new"]);
        repository.git(&clone, &["push", "--quiet", "origin", &branch]);
        assert!(!repository.opened(&token, &PullRequest { branch, ..asked() }).await.unwrap().updated);
    }
    assert_eq!(repository.pulls().await.len(), 5);
}

#[tokio::test]
async fn a_draft_by_the_credentials_of_git() {
    let Some(repository) = Repository::fresh("draft").await else { return };
    let printed = format!("protocol=http\nusername=react\npassword={}\n", repository.token);
    let token = find(&repository.remote(), None, &|_| None, &|_| Some(printed.clone())).unwrap();
    let pr = PullRequest { draft: true, ..asked() };
    assert!(!repository.opened(&token, &pr).await.unwrap().updated);
    let pulls = repository.pulls().await;
    assert_eq!(pulls[0]["title"], "WIP: Runbook: out of memory");
    assert_eq!(pulls[0]["draft"], true);
}

#[tokio::test]
async fn what_it_refuses_is_understood() {
    let Some(repository) = Repository::fresh("refused").await else { return };
    let wrong = Token::new("0123456789012345678901234567890123456789", "GITEA_TOKEN").unwrap();
    let nowhere = parse(&format!("{}/react/nowhere", repository.server), Some(ForgeKind::Gitea)).unwrap();
    let unpushed = PullRequest { branch: "runbooks/never-pushed".to_owned(), ..asked() };
    let no_base = PullRequest { base: "release".to_owned(), ..asked() };
    let (right, connection) = (repository.token(), Connection::default());
    let came = [
        (repository.opened(&wrong, &asked()).await, Why::Token),
        (open(&nowhere, None, &right, &connection, &asked()).await, Why::Missing),
        (repository.opened(&right, &unpushed).await, Why::Missing),
        (repository.opened(&right, &no_base).await, Why::Missing),
    ];
    for (came, why) in came {
        let error = came.unwrap_err();
        eprintln!("{error}\n  {}", error.hint().unwrap());
        assert!(matches!(&error, ForgeError::Refused(refusal) if refusal.why == why), "{error}");
    }
    assert!(repository.pulls().await.is_empty());
}
