//! Where tokens come from, and where they do not go.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;
use crate::runbook::forge::parse;

const SECRET: &str = "s3cr3t-canary";

/// A remote, the kind of a setting, the setting's variable, the environment, what programs print, and what comes of it.
type Case = (
    &'static str,
    Option<ForgeKind>,
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
    &'static str,
);

use ForgeKind::{AzureDevOps, GitHub, GitLab, Gitea};

const GIT: &str = "git credential fill";
const GH: &str = "gh auth token --hostname github.com";
const AT_GITHUB: &str = "git@github.com:a/b";
const AT_OWN: &str = "git@git.acme.dev:a/b";
const AT_AZURE: &str = "git@ssh.dev.azure.com:v3/o/p/r";

const CASES: &[Case] = &[
    (AT_GITHUB, None, None, &[("GITHUB_TOKEN", "two"), ("GH_TOKEN", "one")], &[], "GH_TOKEN authorization: Bearer one"),
    (
        AT_GITHUB,
        None,
        None,
        &[("GH_TOKEN", " "), ("GITHUB_TOKEN", "two\n")],
        &[],
        "GITHUB_TOKEN authorization: Bearer two",
    ),
    (AT_GITHUB, None, Some("MINE"), &[("GH_TOKEN", "one"), ("MINE", "own")], &[], "MINE authorization: Bearer own"),
    (
        AT_GITHUB,
        None,
        Some("MINE"),
        &[("GH_TOKEN", "one")],
        &[(GH, "x")],
        "! there is no token for GitHub at github.com (asked in this order: MINE)",
    ),
    (
        AT_GITHUB,
        None,
        None,
        &[("GH_ENTERPRISE_TOKEN", "one")],
        &[(GH, "gho\n")],
        "`gh auth token --hostname github.com` authorization: Bearer gho",
    ),
    (
        AT_GITHUB,
        None,
        None,
        &[],
        &[(GH, ""), (GIT, "username=x\npassword=ghp\n")],
        "`git credential fill` authorization: Bearer ghp",
    ),
    (
        AT_GITHUB,
        None,
        None,
        &[],
        &[(GIT, "username=x\npassword=\n")],
        "! there is no token for GitHub at github.com (asked in this order: GH_TOKEN, GITHUB_TOKEN, `gh auth token --hostname github.com`, `git credential fill`)",
    ),
    ("git@acme.ghe.com:a/b", None, None, &[("GH_TOKEN", "one")], &[], "GH_TOKEN authorization: Bearer one"),
    // A token for github.com is no business of another host.
    (
        AT_OWN,
        Some(GitHub),
        None,
        &[("GH_TOKEN", "one"), ("GITHUB_ENTERPRISE_TOKEN", "two")],
        &[],
        "GITHUB_ENTERPRISE_TOKEN authorization: Bearer two",
    ),
    (
        AT_OWN,
        Some(GitHub),
        None,
        &[("GH_TOKEN", "one")],
        &[("gh auth token --hostname git.acme.dev", "gho")],
        "`gh auth token --hostname git.acme.dev` authorization: Bearer gho",
    ),
    (AT_OWN, Some(GitLab), None, &[("GITLAB_TOKEN", "glpat")], &[], "GITLAB_TOKEN private-token: glpat"),
    (
        AT_OWN,
        Some(GitLab),
        None,
        &[],
        &[(GH, "x"), (GIT, "username=oauth2\npassword=o\n")],
        "`git credential fill` authorization: Bearer o",
    ),
    (
        AT_OWN,
        Some(GitLab),
        None,
        &[],
        &[(GIT, "username=ann\npassword=glpat\n")],
        "`git credential fill` private-token: glpat",
    ),
    (AT_OWN, Some(Gitea), None, &[("GITEA_TOKEN", "t")], &[], "GITEA_TOKEN authorization: token t"),
    (
        AT_OWN,
        Some(Gitea),
        None,
        &[],
        &[(GIT, "protocol=https\nusername=ann\npassword=pw\n")],
        "`git credential fill` authorization: Basic YW5uOnB3",
    ),
    (
        AT_AZURE,
        None,
        None,
        &[("SYSTEM_ACCESSTOKEN", "sys"), ("AZURE_DEVOPS_EXT_PAT", "pat")],
        &[],
        "AZURE_DEVOPS_EXT_PAT authorization: Basic OnBhdA==",
    ),
    (AT_AZURE, None, None, &[("SYSTEM_ACCESSTOKEN", "sys")], &[], "SYSTEM_ACCESSTOKEN authorization: Bearer sys"),
    (
        AT_AZURE,
        None,
        None,
        &[],
        &[(GIT, "username=x\npassword=eyJ0.eyJh.c2ln\n")],
        "`git credential fill` authorization: Bearer eyJ0.eyJh.c2ln",
    ),
    (
        AT_AZURE,
        Some(AzureDevOps),
        None,
        &[("AZURE_DEVOPS_EXT_PAT", "two words")],
        &[],
        "! what AZURE_DEVOPS_EXT_PAT holds is no token: it is empty, or has characters that no token has (a token is one word; look whether it was copied whole)",
    ),
    (
        AT_OWN,
        None,
        None,
        &[("GH_TOKEN", "one")],
        &[(GIT, "password=x")],
        "! it is not known which forge git.acme.dev is (name it in the settings: github, gitlab, azure or gitea)",
    ),
];

/// The header that a token makes, as one line.
fn header(token: &Token, kind: ForgeKind) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let request = token.onto(reqwest::Client::new().get("https://forge.test"), kind).build().unwrap();
    let headers = request.headers();
    assert!(headers.values().all(HeaderValue::is_sensitive), "{headers:?}");
    let line =
        |(name, value): (&reqwest::header::HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    headers.iter().map(line).collect()
}

#[test]
fn the_first_who_has_one_lends_it() {
    for (remote, wanted, named, env, printed, expected) in CASES {
        let (env, printed): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (env.iter().copied().collect(), printed.iter().copied().collect());
        let remote = parse(remote, *wanted).unwrap();
        let read = |name: &str| env.get(name).map(|value| (*value).to_owned());
        let run = |program: &Program| printed.get(&*program.shown()).map(|text| (*text).to_owned());
        let told = match find(&remote, *named, &read, &run) {
            Ok(token) => format!("{} {}", token.from(), header(&token, remote.kind.unwrap())),
            Err(error) => format!("! {error} ({})", error.hint().unwrap()),
        };
        assert_eq!(told, *expected);
    }
}

#[test]
fn git_is_told_which_host() {
    let table = [
        ("git@github.com:a/b", "protocol=https\nhost=github.com\npath=a/b\n\n"),
        (
            "https://ann@dev.azure.com/o/Team%20A/_git/r",
            "protocol=https\nhost=dev.azure.com\npath=o/Team%20A/_git/r\nusername=ann\n\n",
        ),
        ("http://127.0.0.1:3000/a/b.git", "protocol=http\nhost=127.0.0.1:3000\npath=a/b\n\n"),
    ];
    for (remote, expected) in table {
        let remote = parse(remote, Some(ForgeKind::Gitea)).unwrap();
        let given = RefCell::new(String::new());
        let run = |program: &Program| {
            if program.name() == "git" {
                program.input().clone_into(&mut given.borrow_mut());
            }
            None
        };
        find(&remote, None, &|_| None, &run).unwrap_err();
        assert_eq!(*given.borrow(), expected);
    }
    // Nobody slips a line of his own in.
    let remote = parse("https://ann%0ahost=evil@gitea.com/a/b", None);
    assert!(remote.is_err(), "{remote:?}");
}

#[test]
fn a_token_is_shown_by_nothing() {
    let token = Token::new(SECRET, "GH_TOKEN").unwrap();
    assert!(!format!("{token:?} {token:#?}").contains(SECRET));
    for bad in [format!("{SECRET} more"), format!("{SECRET}\n{SECRET}"), format!("{SECRET}é"), SECRET.repeat(2000)] {
        let error = Token::new(&bad, "GH_TOKEN").unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains(SECRET));
    }
}
