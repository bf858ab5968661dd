//! A model behind a certificate of a private authority, as companies have it: trusted when the file is named, else refused.

use std::io::{BufRead, BufReader, Read, Write, copy};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assert_cmd::Command;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::agent::model_server::{ModelServer, calls};
use crate::agent::{SNAPSHOT, answer, settings, told};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/private-ca").join(name)
}

/// Speaks TLS before a server that does not, as a gateway does; gives its port.
fn gateway(to: SocketAddr) -> u16 {
    let chain = vec![CertificateDer::from_pem_file(fixture("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // Whoever does not trust us hangs up.
            let _ = pass_on(StreamOwned::new(connection, stream), to);
        }
    });
    port
}

fn pass_on(stream: StreamOwned<ServerConnection, TcpStream>, to: SocketAddr) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut asked, mut length) = (String::new(), 0);
    while !asked.ends_with("\r\n\r\n") {
        let start = asked.len();
        if reader.read_line(&mut asked)? == 0 {
            return Ok(());
        }
        let line = asked.get(start..).unwrap_or_default().to_lowercase();
        length = line.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut plain = TcpStream::connect(to)?;
    plain.write_all(asked.as_bytes())?;
    plain.write_all(&body)?;
    let mut stream = reader.into_inner();
    copy(&mut plain, &mut stream)?;
    stream.conn.send_close_notify();
    stream.flush()
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    let home = tempfile::tempdir().unwrap();
    for (trusts, how) in
        [("KUBECTL_REACT_MODEL_CA_FILE", "the setting"), ("SSL_CERT_FILE", "what all programs read"), ("UNUSED", "")]
    {
        let server = ModelServer::scripted(vec![calls(&[("finish", answer())]).into()]);
        let address = server.url().strip_prefix("http://").unwrap().parse().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-react"));
        command.env_clear().envs(settings(home.path(), &server)).env(trusts, fixture("authority.pem"));
        command.env("OPENAI_BASE_URL", format!("https://localhost:{}/v1", gateway(address)));
        let output = command.args(["diagnose", "--from", SNAPSHOT, "--explain=always"]).output().unwrap();
        let (code, out, err) = told(&output);
        assert_eq!(code, 0, "{how}: {err}");
        assert!(out.starts_with("1 cause in 2 namespaces"), "{how}: {out}");
        let answered = out.contains("The cart waits for a Secret that nobody made.");
        if how.is_empty() {
            assert!(!answered && server.asked().is_empty(), "{out}");
            assert!(out.contains("model.caFile"), "what to do is said: {out}");
        } else {
            assert!(answered, "{how}: {out}{err}");
            assert_eq!(server.asked()[0].json()["model"], json!("gpt-test"));
        }
    }
}
