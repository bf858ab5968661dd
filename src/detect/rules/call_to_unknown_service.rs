//! Workloads that are told to call a Service which does not exist.

use crate::detect::calls::{Fault, calls, clients, complaint, judge, wanted_logs, wanted_values};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "call-to-unknown-service",
    summary: "Workload is told to call a Service that does not exist",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod],
    wants: Some(wants),
    doc: r"## What it detects
An environment variable, command or argument (or a ConfigMap value that was read) that names a Service which does not
exist: by a full name (`db.shop.svc`), with an existing namespace (`db.shop`), or as a bare name (`db:5432`).

## Why it matters
The name does not resolve. Depending on the program it crashes, waits for ever, or answers errors while
it is ready.

## Evidence
The field that names the Service word for word, and the last log line that complains of it.

## Look-alikes
A Service of that name in another namespace is `call-to-wrong-namespace`; one that exists, asked at a wrong port,
`call-to-wrong-port`; one that exists and does not resolve, `dns-policy-wrong` or `dns-down`. A name that only a log
tells is `dependency-name-unknown`. A full name is certain. A bare word is reported only where a Service has nearly
that name and the container fails, or where its log complains of exactly that name. Other names with a dot are hosts
outside (unless a namespace of nearly that name has the Service), and so are names that `hostAliases` give.

## What it does not see
Values of Secrets are never read; of ConfigMaps at most twenty are, those of failing workloads first. Names inside an
image, and hosts in mounted files without a port, are not seen. Variables in which a program speaks of itself
(`…ORIGIN`, `…ISSUER`, `LISTEN…`, `…CALLBACK`) are left out, and so is what a script only prints. Under `-n` at most three other namespaces are read.

## What to do
`kubectl get services` shows what there is. Correct the name, or create the Service. If a Service of nearly that name
exists, it was probably meant.",
    run,
};

fn wants(view: &View<'_>) -> Vec<Want> {
    let mut wants = wanted_logs(view);
    wants.extend(wanted_values(view));
    wants
}

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for client in clients(view) {
        for call in calls(view, &client) {
            let Some(Fault::Unknown { meant }) = judge(view, &client, &call) else { continue };
            let told = complaint(view, &client, &call);
            let (service, namespace) = (&call.service, call.service.ns());
            let place = ObjectRef::new(Kind::Namespace, "", namespace);
            let missing = if namespace != client.namespace && view.absent(&place) {
                format!("namespace {namespace} does not exist")
            } else {
                format!("Service {} does not exist in namespace {namespace}", service.name)
            };
            let hint = meant
                .as_ref()
                .map(|meant| {
                    if meant.ns() == namespace {
                        format!("; did you mean Service {}?", meant.name)
                    } else {
                        format!("; did you mean Service {} in namespace {}?", meant.name, meant.ns())
                    }
                })
                .unwrap_or_default();
            let severity = if client.ails(call.container) && client.down() || told.is_some() {
                Severity::Critical
            } else {
                Severity::Warning
            };
            let stage = client.blocks(call.container, told.is_some());
            let object = client.object.clone();
            let mut finding = Finding::new(
                object.clone(),
                severity,
                stage,
                format!("{}, but {missing}{hint}", call.sentence(&client)),
            )
            .key(format!("{}/{}", call.container.name, call.host))
            .culprit(service.clone())
            .field(&call.at, &call.path, &call.quote)
            .since(client.since())
            .look("see which Services there are", service, &["get", "services"]);
            if let Some((log, line)) = told {
                finding = finding.log(log, line);
            }
            let value =
                meant.and_then(|meant| call.replaced(&service.name, &meant.name).filter(|_| meant.ns() == namespace));
            if let (Some(value), Some(_)) = (value, view.workload(&object)) {
                let target = format!("{}/{}", object.kind.argument(), object.name);
                finding = finding.fix(
                    "call the Service that exists",
                    &object,
                    &["set", "env", &target, "-c", &call.container.name, &value],
                );
            }
            findings.push(finding);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_wants};

    const SHOP: &str = "
kind: Namespace
metadata: {name: data}
---
kind: Service
metadata: {name: ledger-database, namespace: shop}
spec: {selector: {app: ledger}, ports: [{port: 5432}], clusterIP: 10.96.0.7}
---
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, env: [{name: DB_HOST, value: VALUE}, {name: DB_PORT, value: '5432'}]}]}
status: {phase: Running, conditions: [{type: Ready, status: 'READY'}], containerStatuses: [{name: app, ready: READY, state: {running: {}}}]}
";
    const LOG: &str = "\n---\nkind: Log\nnamespace: shop\npod: web\ncontainer: app\nlines: ['dial tcp: lookup payments on 10.96.0.10:53: no such host']\n";

    fn shop(value: &str, ready: &str) -> String {
        SHOP.replace("VALUE", value).replace("READY", ready)
    }

    #[test]
    fn nearly_the_name_and_not_ready() {
        let expected = "critical Pod shop/web: container app of Pod web has DB_HOST=ledger-db and DB_PORT=5432, but Service ledger-db does not exist in namespace shop; did you mean Service ledger-database? <- Service shop/ledger-db";
        check(&super::DETECTOR, &shop("ledger-db", "false").replace("'false'", "'False'"), expected);
        check(&super::DETECTOR, &shop("ledger-db", "true").replace("'true'", "'True'"), "");
        check_wants(&super::DETECTOR, &shop("ledger-db", "true").replace("'true'", "'True'"), "log shop/web app");
    }

    #[test]
    fn a_full_name_is_certain() {
        let expected = "warning Pod shop/web: container app of Pod web has DB_HOST=db.data.svc.cluster.local and DB_PORT=5432, but Service db does not exist in namespace data <- Service data/db";
        check(&super::DETECTOR, &shop("db.data.svc.cluster.local", "true").replace("'true'", "'True'"), expected);
    }

    #[test]
    fn a_namespace_that_is_not_there_is_known_from_one_that_is() {
        let yaml = shop("db.data-eu.svc.cluster.local", "true").replace("'true'", "'True'");
        let scoped = format!("{yaml}---\nkind: Scope\nnamespace: shop\n");
        // One namespace alone may be all that may be read.
        check(&super::DETECTOR, &scoped, "");
        let all = ["default", "kube-system"].map(|name| format!("---\nkind: Namespace\nmetadata: {{name: {name}}}\n"));
        let expected = "warning Pod shop/web: container app of Pod web has DB_HOST=db.data-eu.svc.cluster.local and DB_PORT=5432, but namespace data-eu does not exist <- Service data-eu/db";
        check(&super::DETECTOR, &format!("{scoped}{}", all.concat()), expected);
    }

    #[test]
    fn told_by_the_log() {
        let yaml = shop("payments", "true").replace("'true'", "'True'");
        check(
            &super::DETECTOR,
            &(yaml.clone() + LOG),
            "critical Pod shop/web: container app of Pod web has DB_HOST=payments and DB_PORT=5432, but Service payments does not exist in namespace shop <- Service shop/payments",
        );
        check(&super::DETECTOR, &yaml, "");
    }

    #[test]
    fn what_is_only_printed_is_no_call() {
        let runs = |script: &str| {
            let command = format!("{{name: app, command: [sh, -c, '{script}']");
            shop("ledger-database", "false")
                .replace("'false'", "'False'")
                .replace("{name: app, env", &(command + ", env"))
        };
        check(&super::DETECTOR, &runs("echo connecting to http://ledger-db.shop.svc:5432; exit 1"), "");
        let expected = "critical Pod shop/web: container app of Pod web calls ledger-db.shop.svc:5432, but Service ledger-db does not exist in namespace shop; did you mean Service ledger-database? <- Service shop/ledger-db";
        check(&super::DETECTOR, &runs("echo x | nc ledger-db.shop.svc 5432"), expected);
        check(&super::DETECTOR, &runs("").replace("sh, -c, ''", "echo, 'http://ledger-db.shop.svc:5432'"), "");
    }

    #[test]
    fn outside_or_there() {
        for host in ["db.example.com", "localhost", "ledger-database", "10.0.0.7", "db.data.svc.corp.example"] {
            check(&super::DETECTOR, &shop(host, "false").replace("'false'", "'False'"), "");
        }
    }
}
