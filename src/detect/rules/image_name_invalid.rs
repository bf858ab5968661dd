//! Images whose name can't be read.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "image-name-invalid",
    summary: "The image's name is not a valid reference",
    group: Group::Images,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that waits with `InvalidImageName`, and what is wrong with the name: upper-case letters
in the repository, a URL scheme, two tags, an empty tag, a space, a variable that nobody filled in.

## Why it matters
No registry is ever asked: the pod can't start until the name is corrected.

## Evidence
`state.waiting.message`, and the image as it is written in the pod.

## Look-alikes
A well-formed name that no registry has is `image-not-found`: there the waiting reason is `ErrImagePull`. The
runtime itself refuses the name here; only the explanation of what is wrong with it is a guess from its shape.

## What it does not see
Names that are valid and still not meant, such as another repository of the same form. The pipeline or chart
that wrote the name is not seen, so a placeholder is quoted as it stands. One mistake is named; a second one
shows after the first is corrected.

## What to do
Correct the name: `[registry[:port]/]repository[:tag][@digest]`, the repository in lower case. An
unfilled `${VERSION}` or `{{ .Values.tag }}` means that the pipeline did not render the manifest.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let invalid = waiting(view, &["InvalidImageName"]);
    invalid.iter().map(|(container, waiting)| finding(view, container, waiting)).collect()
}

fn finding(view: &View<'_>, container: &Running<'_>, waiting: &Waiting) -> Finding {
    let (pod, image) = (container.pod, &container.spec.image);
    let object = pod.object_ref();
    let workload = view.workload_of(pod);
    let summary =
        format!("image name `{image}` of {} is invalid: {} (InvalidImageName)", container.title(), why(image));
    let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Pull, summary)
        .key(format!("{} {image}", container.spec.name))
        .field(
            &object,
            container.path("state.waiting"),
            if waiting.message.is_empty() { &waiting.reason } else { &waiting.message },
        )
        .field(&object, container.spec_path("image"), image)
        .since(pod_since(pod));
    if view.workload(&workload).is_none() || workload.kind == Kind::Job {
        return finding.look("see the pod", &object, &["describe", "pod", &object.name]);
    }
    finding.fix("correct the image's name", &workload, &["edit", &workload.kind.argument(), &workload.name])
}

/// What is wrong with the name, by the commonest mistakes.
fn why(image: &str) -> &'static str {
    let repository = crate::detect::images::parts(image).1;
    if image.chars().any(char::is_whitespace) {
        "it contains a space"
    } else if image.contains("${") || image.contains("$(") || image.contains("{{") || image.contains('<') {
        "a placeholder in it was not filled in"
    } else if image.contains("://") {
        "it begins with a URL scheme, where a registry's host is expected"
    } else if image.ends_with([':', '@']) {
        "the tag after the colon is empty"
    } else if image
        .rsplit('/')
        .next()
        .is_some_and(|last| last.split('@').next().unwrap_or_default().matches(':').count() > 1)
    {
        "it has more than one tag"
    } else if repository.contains("//") || repository.starts_with('/') || repository.ends_with('/') {
        "a part between its slashes is empty"
    } else if repository.chars().any(char::is_uppercase) {
        "repository names must be lowercase"
    } else {
        "it is no reference of the form [registry/]repository[:tag][@digest]"
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, image: 'IMAGE'}]}
status:
  phase: Pending
  containerStatuses: [{name: app, state: {waiting: {reason: REASON, message: 'Failed to apply default image tag: invalid reference format'}}}]
";

    #[test]
    fn what_is_wrong_with_the_name() {
        let table = [
            ("Shop/Web:v1", "repository names must be lowercase"),
            ("web:1.0:latest", "it has more than one tag"),
            ("r.io:5000/web:${TAG}", "a placeholder in it was not filled in"),
            ("https://r.io/web:1", "it begins with a URL scheme, where a registry's host is expected"),
            ("web:", "the tag after the colon is empty"),
            ("r.io//web:1", "a part between its slashes is empty"),
            ("r.io/a_-b:1", "it is no reference of the form [registry/]repository[:tag][@digest]"),
        ];
        for (image, why) in table {
            let yaml = POD.replace("IMAGE", image).replace("REASON", "InvalidImageName");
            check(
                &super::DETECTOR,
                &yaml,
                &format!(
                    "critical Pod shop/web-1: image name `{image}` of container app is invalid: {why} (InvalidImageName)"
                ),
            );
        }
    }

    #[test]
    fn an_image_that_is_only_not_there_has_a_valid_name() {
        check(&super::DETECTOR, &POD.replace("IMAGE", "Shop/Web:v1").replace("REASON", "ErrImagePull"), "");
    }
}
