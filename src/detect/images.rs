//! Why an image can't be pulled: what the registry, the network or the runtime answered.
//!
//! *Invariant:* each failed pull has exactly one [`Answer`], so that exactly one detector names it.
//! The words are those of containerd, CRI-O and Docker, read loosely: they differ by version.

use std::collections::BTreeSet;

use super::prelude::*;

/// What a failed pull was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is no such repository or tag.
    NotFound,
    /// The registry wants other credentials, or any.
    Unauthorized,
    /// There is no usable answer: no name, no route, no trust, too much, or a broken registry.
    Unreachable,
    /// The image is there, but not for this platform.
    WrongPlatform,
    /// Something else.
    Other,
}

/// A container whose image can't be pulled.
#[derive(Clone, Copy)]
pub struct Pull<'a> {
    /// The container.
    pub container: Running<'a>,
    /// What its status says.
    pub waiting: &'a Waiting,
    /// What the kubelet's event says.
    pub event: Option<&'a Event>,
    /// The one of both that gives the reason.
    pub text: &'a str,
    /// What it comes to.
    pub answer: Answer,
}

const FAILED: &[&str] =
    &["ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed", "ImageInspectError"];

/// Containers whose image can't be pulled for the reason `answer`.
pub fn pulls<'a>(view: &View<'a>, answer: Answer) -> Vec<Pull<'a>> {
    waiting(view, FAILED)
        .into_iter()
        .map(|(container, waiting)| pull(view, container, waiting))
        .filter(|pull| pull.answer == answer)
        .collect()
}

fn pull<'a>(view: &View<'a>, container: Running<'a>, waiting: &'a Waiting) -> Pull<'a> {
    let (pod, spec) = (container.pod, container.spec);
    let about = |event: &&Event| {
        event.message.contains("pull image")
            && (event.container() == Some(spec.name.as_str()) || event.message.contains(&spec.image))
    };
    let event = view.warnings(pod).filter(|event| event.reason == "Failed").find(about);
    // While the kubelet waits for its next try, older ones say no more than that they wait.
    let bare = waiting.message.is_empty()
        || waiting.message.starts_with("Back-off") && !waiting.message.contains("ErrImagePull:");
    let text = event.filter(|_| bare).map_or(waiting.message.as_str(), |event| event.message.as_str());
    let answer = classify(text, &spec.image, !pod.spec.image_pull_secrets.is_empty());
    Pull { container, waiting, event, text, answer }
}

/// What the text of a failed pull of `image` comes to.
///
/// Docker Hub says the same of a repository that does not exist and of a private one. With
/// credentials in hand the second is likelier, without any the first is.
pub fn classify(text: &str, image: &str, credentials: bool) -> Answer {
    // The image's own name must not decide.
    let text = if image.is_empty() { text.to_owned() } else { text.replace(image, "") }.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if any(&[
        "no match for platform",
        "no matching manifest",
        "no image found in manifest list",
        "cannot be used on this platform",
        "does not match the specified platform",
    ]) {
        Answer::WrongPlatform
    } else if unreachable(&text) {
        Answer::Unreachable
    } else if any(&["repository does not exist or may", "does not exist or no pull access"]) {
        if credentials { Answer::Unauthorized } else { Answer::NotFound }
    } else if any(&[
        "unauthorized",
        "forbidden",
        "denied",
        "no basic auth",
        "authentication required",
        "authorization failed",
        "insufficient_scope",
        "invalid username",
        "failed to fetch oauth token",
        "failed to authorize",
    ]) {
        Answer::Unauthorized
    } else if any(&[
        "not found",
        "manifest unknown",
        "manifest_unknown",
        "name unknown",
        "name_unknown",
        "does not exist",
        "not known to registry",
    ]) {
        Answer::NotFound
    } else {
        Answer::Other
    }
}

/// Network, trust and overload, with the words that tell of each.
const UNREACHABLE: &[(&str, &str)] = &[
    ("no such host", "the node can't resolve its name (no such host)"),
    ("server misbehaving", "the node's DNS fails to resolve its name (server misbehaving)"),
    ("x509", "its certificate is not trusted (x509)"),
    ("certificate signed by unknown", "its certificate is not trusted (signed by unknown authority)"),
    ("http response to https client", "it speaks HTTP where HTTPS is expected"),
    ("toomanyrequests", "it limits pulls (429 Too Many Requests)"),
    ("too many requests", "it limits pulls (429 Too Many Requests)"),
    ("pull rate limit", "it limits pulls (429 Too Many Requests)"),
    ("500 internal server error", "it answers 500 Internal Server Error"),
    ("502 bad gateway", "it answers 502 Bad Gateway"),
    ("503 service unavailable", "it answers 503 Service Unavailable"),
    ("504 gateway", "it answers 504 Gateway Timeout"),
    ("registryunavailable", "it is unavailable (RegistryUnavailable)"),
    ("no route to host", "there is no route to it (no route to host)"),
    ("network is unreachable", "the node has no way to it (network is unreachable)"),
    ("connection reset", "it drops the connection (connection reset)"),
    ("tls handshake timeout", "it does not answer (TLS handshake timeout)"),
    ("i/o timeout", "it does not answer (i/o timeout)"),
    ("deadline exceeded", "it does not answer in time (deadline exceeded)"),
    ("client.timeout", "it does not answer in time (Client.Timeout exceeded)"),
    ("connection refused", "it refuses the connection (connection refused)"),
    ("proxyconnect", "the node's proxy can't be reached (proxyconnect)"),
    ("unexpected eof", "it ends the connection early (unexpected EOF)"),
];

fn unreachable(text: &str) -> bool {
    UNREACHABLE.iter().any(|(word, _)| text.contains(word))
}

/// Why a registry gives no usable answer, as half a sentence about the registry. What changes from
/// try to try, such as client ports, is left out.
pub fn why_unreachable(text: &str) -> String {
    let lower = text.to_lowercase();
    let plain = UNREACHABLE.iter().find(|(word, _)| lower.contains(word)).map_or("it can't be reached", |(_, why)| why);
    if lower.contains("lookup ") && !plain.contains("resolve") {
        // `lookup HOST on SERVER: read udp …: connection refused`: the refusal is DNS', not the registry's.
        let reason = plain.rsplit_once('(').map_or("", |(_, reason)| reason.trim_end_matches(')'));
        return format!("the node can't resolve its name: DNS fails ({reason})");
    }
    plain.to_owned()
}

/// The refusal in the registry's words.
pub fn refusal(text: &str) -> &'static str {
    const WORDS: &[(&str, &str)] = &[
        ("401", "401 Unauthorized"),
        ("403", "403 Forbidden"),
        ("no basic auth", "no basic auth credentials"),
        ("access denied", "pull access denied"),
        ("requested access to the resource is denied", "requested access to the resource is denied"),
        ("authentication required", "authentication required"),
        ("unauthorized", "unauthorized"),
        ("forbidden", "forbidden"),
    ];
    let lower = text.to_lowercase();
    WORDS.iter().find(|(word, _)| lower.contains(word)).map_or("authorization failed", |(_, words)| words)
}

/// An image's name in parts: registry, repository (with the registry, as written), tag or digest.
pub fn parts(image: &str) -> (&str, &str, &str) {
    let (name, digest) = image.split_once('@').map_or((image, ""), |(name, digest)| (name, digest));
    let (repository, tag) = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, ""),
    };
    let registry = match repository.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    };
    (registry, repository, if digest.is_empty() { tag } else { digest })
}

/// An image that runs in the cluster and is close to `image`: another tag of its repository, else
/// the same tag of a repository with nearly its name.
pub fn close(view: &View<'_>, image: &str) -> Option<String> {
    let images = view.shared(|| Images(started_images(view)));
    let others = || images.0.iter().map(String::as_str).filter(|other| *other != image);
    let (_, repository, tag) = parts(image);
    let same: Vec<&str> = others().filter(|other| parts(other).1 == repository).collect();
    let near_tag = meant(tag, same.iter().map(|other| parts(other).2));
    let by_tag = near_tag.and_then(|tag| same.iter().copied().find(|other| parts(other).2 == tag));
    let by_name = || {
        let name = meant(repository, others().map(|other| parts(other).1))?;
        others().find(|other| parts(other).1 == name && parts(other).2 == tag)
    };
    by_tag.or_else(|| same.last().copied()).or_else(by_name).map(str::to_owned)
}

/// The images of all containers that were started, each once.
struct Images(BTreeSet<String>);

fn started_images(view: &View<'_>) -> BTreeSet<String> {
    let started = view
        .all::<Pod>()
        .iter()
        .flat_map(containers)
        .filter(|c| c.status.state.running.is_some() || c.ended().is_some());
    let images: BTreeSet<&str> = started.map(|c| c.spec.image.as_str()).collect();
    images.into_iter().map(str::to_owned).collect()
}

impl Pull<'_> {
    /// The finding of a pull that failed, with its evidence.
    pub fn finding(&self, view: &View<'_>, summary: String) -> Finding {
        let pod = self.container.pod;
        let object = pod.object_ref();
        let mut finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Pull, summary)
            .key(format!("{} {}", self.container.spec.name, self.container.spec.image))
            .field(
                &object,
                self.container.path("state.waiting.message"),
                if self.waiting.message.is_empty() { &self.waiting.reason } else { &self.waiting.message },
            )
            .since(pod_since(pod));
        if let Some(event) = self.event.filter(|event| event.message == self.text) {
            finding = finding.event(event);
        }
        finding.look("see what the registry answered", &object, &["describe", "pod", &object.name])
    }

    /// Adds the command that gives the workload another image.
    pub fn set_image(&self, view: &View<'_>, finding: Finding, image: &str) -> Finding {
        let workload = view.workload_of(self.container.pod);
        if view.workload(&workload).is_none() || workload.kind == Kind::Job {
            return finding;
        }
        let target = format!("{}/{}", workload.kind.argument(), workload.name);
        let value = format!("{}={image}", self.container.spec.name);
        finding.fix(
            &format!("use {image}, which other pods run, if that is what was meant"),
            &workload,
            &["set", "image", &target, &value],
        )
    }
}

/// Adds a command that changes fields of one container in the workload of its pod.
pub fn patch_container(
    view: &View<'_>,
    finding: Finding,
    container: &Running<'_>,
    purpose: &str,
    mut fields: serde_json::Value,
) -> Finding {
    let workload = view.workload_of(container.pod);
    if view.workload(&workload).is_none() || workload.kind == Kind::Job {
        return finding;
    }
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("name".to_owned(), container.spec.name.as_str().into());
    }
    let list = if container.pod.spec.init_containers.iter().any(|c| std::ptr::eq(c, container.spec)) {
        "initContainers"
    } else {
        "containers"
    };
    let patch = serde_json::json!({ "spec": { "template": { "spec": { list: [fields] } } } }).to_string();
    finding.fix(purpose, &workload, &["patch", &workload.kind.argument(), &workload.name, "-p", &patch])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let table = [
            (r#"failed to resolve reference "r.io/a:1": r.io/a:1: not found"#, Answer::NotFound),
            (
                "Error response from daemon: manifest for a:1 not found: manifest unknown: manifest unknown",
                Answer::NotFound,
            ),
            (
                "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
                Answer::NotFound,
            ),
            ("failed with status code [manifests 1]: 401 Unauthorized", Answer::Unauthorized),
            ("unexpected status from HEAD request to https://r.io/v2/a: 403 Forbidden", Answer::Unauthorized),
            ("denied: requested access to the resource is denied", Answer::Unauthorized),
            ("no basic auth credentials", Answer::Unauthorized),
            ("dial tcp: lookup r.io on 10.0.0.10:53: no such host", Answer::Unreachable),
            ("dial tcp 10.1.2.3:443: i/o timeout", Answer::Unreachable),
            ("unexpected status code [manifests 1]: 503 Service Unavailable", Answer::Unreachable),
            ("toomanyrequests: You have reached your unauthenticated pull rate limit", Answer::Unreachable),
            ("tls: failed to verify certificate: x509: certificate signed by unknown authority", Answer::Unreachable),
            ("no match for platform in manifest: not found", Answer::WrongPlatform),
            ("failed to extract layer sha256:1: write /var/lib/x: no space left on device", Answer::Other),
        ];
        for (text, answer) in table {
            assert_eq!(classify(text, "r.io/a:1", false), answer, "{text}");
        }
        assert_eq!(
            classify("denied-images/forbidden:1: not found", "denied-images/forbidden:1", false),
            Answer::NotFound
        );
        assert_eq!(
            classify("repository does not exist or may require 'docker login': denied", "a", true),
            Answer::Unauthorized
        );
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(parts("busybox:1.36"), ("docker.io", "busybox", "1.36"));
        assert_eq!(parts("127.0.0.1:5000/team/api"), ("127.0.0.1:5000", "127.0.0.1:5000/team/api", ""));
        assert_eq!(parts("r.io/a/b:1@sha256:ab"), ("r.io", "r.io/a/b", "sha256:ab"));
        assert_eq!(parts(""), ("docker.io", "", ""));
    }

    #[test]
    fn a_registry_that_fails_by_dns() {
        let text = "dial tcp: lookup r.io on 10.0.0.10:53: read udp 10.0.0.1:3->10.0.0.10:53: read: connection refused";
        assert_eq!(why_unreachable(text), "the node can't resolve its name: DNS fails (connection refused)");
        assert_eq!(why_unreachable("lookup r.io: no such host"), "the node can't resolve its name (no such host)");
    }
}
