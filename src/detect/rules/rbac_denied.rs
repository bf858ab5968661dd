//! Containers that fail because their account may not do something in the cluster.

use crate::detect::config_uses;
use crate::detect::logs::{Class, Denial, Failing, complaining};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "rbac-denied",
    summary: "Program fails because its ServiceAccount may not do what it needs",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::RoleBinding, Kind::ClusterRoleBinding],
    wants: None,
    doc: r#"## What it detects
A container that crashes, is not ready or keeps complaining because the API server forbids its account something:
`User "system:serviceaccount:…" cannot list resource "pods"`. Compared with the roles and bindings that were
read: none binds the account, one binds another of nearly that name or in another namespace only, the bound role
does not exist, or it does not allow it (another verb, API group or `resourceNames`).

## Why it matters
Controllers and operators that may not read do nothing.

## Evidence
The line of the log; the binding or role that comes near.

## Look-alikes
A token that is missing or not mounted is no matter of roles (`Unauthorized`, 401): `account-token-missing`. A
controller that may not make pods: `create-forbidden`. A server other than the API server that does not accept
the credentials: `dependency-auth-failed`.

An authorizer beside RBAC (a cloud's, Node, webhooks) may decide otherwise; the line is what was decided. The
line may be older than a binding that was made since: the container tries again with its next restart.

## What it does not see
Of containers that are ready only the logs of the twenty newest workloads are read, and believed where it is
said again and again and the roles say the same. Bindings to groups
(`system:serviceaccounts`) or by user name are not compared, and of several roles that are bound only the first
is looked into. Where RoleBindings or ClusterRoleBindings can't be listed, only the log speaks; with -n,
bindings of other namespaces are not known.

## What to do
Ask the API server: `kubectl auth can-i list pods -n NAMESPACE --as=system:serviceaccount:NAMESPACE:ACCOUNT`
(for `pods/log`: `can-i get pods --subresource=log`; a role must name `pods/log` itself).
Then bind a role with this verb and resource to the account,
`kubectl create rolebinding NAME --role=ROLE --serviceaccount=NAMESPACE:ACCOUNT -n NAMESPACE`, or correct the
binding's subject. What is asked at cluster scope needs a ClusterRoleBinding. A binding's roleRef can't be
changed: delete the binding and make it anew."#,
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    complaining(view, |class| matches!(class, Class::Forbidden(_)))
        .iter()
        .filter_map(|failing| finding(view, failing))
        .collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let Some(Class::Forbidden(denial)) = failing.class() else { return None };
    let account = denial.user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let who = account
        .map_or_else(|| format!("user {}", denial.user), |(place, name)| format!("ServiceAccount {place}/{name}"));
    let place = if denial.namespace.is_empty() {
        "in the cluster".to_owned()
    } else {
        format!("in namespace {}", denial.namespace)
    };
    let group = if denial.group.is_empty() { String::new() } else { format!(".{}", denial.group) };
    let (plain, sub) = denial.resource.split_once('/').unwrap_or((&denial.resource, ""));
    let what = if sub.is_empty() { format!("{plain}{group}") } else { format!("{plain}{group}/{sub}") };
    let stage = if failing.present() && !failing.container.init { Stage::Ready } else { Stage::Start };
    let says = format!("{}: {who} may not {} {what} {place} (RBAC forbidden)", failing.happens(), denial.verb);
    let (why, culprit) = account.map(|(place, name)| why(view, failing, denial, place, name)).unwrap_or_default();
    // Of one that is ready the log is believed where the roles say the same.
    if failing.complains() && why.is_empty() {
        return None;
    }
    let why = if why.is_empty() { why } else { format!(": {why}") };
    let finding =
        failing.finding(view, stage, format!("{says}{why}")).key(format!("{} {}", denial.verb, denial.resource));
    let finding = match culprit {
        Some((object, path, quote)) => finding.field(&object, path, quote).culprit(object),
        None => finding,
    };
    let question = format!("--as={}", denial.user);
    let (asked, subresource) = (format!("{plain}{group}"), format!("--subresource={sub}"));
    let at = ObjectRef::new(Kind::ServiceAccount, &denial.namespace, "");
    let mut argv = vec!["auth", "can-i", &denial.verb, &asked];
    if !sub.is_empty() {
        argv.push(&subresource);
    }
    argv.push(&question);
    Some(failing.read_log(finding.look("ask the API server", &at, &argv)))
}

type Culprit = (ObjectRef, String, String);

/// The role that was probably meant by the name of one that is not there.
fn near_role(view: &View<'_>, role: &ObjectRef) -> String {
    let known: Vec<&str> = match role.kind {
        Kind::Role => view.within::<Role>(role.ns()).iter().map(|role| role.metadata.name.as_str()).collect(),
        _ => view.all::<ClusterRole>().iter().map(|role| role.metadata.name.as_str()).collect(),
    };
    let near = config_uses::near(&role.name, known.iter().copied());
    near.map(|name| format!("; did you mean {} {name}?", role.kind)).unwrap_or_default()
}

/// What the bindings say of an account.
fn why(view: &View<'_>, failing: &Failing<'_>, denial: &Denial, place: &str, name: &str) -> (String, Option<Culprit>) {
    let wanted = if denial.namespace.is_empty() { place } else { &denial.namespace };
    if !view.snapshot.knows(Kind::RoleBinding, wanted) || !view.snapshot.knows(Kind::ClusterRoleBinding, "") {
        return Default::default();
    }
    // A subject without a namespace is of its binding's.
    let of = |subject: &Subject, own: &str| {
        if subject.namespace.is_empty() { own.to_owned() } else { subject.namespace.clone() }
    };
    let binds = |subjects: &[Subject], own: &str| {
        let mut them = subjects.iter();
        them.any(|subject| subject.kind == "ServiceAccount" && subject.name == name && of(subject, own) == place)
    };
    let bindings = view.within::<RoleBinding>(wanted);
    let here = bindings.iter().filter(|binding| binds(&binding.subjects, wanted));
    let whole = view.all::<ClusterRoleBinding>().iter().filter(|binding| binds(&binding.subjects, ""));
    // What is asked of the whole cluster no RoleBinding can allow.
    let bound: Vec<_> = here
        .clone()
        .filter(|_| !denial.namespace.is_empty())
        .map(|binding| (binding.object_ref(), &binding.role_ref))
        .chain(whole.map(|binding| (binding.object_ref(), &binding.role_ref)))
        .collect();
    if let Some((binding, role)) = bound.first() {
        return role_lacks(view, denial, wanted, binding, role);
    }
    let elsewhere = view.all::<RoleBinding>().iter().find(|binding| {
        let own = &binding.metadata.namespace;
        binds(&binding.subjects, own) && (own != wanted || denial.namespace.is_empty())
    });
    if let Some(binding) = elsewhere {
        let object = binding.object_ref();
        let more = if denial.namespace.is_empty() {
            ", and it asks for the whole cluster: that needs a ClusterRoleBinding (or tell it to look at one namespace)"
        } else {
            ""
        };
        return (
            format!("RoleBinding {} binds it in namespace {} only{more}", object.name, object.ns()),
            Some((object.clone(), "metadata.namespace".to_owned(), object.ns().to_owned())),
        );
    }
    // Bound in its own namespace, or by a name that is nearly its own.
    let near = |subject: &Subject| {
        subject.kind == "ServiceAccount"
            && (subject.name == name
                || of(subject, wanted) == place
                    && (meant(name, std::iter::once(subject.name.as_str())).is_some() || name == "default"))
    };
    if let Some(binding) = bindings.iter().find(|binding| binding.subjects.iter().any(near)) {
        let subject = binding
            .subjects
            .iter()
            .find(|subject| near(subject))
            .map(|subject| format!("{}/{}", of(subject, wanted), subject.name))
            .unwrap_or_default();
        let (kind, object) = ("RoleBinding", binding.object_ref());
        if name == "default" && failing.container.pod.spec.service_account_name == "default" {
            return (
                format!(
                    "{kind} {} binds ServiceAccount {subject}, and the pod runs as default (serviceAccountName)",
                    object.name
                ),
                Some((object, "subjects".to_owned(), subject)),
            );
        }
        return (
            format!("{kind} {} binds ServiceAccount {subject} instead", object.name),
            Some((object, "subjects".to_owned(), subject)),
        );
    }
    ("no binding names it".to_owned(), None)
}

/// What the role lacks that a binding gives to an account.
fn role_lacks(
    view: &View<'_>,
    denial: &Denial,
    wanted: &str,
    binding: &ObjectRef,
    role: &RoleReference,
) -> (String, Option<Culprit>) {
    let object = ObjectRef::new(Kind::parse(&role.kind), if role.kind == "Role" { wanted } else { "" }, &role.name);
    if view.absent(&object) {
        return (
            format!(
                "{} {} binds it to {} {}, which does not exist{}",
                binding.kind,
                binding.name,
                role.kind,
                role.name,
                near_role(view, &object)
            ),
            Some((binding.clone(), "roleRef".to_owned(), role.name.clone())),
        );
    }
    let rules = view
        .get::<Role>(wanted, &role.name)
        .filter(|_| role.kind == "Role")
        .map(|role| &role.rules)
        .or_else(|| view.get::<ClusterRole>("", &role.name).map(|role| &role.rules));
    let about = |rule: &&PolicyRule| {
        let plain = denial.resource.split('/').next().unwrap_or_default();
        rule.resources.iter().any(|resource| resource == plain || *resource == denial.resource)
    };
    let in_group = |rule: &&PolicyRule| rule.api_groups.iter().any(|group| *group == denial.group || group == "*");
    let all = || rules.into_iter().flatten().filter(about);
    let chosen = all().find(in_group).or_else(|| all().next());
    let has = match chosen {
        Some(found) if !in_group(&found) => format!(
            "names {} in apiGroups [{}], and they are in \"{}\"",
            denial.resource,
            found.api_groups.iter().map(|group| format!("\"{group}\"")).collect::<Vec<_>>().join(", "),
            denial.group
        ),
        Some(found) if found.verbs.contains(&denial.verb) && !found.resource_names.is_empty() => {
            format!("allows it for {} alone (resourceNames)", list(&found.resource_names))
        }
        Some(found) => {
            // A right to pods is none to their logs.
            let apart = denial.resource.contains('/') && !found.resources.contains(&denial.resource);
            let apart = if apart { format!("; {} is a resource of its own", denial.resource) } else { String::new() };
            format!("allows {} on {} only{apart}", list(&found.verbs), list(&found.resources))
        }
        None => format!("allows nothing on {}", denial.resource),
    };
    let quote = chosen.map_or_else(
        || role.name.clone(),
        |rule| format!("resources: {}, verbs: {}", rule.resources.join(", "), rule.verbs.join(", ")),
    );
    (format!("its {} {} {has}", role.kind, role.name), Some((object, "rules".to_owned(), quote)))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = r#"
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {serviceAccountName: web, containers: [{name: app}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['FATAL pods is forbidden: User "system:serviceaccount:shop:web" cannot list resource "pods" in API group "" in the namespace "shop"']
---
"#;
    const ROLE: &str = "
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
kind: RoleBinding
metadata: {name: web-reader, namespace: shop}
roleRef: {kind: Role, name: reader}
subjects: [SUBJECT]
";
    const SAYS: &str = "critical Pod shop/web-1: container app exits 1: ServiceAccount shop/web may not list pods in namespace shop (RBAC forbidden): ";

    #[track_caller]
    fn says(rest: &str, why: &str) {
        check(&super::DETECTOR, &format!("{POD}{rest}"), &format!("{SAYS}{why}"));
    }

    #[test]
    fn no_binding() {
        says("", "no binding names it");
    }

    #[test]
    fn a_role_that_allows_less() {
        says(
            &ROLE.replace("SUBJECT", "{kind: ServiceAccount, name: web, namespace: shop}"),
            "its Role reader allows get on pods only <- Role shop/reader",
        );
    }

    #[test]
    fn a_subresource() {
        let role = ROLE.replace("SUBJECT", "{kind: ServiceAccount, name: web}");
        let yaml = format!("{POD}{role}").replace("list resource \"pods\"", "get resource \"pods/log\"");
        let says = "critical Pod shop/web-1: container app exits 1: ServiceAccount shop/web may not get pods/log in namespace shop (RBAC forbidden): its Role reader";
        check(
            &super::DETECTOR,
            &yaml,
            &format!("{says} allows get on pods only; pods/log is a resource of its own <- Role shop/reader"),
        );
        let snapshot = crate::detect::testing::snapshot(&yaml);
        let findings = (super::DETECTOR.run)(&crate::graph::build(&snapshot));
        let lines: Vec<&str> = findings.iter().flat_map(|finding| &finding.commands).map(|c| c.line.as_str()).collect();
        let asked = "-n shop auth can-i get pods --subresource=log --as=system:serviceaccount:shop:web";
        assert!(lines.contains(&asked), "{lines:?}");
    }

    #[test]
    fn a_binding_for_another() {
        says(
            &ROLE.replace("SUBJECT", "{kind: ServiceAccount, name: web, namespace: default}"),
            "RoleBinding web-reader binds ServiceAccount default/web instead <- RoleBinding shop/web-reader",
        );
        let bound = ROLE
            .replace("SUBJECT", "{kind: ServiceAccount, name: web, namespace: shop}")
            .replace("name: reader}\nsubjects", "name: gone}\nsubjects");
        says(
            &bound,
            "RoleBinding web-reader binds it to Role gone, which does not exist <- RoleBinding shop/web-reader",
        );
    }

    #[test]
    fn asked_of_the_whole_cluster() {
        let whole = POD.replace(r#"in the namespace "shop""#, "at the cluster scope");
        check(
            &super::DETECTOR,
            &format!(
                "{whole}{}",
                ROLE.replace("SUBJECT", "{kind: ServiceAccount, name: web}").replace("[get]", "[list]")
            ),
            "critical Pod shop/web-1: container app exits 1: ServiceAccount shop/web may not list pods in the cluster (RBAC forbidden): RoleBinding web-reader binds it in namespace shop only, and it asks for the whole cluster: that needs a ClusterRoleBinding (or tell it to look at one namespace) <- RoleBinding shop/web-reader",
        );
    }

    #[test]
    fn a_role_for_another_group() {
        says(
            &ROLE
                .replace("SUBJECT", "{kind: ServiceAccount, name: web}")
                .replace("['']", "[apps]")
                .replace("[get]", "[list]"),
            r#"its Role reader names pods in apiGroups ["apps"], and they are in "" <- Role shop/reader"#,
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &POD.replace("cannot list resource", "lists resource"), "");
    }
}
