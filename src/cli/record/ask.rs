//! What a person is asked: what mended it, and whether to go on.
//!
//! *Invariant:* without a terminal nobody is asked, and nothing is taken for granted: what is missing is an error that names
//! the flag.

use std::io::{BufRead, IsTerminal, Write};
use std::process::Command;

use super::{Answer, RecordArgs, show};
use crate::cli::error::CommandError;
use crate::cli::terminal;
use crate::kubectl;
use crate::model::Cause;
use crate::printable::one_line;
use crate::record::{self, Difference, Done, Drafted, Library};
use crate::redact::Redactor;

/// More changes than that are no fix, but a release.
const MOST: usize = 8;

/// What mended it: what `--fix` says, else what was found out and confirmed.
pub(super) fn what_mended_it(
    args: &RecordArgs,
    cause: &Cause,
    found: &[Difference],
    redactor: &Redactor,
) -> Result<Answer, CommandError> {
    if args.unresolved {
        return Ok(Answer { done: Vec::new(), words: None });
    }
    if !args.fix.is_empty() {
        return typed(&args.fix, cause, redactor);
    }
    let chosen = likely(found);
    if chosen.is_empty() {
        return Err(CommandError::new("it is over, and nothing is seen that was changed for it")
            .hinted("say what mended it: --fix 'kubectl …', or in words"));
    }
    if !args.yes && !args.only_shows() {
        return confirm(chosen, cause, redactor);
    }
    Ok(Answer { done: chosen.into_iter().map(done).collect(), words: None })
}

/// What lies on the path of the cause; where nothing does, what came and went beside it.
fn likely(found: &[Difference]) -> Vec<&Difference> {
    let near: Vec<&Difference> = found.iter().filter(|found| found.on_path).collect();
    let mut chosen = if near.is_empty() { found.iter().collect() } else { near };
    chosen.truncate(MOST);
    chosen
}

fn done(difference: &Difference) -> Done {
    Done {
        object: format!("{} {}", difference.object.kind.as_str(), difference.object.name),
        what: difference.what.clone(),
        line: difference.line.clone(),
        back: difference.back.clone(),
        manifest: difference.manifest.clone(),
        by: difference.by.clone(),
    }
}

/// What a person wrote: lines of kubectl, and words.
fn typed(texts: &[String], cause: &Cause, redactor: &Redactor) -> Result<Answer, CommandError> {
    let mut answer = Answer { done: Vec::new(), words: None };
    let mut words: Vec<String> = Vec::new();
    for line in texts.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.is_empty()) {
        if line.split_whitespace().next() != Some("kubectl") {
            words.push(redactor.text(line).into_owned());
            continue;
        }
        let command = kubectl::parse(line).map_err(|refusal| {
            CommandError::new(format!("this line can't be used: {refusal}")).hinted(
                refusal
                    .hint()
                    .map_or_else(|| "write it in words".to_owned(), |hint| format!("{hint}; or write it in words")),
            )
        })?;
        if matches!(command, kubectl::Command::Read(_)) {
            return Err(CommandError::new("this line reads, so it has mended nothing")
                .hinted("name the line that changed something, or say it in words"));
        }
        let Some(phrase) = record::typed(line, cause) else { continue };
        let what = format!(
            "`{}`",
            one_line(&format!("kubectl {} {}", command.verb(), command.subcommand().unwrap_or_default())).trim()
        );
        answer.done.push(Done {
            object: String::new(),
            what,
            line: Some(phrase),
            back: None,
            manifest: None,
            by: None,
        });
    }
    answer.words = (!words.is_empty()).then(|| words.join(" "));
    Ok(answer)
}

/// Shows what was found out, and takes it, a part of it, or other words.
fn confirm(chosen: Vec<&Difference>, cause: &Cause, redactor: &Redactor) -> Result<Answer, CommandError> {
    need_terminal("what changed must be confirmed", "add --yes to take it as it is, or say it with --fix")?;
    let mut page = String::from("What changed since:\n");
    for (number, difference) in (1..).zip(&chosen) {
        let by = difference.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
        let at = difference.time.map(|time| time.strftime(" at %H:%M:%S UTC").to_string()).unwrap_or_default();
        let told = one_line(&format!("{}: {}{by}{at}", difference.object, difference.what)).into_owned();
        page += &show::wrapped(&told, &format!("  {number}. "), "     ");
        if let Some(line) = &difference.line {
            page += &one_line(&format!("     {}", line.concrete()));
            page.push('\n');
        }
    }
    let asked = "What mended it? Enter takes all, numbers take some (1,3), anything else is taken as what you did.";
    page += &show::wrapped(asked, "", "");
    terminal::report(&page);
    let text = answer("> ")?;
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("y") {
        return Ok(Answer { done: chosen.into_iter().map(done).collect(), words: None });
    }
    let numbers: Option<Vec<usize>> =
        text.split([',', ' ']).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect();
    match numbers {
        Some(numbers) => {
            let some = numbers
                .iter()
                .filter_map(|number| chosen.get(number.checked_sub(1)?))
                .copied()
                .map(done)
                .collect::<Vec<_>>();
            if some.len() != numbers.len() {
                return Err(CommandError::new(format!("there are {} changes", chosen.len())));
            }
            Ok(Answer { done: some, words: None })
        }
        None => typed(&[text.to_owned()], cause, redactor),
    }
}

/// Whether to go on.
pub(super) fn go_on(page: &str) -> Result<bool, CommandError> {
    need_terminal("nobody can be asked whether to propose it", "add --yes, or look first with --dry-run")?;
    terminal::report(page);
    let text = answer("Propose it? [Y/n] ")?;
    Ok(matches!(text.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"))
}

fn need_terminal(what: &str, hint: &str) -> Result<(), CommandError> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    Err(CommandError::new(what).hinted(hint))
}

fn answer(prompt: &str) -> Result<String, CommandError> {
    terminal::report(prompt);
    let _ = std::io::stderr().flush();
    let mut text = String::new();
    let read = std::io::stdin().lock().read_line(&mut text)?;
    if read == 0 { Err(CommandError::Interrupted) } else { Ok(text) }
}

/// Lets a person edit the runbook, with the editor that git would open.
pub(super) fn edited(drafted: Drafted, library: &Library) -> Result<Drafted, CommandError> {
    let editor = ["GIT_EDITOR", "VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let mut folder = std::env::temp_dir();
    let chance = format!("kubectl-react-{}-{}", std::process::id(), drafted.front.name);
    folder.push(chance);
    let failed = |error: std::io::Error| CommandError::new(format!("can't open an editor: {error}"));
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(failed)?;
    let path = folder.join(format!("{}.md", drafted.front.name));
    let ended =
        std::fs::write(&path, &drafted.text).and_then(|()| Command::new(program).args(words).arg(&path).status());
    let text = std::fs::read_to_string(&path);
    let _ = std::fs::remove_dir_all(&folder);
    let status = ended.map_err(|error| {
        CommandError::new(format!("can't run the editor `{program}`: {error}"))
            .hinted("set EDITOR to a program that there is")
    })?;
    if !status.success() {
        return Err(CommandError::new("the editor failed, so nothing was done"));
    }
    let text = text.map_err(failed)?;
    if text.trim().is_empty() {
        return Err(CommandError::new("the runbook was emptied, so nothing was done"));
    }
    Ok(drafted.edited(text, library))
}
