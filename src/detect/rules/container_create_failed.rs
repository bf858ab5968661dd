//! Containers that the runtime can't make or start, for reasons that no other detector knows.

use crate::detect::logs::mount::mount_of;
use crate::detect::logs::{Failing, Fault, claimed, short};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "container-create-failed",
    summary: "Container runtime can't create or start the container",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that the runtime can't make (`CreateContainerError`) or start (`StartError`, `RunContainerError`), where
the reason is neither its command nor a mount: a working directory that can't be used, a name that is taken, a limit
that is too small, a device or a security profile that is not there.

## Why it matters
Nothing of it runs. The kubelet tries again for ever.

## Evidence
The runtime's message in `state.waiting.message` or `lastState.terminated.message`.

## Look-alikes
A command that is missing, not executable or of another architecture is `command-not-found`, `command-not-executable`
or `exec-format-error`. A file mounted over a folder is `mount-type-mismatch`, a `subPath` `subpath-failed`. A
reference to a missing ConfigMap or Secret (`CreateContainerConfigError`) is `config-map-missing`, `secret-missing` or
`config-key-missing`. A pod whose sandbox can't be made is `container-creating-stuck`.

## What it does not see
More than the runtime's message says. The logs of runtime and kubelet, and the profiles and devices of the node, are
not read. A container whose message is gone, as it runs again, is silent.

## What to do
The end of the message names what the runtime could not do. `kubectl describe pod NAME` shows it in full. If the
runtime does not answer or keeps a container of an earlier try, look at the node: delete the pod, then restart the
runtime.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let failing = claimed(view, |fault| *fault == Fault::Create);
    let mut findings: Vec<Finding> = failing.iter().filter_map(|failing| finding(view, failing)).collect();
    let misconfigured = waiting(view, &["CreateContainerConfigError"]);
    findings.extend(misconfigured.iter().filter(|(_, waiting)| unclaimed(&waiting.message)).map(
        |(container, waiting)| {
            let object = container.pod.object_ref();
            let expression = undefined(container.spec, &waiting.message);
            let why = match &expression {
                Some((mount, name)) => format!(
                    "its mount at {} has subPathExpr {}, and its env does not define {name}",
                    mount.mount_path, mount.sub_path_expr
                ),
                None => waiting.message.trim_end_matches('.').to_owned(),
            };
            let summary = format!("{} can't be made: {why}", container.title());
            let mut finding = Finding::new(object.clone(), view.pod_severity(container.pod), Stage::Start, summary)
                .key(&container.spec.name)
                .since(pod_since(container.pod))
                .field(&object, container.path("state.waiting.message"), &waiting.message);
            if let Some((mount, _)) = expression {
                let path = container.spec_path(&format!("volumeMounts[{}].subPathExpr", mount.name));
                finding = finding.field(&object, path, &mount.sub_path_expr);
            }
            describe(finding, &object)
        },
    ));
    findings
}

/// The mount whose `subPathExpr` has the variable that the kubelet misses (`missing value for NAME`), and the name.
fn undefined<'a>(spec: &'a Container, message: &str) -> Option<(&'a VolumeMount, String)> {
    let name = message.strip_prefix("missing value for ")?.trim_end_matches('.');
    let variable = format!("$({name})");
    let mount = spec.volume_mounts.iter().find(|mount| mount.sub_path_expr.contains(&variable))?;
    Some((mount, name.to_owned()))
}

/// Whether no other detector speaks of a configuration's error.
fn unclaimed(message: &str) -> bool {
    const CLAIMED: &[&str] =
        &["not found", "couldn't find key", "runAsNonRoot", "non-root", "non-numeric user", "subPath", "subpath"];
    !message.is_empty() && !CLAIMED.iter().any(|word| message.contains(word))
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Option<Finding> {
    let message = failing.text.trim().trim_end_matches(": unknown");
    let low = message.to_ascii_lowercase();
    // Sub-paths and mounts of the wrong kind are known better elsewhere.
    let clash = message.contains("mount")
        && message.contains("to rootfs at \"")
        && (low.contains("not a directory") || low.contains("is a directory"));
    if clash || low.contains("subpath") && !low.contains("error mounting") {
        return None;
    }
    let spec = failing.container.spec;
    let folder = &spec.working_dir;
    let reason = failing
        .container
        .status
        .state
        .waiting
        .as_ref()
        .map(|waiting| waiting.reason.as_str())
        .filter(|reason| *reason != "CrashLoopBackOff");
    let reason =
        reason.or_else(|| failing.container.ended().map(|ended| ended.reason.as_str())).unwrap_or("StartError");
    let in_folder = low.contains("chdir to cwd")
        || low.contains("mkdir") && !folder.is_empty() && message.contains(folder.as_str());
    let last = message.rsplit("desc = ").next().unwrap_or(message);
    let last = last.rsplit("unable to start container process: ").next().unwrap_or(last);
    let last = last.rsplit("error during container init: ").next().unwrap_or(last);
    let why = match () {
        () if in_folder && !folder.is_empty() => {
            let mounted = mount_of(failing.container.pod, spec, folder);
            let within = mounted.map(|mounted| (mounted.title(failing.namespace()), &mounted.mount.mount_path));
            let within =
                within.map(|(title, at)| format!(" (it lies in {title}, mounted at {at})")).unwrap_or_default();
            format!("its workingDir {folder} can't be used: {}{within}", short(last, 120))
        }
        () if low.contains("is reserved for")
            || low.contains("name is already in use")
            || low.contains("already exists") =>
        {
            format!("a container of an earlier try is still there: {}", short(last, 120))
        }
        () if low.contains("memory")
            && (low.contains("too low")
                || low.contains("minimum memory")
                || low.contains("cannot allocate memory")) =>
        {
            format!("its memory limit is too small to start it: {}", short(last, 120))
        }
        () if low.contains("seccomp") || low.contains("apparmor") || low.contains("selinux") => {
            format!("its security profile can't be applied: {}", short(last, 160))
        }
        () if low.contains("no command specified") => {
            format!("neither the spec nor image {} names a command", spec.image)
        }
        () if low.contains("context deadline exceeded") => "the runtime of the node does not answer in time".to_owned(),
        () => short(last, 200),
    };
    let mut finding = failing.finding(
        view,
        Stage::Start,
        format!("{} can't be started ({reason}): {why}", failing.container.title()),
    );
    if in_folder && !folder.is_empty() {
        finding = finding.field(&failing.pod(), failing.container.spec_path("workingDir"), folder);
    }
    Some(describe(finding, &failing.pod()))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, image: 'shop/web:2', workingDir: /srv/app}]}
status:
  phase: Pending
  containerStatuses: [{name: app, state: {waiting: {reason: REASON, message: 'MESSAGE'}}}]
";

    fn pod(reason: &str, message: &str) -> String {
        POD.replace("REASON", reason).replace("MESSAGE", message)
    }

    #[test]
    fn the_working_directory() {
        let message = "OCI runtime create failed: runc create failed: unable to start container process: error during container init: mkdir /srv/app: not a directory: unknown";
        check(
            &super::DETECTOR,
            &pod("RunContainerError", message),
            "critical Pod shop/web-1: container app can't be started (RunContainerError): its workingDir /srv/app can't be used: mkdir /srv/app: not a directory",
        );
    }

    #[test]
    fn no_command() {
        check(
            &super::DETECTOR,
            &pod(
                "CreateContainerError",
                "failed to generate container spec: failed to generate spec: no command specified",
            ),
            "critical Pod shop/web-1: container app can't be started (CreateContainerError): neither the spec nor image shop/web:2 names a command",
        );
    }

    #[test]
    fn what_others_know_better() {
        check(&super::DETECTOR, &pod("CreateContainerConfigError", "secret not found"), "");
        check(&super::DETECTOR, &pod("RunContainerError", r#"exec: "/x": stat /x: no such file or directory"#), "");
        check(
            &super::DETECTOR,
            &pod("RunContainerError", r#"error mounting "/a" to rootfs at "/etc/x": not a directory"#),
            "",
        );
    }

    #[test]
    fn a_configuration_that_no_one_else_names() {
        let yaml = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app}]}
status: {phase: Pending, containerStatuses: [{name: app, state: {waiting: {reason: CreateContainerConfigError, message: 'MESSAGE'}}}]}
";
        check(
            &super::DETECTOR,
            &yaml.replace("MESSAGE", "missing value for POD_NAM"),
            "critical Pod shop/web-1: container app can't be made: missing value for POD_NAM",
        );
        let mount = "volumeMounts: [{name: d, mountPath: /data, subPathExpr: 'run/$(POD_NAM)'}]";
        let yaml_of_mount = yaml.replace("{name: app}]}", &format!("{{name: app, {mount}}}]}}"));
        check(
            &super::DETECTOR,
            &yaml_of_mount.replace("MESSAGE", "missing value for POD_NAM"),
            "critical Pod shop/web-1: container app can't be made: its mount at /data has subPathExpr run/$(POD_NAM), and its env does not define POD_NAM",
        );
        check(&super::DETECTOR, &yaml.replace("MESSAGE", "configmap \"app\" not found"), "");
    }
}
