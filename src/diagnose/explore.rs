//! Goes on from the causes with a model, and keeps what happened.
//!
//! *Invariant:* whatever the model does, the diagnosis keeps what the detectors proved, and is never lost: an interrupt ends
//! what it is in the midst of and no more. What can't be kept is a note.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::rehearsal::rehearse;
use super::{Context, EventSink, Request, Source};
use crate::act;
use crate::agent::chat::Model;
use crate::agent::pulse::Live;
use crate::agent::tools::kubectl::{Kubectl, Reads};
use crate::agent::tools::{
    ListAlerts, MetricsServer, Output, QueryPrometheus, ReadRunbook, SearchRunbooks, Tool, ToolError, Toolbox,
};
use crate::agent::{self, Journal, Need, Pulse, Start, Wishes, World};
use crate::cluster::{ServeError, ServeOptions, Server};
use crate::incidents::{Head, Store, Writer};
use crate::kubectl::Read;
use crate::model::event::Event;
use crate::model::{Diagnosis, Snapshot, Step, Turn};
use crate::redact::Redacted;
use crate::retriever::{Advised, Retriever};

/// Who goes deeper, and how far.
pub struct Explorer {
    /// The model.
    pub model: Arc<dyn Model>,
    /// What a person decides.
    pub wishes: Wishes,
    /// The clock, and who may interrupt.
    pub pulse: Arc<Live>,
    /// Where runs are kept; none where they are not.
    pub incidents: Option<Store>,
    /// Prometheus.
    pub prometheus: Option<MetricsServer>,
    /// Alertmanager.
    pub alertmanager: Option<MetricsServer>,
    /// Asks the server what it would make of suggested changes; none where it is not asked.
    pub rehearsal: Option<act::Kubectl>,
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

/// Keeps a run in the store, where there is one.
struct Kept(Option<Writer>);

impl Journal for Kept {
    fn turn(&self, turn: &Turn) {
        if let Some(writer) = &self.0 {
            writer.turn(turn.clone());
        }
    }

    fn step(&self, step: &Step) {
        if let Some(writer) = &self.0 {
            writer.observation(step);
        }
    }
}

/// Explores, where there is something to explore.
pub(super) async fn explore(
    explorer: &Explorer,
    context: &Context,
    request: &Request,
    snapshot: &Arc<Redacted<Snapshot>>,
    advised: Advised,
    diagnosis: &mut Diagnosis,
    events: &EventSink,
) {
    let need = agent::need(diagnosis, explorer.wishes.question.as_deref(), explorer.wishes.explain);
    if need == Need::Nothing {
        return;
    }
    events(Event::Causes { diagnosis: Box::new(diagnosis.clone()) });
    // One call to explain searches nothing.
    let retriever = if need == Need::Exploration { advised.retriever() } else { None };
    let toolbox = toolbox(explorer, context, snapshot, retriever);
    let start = Start::new(diagnosis, &explorer.wishes, need, explorer.model.identity(), &toolbox);
    let start = match start.leaving(&context.redactor) {
        Ok(start) => start,
        Err(error) => {
            events(Event::Note { text: format!("no model is asked: {error}") });
            return;
        }
    };
    let mut notes = Vec::new();
    let kept = Kept(begin(explorer, &start, request, diagnosis, &mut notes));
    if let Some(writer) = &kept.0 {
        writer.saw(snapshot);
    }
    let world = World {
        model: &*explorer.model,
        hands: &toolbox,
        pulse: &*explorer.pulse,
        journal: &kept,
        events,
        redactor: &context.redactor,
    };
    let mut found = agent::run(&start, &world).await;
    match (&explorer.rehearsal, &context.source) {
        (Some(kubectl), Source::Live(_)) => rehearse(kubectl, &*explorer.pulse, &context.redactor, &mut found).await,
        (Some(_), Source::Saved(_)) => {
            notes.push("suggested changes are not checked: a saved snapshot has no server to ask".to_owned());
        }
        (None, _) => {}
    }
    found.notes.extend(notes);
    diagnosis.exploration = Some(found);
    let whole = match &context.source {
        Source::Live(connection) if kept.0.is_some() => {
            // As if one more turn began: an interrupt leaves the values out, and not the answer.
            let interrupts = explorer.pulse.reading(1).interrupts.min(1);
            tokio::select! {
                biased;
                () = explorer.pulse.interrupted(interrupts) => Arc::clone(snapshot),
                whole = super::whole(connection, &context.redactor, snapshot, &diagnosis.causes) => whole,
            }
        }
        _ => Arc::clone(snapshot),
    };
    end(&kept, diagnosis, (!Arc::ptr_eq(&whole, snapshot)).then_some(&whole));
    explorer.pulse.over();
}

fn toolbox(
    explorer: &Explorer,
    context: &Context,
    snapshot: &Arc<Redacted<Snapshot>>,
    retriever: Option<Retriever>,
) -> Toolbox {
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
    if let Some(server) = &explorer.prometheus {
        tools.push(Box::new(QueryPrometheus { server: server.clone(), now: snapshot.taken_at }));
    }
    if let Some(server) = &explorer.alertmanager {
        tools.push(Box::new(ListAlerts { server: server.clone() }));
    }
    Toolbox::new(tools, redactor, explorer.model.identity().window)
}

fn begin(
    explorer: &Explorer,
    start: &Start,
    request: &Request,
    diagnosis: &Diagnosis,
    notes: &mut Vec<String>,
) -> Option<Writer> {
    let head = Head {
        time: super::now(),
        context: diagnosis.context.clone(),
        namespace: diagnosis.namespace.clone(),
        targets: request.written(),
        selector: request.selector.as_ref().map(ToString::to_string),
        question: start.question.clone(),
        prompt_version: start.prompt_version.clone(),
        model: start.model.clone(),
        server: start.server.clone(),
        start: serde_json::to_value(start).unwrap_or_default(),
    };
    match explorer.incidents.as_ref()?.begin(head) {
        Ok(writer) => Some(writer),
        Err(error) => {
            notes.push(format!("this run is not kept: {}", error.told()));
            None
        }
    }
}

/// Ends it, with the snapshot where it is another than the run began with.
fn end(kept: &Kept, diagnosis: &mut Diagnosis, snapshot: Option<&Arc<Redacted<Snapshot>>>) {
    let Some(writer) = &kept.0 else { return };
    let ending = writer.finish(diagnosis, snapshot.map(AsRef::as_ref));
    if let Some(found) = &mut diagnosis.exploration {
        found.incident = ending.id;
        found.notes.extend(ending.notes);
    }
}
