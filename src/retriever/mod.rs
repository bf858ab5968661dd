//! Finds the runbook for each cause of a diagnosis, and for a question: the team's library and the built-in one, in one
//! index.
//!
//! *Invariant:* what does not work makes the answer smaller and never fails it: without git, network, cache folder or model
//! there is still the built-in library, and a note says what is missing. A diagnosis embeds no documents, and waits for
//! a remote only while the cluster is read.

mod advice;
mod libraries;
mod loader;
mod passage;

pub use advice::Advised;
pub use libraries::{Libraries, lost};

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::runbook::{FrontMatter, Signature};
use crate::model::{Library, LibraryState, Place, Runbook};
use crate::retrieve::embed::Lazy;
use crate::retrieve::index::{
    Catalog, Chroma, ChromaSettings, Deriver, Embedded, EmbeddedShelf, IndexError, Progress, Report,
};
use crate::retrieve::{self, Answer, Document, Embedder, ModelId, Query, Shelf, ShelfError, chunk, signature};
use crate::runbook;
use crate::runbook::repo::{self, Collection, RepoError};

use loader::Loader;

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
    /// Where that model's vectors of the built-in library may lie.
    pub shipped: Option<PathBuf>,
    /// How well a runbook did so far, for choices between equals; without it what was read alone decides.
    pub standing: Option<Standing>,
}

/// How well the runbook of a place and a name did so far, 0 to 1; one half of what nothing is known of.
pub type Standing = Arc<dyn Fn(&Place, &str) -> f32 + Send + Sync>;

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
    libraries: Libraries,
    index: Embedded,
    places: Vec<Place>,
    /// What the index has of them.
    catalog: Arc<Catalog>,
    /// Files that are no runbooks, with the reason, by library.
    unread: Vec<(Library, String)>,
    /// What did not work with the index or what came with the plugin.
    notes: Vec<String>,
}

impl Retriever {
    /// Opens the libraries and brings the words of the index up to them; vectors are [`Retriever::embed`]'s.
    ///
    /// # Errors
    /// When not even an index in memory can be made.
    pub fn open(options: Arc<Options>) -> Result<Retriever, IndexError> {
        Retriever::over(Libraries::open(options))
    }

    /// The same over libraries that are open.
    ///
    /// # Errors
    /// When not even an index in memory can be made.
    pub fn over(libraries: Libraries) -> Result<Retriever, IndexError> {
        let deriver = Deriver { version: chunk::VERSION, derive: chunk::derive };
        let index = match &libraries.options.cache {
            Some(folder) => Embedded::open(&folder.join("index.sqlite"), deriver)?,
            None => Embedded::in_memory(deriver)?,
        };
        let places = libraries.places();
        let (catalog, unread, notes) = (Arc::default(), Vec::new(), Vec::new());
        let mut retriever = Retriever { libraries, index, places, catalog, unread, notes };
        if let Err(error) = retriever.read_words() {
            retriever.index.begin_anew(&error.to_string())?;
            retriever.read_words()?;
        }
        Ok(retriever)
    }

    fn read_words(&mut self) -> Result<(), IndexError> {
        self.catalog = self.index.catalog(&self.places)?;
        if self.catalog.len() == self.places.len() {
            return Ok(());
        }
        let mut loader = Loader::new(&self.libraries.collections, self.index.missing(&self.places)?);
        self.index.sync(&self.places, &mut |place| loader.load(place), None, &mut |_| {})?;
        self.unread = loader.unread;
        self.catalog = self.index.catalog(&self.places)?;
        Ok(())
    }

    /// The documents of all libraries.
    fn shelf(&self) -> Result<EmbeddedShelf<'_>, IndexError> {
        self.index.shelf_of(&self.catalog, None)
    }

    /// Gives every document its vectors: those that came with the plugin, and what the model makes.
    ///
    /// # Errors
    /// When the index can't be written.
    pub fn embed(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<Report, RetrieveError> {
        // One process embeds, the others wait and find it done.
        let _lock = self.libraries.options.cache.as_ref().and_then(|folder| hold(&folder.join("index.lock")));
        if let Some(model) = self.model() {
            self.take_shipped(model.id());
        }
        let mut loader = Loader::new(&self.libraries.collections, self.index.missing(&self.places)?);
        let embedder = self.libraries.options.embedder.as_ref().map(Lazy::get);
        let (embedder, failure) = match &embedder {
            Some(Ok(embedder)) => (Some(&**embedder), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        let mut trouble = None;
        if let (Some(settings), Some(embedder)) = (&self.libraries.options.chroma, embedder) {
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

    /// Takes the vectors that came with the plugin, where some are lacking.
    fn take_shipped(&mut self, model: &ModelId) {
        let Some(path) = &self.libraries.options.shipped else { return };
        let builtin: Vec<Place> =
            self.places.iter().filter(|place| place.library == Library::Builtin).cloned().collect();
        let Ok(false) = self.index.has_vectors(&builtin, model) else { return };
        // A model without vectors beside it is one that was downloaded.
        let Ok(bytes) = fs::read(path) else { return };
        if let Err(error) = self.index.import_vectors(&bytes, &builtin, model) {
            self.notes.push(format!("`{}`: {error}; {}", path.display(), error.hint()));
        }
    }

    /// The vectors of the built-in library, to ship.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn shipped(&self, model: &ModelId) -> Result<Vec<u8>, IndexError> {
        self.index.export_vectors(&self.places, model)
    }

    /// The runbooks for a question; what has no vectors gets them first, unless a signature answers.
    ///
    /// # Errors
    /// When the index can't be read or written.
    pub fn answer(&mut self, query: &Query, progress: &mut dyn FnMut(Progress)) -> Result<Answer, RetrieveError> {
        {
            let mut shelf = self.shelf()?;
            let signatures = signatures(&shelf, query)?;
            let signed = signatures.iter().any(|(_, signature)| signed(signature, query));
            if signed || self.libraries.options.embedder.is_none() {
                return self.ask(query, &mut shelf, &signatures);
            }
        }
        self.embed(progress)?;
        self.search(query)
    }

    /// The runbooks for a question.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn search(&self, query: &Query) -> Result<Answer, RetrieveError> {
        let mut shelf = self.shelf()?;
        let signatures = signatures(&shelf, query)?;
        self.ask(query, &mut shelf, &signatures)
    }

    fn ask(
        &self,
        query: &Query,
        shelf: &mut EmbeddedShelf<'_>,
        signatures: &[(u32, Signature)],
    ) -> Result<Answer, RetrieveError> {
        let signatures: Vec<(u32, &Signature)> = signatures.iter().map(|(at, signature)| (*at, signature)).collect();
        let lookup = self.libraries.options.standing.as_deref();
        let standing = |document: &Document| lookup.map_or(0.0, |did| did(&document.place, &document.name));
        let standing: Option<retrieve::Standing<'_>> = lookup.map(|_| &standing as retrieve::Standing<'_>);
        // Only a question that no signature answers needs the model.
        if !signatures.iter().any(|(_, signature)| signed(signature, query)) {
            let model = self.model();
            shelf.set_model(model.as_ref().map(|model| model.id()))?;
            let mut notes: Vec<String> = self.model_failure().into_iter().collect();
            if let (Some(settings), Some(model)) = (&self.libraries.options.chroma, &model) {
                match self.ask_chroma(settings, model, query, &signatures, standing) {
                    Ok(answer) => return Ok(answer),
                    Err(trouble) => notes.push(format!("{trouble}; the local index answers")),
                }
            }
            let mut answer = retrieve::search(query, &*shelf, &signatures, &|| model.clone(), standing)?;
            answer.notes.extend(notes);
            return Ok(answer);
        }
        Ok(retrieve::search(query, &*shelf, &signatures, &|| None, standing)?)
    }

    /// Asks with the candidates of a server; the scores are made here.
    fn ask_chroma(
        &self,
        settings: &ChromaSettings,
        model: &Arc<dyn Embedder>,
        query: &Query,
        signatures: &[(u32, &Signature)],
        standing: Option<retrieve::Standing<'_>>,
    ) -> Result<Answer, String> {
        let chroma = Chroma::connect(settings, model.id()).map_err(|error| error.to_string())?;
        let shelf = chroma.shelf(&self.index, &self.places).map_err(|error| error.to_string())?;
        retrieve::search(query, &shelf, signatures, &|| Some(Arc::clone(model)), standing)
            .map_err(|error| error.to_string())
    }

    /// The model; none where there is none, or where it can't be opened.
    fn model(&self) -> Option<Arc<dyn Embedder>> {
        self.libraries.options.embedder.as_ref().and_then(|lazy| lazy.get().ok())
    }

    fn model_failure(&self) -> Option<String> {
        let failure = self.libraries.options.embedder.as_ref().and_then(|lazy| lazy.get().err());
        failure.map(|error| format!("the model can't be used: {error}"))
    }

    /// The runbook at a place, read again; none where it can't be.
    pub fn runbook(&self, place: &Place) -> Option<Runbook> {
        runbook::sealed(place.clone(), &self.bytes(place)?).runbook
    }

    /// The bytes at a place.
    pub fn bytes(&self, place: &Place) -> Option<Vec<u8>> {
        let collection = self.libraries.collections.iter().find(|collection| collection.library == place.library)?;
        let entry = collection.entries.iter().find(|entry| entry.path == place.path)?;
        collection.read(&[entry]).ok()?.pop()
    }

    /// What the index knows of each runbook, sorted by place.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn documents(&self) -> Result<Vec<Document>, RetrieveError> {
        Ok(self.shelf()?.documents().to_vec())
    }

    /// The same with what stands at the head of each.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn fronts(&self) -> Result<Vec<(Document, FrontMatter)>, RetrieveError> {
        let shelf = self.shelf()?;
        let fronts = shelf.documents().iter().zip(0..).map(|(document, at)| Ok((document.clone(), shelf.front(at)?)));
        fronts.collect()
    }

    /// Removes from the index what belongs to no runbook of these libraries.
    ///
    /// # Errors
    /// When the index can't be written.
    pub fn prune(&self) -> Result<usize, RetrieveError> {
        let mut removed = self.index.prune(&self.places, None)?;
        if let (Some(settings), Some(model)) = (&self.libraries.options.chroma, self.model()) {
            let knows = |commit: &str| self.libraries.collections.iter().any(|collection| collection.knows(commit));
            let pruned = Chroma::connect(settings, model.id())
                .and_then(|chroma| chroma.prune(&self.index, &self.places, &knows));
            removed += pruned.map_err(|error| ShelfError(format!("{error}; {}", error.hint())))?;
        }
        Ok(removed)
    }

    /// The libraries, the team's first.
    pub fn collections(&self) -> &[Collection] {
        &self.libraries.collections
    }

    /// Why the team's library can't be read.
    pub fn failure(&self) -> Option<&RepoError> {
        self.libraries.failed.as_ref()
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
        let mut states = self.libraries.states(&self.unread);
        if let Some(state) = states.first_mut() {
            state.notes.extend(self.index.note().map(str::to_owned));
            state.notes.extend(self.notes.iter().cloned());
        }
        states
    }
}

/// The signatures that may match, by the number of their document.
fn signatures(shelf: &EmbeddedShelf<'_>, query: &Query) -> Result<Vec<(u32, Signature)>, ShelfError> {
    if query.signals.is_empty() { Ok(Vec::new()) } else { shelf.signatures() }
}

fn signed(signature: &Signature, query: &Query) -> bool {
    signature::matches(signature, &query.signals, &mut |_| {}).is_some()
}

/// Waits until no one else holds the file; where it can't be made, nobody is waited for.
fn hold(path: &std::path::Path) -> Option<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path).ok()?;
    file.lock().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests;
