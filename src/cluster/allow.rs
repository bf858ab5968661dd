//! The allow-list that every request passes: what we can ask of an API server is to read.
//!
//! "GET only" is not read-only: `exec`, `attach` and `portforward` begin as GET requests, `proxy`
//! hands one on to a pod or a node, and the body of a Secret is a secret. So a request passes
//! only when its method, headers, path, query and accepted form are all known to be harmless.
//!
//! *Invariant:* [`ReadOnly`] is around the only client there is. The body of a Secret is asked for
//! by [`super::ReadClient::secret_keys`] alone.

use http::header::{ACCEPT, CONNECTION, UPGRADE};
use http::{Method, Request, Response};
use kube::client::Body;

/// Subresources that only show something.
const SUBRESOURCES: &[&str] = &["log", "status", "scale"];

/// The questions about our own rights: whole paths, of which nothing else is taken.
pub(super) const REVIEWS: &[&str] = &[
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
];

/// Leave to read the body of a Secret; carried by the request that [`super::ReadClient::secret_keys`] makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct SecretBody(());

impl SecretBody {
    /// Only the module that drops values while it parses may give this leave.
    pub(super) fn to_be_dropped_while_parsed() -> SecretBody {
        SecretBody(())
    }
}

/// Why a request was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotAllowed(pub(super) String);

/// Why nothing was received.
#[derive(Debug)]
pub(super) enum NotSent {
    /// It was not asked.
    NotAllowed(NotAllowed),
    /// It was asked, and the client failed.
    Failed(Box<kube::Error>),
}

/// A client that sends only what reads.
#[derive(Clone)]
pub(super) struct ReadOnly(kube::Client);

impl ReadOnly {
    /// Takes the client in; no one else has it from here on.
    pub(super) fn around(client: kube::Client) -> ReadOnly {
        ReadOnly(client)
    }

    /// Sends a request that passes the list.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, NotSent> {
        check(&request).map_err(NotSent::NotAllowed)?;
        self.0.send(request).await.map_err(|error| NotSent::Failed(Box::new(error)))
    }
}

/// Whether the request reads, and nothing else.
fn check<B>(request: &Request<B>) -> Result<(), NotAllowed> {
    let refuse = |why: &str| Err(NotAllowed(format!("{} `{}`: {why}", request.method(), request.uri().path())));
    let asks_for_rights = request.method() == Method::POST && REVIEWS.contains(&request.uri().path());
    if request.method() != Method::GET && !asks_for_rights {
        return refuse("only GET reads");
    }
    if asks_for_rights && request.uri().query().is_some() {
        return refuse("a question about rights has no query");
    }
    if request.headers().contains_key(UPGRADE) || request.headers().contains_key(CONNECTION) {
        return refuse("a connection is never upgraded");
    }
    if let Err(why) = query(request.uri().query().unwrap_or_default()) {
        return refuse(why);
    }
    let target = match target(request.uri().path()) {
        Ok(target) => target,
        Err(why) => return refuse(why),
    };
    if target.is_some_and(|target| target.secrets)
        && request.extensions().get::<SecretBody>().is_none()
        && !metadata_only(request)
    {
        return refuse("of Secrets only the metadata may be read");
    }
    Ok(())
}

/// Reads the keys of a query, which are plain: the server decodes them, and so would see others than we do.
fn query(query: &str) -> Result<(), &'static str> {
    if query.contains(';') {
        return Err("its query is not plain");
    }
    for key in query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(key, _)| key)) {
        if !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("a key of its query is not plain");
        }
        if matches!(key, "watch" | "follow") {
            return Err("what is read has an end");
        }
    }
    Ok(())
}

/// What a path is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Target {
    /// Objects that hold secrets.
    secrets: bool,
}

/// Reads a path: `None` for what only describes the API.
fn target(path: &str) -> Result<Option<Target>, &'static str> {
    // The server decodes `%2F` to `/` before it takes a path apart, and so would see another path
    // than we do. No name that Kubernetes gives needs the encoding.
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.:@".contains(c);
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
    if segments.iter().any(|s| s.is_empty() || *s == "." || *s == ".." || !s.chars().all(harmless)) {
        return Err("the path is not plain");
    }
    let rest = match segments.as_slice() {
        ["version" | "api" | "apis"]
        | ["api" | "apis", _]
        | ["apis", _, _]
        | ["openapi", "v3"]
        | ["openapi", "v3", "api", _]
        | ["openapi", "v3", "apis", _, _] => return Ok(None),
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => return Err("it is no path of the resource API"),
    };
    let (resource, subresource) = match rest {
        // A namespace is an object too, and `namespaces/shop/status` its subresource.
        ["namespaces", _, "status"] => ("namespaces", Some("status")),
        ["namespaces", _, resource] | ["namespaces", _, resource, _] | [resource] | [resource, _] => (*resource, None),
        ["namespaces", _, resource, _, subresource] | [resource, _, subresource] => (*resource, Some(*subresource)),
        _ => return Err("the path is too long"),
    };
    if matches!(resource, "proxy" | "watch" | "finalize") {
        return Err("it is no resource");
    }
    if subresource.is_some_and(|subresource| !SUBRESOURCES.contains(&subresource)) {
        return Err("this subresource does more than read");
    }
    Ok(Some(Target { secrets: resource == "secrets" }))
}

/// Whether every form that the request accepts leaves out the data.
fn metadata_only<B>(request: &Request<B>) -> bool {
    let bare = |form: &str| {
        form.split(';').map(str::trim).any(|parameter| {
            matches!(parameter, "as=Table" | "as=PartialObjectMetadata" | "as=PartialObjectMetadataList")
        })
    };
    let mut accepted = request.headers().get_all(ACCEPT).iter().peekable();
    // `includeObject=Object` puts the whole object into each row of a table.
    let whole_rows = request.uri().query().unwrap_or_default().contains("includeObject");
    accepted.peek().is_some()
        && !whole_rows
        && accepted.all(|value| value.to_str().is_ok_and(|value| value.split(',').all(bare)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str) -> http::request::Builder {
        Request::builder().method(method).uri(uri)
    }

    fn allowed(uri: &str) -> bool {
        check(&request("GET", uri).body(()).unwrap()).is_ok()
    }

    #[test]
    fn reading_is_allowed() {
        for uri in [
            "/version",
            "/api/v1",
            "/apis/apps/v1",
            "/api/v1/pods?limit=500&continue=abc",
            "/api/v1/namespaces",
            "/api/v1/namespaces/shop",
            "/api/v1/namespaces/shop/status",
            "/api/v1/namespaces/shop/pods/web-1",
            "/api/v1/namespaces/shop/pods/web-1/log?container=app&previous=true",
            "/apis/apps/v1/namespaces/shop/deployments/web/scale",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
            "/apis/metrics.k8s.io/v1beta1/nodes/node-1",
        ] {
            assert!(allowed(uri), "{uri}");
        }
    }

    #[test]
    fn what_does_more_than_read_is_refused() {
        for uri in [
            "/api/v1/namespaces/shop/pods/web-1/exec?command=sh",
            "/api/v1/namespaces/shop/pods/web-1/attach",
            "/api/v1/namespaces/shop/pods/web-1/portforward",
            "/api/v1/namespaces/shop/pods/web-1/proxy",
            "/api/v1/namespaces/shop/pods/web-1/proxy/metrics",
            "/api/v1/namespaces/shop/pods/web-1/ephemeralcontainers",
            "/api/v1/namespaces/shop/services/web:80/proxy/admin",
            "/api/v1/nodes/node-1/proxy",
            "/api/v1/nodes/node-1/proxy/run/shop/web-1/app",
            "/api/v1/proxy/nodes/node-1",
            "/api/v1/watch/secrets",
            "/api/v1/namespaces/shop/finalize",
            "/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/b/console",
            "/metrics",
            "/debug/pprof/heap",
            "/logs/kube-apiserver.log",
        ] {
            assert!(!allowed(uri), "{uri}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT"] {
            let request = request(method, "/api/v1/namespaces/shop/pods/web-1").body(()).unwrap();
            assert!(check(&request).is_err(), "{method}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        for uri in [
            "/api/v1/pods?watch=true",
            "/api/v1/pods?limit=5&watch",
            "/api/v1/pods?w%61tch=true",
            "/api/v1/namespaces/shop/pods/web-1/log?follow=true",
            "/api/v1/namespaces/shop/pods/web-1/log?tailLines=5&follow=1",
            "/api/v1/namespaces/shop/pods/web-1/log?foll%6Fw=true",
            "/api/v1/pods?limit=5;watch=true",
        ] {
            assert!(!allowed(uri), "{uri}");
        }
        assert!(allowed("/api/v1/pods?labelSelector=app%3Dwatch&limit=5"), "values may be encoded");
    }

    /// Every subresource of the API of Kubernetes 1.34 with the resource it is of, and those of other servers that are
    /// known to act; only `log`, `status` and `scale` show something and nothing else.
    const SUBRESOURCES_OF_THE_API: &[(&str, &[&str])] = &[
        (
            "/api/v1/namespaces/shop/pods/web-1",
            &[
                "attach",
                "binding",
                "ephemeralcontainers",
                "eviction",
                "exec",
                "log",
                "portforward",
                "proxy",
                "proxy/x",
                "resize",
                "status",
                "checkpoint",
            ],
        ),
        ("/api/v1/namespaces/shop/services/web", &["proxy", "proxy/admin/shutdown", "status"]),
        ("/api/v1/namespaces/shop/serviceaccounts/default", &["token"]),
        ("/api/v1/namespaces/shop/replicationcontrollers/web", &["scale", "status"]),
        ("/api/v1/namespaces/shop", &["finalize", "status"]),
        (
            "/api/v1/nodes/node-1",
            &[
                "proxy",
                "proxy/run/shop/web-1/app",
                "proxy/exec/shop/web-1/app",
                "proxy/attach/shop/web-1/app",
                "proxy/portForward/shop/web-1",
                "proxy/containerLogs/shop/web-1/app",
                "proxy/logs/messages",
                "proxy/logs/?query=kubelet",
                "proxy/debug/pprof/heap",
                "proxy/checkpoint/shop/web-1/app",
                "proxy/configz",
                "proxy/stats/summary",
                "status",
            ],
        ),
        ("/api/v1/persistentvolumes/pv-1", &["status"]),
        ("/apis/apps/v1/namespaces/shop/deployments/web", &["scale", "status", "rollback"]),
        ("/apis/apps/v1/namespaces/shop/statefulsets/web", &["scale", "status"]),
        ("/apis/certificates.k8s.io/v1/certificatesigningrequests/x", &["approval", "status"]),
        ("/apis/resource.k8s.io/v1/namespaces/shop/resourceclaims/x", &["binding", "status"]),
        ("/apis/argoproj.io/v1alpha1/namespaces/shop/applications/web", &["sync", "rollback", "status"]),
        (
            "/apis/subresources.kubevirt.io/v1/namespaces/shop/virtualmachineinstances/vm",
            &["console", "vnc", "portforward", "pause", "restart", "freeze", "guestosinfo", "usbredir"],
        ),
        ("/apis/subresources.kubevirt.io/v1/namespaces/shop/virtualmachines/vm", &["start", "stop", "migrate"]),
    ];

    #[test]
    fn of_every_verb_and_subresource_only_those_that_show_pass() {
        const VERBS: &[&str] =
            &["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "LIST", "WATCH"];
        for (object, subresources) in SUBRESOURCES_OF_THE_API {
            for verb in VERBS {
                assert_eq!(check(&request(verb, object).body(()).unwrap()).is_ok(), *verb == "GET", "{verb} {object}");
                for subresource in *subresources {
                    let path = format!("{object}/{subresource}");
                    let passes = check(&request(verb, &path).body(()).unwrap()).is_ok();
                    let shows = *verb == "GET" && SUBRESOURCES.contains(subresource);
                    assert_eq!(passes, shows, "{verb} {path}");
                }
            }
        }
    }

    #[test]
    fn endpoints_beside_the_resources_are_refused() {
        for uri in [
            "/metrics",
            "/healthz",
            "/livez?verbose",
            "/logs",
            "/logs/kube-apiserver.log",
            "/debug/pprof/profile?seconds=30",
            "/debug/flags/v",
            "/configz",
            "/flagz",
            "/statusz",
            "/swagger-2.0.0.json",
            "/openapi/v2",
            "/openid/v1/jwks",
            "/.well-known/openid-configuration",
            "/",
            "",
            "/apis/apps/v1/watch/deployments",
            "/api/v1/watch/namespaces/shop/pods",
            "/openapi/v3/logs/x",
            "/openapi/v3/apis/apps/v1/pods",
            "/api/v1/namespaces/shop/bindings/x/y",
        ] {
            let uri = if uri.is_empty() { "/" } else { uri };
            assert!(!allowed(uri), "{uri}");
        }
        for uri in ["/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1"] {
            assert!(allowed(uri), "{uri} describes the API");
        }
    }

    #[test]
    fn nothing_is_posted_but_questions_about_our_own_rights() {
        let posted = |uri: &str| check(&request("POST", uri).body(()).unwrap()).is_ok();
        for uri in REVIEWS {
            assert!(posted(uri), "{uri}");
            assert!(!posted(&format!("{uri}?dryRun=All")) && !posted(&format!("{uri}/x")), "{uri}");
            for verb in ["PUT", "PATCH", "DELETE"] {
                assert!(check(&request(verb, uri).body(()).unwrap()).is_err(), "{verb} {uri}");
            }
        }
        for uri in [
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            "/apis/authorization.k8s.io/v1/namespaces/shop/localsubjectaccessreviews",
            "/apis/authentication.k8s.io/v1/tokenreviews",
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            "/apis/authorization.k8s.io/v1beta1/selfsubjectaccessreviews",
            "/apis/example.com/v1/selfsubjectaccessreviews",
            "/api/v1/namespaces/shop/serviceaccounts/default/token",
            "/api/v1/namespaces/shop/pods/web-1/eviction",
            "/api/v1/namespaces/shop/pods/web-1/binding",
            "/api/v1/namespaces/shop/bindings",
            "/api/v1/namespaces",
            "/api/v1/namespaces/shop/pods",
            "/apis/apps/v1/namespaces/shop/deployments",
        ] {
            assert!(!posted(uri), "{uri}");
        }
        for (name, value) in [("Upgrade", "SPDY/3.1"), ("Connection", "Upgrade")] {
            let upgrade = request("POST", REVIEWS[0]).header(name, value).body(()).unwrap();
            assert!(check(&upgrade).is_err(), "{name}");
        }
    }

    #[test]
    fn a_path_that_the_server_would_read_otherwise_is_refused() {
        for uri in [
            "/api/v1/namespaces/shop/pods/web-1%2Fexec",
            "/api/v1/namespaces/shop/pods/../secrets/db",
            "/api/v1//secrets",
            "/api/v1/namespaces/shop/%73ecrets/db",
            "/api/v1/pods/",
            "//api/v1/pods",
        ] {
            assert!(!allowed(uri), "{uri}");
        }
    }

    #[test]
    fn an_upgrade_is_refused() {
        for (name, value) in [("Upgrade", "SPDY/3.1"), ("Connection", "Upgrade")] {
            let request = request("GET", "/api/v1/pods").header(name, value).body(()).unwrap();
            assert!(check(&request).is_err(), "{name}");
        }
    }

    #[test]
    fn the_body_of_a_secret_is_refused() {
        const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
        let with = |uri: &str, accept: &str| {
            let request = request("GET", uri).header(ACCEPT, accept).body(()).unwrap();
            check(&request).is_ok()
        };
        assert!(with("/api/v1/secrets", TABLE));
        assert!(with(
            "/api/v1/namespaces/shop/secrets?limit=5",
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        ));
        assert!(!with("/api/v1/secrets", "application/json"));
        assert!(
            !with("/api/v1/secrets", &format!("{TABLE},application/json")),
            "a second form would be the whole body"
        );
        for uri in ["/api/v1/secrets?includeObject=Object", "/api/v1/secrets?limit=5&includ%65Object=Object"] {
            assert!(!with(uri, TABLE), "{uri}");
        }
        assert!(!with("/api/v1/namespaces/shop/secrets/db", "*/*"));
        assert!(!allowed("/api/v1/secrets"), "without a form the body comes");

        let mut request = request("GET", "/api/v1/namespaces/shop/secrets/db").body(()).unwrap();
        request.extensions_mut().insert(SecretBody::to_be_dropped_while_parsed());
        assert!(check(&request).is_ok());
    }
}
