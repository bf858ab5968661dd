//! Containers whose program is there and may not be executed.

use crate::detect::logs::mount::{mount_of, mounts, within};
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "command-not-executable",
    summary: "Container's command exists but may not be executed",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that can't be started with `permission denied`, or that ends with 126: its program is a file
without the right to be executed, or a folder. Most often it is a script from a ConfigMap, whose files have
mode 0644 unless `defaultMode` says otherwise.

## Why it matters
The program never runs. Each restart fails alike.

## Evidence
The runtime's message or the shell's line, and the volume that the script comes from with its mode.

## Look-alikes
`permission denied` for a file that is read or written is `file-permission-denied`. A program that is not there is
`command-not-found`; one for another processor `exec-format-error`. A shell that goes on after such a line and ends
with another code than 126 is taken for `file-permission-denied`.

## What it does not see
The mode of a file inside an image, and on a claim. Of a ConfigMap or Secret the volume's `defaultMode` is read, not
the `mode` of single items; projected volumes are named without their mode. A file system mounted `noexec`, and
SELinux or AppArmor, look the same.

## What to do
For a ConfigMap or Secret set `defaultMode: 0755` (493 in JSON), or run it through its interpreter: `command: [sh,
/scripts/run.sh]`. For a file of the image set the mode where it is built (`COPY --chmod=0755`).",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::NotExecutable(_))).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (pod, spec) = (failing.container.pod, failing.container.spec);
    let given = match &failing.fault {
        Fault::Said(Class::NotExecutable(path)) if !path.is_empty() => path.clone(),
        // The shell didn't say which: a script that the command names in a mounted volume is.
        _ => script(pod, spec).unwrap_or_else(|| spec.command.first().cloned().unwrap_or_default()),
    };
    let happens = failing.happens();
    let namespace = failing.namespace();
    let mounted = mount_of(pod, spec, &given);
    let source = mounted.and_then(|mounted| mounted.source(namespace));
    let (Some(mounted), Some(source)) = (mounted, source) else {
        let from = mounted
            .map_or_else(|| format!("of image {}", spec.image), |mounted| format!("in volume {}", mounted.mount.name));
        let what = if given.is_empty() { format!("its command {from}") } else { format!("`{given}` {from}") };
        let finding =
            failing.finding(view, Stage::Start, format!("{happens}: {what} is not executable (permission denied)"));
        return failing.edit(
            view,
            describe(finding, &failing.pod()),
            "correct the command, or run it through its interpreter",
        );
    };
    let mode = mounted.mode();
    let summary = format!(
        "{happens}: `{given}` is not executable (permission denied): {} {} is mounted with mode {mode:04o}; it needs defaultMode 0755",
        source.kind, source.name
    );
    let field = if source.kind == Kind::Secret { "secret" } else { "configMap" };
    let quote = mounted
        .volume
        .and_then(|volume| volume.config_map.as_ref())
        .map_or_else(|| source.name.to_string(), |map| map.name.clone());
    let finding = failing.finding(view, Stage::Start, summary).field(
        &failing.pod(),
        format!("spec.volumes[{}].{field}", mounted.mount.name),
        quote,
    );
    let finding = describe(finding, &failing.pod());
    let Some((workload, _)) = failing.target(view) else { return finding };
    let template = view.workload(&workload).map(|workload| &workload.template.spec.volumes);
    let index = template.and_then(|volumes| volumes.iter().position(|volume| volume.name == mounted.mount.name));
    match index {
        Some(index) => {
            let patch = format!(
                r#"[{{"op":"add","path":"/spec/template/spec/volumes/{index}/{field}/defaultMode","value":493}}]"#
            );
            finding.fix(
                "mount it with mode 0755",
                &workload,
                &["patch", &workload.kind.argument(), &workload.name, "--type=json", "-p", &patch],
            )
        }
        None => finding,
    }
}

/// The word of a command that lies in a mounted volume.
fn script(pod: &Pod, spec: &Container) -> Option<String> {
    let words = spec.command.iter().chain(spec.args.iter()).flat_map(|word| word.split_whitespace());
    words
        .map(|word| word.trim_matches([';', '"', '\'', '&']))
        .find(|word| mounts(pod, spec).any(|mounted| within(word, &mounted.mount.mount_path)))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: etl-1, namespace: shop}
spec:
  containers: [{name: app, image: 'busybox:1.36', command: [/scripts/run.sh], volumeMounts: [{name: s, mountPath: /scripts}]}]
  volumes: [{name: s, VOLUME}]
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: REASON, exitCode: CODE, message: 'MESSAGE', finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: etl-1
container: app
lines: ['LINE']
";
    const DENIED: &str = r#"unable to start container process: exec: "/scripts/run.sh": permission denied: unknown"#;
    const MAP: &str = "configMap: {name: etl-scripts}";

    fn pod(volume: &str, reason: &str, code: &str, message: &str, line: &str) -> String {
        POD.replace("VOLUME", volume)
            .replace("REASON", reason)
            .replace("CODE", code)
            .replace("MESSAGE", message)
            .replace("LINE", line)
    }

    #[test]
    fn script_of_a_config_map() {
        let why = "`/scripts/run.sh` is not executable (permission denied): ConfigMap etl-scripts is mounted with mode 0644; it needs defaultMode 0755";
        check(
            &super::DETECTOR,
            &pod(MAP, "StartError", "128", DENIED, ""),
            &format!("critical Pod shop/etl-1: container app does not start: {why}"),
        );
        check(
            &super::DETECTOR,
            &pod(MAP, "Error", "126", "", "/bin/sh: /scripts/run.sh: Permission denied"),
            &format!("critical Pod shop/etl-1: container app exits 126: {why}"),
        );
        check(
            &super::DETECTOR,
            &pod(MAP, "Error", "126", "", ""),
            &format!("critical Pod shop/etl-1: container app exits 126: {why}"),
        );
    }

    #[test]
    fn file_of_the_image() {
        let yaml =
            pod("emptyDir: {}", "StartError", "128", DENIED, "").replace("mountPath: /scripts", "mountPath: /data");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/etl-1: container app does not start: `/scripts/run.sh` of image busybox:1.36 is not executable (permission denied)",
        );
    }

    #[test]
    fn a_file_that_is_written() {
        check(&super::DETECTOR, &pod(MAP, "Error", "1", "", "open /data/x: permission denied"), "");
    }
}
