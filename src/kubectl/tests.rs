//! The grammar on lines from files, on lines that nobody would write, and beside the shells of this machine.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::laws::hold;
use super::tables;
use super::*;

pub(super) const ACCEPTED: &str = include_str!("testdata/accepted.txt");
const REFUSED: &str = include_str!("testdata/refused.txt");

/// The rows of a file: two words about the line, and the line.
pub(super) fn rows(file: &str) -> Vec<(&str, &str, String)> {
    let rows = file.lines().filter(|row| !row.is_empty() && !row.starts_with("# "));
    rows.map(|row| {
        let mut cells = row.splitn(3, " | ");
        let (first, second, line) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
        (first, second, unescape(line))
    })
    .collect()
}

/// Puts the characters that a file can't hold.
fn unescape(line: &str) -> String {
    let mut parts = line.replace("{spaces}", &" ".repeat(9000)).split("{U+").map(str::to_owned).collect::<Vec<_>>();
    let first = parts.remove(0);
    parts.iter().fold(first, |mut line, part| {
        let (code, rest) = part.split_once('}').unwrap();
        line.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        line + rest
    })
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn change(line: &str) -> Change {
    match parse(line).unwrap_or_else(|refusal| panic!("{line}: {refusal}")) {
        Command::Change(change) => change,
        Command::Read(_) => panic!("{line} reads"),
    }
}

fn read(line: &str) -> Read {
    match parse(line).unwrap_or_else(|refusal| panic!("{line}: {refusal}")) {
        Command::Read(read) => read,
        Command::Change(_) => panic!("{line} changes"),
    }
}

#[test]
fn lines_that_are_commands() {
    let mut wrong = Vec::new();
    let rows = rows(ACCEPTED);
    assert!(rows.len() > 250, "the file was not read: {} rows", rows.len());
    for (kind, path, line) in rows {
        match parse(&line) {
            Err(refusal) => wrong.push(format!("{line}: {}: {refusal}", refusal.reason.name())),
            Ok(command) => {
                let found = if matches!(command, Command::Read(_)) { "read" } else { "change" };
                let called = command.verb.path;
                if (found, called) != (kind, path) {
                    wrong.push(format!("{line}: {found} {called}, not {kind} {path}"));
                }
                wrong.extend(hold(&line).err());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lines_that_are_refused() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let rows = rows(REFUSED);
    assert!(rows.len() > 400, "the file was not read: {} rows", rows.len());
    for (reason, words, line) in rows {
        seen.insert(reason.to_owned());
        match parse(&line) {
            Ok(command) => wrong.push(format!("{line}: let through as {command}")),
            Err(refusal) => {
                let text = format!("{refusal}\n{}", refusal.hint().unwrap_or_default());
                if refusal.reason.name() != reason || !text.contains(words) {
                    wrong.push(format!("{line}: {}, not {reason} {words:?}: {text}", refusal.reason.name()));
                }
                wrong.extend(hold(&line).err());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // These two are no matter of `parse`.
    for reason in [Reason::Context, Reason::Parameter] {
        assert!(!seen.contains(&reason.name()));
    }
    assert_eq!(seen.len(), Reason::Parameter as usize - 1, "a reason without a line that shows it");
}

#[test]
fn refusals_point_at_the_word() {
    for (line, word) in [
        ("kubectl get pods --server=https://evil", "--server"),
        ("kubectl get pods | sh", "|"),
        ("kubectl get pods -n shop -o  xml", "-o"),
        ("kubectl exec web -- id", "exec"),
        ("kubectl get pod web/x", "web/"),
        ("kubectl get pod/a web/x/y", "web/"),
        ("kubectl get pods -l \"app", "\"app"),
        ("kubectl get pods –A", "–A"),
    ] {
        let refusal = parse(line).unwrap_err();
        assert!(line.get(refusal.at..).unwrap().starts_with(word), "{line}: {refusal:?}");
    }
}

#[test]
fn the_empty_line_and_huge_ones() {
    assert_eq!(parse("").unwrap_err().reason, Reason::Empty);
    let many = format!("kubectl get pods {}", "x ".repeat(300));
    assert_eq!(parse(&many).unwrap_err().reason, Reason::TooLong);
    // Short when it is typed, too long when it is quoted.
    let quotes = format!("kubectl annotate pod web a=\"{}\"", "'".repeat(4000));
    assert_eq!(parse(&quotes).unwrap_err().reason, Reason::TooLong);
    let deep = format!("kubectl patch deploy web -p '{}'", "[".repeat(8000));
    assert_eq!(parse(&deep).unwrap_err().reason, Reason::BadValue);
    let message = parse(&format!("kubectl {}", "y".repeat(8000))).unwrap_err().message;
    assert!(message.len() < 200, "{message}");
}

#[test]
fn a_read_says_what_it_asks_for() {
    let logs = read("kubectl -nshop logs deploy/web app -p --tail=20 --since 5m --timestamps=false --context=prod");
    assert_eq!((logs.verb(), logs.subcommand()), ("logs", None));
    assert_eq!((logs.namespace(), logs.context()), (Some("shop"), Some("prod")));
    assert_eq!((logs.flag("tail"), logs.flag("since"), logs.flag("limit-bytes")), (Some("20"), Some("5m"), None));
    assert!(logs.has("previous") && !logs.has("timestamps") && !logs.has("prefix") && !logs.all_namespaces());
    assert_eq!(logs.positional(), ["deploy/web", "app"]);
    assert!(read("kubectl get pods -A").all_namespaces());
    let columns = read("kubectl get pods -L app --label-columns tier");
    assert_eq!(columns.values("label-columns").collect::<Vec<_>>(), ["app", "tier"]);
    let top = read("kubectl top pods");
    assert_eq!((top.verb(), top.subcommand()), ("top", Some("pod")));
    assert_eq!(top.argv(), ["top", "pods"]);
}

#[test]
fn lines_name_their_targets() {
    for (line, targets) in [
        ("kubectl get pods", "pods"),
        ("kubectl get pods,svc", "pods svc"),
        ("kubectl get pods,svc web", "pods/web svc/web"),
        ("kubectl get pod a b", "pod/a pod/b"),
        ("kubectl get pod/a svc/b", "pod/a svc/b"),
        ("kubectl get $WORKLOAD", "$WORKLOAD"),
        ("kubectl logs web app", "pod/web"),
        ("kubectl logs deploy/web", "deploy/web"),
        ("kubectl logs -l app=web", ""),
        ("kubectl top node", ""),
        ("kubectl drain node-1", "node/node-1"),
        ("kubectl events --for pod/web", ""),
        ("kubectl label pod a b x=y z-", "pod/a pod/b"),
        ("kubectl taint nodes a k:NoSchedule", "nodes/a"),
        ("kubectl annotate pods --all a=b", "pods"),
        ("kubectl set image deploy/web a=b c=d", "deploy/web"),
        ("kubectl set sa deploy web account", "deploy/web"),
        ("kubectl create cm web", "configmap/web"),
        ("kubectl create secret generic web", "secret/web"),
        ("kubectl run web --image=x -- sleep 1", "pod/web"),
        ("kubectl certificate approve a b", "csr/a csr/b"),
        ("kubectl apply -f web.yaml", ""),
        ("kubectl auth can-i get pods", ""),
    ] {
        let command = parse(line).unwrap_or_else(|refusal| panic!("{line}: {refusal}"));
        let found: Vec<String> = command.targets().iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), targets, "{line}");
    }
}

#[test]
fn a_change_says_what_is_dangerous() {
    use Risk::*;
    let cases: &[(&str, &[Risk])] = &[
        ("kubectl delete pod web", &[]),
        ("kubectl delete pod web --force --grace-period=0", &[Force, NoGrace]),
        ("kubectl delete pod web --grace-period=00", &[NoGrace]),
        ("kubectl delete pod web --grace-period=30 --force=false", &[]),
        ("kubectl delete pod web --now", &[NoGrace]),
        ("kubectl delete pods --all -A", &[All, AllNamespaces, Unnamed]),
        ("kubectl delete pods -l app=web", &[BySelector, Unnamed]),
        ("kubectl delete pods", &[Unnamed]),
        ("kubectl delete ns shop", &[Namespace]),
        ("kubectl delete Namespaces/shop", &[Namespace]),
        ("kubectl delete pod,ns shop", &[Namespace]),
        ("kubectl delete namespace.v1. shop", &[Namespace]),
        ("kubectl delete pvc data", &[Storage]),
        ("kubectl delete crd/webs.example.com", &[Storage]),
        ("kubectl delete $KIND web", &[Open]),
        ("kubectl delete hpa web", &[Written]),
        ("kubectl delete rs/web-7d4 ep/web", &[]),
        ("kubectl delete deploy/web pod/x --now", &[NoGrace, Written]),
        ("kubectl delete job x --cascade=orphan", &[Orphans, Written]),
        (
            "kubectl drain node-1 --force --disable-eviction --delete-emptydir-data",
            &[Force, SkipsEviction, TemporaryData],
        ),
        ("kubectl apply -f a.yaml --prune -l app=web", &[Prune]),
        ("kubectl apply -f a.yaml --server-side --force-conflicts --validate=false", &[Conflicts, NoValidation]),
        ("kubectl replace --force -f a.yaml", &[Force]),
        ("kubectl scale deploy web --replicas=0", &[ToZero]),
        ("kubectl scale deploy web --replicas=10", &[]),
        ("kubectl rollout restart deploy -l app=web", &[BySelector]),
        ("kubectl run x --image=y --privileged", &[Privileged, RunsImage]),
        ("kubectl create job x --image=y", &[RunsImage]),
        ("kubectl create job x --from=cronjob/y", &[]),
        ("kubectl set image deploy/web a=b", &[RunsImage]),
        ("kubectl create clusterrolebinding x --clusterrole=cluster-admin --group=all", &[Rights]),
        ("kubectl patch clusterrole x -p '{}'", &[Rights]),
        ("kubectl auth reconcile -f a.yaml", &[Rights]),
        ("kubectl certificate approve x", &[Rights]),
        ("kubectl expose deploy web --port=80 --selector=app=web", &[]),
        ("kubectl expose deploy web --port=80 --type=LoadBalancer", &[Exposes]),
        ("kubectl expose deploy web --port=80 --type=ClusterIP", &[]),
        ("kubectl create service nodeport web --tcp=80", &[Exposes]),
        (r#"kubectl patch svc web -p '{"spec":{"type":"NodePort"}}'"#, &[Exposes]),
        (r#"kubectl patch deploy web -p '{"spec":{"replicas":0}}'"#, &[ToZero]),
        (r#"kubectl patch deploy web -p '{"spec":{"replicas":2}}'"#, &[]),
        (r#"kubectl patch deploy web -p '{"spec":{"replicas":$COUNT}}'"#, &[]),
        (r#"kubectl patch deploy web -p '{"spec":{"replicas":0,"minReadySeconds":$COUNT}}'"#, &[ToZero]),
        (
            r#"kubectl patch deploy web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":0}]'"#,
            &[ToZero],
        ),
        (r#"kubectl patch deploy web -p '{"spec":{"template":{"spec":{"hostNetwork":true}}}}'"#, &[Privileged]),
        (
            r#"kubectl patch deploy web -p '{"spec":{"containers":[{"name":"a","securityContext":{"privileged":true}}]}}'"#,
            &[Privileged],
        ),
        (r#"kubectl patch deploy web -p '{"spec":{"hostNetwork":false,"type":"RollingUpdate"}}'"#, &[]),
        (
            r#"kubectl patch ns shop -p '{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}'"#,
            &[Unguarded],
        ),
        ("kubectl label ns shop pod-security.kubernetes.io/enforce=privileged", &[Unguarded]),
        ("kubectl label ns shop pod-security.kubernetes.io/enforce-", &[Unguarded]),
        ("kubectl label ns shop pod-security.kubernetes.io/enforce=baseline", &[]),
        ("kubectl rollout undo deploy/web", &[]),
    ];
    for (line, risks) in cases {
        let mut expected = risks.to_vec();
        expected.sort_unstable();
        assert_eq!(change(line).risks(), expected, "{line}");
    }
}

#[test]
fn a_change_says_how_it_runs() {
    assert_eq!(change("kubectl delete pod web --dry-run=server").dry_run(), Some("server"));
    assert_eq!(change("kubectl delete pod web").dry_run(), None);
    for (line, interactive) in [
        ("kubectl edit deploy web", true),
        ("kubectl apply edit-last-applied deploy/web", true),
        ("kubectl create -f a.yaml --edit", true),
        ("kubectl delete -i pod web", true),
        ("kubectl delete --interactive=false pod web", false),
        ("kubectl apply -f a.yaml", false),
    ] {
        assert_eq!(change(line).interactive(), interactive, "{line}");
    }
    let files = change("kubectl apply -f a.yaml -f b.json");
    assert_eq!(files.manifests().collect::<Vec<_>>(), ["a.yaml", "b.json"]);
    let run = change("kubectl run x --image=y -- wget web");
    assert_eq!(
        (run.positional(), run.container_command()),
        (&["x".to_owned()][..], &["wget".to_owned(), "web".to_owned()][..])
    );
}

#[test]
fn only_the_context_in_use_is_taken() {
    let line = read("kubectl --context prod get pods");
    assert!(line.check_context("prod").is_ok());
    assert_eq!(line.check_context("test").unwrap_err().reason, Reason::Context);
    assert!(read("kubectl get pods").check_context("test").is_ok());
    assert!(read("kubectl get pods --context=$CONTEXT").check_context("test").is_err());
}

#[test]
fn values_take_the_place_of_placeholders() {
    for (line, pairs, bound) in [
        ("kubectl -n $NS get pod $POD", &[("NS", "shop"), ("POD", "web-1")][..], "kubectl -n shop get pod web-1"),
        ("kubectl get $OBJECT", &[("OBJECT", "deploy/web")], "kubectl get deploy/web"),
        ("kubectl get pods -l app=$APP", &[("APP", "web")], "kubectl get pods -l app=web"),
        ("kubectl get pods -l $ALL", &[("ALL", "app=web,tier in (a)")], "kubectl get pods -l 'app=web,tier in (a)'"),
        ("kubectl get pods --selector=$ALL", &[("ALL", "a=b,c=d")], "kubectl get pods --selector=a=b,c=d"),
        ("kubectl get pod $A $B", &[("A", "web")], "kubectl get pod web $B"),
        ("kubectl get pods", &[("A", "--server=evil")], "kubectl get pods"),
        ("kubectl annotate pod web note=$TEXT", &[("TEXT", "it's | $(no; \"shell\"")], "refused"),
        (
            "kubectl annotate pod web note=$TEXT",
            &[("TEXT", "it's | a; \"shell\"")],
            r#"kubectl annotate pod web 'note=it'\''s | a; "shell"'"#,
        ),
        (
            r#"kubectl patch deploy web -p '{"spec":{"replicas":$N}}'"#,
            &[("N", "3")],
            r#"kubectl patch deploy web -p '{"spec":{"replicas":3}}'"#,
        ),
        (
            r#"kubectl get pod web -o jsonpath='{.spec.containers[?(@.name=="$C")].image}'"#,
            &[("C", "app")],
            r#"kubectl get pod web -o 'jsonpath={.spec.containers[?(@.name=="app")].image}'"#,
        ),
        ("kubectl logs web --since=$T", &[("T", "5m")], "kubectl logs web --since=5m"),
        (
            "kubectl set image deploy/web $C=$I",
            &[("C", "app"), ("I", "r.io/a@sha256:0")],
            "kubectl set image deploy/web app=r.io/a@sha256:0",
        ),
    ] {
        let command = parse(line).unwrap_or_else(|refusal| panic!("{line}: {refusal}"));
        let found = command.bind(&values(pairs)).map_or("refused".to_owned(), |bound| bound.to_string());
        assert_eq!(found, bound, "{line}");
    }
}

#[test]
fn values_that_would_break_out_are_refused() {
    for (line, name, value, reason) in [
        ("kubectl get pod $POD", "POD", "--server=https://evil", "parameter"),
        ("kubectl get pod $POD", "POD", "-A", "parameter"),
        ("kubectl get pod $POD", "POD", "", "parameter"),
        ("kubectl get pod $POD", "POD", "a\nb", "parameter"),
        ("kubectl get pod $POD", "POD", "a\u{1b}[0m", "parameter"),
        ("kubectl get pod $POD", "POD", "a\u{202e}b", "parameter"),
        ("kubectl get pod $POD", "POD", "$OTHER", "parameter"),
        ("kubectl get pod $POD", "POD", "web --all", "resource"),
        ("kubectl get pod $POD", "POD", "../secrets/x", "resource"),
        ("kubectl get pod $POD", "POD", "secret/x", "resource"),
        ("kubectl get pod/$POD", "POD", "a/b", "resource"),
        ("kubectl get $KIND web -o yaml", "KIND", "secret", "secret-data"),
        ("kubectl get $KIND web -o yaml", "KIND", "SECRETS.v1.", "secret-data"),
        ("kubectl get $KIND web -o yaml", "KIND", "pods,secrets", "parameter"),
        ("kubectl delete $KIND web", "KIND", "pod,pvc", "parameter"),
        ("kubectl delete pod $POD $POD", "POD", "a,b", "parameter"),
        ("kubectl label pod $POD a=b", "POD", "x=y", "parameter"),
        ("kubectl label pod $POD a=b", "POD", "x-", "parameter"),
        ("kubectl taint node $NODE a=b:NoSchedule", "NODE", "x:NoExecute", "parameter"),
        ("kubectl get pod $POD-1", "POD", "secret/x", "resource"),
        ("kubectl get $OBJECT -o yaml", "OBJECT", "secret/web", "secret-data"),
        ("kubectl get $OBJECT/web -o yaml", "OBJECT", "secret", "secret-data"),
        ("kubectl get sec$KIND/web -o yaml", "KIND", "rets", "secret-data"),
        ("kubectl get pods -n $NS", "NS", "../x", "bad-value"),
        ("kubectl get pods -n$NS", "NS", "-A", "parameter"),
        ("kubectl get pods -l app=$APP", "APP", "web,env=prod", "parameter"),
        ("kubectl get pods -l 'app in ($APP)'", "APP", "a) , b in (c", "parameter"),
        ("kubectl get pods --selector=app=$APP", "APP", "a,b", "parameter"),
        ("kubectl delete pods -lapp=$APP", "APP", "a,b", "parameter"),
        ("kubectl logs web --tail=$N", "N", "ten", "bad-value"),
        ("kubectl logs web --since=$T", "T", "5d", "bad-value"),
        ("kubectl scale deploy web --replicas=$N", "N", "1 --all", "bad-value"),
        (r#"kubectl patch deploy web -p '{"a":"$X"}'"#, "X", "b\",\"c\":\"d", "parameter"),
        (r#"kubectl patch deploy web -p '{"a":"$X"}'"#, "X", "b\\", "parameter"),
        (r#"kubectl patch deploy web -p '{"a":"$X"}'"#, "X", "b}", "parameter"),
        (r#"kubectl patch deploy web -p '{"a":$X}'"#, "X", "1,2", "parameter"),
        (r#"kubectl patch deploy web -p '{"a":$X}'"#, "X", "null", "parameter"),
        (r#"kubectl patch deploy web -p '{"a":$X}'"#, "X", "web", "bad-value"),
        (r#"kubectl patch deploy web -p '{"a":1e$X}'"#, "X", "x", "bad-value"),
        (r#"kubectl get pods -o jsonpath='{.items[?(@.a=="$X")]}'"#, "X", "\")].data", "parameter"),
        ("kubectl get pods -o jsonpath='{.metadata.labels.$X}'", "X", "a}{.b", "parameter"),
        ("kubectl set image deploy/web $C=img", "C", "app=evil:1", "parameter"),
        ("kubectl get pod $A$B", "B", "X", "parameter"),
        ("kubectl get pod $A$B", "B", "x", "parameter"),
    ] {
        let found = match parse(line) {
            Ok(command) => command
                .bind(&values(&[(name, value)]))
                .map_or_else(|refusal| refusal.reason.name(), |bound| bound.to_string()),
            Err(refusal) => refusal.reason.name(),
        };
        assert_eq!(found, reason, "{line} with {value:?}");
    }
}

#[test]
fn the_tables_agree() {
    let verbs: Vec<_> = tables::verbs().collect();
    let paths: BTreeSet<&str> = verbs.iter().map(|verb| verb.path).collect();
    assert_eq!(paths.len(), verbs.len(), "a verb stands twice");
    for verb in &verbs {
        let (mut longs, mut shorts) = (BTreeSet::new(), BTreeSet::new());
        for flag in verb.all() {
            assert!(longs.insert(flag.long), "{}: --{} stands twice", verb.path, flag.long);
            assert!(
                flag.short.is_none_or(|short| shorts.insert(short)),
                "{}: -{:?} stands twice",
                verb.path,
                flag.short
            );
            assert_eq!(tables::forbidden(flag.long), None, "{}: --{}", verb.path, flag.long);
            assert!(flag.short.is_none_or(|short| tables::forbidden_short(short).is_none()), "{}", flag.long);
        }
        assert_eq!(tables::refused_verb(verb.path), None, "{}", verb.path);
    }
    for table in tables::TABLES {
        assert!(table.is_sorted_by_key(|verb| verb.path), "the verbs of a table are not sorted");
    }
    for (verb, alias, name) in tables::ALIASES {
        assert!(tables::subcommands(verb).any(|known| known == *name), "{verb} {alias} is {name}");
        assert!(tables::subcommands(verb).all(|known| known != *alias), "{verb} {alias} is a name itself");
    }
}

/// What a shell makes of each line: its words. The lines are those that were let through, so nothing is run.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a shell is what the words are compared with")]
fn words_of(shell: &str, lines: &[String]) -> Option<Vec<Vec<String>>> {
    let script = lines.iter().map(|line| format!("printf '%s\\n' {line}\nprintf '\\001\\n'"));
    let script = script.collect::<Vec<_>>().join("\n");
    let output = std::process::Command::new(shell).arg("-c").arg(script).current_dir("/").output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    let lists = text.split_terminator("\u{1}\n").map(|list| list.lines().map(str::to_owned).collect());
    Some(lists.collect())
}

#[cfg(unix)]
#[test]
fn words_are_those_of_a_shell() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let part = prop::sample::select(vec![
        "a", "b", " ", "'", "'", "\"", "\"", "\\", "x y", "=", ":", "-", "/", ".", ",", "{", "}", "{a,b}", "!", "!=",
        "#", "%", "^", "+", "@", "~", "*", "é", "\t", "_", "0", "\\\\", "\\'", "\\\"", "`", "\\`",
    ]);
    let line = prop::collection::vec(part, 1..12).prop_map(|parts| parts.concat());
    let mut lines: Vec<String> = Vec::new();
    while lines.len() < 1500 {
        let line = line.new_tree(&mut runner).unwrap().current();
        if words::split(&line).is_ok_and(|words| !words.is_empty()) {
            lines.push(line);
        }
    }
    lines.extend(rows(ACCEPTED).into_iter().map(|(_, _, line)| line).filter(|line| !line.contains('$')));
    for shell in ["sh", "bash"] {
        for some in lines.chunks(300) {
            let Some(found) = words_of(shell, some) else {
                assert_ne!(shell, "sh", "there is no sh to compare with");
                continue;
            };
            assert_eq!(found.len(), some.len(), "{shell} did not read all lines");
            for (line, found) in some.iter().zip(found) {
                let ours: Vec<String> = words::split(line).unwrap().into_iter().map(|word| word.text).collect();
                assert_eq!(ours, found, "{shell}: {line}");
            }
        }
    }
}
