//! Programs that read the token of their account where none is mounted.

use crate::detect::logs::mount::token_absent;
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "account-token-missing",
    summary: "Program needs its ServiceAccount's token, which is not mounted",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::ServiceAccount],
    wants: None,
    doc: r"## What it detects
A container that fails because the token of its ServiceAccount (or what lies beside it) is not there, while nothing is
mounted at `/var/run/secrets/kubernetes.io/serviceaccount`: `automountServiceAccountToken` is false in the pod or in
the account.

## Why it matters
Without the token the program can't speak to the API server. Switching it off is good practice for all programs
that don't, and easily done for one that does.

## Evidence
The line of the log, and the field that switches the token off.

## Look-alikes
Where a token is mounted and another file is missing, it is `file-missing`. Where the token is there and the API server
answers `forbidden`, the account lacks a right: `rbac-denied`. Credentials of a cloud that are missing in the account
or the pod are `workload-identity-missing`. Where neither pod nor account switches the token off, the summary says only
that nothing is mounted there.

## What it does not see
A program that gets on without the token, or logs the error and stays ready: only containers that fail are looked at.
It needs the container's log, and in it a line that tells of a missing file. A token that is mounted and expired, or
refused by the API server, is not told here.

## What to do
Set `automountServiceAccountToken: true` in the pod template: it wins over the account's. Or mount a projected
token at that path. `kubectl get serviceaccount NAME -o yaml` shows what the account says. Pods that run keep what
they have: the change takes effect with new pods.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::MissingFile(_)))
        .iter()
        .filter_map(|failing| finding(view, failing))
        .collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let Fault::Said(Class::MissingFile(path)) = &failing.fault else { return None };
    let pod = failing.container.pod;
    if !token_absent(pod, failing.container.spec, path) {
        return None;
    }
    let name = if pod.spec.service_account_name.is_empty() { "default" } else { &pod.spec.service_account_name };
    let account = view.beside(pod, Kind::ServiceAccount, name);
    let by_account = view
        .get::<ServiceAccount>(account.ns(), name)
        .is_some_and(|account| account.automount_service_account_token == Some(false));
    let says = format!("{}: the token of ServiceAccount {name} is not mounted, and it reads {path}", failing.happens());
    let finding = |why: &str| failing.finding(view, Stage::Start, format!("{says}: {why}"));
    let finding =
        match pod.spec.automount_service_account_token {
            Some(false) => finding("automountServiceAccountToken is false in the pod").field(
                &failing.pod(),
                "spec.automountServiceAccountToken",
                "false",
            ),
            _ if by_account => finding(&format!("automountServiceAccountToken is false in ServiceAccount {name}"))
                .field(&account, "automountServiceAccountToken", "false"),
            _ => finding("nothing is mounted there"),
        };
    let finding = failing.read_log(finding);
    Some(match failing.target(view) {
        Some((workload, _)) => finding.fix(
            "mount the token, if the program is to speak to the API server",
            &workload,
            &[
                "patch",
                &workload.kind.argument(),
                &workload.name,
                "-p",
                r#"{"spec":{"template":{"spec":{"automountServiceAccountToken":true}}}}"#,
            ],
        ),
        None => finding,
    })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: sync-1, namespace: shop}
spec: {AUTO serviceAccountName: sync, containers: [{name: app, volumeMounts: [{name: v, mountPath: MOUNT}]}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: ServiceAccount
metadata: {name: sync, namespace: shop}
automountServiceAccountToken: false
---
kind: Log
namespace: shop
pod: sync-1
container: app
lines: ['FATAL LINE']
";
    const OPEN: &str = "open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory";

    fn pod(auto: &str, mount: &str, line: &str) -> String {
        POD.replace("AUTO", auto).replace("MOUNT", mount).replace("LINE", line)
    }

    #[test]
    fn switched_off() {
        let says = "critical Pod shop/sync-1: container app exits 1: the token of ServiceAccount sync is not mounted, and it reads /var/run/secrets/kubernetes.io/serviceaccount/token: automountServiceAccountToken is false in";
        check(&super::DETECTOR, &pod("", "/data", OPEN), &format!("{says} ServiceAccount sync"));
        let off =
            pod("automountServiceAccountToken: false,", "/data", "ConfigException: Service token file does not exist.");
        check(&super::DETECTOR, &off, &format!("{says} the pod"));
    }

    #[test]
    fn another_file_or_a_token_that_is_there() {
        check(&super::DETECTOR, &pod("", "/data", "open /data/token: no such file or directory"), "");
        check(&super::DETECTOR, &pod("", "/var/run/secrets/kubernetes.io/serviceaccount", OPEN), "");
    }
}
