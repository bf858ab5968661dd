//! A model's better words, where one is configured.
//!
//! *Invariant:* a runbook is written whatever the model does; what it did not do is said on standard error. Ctrl-C ends it all.

use crate::cli::error::CommandError;
use crate::cli::progress::ProgressLine;
use crate::cli::{model, runtime, terminal};
use crate::config::Settings;
use crate::printable::one_line;
use crate::record::{Drafted, Library, polish};
use crate::redact::Redactor;

/// A new runbook with better words, where there are any.
pub(super) fn better(
    drafted: Drafted,
    library: &Library,
    settings: &Settings,
    redactor: &Redactor,
) -> Result<Drafted, CommandError> {
    let model = match model::model(settings) {
        Ok(Some(model)) => model,
        Ok(None) => return Ok(drafted),
        Err(error) => {
            note(&format!("without a model's words: {}", error.told()));
            return Ok(drafted);
        }
    };
    let line = ProgressLine::start();
    line.writer()(format!("{} looks for better words…", model.identity().model));
    let limit = std::time::Duration::from_secs(settings.agent.max_seconds.0);
    let asked = runtime::run(async { Ok(polish(drafted, library, &*model, redactor, limit).await) });
    drop(line);
    let (drafted, notes) = asked?;
    for text in &notes {
        note(text);
    }
    Ok(drafted)
}

fn note(text: &str) {
    terminal::report(&format!("note: {}\n", one_line(text)));
}
