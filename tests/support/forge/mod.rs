//! Forges on this machine that hold every request against the published API.
//!
//! It is included by path where [`model_server`] is included too. *Invariant:* what the documents don't have (a path, a
//! parameter, a field, a type, a missing header) is answered with status 418 and kept, so that a test sees it; what they
//! have is answered as they say.

mod azure;
mod gitea;
mod github;
mod gitlab;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::model_server::{Asked, ModelServer, Reply};

/// The token that all of them take.
pub(crate) const TOKEN: &str = "t0ken-canary-7f3a";

/// A pull request as a server keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) branch: String,
    pub(crate) base: String,
    pub(crate) draft: bool,
    /// The branch is a fork's.
    pub(crate) fork: bool,
}

/// What a server keeps.
#[derive(Default)]
pub(crate) struct State {
    /// The open ones.
    pulls: Vec<Pull>,
    next: u64,
    /// What was not as the documents say.
    wrong: Vec<String>,
    /// Lists that are still empty although something is there.
    behind: usize,
    /// Answers in the place of the right ones, to the first request of this method.
    instead: Vec<(&'static str, Reply)>,
}

impl State {
    fn add(&mut self, pull: Pull) -> Pull {
        self.next += 1;
        let pull = Pull { number: self.next, ..pull };
        self.pulls.push(pull.clone());
        pull
    }

    fn exists(&self, branch: &str, base: &str) -> bool {
        self.pulls.iter().any(|pull| !pull.fork && pull.branch == branch && pull.base == base)
    }

    fn at(&mut self, number: &str) -> Option<&mut Pull> {
        self.pulls.iter_mut().find(|pull| pull.number.to_string() == number)
    }

    /// What a list holds.
    fn listed(&mut self, wanted: impl Fn(&Pull) -> bool) -> Vec<Pull> {
        if self.behind > 0 {
            self.behind -= 1;
            return Vec::new();
        }
        self.pulls.iter().filter(|pull| wanted(pull)).cloned().collect()
    }
}

/// An answer, or what is not as the documents say.
type Answer = Result<Reply, String>;

/// What is different from forge to forge.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Its name.
    pub(crate) name: &'static str,
    /// A remote of its repository.
    pub(crate) remote: &'static str,
    /// The path in front of all its paths.
    base: &'static str,
    /// `Authorization: Bearer …`, as one line.
    access: &'static str,
    answer: fn(&Request, &mut State) -> Answer,
}

/// All of them.
pub(crate) const ALL: [&Rules; 4] = [&github::RULES, &gitlab::RULES, &azure::RULES, &gitea::RULES];
/// GitHub.
pub(crate) const GITHUB: &Rules = &github::RULES;
/// GitLab.
pub(crate) const GITLAB: &Rules = &gitlab::RULES;
/// Azure DevOps.
pub(crate) const AZURE: &Rules = &azure::RULES;
/// Gitea.
pub(crate) const GITEA: &Rules = &gitea::RULES;

/// A running server.
pub(crate) struct ForgeServer {
    server: ModelServer,
    state: Arc<Mutex<State>>,
    rules: &'static Rules,
}

impl ForgeServer {
    /// One without a pull request.
    pub(crate) fn start(rules: &'static Rules) -> ForgeServer {
        let state = Arc::new(Mutex::new(State::default()));
        let kept = Arc::clone(&state);
        let server = ModelServer::by(move |asked| {
            let mut state = kept.lock().unwrap();
            match Request::read(asked, rules).and_then(|request| request.answer(rules, &mut state)) {
                Ok(reply) => reply,
                Err(wrong) => {
                    state.wrong.push(format!("{} {}: {wrong}", asked.method, asked.path));
                    Reply::raw(418, "text/plain", wrong)
                }
            }
        });
        ForgeServer { server, state, rules }
    }

    /// The address of its API.
    pub(crate) fn api(&self) -> String {
        format!("{}{}", self.server.url(), self.rules.base)
    }

    /// With a pull request that is open already; its number.
    pub(crate) fn plant(&self, pull: Pull) -> u64 {
        self.state.lock().unwrap().add(pull).number
    }

    /// Those that are open.
    pub(crate) fn pulls(&self) -> Vec<Pull> {
        self.state.lock().unwrap().pulls.clone()
    }

    /// The next list is empty, whatever is there.
    pub(crate) fn fall_behind(&self) {
        self.state.lock().unwrap().behind += 1;
    }

    /// The next request of this method is answered by this. Said twice, the next two are.
    pub(crate) fn instead(&self, method: &'static str, reply: Reply) {
        self.state.lock().unwrap().instead.push((method, reply));
    }

    /// What was not as the documents say.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.state.lock().unwrap().wrong.clone()
    }

    /// The methods of all requests.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.server.asked().into_iter().map(|asked| asked.method).collect()
    }
}

/// A request, taken apart.
struct Request {
    method: String,
    /// Behind the base, without escapes.
    path: Vec<String>,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Request {
    fn read(asked: &Asked, rules: &Rules) -> Result<Request, String> {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let path = path.strip_prefix(rules.base).and_then(|path| path.strip_prefix('/')).ok_or("no such path")?;
        let mut parameters = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or("a parameter without a value")?;
            let known = parameters.insert(decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")));
            if known.is_some() {
                return Err(format!("`{name}` twice"));
            }
        }
        let body = if asked.body.is_empty() { Value::Null } else { asked.json() };
        if !asked.body.is_empty() && asked.headers.get("content-type").is_none_or(|kind| kind != "application/json") {
            return Err("a body without its type".to_owned());
        }
        Ok(Request {
            method: asked.method.clone(),
            path: path.split('/').map(decoded).collect(),
            query: parameters,
            headers: asked.headers.clone(),
            body,
        })
    }

    fn answer(&self, rules: &Rules, state: &mut State) -> Answer {
        if self.header("user-agent").is_empty() {
            return Err("no user agent".to_owned());
        }
        let (name, value) = rules.access.split_once(": ").unwrap();
        if self.header(name) != value.replace("TOKEN", TOKEN) {
            return Err(format!("no access by `{name}: {}`", self.header(name)));
        }
        let before = state.pulls.clone();
        let reply = (rules.answer)(self, state)?;
        let place = state.instead.iter().position(|(method, _)| *method == self.method);
        Ok(match place {
            // Whoever says no has done nothing.
            Some(place) => {
                state.next -= u64::from(state.pulls.len() > before.len());
                state.pulls = before;
                state.instead.remove(place).1
            }
            None => reply,
        })
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// The parameters are these, and those that must be there are.
    fn parameters(&self, must: &[&str], may: &[&str]) -> Result<(), String> {
        check(self.query.keys().map(String::as_str), must, may, "parameter")
    }

    /// The fields of the body are these, each of its type, and those that must be there are.
    fn fields(&self, must: &[Field], may: &[Field]) -> Result<(), String> {
        let body = self.body.as_object().ok_or("the body is no object")?;
        let names = |fields: &[Field]| fields.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        check(body.keys().map(String::as_str), &names(must), &names(may), "field")?;
        for (name, kind) in must.iter().chain(may) {
            let Some(value) = body.get(*name) else { continue };
            let fits = match kind {
                Type::Text => value.is_string(),
                Type::Bool => value.is_boolean(),
                Type::Other => true,
            };
            if !fits {
                return Err(format!("the field `{name}` has the wrong type: {value}"));
            }
        }
        Ok(())
    }

    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    fn flag(&self, name: &str) -> bool {
        self.body[name].as_bool().unwrap_or_default()
    }
}

/// A field of a body, and its type.
type Field = (&'static str, Type);

/// The type of a field.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Bool,
    /// One that we never send.
    Other,
}

fn check<'a>(names: impl Iterator<Item = &'a str>, must: &[&str], may: &[&str], what: &str) -> Result<(), String> {
    let names: Vec<&str> = names.collect();
    if let Some(name) = names.iter().find(|name| !must.contains(name) && !may.contains(name)) {
        return Err(format!("there is no {what} `{name}`"));
    }
    match must.iter().find(|name| !names.contains(name)) {
        Some(name) => Err(format!("the {what} `{name}` is missing")),
        None => Ok(()),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escape = behind.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        if let Some(byte) = escape.filter(|_| *first == b'%') {
            bytes.push(byte);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).unwrap()
}
