//! Tokens from an Entra that runs on this machine.

use std::pin::Pin;

use azure_core::http::{AsyncRawResponse, Request};
use serde_json::json;

use super::*;
use crate::agent::chat::model_server::{Asked, ModelServer, Reply};

/// Sends what is meant for Entra to a server on this machine: the crate takes `https` addresses only.
#[derive(Debug)]
struct Detour {
    client: Arc<dyn HttpClient>,
    to: String,
}

impl HttpClient for Detour {
    fn execute_request<'client, 'request, 'all>(
        &'client self,
        request: &'request Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'all>>
    where
        'client: 'all,
        'request: 'all,
        Self: 'all,
    {
        let mut here = request.clone();
        let to = format!("{}{}?{}", self.to, request.url().path(), request.url().query().unwrap_or_default());
        *here.url_mut() = Url::parse(&to).unwrap();
        Box::pin(async move { self.client.execute_request(&here).await })
    }
}

fn entra(server: &ModelServer, sources: Vec<Source>) -> Entra {
    let entra = Entra::open(&|_| None, "https://x.openai.azure.com", None, None).unwrap();
    // Nobody's proxy is asked for a server on this machine.
    let entra = Entra { http: Arc::clone(&entra.machine), sources, ..entra };
    detoured(entra, &server.url(), &server.url())
}

/// With Entra at one address and the machine's own service at another.
fn detoured(entra: Entra, http: &str, machine: &str) -> Entra {
    let detour = |client: &Arc<dyn HttpClient>, to: &str| -> Arc<dyn HttpClient> {
        Arc::new(Detour { client: Arc::clone(client), to: to.to_owned() })
    };
    Entra { http: detour(&entra.http, http), machine: detour(&entra.machine, machine), ..entra }
}

fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

#[tokio::test]
async fn the_file_of_a_workload_identity_is_read_each_time_and_the_token_kept_while_it_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first").unwrap();
    let mut lifetimes = [3600, 60, 3600].into_iter();
    let mut number = 0;
    let server = ModelServer::by(move |_: &Asked| {
        number += 1;
        let expires = lifetimes.next().unwrap();
        Reply::json(200, &json!({"token_type": "Bearer", "expires_in": expires, "access_token": format!("t{number}")}))
    });
    let variables = [
        ("AZURE_TENANT_ID", "11111111-2222-3333-4444-555555555555"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
        ("AZURE_AUTHORITY_HOST", "https://login.example.org/"),
    ];
    let entra = entra(&server, sources(&env(&variables)));
    assert_eq!(entra.token().await.unwrap(), "t1");
    assert_eq!(entra.token().await.unwrap(), "t1");
    entra.forget().await;
    std::fs::write(&file, "second").unwrap();
    assert_eq!(entra.token().await.unwrap(), "t2");
    // It ends in a minute: that is too soon.
    assert_eq!(entra.token().await.unwrap(), "t3");
    let asked = server.asked();
    let bodies: Vec<String> = asked.iter().map(|asked| String::from_utf8(asked.body.clone()).unwrap()).collect();
    assert_eq!(asked[0].path.trim_end_matches('?'), "/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token");
    assert!(
        bodies[0].contains("client_assertion=first&") && bodies[1].contains("client_assertion=second&"),
        "{bodies:?}"
    );
    assert!(bodies[0].contains("scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"), "{}", bodies[0]);
}

#[tokio::test]
async fn a_managed_identity_is_asked_of_the_machine() {
    let server = ModelServer::by(|_: &Asked| {
        let expires = (OffsetDateTime::now_utc() + Duration::from_hours(1)).unix_timestamp().to_string();
        Reply::json(200, &json!({"access_token": "m", "expires_on": expires, "token_type": "Bearer", "resource": "r"}))
    });
    let entra = entra(&server, vec![Source::Managed { client: Some("c".to_owned()) }]);
    assert_eq!(entra.token().await.unwrap(), "m");
    let asked = server.asked().remove(0);
    assert_eq!((asked.method.as_str(), asked.headers["metadata"].as_str()), ("GET", "true"));
    assert!(asked.path.starts_with("/metadata/identity/oauth2/token?"), "{}", asked.path);
    assert!(asked.path.contains("client_id=c") && asked.path.contains("cognitiveservices.azure.com"), "{}", asked.path);
}

#[tokio::test]
async fn no_proxy_sees_what_lends_the_machine_its_identity() {
    let token = |name: &'static str| {
        move |_: &Asked| {
            let expires = (OffsetDateTime::now_utc() + Duration::from_hours(1)).unix_timestamp().to_string();
            Reply::json(
                200,
                &json!({"access_token": name, "expires_on": expires, "expires_in": 3600, "token_type": "Bearer", "resource": "r"}),
            )
        }
    };
    let (machine, proxy) = (ModelServer::by(token("m")), ModelServer::by(token("p")));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "assertion").unwrap();
    let (tenant, client) = ("t".to_owned(), "c".to_owned());
    let workload = Source::Workload { tenant, client, file, authority: AUTHORITY.to_owned() };
    for (source, expected) in [(Source::Managed { client: None }, "m"), (workload, "p")] {
        let entra = Entra::open(&|_| None, "https://x.openai.azure.com", None, Some(&proxy.url())).unwrap();
        // A proxy that is named is asked for this machine too, so it would see it.
        let entra = detoured(Entra { sources: vec![source], ..entra }, "http://login.test", &machine.url());
        assert_eq!(entra.token().await.unwrap(), expected);
    }
    assert_eq!(machine.asked().len(), 1);
    let asked = proxy.asked();
    assert!(asked.iter().all(|asked| asked.path.starts_with("http://login.test/t/oauth2/v2.0/token")), "{asked:?}");
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn a_refusal_says_who_refused_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "assertion-1").unwrap();
    let server = ModelServer::by(|_: &Asked| {
        let text = "AADSTS70021: No matching federated identity record found";
        Reply::json(400, &json!({"error": "invalid_request", "error_description": text, "error_codes": [70021]}))
    });
    let source =
        |file| Source::Workload { tenant: "t".into(), client: "c".into(), file, authority: AUTHORITY.to_owned() };
    let error = entra(&server, vec![source(file)]).token().await.unwrap_err();
    assert!(error.starts_with("no token of Entra ID: workload identity: "), "{error}");
    assert!(error.contains("AADSTS70021") && !error.contains("assertion-1") && !error.contains("aka.ms"), "{error}");
    let error = entra(&server, vec![source("/no/where".into())]).token().await.unwrap_err();
    assert!(error.contains("/no/where"), "{error}");
}

#[test]
fn whom_to_ask_stands_in_the_environment() {
    let workload = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_FEDERATED_TOKEN_FILE", "/f")];
    let names = |pairs: &[(&str, &str)]| sources(&env(pairs)).iter().map(Source::name).collect::<Vec<_>>();
    assert_eq!(names(&workload), ["workload identity"]);
    assert_eq!(names(&[("IDENTITY_ENDPOINT", "http://x")]), ["managed identity"]);
    assert_eq!(names(&[]), ["Azure CLI", "managed identity"]);
    assert_eq!(scope("https://x.openai.azure.us/openai/v1"), "https://cognitiveservices.azure.us/.default");
}
