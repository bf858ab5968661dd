//! What the agent found out, after what the detectors proved: each claim with the words that prove it, and a mark on what
//! nothing proves.

use super::{INDENT, Page};
use crate::model::{Answer, Claim, Confidence, Ended, Exploration, Standing, StatedCause, SuggestedChange};
use crate::output::{Style, prose, words};

impl Page {
    /// What the agent found out; where its steps and notes were followed as they came, they are not told again.
    pub(super) fn exploration(&mut self, exploration: &Exploration, followed: bool) {
        let paint = self.paint;
        self.out.push('\n');
        let title = format!("AGENT     {}", words::explorer(exploration));
        self.wrapped(&title, "", &" ".repeat(INDENT), |text| paint.bold(text));
        if let Some(question) = &exploration.question {
            self.labelled("asked", question);
        }
        if self.verbose && !followed {
            self.steps(exploration);
        }
        if let Some(answer) = &exploration.answer {
            self.answer(answer, exploration);
        }
        for note in exploration.notes.iter().filter(|_| !followed) {
            self.labelled("note", note);
        }
        if !exploration.usage.model.is_empty() {
            self.wrapped(&words::cost(&exploration.usage), "  ", "  ", |text| paint.dim(text));
        }
        if let Some(incident) = &exploration.incident {
            let shown = format!("  kubectl react incidents show {incident}");
            self.line(&paint.dim(&shown));
        }
    }

    fn steps(&mut self, exploration: &Exploration) {
        for step in &exploration.steps {
            let end = if step.observation.failed { ", failed" } else { "" };
            let size = words::size(step.observation.text.len());
            self.labelled(&format!("step {}", step.number), &format!("{} ({size}{end})", step.action));
            for line in step.observation.text.lines() {
                self.line(&format!("{}{line}", " ".repeat(INDENT)));
            }
            if let Some(note) = &step.observation.note {
                self.beneath(note);
            }
        }
    }

    fn answer(&mut self, answer: &Answer, exploration: &Exploration) {
        let style = Style { color: self.paint.colors(), width: self.width, verbose: self.verbose };
        self.out.push_str(&prose::answer(&answer.summary, &style, INDENT));
        if let Standing::Unsupported { why } = &answer.summary_standing {
            self.labelled_as(&self.paint.warn("unproven"), "unproven", &format!("the summary: {why}"));
        }
        for cause in &answer.causes {
            self.stated(cause, exploration);
        }
        for contradiction in &answer.contradictions {
            let mark = self.paint.warn("against");
            self.labelled_as(&mark, "against", &format!("the detectors: {contradiction}"));
        }
        if let Some(undecided) = &answer.undecided {
            self.labelled("open", &format!("would decide it: {undecided}"));
        }
        for missing in &answer.not_checked {
            self.labelled("unread", missing);
        }
        if answer.confidence < Confidence::High || exploration.ended != Ended::Answered {
            self.labelled("sure", words::confidence(answer.confidence));
        }
        if !answer.changes.is_empty() {
            let paint = self.paint;
            self.wrapped(words::SUGGESTED, "  ", "  ", |text| paint.dim(text));
        }
        for change in &answer.changes {
            self.change(change);
        }
    }

    fn stated(&mut self, cause: &StatedCause, exploration: &Exploration) {
        let (mark, word) = match &cause.standing {
            Standing::Supported => (self.paint.good("proven"), "proven"),
            Standing::Unsupported { .. } | Standing::Unchecked => (self.paint.warn("unproven"), "unproven"),
        };
        let object = cause.object.as_ref().map(|object| format!(" ({object})")).unwrap_or_default();
        self.labelled_as(&mark, word, &format!("{}{object}", cause.statement));
        if let Standing::Unsupported { why } = &cause.standing {
            self.beneath(&format!("unsupported: {why}"));
        }
        for claim in &cause.claims {
            self.claim(claim, exploration);
        }
    }

    fn claim(&mut self, claim: &Claim, exploration: &Exploration) {
        let room = (self.width - INDENT) * 3;
        let quote = if self.verbose { claim.quote.clone() } else { super::cut(&claim.quote, room) };
        match &claim.standing {
            Standing::Supported => {
                self.labelled("", &format!("\"{quote}\""));
                let source = match exploration.steps.iter().find(|step| step.number == claim.step) {
                    Some(step) => format!("step {}: {}", step.number, step.action),
                    None => "the detectors".to_owned(),
                };
                self.beneath(&format!("{}, {source}", claim.text));
            }
            Standing::Unsupported { why } => {
                self.beneath(&format!("unsupported: {} (\"{quote}\": {why})", claim.text));
            }
            Standing::Unchecked => self.beneath(&format!("unsupported: {}", claim.text)),
        }
    }

    fn change(&mut self, change: &SuggestedChange) {
        self.purpose(&change.purpose);
        if let Some(why) = &change.refused {
            let text = format!("not a command that can be pasted ({why}): {}", change.line);
            self.wrapped(&text, "  # ", "  # ", str::to_owned);
            return;
        }
        self.line(&format!("  {}", self.paint.act(&change.line)));
        for risk in &change.risks {
            self.wrapped(risk, "  # mind: ", "  #       ", str::to_owned);
        }
        if let Some(run) = &change.dry_run {
            self.wrapped(&words::dry_run(run), "  # dry run: ", "  #          ", str::to_owned);
        }
    }
}
