//! Gives the causes of a diagnosis their runbooks, with the first commands of each.
//!
//! *Invariant:* no document is embedded, and what does not work leaves a note instead of a failure. What needs no index gets
//! the answer that an index gives.

use std::collections::BTreeMap;

use super::passage;
use super::{Libraries, RetrieveError, Retriever, lost};
use crate::kubectl;
use crate::model::runbook::{Block, Level, Status};
use crate::model::{Advice, Cause, Command, Diagnosis, Library, Place, Role, Runbook};
use crate::retrieve::{Answer, Hit, Query, signature};
use crate::runbook;
use crate::runbook::params;
use crate::runbook::repo::Collection;

/// Runbooks that are named for one cause.
const ADVICE: usize = 3;
/// Lines of a fix that an answer shows; the runbook has the rest.
const FIX_LINES: usize = 3;

/// What the advice was taken from.
pub enum Advised {
    /// No index was needed.
    Plain(Libraries),
    /// The index.
    Indexed(Box<Retriever>),
    /// There is nothing to take it from.
    Lost,
}

impl Advised {
    /// The index, opened where it was not.
    pub fn retriever(self) -> Option<Retriever> {
        match self {
            Advised::Plain(libraries) => Retriever::over(libraries).ok(),
            Advised::Indexed(retriever) => Some(*retriever),
            Advised::Lost => None,
        }
    }
}

impl Libraries {
    /// Adds to each cause the runbooks that fit. What is not broken needs none, and no index.
    pub fn advise(self, diagnosis: &mut Diagnosis) -> Advised {
        if diagnosis.causes.is_empty() || self.advise_by_detector(diagnosis) {
            diagnosis.libraries = self.states(&[]);
            return Advised::Plain(self);
        }
        match Retriever::over(self) {
            Ok(retriever) => {
                retriever.advise(diagnosis);
                Advised::Indexed(Box::new(retriever))
            }
            Err(error) => {
                diagnosis.libraries.push(lost(error.to_string()));
                Advised::Lost
            }
        }
    }

    /// Where there is the built-in library only, and one runbook of it names each cause's detector: nothing fits better, so
    /// no index is opened, nor made. Says whether it is so.
    fn advise_by_detector(&self, diagnosis: &mut Diagnosis) -> bool {
        let [library] = self.collections.as_slice() else { return false };
        if library.library != Library::Builtin {
            return false;
        }
        let mut by_detector: BTreeMap<&str, Vec<Runbook>> = BTreeMap::new();
        let mut found = Vec::with_capacity(diagnosis.causes.len());
        for cause in &diagnosis.causes {
            if !by_detector.contains_key(cause.detector.as_str()) {
                let Some(runbooks) = naming(library, &cause.detector) else { return false };
                by_detector.insert(&cause.detector, runbooks);
            }
            let query = Query::from_cause(cause);
            let runbooks = by_detector.get(cause.detector.as_str()).into_iter().flatten();
            let mut fitting = runbooks.filter_map(|runbook| {
                let found = signature::matches(&runbook.front.signature, &query.signals, &mut |_| {})?;
                Some((runbook, found))
            });
            // Of several their words decide, and those are the index's.
            let (Some((runbook, why)), None) = (fitting.next(), fitting.next()) else { return false };
            found.push(Advice {
                place: runbook.place.clone(),
                name: runbook.front.name.clone(),
                title: runbook.front.title.clone(),
                status: runbook.front.status,
                score: why.score,
                why: why.why.join("; "),
                passage: passage::fitting(runbook, cause),
                superseded_by: runbook.front.superseded_by.clone(),
                commands: commands(runbook, cause, &diagnosis.context),
            });
        }
        for (cause, advice) in diagnosis.causes.iter_mut().zip(found) {
            cause.runbooks = vec![advice];
        }
        true
    }
}

/// The runbooks in use whose signature names a detector; only files that have its name in them are read as runbooks.
fn naming(library: &Collection, detector: &str) -> Option<Vec<Runbook>> {
    let entries: Vec<_> = library.entries.iter().collect();
    let files = library.read(&entries).ok()?;
    let files = entries.iter().zip(&files);
    let named = files.filter(|(_, bytes)| str::from_utf8(bytes).is_ok_and(|text| text.contains(detector)));
    let runbooks = named.filter_map(|(entry, bytes)| runbook::sealed(library.place(entry), bytes).runbook);
    let fits = |runbook: &Runbook| {
        let front = &runbook.front;
        front.status != Status::Deprecated && front.signature.detectors.iter().any(|own| own == detector)
    };
    Some(runbooks.filter(fits).collect())
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
        let mut shelf = self.shelf()?;
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
    let runbook = runbook(&hit.place);
    let commands = runbook.as_ref().map(|runbook| commands(runbook, cause, context));
    // As where no index is asked: the answer is the same either way.
    let passage = runbook.as_ref().map(|runbook| passage::fitting(runbook, cause));
    Advice {
        place: hit.place.clone(),
        name: hit.name.clone(),
        title: hit.title.clone(),
        status: hit.status,
        score: hit.score,
        why: hit.why.told(),
        passage: passage.unwrap_or_else(|| hit.passage.clone()),
        superseded_by: hit.superseded_by.clone(),
        commands: commands.unwrap_or_default(),
    }
}

/// The first command of a runbook to look, and the lines of its first block to fix, with what the cause tells filled in.
fn commands(runbook: &Runbook, cause: &Cause, context: &str) -> Vec<Command> {
    let fixes = runbook.front.automation.level >= Level::Suggest;
    let values = params::of(cause);
    let first = |role: Role| runbook.blocks.iter().find(|block| block.role == Some(role));
    let look =
        first(Role::Diagnose).into_iter().flat_map(|block| block.lines.iter().take(1).map(move |line| (block, line)));
    let fix = first(Role::Fix).filter(|_| fixes);
    let fix = fix.into_iter().flat_map(|block| block.lines.iter().take(FIX_LINES).map(move |line| (block, line)));
    look.chain(fix).filter_map(|(block, line)| command(block, &line.text, &values, cause, context)).collect()
}

fn command(block: &Block, line: &str, values: &params::Values, cause: &Cause, context: &str) -> Option<Command> {
    let command = kubectl::parse(line).ok()?;
    // What can't be filled in safely is left to the reader.
    let command = command.bind(values).unwrap_or(command);
    let command = match params::learned(&command, cause) {
        learned if learned.is_empty() => command,
        learned => command.bind(&learned).unwrap_or(command),
    };
    let purpose = block.name.as_ref().map_or_else(|| block.section.to_lowercase(), |name| name.replace('-', " "));
    Some(Command {
        changes: matches!(command, kubectl::Command::Change(_)),
        purpose,
        line: command.in_context(context),
    })
}
