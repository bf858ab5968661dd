//! Containers that end badly for a reason of their own.

use crate::detect::logs::mount::{meets_empty_folder, mount_of, mounts};
use crate::detect::logs::probe::told_port;
use crate::detect::logs::service::values;
use crate::detect::logs::{Class, Failing, Fault, claimed, path_of, short, telling, wanted};
use crate::detect::{calls, prelude::*};

pub(super) const DETECTOR: Detector = Detector {
    id: "container-exits",
    summary: "Container ends with an error again and again",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: Some(wanted),
    doc: r"## What it detects
A container (init containers and sidecars too) that ends with an error, for which no other detector knows a more exact
cause. The line of its log that decides is found among noise: a panic before its stack, the error before the farewell,
the deepest exception; JSON lines are read by their message and error. A certificate or key file of its own that is
not PEM is told with the Secret or ConfigMap that it comes from.

## Why it matters
The kubelet restarts it with growing pauses (CrashLoopBackOff, by default up to five minutes); in between nothing
serves.

## Evidence
The exit code and the deciding line, of the present or the previous run; the termination message where there is no log.

## Look-alikes
An end for lack of memory is `oom-killed`, by a probe `liveness-probe-fails` or `startup-probe-fails`, with code 0
`exits-zero`. A line of a known shape goes to the detector of that fault (`dependency-refused`, `file-missing`,
`env-missing`, `rbac-denied` and others). A container that says nothing, and whose configuration names a Service
wrongly, is left to `call-to-unknown-service` and its kin. One that was restarted long ago and runs well since is
silent, and so is a Job's failed pod once the Job succeeded.

## What it does not see
Only the end of a log is read (200 lines), of two pods of a workload; its fault may stand earlier, or in a file. Which
line decides is a judgement by shape, and may be wrong where a program logs errors that it survives. Once it runs
again, an end more than ten minutes ago is no fault. The content of configuration files is not judged.

## What to do
Read the line: it names what the program does not take. `kubectl logs POD -c CONTAINER --previous` shows the rest.
Exit codes above 128 are signals: 134 an abort, 137 SIGKILL (memory or a probe, mostly), 139 a crash in native code,
143 SIGTERM.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let claims = |fault: &Fault| {
        matches!(fault, Fault::Exit | Fault::Said(Class::Config | Class::KeyFile | Class::PortDenied(_)))
    };
    claimed(view, claims)
        .iter()
        .filter(|failing| !told_elsewhere(view, failing))
        .map(|failing| finding(view, failing))
        .collect()
}

/// A container that says nothing of why it ends, while its configuration names a Service wrongly, or
/// that reads a folder where a key is missing: the cause is told where the configuration is judged.
fn told_elsewhere(view: &View<'_>, failing: &Failing<'_>) -> bool {
    let (pod, spec) = (failing.container.pod, failing.container.spec);
    super::workload_identity_missing::tells(failing)
        || failing.fault == Fault::Exit && failing.text.is_empty() && calls::provable(view, pod)
        || meets_empty_folder(view, pod, spec, &failing.text)
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (spec, happens) = (failing.container.spec, failing.happens());
    let line = telling(&failing.text, 160);
    if let Fault::Said(Class::PortDenied(port)) = &failing.fault {
        return port_denied(view, failing, *port);
    }
    if matches!(failing.fault, Fault::Said(Class::KeyFile)) {
        return key_file(view, failing);
    }
    if matches!(failing.fault, Fault::Said(Class::Config)) {
        let source = config_source(failing);
        let from = source.as_ref().map(|source| format!(" ({} {})", source.kind, source.name)).unwrap_or_default();
        let finding = failing.read_log(failing.finding(
            view,
            Stage::Start,
            format!("{happens}: the program does not take its configuration{from}: {line}"),
        ));
        if source.is_none()
            && let Some((name, value)) = variable_shown(view, failing)
        {
            let summary = format!(
                "{happens}: the program does not take the value `{}` of its variable {name}: {line}",
                short(&value, 60)
            );
            let known = spec.env.iter().any(|env| env.name == name && env.value.is_some());
            let finding = failing.read_log(failing.finding(view, Stage::Start, summary));
            let path = failing.container.spec_path(&format!("env[{name}].value"));
            let finding = if known { finding.field(&failing.pod(), path, value) } else { finding };
            return failing.edit(view, finding, "correct the variable");
        }
        return match source {
            Some(source) => finding
                .fix("correct the configuration", &source, &["edit", &source.kind.argument(), &source.name])
                .culprit(source),
            None => failing.edit(view, finding, "correct its arguments or configuration"),
        };
    }
    let finding = match (line.is_empty(), failing.line()) {
        (false, _) => failing.finding(view, Stage::Start, format!("{happens}: {line}")),
        (true, Some(_)) => {
            let words = short(&failing.around, 120);
            let summary = format!("{happens} without saying why; its last words: {words}");
            failing.finding(view, Stage::Start, summary).unknown("why it ends: its last words name no cause")
        }
        (true, None) => {
            let finding = failing.finding(view, Stage::Start, format!("{happens} and its log says nothing of why"));
            finding.unknown("why it ends: no line of its log was read or none was written")
        }
    };
    failing.read_log(finding)
}

/// A file that is to hold a certificate or a key, and doesn't.
fn key_file(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (pod, spec, namespace) = (failing.container.pod, failing.container.spec, failing.namespace());
    let source = |path: &str| mount_of(pod, spec, path).and_then(|mounted| mounted.source(namespace));
    let said = path_of(&failing.text).filter(|path| source(path).is_some());
    let holds = |path: &str| [".pem", ".crt", ".cer", ".cert", ".key"].iter().any(|end| path.ends_with(end));
    // The line names no file: those that the container is told of, else those that are mounted.
    let told = || {
        let words = spec.command.iter().chain(&spec.args).cloned();
        let words = words.chain(values(view, pod, spec).into_iter().map(|(_, value)| value));
        let words: Vec<String> = words.collect();
        let paths = words
            .iter()
            .flat_map(|word| word.split(|c: char| c.is_whitespace() || matches!(c, '=' | ',' | '"' | '\'')));
        only(paths.filter(|path| holds(path)).filter_map(source))
    };
    let mounted = || {
        let files = mounts(pod, spec)
            .filter(|mounted| mounted.files(view, namespace).is_some_and(|files| files.iter().any(|file| holds(file))));
        only(files.filter_map(|mounted| mounted.source(namespace)))
    };
    let object = said.as_deref().and_then(source).or_else(told).or_else(mounted);
    let what = match (&said, &object) {
        (Some(path), Some(object)) => format!("`{path}` (from {} {})", object.kind, object.name),
        (_, Some(object)) => format!("a file from {} {}", object.kind, object.name),
        _ => "a file of its own".to_owned(),
    };
    let summary = format!(
        "{}: {what} does not hold the certificate or key in PEM form that it should: {}",
        failing.happens(),
        telling(&failing.text, 160)
    );
    let finding = failing.read_log(failing.finding(view, Stage::Start, summary));
    match object {
        Some(object) => finding
            .look("see which keys it has", &object, &["describe", &object.kind.argument(), &object.name])
            .culprit(object),
        None => finding.unknown("which file that is: neither the line nor the container's mounts tell"),
    }
}

/// The one that all are.
fn only(mut all: impl Iterator<Item = ObjectRef>) -> Option<ObjectRef> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// A port below 1024, for which the program lacks the capability.
fn port_denied(view: &View<'_>, failing: &Failing<'_>, said: Option<u16>) -> Finding {
    let (spec, pod) = (failing.container.spec, failing.container.pod);
    let user = spec.security_context.run_as_user.or(pod.spec.security_context.run_as_user);
    let who = user.map_or_else(|| "without root's rights".to_owned(), |user| format!("as user {user}"));
    // `httpd -p 80`: too short a flag to trust elsewhere, but here the program does listen.
    let flag = || {
        let words = spec.command.iter().chain(&spec.args).flat_map(|word| word.split_whitespace());
        words.clone().zip(words.skip(1)).find(|(flag, _)| *flag == "-p").and_then(|(_, port)| port.parse().ok())
    };
    let declared = || {
        let low = spec.ports.iter().filter_map(|port| u16::try_from(port.container_port).ok());
        low.chain(told_port(spec).map(|(port, _)| port)).chain(flag()).find(|port| *port < 1024)
    };
    let port = said.or_else(declared).map_or_else(|| "its port".to_owned(), |port| format!("port {port}"));
    let summary = format!(
        "{}: it may not listen on {port} {who} (permission denied): ports below 1024 need the capability NET_BIND_SERVICE; listen on a higher port",
        failing.happens()
    );
    let mut finding = failing.finding(view, Stage::Start, summary);
    if let Some(user) = user {
        let own = spec.security_context.run_as_user.is_some();
        let own = own.then(|| failing.container.spec_path("securityContext.runAsUser"));
        let path = own.unwrap_or_else(|| "spec.securityContext.runAsUser".to_owned());
        finding = finding.field(&failing.pod(), path, user.to_string());
    }
    failing.edit(view, failing.read_log(finding), "let it listen on a higher port, or give it the capability")
}

/// The variable whose value the line shows, where just one does: what the program does not take.
fn variable_shown(view: &View<'_>, failing: &Failing<'_>) -> Option<(String, String)> {
    // Short and common values would be found in any line.
    let telling = |value: &str| value.len() >= 4 && !matches!(value, "true" | "false" | "null" | "info" | "debug");
    let shown = |value: &str| {
        let mut at = failing.text.match_indices(value);
        at.any(|(start, found)| {
            let whole = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            whole(failing.text.get(..start).and_then(|head| head.chars().next_back()))
                && whole(failing.text.get(start + found.len()..).and_then(|tail| tail.chars().next()))
        })
    };
    let all = values(view, failing.container.pod, failing.container.spec);
    let mut found = all.into_iter().filter(|(_, value)| telling(value) && shown(value));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The ConfigMap or Secret that the file comes from which the line names; the only one mounted,
/// where the line names a file of it.
fn config_source(failing: &Failing<'_>) -> Option<ObjectRef> {
    let (pod, spec, namespace) = (failing.container.pod, failing.container.spec, failing.namespace());
    let path = path_of(&failing.text).or_else(|| path_of(&failing.around));
    let by_path = path.and_then(|path| mount_of(pod, spec, &path)).and_then(|mounted| mounted.source(namespace));
    by_path.or_else(|| {
        let named = |file: &str| file.contains('.') && failing.around.contains(file);
        let mut sources = mounts(pod, spec)
            .filter(|mounted| mounted.mount.sub_path.is_empty() || named(&mounted.mount.sub_path))
            .filter_map(|mounted| mounted.source(namespace))
            .filter(|source| source.kind == Kind::ConfigMap);
        sources.next().filter(|_| sources.next().is_none() && failing.around.to_ascii_lowercase().contains("config"))
    })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_unknown, check_wants};

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec:
  containers: [{name: app, image: 'shop/web:2', envFrom: [{configMapRef: {name: env}}], volumeMounts: [{name: s, mountPath: /etc/web}]}]
  initContainers: [{name: migrate}]
  volumes: [{name: s, configMap: {name: settings}}]
status:
  phase: Running
  LIST:
  - {name: NAME, restartCount: 4, state: STATE, lastState: {terminated: {reason: Error, exitCode: CODE, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: web-1
container: NAME
lines: LINES
";

    fn pod(code: &str, lines: &str) -> String {
        let pod = POD
            .replace("LIST", "containerStatuses")
            .replace("NAME", "app")
            .replace("STATE", "{waiting: {reason: CrashLoopBackOff}}");
        pod.replace("CODE", code).replace("LINES", lines)
    }

    #[test]
    fn a_key_file_that_holds_none() {
        let line = "tls: failed to find any PEM data in certificate input";
        let why = |what: &str, line: &str| {
            format!(
                "critical Pod shop/web-1: container app exits 1: {what} does not hold the certificate or key in PEM form that it should: {line}"
            )
        };
        let yaml = pod("1", &format!("['FATAL {line}']"))
            .replace("configMap: {name: settings}", "secret: {secretName: web-tls}");
        check(&super::DETECTOR, &yaml, &why("a file of its own", line));
        let keys = "---\nkind: SecretKeys\nnamespace: shop\nname: web-tls\nkeys: [{name: tls.crt}, {name: tls.key}]\n";
        let blames = |text: String| text + " <- Secret shop/web-tls";
        check(&super::DETECTOR, &(yaml.clone() + keys), &blames(why("a file from Secret web-tls", line)));
        let told = yaml.replace("image: 'shop/web:2'", "args: ['--cert=/etc/web/tls.crt']");
        check(&super::DETECTOR, &told, &blames(why("a file from Secret web-tls", line)));
        let named = "could not decode PEM block of /etc/web/tls.key";
        let yaml = yaml.replace(line, named);
        check(&super::DETECTOR, &yaml, &blames(why("`/etc/web/tls.key` (from Secret web-tls)", named)));
    }

    #[test]
    fn the_deciding_line() {
        check(
            &super::DETECTOR,
            &pod("3", "[starting, 'ERROR ledger is corrupt at block 7', 'bye']"),
            "critical Pod shop/web-1: container app exits 3: ledger is corrupt at block 7",
        );
        check(
            &super::DETECTOR,
            &pod("139", "[]"),
            "critical Pod shop/web-1: container app crashes (SIGSEGV, exit 139) and its log says nothing of why",
        );
        check(
            &super::DETECTOR,
            &pod("1", "[starting, loading 7]"),
            "critical Pod shop/web-1: container app exits 1 without saying why; its last words: loading 7",
        );
    }

    #[test]
    fn one_that_is_ready_between_two_ends() {
        let ready = |began: &str| {
            pod("3", "[starting, 'ERROR ledger is corrupt at block 7']")
                .replace("phase: Running", "phase: Running\n  conditions: [{type: Ready, status: 'True'}]")
                .replace(
                    "state: {waiting: {reason: CrashLoopBackOff}}",
                    "ready: true, state: {running: {startedAt: '2026-01-01T11:59:30Z'}}",
                )
                .replace("exitCode: 3,", &format!("exitCode: 3, startedAt: '2026-01-01T{began}Z',"))
                .replace("container: app", "container: app\nprevious: true")
        };
        let says = "Pod shop/web-1: container app exits 3: ledger is corrupt at block 7";
        check(&super::DETECTOR, &ready("11:58:00"), &format!("critical {says}"));
        // One that ran for hours before serves most of the time.
        check(&super::DETECTOR, &ready("08:00:00"), &format!("warning {says}"));
    }

    #[test]
    fn a_configuration_that_is_not_taken() {
        check(
            &super::DETECTOR,
            &pod("1", "['FATAL cannot parse /etc/web/app.yaml: yaml: line 3: mapping values are not allowed']"),
            "critical Pod shop/web-1: container app exits 1: the program does not take its configuration (ConfigMap settings): cannot parse /etc/web/app.yaml: yaml: line 3: mapping values are not allowed <- ConfigMap shop/settings",
        );
        check(
            &super::DETECTOR,
            &pod("2", "['flag provided but not defined: -listn']"),
            "critical Pod shop/web-1: container app exits 2: the program does not take its configuration: flag provided but not defined: -listn",
        );
    }

    #[test]
    fn a_variable_that_is_not_taken() {
        let line = r#"['Caused by: java.lang.NumberFormatException: For input string: "8080/tcp"']"#;
        let yaml =
            pod("1", line).replace("envFrom: [{configMapRef: {name: env}}]", "env: [{name: PORT, value: 8080/tcp}]");
        let yaml = yaml.replace(", volumeMounts: [{name: s, mountPath: /etc/web}]", "");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: container app exits 1: the program does not take the value `8080/tcp` of its variable PORT: Caused by: java.lang.NumberFormatException: For input string: \"8080/tcp\"",
        );
    }

    #[test]
    fn a_port_below_1024() {
        let yaml = pod("1", "['httpd: bind: Permission denied']").replace(
            "image: 'shop/web:2'",
            "image: 'shop/web:2', command: [httpd, -f, -p, '80'], securityContext: {runAsUser: 1000}",
        );
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: container app exits 1: it may not listen on port 80 as user 1000 (permission denied): ports below 1024 need the capability NET_BIND_SERVICE; listen on a higher port",
        );
    }

    #[test]
    fn last_words_that_name_no_cause_leave_it_open() {
        let why = "why it ends: its last words name no cause";
        check_unknown(&super::DETECTOR, &pod("1", "[starting, batch settled]"), why);
        check_unknown(&super::DETECTOR, &pod("1", "[starting, 'ERROR ledger is corrupt at block 7']"), "");
    }

    #[test]
    fn an_init_container() {
        let yaml = POD
            .replace("LIST", "initContainerStatuses")
            .replace("NAME", "migrate")
            .replace("STATE", "{waiting: {reason: CrashLoopBackOff}}");
        let yaml = yaml.replace("CODE", "1").replace("LINES", "['ERROR: relation users does not exist']");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: init container migrate exits 1: relation users does not exist",
        );
    }

    #[test]
    fn what_others_know_better_or_is_well_again() {
        check(&super::DETECTOR, &pod("1", "['dial tcp: lookup db: no such host']"), "");
        let well = pod("1", "[]")
            .replace(
                "state: {waiting: {reason: CrashLoopBackOff}}",
                "ready: true, state: {running: {startedAt: '2026-01-01T08:00:00Z'}}",
            )
            .replace("T11:59:00Z", "T07:59:00Z");
        check(&super::DETECTOR, &well, "");
    }

    #[test]
    fn wants_the_log_and_what_the_environment_comes_from() {
        check_wants(&super::DETECTOR, &pod("1", "[]"), "log shop/web-1 app\nvalues of ConfigMap shop/env");
        let again = pod("1", "[]").replace(
            "state: {waiting: {reason: CrashLoopBackOff}}",
            "state: {running: {startedAt: '2026-01-01T11:59:50Z'}}",
        );
        check_wants(&super::DETECTOR, &again, "log shop/web-1 app previous\nvalues of ConfigMap shop/env");
    }
}
