//! Gives the causes of a diagnosis their runbooks, with the first commands of each.
//!
//! *Invariant:* no document is embedded, and what does not work leaves a note instead of a failure. Where there is no index
//! yet, none is made for what signatures answer; the answer is the same.

use std::thread;

use super::{DERIVER, INDEX, Libraries, RetrieveError, Retriever, lost, signed};
use crate::kubectl;
use crate::model::runbook::{Block, Level, Signature};
use crate::model::{Advice, Cause, Command, Diagnosis, Library, Place, Role, Runbook};
use crate::retrieve::memory::Memory;
use crate::retrieve::{self, Answer, Hit, Query, Shelf};
use crate::runbook;
use crate::runbook::params;

/// Runbooks that are named for one cause.
const ADVICE: usize = 3;
/// So many runbooks are read in less time than an index of them is made.
const FEW: usize = 400;

impl Libraries {
    /// Adds to each cause the runbooks that fit. What is not broken needs none, and no index.
    pub fn advise(self, diagnosis: &mut Diagnosis) {
        if diagnosis.causes.is_empty() {
            diagnosis.libraries = self.states(&[]);
            return;
        }
        let known = self.options.cache.as_ref().is_some_and(|folder| folder.join(INDEX).exists());
        if !known && self.places().len() <= FEW && self.advise_signed(diagnosis) {
            return;
        }
        match Retriever::over(self) {
            Ok(retriever) => retriever.advise(diagnosis),
            Err(error) => diagnosis.libraries.push(lost(error.to_string())),
        }
    }

    /// The same from memory, where a signature answers each cause; says whether it does.
    fn advise_signed(&self, diagnosis: &mut Diagnosis) -> bool {
        let Some(runbooks) = self.read_all() else { return false };
        let queries: Vec<Query> = diagnosis.causes.iter().map(Query::from_cause).collect();
        let answers = |query: &Query| runbooks.iter().any(|runbook| signed(&runbook.front.signature, query));
        if !queries.iter().all(answers) {
            return false;
        }
        let shelf = Memory::new(&runbooks, DERIVER.derive);
        let find = |place: &Place| runbooks.iter().find(|runbook| runbook.place == *place);
        let signatures: Vec<(u32, &Signature)> = (0_u32..)
            .zip(shelf.documents())
            .filter_map(|(at, document)| Some((at, &find(&document.place)?.front.signature)))
            .collect();
        let context = diagnosis.context.clone();
        for (cause, query) in diagnosis.causes.iter_mut().zip(&queries) {
            let Ok(answer) = retrieve::search(query, &shelf, &signatures, &|| None) else { return false };
            note_down(cause, &answer, &context, &|place| find(place).cloned());
        }
        diagnosis.libraries = self.states(&[]);
        true
    }

    /// All runbooks; nothing where one can't be read, which the index has words for.
    fn read_all(&self) -> Option<Vec<Runbook>> {
        let mut files = Vec::new();
        for collection in &self.collections {
            let entries: Vec<_> = collection.entries.iter().collect();
            let places = entries.iter().map(|entry| collection.place(entry));
            files.extend(places.zip(collection.read(&entries).ok()?));
        }
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = files.len().div_ceil(threads).max(1);
        let parse = |files: &[(Place, Vec<u8>)]| -> Option<Vec<Runbook>> {
            files.iter().map(|(place, bytes)| runbook::parse(place.clone(), bytes).runbook).collect()
        };
        let parts: Option<Vec<Vec<Runbook>>> = thread::scope(|scope| {
            let running: Vec<_> = files.chunks(share).map(|files| scope.spawn(move || parse(files))).collect();
            running.into_iter().map(|thread| thread.join().ok().flatten()).collect()
        });
        Some(parts?.concat())
    }
}

impl Retriever {
    /// Adds to each cause the runbooks that fit.
    pub fn advise(&self, diagnosis: &mut Diagnosis) {
        let context = diagnosis.context.clone();
        let trouble = self.advise_all(&mut diagnosis.causes, &context).err().map(|error| error.to_string());
        diagnosis.libraries = self.states();
        if let (Some(trouble), Some(state)) = (trouble, diagnosis.libraries.first_mut()) {
            state.notes.push(trouble);
        }
    }

    /// One shelf serves all causes.
    fn advise_all(&self, causes: &mut [Cause], context: &str) -> Result<(), RetrieveError> {
        let mut shelf = self.index.shelf(&self.places, None)?;
        let signatures = shelf.signatures()?;
        let mut outcome = Ok(());
        for cause in causes {
            match self.ask(&Query::from_cause(cause), &mut shelf, &signatures) {
                Ok(answer) => note_down(cause, &answer, context, &|place| self.runbook(place)),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}

/// Reads the runbook at a place.
type Read<'a> = &'a dyn Fn(&Place) -> Option<Runbook>;

fn note_down(cause: &mut Cause, answer: &Answer, context: &str, runbook: Read<'_>) {
    if answer.abstained {
        cause.no_runbook = Some(format!("no runbook matches (best {:.2})", answer.confidence));
        return;
    }
    // Beside a signature that matches, what merely sounds like it is noise; and of the built-in library the best says all.
    let signed = answer.hits.iter().any(|hit| !hit.why.signature.is_empty());
    let mut builtin = 0;
    let fitting = answer.hits.iter().filter(|hit| {
        builtin += usize::from(hit.place.library == Library::Builtin);
        !signed || !hit.why.signature.is_empty() && (hit.place.library == Library::Team || builtin == 1)
    });
    cause.runbooks = fitting.take(ADVICE).map(|hit| advice(hit, cause, context, runbook)).collect();
}

fn advice(hit: &Hit, cause: &Cause, context: &str, runbook: Read<'_>) -> Advice {
    let commands = runbook(&hit.place).map(|runbook| commands(&runbook, &params::of(cause), context));
    Advice {
        place: hit.place.clone(),
        title: hit.title.clone(),
        status: hit.status,
        score: hit.score,
        why: hit.why.told(),
        superseded_by: hit.superseded_by.clone(),
        commands: commands.unwrap_or_default(),
    }
}

/// The first commands of a runbook to look and to fix, with what the cause tells filled in.
fn commands(runbook: &Runbook, values: &params::Values, context: &str) -> Vec<Command> {
    let fixes = runbook.front.automation.level >= Level::Suggest;
    let first = |role: Role| runbook.blocks.iter().find(|block| block.role == Some(role));
    let wanted = [first(Role::Diagnose), first(Role::Fix).filter(|_| fixes)];
    wanted.into_iter().flatten().filter_map(|block| command(block, values, context)).collect()
}

fn command(block: &Block, values: &params::Values, context: &str) -> Option<Command> {
    let command = kubectl::parse(&block.lines.first()?.text).ok()?;
    // What can't be filled in safely is left to the reader.
    let command = command.bind(values).unwrap_or(command);
    let purpose = block.name.as_ref().map_or_else(|| block.section.to_lowercase(), |name| name.replace('-', " "));
    Some(Command {
        changes: matches!(command, kubectl::Command::Change(_)),
        purpose,
        line: command.in_context(context),
    })
}
