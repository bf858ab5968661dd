//! What has texts that someone else wrote, for the redactor.
//!
//! *Invariant:* a new field that is not looked at does not compile where a struct is taken apart; JSON stays JSON.

use serde_json::Value;

use crate::model::chat::{ChatReply, ChatRequest, Message};
use crate::model::{Answer, Claim, Standing, StatedCause, SuggestedChange};

/// What has texts that someone else wrote.
pub trait Texts {
    /// Shows each of them.
    fn each_text(&mut self, show: &mut dyn FnMut(&mut String));
}

impl Texts for String {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut String)) {
        show(self);
    }
}

impl Texts for Answer {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut String)) {
        let Answer {
            summary,
            summary_standing,
            causes,
            changes,
            not_checked,
            undecided,
            confidence: _,
            contradictions,
        } = self;
        show(summary);
        of_standing(summary_standing, show);
        for StatedCause { statement, object, explains: _, claims, standing } in causes {
            show(statement);
            object.iter_mut().for_each(&mut *show);
            of_standing(standing, show);
            for Claim { text, step: _, quote, standing } in claims {
                show(text);
                show(quote);
                of_standing(standing, show);
            }
        }
        for SuggestedChange { line, purpose, refused, risks, dry_run } in changes {
            show(line);
            show(purpose);
            refused.iter_mut().chain(risks).for_each(&mut *show);
            if let Some(dry_run) = dry_run {
                show(&mut dry_run.said);
            }
        }
        not_checked.iter_mut().chain(undecided).chain(contradictions).for_each(show);
    }
}

fn of_standing(standing: &mut Standing, show: &mut dyn FnMut(&mut String)) {
    if let Standing::Unsupported { why } = standing {
        show(why);
    }
}

impl Texts for Value {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut String)) {
        strings(self, show);
    }
}

impl Texts for ChatRequest {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut String)) {
        for message in &mut self.messages {
            match message {
                Message::Assistant { text, calls } => {
                    show(text);
                    for call in calls {
                        arguments(&mut call.arguments, show);
                    }
                }
                Message::System { text } | Message::User { text } | Message::Tool { text, .. } => show(text),
            }
        }
    }
}

impl Texts for ChatReply {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut String)) {
        show(&mut self.text);
        for call in &mut self.calls {
            arguments(&mut call.arguments, show);
        }
    }
}

/// Shows each text of a call's arguments, so that JSON stays JSON.
fn arguments(json: &mut String, show: &mut dyn FnMut(&mut String)) {
    let Ok(mut value) = serde_json::from_str::<Value>(json) else { return show(json) };
    let before = value.clone();
    strings(&mut value, show);
    if value != before {
        *json = value.to_string();
    }
}

pub(super) fn strings(value: &mut Value, show: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => show(text),
        Value::Array(items) => items.iter_mut().for_each(|item| strings(item, show)),
        Value::Object(map) => map.values_mut().for_each(|item| strings(item, show)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
