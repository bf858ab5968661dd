//! Reads a cluster, or a namespace of it, into a snapshot.
//!
//! *Invariant:* what can't be read makes the snapshot smaller and leaves a gap; the snapshot is
//! the same whatever order the answers came in. A missing right never fails the run.

use tokio::task::JoinSet;

use super::error::{CollectError, ReadError};
use super::gaps;
use super::list::{Listed, Lister};
use super::plan::{self, Absence, List};
use super::read::{JSON, Patience, ReadClient};
use super::{Progress, is_namespace};
use crate::model::{Gap, Kind, Objects, Scope, Snapshot, Time};
use crate::redact::Redactor;

/// What to read.
#[derive(Clone, Debug)]
pub struct Collect {
    /// The name of the context, for the snapshot.
    pub context: String,
    /// One namespace, or all.
    pub namespace: Option<String>,
    /// The namespace that is read where reading all of them is forbidden.
    pub fallback_namespace: String,
    /// The clock of the snapshot.
    pub taken_at: Time,
    /// Objects on one page; zero for no pages. See [`PAGE_SIZE`].
    pub page_size: u32,
}

/// Large enough to cost few requests, small enough that two pages of pods are no burden.
pub const PAGE_SIZE: u32 = 500;

/// Reads what `request` asks for.
pub async fn collect(
    client: &ReadClient,
    request: &Collect,
    redactor: &Redactor,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Snapshot, CollectError> {
    for namespace in request.namespace.iter().chain([&request.fallback_namespace]) {
        if !is_namespace(namespace) {
            return Err(CollectError::InvalidNamespace(namespace.clone()));
        }
    }
    let scope = Scope::of(request.namespace.as_deref());
    let mut snapshot = Snapshot::new(request.taken_at, &request.context, scope);
    let mut collection =
        Collection { lister: Lister::new(client.clone(), redactor), request, progress, gaps: Vec::new() };
    let (version, gathered) = tokio::join!(client.version(), collection.gather(request.namespace.as_deref()));
    snapshot.server_version = version.unwrap_or_default().to_owned();
    snapshot.objects = match gathered? {
        Gathered::All(objects) => *objects,
        Gathered::NoPods => {
            // A part of the cluster without its pods would look broken where it is not: so all is
            // read again, as if only this namespace had been asked for.
            let namespace = request.fallback_namespace.clone();
            snapshot.scope.namespace = Some(namespace.clone());
            collection.narrow(&namespace).await?
        }
    };
    snapshot.objects.sort();
    snapshot.gaps = gaps::tidy(collection.gaps);
    Ok(snapshot)
}

/// Reads other namespaces into a snapshot of one: all they hold, lest what is only unread look missing. One that
/// may not be read leaves a gap.
pub async fn widen(
    client: &ReadClient,
    request: &Collect,
    namespaces: &[String],
    redactor: &Redactor,
    snapshot: &mut Snapshot,
    progress: &(dyn Fn(Progress) + Sync),
) {
    let lister = Lister::new(client.clone(), redactor);
    let mut collection = Collection { lister, request, progress, gaps: std::mem::take(&mut snapshot.gaps) };
    for namespace in namespaces.iter().filter(|namespace| is_namespace(namespace)) {
        let Some(objects) = collection.beside(namespace).await else { continue };
        // Of the cluster's own namespace some was read already.
        snapshot.objects.forget(namespace);
        snapshot.objects.append(objects);
        snapshot.scope.beside.push(namespace.clone());
    }
    snapshot.objects.sort();
    snapshot.gaps = gaps::tidy(collection.gaps);
}

/// The namespaces that have Services of these names, where Services of all namespaces may be read.
pub async fn places_of(client: &ReadClient, services: &[String]) -> Vec<String> {
    let mut places = Vec::new();
    for name in services.iter().filter(|name| is_namespace(name)) {
        let path = format!("/api/v1/services?limit=10&fieldSelector=metadata.name%3D{name}");
        let Ok(body) = client.ask(&path, JSON, Patience::Once(std::time::Duration::from_secs(5))).await else {
            continue;
        };
        let Some(info) = Kind::Service.info() else { continue };
        let services = (info.parse)(&body).map(|objects| objects.services).unwrap_or_default();
        places.extend(services.into_iter().map(|service| service.metadata.namespace));
    }
    places
}

/// A run that is under way.
struct Collection<'a> {
    lister: Lister,
    request: &'a Collect,
    progress: &'a (dyn Fn(Progress) + Sync),
    gaps: Vec<Gap>,
}

/// What a reading came to.
enum Gathered {
    /// What may be read.
    All(Box<Objects>),
    /// Pods of all namespaces may not be listed; the rest was not waited for.
    NoPods,
}

/// What one list came to.
struct Answer {
    kind: Kind,
    objects: Objects,
    gaps: Vec<Gap>,
    failure: Option<ReadError>,
}

impl Collection<'_> {
    /// Reads all that the scope holds.
    async fn gather(&mut self, namespace: Option<&str>) -> Result<Gathered, CollectError> {
        let mut tasks = JoinSet::new();
        let mut total = 0;
        for list in plan::lists(namespace, self.request.page_size) {
            total += 1;
            tasks.spawn(self.errand(namespace).run(list));
        }
        let mut objects = Objects::default();
        let (mut done, mut silences) = (0, Vec::new());
        while let Some(joined) = tasks.join_next().await {
            // A task fails only when the process is being torn down.
            let Ok(mut answer) = joined else { continue };
            done += 1;
            match answer.failure.take() {
                Some(error) if error.status() == Some(401) => return Err(self.failed(error)),
                Some(error) if error.status() == Some(403) && answer.kind == Kind::Pod && namespace.is_none() => {
                    return Ok(Gathered::NoPods);
                }
                Some(error) if error.is_silence() => silences.push((answer.kind, error)),
                _ => {}
            }
            self.gaps.append(&mut answer.gaps);
            if answer.kind == Kind::CustomResourceDefinition {
                let (lists, gap) = plan::custom(&answer.objects.definitions, namespace);
                self.gaps.extend(gap);
                for list in lists {
                    total += 1;
                    tasks.spawn(self.errand(namespace).run(list));
                }
            }
            objects.append(answer.objects);
            (self.progress)(Progress::Listed { done, total, objects: objects.len() });
        }
        // Whatever came first: the same failure is reported in the same words.
        let silent = silences.len();
        match silences.into_iter().min_by_key(|(kind, _)| *kind) {
            Some((_, error)) if silent == done => Err(self.failed(error)),
            _ => Ok(Gathered::All(Box::new(objects))),
        }
    }

    /// Reads one namespace where all were asked for.
    async fn narrow(&mut self, namespace: &str) -> Result<Objects, CollectError> {
        self.gaps.clear();
        let Gathered::All(objects) = self.gather(Some(namespace)).await? else { return Ok(Objects::default()) };
        let none = self.gaps.iter().any(|gap| gap.kind == Some(Kind::Pod));
        let reason =
            if none { "forbidden".to_owned() } else { format!("forbidden; read namespace `{namespace}` only") };
        self.gaps.push(Gap { what: "all other namespaces".to_owned(), namespace: None, reason, kind: None });
        Ok(*objects)
    }

    /// Reads what another namespace holds, if its pods may be read.
    async fn beside(&mut self, namespace: &str) -> Option<Objects> {
        let mut lists = plan::within(namespace, self.request.page_size).into_iter();
        let mut answer = self.errand(Some(namespace)).run(lists.next()?).await;
        if let Some(error) = answer.failure {
            let reason = self.lister.reason(&error);
            self.gaps.push(Gap { what: format!("namespace {namespace}"), namespace: None, reason, kind: None });
            return None;
        }
        let mut tasks: JoinSet<Answer> = lists.map(|list| self.errand(Some(namespace)).run(list)).collect();
        let (mut done, total) = (1, tasks.len() + 1);
        while let Some(joined) = tasks.join_next().await {
            let Ok(mut other) = joined else { continue };
            answer.objects.append(other.objects);
            answer.gaps.append(&mut other.gaps);
            done += 1;
            (self.progress)(Progress::Listed { done, total, objects: answer.objects.len() });
        }
        self.gaps.append(&mut answer.gaps);
        Some(answer.objects)
    }

    fn failed(&self, error: ReadError) -> CollectError {
        self.lister.client.connect_error(error).into()
    }

    fn errand(&self, namespace: Option<&str>) -> Errand {
        let fallback = namespace.is_none().then(|| self.request.fallback_namespace.clone());
        Errand { lister: self.lister.clone(), namespace: namespace.map(str::to_owned), fallback }
    }
}

/// The reading of one list, with what is tried where it is refused.
struct Errand {
    lister: Lister,
    namespace: Option<String>,
    fallback: Option<String>,
}

impl Errand {
    async fn run(self, list: List) -> Answer {
        let listed = self.lister.list(&list).await;
        let mut answer = Answer { kind: list.kind, objects: listed.objects, gaps: Vec::new(), failure: None };
        let Some(error) = listed.failure else {
            if listed.more {
                let some = answer.objects.len();
                answer.gaps.push(list.gap(format!("only {some} read; the rest was left out")));
            }
            return answer;
        };
        let known = list.absence == Absence::Silent
            || match error.status() {
                Some(403) => {
                    let instead = self.instead(&list).await;
                    if let Some(Instead { objects, gap }) = instead {
                        answer.objects = objects;
                        answer.gaps.extend(gap);
                        true
                    } else {
                        list.absence == Absence::Optional && !self.is_served(&list).await
                    }
                }
                _ => list.absence == Absence::Optional,
            };
        if !known {
            let some = answer.objects.len();
            let reason = self.lister.reason(&error);
            let reason = if some == 0 { reason } else { format!("only {some} read: {reason}") };
            answer.gaps.push(list.gap(reason));
        }
        answer.failure = Some(error);
        answer
    }

    /// What may be read in place of a list that may not.
    async fn instead(&self, list: &List) -> Option<Instead> {
        if list.kind == Kind::Namespace {
            // A right to a namespace often holds the right to look at the namespace itself.
            let path = format!("/api/v1/namespaces/{}", self.namespace.as_deref()?);
            let body = self.lister.client.get(&path, JSON).await.ok()?;
            let list_of_one = [b"{\"items\":[", body.as_slice(), b"]}"].concat();
            return Some(Instead { objects: self.lister.read(list_of_one, &list.parse).await.ok()?, gap: None });
        }
        // Without pods nothing is read in this way: the scope becomes the namespace.
        let fallback = self.fallback.as_deref().filter(|_| list.namespaced && list.kind != Kind::Pod)?;
        let Listed { objects, failure: None, .. } = self.lister.list(&list.within(fallback)).await else { return None };
        let gap = list.gap(format!("forbidden; read namespace `{fallback}` only"));
        Some(Instead { objects, gap: Some(gap) })
    }

    /// Whether the API is there at all: rights are checked first, so that reading what does not
    /// exist is forbidden too.
    async fn is_served(&self, list: &List) -> bool {
        #[derive(serde::Deserialize)]
        struct Resources {
            resources: Vec<Resource>,
        }
        #[derive(serde::Deserialize)]
        struct Resource {
            name: String,
        }
        let patience = Patience::Once(std::time::Duration::from_secs(5));
        let Ok(body) = self.lister.client.ask(&format!("/apis/{}", list.api_version), JSON, patience).await else {
            return false;
        };
        serde_json::from_slice::<Resources>(&body)
            .is_ok_and(|known| known.resources.iter().any(|resource| resource.name == list.plural))
    }
}

/// What was read in place of what may not be.
struct Instead {
    objects: Objects,
    gap: Option<Gap>,
}
