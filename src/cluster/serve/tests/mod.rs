//! Lines and their answers: from a server that is a table, and from the recorded outage.

mod live;
mod saved;
mod secrets;

use super::{Options, ServeError, Served, Server};
use crate::cluster::connect::Connection;
use crate::cluster::testing::Fake;
use crate::kubectl::{self, Command};
use crate::redact::Redactor;

fn redactor() -> Redactor {
    Redactor::new([7; 32])
}

fn live(fake: &Fake) -> Server {
    let connection = Connection {
        client: fake.client(),
        context: "test".to_owned(),
        namespace: "shop".to_owned(),
        server: "https://fake:6443".to_owned(),
    };
    Server::live(&connection, redactor())
}

fn read(line: &str) -> kubectl::Read {
    match kubectl::parse(&format!("kubectl {line}")).unwrap() {
        Command::Read(read) => read,
        Command::Change(change) => panic!("{change} is a change"),
    }
}

async fn serve(server: &Server, line: &str) -> Result<Served, ServeError> {
    server.serve(&read(line), &Options::default()).await
}

/// The text of an answer.
async fn text(server: &Server, line: &str) -> String {
    match serve(server, line).await {
        Ok(served) => served.text.into_inner(),
        Err(error) => panic!("{line}: {error}"),
    }
}

async fn grep(server: &Server, line: &str, pattern: &str) -> Served {
    let options = Options { grep: Some(pattern.to_owned()), context_lines: 0 };
    server.serve(&read(line), &options).await.unwrap()
}

/// The error and its hint.
async fn refused(server: &Server, line: &str) -> (String, String) {
    let error = serve(server, line).await.unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

#[tokio::test]
async fn an_answer_can_be_awaited_on_any_thread() {
    fn any_thread<T: Send>(_: T) {}
    let (server, line, options) = (live(&Fake::new()), read("get pods"), Options::default());
    any_thread(server.serve(&line, &options));
}
