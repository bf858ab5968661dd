//! Connecting, told as what may be wrong: each has its own line and its own hint.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use crate::cluster::{ConnectError, ConnectOptions, connect};

/// A kubeconfig with one context, `prod`, and what a user and a server are told apart.
fn kubeconfig(server: &str, user: &str) -> tempfile::NamedTempFile {
    file(&format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: prod\n\
         clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: u, user: {user}}}]\n\
         contexts: [{{name: prod, context: {{cluster: c, user: u, namespace: shop}}}}, {{name: stage, context: {{cluster: gone, user: u}}}}]\n"
    ))
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn options(path: &Path) -> ConnectOptions {
    let request_timeout = Some(Duration::from_secs(20));
    ConnectOptions { kubeconfig: Some(path.to_owned()), request_timeout, ..ConnectOptions::default() }
}

async fn fails(options: &ConnectOptions) -> (String, String) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let error: ConnectError = connect(options).await.unwrap_err();
    let message = error.to_string();
    assert!(!message.contains('\n'), "one line: {message}");
    (message, error.hint().unwrap_or_default())
}

/// A port at which nothing listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_file_that_is_not_there() {
    let (message, hint) = fails(&options(Path::new("/nowhere/config"))).await;
    assert_eq!(message, "no kubeconfig: `/nowhere/config` does not exist");
    assert!(hint.contains("--kubeconfig"), "{hint}");
}

#[tokio::test]
async fn a_file_that_is_no_kubeconfig_is_not_quoted() {
    for text in [
        "users: [{name: u, user: s3cret-token}]",
        "users:\n  - name: u\n   user: {token: s3cret-token\n",
        "\u{0}\u{1}",
        "a: [",
        "- s3cret-token",
    ] {
        let file = file(text);
        let (message, _) = fails(&options(file.path())).await;
        assert!(
            message.starts_with(&format!("the kubeconfig `{}` is not valid: ", file.path().display())),
            "{message}"
        );
        assert!(!message.contains("s3cret"), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    let (message, _) = fails(&options(folder.path())).await;
    assert!(message.starts_with("cannot read the kubeconfig"), "{message}");
}

#[tokio::test]
async fn a_context_that_is_not_there() {
    let file = kubeconfig("https://127.0.0.1:1", "{}");
    let (message, hint) = fails(&ConnectOptions { context: Some("prd".to_owned()), ..options(file.path()) }).await;
    assert_eq!(
        (message.as_str(), hint.as_str()),
        ("there is no context `prd` in the kubeconfig", "contexts: `prod`, `stage`")
    );

    let (message, hint) = fails(&ConnectOptions { context: Some("stage".to_owned()), ..options(file.path()) }).await;
    assert_eq!((message.as_str(), hint.as_str()), ("there is no cluster `gone` in the kubeconfig", "clusters: `c`"));

    let (message, hint) = fails(&ConnectOptions { user: Some("ann".to_owned()), ..options(file.path()) }).await;
    assert_eq!((message.as_str(), hint.as_str()), ("there is no user `ann` in the kubeconfig", "users: `u`"));

    let (message, _) = fails(&options(super::connect::file("kind: Config\n").path())).await;
    assert_eq!(message, "the kubeconfig sets no current context");
}

#[tokio::test]
async fn a_port_where_nothing_listens() {
    let server = format!("https://127.0.0.1:{}", closed_port());
    let file = kubeconfig(&server, "{token: s3cret}");
    let (message, hint) = fails(&options(file.path())).await;
    assert_eq!(message, format!("cannot reach the API server `{server}`: connection refused"));
    assert!(hint.contains("get-contexts"), "{hint}");
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://{}", listener.local_addr().unwrap());
    let file = kubeconfig(&server, "{}");
    let short = ConnectOptions { request_timeout: Some(Duration::from_millis(50)), ..options(file.path()) };
    let (message, hint) = fails(&short).await;
    assert_eq!(message, format!("the API server `{server}` did not answer within 0.05s"));
    assert!(hint.contains("--request-timeout"), "{hint}");
}

/// Answers each connection in this way.
fn server_that_says(status: &str, body: &str) -> String {
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address.to_string()
}

#[tokio::test]
async fn a_server_that_is_no_api_server() {
    let address = server_that_says("200 OK", "<html>");
    let file = kubeconfig(&format!("http://{address}"), "{}");
    let (message, hint) = fails(&options(file.path())).await;
    assert!(
        message.starts_with(&format!("what answers at `http://{address}` is not a Kubernetes API server: ")),
        "{message}"
    );
    assert!(hint.contains("login page"), "{hint}");

    let file = kubeconfig(&format!("https://{address}"), "{}");
    let (message, _) = fails(&options(file.path())).await;
    assert_eq!(message, format!("cannot reach the API server `https://{address}`: it does not speak TLS"));
}

#[tokio::test]
async fn credentials_that_are_refused() {
    let address = server_that_says("401 Unauthorized", "{}");
    let refused = format!("the API server `http://{address}` does not accept the credentials of context `prod`");
    let file = kubeconfig(&format!("http://{address}"), "{token: old}");
    let (message, hint) = fails(&options(file.path())).await;
    assert_eq!(message, refused);
    assert!(hint.starts_with("log in again, or fetch"), "{hint}");

    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubelogin");
    std::fs::write(&plugin, "#!/bin/sh\necho '{\"status\":{\"token\":\"old\"}}'\n").unwrap();
    let user = format!(
        "{{exec: {{command: sh, args: ['{}'], apiVersion: client.authentication.k8s.io/v1}}}}",
        plugin.display()
    );
    let file = kubeconfig(&format!("http://{address}"), &user);
    assert_eq!(fails(&options(file.path())).await.0, refused);
}

#[tokio::test]
async fn impersonation_that_is_not_allowed() {
    let body = r#"{"message":"users \"bob\" is forbidden: User \"ann\" cannot impersonate resource \"users\""}"#;
    let file = kubeconfig(&format!("http://{}", server_that_says("403 Forbidden", body)), "{token: t}");
    let (message, _) = fails(&ConnectOptions { as_user: Some("bob".to_owned()), ..options(file.path()) }).await;
    assert!(message.starts_with("not allowed to act as `bob`: users \"bob\" is forbidden"), "{message}");
}

#[tokio::test]
async fn a_server_that_hides_its_version_is_connected_to() {
    let address = server_that_says("403 Forbidden", "{}");
    let file = kubeconfig(&address, "{}");
    let connection = connect(&options(file.path())).await.unwrap();
    assert_eq!((connection.context.as_str(), connection.namespace.as_str()), ("prod", "shop"));
    assert_eq!(connection.server, format!("http://{address}"));
}

#[tokio::test]
async fn a_plugin_that_is_missing_or_asks() {
    let with = |exec: &str| kubeconfig("https://127.0.0.1:1", &format!("{{exec: {exec}}}"));
    let file = with("{command: kubelogin-of-nowhere, apiVersion: client.authentication.k8s.io/v1}");
    let (message, hint) = fails(&options(file.path())).await;
    assert_eq!(message, "the credential plugin `kubelogin-of-nowhere` of context `prod` was not found");
    assert_eq!(hint, "install `kubelogin-of-nowhere` and put it on the PATH");

    let file = with("{command: kubelogin, interactiveMode: Always, apiVersion: client.authentication.k8s.io/v1}");
    let (message, hint) = fails(&options(file.path())).await;
    assert_eq!(message, "the credential plugin `kubelogin` asks for a login, and there is no terminal to ask on");
    assert!(hint.contains("kubelogin convert-kubeconfig -l azurecli"), "{hint}");

    let file = with("{command: sh, args: ['-c', 'exec sleep 600'], apiVersion: client.authentication.k8s.io/v1}");
    let (message, _) =
        fails(&ConnectOptions { request_timeout: Some(Duration::from_millis(50)), ..options(file.path()) }).await;
    assert_eq!(message, "the credential plugin `sh` did not end within 0.05s");
}

#[tokio::test]
async fn credentials_of_yesterday() {
    let file = kubeconfig("https://127.0.0.1:1", "{auth-provider: {name: azure, config: {}}}");
    let (message, hint) = fails(&options(file.path())).await;
    assert_eq!(message, "the `auth-provider` `azure` of context `prod` is no longer supported");
    assert_eq!(hint, "convert the kubeconfig: `kubelogin convert-kubeconfig -l azurecli`");
}

#[tokio::test]
async fn certificates_that_cannot_be_read() {
    let file = kubeconfig("https://127.0.0.1:1", "{client-certificate: /nowhere/a.crt, client-key: /nowhere/a.key}");
    let (message, _) = fails(&options(file.path())).await;
    assert!(
        message.starts_with("the credentials of context `prod` cannot be used: ") && message.contains("/nowhere/a.crt"),
        "{message}"
    );

    let file = kubeconfig("https://127.0.0.1:1", "{}");
    let authority = ConnectOptions { certificate_authority: Some("/nowhere/ca.crt".into()), ..options(file.path()) };
    let (message, _) = fails(&authority).await;
    assert!(message.contains("cannot read the certificate authority `/nowhere/ca.crt`"), "{message}");
}

#[tokio::test]
async fn an_address_that_is_none() {
    for server in ["", "https://", "ftp://host", "https://a b"] {
        let file = kubeconfig(server, "{}");
        let (message, _) = fails(&options(file.path())).await;
        assert!(message.starts_with(&format!("the server address `{server}` is not valid: ")), "{message}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there() {
    let proxy = format!("http://127.0.0.1:{}", closed_port());
    let file = file(&format!(
        "current-context: prod\nclusters: [{{name: c, cluster: {{server: 'https://api.example:6443', proxy-url: '{proxy}'}}}}]\n\
         contexts: [{{name: prod, context: {{cluster: c}}}}]\n"
    ));
    let (message, hint) = fails(&options(file.path())).await;
    assert_eq!(message, format!("the proxy `{proxy}` does not connect to the API server: connection refused"));
    assert!(hint.contains("NO_PROXY"), "{hint}");
}
