//! The runbooks, the index over them, and what turns them into vectors.

use std::time::Instant;

use super::check::{Check, Standing};
use crate::cli::library::{Freshness, options};
use crate::config::{EmbedderKind, Settings};
use crate::detect;
use crate::model::{Library, LibraryState, Time};
use crate::output;
use crate::retrieve::index::Chroma;
use crate::retriever::{Options, Retriever};
use crate::runbook;
use crate::runbook::lint;
use crate::runbook::repo::{self, Collection};

/// A clone that is older says little of the branch, in seconds.
const OLD: i64 = 7 * 86_400;
/// A review may be so old, in days, as `runbooks lint` has it.
const REVIEW: i32 = 365;

/// The checks.
pub(super) fn checks(settings: &Settings) -> Vec<Check> {
    let options = match options(settings, Freshness::Brief, true) {
        Ok(options) => options,
        Err(error) => {
            let said = match error {
                crate::cli::error::CommandError::Failed { message, .. } => message,
                _ => "it was stopped".to_owned(),
            };
            return vec![Check::failed("runbooks", said).hint("look at `index.chroma.token` in the config file")];
        }
    };
    let (embedder, id) = embedder(settings, &options);
    match Retriever::open(options.clone()) {
        Ok(retriever) => {
            let index = index(&options, &retriever, id.as_ref());
            vec![runbooks(settings, &retriever), index, embedder]
        }
        Err(error) => {
            let failed = Check::failed("index", error.to_string())
                .hint("it can be made again: delete index.sqlite in the cache folder");
            vec![Check::skipped("runbooks", "there is no index"), failed, embedder]
        }
    }
}

fn runbooks(settings: &Settings, retriever: &Retriever) -> Check {
    let states = retriever.states();
    if let Some(error) = retriever.failure() {
        let source = settings.runbooks.repo.as_deref().map(repo::shown).unwrap_or_default();
        return Check::failed("runbooks", format!("{source}: {error}")).hint_if(error.hint());
    }
    let builtin = states.iter().find(|state| state.library == Library::Builtin).map_or(0, |state| state.runbooks);
    let Some(state) = states.iter().find(|state| state.library == Library::Team) else {
        return Check::note("runbooks", format!("no repository of the team's; {builtin} built-in runbooks"))
            .hint("`kubectl react runbooks init DIR` begins one; `runbooks.repo` in the config file names it");
    };
    let collection = retriever.collections().iter().find(|collection| collection.library == Library::Team);
    team(state, collection.map_or(0, errors), builtin, Time::now())
}

/// What is said of the team's library.
fn team(state: &LibraryState, errors: usize, builtin: usize, now: Time) -> Check {
    let commit = state.commit.get(..12).unwrap_or(&state.commit);
    let at = if commit.is_empty() { String::new() } else { format!(" at {commit}") };
    let age = state.synced.map(|time| format!(", fetched {} ago", output::ago(time, now))).unwrap_or_default();
    let said = format!("{}{at}{age}: {} runbooks, and {builtin} built-in", state.source, state.runbooks);
    let old = state.synced.is_some_and(|time| now.as_second() - time.as_second() > OLD);
    let mut check = Check::ok("runbooks", said);
    if state.runbooks == 0 {
        check.standing = Standing::Warning;
        check = check.hint("no file of it is a runbook: look at `runbooks.path` and `runbooks.branch`");
    }
    if errors > 0 {
        check.standing = Standing::Warning;
        let problems = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
        check = check.hint(format!("{problems} in them: `kubectl react runbooks lint` in a checkout names each"));
    }
    for note in state.notes.iter().take(3) {
        check.standing = Standing::Warning;
        check = check.hint(note);
    }
    if old {
        check.standing = Standing::Warning;
        check = check.hint("`kubectl react runbooks sync` brings the clone up to date");
    }
    check
}

/// Errors that `lint` finds in the team's runbooks, as they stand at the commit.
fn errors(collection: &Collection) -> usize {
    let entries: Vec<&repo::Entry> = collection.entries.iter().collect();
    let Ok(bytes) = collection.read(&entries) else { return 0 };
    let files: Vec<_> =
        entries.iter().zip(bytes).map(|(entry, bytes)| runbook::parse(collection.place(entry), &bytes)).collect();
    let detectors: Vec<&str> = detect::detectors().iter().map(|detector| detector.id).collect();
    let builtin = repo::builtin();
    let names: Vec<&str> =
        builtin.entries.iter().filter_map(|entry| entry.path.rsplit('/').next()?.strip_suffix(".md")).collect();
    let options = lint::Options {
        detectors: &detectors,
        others: &names,
        // Files beside the runbooks are not in the collection: what they are is for `lint` in a checkout.
        exists: &|_| true,
        today: Time::now().to_zoned(jiff::tz::TimeZone::UTC).date(),
        max_age_days: REVIEW,
    };
    let problems = lint::lint(&files, &options);
    problems.iter().filter(|problem| problem.severity == runbook::Gravity::Error).count()
}

fn index(options: &Options, retriever: &Retriever, id: Option<&crate::retrieve::ModelId>) -> Check {
    let documents = retriever.documents().map_or(0, |documents| documents.len());
    let kept = match (&options.cache, retriever.index().note()) {
        (_, Some(note)) => {
            return Check::warning("index", format!("{documents} runbooks; {note}"))
                .hint("look at the rights and the room of the cache folder");
        }
        (Some(folder), None) => folder.join("index.sqlite").display().to_string(),
        (None, None) => "in memory".to_owned(),
    };
    let Some(settings) = &options.chroma else {
        return Check::ok("index", format!("{documents} runbooks in {kept}"));
    };
    let shown = repo::shown(&settings.url);
    let Some(id) = id else {
        return Check::warning(
            "index",
            format!("Chroma at {shown} is not used: there is no embedder; {documents} runbooks in {kept}"),
        )
        .hint("`kubectl react runbooks model pull` gets one");
    };
    // Nothing is made by looking.
    match Chroma::look(settings, id).and_then(|chroma| chroma.as_ref().map(Chroma::count).transpose()) {
        Ok(Some(count)) => {
            Check::ok("index", format!("{count} vectors in Chroma at {shown}; {documents} runbooks in {kept}"))
        }
        Ok(None) => Check::ok("index", format!("nothing yet in Chroma at {shown}; {documents} runbooks in {kept}"))
            .hint("`kubectl react runbooks index` fills it"),
        Err(error) => {
            Check::failed("index", format!("{error}; the local index answers: {documents} runbooks in {kept}"))
                .hint(error.hint())
        }
    }
}

/// Opens the embedder and lets it embed a sentence.
fn embedder(settings: &Settings, options: &Options) -> (Check, Option<crate::retrieve::ModelId>) {
    let Some(lazy) = &options.embedder else {
        let without = "runbooks are found by signature and by words";
        let check = match *settings.embedder.kind {
            EmbedderKind::None => Check::ok("embedder", format!("none, as `embedder.kind` says: {without}")),
            _ => Check::note("embedder", format!("none: {without}"))
                .hint("`kubectl react runbooks model pull` gets the model, 23 MB"),
        };
        return (check, None);
    };
    let began = Instant::now();
    let opened = lazy.get();
    let millis = began.elapsed().as_millis();
    let embedder = match opened {
        Ok(embedder) => embedder,
        Err(error) => {
            let check = Check::failed("embedder", error.to_string()).hint(
                "look at `embedder` in the config file; without one runbooks are found by signature and by words",
            );
            return (check, None);
        }
    };
    let id = embedder.id().clone();
    let began = Instant::now();
    match embedder.embed(&["a pod is killed because it uses more memory than its limit"]) {
        Ok(_) => {
            let took = began.elapsed().as_millis();
            let said =
                format!("{}, {} dimensions, opened in {millis} ms, {took} ms a sentence", id.name, id.dimensions);
            (Check::ok("embedder", said), Some(id))
        }
        Err(error) => {
            let check = Check::failed("embedder", format!("{}: {error}", id.name)).hint("look at its server");
            (check, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_teams_library_says_how_old_and_how_good_it_is() {
        let now: Time = "2026-11-26T10:00:00Z".parse().unwrap();
        let state = |synced: &str, runbooks: usize, notes: &[&str]| LibraryState {
            library: Library::Team,
            source: "git@example.org:team/runbooks.git".to_owned(),
            commit: "1a2b3c4d5e6f".repeat(3) + "aabb",
            runbooks,
            synced: Some(synced.parse().unwrap()),
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        };
        let fresh = team(&state("2026-11-26T09:57:00Z", 40, &[]), 0, 160, now);
        assert_eq!(fresh.standing, Standing::Ok);
        assert_eq!(
            fresh.said,
            "git@example.org:team/runbooks.git at 1a2b3c4d5e6f, fetched 3m ago: 40 runbooks, and 160 built-in"
        );
        let table = [
            (state("2026-11-01T09:57:00Z", 40, &[]), 0, "runbooks sync"),
            (state("2026-11-26T09:57:00Z", 0, &[]), 0, "runbooks.path"),
            (state("2026-11-26T09:57:00Z", 40, &[]), 2, "2 errors in them"),
            (state("2026-11-26T09:57:00Z", 40, &["not up to date: no route"]), 0, "no route"),
        ];
        for (state, errors, hint) in table {
            let check = team(&state, errors, 160, now);
            assert_eq!(check.standing, Standing::Warning, "{hint}");
            assert!(check.hints.iter().any(|said| said.contains(hint)), "{check:?}");
        }
    }
}
