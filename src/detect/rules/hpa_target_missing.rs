//! Autoscalers whose target is not there.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "hpa-target-missing",
    summary: "Autoscaler scales an object that does not exist",
    group: Group::Workloads,
    reads: &[Kind::HorizontalPodAutoscaler, Kind::Deployment, Kind::StatefulSet],
    wants: None,
    doc: r"## What it detects
A HorizontalPodAutoscaler whose `scaleTargetRef` names an object that is not there, or one that can't be scaled: of an
API version that the server does not serve, or without a scale.

## Why it matters
Nothing is scaled: under load the workload stays as small as it is.

## Evidence
`spec.scaleTargetRef`, and the condition `AbleToScale` with the reason `FailedGetScale`.

## Look-alikes
A target that is there while its metrics are not is `hpa-no-metrics`. Where an operator makes the target a
moment later, this passes by itself.

## What it does not see
Without the right to list the target's kind, and for kinds that are not read (custom resources with a scale
subresource), it speaks only where the autoscaler itself says so.

## What to do
Correct `spec.scaleTargetRef` (`kubectl edit hpa NAME`): kind, API version and name must fit; a renamed workload
is the usual reason. If the workload is gone for good, delete the autoscaler.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<HorizontalPodAutoscaler>().iter().filter_map(|scaler| finding(view, scaler)).collect()
}

fn finding(view: &View<'_>, scaler: &HorizontalPodAutoscaler) -> Option<Finding> {
    let object = scaler.object_ref();
    let target = scaler.spec.scale_target_ref.object_ref(object.ns());
    let told =
        condition(&scaler.status.conditions, "AbleToScale").filter(|c| c.is_false() && c.reason == "FailedGetScale");
    let not_found = told.is_some_and(|condition| condition.message.contains("not found"));
    if !view.absent(&target) && !not_found {
        return told.map(|condition| unscalable(scaler, &target, condition));
    }
    let known: Vec<ObjectRef> = view
        .workloads()
        .filter(|w| w.object.kind == target.kind && w.object.ns() == object.ns())
        .map(|w| w.object)
        .collect();
    let near = meant(&target.name, known.iter().map(|object| &*object.name));
    let near = near.map(|name| format!("; did you mean {} {name}?", target.kind)).unwrap_or_default();
    let summary = format!(
        "HorizontalPodAutoscaler {} scales {} {}, which does not exist{near}",
        object.name, target.kind, target.name
    );
    let mut finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .culprit(target.clone())
        .since(told.and_then(|condition| *condition.last_transition_time).or(*scaler.metadata.creation_timestamp))
        .field(&object, "spec.scaleTargetRef.name", &*target.name);
    if let Some(condition) = told {
        finding = finding.field(&object, "status.conditions[AbleToScale].message", &condition.message);
    }
    Some(finding.fix("correct the reference", &object, &["edit", "hpa", &object.name]))
}

/// A target that is there and can't be scaled: by a group or version that is not served, or without a scale.
fn unscalable(scaler: &HorizontalPodAutoscaler, target: &ObjectRef, told: &Condition) -> Finding {
    let (object, asked) = (scaler.object_ref(), scaler.spec.scale_target_ref.api_version.as_str());
    let served = target.kind.info().map(|info| info.api_version).filter(|served| *served != asked);
    let name = &object.name;
    let summary = match served {
        Some(served) if told.message.contains("no matches for kind") => format!(
            "HorizontalPodAutoscaler {name} scales {} {} of {asked}, which the server does not serve: it is of {served} (scaleTargetRef.apiVersion)",
            target.kind, target.name
        ),
        _ => format!(
            "HorizontalPodAutoscaler {name} can't scale {} {}: {}",
            target.kind,
            target.name,
            told.message.trim_end_matches('.')
        ),
    };
    Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .key("scale")
        .since(*told.last_transition_time)
        .field(&object, "spec.scaleTargetRef.apiVersion", asked)
        .field(&object, "status.conditions[AbleToScale].message", &told.message)
        .fix("correct the reference", &object, &["edit", "hpa", name])
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const HPA: &str = "
kind: HorizontalPodAutoscaler
apiVersion: autoscaling/v2
metadata: {name: search, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: TARGET}}
---
kind: Deployment
apiVersion: apps/v1
metadata: {name: search, namespace: shop}
";

    #[test]
    fn renamed() {
        check(
            &super::DETECTOR,
            &HPA.replace("TARGET", "search-v1"),
            "warning HorizontalPodAutoscaler shop/search: HorizontalPodAutoscaler search scales Deployment search-v1, which does not exist; did you mean Deployment search? <- Deployment shop/search-v1",
        );
    }

    #[test]
    fn a_version_that_is_not_served() {
        let status = "
status: {conditions: [{type: AbleToScale, status: 'False', reason: FailedGetScale, message: MESSAGE}]}
---";
        let told = |version: &str, message: &str| {
            let hpa = HPA.replace("TARGET", "search").replacen("apps/v1", version, 1);
            hpa.replacen("\n---", &status.replace("MESSAGE", message), 1)
        };
        check(
            &super::DETECTOR,
            &told("extensions/v1beta1", r#"'no matches for kind "Deployment" in group "extensions"'"#),
            "warning HorizontalPodAutoscaler shop/search: HorizontalPodAutoscaler search scales Deployment search of extensions/v1beta1, which the server does not serve: it is of apps/v1 (scaleTargetRef.apiVersion)",
        );
        check(
            &super::DETECTOR,
            &told("apps/v1", "'unable to determine scale: forbidden'"),
            "warning HorizontalPodAutoscaler shop/search: HorizontalPodAutoscaler search can't scale Deployment search: unable to determine scale: forbidden",
        );
    }

    #[test]
    fn there_or_not_readable() {
        check(&super::DETECTOR, &HPA.replace("TARGET", "search"), "");
        let gap = "\n---\nkind: Gap\nwhat: deployments.apps\nreason: forbidden\nof: Deployment\n";
        check(&super::DETECTOR, &(HPA.replace("TARGET", "search-v1") + gap), "");
    }
}
