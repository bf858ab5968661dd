//! Which lists are asked for, for a scope.

use std::sync::Arc;
use std::time::Duration;

use super::read::{JSON, Patience, TABLE};
use super::secret;
use crate::model::kinds::{Custom, CustomResourceDefinition};
use crate::model::reference::{KINDS, list_path};
use crate::model::{Gap, Kind, KindInfo, Objects};

/// Reads a page.
pub(super) type Parse = Arc<dyn Fn(&[u8]) -> serde_json::Result<Objects> + Send + Sync>;

/// What it means when a list is not there, or may not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// Something is unknown.
    Gap,
    /// Clusters without this API are usual.
    Optional,
    /// It is read for good measure.
    Silent,
}

/// One list to ask for.
#[derive(Clone)]
pub(super) struct List {
    pub(super) kind: Kind,
    pub(super) api_version: String,
    pub(super) plural: String,
    pub(super) namespaced: bool,
    /// Where; absent for the whole cluster.
    pub(super) namespace: Option<String>,
    /// Selectors, as they stand in the query.
    pub(super) query: &'static str,
    pub(super) accept: &'static str,
    pub(super) parse: Parse,
    /// Objects on the first page; zero for no pages.
    pub(super) page_size: u32,
    /// Objects on a page of small ones.
    pub(super) largest_page: u32,
    /// Pages at most.
    pub(super) pages: usize,
    pub(super) patience: Patience,
    pub(super) absence: Absence,
}

/// More pages than any list has: a server that never comes to an end is not waited for.
const PAGES: usize = 10_000;
/// Definitions carry schemas of up to a megabyte, config maps may hold as much: their first page is small.
const PAGE_OF_LARGE_OBJECTS: u32 = 100;
/// What other programs serve must not hold up the answer.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(5);
/// How many custom kinds are read.
const CUSTOM_KINDS: usize = 100;
/// How many objects of a custom kind are read.
const CUSTOM_OBJECTS: u32 = 500;

/// Events that say that all is well, left out by the server: in a large cluster most are such.
const TELLING_EVENTS: &str = "fieldSelector=reason!=Pulled,reason!=Pulling,reason!=Created,reason!=Started,\
                              reason!=Scheduled,reason!=SuccessfulCreate,reason!=SuccessfulDelete";
/// Events of nodes are kept in the namespace `default`.
const EVENTS_OF_NODES: &str = "fieldSelector=involvedObject.kind=Node";
/// Where the cluster's DNS is, by custom.
const DNS: (&str, &str) = ("kube-system", "labelSelector=k8s-app=kube-dns");
/// Where nodes leave their heartbeats.
const NODE_LEASES: &str = "kube-node-lease";

impl List {
    fn of(info: &'static KindInfo, namespace: Option<&str>, page_size: u32) -> List {
        let secrets = info.kind == Kind::Secret;
        let parse = if secrets { secret::parse_table } else { info.parse };
        let large = matches!(info.kind, Kind::ConfigMap | Kind::CustomResourceDefinition);
        List {
            kind: info.kind,
            api_version: info.api_version.to_owned(),
            plural: info.plural.to_owned(),
            namespaced: info.namespaced,
            namespace: namespace.filter(|_| info.namespaced).map(str::to_owned),
            query: if info.kind == Kind::Event { TELLING_EVENTS } else { "" },
            accept: if secrets { TABLE } else { JSON },
            parse: Arc::new(parse),
            page_size: if large && page_size != 0 { page_size.min(PAGE_OF_LARGE_OBJECTS) } else { page_size },
            largest_page: page_size,
            pages: PAGES,
            patience: if info.optional { Patience::Once(PATIENCE_WITH_OTHERS) } else { Patience::Full },
            absence: if info.optional { Absence::Optional } else { Absence::Gap },
        }
    }

    fn custom(definition: &CustomResourceDefinition, namespace: Option<&str>) -> Option<List> {
        let spec = &definition.spec;
        let served = || spec.versions.iter().filter(|version| version.served);
        let version = served().find(|version| version.storage).or_else(|| served().next())?;
        let kind = Kind::parse(&format!("{}.{}", spec.names.kind, spec.group));
        let namespaced = spec.scope == "Namespaced";
        Some(List {
            kind,
            api_version: format!("{}/{}", spec.group, version.name),
            plural: spec.names.plural.clone(),
            namespaced,
            namespace: namespace.filter(|_| namespaced).map(str::to_owned),
            query: "",
            accept: JSON,
            parse: Arc::new(move |json| parse_custom(json, kind)),
            page_size: CUSTOM_OBJECTS,
            largest_page: CUSTOM_OBJECTS,
            pages: 1,
            patience: Patience::Within(PATIENCE_WITH_OTHERS),
            absence: Absence::Gap,
        })
    }

    /// The path that is asked for.
    pub(super) fn path(&self) -> String {
        list_path(&self.api_version, &self.plural, self.namespace.as_deref())
    }

    /// The same list of one namespace.
    pub(super) fn within(&self, namespace: &str) -> List {
        List { namespace: Some(namespace.to_owned()), ..self.clone() }
    }

    /// What a gap calls it: `deployments.apps`.
    pub(super) fn name(&self) -> String {
        match self.api_version.split_once('/') {
            Some((group, _)) => format!("{}.{group}", self.plural),
            None => self.plural.clone(),
        }
    }

    /// The gap that its failure leaves.
    pub(super) fn gap(&self, reason: String) -> Gap {
        Gap { what: self.name(), namespace: self.namespace.clone(), reason, kind: Some(self.kind) }
    }
}

/// All lists for a scope, the longest first, so that nothing waits for them at the end.
pub(super) fn lists(namespace: Option<&str>, page_size: u32) -> Vec<List> {
    let mut lists: Vec<List> = KINDS.iter().map(|info| List::of(info, namespace, page_size)).collect();
    lists.sort_by_key(|list| match list.kind {
        Kind::Pod => 0,
        Kind::CustomResourceDefinition => 1,
        Kind::ReplicaSet | Kind::Event => 2,
        Kind::ConfigMap | Kind::EndpointSlice | Kind::Secret | Kind::Deployment | Kind::Service => 3,
        _ => 4,
    });
    if let Some(namespace) = namespace {
        lists.extend(beside(namespace, page_size));
    }
    lists
}

/// The lists of what another namespace holds, its pods first.
pub(super) fn within(namespace: &str, page_size: u32) -> Vec<List> {
    let all = lists(Some(namespace), page_size);
    all.into_iter()
        .filter(|list| {
            list.query == TELLING_EVENTS || list.namespace.as_deref() == Some(namespace) && list.query.is_empty()
        })
        .collect()
}

/// What a namespace depends on and does not hold: its nodes' heartbeats and events, the DNS.
fn beside(namespace: &str, page_size: u32) -> Vec<List> {
    let of = |kind: Kind, elsewhere: &str, query: &'static str, absence: Absence| {
        let info = kind.info().filter(|_| namespace != elsewhere)?;
        Some(List { query, absence, ..List::of(info, Some(elsewhere), page_size) })
    };
    let (dns, labels) = DNS;
    [
        of(Kind::Lease, NODE_LEASES, "", Absence::Gap),
        of(Kind::Event, "default", EVENTS_OF_NODES, Absence::Silent),
        of(Kind::Service, dns, labels, Absence::Silent),
        of(Kind::EndpointSlice, dns, labels, Absence::Silent),
        of(Kind::Pod, dns, labels, Absence::Silent),
        of(Kind::ReplicaSet, dns, labels, Absence::Silent),
        of(Kind::Deployment, dns, labels, Absence::Silent),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The lists of the custom kinds that say how they are, and the gap that the bound leaves.
pub(super) fn custom(definitions: &[CustomResourceDefinition], namespace: Option<&str>) -> (Vec<List>, Option<Gap>) {
    let known = |list: &List| {
        KINDS.iter().any(|info| info.plural == list.plural && list.api_version.split('/').next() == Some(info.group()))
    };
    let mut lists: Vec<List> = definitions
        .iter()
        .filter(|definition| definition.reports())
        .filter_map(|definition| List::custom(definition, namespace))
        .filter(|list| !known(list))
        .collect();
    lists.sort_by_key(List::name);
    let beyond = lists.len().saturating_sub(CUSTOM_KINDS);
    lists.truncate(CUSTOM_KINDS);
    let gap = (beyond > 0).then(|| Gap {
        what: format!("custom resources of {beyond} kinds"),
        namespace: None,
        reason: format!("at most {CUSTOM_KINDS} custom kinds are read"),
        kind: None,
    });
    (lists, gap)
}

/// Reads a list of custom resources; what can't be read is left out.
fn parse_custom(json: &[u8], kind: Kind) -> serde_json::Result<Objects> {
    #[derive(serde::Deserialize)]
    struct Items<'a> {
        #[serde(borrow, default)]
        items: Option<Vec<&'a serde_json::value::RawValue>>,
    }
    let items = serde_json::from_slice::<Items<'_>>(json)?.items.unwrap_or_default();
    let custom = items.iter().filter_map(|item| serde_json::from_slice::<Custom>(item.get().as_bytes()).ok());
    let custom = custom.map(|object| Custom { kind, ..object }).collect();
    Ok(Objects { custom, ..Objects::default() })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Rule {
        api_groups: Vec<String>,
        resources: Vec<String>,
        verbs: Vec<String>,
    }

    #[derive(Deserialize)]
    struct Role {
        rules: Vec<Rule>,
    }

    fn role() -> Role {
        serde_saphyr::from_str(include_str!("../../deploy/rbac.yaml")).unwrap()
    }

    #[test]
    fn the_role_allows_every_kind_but_secrets() {
        let rules = role().rules;
        let has = |list: &[String], word: &str| list.iter().any(|entry| entry == word);
        for info in KINDS {
            let allowed = rules.iter().any(|rule| {
                has(&rule.api_groups, info.group()) && has(&rule.resources, info.plural) && has(&rule.verbs, "list")
            });
            assert_eq!(allowed, info.kind != Kind::Secret, "{}", info.kind);
        }
        assert!(rules.iter().any(|rule| has(&rule.resources, "pods/log") && rule.verbs == ["get"]));
    }

    #[test]
    fn the_role_allows_nothing_else() {
        for Rule { api_groups, resources, verbs } in role().rules {
            assert!(verbs.iter().all(|verb| verb == "get" || verb == "list"), "{verbs:?}");
            assert!(!api_groups.iter().chain(&resources).any(|word| word.contains('*')), "{resources:?}");
            for resource in resources.iter().filter(|resource| *resource != "pods/log") {
                let known = |group: &String| KINDS.iter().any(|info| info.group() == group && info.plural == resource);
                assert!(api_groups.iter().all(known), "{resource}");
            }
        }
    }

    #[test]
    fn the_longest_list_comes_first_and_none_is_forgotten() {
        let lists = lists(None, 500);
        assert_eq!(lists[0].name(), "pods");
        assert_eq!(lists.len(), KINDS.len());
    }
}
