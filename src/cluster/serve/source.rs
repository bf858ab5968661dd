//! Where objects come from: a cluster that is there, or a snapshot; and what types of them there are.
//!
//! *Invariant:* objects that leave here are masked, and a Secret is no more than its metadata.

use serde_json::Value;

use super::error::ServeError;
use super::live::Live;
use super::saved::Saved;
use super::table::Table;
use crate::kubectl::Target;
use crate::model::KindInfo;
use crate::model::Time;
use crate::model::reference::{KINDS, list_path};

/// A type of objects, as the API serves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    pub(super) short: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) verbs: Vec<String>,
}

impl Type {
    pub(super) fn known(info: &KindInfo) -> Type {
        let (group, version) = info.api_version.split_once('/').unwrap_or(("", info.api_version));
        let kind = info.kind.as_str();
        Type {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: info.plural.to_owned(),
            singular: kind.to_ascii_lowercase(),
            kind: kind.to_owned(),
            namespaced: info.namespaced,
            short: info.short.iter().map(|&short| short.to_owned()).collect(),
            ..Type::default()
        }
    }

    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The path of the list, or of one object in it.
    pub(super) fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let list = list_path(&self.api_version(), &self.plural, namespace.filter(|_| self.namespaced));
        name.map_or_else(|| list.clone(), |name| format!("{list}/{name}"))
    }

    /// `pod`, `deployment.apps`: before a name.
    pub(super) fn argument(&self) -> String {
        if self.group.is_empty() { self.singular.clone() } else { format!("{}.{}", self.singular, self.group) }
    }

    /// `pods`, `deployments.apps`: in messages.
    pub(super) fn plural_argument(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    pub(super) fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }

    pub(super) fn is_secret(&self) -> bool {
        self.plural == "secrets"
    }

    /// Whether a word means it, as kubectl reads words: `po`, `Deployment`, `deployments.apps`, `deployments.v1.apps`.
    fn answers_to(&self, word: &str) -> bool {
        let word = word.to_ascii_lowercase();
        let (name, rest) = word.split_once('.').unwrap_or((&word, ""));
        let named = [&self.plural, &self.singular].contains(&&name.to_owned())
            || self.kind.eq_ignore_ascii_case(name)
            || self.short.iter().any(|short| short == name);
        let group = match rest.split_once('.') {
            _ if rest.is_empty() => true,
            Some((version, group)) if version == self.version => group == self.group || self.group.starts_with(rest),
            _ => rest == self.version || !self.group.is_empty() && self.group.starts_with(rest),
        };
        named && group
    }
}

/// The types that every cluster has, those of metrics left out: their plurals are others' too.
pub(super) fn built_in() -> impl Iterator<Item = Type> {
    KINDS.iter().filter(|info| info.group() != "metrics.k8s.io").map(Type::known)
}

/// The type that a word means.
pub(super) fn find(word: &str, mut types: impl Iterator<Item = Type>) -> Option<Type> {
    types.find(|known| known.answers_to(word))
}

/// Which of the objects of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Which {
    /// The namespace; none for all of them.
    pub(super) namespace: Option<String>,
    pub(super) labels: Option<String>,
    pub(super) fields: Option<String>,
}

impl Which {
    pub(super) fn within(namespace: Option<&str>) -> Which {
        Which { namespace: namespace.map(str::to_owned), ..Which::default() }
    }

    pub(super) fn labelled(namespace: Option<&str>, labels: String) -> Which {
        Which { labels: Some(labels).filter(|labels| !labels.is_empty()), ..Which::within(namespace) }
    }
}

/// Objects, and how many more there are.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) items: Vec<Value>,
    /// Those that were not read; none where all were, zero where nobody says how many.
    pub(super) more: Option<usize>,
}

/// Lines of a log, told one by one: when, where it says so, and what.
pub(super) type Line = (Option<Time>, String);

/// Which lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LogQuery {
    pub(super) previous: bool,
    pub(super) tail: Option<u64>,
    pub(super) since_seconds: Option<i64>,
    pub(super) since_time: Option<String>,
    pub(super) limit_bytes: Option<u64>,
}

/// Where objects come from.
pub(super) enum Source {
    Live(Live),
    Saved(Saved),
}

impl Source {
    pub(super) fn now(&self) -> Time {
        match self {
            Source::Live(_) => Time::now(),
            Source::Saved(saved) => saved.taken_at(),
        }
    }

    /// The type that a word means.
    pub(super) async fn type_of(&self, word: &str) -> Result<Type, ServeError> {
        match self {
            Source::Live(live) => live.type_of(word).await,
            Source::Saved(saved) => saved.type_of(word),
        }
    }

    /// The objects of a type, in the order of namespace and name.
    pub(super) async fn list(&self, of: &Type, which: &Which, most: usize) -> Result<Listing, ServeError> {
        match self {
            Source::Live(live) => live.list(of, which, most).await,
            Source::Saved(saved) => saved.list(of, which),
        }
    }

    /// One object.
    pub(super) async fn object(&self, of: &Type, namespace: &str, name: &str) -> Result<Value, ServeError> {
        match self {
            Source::Live(live) => live.object(of, namespace, name).await,
            Source::Saved(saved) => saved.object(of, namespace, name),
        }
    }

    /// A table of the objects of a type, or of one of them; with whole objects where they are to be sorted.
    pub(super) async fn table(
        &self,
        of: &Type,
        which: &Which,
        name: Option<&str>,
        whole: bool,
    ) -> Result<Table, ServeError> {
        match self {
            Source::Live(live) => live.table(of, which, name, whole).await,
            Source::Saved(saved) => saved.table(of, which, name),
        }
    }

    /// Whether an object is there; none where that can't be told.
    pub(super) async fn exists(&self, word: &str, namespace: &str, name: &str) -> Option<bool> {
        let of = self.type_of(word).await.ok()?;
        let found = match self {
            Source::Live(live) => live.metadata(&of, namespace, name).await.map(drop),
            Source::Saved(saved) => saved.object(&of, namespace, name).map(drop),
        };
        match found {
            Ok(()) => Some(true),
            Err(ServeError::NotFound { .. }) => Some(false),
            Err(_) => None,
        }
    }
}

/// What a line calls an object.
pub(super) fn said(target: &Target) -> String {
    target.to_string()
}
