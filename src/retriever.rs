//! Finds the runbook for each cause of a diagnosis, and for a question: the team's library and the built-in one, in one
//! index.
//!
//! *Invariant:* what does not work makes the answer smaller and never fails it: without git, network, cache folder or model
//! there is still the built-in library, and a note says what is missing. A diagnosis embeds no documents, and waits for
//! a remote only while the cluster is read.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use crate::kubectl;
use crate::model::runbook::{Block, FrontMatter, Level, Signature};
use crate::model::{Advice, Cause, Command, Diagnosis, Library, LibraryState, Place, Role, Runbook};
use crate::retrieve::embed::Lazy;
use crate::retrieve::index::{Chroma, ChromaSettings, Deriver, Embedded, EmbeddedShelf, IndexError, Progress, Report};
use crate::retrieve::{self, Answer, Document, Embedder, Hit, Query, Shelf, ShelfError, chunk, signature};
use crate::runbook::repo::{self, Collection, Entry, RepoError};
use crate::runbook::{self, params};

/// Runbooks that are named for one cause.
const ADVICE: usize = 3;
/// Files that are read at once.
const BATCH: usize = 256;
/// Notes of a library that are kept.
const NOTES: usize = 20;

/// Where libraries, index and model are.
pub struct Options {
    /// The team's library.
    pub team: Option<repo::Wanted>,
    /// How its clone is brought up to date.
    pub sync: repo::Sync,
    /// Whether the built-in library is used too.
    pub builtin: bool,
    /// The folder of the index; without one it is in memory.
    pub cache: Option<PathBuf>,
    /// A server that holds the vectors.
    pub chroma: Option<ChromaSettings>,
    /// Turns text into vectors, when it is first needed.
    pub embedder: Option<Lazy>,
}

/// What goes wrong when a question is asked.
#[derive(Debug, thiserror::Error)]
pub enum RetrieveError {
    /// The index can't be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The index can't be read.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

/// The opened libraries, with their index.
pub struct Retriever {
    options: Arc<Options>,
    collections: Vec<Collection>,
    /// The team's library, where it can't be read.
    failed: Option<RepoError>,
    index: Embedded,
    places: Vec<Place>,
    /// Files that are no runbooks, with the reason, by library.
    unread: Vec<(Library, String)>,
}

impl Retriever {
    /// Opens the libraries and brings the words of the index up to them; vectors are [`Retriever::embed`]'s.
    ///
    /// # Errors
    /// When not even an index in memory can be made.
    pub fn open(options: Arc<Options>) -> Result<Retriever, IndexError> {
        let (mut collections, mut failed) = (Vec::new(), None);
        match options.team.as_ref().map(|wanted| repo::open(wanted, options.sync)) {
            Some(Ok(collection)) => collections.push(collection),
            Some(Err(error)) => failed = Some(error),
            None => {}
        }
        if options.builtin {
            collections.push(repo::builtin());
        }
        let deriver = Deriver { version: chunk::VERSION, derive: chunk::derive };
        let index = match &options.cache {
            Some(folder) => Embedded::open(&folder.join("index.sqlite"), deriver)?,
            None => Embedded::in_memory(deriver)?,
        };
        let places = collections.iter().flat_map(|library| library.entries.iter().map(|entry| library.place(entry)));
        let places = places.collect();
        let mut retriever = Retriever { options, collections, failed, index, places, unread: Vec::new() };
        if let Err(error) = retriever.read_words() {
            retriever.index.begin_anew(&error.to_string())?;
            retriever.read_words()?;
        }
        Ok(retriever)
    }

    fn read_words(&mut self) -> Result<(), IndexError> {
        let mut loader = Loader::new(&self.collections, self.index.missing(&self.places)?);
        self.index.sync(&self.places, &mut |place| loader.load(place), None, &mut |_| {})?;
        self.unread = loader.unread;
        Ok(())
    }

    /// Gives every document its vectors.
    ///
    /// # Errors
    /// When the index can't be written.
    pub fn embed(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<Report, RetrieveError> {
        // One process embeds, the others wait and find it done.
        let _lock = self.options.cache.as_ref().and_then(|folder| hold(&folder.join("index.lock")));
        let mut loader = Loader::new(&self.collections, self.index.missing(&self.places)?);
        let embedder = self.options.embedder.as_ref().map(Lazy::get);
        let (embedder, failure) = match &embedder {
            Some(Ok(embedder)) => (Some(&**embedder), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        let mut trouble = None;
        if let (Some(settings), Some(embedder)) = (&self.options.chroma, embedder) {
            self.index.sync(&self.places, &mut |place| loader.load(place), None, progress)?;
            let sent = Chroma::connect(settings, embedder.id())
                .and_then(|chroma| chroma.sync(&self.index, &self.places, embedder, progress));
            match sent {
                Ok(report) => return Ok(report),
                // The local index has to answer then, so it gets the vectors.
                Err(error) => trouble = Some(format!("{error}; {}; the local index is used", error.hint())),
            }
        }
        let failure = failure.or(trouble);
        let mut report = self.index.sync(&self.places, &mut |place| loader.load(place), embedder, progress)?;
        report.failure = report.failure.or(failure);
        Ok(report)
    }

    /// The runbooks for a question.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn search(&self, query: &Query) -> Result<Answer, RetrieveError> {
        let mut shelf = self.index.shelf(&self.places, None)?;
        let signatures = shelf.signatures()?;
        self.ask(query, &mut shelf, &signatures)
    }

    fn ask(
        &self,
        query: &Query,
        shelf: &mut EmbeddedShelf<'_>,
        signatures: &[(u32, Signature)],
    ) -> Result<Answer, RetrieveError> {
        let signatures: Vec<(u32, &Signature)> = signatures.iter().map(|(at, signature)| (*at, signature)).collect();
        // Only a question that no signature answers needs the model.
        let signed = |signature: &Signature| signature::matches(signature, &query.signals, &mut |_| {}).is_some();
        if !signatures.iter().any(|(_, signature)| signed(signature)) {
            let model = self.model();
            shelf.set_model(model.as_ref().map(|model| model.id()))?;
            let mut notes: Vec<String> = self.model_failure().into_iter().collect();
            if let (Some(settings), Some(model)) = (&self.options.chroma, &model) {
                match self.ask_chroma(settings, model, query, &signatures) {
                    Ok(answer) => return Ok(answer),
                    Err(trouble) => notes.push(format!("{trouble}; the local index answers")),
                }
            }
            let mut answer = retrieve::search(query, &*shelf, &signatures, &|| model.clone())?;
            answer.notes.extend(notes);
            return Ok(answer);
        }
        Ok(retrieve::search(query, &*shelf, &signatures, &|| None)?)
    }

    /// Asks with the candidates of a server; the scores are made here.
    fn ask_chroma(
        &self,
        settings: &ChromaSettings,
        model: &Arc<dyn Embedder>,
        query: &Query,
        signatures: &[(u32, &Signature)],
    ) -> Result<Answer, String> {
        let chroma = Chroma::connect(settings, model.id()).map_err(|error| error.to_string())?;
        let shelf = chroma.shelf(&self.index, &self.places).map_err(|error| error.to_string())?;
        retrieve::search(query, &shelf, signatures, &|| Some(Arc::clone(model))).map_err(|error| error.to_string())
    }

    /// The model; none where there is none, or where it can't be opened.
    fn model(&self) -> Option<Arc<dyn Embedder>> {
        self.options.embedder.as_ref().and_then(|lazy| lazy.get().ok())
    }

    fn model_failure(&self) -> Option<String> {
        let failure = self.options.embedder.as_ref().and_then(|lazy| lazy.get().err());
        failure.map(|error| format!("the model can't be used: {error}"))
    }

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
        if causes.is_empty() {
            return Ok(());
        }
        let mut shelf = self.index.shelf(&self.places, None)?;
        let signatures = shelf.signatures()?;
        let mut outcome = Ok(());
        for cause in causes {
            match self.ask(&Query::from_cause(cause), &mut shelf, &signatures) {
                Ok(answer) => self.note_down(cause, &answer, context),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    fn note_down(&self, cause: &mut Cause, answer: &Answer, context: &str) {
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
        cause.runbooks = fitting.take(ADVICE).map(|hit| self.advice(hit, cause, context)).collect();
    }

    fn advice(&self, hit: &Hit, cause: &Cause, context: &str) -> Advice {
        let runbook = self.runbook(&hit.place);
        Advice {
            place: hit.place.clone(),
            title: hit.title.clone(),
            status: hit.status,
            score: hit.score,
            why: hit.why.told(),
            superseded_by: hit.superseded_by.clone(),
            commands: runbook.map(|runbook| commands(&runbook, &params::of(cause), context)).unwrap_or_default(),
        }
    }

    /// The runbook at a place, read again; none where it can't be.
    pub fn runbook(&self, place: &Place) -> Option<Runbook> {
        runbook::parse(place.clone(), &self.bytes(place)?).runbook
    }

    /// The bytes at a place.
    pub fn bytes(&self, place: &Place) -> Option<Vec<u8>> {
        let collection = self.collections.iter().find(|collection| collection.library == place.library)?;
        let entry = collection.entries.iter().find(|entry| entry.path == place.path)?;
        collection.read(&[entry]).ok()?.pop()
    }

    /// What the index knows of each runbook, sorted by place.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn documents(&self) -> Result<Vec<Document>, RetrieveError> {
        Ok(self.index.shelf(&self.places, None)?.documents().to_vec())
    }

    /// The same with what stands at the head of each.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn fronts(&self) -> Result<Vec<(Document, FrontMatter)>, RetrieveError> {
        let shelf = self.index.shelf(&self.places, None)?;
        let fronts = shelf.documents().iter().zip(0..).map(|(document, at)| Ok((document.clone(), shelf.front(at)?)));
        fronts.collect()
    }

    /// Removes from the index what belongs to no runbook of these libraries.
    ///
    /// # Errors
    /// When the index can't be written.
    pub fn prune(&self) -> Result<usize, RetrieveError> {
        let mut removed = self.index.prune(&self.places, None)?;
        if let (Some(settings), Some(model)) = (&self.options.chroma, self.model()) {
            let knows = |commit: &str| self.collections.iter().any(|collection| collection.knows(commit));
            let pruned = Chroma::connect(settings, model.id())
                .and_then(|chroma| chroma.prune(&self.index, &self.places, &knows));
            removed += pruned.map_err(|error| ShelfError(format!("{error}; {}", error.hint())))?;
        }
        Ok(removed)
    }

    /// The libraries, the team's first.
    pub fn collections(&self) -> &[Collection] {
        &self.collections
    }

    /// Why the team's library can't be read.
    pub fn failure(&self) -> Option<&RepoError> {
        self.failed.as_ref()
    }

    /// The index.
    pub fn index(&self) -> &Embedded {
        &self.index
    }

    /// The places of all libraries.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The libraries as an answer tells of them.
    pub fn states(&self) -> Vec<LibraryState> {
        let mut states: Vec<LibraryState> = self.collections.iter().map(|collection| self.state(collection)).collect();
        if let (Some(error), Some(wanted)) = (&self.failed, &self.options.team) {
            let notes = std::iter::once(error.to_string()).chain(error.hint()).collect();
            let source = repo::shown(&wanted.source);
            let state = LibraryState {
                library: Library::Team,
                source,
                commit: String::new(),
                runbooks: 0,
                synced: None,
                notes,
            };
            states.insert(0, state);
        }
        if let (Some(note), Some(state)) = (self.index.note(), states.first_mut()) {
            state.notes.push(note.to_owned());
        }
        states
    }

    fn state(&self, collection: &Collection) -> LibraryState {
        let stale = collection.stale.iter().map(|reason| format!("not up to date: {reason}"));
        let unread: Vec<&String> =
            self.unread.iter().filter(|(library, _)| *library == collection.library).map(|(_, note)| note).collect();
        let notes = stale.chain(collection.notes.iter().cloned()).chain(unread.iter().map(|note| (*note).clone()));
        let mut notes: Vec<String> = notes.collect();
        if notes.len() > NOTES {
            let more = notes.len() - NOTES;
            notes.truncate(NOTES);
            notes.push(format!("and {more} more"));
        }
        LibraryState {
            library: collection.library,
            source: collection.source.clone(),
            commit: collection.commit.clone(),
            runbooks: collection.entries.len() - unread.len().min(collection.entries.len()),
            synced: collection.synced,
            notes,
        }
    }
}

/// Waits until no one else holds the file; where it can't be made, nobody is waited for.
fn hold(path: &std::path::Path) -> Option<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path).ok()?;
    file.lock().ok()?;
    Some(file)
}

/// Reads the files that an index misses, many at once.
struct Loader<'a> {
    collections: &'a [Collection],
    missing: Vec<Place>,
    at: usize,
    read: HashMap<Place, Vec<u8>>,
    unread: Vec<(Library, String)>,
}

impl<'a> Loader<'a> {
    fn new(collections: &'a [Collection], missing: Vec<Place>) -> Loader<'a> {
        Loader { collections, missing, at: 0, read: HashMap::new(), unread: Vec::new() }
    }

    fn load(&mut self, place: &Place) -> Option<Runbook> {
        while !self.read.contains_key(place) && self.at < self.missing.len() {
            let batch = self.missing.get(self.at..).unwrap_or_default();
            let batch: Vec<Place> = batch.iter().take(BATCH).cloned().collect();
            self.at += batch.len();
            self.fetch(&batch);
        }
        let parsed = runbook::parse(place.clone(), &self.read.remove(place)?);
        if parsed.runbook.is_none() {
            let why = parsed.problems.first().map_or("it can't be read".to_owned(), |problem| problem.message.clone());
            self.unread.push((place.library, format!("{}: {why}", place.path)));
        }
        parsed.runbook
    }

    fn fetch(&mut self, batch: &[Place]) {
        for collection in self.collections {
            let paths: HashMap<&str, &Entry> =
                collection.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
            let wanted: Vec<(&Place, &Entry)> = batch
                .iter()
                .filter(|place| place.library == collection.library)
                .filter_map(|place| Some((place, *paths.get(place.path.as_str())?)))
                .collect();
            let entries: Vec<&Entry> = wanted.iter().map(|(_, entry)| *entry).collect();
            match collection.read(&entries) {
                Ok(all) => {
                    self.read.extend(wanted.into_iter().map(|(place, _)| place.clone()).zip(all));
                }
                Err(error) => self.unread.push((collection.library, error.to_string())),
            }
        }
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
