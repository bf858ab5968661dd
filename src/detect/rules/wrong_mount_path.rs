//! Volumes that are mounted elsewhere than where the program looks.

use crate::detect::logs::mount::{meets_empty_folder, misplaced, token_absent};
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "wrong-mount-path",
    summary: "Volume is mounted at another path than the program opens",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::ConfigMap],
    wants: None,
    doc: r"## What it detects
A container that fails because a file is missing, while a ConfigMap or Secret with exactly this file is
mounted at another path, or a volume at a path that is a misspelling of the file's folder.

## Why it matters
Everything is there, in the wrong place; the program does not start.

## Evidence
The line of the log that names the file, and the container's `volumeMounts[].mountPath`.

## Look-alikes
- The mount is right and the ConfigMap or Secret lacks the key: `config-key-missing`. The file is nowhere:
  `file-missing`.
- The account's token is not mounted: `account-token-missing`.
- The file is there and may not be read: `file-permission-denied`. A directory stands where the file should:
  `mount-type-mismatch`.
- A file of the same name that is mounted elsewhere on purpose, while the missing one comes from somewhere
  else, makes this page wrong.

## What it does not see
Only absolute paths that the log names. Paths inside a mount, scratch volumes (emptyDir) and the account's token
are left out. What lies in a claim's or a projected volume is not read: there only a misspelling counts, of one part
of the path. The same holds for a Secret whose keys were not read. A program that misses its file and goes on is not
judged.

## What to do
Correct `mountPath`, or tell the program the path at which the volume is mounted; the finding prints the patch
where the workload has the same mount. To see what is where, as long as the container runs:
`kubectl exec POD -c CONTAINER -- ls -R PATH`. Mind that a mount hides what the image has at that path.",
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
    let (pod, spec) = (failing.container.pod, failing.container.spec);
    if token_absent(pod, spec, path) || meets_empty_folder(view, pod, spec, path) {
        return None;
    }
    let (mounted, right) = misplaced(view, pod, spec, path)?;
    let (title, at) = (mounted.title(failing.namespace()), &mounted.mount.mount_path);
    let summary = format!(
        "{}: {path} does not exist: {title} is mounted at {at}, and the program looks in {right} (mountPath)",
        failing.happens()
    );
    let finding = failing.finding(view, Stage::Start, summary).field(
        &failing.pod(),
        failing.container.spec_path(&format!("volumeMounts[{}].mountPath", mounted.mount.name)),
        at,
    );
    let Some((workload, _)) = failing.target(view) else { return Some(failing.read_log(finding)) };
    let template = view.workload(&workload).map(|workload| &workload.template.spec)?;
    let place = |list: &[Container]| list.iter().position(|container| container.name == spec.name);
    let (list, index) = match place(&template.containers) {
        Some(index) => ("containers", Some(index)),
        None => ("initContainers", place(&template.init_containers)),
    };
    let mount = spec.volume_mounts.iter().position(|mount| std::ptr::eq(mount, mounted.mount));
    // A sidecar that a webhook puts in is not in the template, and mounts may be added too.
    let same = template.container(&spec.name).is_some_and(|container| {
        mount.and_then(|mount| container.volume_mounts.get(mount)).is_some_and(|mount| mount.mount_path == *at)
    });
    Some(match (index, mount, same) {
        (Some(index), Some(mount), true) => {
            let change = serde_json::json!([{ "op": "replace", "path": format!("/spec/template/spec/{list}/{index}/volumeMounts/{mount}/mountPath"), "value": right }]).to_string();
            failing.read_log(finding).fix(
                "mount it where the program looks",
                &workload,
                &["patch", &workload.kind.argument(), &workload.name, "--type=json", "-p", &change],
            )
        }
        _ => failing.edit(view, failing.read_log(finding), "mount it where the program looks"),
    })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec:
  containers: [{name: app, volumeMounts: [{name: cfg, mountPath: MOUNT}]}]
  volumes: [{name: cfg, VOLUME}]
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 2, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {settings.ini: x}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['panic: open /etc/inventory/settings.ini: no such file or directory', 'goroutine 1 [running]:']
";

    fn pod(mount: &str, volume: &str) -> String {
        POD.replace("MOUNT", mount).replace("VOLUME", volume)
    }

    #[test]
    fn a_config_map_elsewhere() {
        for mount in ["/etc/inventroy", "/config"] {
            let said = format!(
                "critical Pod shop/web-1: container app exits 2: /etc/inventory/settings.ini does not exist: ConfigMap settings is mounted at {mount}, and the program looks in /etc/inventory (mountPath)"
            );
            check(&super::DETECTOR, &pod(mount, "configMap: {name: settings}"), &said);
        }
    }

    #[test]
    fn a_claim_at_a_misspelt_path() {
        check(
            &super::DETECTOR,
            &pod("/etc/inventroy", "persistentVolumeClaim: {claimName: data}"),
            "critical Pod shop/web-1: container app exits 2: /etc/inventory/settings.ini does not exist: volume cfg is mounted at /etc/inventroy, and the program looks in /etc/inventory (mountPath)",
        );
    }

    #[test]
    fn the_right_path_or_one_that_has_nothing_to_do_with_it() {
        check(&super::DETECTOR, &pod("/etc/inventory", "configMap: {name: settings, items: [{key: a, path: b}]}"), "");
        check(&super::DETECTOR, &pod("/var/lib/data", "persistentVolumeClaim: {claimName: data}"), "");
        check(&super::DETECTOR, &pod("/etc/inventroy", "emptyDir: {}"), "");
    }
}
