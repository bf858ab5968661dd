//! Containers whose program, or a command that it runs, is not there.

use crate::detect::logs::mount::{file_name, mount_of};
use crate::detect::logs::{Class, Failing, Fault, said, short};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "command-not-found",
    summary: "Container's command does not exist in its image",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that can't be started since its program is not in the image (`StartError`, `executable file
not found in $PATH`, `no such file or directory`), a script whose interpreter is missing, or a shell
that ends with 127 because a command is not found.

## Why it matters
The program never runs. Each restart fails alike.

## Evidence
The runtime's message, or the line `…: not found` of the log; the mount, where the program is to come
from a volume.

## Look-alikes
A program that ends with 127 for reasons of its own and says something else (a shared library that is missing) is
`container-exits`. A program that is there and may not be executed is `command-not-executable`. A file that the
program opens and does not find is `file-missing`; a script in a volume mounted elsewhere is `wrong-mount-path`.

## What it does not see
What is inside the image: that a program is missing there is the runtime's or the shell's word. The first line of a
script is known only where its ConfigMap was read; a Secret's content never is. A shell that carries on after a
missing command and ends with 0 is `exits-zero`, if anything.

## What to do
Correct `command`, or build the program into the image. A command with arguments is a list of words, not one word with
spaces. A script from a ConfigMap needs the interpreter of its first line in the image, and no carriage return at the
line's end. `kubectl run -it --rm probe --image=IMAGE --command -- sh` shows what is there.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::NoCommand(_))).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let name = match &failing.fault {
        Fault::Said(Class::NoCommand(name)) => name.as_str(),
        _ => "",
    };
    let (pod, spec, happens) = (failing.container.pod, failing.container.spec, failing.happens());
    let started = failing.container.ended().is_some_and(|ended| ended.reason != "StartError");
    let reason = if started { "" } else { " (StartError)" };
    let mounted = mount_of(pod, spec, name).filter(|_| name.starts_with('/'));
    let namespace = failing.namespace();
    let mut culprit = None;
    let why = if let Some(mounted) = mounted {
        let (title, at, file) = (mounted.title(namespace), &mounted.mount.mount_path, file_name(name));
        match mounted.files(view, namespace) {
            Some(files) if !files.iter().any(|known| known == file) => {
                culprit = mounted.source(namespace);
                let near = meant(file, files.iter().map(String::as_str))
                    .map(|near| format!("; did you mean {near}?"))
                    .unwrap_or_default();
                format!(
                    "`{name}` does not exist: {title}, mounted at {at}, has no key {file}, it has {}{near}",
                    list(&files)
                )
            }
            Some(_) => format!(
                "`{name}` (from {title}) can't be run: {}",
                interpreter(view, namespace, mounted.source(namespace), file, &spec.image)
            ),
            None => {
                format!("`{name}` is not in {title}, mounted at {at}, which hides what image {} has there", spec.image)
            }
        }
    } else if name.is_empty() {
        format!("a command that it runs is not found in image {}", spec.image)
    } else if spec.command.is_empty() && spec.args.first().is_some_and(|first| first == name) {
        format!(
            "`{name}` is the first of args, which replace the image's command: image {} has no entrypoint that takes them, so set command",
            spec.image
        )
    } else if let Some(script) = asked_by(failing, name) {
        culprit = mount_of(pod, spec, script).and_then(|mounted| mounted.source(namespace));
        let from =
            culprit.as_ref().map(|source| format!(" (from {} {})", source.kind, source.name)).unwrap_or_default();
        format!("script `{script}`{from} asks for the interpreter {name}, which is not in image {}", spec.image)
    } else if name.contains(' ') {
        format!("`{}` is taken for the name of one program: split the command into a list of words", short(name, 80))
    } else if started && !name.starts_with('/') {
        format!("the shell finds no command `{name}` in image {}", spec.image)
    } else {
        format!("`{name}` not found in image {}", spec.image)
    };
    let finding = failing.finding(view, Stage::Start, format!("{happens}{reason}: {why}"));
    let finding = if spec.command.is_empty() {
        finding
    } else {
        finding.field(&failing.pod(), failing.container.spec_path("command"), spec.command.join(" "))
    };
    let finding = match culprit {
        Some(culprit) => finding.culprit(culprit),
        None => finding,
    };
    failing.edit(view, describe(finding, &failing.pod()), "correct the command")
}

/// The mounted script for whose first line (`#!/usr/bin/env bash`) `env` did not find a program.
fn asked_by<'a>(failing: &Failing<'a>, name: &str) -> Option<&'a str> {
    let by_env = failing.text.split(':').next().is_some_and(|first| first == "env" || first.ends_with("/env"));
    let script = failing.container.spec.command.first()?;
    (by_env && failing.text.contains(name) && mount_of(failing.container.pod, failing.container.spec, script).is_some())
        .then_some(script)
}

/// What is wrong with a script that is there and yet "not found": the program of its first line.
fn interpreter(view: &View<'_>, namespace: &str, source: Option<ObjectRef>, file: &str, image: &str) -> String {
    let values = &view.snapshot.config_values;
    let script = source.and_then(|source| {
        values.iter().find(|value| value.namespace == namespace && value.name == *source.name && value.key == file)
    });
    match script.and_then(|script| script.value.split('\n').next()).filter(|first| first.starts_with("#!")) {
        Some(first) if first.ends_with('\r') => {
            "its first line ends with a carriage return (CRLF), which belongs to the interpreter's name then".to_owned()
        }
        Some(first) => format!("its interpreter {} is not in image {image}", first.trim_start_matches("#!").trim()),
        None => format!(
            "the interpreter of its first line (#!) is not in image {image}, or the line ends with a carriage return"
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec:
  containers: [{name: app, image: 'busybox:1.36', command: [COMMAND], volumeMounts: [{name: s, mountPath: /s}]}]
  volumes: [{name: s, configMap: {name: scripts}}]
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: REASON, exitCode: CODE, message: 'MESSAGE', finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: ConfigMap
metadata: {name: scripts, namespace: shop}
data: {run.sh: x}
---
kind: ConfigValue
namespace: shop
name: scripts
key: run.sh
value: |
  #!/bin/bash
  echo
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['LINE']
";

    fn pod(command: &str, reason: &str, code: &str, message: &str, line: &str) -> String {
        POD.replace("COMMAND", command)
            .replace("REASON", reason)
            .replace("CODE", code)
            .replace("MESSAGE", message)
            .replace("LINE", line)
    }

    #[test]
    fn program_missing() {
        let message = r#"runc create failed: unable to start container process: exec: "/bin/serverr": stat /bin/serverr: no such file or directory: unknown"#;
        check(
            &super::DETECTOR,
            &pod("/bin/serverr", "StartError", "128", message, ""),
            "critical Pod shop/web-1: container app does not start (StartError): `/bin/serverr` not found in image busybox:1.36",
        );
        let message =
            r#"unable to start container process: exec: "serve -p 80": executable file not found in $PATH: unknown"#;
        check(
            &super::DETECTOR,
            &pod("serve -p 80", "StartError", "128", message, ""),
            "critical Pod shop/web-1: container app does not start (StartError): `serve -p 80` is taken for the name of one program: split the command into a list of words",
        );
    }

    #[test]
    fn shell_finds_no_command() {
        check(
            &super::DETECTOR,
            &pod("sh", "Error", "127", "", "/bin/sh: serverr: not found"),
            "critical Pod shop/web-1: container app exits 127: the shell finds no command `serverr` in image busybox:1.36",
        );
        check(
            &super::DETECTOR,
            &pod("sh", "Error", "127", "", ""),
            "critical Pod shop/web-1: container app exits 127: a command that it runs is not found in image busybox:1.36",
        );
    }

    #[test]
    fn scripts_of_a_config_map() {
        check(
            &super::DETECTOR,
            &pod("/s/run.sh", "Error", "1", "", "exec /s/run.sh: no such file or directory"),
            "critical Pod shop/web-1: container app exits 1: `/s/run.sh` (from ConfigMap scripts) can't be run: its interpreter /bin/bash is not in image busybox:1.36",
        );
        let message = r#"exec: "/s/runn.sh": stat /s/runn.sh: no such file or directory: unknown"#;
        check(
            &super::DETECTOR,
            &pod("/s/runn.sh", "StartError", "128", message, ""),
            "critical Pod shop/web-1: container app does not start (StartError): `/s/runn.sh` does not exist: ConfigMap scripts, mounted at /s, has no key runn.sh, it has run.sh; did you mean run.sh? <- ConfigMap shop/scripts",
        );
    }

    #[test]
    fn args_without_a_program_and_a_script_that_asks_env() {
        let message =
            r#"unable to start container process: exec: "--port=80": executable file not found in $PATH: unknown"#;
        check(
            &super::DETECTOR,
            &pod("", "StartError", "128", message, "").replace("command: []", "args: ['--port=80']"),
            "critical Pod shop/web-1: container app does not start (StartError): `--port=80` is the first of args, which replace the image's command: image busybox:1.36 has no entrypoint that takes them, so set command",
        );
        let line = "env: ‘bash’: No such file or directory";
        check(
            &super::DETECTOR,
            &pod("/s/run.sh", "Error", "127", "", line),
            "critical Pod shop/web-1: container app exits 127: script `/s/run.sh` (from ConfigMap scripts) asks for the interpreter bash, which is not in image busybox:1.36 <- ConfigMap shop/scripts",
        );
    }

    #[test]
    fn another_error_with_127() {
        check(
            &super::DETECTOR,
            &pod(
                "/app",
                "Error",
                "127",
                "",
                "error while loading shared libraries: libssl.so.1.1: cannot open shared object file",
            ),
            "",
        );
    }
}
