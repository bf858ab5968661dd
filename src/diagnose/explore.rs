//! Goes on from the causes with a model.
//!
//! *Invariant:* whatever the model does, the diagnosis keeps what the detectors proved, and is never lost.

use std::sync::Arc;

use super::{Context, EventSink, Source};
use crate::agent::chat::Model;
use crate::agent::pulse::Live;
use crate::agent::tools::kubectl::{Kubectl, Reads};
use crate::agent::tools::{Hands, Output, ReadRunbook, SearchRunbooks, Tool, ToolError, Toolbox};
use crate::agent::{self, Journal, Need, Start, Turn, Wishes, World};
use crate::cluster::{ServeError, ServeOptions, Server};
use crate::kubectl::Read;
use crate::model::event::Event;
use crate::model::{Diagnosis, Snapshot, Step};
use crate::redact::Redacted;
use crate::retriever::Retriever;
use futures::future::BoxFuture;

/// Who goes deeper, and how far.
pub struct Explorer {
    /// The model.
    pub model: Arc<dyn Model>,
    /// What a person decides.
    pub wishes: Wishes,
    /// The clock, and who may interrupt.
    pub pulse: Arc<Live>,
}

/// Answers lines from the cluster or the snapshot.
struct Served(Server);

impl Reads for Served {
    fn read<'a>(&'a self, line: &'a Read, grep: Option<&'a str>) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async move {
            let options = ServeOptions { grep: grep.map(str::to_owned), ..ServeOptions::default() };
            match self.0.serve(line, &options).await {
                Ok(served) => Ok(Output { text: served.text.into_inner(), note: served.note }),
                Err(error) => Err(tool_error(&error)),
            }
        })
    }
}

fn tool_error(error: &ServeError) -> ToolError {
    ToolError { message: error.to_string(), hint: error.hint() }
}

struct NoJournal;

impl Journal for NoJournal {
    fn turn(&self, _: &Turn) {}

    fn step(&self, _: &Step) {}
}

/// Explores, where there is something to explore.
pub(super) async fn explore(
    explorer: &Explorer,
    context: &Context,
    snapshot: &Arc<Redacted<Snapshot>>,
    retriever: Option<Retriever>,
    diagnosis: &mut Diagnosis,
    events: &EventSink,
) {
    events(Event::Causes { diagnosis: Box::new(diagnosis.clone()) });
    let need = agent::need(diagnosis, explorer.wishes.question.as_deref(), explorer.wishes.explain);
    if need == Need::Nothing {
        return;
    }
    let redactor = context.redactor.clone();
    let server = match &context.source {
        Source::Live(connection) => Server::live(connection, redactor.clone()),
        Source::Saved(_) => Server::saved(Arc::clone(snapshot), redactor.clone()),
    };
    let mut tools: Vec<Box<dyn Tool>> = vec![Box::new(Kubectl::new(Arc::new(Served(server))))];
    if let Some(retriever) = retriever.map(Arc::new) {
        tools.push(Box::new(SearchRunbooks(Arc::clone(&retriever))));
        tools.push(Box::new(ReadRunbook(retriever)));
    }
    let identity = explorer.model.identity();
    let toolbox = Toolbox::new(tools, redactor.clone(), identity.window);
    let start = Start::new(diagnosis, &explorer.wishes, need, identity, toolbox.specs());
    let world = World {
        model: &*explorer.model,
        hands: &toolbox,
        pulse: &*explorer.pulse,
        journal: &NoJournal,
        events,
        redactor: &redactor,
    };
    diagnosis.exploration = Some(agent::run(&start, &world).await);
    explorer.pulse.over();
}
