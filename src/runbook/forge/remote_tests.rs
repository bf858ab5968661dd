//! Remotes in all their forms.

use super::*;

use ForgeKind::{AzureDevOps, GitHub, GitLab, Gitea};

/// `kind host[:port] folder | owner [| project] | repo`.
fn told(remote: &str, wanted: Option<ForgeKind>) -> String {
    match parse(remote, wanted) {
        Ok(remote) => {
            let kind = remote.kind.map_or("?", ForgeKind::name);
            let port = remote.port.map_or_else(String::new, |port| format!(":{port}"));
            let scheme = if remote.secure { "" } else { "http://" };
            let folder = if remote.folder.is_empty() { String::new() } else { format!("/{}", remote.folder) };
            let project = remote.project.map_or_else(String::new, |project| format!("{project} | "));
            format!("{kind} {scheme}{}{port}{folder} | {} | {project}{}", remote.host, remote.owner, remote.repo)
        }
        Err(error) => format!("! {error}"),
    }
}

/// A remote, the kind of a setting, and what is read in it.
const FORMS: &[(&str, Option<ForgeKind>, &str)] = &[
    ("https://github.com/acme/runbooks.git", None, "GitHub github.com | acme | runbooks"),
    ("https://ann@GitHub.com/acme/runbooks/", None, "GitHub github.com | acme | runbooks"),
    ("git@github.com:acme/runbooks.git", None, "GitHub github.com | acme | runbooks"),
    ("github.com:acme/runbooks", None, "GitHub github.com | acme | runbooks"),
    ("ssh://git@ssh.github.com:443/acme/runbooks.git", None, "GitHub github.com | acme | runbooks"),
    ("git+ssh://git@github.com/acme/runbooks", None, "GitHub github.com | acme | runbooks"),
    ("https://acme.ghe.com/sre/runbooks.git", None, "GitHub acme.ghe.com | sre | runbooks"),
    ("git@git.acme.dev:sre/runbooks.git", Some(GitHub), "GitHub git.acme.dev | sre | runbooks"),
    ("git@git.acme.dev:sre/runbooks.git", None, "? git.acme.dev | sre | runbooks"),
    // What everybody knows goes first.
    ("https://github.com/acme/runbooks", Some(GitLab), "GitHub github.com | acme | runbooks"),
    ("https://gitlab.com/acme/sre/books/runbooks.git", None, "GitLab gitlab.com | acme/sre/books | runbooks"),
    ("ssh://git@altssh.gitlab.com:443/acme/runbooks.git", None, "GitLab gitlab.com | acme | runbooks"),
    ("ssh://git@git.acme.dev:2222/a/b/c.git", Some(GitLab), "GitLab git.acme.dev | a/b | c"),
    ("https://git.acme.dev:8443/a/b/c.git", Some(GitLab), "GitLab git.acme.dev:8443 | a/b | c"),
    ("https://codeberg.org/acme/run.books", None, "Gitea codeberg.org | acme | run.books"),
    ("http://127.0.0.1:3000/sre/runbooks.git", Some(Gitea), "Gitea http://127.0.0.1:3000 | sre | runbooks"),
    ("http://[::1]:3000/sre/runbooks.git", Some(Gitea), "Gitea http://[::1]:3000 | sre | runbooks"),
    ("git@[::1]:sre/runbooks.git", Some(Gitea), "Gitea [::1] | sre | runbooks"),
    ("https://acme.dev/git/sre/runbooks", Some(Gitea), "Gitea acme.dev/git | sre | runbooks"),
    ("git@acme.dev:/sre/100%25/", Some(Gitea), "Gitea acme.dev | sre | 100%25"),
    ("https://acme.dev/sre/100%25", Some(Gitea), "Gitea acme.dev | sre | 100%"),
    (
        "https://dev.azure.com/acme/Team%20SRE/_git/run%20books",
        None,
        "Azure DevOps dev.azure.com | acme | Team SRE | run books",
    ),
    ("https://acme@dev.azure.com/acme/sre/_git/runbooks", None, "Azure DevOps dev.azure.com | acme | sre | runbooks"),
    ("https://dev.azure.com/acme/_git/sre", None, "Azure DevOps dev.azure.com | acme | sre | sre"),
    ("https://dev.azure.com/acme/sre/_git/_full/runbooks", None, "Azure DevOps dev.azure.com | acme | sre | runbooks"),
    (
        "git@ssh.dev.azure.com:v3/acme/Team%20SRE/runbooks",
        None,
        "Azure DevOps dev.azure.com | acme | Team SRE | runbooks",
    ),
    ("ssh://git@ssh.dev.azure.com:22/v3/acme/sre/runbooks", None, "Azure DevOps dev.azure.com | acme | sre | runbooks"),
    ("https://acme.visualstudio.com/sre/_git/runbooks", None, "Azure DevOps dev.azure.com | acme | sre | runbooks"),
    (
        "https://acme.visualstudio.com/DefaultCollection/sre/_git/runbooks",
        None,
        "Azure DevOps dev.azure.com | acme | sre | runbooks",
    ),
    ("https://acme.visualstudio.com/_git/sre", None, "Azure DevOps dev.azure.com | acme | sre | sre"),
    ("acme@vs-ssh.visualstudio.com:v3/acme/sre/runbooks", None, "Azure DevOps dev.azure.com | acme | sre | runbooks"),
    (
        "https://tfs.acme.dev:8443/tfs/Main/sre/_git/runbooks",
        Some(AzureDevOps),
        "Azure DevOps tfs.acme.dev:8443 | tfs/Main | sre | runbooks",
    ),
    ("/srv/git/runbooks.git", None, "! `/srv/git/runbooks.git` is no repository on a forge: it is a path"),
    ("C:\\runbooks", None, "! `C:\\runbooks` is no repository on a forge: it is a path"),
    (
        "file:///srv/git/runbooks",
        None,
        "! `file:///srv/git/runbooks` is no repository on a forge: it is on this machine, or spoken to in a way of its own",
    ),
    (
        "https://u:p4ss@github.com/runbooks",
        None,
        "! `https://…@github.com/runbooks` is no repository on a forge: its path names no repository",
    ),
    (
        "https://github.com/a/%2e%2e/b",
        None,
        "! `https://github.com/a/%2e%2e/b` is no repository on a forge: its path names no repository",
    ),
    ("git@github.com:a/../b", None, "! `git@github.com:a/../b` is no repository on a forge: its path is none"),
    (
        "https://github.com/a%2fb/c",
        None,
        "! `https://github.com/a%2fb/c` is no repository on a forge: its path is none",
    ),
    (
        "https://dev.azure.com/acme/sre/runbooks",
        None,
        "! `https://dev.azure.com/acme/sre/runbooks` is no repository on a forge: its path names no repository",
    ),
    ("--upload-pack=x", None, "! `--upload-pack=x` is no repository on a forge: it is no address"),
    (
        "git@github.com:a/b\nhost=evil",
        None,
        "! `git@github.com:a/b\nhost=evil` is no repository on a forge: it is no address",
    ),
    ("", None, "! `` is no repository on a forge: it is no address"),
];

#[test]
fn every_form_names_its_repository() {
    for (remote, wanted, expected) in FORMS.iter().copied() {
        assert_eq!(told(remote, wanted), expected, "{remote}");
    }
}

#[test]
fn the_api_is_on_the_same_host() {
    let table = [
        ("https://github.com/acme/runbooks", None, "https://api.github.com/"),
        ("git@acme.ghe.com:sre/runbooks", None, "https://api.acme.ghe.com/"),
        ("git@git.acme.dev:sre/runbooks", Some(GitHub), "https://git.acme.dev/api/v3"),
        ("git@git.acme.dev:sre/runbooks", Some(GitLab), "https://git.acme.dev/api/v4"),
        ("https://acme.dev/git/sre/runbooks", Some(Gitea), "https://acme.dev/git/api/v1"),
        ("http://127.0.0.1:3000/sre/runbooks", Some(Gitea), "http://127.0.0.1:3000/api/v1"),
        ("https://acme.visualstudio.com/_git/sre", None, "https://dev.azure.com/"),
        ("https://tfs.acme.dev/tfs/Main/sre/_git/runbooks", Some(AzureDevOps), "https://tfs.acme.dev/"),
    ];
    for (remote, wanted, expected) in table {
        let remote = parse(remote, wanted).unwrap();
        assert_eq!(remote.api(remote.kind.unwrap()).unwrap().as_str(), expected);
    }
}

#[test]
fn a_person_finds_the_page() {
    let table = [
        (
            "git@github.com:acme/runbooks",
            None,
            "https://github.com/acme/runbooks/compare/main...runbooks/oom%20%231?expand=1",
        ),
        (
            "git@gitlab.com:acme/sre/runbooks",
            None,
            "https://gitlab.com/acme/sre/runbooks/-/merge_requests/new?merge_request%5Bsource_branch%5D=runbooks%2Foom+%231&merge_request%5Btarget_branch%5D=main",
        ),
        (
            "git@ssh.dev.azure.com:v3/acme/Team%20SRE/runbooks",
            None,
            "https://dev.azure.com/acme/Team%20SRE/_git/runbooks/pullrequestcreate?sourceRef=runbooks%2Foom+%231&targetRef=main",
        ),
        (
            "https://acme.dev:8443/git/sre/runbooks",
            Some(Gitea),
            "https://acme.dev:8443/git/sre/runbooks/compare/main...runbooks/oom%20%231",
        ),
    ];
    for (remote, wanted, expected) in table {
        let remote = parse(remote, wanted).unwrap();
        assert_eq!(remote.compare_url("main", "runbooks/oom #1").as_deref(), Some(expected));
    }
    assert_eq!(parse("git@acme.dev:sre/runbooks", None).unwrap().compare_url("main", "x"), None);
}
