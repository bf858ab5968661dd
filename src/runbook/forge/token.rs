//! Who lends a token: a variable, `gh`, git's own credentials.
//!
//! *Invariant:* a token is shown by nothing: not by `Debug`, not in an error, not in the arguments of a program. It is
//! asked for by the host of the remote, so that none is lent for one host and sent to another.

use std::fmt;

use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;

use super::program::Program;
use super::remote::Remote;
use super::{ForgeError, ForgeKind};

/// The longest that any forge makes, and more.
const LONGEST: usize = 16 << 10;

/// A token, and where it is from.
#[derive(Clone)]
pub struct Token {
    secret: String,
    from: String,
    /// The user of git's credentials, whose password it may be.
    user: Option<String>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Token {
    /// A token that is from a variable or a program of this name.
    ///
    /// # Errors
    /// When it can't be one.
    pub fn new(secret: &str, from: impl Into<String>) -> Result<Token, ForgeError> {
        let (secret, from) = (secret.trim(), from.into());
        if secret.is_empty() || secret.len() > LONGEST || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ForgeError::BadToken { from });
        }
        Ok(Token { secret: secret.to_owned(), from, user: None })
    }

    /// Where it is from, by name.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The request with it, as the forge takes it.
    pub(super) fn onto(&self, request: RequestBuilder, kind: ForgeKind) -> RequestBuilder {
        let secret = &self.secret;
        let plain = |request: RequestBuilder, name: &'static str, value: String| match HeaderValue::try_from(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                request.header(name, value)
            }
            // It is ASCII: see `new`.
            Err(_) => request,
        };
        match (kind, self.user.as_deref()) {
            // What git has for this user is from OAuth, and no access token of a person.
            (ForgeKind::GitHub, _) | (ForgeKind::GitLab, Some("oauth2")) => request.bearer_auth(secret),
            (ForgeKind::GitLab, _) => plain(request, "PRIVATE-TOKEN", secret.clone()),
            (ForgeKind::AzureDevOps, _) if self.is_of_entra() => request.bearer_auth(secret),
            (ForgeKind::AzureDevOps, _) => request.basic_auth("", Some(secret)),
            // A password is as good as a token there.
            (ForgeKind::Gitea, Some(user)) => request.basic_auth(user, Some(secret)),
            (ForgeKind::Gitea, None) => plain(request, "Authorization", format!("token {secret}")),
        }
    }

    /// Whether it is the token of a pipeline or of Entra ID, and not a personal access token, which has no dots.
    fn is_of_entra(&self) -> bool {
        self.from == SYSTEM_ACCESSTOKEN || (self.secret.starts_with("ey") && self.secret.matches('.').count() == 2)
    }
}

/// The variable that Azure Pipelines fills.
const SYSTEM_ACCESSTOKEN: &str = "SYSTEM_ACCESSTOKEN";

/// The variables that may hold a token for this host, the first one first.
fn variables(kind: ForgeKind, host: &str) -> &'static [&'static str] {
    match kind {
        ForgeKind::GitHub if host == "github.com" || host.ends_with(".ghe.com") => &["GH_TOKEN", "GITHUB_TOKEN"],
        ForgeKind::GitHub => &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
        ForgeKind::GitLab => &["GITLAB_TOKEN"],
        ForgeKind::AzureDevOps => &["AZURE_DEVOPS_EXT_PAT", SYSTEM_ACCESSTOKEN],
        ForgeKind::Gitea => &["GITEA_TOKEN"],
    }
}

/// A token for the forge of `remote`: from the variable that a setting `named`, and no other then; else from the
/// variables that everybody uses for it, from `gh`, from git's credentials. `run` runs a program and gives what it prints,
/// where it succeeds.
///
/// # Errors
/// When there is none, or what is there can't be one.
pub fn find(
    remote: &Remote,
    named: Option<&str>,
    env: &dyn Fn(&str) -> Option<String>,
    run: &dyn Fn(&Program) -> Option<String>,
) -> Result<Token, ForgeError> {
    let host = remote.host.as_str();
    let Some(kind) = remote.kind else { return Err(ForgeError::Unknown { host: host.to_owned() }) };
    let variables = variables(kind, host);
    let names = named.map_or_else(|| variables.to_vec(), |name| vec![name]);
    let set = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let mut tried = Vec::new();
    for name in names {
        if let Some(value) = set(name) {
            return Token::new(&value, name);
        }
        tried.push(name.to_owned());
    }
    if named.is_none() {
        for program in programs(kind, remote) {
            if let Some(token) = run(&program).and_then(|printed| lent(&program, &printed).transpose()) {
                return token;
            }
            tried.push(format!("`{}`", program.shown()));
        }
    }
    Err(ForgeError::NoToken { kind, host: host.to_owned(), tried })
}

/// Whom to ask.
fn programs(kind: ForgeKind, remote: &Remote) -> Vec<Program> {
    let mut programs = Vec::new();
    if kind == ForgeKind::GitHub {
        programs.push(Program::new("gh", &["auth", "token", "--hostname", &remote.host], ""));
    }
    let protocol = if remote.secure { "https" } else { "http" };
    let port = remote.port.map_or_else(String::new, |port| format!(":{port}"));
    let user = remote.user.as_ref().map_or_else(String::new, |user| format!("username={user}\n"));
    // Git leaves the path out, unless it is set to tell the repositories of a host apart.
    let path = remote.page(&[]).map_or_else(String::new, |page| format!("path={}\n", page.path().trim_matches('/')));
    let input = format!("protocol={protocol}\nhost={}{port}\n{path}{user}\n", remote.host);
    programs.push(Program::new("git", &["credential", "fill"], &input));
    programs
}

/// What a program lends.
fn lent(program: &Program, printed: &str) -> Result<Option<Token>, ForgeError> {
    let from = format!("`{}`", program.shown());
    if program.name() == "gh" {
        return if printed.trim().is_empty() { Ok(None) } else { Token::new(printed, from).map(Some) };
    }
    let value = |name: &str| printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    match value("password").filter(|password| !password.is_empty()) {
        Some(password) => {
            let user = value("username").filter(|user| !user.is_empty()).map(str::to_owned);
            Token::new(password, from).map(|token| Some(Token { user, ..token }))
        }
        None => Ok(None),
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
