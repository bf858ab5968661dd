//! The conversation: what was said, and how it is kept within the model's window.
//!
//! *Invariant:* a request never is larger than the window, as far as bytes tell; what has to go goes in this order: the
//! unimportant lines of old observations, then of all but the newest, then most of the brief. The lines that name an error
//! stay word for word, and the whole observation stays with the run, where quotes are looked for and where it is read again
//! when the model asks for it.

use std::collections::BTreeSet;

use super::shorten::shortened;
use crate::agent::budget;
use crate::agent::shape::{self, framed};
use crate::agent::start::{Known, Start};
use crate::agent::tools::FINISH;
use crate::model::chat::{Call, ChatReply, ChatRequest, Message};
use crate::model::{Observation, Step};

/// Tokens that are kept free for the reply.
const REPLY: u32 = 1_500;
/// As much narration as is kept.
const NARRATION: usize = 600;
/// Bytes of an old observation once it is shortened, and once more.
const SHORT: usize = 1_500;
const SHORTEST: usize = 300;
/// Observations that are shortened last.
const NEWEST: usize = 2;

/// What was said.
pub(super) struct Talk {
    messages: Vec<Message>,
    /// The step that the message at this place tells of.
    told: Vec<Option<usize>>,
    /// Tokens that fit, question and answer together.
    window: u32,
    /// Steps whose text a content filter refused.
    withheld: Vec<usize>,
    /// Steps that no longer stand here in full.
    lacking: BTreeSet<usize>,
    /// What the beginning tells.
    opening: Opening,
}

/// What the model is told first.
struct Opening {
    evidence: String,
    advice: String,
    /// As much of the question as a window holds.
    question: Option<String>,
}

/// What a content filter does not get again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withheld {
    /// What this step read.
    Step(usize),
    /// What the detectors quote.
    Evidence,
    /// The runbooks that fit.
    Advice,
}

impl Talk {
    pub(super) fn begin(start: &Start) -> Talk {
        let opening = Opening {
            evidence: start.brief.evidence.clone(),
            advice: start.brief.advice.clone(),
            question: start.question.as_ref().map(|question| shape::head(question, longest_question(start.window))),
        };
        let text = opening.text(start);
        let mut talk = Talk {
            messages: Vec::new(),
            told: Vec::new(),
            window: start.window,
            withheld: Vec::new(),
            lacking: BTreeSet::new(),
            opening,
        };
        talk.push(Message::System { text: start.system.clone() }, None);
        talk.push(Message::User { text }, None);
        talk
    }

    /// How many bytes of the question are asked, and of how many, where it is not all of them.
    pub(super) fn cut_question(&self, start: &Start) -> Option<(usize, usize)> {
        let (kept, whole) = (self.opening.question.as_ref()?, start.question.as_ref()?);
        (kept != whole).then_some((kept.len(), whole.len()))
    }

    fn push(&mut self, message: Message, step: Option<usize>) {
        self.messages.push(message);
        self.told.push(step);
    }

    /// Says something.
    pub(super) fn tell(&mut self, text: String) {
        self.push(Message::User { text }, None);
    }

    /// Takes down a reply; gives its calls, each with an id of its own.
    pub(super) fn heard(&mut self, reply: &ChatReply, turn: usize) -> Vec<Call> {
        let mut calls = reply.calls.clone();
        for (at, call) in calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                call.id = format!("call_{turn}_{at}");
            }
        }
        let text = shape::head(reply.text.trim(), NARRATION);
        if !text.is_empty() || !calls.is_empty() {
            self.push(Message::Assistant { text, calls: calls.clone() }, None);
        }
        calls
    }

    /// Answers a call with what is wrong about it.
    pub(super) fn refuse(&mut self, call: &Call, why: &str) {
        let text = why.to_owned();
        self.push(Message::Tool { id: call.id.clone(), name: call.name.clone(), text }, None);
    }

    /// Answers a call with what was seen.
    pub(super) fn observed(&mut self, call: &Call, step: &Step) {
        let text = framed(step.number, &step.action, &step.observation);
        self.lacking.remove(&step.number);
        self.push(Message::Tool { id: call.id.clone(), name: call.name.clone(), text }, Some(step.number));
    }

    /// Whether what a step read no longer stands here in full, though the model may have it.
    pub(super) fn lacks(&self, step: &Step) -> bool {
        self.lacking.contains(&step.number) && !self.withheld.contains(&step.number)
    }

    /// Takes out what was read last of what is still in: then what the detectors quote, then the runbooks.
    pub(super) fn withhold(&mut self, start: &Start) -> Option<Withheld> {
        let newest = self.told.iter().flatten().copied().filter(|step| !self.withheld.contains(step)).max();
        let Some(newest) = newest else { return self.withhold_opening(start) };
        self.withheld.push(newest);
        for at in 0..self.messages.len() {
            if self.told.get(at).copied().flatten() == Some(newest) {
                self.rewrite(at, |action| {
                    let text = "(the model's content filter refused this text; go on without it)".to_owned();
                    framed(newest, action, &Observation { text, ..Observation::default() })
                });
            }
        }
        Some(Withheld::Step(newest))
    }

    fn withhold_opening(&mut self, start: &Start) -> Option<Withheld> {
        let plain = objects(start);
        let withheld = if self.opening.evidence != plain {
            self.opening.evidence = plain;
            Withheld::Evidence
        } else if !self.opening.advice.is_empty() {
            self.opening.advice.clear();
            Withheld::Advice
        } else {
            return None;
        };
        self.open(start);
        Some(withheld)
    }

    /// Tells the beginning anew.
    fn open(&mut self, start: &Start) {
        let opening = self.opening.text(start);
        if let Some(Message::User { text }) = self.messages.get_mut(1) {
            *text = opening;
        }
    }

    /// The window is smaller than was thought: a request of so many bytes was refused.
    pub(super) fn shrink(&mut self, window: Option<u32>, refused: usize) {
        let refused = u32::try_from(budget::tokens(refused)).unwrap_or(u32::MAX);
        let smaller = self.window.min(refused) / 4 * 3;
        self.window = window.map_or(smaller, |window| window.min(smaller)).max(2 * REPLY);
    }

    /// No more than so many tokens are left, question and answer together.
    pub(super) fn bound(&mut self, tokens: u64) {
        self.window = self.window.min(u32::try_from(tokens).unwrap_or(u32::MAX)).max(2 * REPLY);
    }

    /// Tokens that fit, question and answer together.
    pub(super) fn window(&self) -> u32 {
        self.window
    }

    /// Tokens of the next request, as it would be now.
    pub(super) fn tokens(&self, start: &Start) -> u64 {
        let tools = serde_json::to_vec(&start.tools).map_or(0, |bytes| bytes.len());
        budget::tokens(self.size() + tools)
    }

    /// The next request, within the window.
    pub(super) fn request(&mut self, start: &Start, last: bool, steps: &[Step]) -> ChatRequest {
        let tools: Vec<_> = start.tools.iter().filter(|tool| !last || tool.name == FINISH).cloned().collect();
        let fixed = serde_json::to_vec(&tools).map_or(0, |bytes| bytes.len());
        let room = (self.window.saturating_sub(REPLY) as usize * 3).saturating_sub(fixed);
        self.fit(room, start, steps);
        let longest = self.window / 4;
        ChatRequest {
            messages: self.messages.clone(),
            tools,
            must_call: last.then(|| FINISH.to_owned()),
            max_output_tokens: Some(longest.clamp(REPLY, 4_000)),
        }
    }

    fn size(&self) -> usize {
        let calls = |message: &Message| match message {
            Message::Assistant { calls, .. } => calls.iter().map(|call| call.arguments.len() + 60).sum(),
            _ => 0,
        };
        self.messages.iter().map(|message| message.text().len() + calls(message) + 30).sum()
    }

    /// Shortens what matters least until it fits.
    fn fit(&mut self, room: usize, start: &Start, steps: &[Step]) {
        let told: Vec<(usize, usize)> =
            self.told.iter().enumerate().filter_map(|(at, step)| Some((at, (*step)?))).collect();
        let old = told.len().saturating_sub(NEWEST);
        let passes = [(old, SHORT), (old, SHORTEST), (told.len(), SHORT), (told.len(), SHORTEST)];
        for (count, most) in passes {
            for (at, number) in told.iter().take(count) {
                if self.size() <= room {
                    return;
                }
                let Some(step) = steps.iter().find(|step| step.number == *number) else { continue };
                if self.withheld.contains(number) {
                    continue;
                }
                let short = shortened(&step.observation, most);
                // A step that was shown again stands here twice.
                if short != step.observation && !told.iter().any(|(later, other)| later > at && other == number) {
                    self.lacking.insert(*number);
                }
                self.rewrite(*at, |action| framed(*number, action, &short));
            }
        }
        let evidence = self.opening.evidence.clone();
        for share in [2, 4, 8, 16] {
            if self.size() <= room {
                return;
            }
            self.opening.evidence = shape::head(&evidence, evidence.len() / share);
            self.opening.advice.clear();
            self.open(start);
        }
        // All else is short: the oldest exchanges go, a call and its answers together.
        while self.size() > room && self.messages.len() > 4 {
            let end = (3..self.messages.len())
                .find(|at| !matches!(self.messages.get(*at), Some(Message::Tool { .. })))
                .unwrap_or(self.messages.len());
            if end >= self.messages.len() {
                break;
            }
            self.messages.drain(2..end);
            self.lacking.extend(self.told.drain(2..end).flatten());
        }
    }

    /// Tells what a step read in another way.
    fn rewrite(&mut self, at: usize, text: impl Fn(&str) -> String) {
        if let Some(Message::Tool { text: now, .. }) = self.messages.get_mut(at) {
            let action = now.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, action)| action);
            *now = text(action);
        }
    }
}

impl Opening {
    fn text(&self, start: &Start) -> String {
        let evidence = shape::unframed(&self.evidence);
        let mut text =
            format!("What the detectors read and proved:\n<observation step=\"0\">\n{evidence}</observation>\n");
        if !self.advice.is_empty() {
            text.push_str(&format!("\nRunbooks that fit:\n{}", shape::unframed(&self.advice)));
        }
        text.push('\n');
        text.push_str(&match &self.question {
            Some(question) => format!("The engineer asks: {question}"),
            None if start.explain_only => "Explain it.".to_owned(),
            None if start.causes.is_empty() => "Find out what is broken, as far as it can be read.".to_owned(),
            None => {
                "Find out what lies behind these causes, as far as it is not clear, and say what fixes them.".to_owned()
            }
        });
        text
    }
}

/// Bytes of a question at most: a quarter of what the window holds, by three for a token.
fn longest_question(window: u32) -> usize {
    window as usize * 3 / 4
}

/// The causes without anybody's words: what is left where a filter refuses what was quoted.
fn objects(start: &Start) -> String {
    let line = |(at, known): (usize, &Known)| format!("cause {}: {}\n", at + 1, known.object);
    start.causes.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::start;

    fn step(number: usize, text: String) -> Step {
        let observation = Observation { text, ..Observation::default() };
        Step {
            number,
            tool: "kubectl".to_owned(),
            action: "kubectl get pods".to_owned(),
            observation,
            ..Step::default()
        }
    }

    fn call(number: usize) -> Call {
        Call { id: format!("c{number}"), name: "kubectl".to_owned(), arguments: "{}".to_owned() }
    }

    fn tokens(request: &ChatRequest) -> usize {
        serde_json::to_vec(request).unwrap().len() / 3
    }

    #[test]
    fn a_request_fits_the_window_and_the_telling_lines_stay() {
        let mut start = start();
        start.window = 8_000;
        start.brief.evidence = "cause 1 [critical] deployment/web -n shop: it fails\n".repeat(400);
        let mut talk = Talk::begin(&start);
        let mut steps = Vec::new();
        for number in 1..=20 {
            let mut text =
                (0..200).map(|line| format!("{number} all quiet on line {line}\n")).collect::<Vec<_>>().concat();
            text.push_str("FATAL: password authentication failed for user shop\n");
            let step = step(number, text);
            talk.heard(&ChatReply { calls: vec![call(number)], ..ChatReply::default() }, number);
            talk.observed(&call(number), &step);
            steps.push(step);
            let request = talk.request(&start, false, &steps);
            assert!(tokens(&request) <= 8_000, "{} at {number}", tokens(&request));
            let seen: String = request.messages.iter().map(|message| message.text().to_owned() + "\n").collect();
            assert!(seen.contains("FATAL: password authentication failed"), "{number}");
        }
    }

    #[test]
    fn each_call_keeps_its_answer() {
        let mut start = start();
        start.window = 3_100;
        let mut talk = Talk::begin(&start);
        let mut steps = Vec::new();
        for number in 1..=30 {
            let step = step(number, "x ".repeat(900));
            talk.heard(&ChatReply { calls: vec![call(number)], text: "w".repeat(500), ..ChatReply::default() }, number);
            talk.observed(&call(number), &step);
            steps.push(step);
        }
        let request = talk.request(&start, false, &steps);
        let asked: Vec<&str> = request
            .messages
            .iter()
            .flat_map(|message| match message {
                Message::Assistant { calls, .. } => calls.iter().map(|call| call.id.as_str()).collect(),
                _ => Vec::new(),
            })
            .collect();
        let answered: Vec<&str> = request
            .messages
            .iter()
            .filter_map(|message| match message {
                Message::Tool { id, .. } => Some(id.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(asked, answered);
        assert!(!asked.is_empty() && asked.len() < 30, "{asked:?}");
        assert!(matches!(request.messages.first(), Some(Message::System { .. })));
    }

    #[test]
    fn what_a_filter_refuses_goes_newest_first() {
        let start = start();
        let mut talk = Talk::begin(&start);
        for number in 1..=2 {
            talk.heard(&ChatReply { calls: vec![call(number)], ..ChatReply::default() }, number);
            talk.observed(&call(number), &step(number, format!("bad words {number}")));
        }
        assert_eq!(talk.withhold(&start), Some(Withheld::Step(2)));
        let texts = |talk: &Talk| talk.messages.iter().map(|message| message.text().to_owned()).collect::<String>();
        assert!(texts(&talk).contains("bad words 1") && !texts(&talk).contains("bad words 2"));
        assert_eq!(talk.withhold(&start), Some(Withheld::Step(1)));
        assert!(texts(&talk).contains("no such host") && texts(&talk).contains("network/db.md"));
        assert_eq!(talk.withhold(&start), Some(Withheld::Evidence));
        assert!(!texts(&talk).contains("no such host") && texts(&talk).contains("cause 1: Deployment shop/web"));
        assert_eq!(talk.withhold(&start), Some(Withheld::Advice));
        assert!(!texts(&talk).contains("network/db.md"));
        assert_eq!(talk.withhold(&start), None);
    }
}
