//! The one entry to a diagnosis, for the command line, the daemon and the API alike.
//!
//! *Invariant:* a live diagnosis and one of its saved snapshot take the same way from the redacted
//! snapshot on, so they give the same bytes.

mod explore;
mod keep;
mod rehearsal;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::causes::{self, Focus};
use crate::cluster::{self, Bounds, Collect, CollectError, Connection};
use crate::detect;
use crate::graph::{self, View};
use crate::model::diagnosis::{Counts, SCHEMA_VERSION};
use crate::model::event::Event;
use crate::model::reference::Name;
use crate::model::{Diagnosis, Kind, ObjectRef, Selector, Severity, Snapshot, Time, Verdict};
use crate::redact::{Redacted, Redactor};
use crate::retriever::{self, Advised, Libraries};

pub use explore::Explorer;
pub use keep::{Kept, keep, whole};

/// Where the snapshot comes from.
pub enum Source {
    /// A cluster.
    Live(Box<Connection>),
    /// A saved snapshot.
    Saved(Arc<Redacted<Snapshot>>),
}

/// The opened handles.
pub struct Context {
    /// Where the snapshot comes from.
    pub source: Source,
    /// Masks what is secret.
    pub redactor: Redactor,
    /// Objects in one page of a list.
    pub page_size: u32,
    /// Where runbooks are looked for.
    pub runbooks: Option<Arc<retriever::Options>>,
    /// Who goes deeper; none where no model is to be asked.
    pub explorer: Option<Explorer>,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// One namespace, or all.
    pub namespace: Option<String>,
    /// Only these, with what they depend on and what depends on them.
    pub targets: Vec<Target>,
    /// Only objects with these labels, likewise.
    pub selector: Option<Selector>,
}

impl Request {
    /// The targets as a person writes them: `deploy/web`.
    pub fn written(&self) -> Vec<String> {
        let written = self.targets.iter().map(|target| match &target.name {
            Some(name) => format!("{}/{name}", target.kind),
            None => target.kind.clone(),
        });
        written.collect()
    }
}

/// An object, or all of a kind, as a person names it: `deploy/web`, `pods`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The kind, by any word that kubectl takes.
    pub kind: String,
    /// The name; all of the kind where absent.
    pub name: Option<String>,
}

/// A one-way channel for what happens; nothing comes back through it.
pub type EventSink = dyn Fn(Event) + Send + Sync;

/// What a diagnosis leaves behind.
pub struct Outcome {
    /// The answer.
    pub diagnosis: Diagnosis,
    /// What it was derived from.
    pub snapshot: Arc<Redacted<Snapshot>>,
}

/// Why there is no diagnosis.
#[derive(Debug, thiserror::Error)]
pub enum DiagnoseError {
    /// The cluster could not be read.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A word that is no kind.
    #[error("the server has no resource type `{0}`")]
    UnknownKind(String),
    /// A name that no object has.
    #[error("{0} not found")]
    NotFound(String),
    /// A namespace that is not there.
    #[error("namespace `{name}` not found")]
    NoNamespace {
        /// It.
        name: String,
        /// The one that was probably meant.
        near: Option<String>,
    },
}

/// Diagnoses a cluster or a saved snapshot.
///
/// # Errors
/// When the cluster can't be read at all, or a target is not there.
pub async fn diagnose(context: &Context, request: &Request, events: &EventSink) -> Result<Outcome, DiagnoseError> {
    // The repository is fetched while the cluster is read.
    let opening = context.runbooks.clone().map(|options| tokio::task::spawn_blocking(|| Libraries::open(options)));
    let snapshot = match &context.source {
        Source::Live(connection) => Arc::new(read(context, connection, request, events).await?),
        Source::Saved(snapshot) => snapshot.clone(),
    };
    events(Event::Explaining);
    let mut diagnosis = derive(&snapshot, request)?;
    let advised = match opening {
        Some(opening) => advise(opening.await, &mut diagnosis),
        None => Advised::Lost,
    };
    if let Some(explorer) = &context.explorer {
        explore::explore(explorer, context, request, &snapshot, advised, &mut diagnosis, events).await;
    }
    Ok(Outcome { diagnosis, snapshot })
}

/// Adds the runbooks; where they can't be had, why not.
fn advise(opened: Result<Libraries, tokio::task::JoinError>, diagnosis: &mut Diagnosis) -> Advised {
    match opened {
        Ok(libraries) => libraries.advise(diagnosis),
        Err(error) => {
            diagnosis.libraries.push(retriever::lost(error.to_string()));
            Advised::Lost
        }
    }
}

/// Reads a cluster: the lists, then what detectors want beside them.
///
/// # Errors
/// When nothing can be read.
pub async fn read(
    context: &Context,
    connection: &Connection,
    request: &Request,
    events: &EventSink,
) -> Result<Redacted<Snapshot>, DiagnoseError> {
    let collect = Collect {
        context: connection.context.clone(),
        namespace: request.namespace.clone(),
        fallback_namespace: connection.namespace.clone(),
        taken_at: now(),
        page_size: context.page_size,
    };
    let mut snapshot =
        cluster::collect(&connection.client, &collect, &context.redactor, &|progress| events(progress.into())).await?;
    let progress = |progress: cluster::Progress| events(progress.into());
    let (client, redactor) = (&connection.client, &context.redactor);
    let wants = detect::wants(&graph::build(&snapshot), threads());
    cluster::fetch(client, &wants, &Bounds::default(), redactor, &mut snapshot, &progress).await;
    if snapshot.scope.namespace.is_none() {
        return Ok(context.redactor.seal(snapshot));
    }
    let (mut others, strangers) = {
        let view = graph::build(&snapshot);
        (detect::neighbours(&view), detect::strangers(&view))
    };
    others.extend(cluster::places_of(client, &strangers).await);
    others.retain(|namespace| !snapshot.scope.holds(namespace));
    others.sort();
    others.dedup();
    if !others.is_empty() {
        cluster::widen(client, &collect, &others, redactor, &mut snapshot, &progress).await;
        let wants = detect::wants(&graph::build(&snapshot), threads());
        cluster::fetch(client, &wants, &Bounds::default(), redactor, &mut snapshot, &progress).await;
    }
    Ok(context.redactor.seal(snapshot))
}

/// How many threads the detectors run on: what they say does not depend on it.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(8)
}

#[expect(clippy::disallowed_methods, reason = "the one place where a snapshot gets its time")]
fn now() -> Time {
    // Whole seconds, as the API's own times.
    Time::from_second(Time::now().as_second()).unwrap_or_default()
}

/// Derives a diagnosis from a snapshot alone: the same bytes for the same snapshot.
///
/// # Errors
/// When a target is not there.
pub fn derive(snapshot: &Snapshot, request: &Request) -> Result<Diagnosis, DiagnoseError> {
    let view = graph::build(snapshot);
    let namespace = request.namespace.as_deref().or(snapshot.scope.namespace.as_deref());
    if let Some(name) = namespace.filter(|name| view.no_namespace(name)) {
        let all = snapshot.objects.namespaces.iter().map(|namespace| namespace.metadata.name.as_str());
        let near = detect::prelude::meant(name, all).map(str::to_owned);
        return Err(DiagnoseError::NoNamespace { name: name.to_owned(), near });
    }
    let mut focus = Focus::new(namespace);
    for target in &request.targets {
        let objects = resolve(&view, target, namespace)?;
        focus.narrow(&view, objects);
    }
    if let Some(selector) = &request.selector {
        focus.narrow(&view, Focus::labelled(&view, selector, namespace));
    }
    let explained = causes::explain(&view, detect::detect(&view, threads()), &focus);
    let broken = explained.causes.iter().any(|cause| cause.severity > Severity::Info);
    let verdict = match broken {
        true => Verdict::Unhealthy,
        false if blind(snapshot) => Verdict::Unknown,
        false => Verdict::Healthy,
    };
    Ok(Diagnosis {
        schema_version: SCHEMA_VERSION.to_owned(),
        context: snapshot.context.clone(),
        namespace: namespace.map(str::to_owned),
        taken_at: snapshot.taken_at,
        verdict,
        causes: explained.causes,
        gaps: snapshot.gaps.clone(),
        silenced: explained.silenced,
        counts: counts(snapshot, namespace),
        libraries: Vec::new(),
        exploration: None,
    })
}

/// Whether a gap hides something that a detector would have looked at.
fn blind(snapshot: &Snapshot) -> bool {
    let read: BTreeSet<Kind> = detect::detectors().iter().flat_map(|detector| detector.reads).copied().collect();
    snapshot.gaps.iter().any(|gap| gap.kind.is_none_or(|kind| read.contains(&kind)))
}

fn counts(snapshot: &Snapshot, namespace: Option<&str>) -> Counts {
    let mut counts = Counts::default();
    let mut namespaces = BTreeSet::new();
    snapshot.objects.each(|object, meta| {
        if object.kind == Kind::Event
            || namespace.is_some_and(|namespace| object.namespace.is_some() && object.ns() != namespace)
        {
            return;
        }
        counts.objects += 1;
        counts.pods += usize::from(object.kind == Kind::Pod);
        counts.nodes += usize::from(object.kind == Kind::Node);
        if !meta.namespace.is_empty() {
            namespaces.insert(meta.namespace.as_str());
        }
    });
    counts.namespaces = namespaces.len();
    counts
}

/// The objects that a person means by a target.
fn resolve(view: &View<'_>, target: &Target, namespace: Option<&str>) -> Result<Vec<ObjectRef>, DiagnoseError> {
    let kind = kind_of(view, &target.kind).ok_or_else(|| DiagnoseError::UnknownKind(target.kind.clone()))?;
    let mut found = Vec::new();
    view.snapshot.objects.each(|object, _| {
        let inside = object.namespace.is_none() || namespace.is_none_or(|namespace| object.ns() == namespace);
        if object.kind == kind && inside && target.name.as_deref().is_none_or(|name| *object.name == *name) {
            found.push(object);
        }
    });
    match &target.name {
        Some(name) if found.is_empty() => {
            let object = ObjectRef::new(kind, namespace.unwrap_or_default(), name);
            // What could not be read may still be named by others.
            if view.dependents(&object).next().is_some() {
                Ok(vec![object])
            } else {
                Err(DiagnoseError::NotFound(format!("{} `{name}`", kind.argument())))
            }
        }
        _ => Ok(found),
    }
}

/// The kind of a word, custom kinds of this cluster included.
fn kind_of(view: &View<'_>, word: &str) -> Option<Kind> {
    Kind::from_word(word).or_else(|| {
        let word = word.to_ascii_lowercase();
        let (name, group) = word.split_once('.').unwrap_or((&word, ""));
        let definitions = &view.snapshot.objects.definitions;
        let named = |names: &crate::model::kinds::DefinitionNames| {
            names.plural == name
                || names.kind.eq_ignore_ascii_case(name)
                || names.short_names.iter().any(|short| short == name)
        };
        let definition = definitions.iter().find(|d| named(&d.spec.names) && d.spec.group.starts_with(group))?;
        Some(Kind::Custom(Name::new(&format!("{}.{}", definition.spec.names.kind, definition.spec.group))))
    })
}

impl DiagnoseError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            DiagnoseError::Collect(error) => error.hint(),
            DiagnoseError::UnknownKind(_) => Some("`kubectl api-resources` lists the types of this cluster".to_owned()),
            DiagnoseError::NotFound(_) => {
                Some("check the name and the namespace (-n), or leave the name out".to_owned())
            }
            DiagnoseError::NoNamespace { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            DiagnoseError::NoNamespace { near: None, .. } => {
                Some("see those there are with `kubectl get namespaces`".to_owned())
            }
        }
    }
}
