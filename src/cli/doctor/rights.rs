//! What we may read of what `deploy/rbac.yaml` asks for.
//!
//! *Invariant:* it asks as a diagnosis does, by reading, one object of each kind; Secrets as metadata.

use futures::{StreamExt, stream};

use super::check::{Check, Standing};
use crate::cluster::{JSON, ReadClient, ReadError, TABLE};
use crate::model::Kind;
use crate::model::reference::{KINDS, KindInfo};

/// Questions at once.
const AT_ONCE: usize = 12;
/// The metrics API does not take a limit; this namespace has few pods.
const SMALL: &str = "kube-system";
/// Names of kinds that are shown.
const MOST: usize = 6;
/// Without these there is no diagnosis worth the name.
const NEEDED: &[&str] = &["pods", "events", "deployments", "replicasets"];

/// What came of asking for a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Right {
    /// It may be listed.
    Everywhere,
    /// In one namespace only.
    OnlyIn(String),
    Forbidden,
    /// The cluster has no such API.
    Absent,
    /// No answer.
    Unknown(String),
}

/// What may be read; of one namespace where `namespace` is given, else of all, else of `home`.
pub(super) async fn check(client: &ReadClient, namespace: Option<&str>, home: &str) -> Check {
    let asked = stream::iter(KINDS).map(|info| async move { (name(info), right(client, info, namespace, home).await) });
    let mut rights: Vec<(String, Right)> = asked.buffered(AT_ONCE).collect().await;
    rights.push(("pods/log".to_owned(), logs(client, namespace.or(Some(home))).await));
    told(&rights)
}

/// `pods`; of the metrics of pods `pods.metrics.k8s.io`.
fn name(info: &KindInfo) -> String {
    let first = KINDS.iter().find(|other| other.plural == info.plural).is_some_and(|other| other.kind == info.kind);
    if first { info.plural.to_owned() } else { format!("{}.{}", info.plural, info.group()) }
}

async fn right(client: &ReadClient, info: &KindInfo, namespace: Option<&str>, home: &str) -> Right {
    let metrics = info.kind == Kind::PodMetrics;
    let first = ask(client, info, if metrics { namespace.or(Some(SMALL)) } else { namespace }).await;
    if first != Right::Forbidden {
        return first;
    }
    // Of an API that is not there a server says "forbidden" too; what there is it tells everybody.
    let api = format!("/apis/{}", info.api_version);
    if info.optional && matches!(client.get(&api, JSON).await, Err(ReadError::Status { code: 404, .. })) {
        return Right::Absent;
    }
    if info.namespaced && namespace.is_none() && ask(client, info, Some(home)).await == Right::Everywhere {
        return Right::OnlyIn(home.to_owned());
    }
    first
}

async fn ask(client: &ReadClient, info: &KindInfo, namespace: Option<&str>) -> Right {
    let form = if info.kind == Kind::Secret { TABLE } else { JSON };
    let path = format!("{}?limit=1", info.path(namespace));
    from_answer(client.get(&path, form).await.map(drop))
}

fn from_answer(answer: Result<(), ReadError>) -> Right {
    match answer {
        Ok(()) => Right::Everywhere,
        Err(ReadError::Status { code: 403, .. }) => Right::Forbidden,
        Err(ReadError::Status { code: 404, .. }) => Right::Absent,
        Err(error) => Right::Unknown(error.to_string()),
    }
}

/// Whether the log of a pod may be read; unknown where there is none to ask for.
async fn logs(client: &ReadClient, namespace: Option<&str>) -> Right {
    #[derive(serde::Deserialize)]
    struct List {
        items: Vec<Item>,
    }
    #[derive(serde::Deserialize)]
    struct Item {
        metadata: Name,
    }
    #[derive(serde::Deserialize)]
    struct Name {
        name: String,
        namespace: String,
    }
    let everywhere = client.get("/api/v1/pods?limit=1", JSON).await;
    let body = match (everywhere, namespace) {
        (Ok(body), _) => Ok(body),
        (Err(_), Some(namespace)) => client.get(&format!("/api/v1/namespaces/{namespace}/pods?limit=1"), JSON).await,
        (Err(error), None) => Err(error),
    };
    let pod = body.ok().and_then(|body| serde_json::from_slice::<List>(&body).ok()?.items.into_iter().next());
    let Some(Item { metadata: Name { name, namespace } }) = pod else { return Right::Absent };
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/log?tailLines=1&limitBytes=1");
    match from_answer(client.get(&path, JSON).await.map(drop)) {
        // Which container, and whether it runs, is asked after the right was found.
        Right::Unknown(_) | Right::Absent => Right::Everywhere,
        right => right,
    }
}

fn told(rights: &[(String, Right)]) -> Check {
    let of = |wanted: &dyn Fn(&Right) -> bool| -> Vec<&str> {
        rights.iter().filter(|(_, right)| wanted(right)).map(|(name, _)| name.as_str()).collect()
    };
    let forbidden = of(&|right| *right == Right::Forbidden);
    let partly = of(&|right| matches!(right, Right::OnlyIn(_)));
    let unknown = of(&|right| matches!(right, Right::Unknown(_)));
    let all = rights.iter().filter(|(_, right)| *right != Right::Absent).count();
    let allowed = rights.iter().filter(|(_, right)| *right == Right::Everywhere).count();
    let mut said = format!("{allowed} of {all} kinds may be read");
    if !forbidden.is_empty() {
        said += &format!("; forbidden: {}", named(&forbidden));
    }
    if let Some((_, Right::OnlyIn(home))) = rights.iter().find(|(_, right)| matches!(right, Right::OnlyIn(_))) {
        said += &format!("; in namespace {home} only: {}", named(&partly));
    }
    if let Some((_, Right::Unknown(why))) = rights.iter().find(|(_, right)| matches!(right, Right::Unknown(_))) {
        said += &format!("; no answer for {} ({why})", named(&unknown));
    }
    let standing = match forbidden.as_slice() {
        names if names.iter().any(|name| NEEDED.contains(name)) => Standing::Failed,
        [] if partly.is_empty() && unknown.is_empty() => return Check::ok("rights", said),
        ["secrets"] if partly.is_empty() && unknown.is_empty() => {
            return Check::note("rights", said)
                .hint("that is as deploy/rbac.yaml has it: references to Secrets are told as unknown");
        }
        _ => Standing::Warning,
    };
    Check::new("rights", standing, said).hint("deploy/rbac.yaml of the project is the role that a whole answer needs")
}

/// The first names, which matter most, and how many more there are.
fn named(names: &[&str]) -> String {
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_kinds_apart_and_are_not_too_many() {
        let names: Vec<String> = KINDS.iter().map(name).collect();
        let different: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(different.len(), KINDS.len());
        assert!(names.contains(&"pods".to_owned()) && names.contains(&"pods.metrics.k8s.io".to_owned()));
        let names: Vec<&str> = names.iter().map(String::as_str).take(8).collect();
        assert_eq!(named(&names), "nodes, namespaces, pods, events, deployments, replicasets and 2 more");
    }

    #[test]
    fn what_is_forbidden_is_named() {
        use Right::{Absent, Everywhere, Forbidden, OnlyIn, Unknown};
        let only = || OnlyIn("shop".to_owned());
        let table = [
            (vec![("pods", Everywhere), ("gateways", Absent)], Standing::Ok, "1 of 1 kinds may be read"),
            (
                vec![("pods", Everywhere), ("secrets", Forbidden)],
                Standing::Note,
                "1 of 2 kinds may be read; forbidden: secrets",
            ),
            (
                vec![("pods", Everywhere), ("nodes", Forbidden)],
                Standing::Warning,
                "1 of 2 kinds may be read; forbidden: nodes",
            ),
            (
                vec![("pods", Forbidden), ("nodes", Everywhere)],
                Standing::Failed,
                "1 of 2 kinds may be read; forbidden: pods",
            ),
            (
                vec![("pods", only()), ("jobs", only())],
                Standing::Warning,
                "0 of 2 kinds may be read; in namespace shop only: pods, jobs",
            ),
            (
                vec![("pods", Everywhere), ("leases", Unknown("a 503".to_owned()))],
                Standing::Warning,
                "1 of 2 kinds may be read; no answer for leases (a 503)",
            ),
        ];
        for (rights, standing, said) in table {
            let rights: Vec<(String, Right)> =
                rights.into_iter().map(|(name, right)| (name.to_owned(), right)).collect();
            let check = told(&rights);
            assert_eq!((check.standing, check.said.as_str()), (standing, said));
            assert_eq!(check.hints.is_empty(), standing == Standing::Ok, "{said}");
        }
    }
}
