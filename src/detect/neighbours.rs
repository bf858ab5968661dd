//! Other namespaces that the objects of one namespace name: a call to `db.data` can be judged only with `data` read.
//!
//! *Invariant:* none where all namespaces were read; at most [`MOST`], those first that failing pods call.

use super::calls::{Form, calls, clients, complaint};
use super::logs::service::{Standing, callee};
use super::logs::{Class, said};
use super::prelude::*;
use crate::model::kinds::HTTPRoute;

/// How many other namespaces are read, and how many Services are looked for.
pub const MOST: usize = 3;

/// Names of Services that failing containers of the scope call and their namespace lacks: another may have them.
pub fn strangers(view: &View<'_>) -> Vec<String> {
    let Some(own) = view.snapshot.scope.namespace.as_deref() else { return Vec::new() };
    let mut named = Vec::new();
    for client in clients(view).iter().filter(|client| client.namespace == own) {
        for call in calls(view, client).iter().filter(|call| call.form == Form::Bare && view.absent(&call.service)) {
            if client.ails(call.container) || complaint(view, client, call).is_some() {
                named.push(call.service.name.to_string());
            }
        }
    }
    for failing in said(view, |class| matches!(class, Class::Unreachable(_) | Class::UnknownHost(_))) {
        match callee(view, &failing) {
            Some((_, Standing::Missing { name, namespace })) if namespace == own => named.push(name),
            _ => {}
        }
    }
    first(named)
}

/// The namespaces that those of the scope name, and that were not read.
pub fn neighbours(view: &View<'_>) -> Vec<String> {
    let Some(own) = view.snapshot.scope.namespace.as_deref() else { return Vec::new() };
    let mut clients: Vec<_> = clients(view).into_iter().filter(|client| client.namespace == own).collect();
    clients.sort_by_key(|client| client.pods.iter().all(|pod| pod.ready()));
    let called = clients.iter().flat_map(|client| calls(view, client));
    let called = called.filter(|call| matches!(call.form, Form::Full | Form::Namespaced | Form::Member));
    let mut named: Vec<String> = called.map(|call| call.service.ns().to_owned()).collect();
    named.extend(view.within::<Service>(own).iter().filter_map(|service| {
        let mut labels = service.spec.external_name.split('.').skip(1);
        Some(labels.next()?.to_owned()).filter(|_| labels.next() == Some("svc"))
    }));
    let rules = view.within::<HTTPRoute>(own).iter().flat_map(|route| &route.spec.rules);
    named.extend(rules.flat_map(|rule| &rule.backend_refs).map(|backend| backend.namespace.clone()));
    named.retain(|name| {
        let there = view.existence(&ObjectRef::new(Kind::Namespace, "", name)) != Existence::Absent;
        !name.is_empty() && there && !view.snapshot.scope.holds(name)
    });
    first(named)
}

/// The first of these, each once.
fn first(names: Vec<String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if found.len() < MOST && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{neighbours, strangers};
    use crate::detect::testing::snapshot;

    const SHOP: &str = "
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: app, env: [
  {name: SELF_URL, value: 'http://web.shop.svc:80'}, {name: OTEL_URL, value: 'http://otel.monitoring.svc:4317'}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}
---
kind: Pod
metadata: {name: worker, namespace: shop}
spec: {containers: [{name: app, env: [{name: DB_URL, value: 'postgres://db.data:5432'}]}]}
status: {phase: Running}
---
kind: Pod
metadata: {name: other, namespace: blog}
spec: {containers: [{name: app, env: [{name: DB_URL, value: 'postgres://db.wiki.svc:5432'}]}]}
---
kind: Service
metadata: {name: mail, namespace: shop}
spec: {type: ExternalName, externalName: smtp.mail.svc.cluster.local}
---
kind: Service
metadata: {name: outside, namespace: shop}
spec: {type: ExternalName, externalName: smtp.example.com}
---
kind: Namespace
metadata: {name: data}
---
kind: Namespace
metadata: {name: monitoring}
";

    fn named(yaml: &str) -> Vec<String> {
        neighbours(&crate::graph::build(&snapshot(yaml)))
    }

    #[test]
    fn whom_failing_pods_call_comes_first() {
        assert!(named(SHOP).is_empty(), "all was read");
        let scoped = format!("{SHOP}---\nkind: Scope\nnamespace: shop\n");
        assert_eq!(named(&scoped), ["data", "monitoring"], "there is no namespace mail");
        let mail = "---\nkind: Namespace\nmetadata: {name: mail}\n";
        assert_eq!(named(&format!("{scoped}{mail}")), ["data", "monitoring", "mail"]);
    }

    #[test]
    fn a_service_that_a_failing_container_lacks_may_be_elsewhere() {
        let pod = "
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: app, env: [{name: CACHE_URL, value: 'redis://cache:6379'}]}]}
status:
  phase: Running
  containerStatuses: [{name: app, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}}]
---
kind: Scope
namespace: shop
";
        let found = |yaml: &str| strangers(&crate::graph::build(&snapshot(yaml)));
        assert_eq!(found(pod), ["cache"]);
        let service = "---\nkind: Service\nmetadata: {name: cache, namespace: shop}\n";
        assert!(found(&format!("{pod}{service}")).is_empty());
        assert!(found(&pod.replace("exitCode: 1", "exitCode: 0")).is_empty());
    }
}
