//! Pull requests on servers that hold every request against the published API of their forge.
//!
//! *Invariant:* nothing here leaves this machine, and nothing waits: rate limits are counted, not slept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kubectl_react::runbook::forge::{
    Connection, ForgeError, ForgeKind, Opened, PullRequest, Remote, Token, open, parse,
};
use reqwest::Url;
use serde_json::json;

use crate::agent::model_server::{self, ModelServer, Reply};

mod refusals;

#[path = "../../support/forge/mod.rs"]
pub(crate) mod servers;

use servers::{ALL, AZURE, ForgeServer, GITEA, GITHUB, GITLAB, Pull, Rules, TOKEN};

const VARIABLE: &str = "A_TOKEN";

fn asked() -> PullRequest {
    PullRequest {
        title: "Runbook: out of memory".to_owned(),
        body: "## What happened\n\nä pod was killed".to_owned(),
        branch: "runbooks/oom-killed".to_owned(),
        base: "main".to_owned(),
        draft: false,
    }
}

/// A pull request of the same branch as a server has it.
fn there() -> Pull {
    let PullRequest { title, body, branch, base, draft } = asked();
    Pull { number: 0, title, body, branch, base, draft, fork: false }
}

/// What came of it, and how long it would have waited.
async fn opened(api: &str, remote: &Remote, pr: &PullRequest) -> (Result<Opened, ForgeError>, Vec<u64>) {
    let waits = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&waits);
    let pause = Arc::new(move |time: Duration| -> futures::future::BoxFuture<'static, ()> {
        kept.lock().unwrap().push(time.as_secs());
        Box::pin(std::future::ready(()))
    });
    let connection = Connection { pause, ..Connection::default() };
    let token = Token::new(TOKEN, VARIABLE).unwrap();
    let came = open(remote, Some(&api.parse().unwrap()), &token, &connection, pr).await;
    let waits = waits.lock().unwrap().clone();
    (came, waits)
}

/// The same on a forge, which must find nothing wrong with it.
async fn on(server: &ForgeServer, rules: &Rules, pr: &PullRequest) -> Opened {
    let (came, _) = opened(&server.api(), &parse(rules.remote, None).unwrap(), pr).await;
    assert_eq!(server.wrong(), Vec::<String>::new(), "{}", rules.name);
    came.unwrap()
}

/// The text between our marks.
fn marked(text: &str) -> String {
    format!("<!-- kubectl-react -->\n{text}\n<!-- /kubectl-react -->")
}

#[tokio::test]
async fn a_branch_has_one_pull_request_however_often_it_is_opened() {
    for rules in ALL {
        let server = ForgeServer::start(rules);
        let first = on(&server, rules, &asked()).await;
        assert!(first.number == 1 && !first.updated && first.notes.is_empty(), "{}: {first:?}", rules.name);
        let page = Url::parse(&first.url).unwrap();
        assert!(page.scheme() == "https" && page.path().ends_with("/1"), "{}: {page}", rules.name);
        assert_eq!(server.pulls(), [Pull { number: 1, body: marked(&asked().body), ..there() }], "{}", rules.name);

        // The same again changes nothing, and writes nothing.
        let before = server.methods().len();
        let again = on(&server, rules, &asked()).await;
        assert_eq!(again, Opened { updated: true, ..first.clone() }, "{}", rules.name);
        assert!(server.methods().iter().skip(before).all(|method| method == "GET"), "{}", rules.name);

        // Another text goes between the marks; a title is its people's.
        let other = PullRequest { title: "Other".to_owned(), body: "new".to_owned(), draft: true, ..asked() };
        assert_eq!(on(&server, rules, &other).await, again, "{}", rules.name);
        assert_eq!(server.pulls(), [Pull { number: 1, body: marked("new"), ..there() }], "{}", rules.name);
    }
}

#[tokio::test]
async fn what_a_reviewer_wrote_stays() {
    for rules in ALL {
        let server = ForgeServer::start(rules);
        // Longer than what Azure shows in a list.
        let around = ("Ann was here. ".repeat(40), "\n\n- [x] looked at");
        server.plant(Pull { body: format!("{}{}{}", around.0, marked("old"), around.1), ..there() });
        let came = on(&server, rules, &asked()).await;
        assert!(came.updated && came.number == 1, "{}", rules.name);
        let expected = format!("{}{}{}", around.0, marked(&asked().body), around.1);
        assert_eq!(server.pulls()[0].body, expected, "{}", rules.name);
    }
}

#[tokio::test]
async fn another_branch_base_or_fork_is_another_pull_request() {
    for rules in ALL {
        let server = ForgeServer::start(rules);
        let others = [
            Pull { branch: "runbooks/oom".to_owned(), ..there() },
            Pull { base: "release".to_owned(), ..there() },
            Pull { fork: true, ..there() },
            Pull { branch: "main".to_owned(), base: "runbooks/oom-killed".to_owned(), ..there() },
        ];
        for pull in &others {
            server.plant(pull.clone());
        }
        let first = on(&server, rules, &asked()).await;
        assert!(!first.updated && first.number == 5, "{}: {first:?}", rules.name);
        // The fifth is on the second page of a small Gitea.
        let again = on(&server, rules, &asked()).await;
        assert!(again.updated && again.number == 5, "{}: {again:?}", rules.name);
        assert!(server.pulls().iter().zip(&others).all(|(pull, other)| pull.body == other.body), "{}", rules.name);
    }
}

#[tokio::test]
async fn who_was_slower_updates() {
    for rules in ALL {
        let server = ForgeServer::start(rules);
        server.plant(there());
        server.fall_behind();
        let came = on(&server, rules, &asked()).await;
        assert!(came.updated && came.number == 1, "{}: {came:?}", rules.name);
        assert!(server.methods().contains(&"POST".to_owned()), "{}: there was no race", rules.name);
        assert_eq!(server.pulls().len(), 1, "{}", rules.name);
    }
}

#[tokio::test]
async fn drafts_are_said_in_four_ways() {
    let pr = PullRequest { draft: true, ..asked() };
    let titles = [(GITHUB, ""), (GITLAB, "Draft: "), (AZURE, ""), (GITEA, "WIP: ")];
    for (rules, prefix) in titles {
        let server = ForgeServer::start(rules);
        let came = on(&server, rules, &pr).await;
        // GitHub asks nobody to review a draft.
        assert!(!came.updated && came.notes.is_empty() == (rules.name != GITHUB.name), "{}: {came:?}", rules.name);
        let title = format!("{prefix}{}", pr.title);
        assert!(server.pulls()[0].draft && server.pulls()[0].title == title, "{}", rules.name);
    }
    // A plan without drafts.
    let server = ForgeServer::start(GITHUB);
    let no = json!({"message": "Draft pull requests are not supported in this repository.", "documentation_url": "https://docs.github.com/rest", "status": "422"});
    server.instead("POST", Reply::json(422, &no));
    let came = on(&server, GITHUB, &pr).await;
    assert_eq!(came.notes, ["GitHub has no drafts in this repository: it is open for review"]);
    assert_eq!(server.pulls().iter().map(|pull| pull.draft).collect::<Vec<_>>(), [false]);
}

#[tokio::test]
async fn what_is_too_long_is_cut_and_said() {
    let long = PullRequest {
        title: "out of memory in shop ".repeat(30),
        body: "```sh\nkubectl get pods\n```\n\n- ä line of sixty characters, more or less, to fill it up\n"
            .repeat(13_000),
        draft: true,
        ..asked()
    };
    for (rules, longest) in [(GITHUB, 65_536), (GITLAB, 1_048_576), (AZURE, 4_000), (GITEA, 1_048_576)] {
        let server = ForgeServer::start(rules);
        let came = on(&server, rules, &long).await;
        let cut = came.notes.iter().filter(|note| note.ends_with("and cut")).count();
        assert_eq!(cut, 2, "{}: {:?}", rules.name, came.notes);
        let pull = server.pulls().remove(0);
        let length = pull.body.encode_utf16().count();
        assert!(length <= longest && length > longest - 200, "{}: {length}", rules.name);
        assert!(
            pull.body.ends_with("\n\n… (cut: the runbook has the rest)\n<!-- /kubectl-react -->"),
            "{}",
            rules.name
        );
        assert!(pull.title.ends_with('…') && pull.draft, "{}: {}", rules.name, pull.title);
    }
    // Nothing fits beside what others wrote.
    let server = ForgeServer::start(AZURE);
    server.plant(Pull { body: "x".repeat(3990), ..there() });
    let came = on(&server, AZURE, &long).await;
    assert_eq!(came.notes, ["its description is as long as Azure DevOps allows, and stays as it is"]);
    assert_eq!(server.pulls()[0].body.len(), 3990);
}

fn no(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"message": message}))
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_for() {
    let limit = |status, seconds: &str| Reply::raw(status, "text/plain", "slow down").with("retry-after", seconds);
    for rules in ALL {
        let server = ForgeServer::start(rules);
        server.instead("GET", limit(429, "7"));
        server.instead("POST", limit(429, "0"));
        server.instead("POST", limit(503, "19"));
        let (came, waits) = opened(&server.api(), &parse(rules.remote, None).unwrap(), &asked()).await;
        assert_eq!((came.unwrap().number, waits), (1, vec![7, 1, 19]), "{}", rules.name);
        assert_eq!(server.pulls().len(), 1, "{}", rules.name);
        // No more than that of one request.
        let server = ForgeServer::start(rules);
        (0..3).for_each(|_| server.instead("GET", limit(429, "9")));
        let (came, waits) = opened(&server.api(), &parse(rules.remote, None).unwrap(), &asked()).await;
        assert!(came.unwrap_err().to_string().contains("wants none for 9 s"), "{}", rules.name);
        assert_eq!(waits, [9, 9], "{}", rules.name);
    }
}

#[tokio::test]
async fn a_token_goes_nowhere_else() {
    let other = ModelServer::by(|_| Reply::json(200, &json!([])));
    for status in [301, 302, 307, 308] {
        let server = ForgeServer::start(GITHUB);
        server.instead(
            "GET",
            no(status, "Moved").with("location", &format!("{}/repos/acme/runbooks/pulls", other.url())),
        );
        let (came, _) = opened(&server.api(), &parse(GITHUB.remote, None).unwrap(), &asked()).await;
        assert!(came.unwrap_err().to_string().contains("under another address"));
    }
    assert!(other.asked().is_empty(), "a redirect was followed");

    // Nobody listens at any of these; none is asked.
    let table = [
        (
            "http://forge.test/api/v3",
            "the API at forge.test is not behind https, and a token is sent over nothing else",
        ),
        ("http://10.0.0.1:3000", "the API at 10.0.0.1:3000 is not behind https, and a token is sent over nothing else"),
        ("ftp://127.0.0.1/", "the API at 127.0.0.1 is not behind https, and a token is sent over nothing else"),
        (
            "https://ann:p4ss@forge.test/",
            "the API can't be asked: its address holds a name or a password; the token is enough",
        ),
    ];
    for (api, expected) in table {
        let (came, _) = opened(api, &parse(GITHUB.remote, None).unwrap(), &asked()).await;
        assert_eq!(came.unwrap_err().to_string(), expected);
    }
    // An http remote of another machine has no API that gets one.
    let remote = parse("http://forge.test/a/b", Some(ForgeKind::Gitea)).unwrap();
    let token = Token::new(TOKEN, VARIABLE).unwrap();
    let error = open(&remote, None, &token, &Connection::default(), &asked()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Insecure { .. }), "{error}");
    let remote = parse("git@forge.test:a/b", None).unwrap();
    let error = open(&remote, None, &token, &Connection::default(), &asked()).await.unwrap_err();
    assert_eq!(error.to_string(), "it is not known which forge forge.test is");
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (came, _) = opened(&format!("http://{gone}"), &parse(AZURE.remote, None).unwrap(), &asked()).await;
    let error = came.unwrap_err();
    assert!(error.to_string().starts_with(&format!("Azure DevOps at {gone} can't be reached: ")), "{error}");
    assert!(error.hint().unwrap().contains("HTTPS_PROXY"));
}

#[tokio::test]
async fn the_servers_are_strict() {
    let server = ForgeServer::start(GITHUB);
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(format!("{}{path}", server.api())).header("user-agent", "x").bearer_auth(TOKEN);
    let plain = "/repos/acme/runbooks/pulls";
    for request in [
        get("/repos/acme/runbooks/issues"),
        get(plain),
        get(&format!("{plain}?limit=1"))
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28"),
        client.get(format!("{}{plain}", server.api())).header("user-agent", "x"),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 418);
    }
    assert_eq!(server.wrong().len(), 4);
}
