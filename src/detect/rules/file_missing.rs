//! Containers that miss a file which no volume of theirs holds.

use crate::detect::logs::mount::{
    Mounted, could_hold, file_name, meets_empty_folder, misplaced, mount_of, token_absent,
};
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "file-missing",
    summary: "Program fails because a file it opens does not exist",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::ConfigMap],
    wants: None,
    doc: r"## What it detects
A container that fails because a file is missing: the mounted ConfigMap or Secret does not have it, or
nothing is mounted where the program looks. A ConfigMap or Secret of the namespace that has such a key (or a name
made of the path's words) and that the pod does not mount is named.

## Why it matters
The program does not start.

## Evidence
The line of the log that names the file; the keys of the mounted ConfigMap or Secret.

## Look-alikes
A volume with the file at another path is `wrong-mount-path`. A program, script or interpreter that is missing is
`command-not-found`. A key that a `subPath` or an item asks for is `config-key-missing`. A file that is there and may
not be read is `file-permission-denied`. Some programs log a missing optional file and then fail of something else.

## What it does not see
What is in an image or on a claim: that a file is missing there is the program's word. The keys of a Secret, unless
they were read for another reason; then they are unnamed. Which of two candidates is meant can't be known, so then
none is named. A program that is ready and logs such lines is silent. Projected volumes are not compared key by key.

## What to do
Mount what holds the file, add the key, or correct the path in the program's configuration. `kubectl describe
configmap NAME` shows the keys that there are.",
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
    // What another detector tells: the token, a mount elsewhere, a key that is not there.
    if token_absent(pod, spec, path)
        || misplaced(view, pod, spec, path).is_some()
        || meets_empty_folder(view, pod, spec, path)
        || super::workload_identity_missing::tells(failing)
    {
        return None;
    }
    let missing = format!("{}: {path} does not exist (no such file or directory)", failing.happens());
    if let Some(mounted) = mount_of(pod, spec, path) {
        return Some(failing.read_log(mounted_without(view, failing, &mounted, path, &missing)));
    }
    let source = could_hold(view, pod, path).filter(|_| path.starts_with('/'));
    Some(failing.read_log(match source {
        Some(source) => {
            let how = if source.kind == Kind::Secret { "" } else { " has such a key and" };
            let summary = format!(
                "{missing}: nothing is mounted there; {} {}{how} is not mounted by the pod",
                source.kind, source.name
            );
            let finding = failing.finding(view, Stage::Start, summary).field(&source, "metadata.name", &*source.name);
            failing.edit(view, finding, "mount it there")
        }
        None if path.starts_with('/') => {
            let finding = failing.finding(
                view,
                Stage::Start,
                format!("{missing}: it is not in image {}, and nothing is mounted there", spec.image),
            );
            failing.edit(view, finding, "mount what holds it, or correct the path")
        }
        None => failing.finding(view, Stage::Start, missing),
    }))
}

/// A finding for a path in a mounted volume that does not have it.
fn mounted_without(
    view: &View<'_>,
    failing: &Failing<'_>,
    mounted: &Mounted<'_>,
    path: &str,
    missing: &str,
) -> Finding {
    let (namespace, at) = (failing.namespace(), &mounted.mount.mount_path);
    let title = mounted.title(namespace);
    let Some(source) = mounted.source(namespace) else {
        let claim = mounted.volume.and_then(|volume| volume.persistent_volume_claim.as_ref());
        let what = claim.map_or(title, |claim| format!("claim {}", claim.claim_name));
        return failing.finding(view, Stage::Start, format!("{missing}: {what}, mounted at {at}, does not hold it"));
    };
    if view.absent(&source) {
        return failing
            .finding(
                view,
                Stage::Start,
                format!("{missing}: {title}, to be mounted at {at}, does not exist and is optional"),
            )
            .culprit(source);
    }
    let Some(files) = mounted.files(view, namespace) else {
        return failing
            .finding(view, Stage::Start, format!("{missing}: {title} is mounted at {at}"))
            .unknown(format!("which keys {title} has"));
    };
    let near = meant(file_name(path), files.iter().map(String::as_str))
        .map(|near| format!("; did you mean {near}?"))
        .unwrap_or_default();
    let has = if files.is_empty() { "is empty".to_owned() } else { format!("has {}", list(&files)) };
    let summary = format!("{missing}: {title}, mounted at {at}, {has}{near}");
    let finding = failing.finding(view, Stage::Start, summary).field(&source, "data", files.join(", "));
    finding.fix("add the key", &source, &["edit", &source.kind.argument(), &source.name]).culprit(source)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec:
  containers: [{name: app, image: 'shop/web:2', volumeMounts: [{name: cfg, mountPath: /etc/web}]}]
  volumes: [{name: cfg, configMap: {name: settings}}]
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 3, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {app.yml: x}
---
kind: Secret
metadata: {name: opal-license, namespace: shop}
---
kind: ConfigMap
metadata: {name: canary, namespace: shop}
data: {keep: me}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['E PATH: no such file or directory']
";
    const SAYS: &str =
        "critical Pod shop/web-1: container app exits 3: PATH does not exist (no such file or directory): ";

    #[test]
    fn a_secret_that_is_not_mounted() {
        let path = "/etc/opal/license";
        check(
            &super::DETECTOR,
            &POD.replace("PATH", path),
            &format!(
                "{}nothing is mounted there; Secret opal-license is not mounted by the pod",
                SAYS.replace("PATH", path)
            ),
        );
    }

    #[test]
    fn a_key_that_is_not_there() {
        let path = "/etc/web/app.yaml";
        check(
            &super::DETECTOR,
            &POD.replace("PATH", path),
            &format!(
                "{}ConfigMap settings, mounted at /etc/web, has app.yml; did you mean app.yml? <- ConfigMap shop/settings",
                SAYS.replace("PATH", path)
            ),
        );
    }

    #[test]
    fn nothing_that_could_hold_it() {
        let path = "/srv/models/large.bin";
        check(
            &super::DETECTOR,
            &POD.replace("PATH", path),
            &format!("{}it is not in image shop/web:2, and nothing is mounted there", SAYS.replace("PATH", path)),
        );
    }

    #[test]
    fn a_mount_beside_it_is_another_fault() {
        check(&super::DETECTOR, &POD.replace("PATH", "/etc/wbe/app.yml"), "");
    }
}
