//! Pods outside the bounds of a LimitRange.

use crate::detect::admission::{Reason, refused};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "limit-range-violated",
    summary: "The containers' resources lie outside a LimitRange",
    group: Group::Admission,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event, Kind::LimitRange],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because a container (or the pod as a whole) asks for more than a LimitRange
allows, for less than it demands, or for a limit too far above the request.

## Why it matters
No pod of the workload can be made. Older pods, from before the LimitRange, go on until they are
replaced; then they are gone.

## Evidence
The `FailedCreate` event with the bound and the value; the LimitRange that holds this bound.

## Look-alikes
A sum that is too large for the namespace is `quota-exceeded`; requests or limits that a quota demands and
nobody sets are `quota-needs-requests`. The bound in the answer decides, not the LimitRange as it is now: a
LimitRange that was widened since shows until the controller tries again.

## What it does not see
Only pods that a controller wants to make: a pod or a claim that a person applied is refused on the spot and
leaves no event. Where the bound stands in no LimitRange that was read, none is named. When the event has
expired (by default after an hour) only a ReplicaSet's condition is left.

## What to do
`kubectl describe limitrange` shows the bounds. Change the workload's requests and limits to lie within them, or
the LimitRange. Note that defaults are filled in per container, also into sidecars.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::LimitRange(passed) => Some(passed.clone()),
        _ => None,
    };
    let all = refused(view, choose);
    let findings = all.iter().map(|(refusal, passed)| {
        let ranges = view.within::<LimitRange>(refusal.maker.ns());
        let culprit =
            ranges.iter().find_map(|range| passed.iter().find_map(|text| bound(range, text).map(|path| (range, path))));
        let culprit = culprit.or_else(|| ranges.first().filter(|_| ranges.len() == 1).map(|range| (range, None)));
        let name = culprit.as_ref().map(|(range, _)| format!(" {}", range.metadata.name)).unwrap_or_default();
        let mut finding = refusal
            .finding(view, format!("{} refused by LimitRange{name}: {}", refusal.subject(), list(passed)))
            .key(name.trim());
        if let Some((range, path)) = culprit {
            let object = range.object_ref();
            if let Some((path, value)) = path {
                finding = finding.field(&object, path, value);
            }
            finding = finding.culprit(object.clone()).look(
                "see its bounds",
                &object,
                &["describe", "limitrange", &object.name],
            );
        }
        if view.workload(&refusal.workload).is_none() || refusal.workload.kind == Kind::Job {
            return finding;
        }
        finding.fix(
            "set requests and limits within the bounds",
            &refusal.workload,
            &["edit", &refusal.workload.kind.argument(), &refusal.workload.name],
        )
    });
    findings.collect()
}

/// Whether this range holds the bound that `text` speaks of; the field, where it is a plain one:
/// `maximum memory usage per Container is 128Mi, but limit is 512Mi`.
#[expect(clippy::option_option, reason = "found without a field to quote is another answer than not found")]
fn bound(range: &LimitRange, text: &str) -> Option<Option<(String, String)>> {
    let (what, rest) = text.split_once(" per ")?;
    let (kind, rest) = rest.split_once(" is ")?;
    let value = Quantity::parse(rest.split([',', ' ']).next()?.trim_end_matches('.'))?;
    let mut words = what.split(' ');
    let (first, second) = (words.next()?, words.next()?);
    let (field, resource) = match first {
        "maximum" => ("max", second),
        "minimum" => ("min", second),
        resource => ("maxLimitRequestRatio", resource),
    };
    range.spec.limits.iter().enumerate().filter(|(_, item)| item.kind == kind).find_map(|(index, item)| {
        let map = match field {
            "max" => &item.max,
            "min" => &item.min,
            _ => &item.max_limit_request_ratio,
        };
        let held = map.get(resource)?;
        (Quantity::parse(held)? == value)
            .then(|| Some((format!("spec.limits[{index}].{field}[{resource}]"), held.clone())))
    })
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: DaemonSet
metadata: {name: agent, namespace: shop}
status: {desiredNumberScheduled: 3, currentNumberScheduled: HAS}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
message: 'Error creating: pods \"agent-\" is forbidden: MESSAGE'
involvedObject: {kind: DaemonSet, namespace: shop, name: agent}
---
kind: LimitRange
metadata: {name: defaults, namespace: shop}
spec: {limits: [{type: Container, max: {cpu: '2'}}]}
---
kind: LimitRange
metadata: {name: bounds, namespace: shop}
spec: {limits: [{type: Pod, max: {memory: 1Gi}}, {type: Container, max: {memory: 128Mi}, maxLimitRequestRatio: {cpu: '2'}}]}
";

    #[test]
    fn too_much_memory() {
        let yaml = SET
            .replace("HAS", "0")
            .replace("MESSAGE", "maximum memory usage per Container is 128Mi, but limit is 512Mi");
        check(
            &super::DETECTOR,
            &yaml,
            "critical DaemonSet shop/agent: 3 pods are refused by LimitRange bounds: maximum memory usage per Container is 128Mi, but limit is 512Mi <- LimitRange shop/bounds",
        );
    }

    #[test]
    fn a_ratio_and_a_range_that_is_not_known() {
        let yaml = SET
            .replace("HAS", "2")
            .replace("MESSAGE", "[cpu max limit to request ratio per Container is 2, but provided ratio is 40.000000]");
        check(
            &super::DETECTOR,
            &yaml,
            "critical DaemonSet shop/agent: 1 pod is refused by LimitRange bounds: cpu max limit to request ratio per Container is 2, but provided ratio is 40.000000 <- LimitRange shop/bounds",
        );
        let yaml =
            SET.replace("HAS", "2").replace("MESSAGE", "minimum cpu usage per Container is 1. No request is specified");
        check(
            &super::DETECTOR,
            &yaml,
            "critical DaemonSet shop/agent: 1 pod is refused by LimitRange: minimum cpu usage per Container is 1. No request is specified",
        );
    }

    #[test]
    fn no_pod_is_missing() {
        check(
            &super::DETECTOR,
            &SET.replace("HAS", "3")
                .replace("MESSAGE", "maximum memory usage per Container is 128Mi, but limit is 512Mi"),
            "",
        );
    }
}
