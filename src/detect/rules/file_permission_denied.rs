//! Containers that may not read or write a file.

use crate::detect::logs::mount::mount_of;
use crate::detect::logs::{Class, Failing, Fault, said};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "file-permission-denied",
    summary: "Program fails because it may not read or write a file",
    group: Group::Configuration,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that fails with `permission denied` on a file or folder: a volume that belongs to another user
(no `fsGroup`), a Secret mounted with a mode for root alone, or a folder of the image that its user may not write. Also
the contrary: a key that the program does not use since others may read it (`permissions 0644 are too open`).

## Why it matters
The program can't read its configuration or write its data.

## Evidence
The line of the log, the user of the container, the volume's `fsGroup` and mode.

## Look-alikes
A program that may not be executed is `command-not-executable`; a file system that nobody may write is
`read-only-root`; an image that wants to run as root and may not is `non-root-refused`; a port below 1024 is told by
`container-exits`. SELinux, AppArmor, seccomp and missing capabilities answer `permission denied` or `operation not
permitted` too.

## What it does not see
Owner and mode of files on a claim, on a node or in an image: the cause is inferred from the pod's spec. Which user
the image runs as, where `runAsUser` is not set. Whether the volume's driver applies `fsGroup` (NFS mostly does not).
Of a ConfigMap or Secret `defaultMode` is read, not the `mode` of single items.

## What to do
Volumes: set `securityContext.fsGroup` to the program's group (not for hostPath: change the owner on the node).
Secrets: `defaultMode: 0440` with `fsGroup`. Folders of the image: mount an emptyDir there, or change the image.
`kubectl exec POD -- id` and `ls -ln PATH` show user and owner while it runs.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let denied = said(view, |class| matches!(class, Class::FileDenied(_)));
    let open = said(view, |class| matches!(class, Class::FileOpen(_)));
    denied
        .iter()
        .map(|failing| finding(view, failing))
        .chain(open.iter().map(|failing| too_open(view, failing)))
        .collect()
}

/// A key that others may read as well, which programs refuse to use.
fn too_open(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (pod, spec, object) = (failing.container.pod, failing.container.spec, failing.pod());
    let path = match &failing.fault {
        Fault::Said(Class::FileOpen(path)) => path.as_deref(),
        _ => None,
    };
    let what = path.map_or_else(|| "a key file".to_owned(), |path| format!("`{path}`"));
    let mounted = path.and_then(|path| mount_of(pod, spec, path)).filter(|m| m.source(failing.namespace()).is_some());
    let group = pod.spec.security_context.fs_group;
    let why = match (mounted, group) {
        (Some(mounted), None) => format!(
            "{}, mounted at {}, gives its files mode {:04o}: set defaultMode: 0400 of volume {}",
            mounted.title(failing.namespace()),
            mounted.mount.mount_path,
            mounted.mode(),
            mounted.mount.name
        ),
        // The kubelet gives the group of the volume the right to read whatever mode is asked for.
        (Some(mounted), Some(group)) => format!(
            "{}, mounted at {}, may be read by group {group} (fsGroup), whatever its defaultMode is: leave fsGroup out and set defaultMode: 0400, or copy the file with mode 0600 to an emptyDir first",
            mounted.title(failing.namespace()),
            mounted.mount.mount_path
        ),
        (None, _) => "its owner alone may read it (mode 0600 or 0400)".to_owned(),
    };
    let summary = format!("{}: {what} may be read by others, and so is not used: {why}", failing.happens());
    let mut finding = failing.finding(view, Stage::Start, summary);
    if let Some(mounted) = mounted {
        let source = if mounted.volume.is_some_and(|volume| volume.secret.is_some()) { "secret" } else { "configMap" };
        let field = format!("spec.volumes[{}].{source}.defaultMode", mounted.mount.name);
        finding = finding.field(&object, field, format!("{} (octal {:04o})", mounted.mode(), mounted.mode()));
    }
    failing.edit(view, failing.read_log(finding), "set the mode of the volume's files (defaultMode)")
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (pod, spec) = (failing.container.pod, failing.container.spec);
    let path = match &failing.fault {
        Fault::Said(Class::FileDenied(path)) => path.clone(),
        _ => None,
    };
    let object = failing.pod();
    let whole = &pod.spec.security_context;
    let user = spec.security_context.run_as_user.or(whole.run_as_user);
    let who = user.map_or_else(|| "its user".to_owned(), |user| format!("user {user}"));
    let what = path.clone().map_or_else(|| "a file".to_owned(), |path| format!("`{path}`"));
    let mounted = path.as_deref().and_then(|path| mount_of(pod, spec, path));
    let why = match mounted {
        _ if changes_owner(&failing.text) && user.is_some_and(|user| user != 0) => {
            "only root may change a file's owner".to_owned()
        }
        _ if changes_owner(&failing.text) && lacks_chown(spec) => {
            "capabilities.drop takes away CHOWN, without which root can't change a file's owner".to_owned()
        }
        Some(mounted) => {
            let at = &mounted.mount.mount_path;
            let volume = mounted.volume;
            let map = mounted.source(failing.namespace()).is_some();
            let title = match volume.and_then(|volume| volume.persistent_volume_claim.as_ref()) {
                Some(claim) => format!("claim {}", claim.claim_name),
                None => mounted.title(failing.namespace()),
            };
            let hint = match (map, volume.is_some_and(|volume| volume.host_path.is_some()), whole.fs_group) {
                (true, _, Some(group)) => {
                    format!("its files have mode {:04o} and belong to root and group {group}", mounted.mode())
                }
                (true, _, None) => format!(
                    "its files belong to root and have mode {:04o}; give them to the program's group with fsGroup and mode 0440",
                    mounted.mode()
                ),
                (_, true, _) => {
                    "a folder of the node, which belongs to another user there (fsGroup does not change that)"
                        .to_owned()
                }
                (_, _, Some(group)) => format!("fsGroup is {group}"),
                (_, _, None) => "no fsGroup gives it to the program's group".to_owned(),
            };
            format!("{title}, mounted at {at}: {hint}")
        }
        None => format!("it lies in image {}, not in a volume", spec.image),
    };
    let summary = format!("{}: {who} may not use {what} (permission denied): {why}", failing.happens());
    let mut finding = failing.finding(view, Stage::Start, summary);
    if let Some(user) = user {
        let own = spec.security_context.run_as_user.is_some();
        let path = if own {
            failing.container.spec_path("securityContext.runAsUser")
        } else {
            "spec.securityContext.runAsUser".to_owned()
        };
        finding = finding.field(&object, path, user.to_string());
    }
    if let Some(mounted) = mounted {
        finding = finding.field(
            &object,
            failing.container.spec_path(&format!("volumeMounts[{}].mountPath", mounted.mount.name)),
            &mounted.mount.mount_path,
        );
    }
    failing.edit(
        view,
        failing.read_log(finding),
        "give it the right (fsGroup, runAsUser, defaultMode) or a volume of its own",
    )
}

/// Whether a line says that the owner of a file may not be changed: `chown: /data: Operation not permitted`.
fn changes_owner(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    (line.contains("chown") || line.contains("changing ownership")) && line.contains("operation not permitted")
}

fn lacks_chown(container: &Container) -> bool {
    let has =
        |list: &[String], names: &[&str]| list.iter().any(|own| names.contains(&own.to_ascii_uppercase().as_str()));
    let capabilities = container.security_context.capabilities.as_ref();
    capabilities
        .is_some_and(|own| has(&own.drop, &["ALL", "CHOWN", "CAP_CHOWN"]) && !has(&own.add, &["CHOWN", "CAP_CHOWN"]))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec:
  securityContext: {runAsUser: 1000}
  containers: [{name: app, image: 'shop/web:2', volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, VOLUME}]
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['ERROR LINE']
";

    fn pod(volume: &str, line: &str) -> String {
        POD.replace("VOLUME", volume).replace("LINE", line)
    }

    #[test]
    fn a_volume_of_another_user() {
        check(
            &super::DETECTOR,
            &pod("persistentVolumeClaim: {claimName: web-data}", "mkdir /data/cache: permission denied"),
            "critical Pod shop/web-1: container app exits 1: user 1000 may not use `/data/cache` (permission denied): claim web-data, mounted at /data: no fsGroup gives it to the program's group",
        );
        check(
            &super::DETECTOR,
            &pod("secret: {secretName: tls, defaultMode: 256}", "open /data/tls.key: permission denied"),
            "critical Pod shop/web-1: container app exits 1: user 1000 may not use `/data/tls.key` (permission denied): Secret tls, mounted at /data: its files belong to root and have mode 0400; give them to the program's group with fsGroup and mode 0440",
        );
    }

    #[test]
    fn a_key_that_others_may_read() {
        let line = r#"Permissions 0644 for "/data/id_rsa" are too open."#;
        let refused = "LINE', 'deploy@git: Permission denied (publickey).";
        let yaml =
            pod("secret: {secretName: ssh, defaultMode: 420}", &refused.replace("LINE", line)).replace("ERROR ", "");
        let says = "critical Pod shop/web-1: container app exits 1: `/data/id_rsa` may be read by others, and so is not used: Secret ssh, mounted at /data,";
        check(
            &super::DETECTOR,
            &yaml,
            &format!("{says} gives its files mode 0644: set defaultMode: 0400 of volume data"),
        );
        check(
            &super::DETECTOR,
            &yaml.replace("runAsUser: 1000", "fsGroup: 1000"),
            &format!(
                "{says} may be read by group 1000 (fsGroup), whatever its defaultMode is: leave fsGroup out and set defaultMode: 0400, or copy the file with mode 0600 to an emptyDir first"
            ),
        );
        check(&super::DETECTOR, &pod("emptyDir: {}", "too many open files for permissions of /data/x"), "");
    }

    #[test]
    fn an_owner_that_may_not_be_changed() {
        let line = "chown: /data: Operation not permitted";
        let says = |who: &str| {
            format!("critical Pod shop/web-1: container app exits 1: {who} may not use `/data` (permission denied): ")
        };
        check(
            &super::DETECTOR,
            &pod("emptyDir: {}", line),
            &(says("user 1000") + "only root may change a file's owner"),
        );
        let root = pod("emptyDir: {}", line).replace("securityContext: {runAsUser: 1000}", "");
        let root =
            root.replace("image: 'shop/web:2'", "image: 'shop/web:2', securityContext: {capabilities: {drop: [ALL]}}");
        let why = "capabilities.drop takes away CHOWN, without which root can't change a file's owner";
        check(&super::DETECTOR, &root, &(says("its user") + why));
    }

    #[test]
    fn a_folder_of_the_image() {
        check(
            &super::DETECTOR,
            &pod("emptyDir: {}", "/bin/sh: cannot create /var/x: Permission denied"),
            "critical Pod shop/web-1: container app exits 1: user 1000 may not use `/var/x` (permission denied): it lies in image shop/web:2, not in a volume",
        );
    }

    #[test]
    fn another_error() {
        check(&super::DETECTOR, &pod("emptyDir: {}", "open /data/x: no such file or directory"), "");
    }
}
