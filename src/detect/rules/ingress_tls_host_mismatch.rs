//! Ingresses whose certificate is given for a host that no rule serves, while a rule's host has none.

use crate::detect::certificates::covers;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "ingress-tls-host-mismatch",
    summary: "Ingress gives its certificate to a host that none of its rules serves",
    group: Group::Network,
    reads: &[Kind::Ingress],
    wants: None,
    doc: r"## What it detects
An Ingress with `spec.tls`, of which a host is in no rule, while a rule's host is in no `spec.tls`: the
two were meant to be the same.

## Why it matters
The rule's host is served with the controller's own certificate, so browsers warn, or not by TLS at all.

## Evidence
`spec.tls[].hosts` and `spec.rules[].host`.

## Look-alikes
A certificate whose own names don't fit the host is `certificate-wrong-name`; a Secret that is not there is
`ingress-tls-missing`. Silent where only one side is left over: a host without TLS, or a certificate for more
hosts than this Ingress serves, may be meant. So are entries without hosts and rules without a host, which stand
for all.

## What it does not see
The certificate is not read here, only the two lists of the Ingress. Another Ingress that gives the same host
its certificate is not looked for, nor a controller's default certificate that happens to fit. Gateways are not
compared.

## What to do
Write the rule's host into `spec.tls[].hosts` (`kubectl edit ingress NAME`), or correct the rule's host; one of
the two is usually misspelled.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Ingress>().iter().filter(|ingress| !ingress.metadata.deleting()).filter_map(finding).collect()
}

fn finding(ingress: &Ingress) -> Option<Finding> {
    let object = ingress.object_ref();
    let rules: Vec<&str> = ingress.spec.rules.iter().map(|rule| rule.host.as_str()).collect();
    if rules.contains(&"") || ingress.spec.tls.iter().any(|tls| tls.hosts.is_empty()) {
        return None;
    }
    let hosts: Vec<&str> = ingress.spec.tls.iter().flat_map(|tls| &tls.hosts).map(String::as_str).collect();
    let unserved = hosts.iter().find(|host| !rules.iter().any(|rule| covers(host, rule) || covers(rule, host)))?;
    let bare = rules.iter().find(|rule| !hosts.iter().any(|host| covers(host, rule)))?;
    let summary = format!(
        "Ingress {} serves {bare}, but its certificate is only given for {unserved}, which no rule serves",
        object.name
    );
    Some(
        Finding::new(object.clone(), Severity::Warning, Stage::Route, summary)
            .key(*bare)
            .field(&object, "spec.tls[].hosts", *unserved)
            .field(&object, "spec.rules[].host", *bare)
            .since(*ingress.metadata.creation_timestamp)
            .fix("give the certificate to the host that is served", &object, &["edit", "ingress", &object.name]),
    )
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SHOP: &str = "
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {tls: [{hosts: HOSTS, secretName: s}], rules: [{host: shop.example}]}
";

    #[test]
    fn another_host() {
        check(
            &super::DETECTOR,
            &SHOP.replace("HOSTS", "[shop.exmaple]"),
            "warning Ingress shop/shop: Ingress shop serves shop.example, but its certificate is only given for shop.exmaple, which no rule serves",
        );
    }

    #[test]
    fn covered() {
        for hosts in ["[shop.example]", "['*.example']", "[shop.example, www.example]", "[]"] {
            check(&super::DETECTOR, &SHOP.replace("HOSTS", hosts), "");
        }
    }
}
