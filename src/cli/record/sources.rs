//! The libraries that a draft is held against, and the repository that it goes to.
//!
//! *Invariant:* a draft is made from the files of the branch that it goes to, where there is one already: so the same incident
//! adds nothing twice.

use super::RecordArgs;
use super::publish::Proposal;
use crate::cli::error::CommandError;
use crate::cli::library::team;
use crate::cli::runbooks::no_repository;
use crate::config::Settings;
use crate::model::Library::Team;
use crate::model::{Cause, Place, Role, Runbook, Time};
use crate::outcomes::{By, Kind, Memory, Outcome};
use crate::record::{Case, Drafted, File, Library, is_same};
use crate::runbook::repo::propose;
use crate::runbook::repo::{self, Collection, Sync, Wanted};

/// The libraries, opened.
pub(super) struct Sources {
    /// The team's repository; none where none is set, and only a dry run is possible.
    pub(super) wanted: Option<Wanted>,
    /// What a draft is held against.
    pub(super) library: Library,
    /// How git is run.
    pub(super) sync: Sync,
}

pub(super) fn open(args: &RecordArgs, settings: &Settings) -> Result<Sources, CommandError> {
    let interactive = std::io::IsTerminal::is_terminal(&std::io::stdin()) && !args.yes;
    let sync = Sync { skip: false, limit: None, interactive };
    let wanted = team(settings);
    if wanted.is_none() && !args.dry_run {
        return Err(no_repository());
    }
    let collection = wanted.as_ref().map(|wanted| repo::open(wanted, sync)).transpose()?;
    let mut team = Vec::new();
    let mut folder = settings.runbooks.path.value.clone().unwrap_or_else(|| "runbooks".to_owned());
    if let Some(collection) = &collection {
        team = files(collection)?;
        // A repository that has runbooks and no folder of that name keeps them at its root; other pages are none.
        let below = team.iter().any(|file| file.place().path.starts_with("runbooks/"));
        let written = team.iter().any(|file| file.runbook().is_some_and(|runbook| !runbook.derived));
        if settings.runbooks.path.value.is_none() && !below && written {
            folder = String::new();
        }
    }
    let builtin = repo::builtin();
    let builtin: Vec<Runbook> = files(&builtin)?.into_iter().filter_map(|file| file.parsed.runbook).collect();
    let library = Library {
        team,
        folder: folder.trim_matches('/').to_owned(),
        builtin,
        owners: args.owner.clone(),
        today: Time::now().to_zoned(jiff::tz::TimeZone::UTC).date(),
    };
    Ok(Sources { wanted, library, sync })
}

fn files(collection: &Collection) -> Result<Vec<File>, CommandError> {
    let entries: Vec<&repo::Entry> = collection.entries.iter().collect();
    let bytes = collection.read(&entries)?;
    Ok(entries.iter().zip(bytes).map(|(entry, bytes)| File::new(collection.place(entry), bytes)).collect())
}

impl Sources {
    /// The library as it is on a branch that is proposed and not merged: what it has of the files takes their place. None
    /// where there is no such branch.
    pub(super) fn on_branch(&self, branch: &str) -> Option<Library> {
        // A folder has no branches; what else is wrong is said when it is committed.
        let state = propose::branch_state(self.wanted.as_ref()?, branch, self.sync).ok()??;
        let mut library = self.library.clone();
        for file in state.files {
            library.team.retain(|known| known.place().path != file.path);
            if let Some(content) = file.content {
                let place = Place { library: Team, path: file.path, commit: state.commit.clone(), blob: file.blob };
                library.team.push(File::new(place, content.into_bytes()));
            }
        }
        Some(library)
    }

    /// The commit as a patch.
    pub(super) fn patch(&self, proposal: &Proposal) -> Result<String, CommandError> {
        let wanted = self.wanted.as_ref().ok_or_else(no_repository)?;
        Ok(propose::patch(wanted, &proposal.wish(), self.sync)?)
    }

    /// Remembers that a runbook helped.
    pub(super) fn helped(&self, case: &Case, cause: &Cause, drafted: &Drafted) {
        let Some(memory) = crate::config::state_dir().map(Memory::open) else { return };
        // Recorded twice, it helped once.
        let known = |outcome: &Outcome| outcome.by == By::Record && outcome.incident.as_ref() == Some(&case.id);
        if memory.history().is_ok_and(|history| history.outcomes.iter().any(known)) {
            return;
        }
        for (place, name) in self.used(cause, drafted) {
            for kind in [Kind::Used, Kind::Helped] {
                let outcome = Outcome {
                    incident: Some(case.id.clone()),
                    fingerprint: Some(cause.fingerprint.clone()),
                    detector: Some(cause.detector.clone()),
                    ..Outcome::of(&place, &name, kind, By::Record, Time::now())
                };
                // It is a memory and no ledger: what can't be noted changes nothing.
                let _ = memory.note(outcome);
            }
        }
    }

    /// The runbooks that were shown for the cause, and have what mended it among their lines.
    fn used(&self, cause: &Cause, drafted: &Drafted) -> Vec<(Place, String)> {
        let team = self.library.team.iter().filter_map(File::runbook);
        let shown = team.chain(&self.library.builtin).filter(|runbook| cause.was_shown(&runbook.place));
        let has = |runbook: &&Runbook| {
            let mut lines =
                runbook.blocks.iter().filter(|block| block.role == Some(Role::Fix)).flat_map(|block| &block.lines);
            lines.any(|line| drafted.fixes.iter().any(|fix| is_same(&line.text, fix)))
        };
        shown.filter(has).map(|runbook| (runbook.place.clone(), runbook.front.name.clone())).collect()
    }
}
