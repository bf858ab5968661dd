//! A model that follows the script of a trajectory: it calls what stands there, and quotes what it was shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;
use serde_json::{Value, json};

use crate::model_server::{Asked, ModelServer, Reply, calls, text};
use crate::trajectory::{Call, Case, Finish};

/// The server of such a model.
pub(crate) struct Player {
    server: ModelServer,
    heard: Arc<Mutex<Heard>>,
}

/// What the model was shown, by step, as it was when it came: later it may be shortened.
#[derive(Default)]
struct Heard {
    steps: BTreeMap<usize, String>,
    called: usize,
    answered: usize,
}

impl Player {
    /// Begins to follow a script.
    pub(crate) fn new(case: &Case) -> Player {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (script, answers) = (case.script.clone(), [Some(case.finish.clone()), case.again.clone()]);
        let answers: Vec<Finish> = answers.into_iter().flatten().collect();
        let hears = Arc::clone(&heard);
        let server = ModelServer::by(move |asked| {
            let mut heard = hears.lock().unwrap_or_else(PoisonError::into_inner);
            heard.turn(asked, &script, &answers)
        });
        Player { server, heard }
    }

    /// Its address, as `OPENAI_BASE_URL` wants it.
    pub(crate) fn url(&self) -> String {
        self.server.url() + "/v1"
    }

    /// The bodies of all requests.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.server.asked().iter().map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect()
    }

    /// What step 0 said: what the detectors proved.
    pub(crate) fn opening(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.steps.get(&0).cloned().unwrap_or_default()
    }
}

impl Heard {
    fn turn(&mut self, asked: &Asked, script: &[Call], answers: &[Finish]) -> Reply {
        let body = asked.json();
        for message in body["messages"].as_array().into_iter().flatten() {
            self.listen(message["content"].as_str().unwrap_or_default());
        }
        let offered = |name: &str| {
            let tools = body["tools"].as_array().into_iter().flatten();
            tools.into_iter().any(|tool| tool["function"]["name"] == name)
        };
        if let Some(call) = script.get(self.called).filter(|call| offered(&call.tool)) {
            self.called += 1;
            let newest = self.steps.keys().next_back().copied().unwrap_or_default();
            let arguments = self.arguments(call, newest);
            return calls(&[(&call.tool, arguments)])
                .saying(&format!("Step {} of the script.", self.called))
                .reply(asked);
        }
        let answer = answers.get(self.answered).or(answers.last());
        self.answered += 1;
        match answer {
            Some(answer) if offered("finish") => calls(&[("finish", self.finish(answer))]).reply(asked),
            _ => text("nothing to say").reply(asked),
        }
    }

    /// Keeps the observations of a message that it did not know.
    fn listen(&mut self, text: &str) {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("<observation step=\"") {
            let Some((number, after)) = after.split_once("\">\n") else { return };
            let (seen, after) = after.split_once("</observation>").unwrap_or((after, ""));
            if let Ok(number) = number.parse() {
                self.steps.entry(number).or_insert_with(|| seen.to_owned());
            }
            rest = after;
        }
    }

    fn arguments(&self, call: &Call, newest: usize) -> Value {
        match call.tool.as_str() {
            "kubectl" if call.grep.is_empty() => json!({"command": self.fill(&call.command, newest)}),
            "kubectl" => json!({"command": self.fill(&call.command, newest), "grep": call.grep}),
            "search_runbooks" => json!({"query": call.query}),
            "read_runbook" => json!({"path": call.path}),
            "read_more" => json!({"step": call.step, "from": call.from}),
            other => panic!("no tool is called {other}"),
        }
    }

    fn finish(&self, answer: &Finish) -> Value {
        let claims = |claims: &[crate::trajectory::Claim]| -> Vec<Value> {
            let claim = |claim: &crate::trajectory::Claim| json!({"text": claim.text, "step": claim.step, "quote": self.fill(&claim.quote, claim.step)});
            claims.iter().map(claim).collect()
        };
        let causes = answer.causes.iter().map(|cause| {
            json!({
                "statement": cause.statement, "object": cause.object, "explains": cause.explains,
                "claims": claims(&cause.claims),
            })
        });
        let changes = answer.changes.iter().map(|change| json!({"line": change.line, "purpose": change.purpose}));
        json!({
            "summary": answer.summary, "causes": causes.collect::<Vec<_>>(), "changes": changes.collect::<Vec<_>>(),
            "not_checked": answer.not_checked, "undecided": answer.undecided, "confidence": answer.confidence,
        })
    }

    /// With what `{re:…}` finds in a step. What finds nothing stays, so that the test shows it.
    fn fill(&self, template: &str, step: usize) -> String {
        let Some((before, rest)) = template.split_once("{re:") else { return template.to_owned() };
        let Some((expression, after)) = closed(rest) else { return template.to_owned() };
        let regex = Regex::new(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let seen = self.steps.get(&step).map_or("", String::as_str);
        match regex.find(seen) {
            Some(found) => format!("{before}{}{after}", found.as_str()),
            None => template.to_owned(),
        }
    }
}

/// Divides at the brace that closes an expression: it may hold pairs of its own.
fn closed(text: &str) -> Option<(&str, &str)> {
    let mut open = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => open += 1,
            '}' if open == 0 => return Some((text.get(..at)?, text.get(at + 1..)?)),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}
