//! Where a git remote is: which forge, on which host, which repository.
//!
//! *Invariant:* pure. A host is a forge's because everybody knows it or because a setting says so, never because of how
//! it is called: a token would be sent there. What a remote holds before `@` is not kept, but for the name of a user.

use reqwest::Url;

use super::{ForgeError, ForgeKind};
use crate::runbook::repo::shown;

/// Where the API and the pages of Azure DevOps Services are.
const AZURE: &str = "dev.azure.com";

/// A repository on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Which API the host speaks; absent where nobody says.
    pub kind: Option<ForgeKind>,
    /// The host of its pages, in lower case: `github.com`.
    pub host: String,
    /// The port of its pages, where it is none of the usual.
    pub port: Option<u16>,
    /// Whether its pages are behind https; known otherwise by an `http://` remote only.
    pub secure: bool,
    /// The folder that the forge is served in, where there is one: `git` of `https://example.com/git/sre/runbooks`.
    pub folder: String,
    /// Who has the repository: an owner, a group with its subgroups, an organisation or collection of Azure DevOps.
    pub owner: String,
    /// The project of Azure DevOps.
    pub project: Option<String>,
    /// The repository.
    pub repo: String,
    /// The user of an https remote.
    pub user: Option<String>,
}

/// Where a remote is. What everybody knows of a host goes before what is `wanted`.
///
/// # Errors
/// When it is a path on this machine, or no repository.
pub fn parse(remote: &str, wanted: Option<ForgeKind>) -> Result<Remote, ForgeError> {
    let refused = |reason| ForgeError::NoForge { remote: shown(remote), reason };
    if remote.is_empty() || remote.starts_with('-') || remote.chars().any(char::is_control) {
        return Err(refused("it is no address"));
    }
    let address = address(remote).map_err(refused)?;
    let parts = parts(&address.path).ok_or_else(|| refused("its path is none"))?;
    let (kind, host) = known(&address.host);
    let kind = kind.or(wanted);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let found = match kind {
        Some(ForgeKind::AzureDevOps) => azure(&address, &parts),
        Some(ForgeKind::GitLab) => parts.split_last().map(|(repo, owner)| Place::of("", owner.join("/"), repo)),
        _ => match parts.as_slice() {
            [folder @ .., owner, repo] => Some(Place::of(&folder.join("/"), (*owner).to_owned(), repo)),
            _ => None,
        },
    };
    let place = found.filter(|place| !place.owner.is_empty() && !place.repo.is_empty());
    let Place { host: moved, folder, owner, project, repo } =
        place.ok_or_else(|| refused("its path names no repository"))?;
    Ok(Remote {
        kind,
        port: if moved { None } else { address.port },
        host: if moved { AZURE.to_owned() } else { host },
        secure: address.secure,
        folder,
        owner,
        project,
        repo,
        user: address.user,
    })
}

struct Address {
    host: String,
    port: Option<u16>,
    secure: bool,
    user: Option<String>,
    /// With escapes.
    path: String,
}

/// Host and path of a URL, or of `git@host:path`.
fn address(remote: &str) -> Result<Address, &'static str> {
    if remote.contains("://") {
        let url = Url::parse(remote).map_err(|_| "it is no address")?;
        let web = match url.scheme() {
            "https" | "http" => true,
            "ssh" | "git+ssh" | "ssh+git" | "git" => false,
            _ => return Err("it is on this machine, or spoken to in a way of its own"),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it has no host")?.to_lowercase();
        let user = Some(url.username()).filter(|user| web && !user.is_empty()).map(decoded);
        if user.as_ref().is_some_and(|user| user.chars().any(char::is_control)) {
            return Err("it is no address");
        }
        return Ok(Address {
            host,
            // A port of ssh is none of the pages.
            port: if web { url.port() } else { None },
            secure: url.scheme() != "http",
            user,
            path: url.path().to_owned(),
        });
    }
    let rest = remote.split_once('@').filter(|(user, _)| !user.contains(['/', ':'])).map_or(remote, |(_, rest)| rest);
    let split = match rest.strip_prefix('[') {
        Some(_) => rest.split_once("]:").map(|(host, path)| (format!("{host}]"), path)),
        None => rest.split_once(':').map(|(host, path)| (host.to_owned(), path)),
    };
    // One letter is a drive.
    let (host, path) = split.filter(|(host, _)| host.len() > 1 && !host.contains(['/', '\\'])).ok_or("it is a path")?;
    // Azure shows its addresses with escapes in this form too.
    let path = if known(&host.to_lowercase()).0 == Some(ForgeKind::AzureDevOps) {
        path.to_owned()
    } else {
        path.replace('%', "%25")
    };
    Ok(Address { host: host.to_lowercase(), port: None, secure: true, user: None, path })
}

/// The parts of a path, without escapes and without `.git`.
fn parts(path: &str) -> Option<Vec<String>> {
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let odd = |part: &String| {
        part.is_empty() || part == "." || part == ".." || part.contains('/') || part.chars().any(char::is_control)
    };
    (!parts.iter().any(odd)).then_some(parts)
}

/// Without `%20` and the like; what is no escape stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let escape = (byte == b'%').then(|| Some((hex(ahead.next()?)?, hex(ahead.next()?)?))).flatten();
        match escape {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = ahead;
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// What everybody knows of a host: the forge, and the host of its pages.
fn known(host: &str) -> (Option<ForgeKind>, String) {
    let (kind, pages) = match host {
        "github.com" | "www.github.com" | "ssh.github.com" => (ForgeKind::GitHub, "github.com"),
        "gitlab.com" | "altssh.gitlab.com" => (ForgeKind::GitLab, "gitlab.com"),
        "gitea.com" | "codeberg.org" => (ForgeKind::Gitea, host),
        "dev.azure.com" | "ssh.dev.azure.com" | "vs-ssh.visualstudio.com" => (ForgeKind::AzureDevOps, AZURE),
        _ if host.ends_with(".ghe.com") => (ForgeKind::GitHub, host),
        _ if host.ends_with(".visualstudio.com") => (ForgeKind::AzureDevOps, host),
        _ => return (None, host.to_owned()),
    };
    (Some(kind), pages.to_owned())
}

struct Place {
    /// It is on dev.azure.com, whatever the remote's host is.
    host: bool,
    folder: String,
    owner: String,
    project: Option<String>,
    repo: String,
}

impl Place {
    fn of(folder: &str, owner: String, repo: &str) -> Place {
        Place { host: false, folder: folder.to_owned(), owner, project: None, repo: repo.to_owned() }
    }
}

/// `org/project/_git/repo`, `v3/org/project/repo`, `project/_git/repo` of `org.visualstudio.com`, and the like.
fn azure(address: &Address, parts: &[&str]) -> Option<Place> {
    let azure = |host, owner: String, project: &str, repo: &str| {
        Some(Place { project: Some(project.to_owned()), host, ..Place::of("", owner, repo) })
    };
    let organisation = address.host.strip_suffix(".visualstudio.com").filter(|name| *name != "vs-ssh");
    let services = organisation.is_some() || known(&address.host).1 == AZURE;
    if let ["v3", owner, project, repo] = parts
        && services
    {
        return azure(true, (*owner).to_owned(), project, repo);
    }
    let at = parts.iter().position(|part| matches!(*part, "_git" | "_ssh"))?;
    let (before, behind) = (parts.get(..at)?, parts.get(at + 1..)?);
    // `_optimized` and `_full` say how much is fetched.
    let [repo] = behind.strip_prefix(&["_optimized"]).or_else(|| behind.strip_prefix(&["_full"])).unwrap_or(behind)
    else {
        return None;
    };
    match (organisation, before) {
        (Some(owner), [] | ["DefaultCollection"]) => azure(true, owner.to_owned(), repo, repo),
        (Some(owner), [project] | ["DefaultCollection", project]) => azure(true, owner.to_owned(), project, repo),
        // A repository that is called as its project.
        (None, [owner]) if services => azure(true, (*owner).to_owned(), repo, repo),
        (None, [owner, project]) if services => azure(true, (*owner).to_owned(), project, repo),
        // A server of one's own: folder and collection, then the project.
        (None, [collection @ .., project]) if !services && !collection.is_empty() => {
            azure(false, collection.join("/"), project, repo)
        }
        _ => None,
    }
}

impl Remote {
    /// The page where a person opens the pull request.
    pub fn compare_url(&self, base: &str, branch: &str) -> Option<String> {
        let compared = format!("compare/{base}...{branch}");
        let compared: Vec<&str> = compared.split('/').collect();
        let (page, query): (&[&str], &[(&str, &str)]) = match self.kind? {
            ForgeKind::GitHub => (&compared, &[("expand", "1")]),
            ForgeKind::Gitea => (&compared, &[]),
            ForgeKind::GitLab => (
                &["-", "merge_requests", "new"],
                &[("merge_request[source_branch]", branch), ("merge_request[target_branch]", base)],
            ),
            ForgeKind::AzureDevOps => (&["pullrequestcreate"], &[("sourceRef", branch), ("targetRef", base)]),
        };
        let mut url = self.page(page)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Some(url.into())
    }

    /// A page of the repository.
    pub(super) fn page(&self, behind: &[&str]) -> Option<Url> {
        let mut url = self.root()?;
        let owner = self.owner.split('/').filter(|part| !part.is_empty());
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(owner);
            if self.kind == Some(ForgeKind::AzureDevOps) {
                segments.extend(self.project.as_deref()).push("_git");
            }
            segments.push(&self.repo).extend(behind);
        }
        Some(url)
    }

    /// Where the API of this kind is on its host.
    pub(super) fn api(&self, kind: ForgeKind) -> Result<Url, ForgeError> {
        let none = || ForgeError::Api(format!("`{}` is no host", self.host));
        let mut url = self.root().ok_or_else(none)?;
        let github = |host: &str| Url::parse(&format!("https://{host}")).map_err(|_| none());
        match kind {
            ForgeKind::GitHub if self.host == "github.com" => return github("api.github.com"),
            ForgeKind::GitHub if self.host.ends_with(".ghe.com") => return github(&format!("api.{}", self.host)),
            _ => {}
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            match kind {
                ForgeKind::GitHub => drop(segments.pop_if_empty().extend(["api", "v3"])),
                ForgeKind::GitLab => drop(segments.pop_if_empty().extend(["api", "v4"])),
                ForgeKind::Gitea => drop(segments.pop_if_empty().extend(["api", "v1"])),
                ForgeKind::AzureDevOps => {}
            }
        }
        Ok(url)
    }

    /// Where its pages begin.
    fn root(&self) -> Option<Url> {
        let scheme = if self.secure { "https" } else { "http" };
        let port = self.port.map_or_else(String::new, |port| format!(":{port}"));
        let mut url = Url::parse(&format!("{scheme}://{}{port}", self.host)).ok()?;
        if !self.folder.is_empty()
            && let Ok(mut segments) = url.path_segments_mut()
        {
            segments.pop_if_empty().extend(self.folder.split('/'));
        }
        Some(url)
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
