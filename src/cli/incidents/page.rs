//! An incident as text and markdown: what was asked, what was done, what came of it.
//!
//! *Invariant:* whatever is in an incident was written by someone else: each line passes through `printable`, and in markdown
//! it is escaped or stands in code.

use crate::incidents::{Incident, State};
use crate::model::{Observation, Step, TurnOutcome};
use crate::output::markup::{code, fenced, inline};
use crate::output::{self, Format, Style};
use crate::printable::{one_line, printable};

/// Lines of an observation that are shown where nobody asked for all.
const LINES: usize = 40;

/// The page of an incident, with its steps where they are asked for, or are all that there is.
pub(super) fn page(incident: &Incident, steps: bool, markdown: bool, style: &Style) -> String {
    let mut page = head(incident, markdown);
    if let Some(diagnosis) = &incident.record.diagnosis {
        let format = if markdown { Format::Markdown } else { Format::Text };
        page += "\n";
        page += &output::render(diagnosis, format, style);
    }
    if steps || incident.record.diagnosis.is_none() {
        for step in &incident.steps {
            page += "\n";
            page += &of_step(step, markdown, style.verbose);
        }
    }
    page
}

fn head(incident: &Incident, markdown: bool) -> String {
    let record = &incident.record;
    let state = match incident.state {
        State::Finished => "",
        State::Unfinished => " (unfinished: the run was killed, or could not be stored to its end)",
        State::Running => " (the run goes on)",
    };
    let title = format!("Incident {}{state}", incident.id);
    let mut rows: Vec<(&str, String)> = Vec::new();
    let mut row = |name: &'static str, value: String| {
        if !value.is_empty() {
            rows.push((name, one_line(&value).into_owned()));
        }
    };
    row("when", record.time.map(output::stamp).unwrap_or_default());
    let namespace = record.namespace.as_ref().map(|name| format!(", namespace {name}")).unwrap_or_default();
    row("where", format!("{}{namespace}", record.context));
    row("about", record.targets.join(" "));
    row("selector", record.selector.clone().unwrap_or_default());
    row("question", record.question.clone().unwrap_or_default());
    let server = if record.server.is_empty() { String::new() } else { format!(" at {}", record.server) };
    row("model", format!("{}{server}", record.model));
    let failed = incident.turns.iter().filter(|turn| matches!(turn.outcome, TurnOutcome::Error(_))).count();
    let failed = if failed > 0 { format!(" ({failed} failed)") } else { String::new() };
    row("turns", format!("{}{failed}", incident.turns.len()));
    row("steps", incident.steps.len().to_string());
    row("version", format!("kubectl-react {}, prompt {}", record.plugin_version, record.prompt_version));
    for note in record.notes.iter().chain(&incident.damage) {
        row("note", note.clone());
    }
    let line = |(name, value): (&str, String)| {
        if markdown { format!("- {name}: {}\n", inline(&value)) } else { format!("  {name:<9} {value}\n") }
    };
    let title = if markdown { format!("# {title}\n\n") } else { format!("{title}\n") };
    title + &rows.into_iter().map(line).collect::<String>()
}

/// One step: what was thought, asked and seen.
fn of_step(step: &Step, markdown: bool, all: bool) -> String {
    let Step { number, thought, tool, action, observation, millis } = step;
    let Observation { text, failed, note, withheld } = observation;
    let action = &*one_line(if action.is_empty() { tool } else { action });
    let failed = if *failed { ", failed" } else { "" };
    let withheld = if *withheld { ", withheld from the model by a content filter" } else { "" };
    let told = format!("{} bytes, {millis} ms{failed}{withheld}", text.len());
    let text = printable(text);
    let lines: Vec<&str> = text.lines().collect();
    let shown = if all { lines.len() } else { lines.len().min(LINES) };
    let left = lines.len() - shown;
    let left = (left > 0).then(|| format!("… {left} more lines (--verbose)"));
    let (thought, note) = (one_line(thought), note.as_deref().map(one_line));
    let seen = lines.get(..shown).unwrap_or_default();
    if markdown {
        let thought = (!thought.is_empty()).then(|| inline(&thought));
        let seen = fenced("text", &seen.join("\n"));
        let note = note.map(|note| inline(&note));
        let head = format!("## Step {number}: {}", code(action));
        let parts = [Some(head), thought, Some(seen), left, Some(told), note];
        return parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n") + "\n";
    }
    let mut out = format!("Step {number}: {action}  ({told})\n");
    if !thought.is_empty() {
        out += &format!("  {thought}\n");
    }
    for line in seen {
        out += &format!("    {line}\n");
    }
    if let Some(left) = left {
        out += &format!("    {left}\n");
    }
    if let Some(note) = note {
        out += &format!("  {note}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::Record;

    fn incident() -> Incident {
        let observation = Observation {
            text: "web-1 \u{1b}[31mError\u{1b}[0m\n````\nend".to_owned(),
            note: Some("showing 3 of 9 lines".to_owned()),
            ..Observation::default()
        };
        let step = Step {
            number: 1,
            thought: "look at it".to_owned(),
            tool: "kubectl".to_owned(),
            action: "kubectl get pods".to_owned(),
            observation,
            millis: 12,
        };
        Incident {
            id: "20261126-101500-7f3a".to_owned(),
            state: State::Unfinished,
            record: Record {
                time: Some("2026-11-26T10:15:00Z".parse().unwrap()),
                context: "prod".to_owned(),
                namespace: Some("shop".to_owned()),
                question: Some("why\nnow?".to_owned()),
                model: "gpt".to_owned(),
                server: "s:443".to_owned(),
                plugin_version: "1".to_owned(),
                prompt_version: "p1".to_owned(),
                ..Record::default()
            },
            turns: Vec::new(),
            steps: vec![step],
            snapshot: None,
            damage: vec!["the last line of turns.jsonl is cut off".to_owned()],
        }
    }

    #[test]
    fn a_run_without_an_end_shows_its_steps() {
        let expected = "\
Incident 20261126-101500-7f3a (unfinished: the run was killed, or could not be stored to its end)
  when      2026-11-26 10:15 UTC
  where     prod, namespace shop
  question  why now?
  model     gpt at s:443
  turns     0
  steps     1
  version   kubectl-react 1, prompt p1
  note      the last line of turns.jsonl is cut off

Step 1: kubectl get pods  (29 bytes, 12 ms)
  look at it
    web-1 Error
    ````
    end
  showing 3 of 9 lines
";
        assert_eq!(page(&incident(), false, false, &Style::default()), expected);
    }

    #[test]
    fn no_observation_ends_its_fence() {
        let page = page(&incident(), true, true, &Style::default());
        assert!(
            page.contains("## Step 1: `kubectl get pods`\n\nlook at it\n\n`````text\nweb-1 Error\n````\nend\n`````\n"),
            "{page}"
        );
        assert!(page.contains("- question: why now?\n"), "{page}");
    }

    #[test]
    fn no_word_of_an_incident_becomes_markup() {
        let attack = "@everyone [x](https://evil.example) `` <b>";
        let mut incident = incident();
        incident.record.question = Some(attack.to_owned());
        let step = &mut incident.steps[0];
        (step.thought, step.action, step.observation.note) =
            (attack.to_owned(), "kubectl get `pods`".to_owned(), Some(attack.to_owned()));
        let page = page(&incident, true, true, &Style::default());
        let harmless = r"`@everyone` `[x](https://evil.example)` \`\` \<b\>";
        assert_eq!(page.matches(harmless).count(), 3, "{page}");
        assert!(!page.contains(attack) && page.contains("## Step 1: `` kubectl get `pods` ``\n"), "{page}");
    }

    #[test]
    fn long_observations_are_cut_and_say_so() {
        let mut incident = incident();
        incident.steps[0].observation.text = "line\n".repeat(100);
        let short = page(&incident, false, false, &Style::default());
        assert!(short.contains("    … 60 more lines (--verbose)\n"), "{short}");
        let long = page(&incident, false, false, &Style { verbose: true, ..Style::default() });
        assert_eq!(long.matches("    line\n").count(), 100);
    }
}
