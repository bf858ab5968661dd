//! The flags that say which runbooks are used, and what they come to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::error::CommandError;
use super::global::GlobalArgs;
use crate::config::{self, EmbedderKind, Flags, Settings};
use crate::output::Format;
use crate::retrieve::embed::{self, Candidate, Endpoint, Key, Lazy, Remote};
use crate::retrieve::index::ChromaSettings;
use crate::retrieve::{EmbedError, Embedder};
use crate::retriever::Options;
use crate::runbook::repo::{Sync, Wanted};

/// A diagnosis waits so long for a repository, at the most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which runbooks are used.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct LibraryArgs {
    /// The team's runbooks: a git repository (path or URL) or a folder; else `runbooks.repo` of the config file
    #[arg(long, value_name = "DIR|URL", value_hint = clap::ValueHint::DirPath)]
    pub(super) runbooks: Option<String>,
}

/// How the team's clone is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Beside other work, and not for long.
    Brief,
    /// That is what was asked for.
    Full,
    /// The clone is good enough where there is one.
    Kept,
}

impl LibraryArgs {
    /// Path or URL of the repository, where the flag names one.
    pub(super) fn repository(&self) -> Option<String> {
        self.runbooks.clone()
    }

    /// The settings with these flags.
    pub(super) fn settings(&self, global: &GlobalArgs, output: Option<Format>) -> Result<Settings, CommandError> {
        Ok(Settings::resolve(&Flags {
            output,
            color: global.color,
            runbooks: self.runbooks.clone(),
            ..Flags::default()
        })?)
    }
}

/// What the settings say of the libraries.
pub(super) fn options(settings: &Settings, freshness: Freshness, builtin: bool) -> Result<Arc<Options>, CommandError> {
    Ok(Arc::new(plain(settings, freshness, builtin)?))
}

/// The same, where of two equals the one that did better goes first.
pub(super) fn remembering(
    settings: &Settings,
    freshness: Freshness,
    builtin: bool,
) -> Result<Arc<Options>, CommandError> {
    Ok(Arc::new(Options { standing: super::outcomes::standing(), ..plain(settings, freshness, builtin)? }))
}

fn plain(settings: &Settings, freshness: Freshness, builtin: bool) -> Result<Options, CommandError> {
    let cache = config::cache_dir();
    let at_terminal = std::io::IsTerminal::is_terminal(&std::io::stdin());
    let sync = match freshness {
        Freshness::Brief => Sync { skip: false, limit: Some(PATIENCE), interactive: false },
        Freshness::Full => Sync { skip: false, limit: None, interactive: at_terminal },
        Freshness::Kept => Sync { skip: true, limit: None, interactive: at_terminal },
    };
    let (team, model, chroma) = (team(settings), model(settings), chroma(settings)?);
    let embedder = embedder(settings, model.clone());
    let shipped = model.map(|model| model.shipped());
    Ok(Options { team, sync, builtin, cache: writable(cache), chroma, embedder, shipped, standing: None })
}

/// The team's library; clones that can't be kept live in a folder of this run.
pub(super) fn team(settings: &Settings) -> Option<Wanted> {
    let source = settings.runbooks.repo.value.clone()?;
    let cache = writable(config::cache_dir()).unwrap_or_else(temporary);
    let (branch, path) = (settings.runbooks.branch.value.clone(), settings.runbooks.path.value.clone());
    Some(Wanted { source, branch, path, cache })
}

/// The server that holds the vectors; none where no address is set.
fn chroma(settings: &Settings) -> Result<Option<ChromaSettings>, CommandError> {
    let set = &settings.chroma;
    let Some(url) = set.url.as_deref() else { return Ok(None) };
    let token = set.token.read();
    let token = token.map_err(|error| CommandError::new(format!("can't read the token of Chroma: {error}")))?;
    let mut chroma = ChromaSettings { token, ..ChromaSettings::new(url) };
    for (given, place) in [
        (&set.tenant, &mut chroma.tenant),
        (&set.database, &mut chroma.database),
        (&set.collection, &mut chroma.collection),
    ] {
        if let Some(given) = &given.value {
            place.clone_from(given);
        }
    }
    Ok(Some(chroma))
}

/// The folder where it can be made.
fn writable(folder: Option<PathBuf>) -> Option<PathBuf> {
    let folder = folder?;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).ok().map(|()| folder)
}

/// A folder among the temporary ones that nobody else can write to: what lies in it is believed.
fn temporary() -> PathBuf {
    let all = std::env::temp_dir();
    let usual = all.join("kubectl-react");
    if writable(Some(usual.clone())).is_some() && is_own(&usual) {
        return usual;
    }
    all.join(format!("kubectl-react-{}", std::process::id()))
}

/// Whether a folder is ours alone, as one is that we make in it.
#[cfg(unix)]
fn is_own(folder: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    let same = || {
        let (outer, inner) = (std::fs::symlink_metadata(folder).ok()?, std::fs::symlink_metadata(&probe).ok()?);
        Some(outer.is_dir() && outer.uid() == inner.uid() && outer.mode() & 0o022 == 0)
    };
    let made = std::fs::create_dir(&probe).is_ok();
    let own = made && same() == Some(true);
    let _ = std::fs::remove_dir(&probe);
    own
}

#[cfg(not(unix))]
fn is_own(_: &std::path::Path) -> bool {
    true
}

/// Where the model lies that runs in this process; nothing where there is none.
fn model(settings: &Settings) -> Option<Candidate> {
    let chosen = &settings.embedder;
    if *chosen.kind != EmbedderKind::Local {
        return None;
    }
    let folder = chosen.dir.as_ref().map(PathBuf::from);
    let program = std::env::current_exe().ok();
    embed::find(folder.as_deref(), program.as_deref(), config::cache_dir().as_deref())
}

/// What turns text into vectors; none where there is no model.
fn embedder(settings: &Settings, model: Option<Candidate>) -> Option<Lazy> {
    let chosen = &settings.embedder;
    match *chosen.kind {
        EmbedderKind::None => None,
        EmbedderKind::Local => {
            let candidate = model?;
            Some(Lazy::new(move || {
                let opened = candidate.open().map_err(|error| EmbedError(format!("{error}; {}", error.hint())))?;
                Ok(Arc::new(opened) as Arc<dyn Embedder>)
            }))
        }
        EmbedderKind::OpenAi => {
            let (url, model) = (chosen.url.value.clone(), chosen.model.value.clone());
            let (api_version, key) = (chosen.api_version.value.clone(), chosen.key.clone());
            let hidden = super::addresses(settings);
            Some(Lazy::new(move || {
                let missing = |what: &str| EmbedError(format!("`embedder.{what}` is not set"));
                let url = url.clone().ok_or_else(|| missing("url"))?;
                let model = model.clone().ok_or_else(|| missing("model"))?;
                let key = key.read().map_err(|error| EmbedError(format!("can't read the embedder's key: {error}")))?;
                // Azure's own keys go in a header of their own.
                let azure = url.contains(".azure.com") || api_version.is_some();
                let key = key.map(|key| if azure { Key::ApiKey(key) } else { Key::Bearer(key) });
                let endpoint = Endpoint { url, model, key, api_version: api_version.clone(), dimensions: None, hidden };
                let opened =
                    Remote::open(endpoint).map_err(|error| EmbedError(format!("{error}; {}", error.hint())))?;
                Ok(Arc::new(opened) as Arc<dyn Embedder>)
            }))
        }
    }
}
