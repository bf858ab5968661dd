//! Pods whose service account is not there.

use crate::detect::admission::{Reason, refused};
use crate::detect::config_uses::near;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "service-account-missing",
    summary: "The pods' ServiceAccount does not exist",
    group: Group::Configuration,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event, Kind::ServiceAccount],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because the API server does not find the ServiceAccount that they name; or
a pod that can't mount its token because the account was deleted since.

## Why it matters
No pod can be made, so there is none at which the reason could be seen. A pod that was placed before the account
went stays in `ContainerCreating`.

## Evidence
The `FailedCreate` event (`error looking up service account …`) or the `FailedMount` event of the pod; the list
of ServiceAccounts, for a name that is nearly the same.

## Look-alikes
An account that exists without the rights it needs: `rbac-denied`. A token that is not mounted, as `automount`
is off: `account-token-missing`. A cloud's identity on the account: `workload-identity-missing`.

An account that is made a moment after the workload: the controller's next try succeeds, and then nothing is
reported. The account `default` of a new namespace is made by a controller: if it stays away,
kube-controller-manager does not work. Where ServiceAccounts can't be listed the events stand alone.

## What it does not see
Pods that run while their account is deleted: their token is no longer accepted, which shows only in their logs.
Pods made by hand: whoever made them got the answer. An account of another namespace can't be used, and is not
looked for. Events go after an hour unless they are repeated; then only a ReplicaSet's condition tells.

## What to do
See `kubectl get serviceaccounts -n NAMESPACE`. Create the account in the pods' namespace,
`kubectl create serviceaccount NAME -n NAMESPACE`, with the roles that it needs, or correct
`serviceAccountName`. A new account has no roles and no annotations, even if one of that name had them before;
RoleBindings that name it count again.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::Account(name) => Some(name.clone()),
        _ => None,
    };
    let refused = refused(view, choose);
    let at_creation = refused.iter().filter_map(|(refusal, name)| {
        let account = ObjectRef::new(Kind::ServiceAccount, refusal.maker.ns(), name);
        let finding = refusal.finding(
            view,
            format!(
                "{} refused: ServiceAccount {name} does not exist in namespace {}{}",
                refusal.subject(),
                account.ns(),
                hint(view, &account)
            ),
        );
        blame(view, finding, account)
    });
    let waits = view.live_pods().filter(|pod| pod.status.phase == "Pending" && !pod.spec.node_name.is_empty());
    let at_mount = waits.filter_map(|pod| {
        let name = &pod.spec.service_account_name;
        let account = view.beside(pod, Kind::ServiceAccount, name);
        let gone = format!("\"{name}\" not found");
        let event = view.warnings(pod).find(|event| {
            event.reason == "FailedMount" && event.message.contains("serviceaccount") && event.message.contains(&gone)
        })?;
        let summary = format!(
            "ServiceAccount {name} does not exist in namespace {}, so its token can't be mounted (FailedMount){}",
            account.ns(),
            hint(view, &account)
        );
        let finding = Finding::new(pod.object_ref(), view.pod_severity(pod), Stage::Mount, summary)
            .event(event)
            .since(event.first());
        blame(view, finding, account)
    });
    at_creation.chain(at_mount).collect()
}

fn hint(view: &View<'_>, account: &ObjectRef) -> String {
    let known = view.within::<ServiceAccount>(account.ns()).iter().map(|account| account.metadata.name.as_str());
    near(&account.name, known).map(|name| format!("; did you mean ServiceAccount {name}?")).unwrap_or_default()
}

/// Unless the account was made since: then the next try will do.
fn blame(view: &View<'_>, finding: Finding, account: ObjectRef) -> Option<Finding> {
    if view.existence(&account) == Existence::Present {
        return None;
    }
    let finding =
        finding.key(&*account.name).look("see which accounts there are", &account, &["get", "serviceaccounts"]);
    let finding = finding.fix(
        "make it, if its name is right; it has no roles then",
        &account,
        &["create", "serviceaccount", &account.name],
    );
    Some(finding.culprit(account))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {replicas: 1}
status: {replicas: 0}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
message: 'create Pod db-0 in StatefulSet db failed error: pods \"db-0\" is forbidden: error looking up service account shop/robot: serviceaccount \"robot\" not found'
involvedObject: {kind: StatefulSet, namespace: shop, name: db}
---
kind: ServiceAccount
metadata: {name: NAME, namespace: shop}
";

    #[test]
    fn no_such_account() {
        let expected = "critical StatefulSet shop/db: 1 pod is refused: ServiceAccount robot does not exist in namespace shop; did you mean ServiceAccount robots? <- ServiceAccount shop/robot";
        check(&super::DETECTOR, &SET.replace("NAME", "robots"), expected);
    }

    #[test]
    fn the_account_was_made_since() {
        check(&super::DETECTOR, &SET.replace("NAME", "robot"), "");
    }
}
