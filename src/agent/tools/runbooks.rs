//! The tools `search_runbooks` and `read_runbook`: what the team wrote for cases like this.
//!
//! *Invariant:* a runbook says what to do and proves nothing about the cluster. Only what the library serves (merged, or
//! built in) can be read.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Output, Tool, ToolError, text};
use crate::model::chat::ToolSpec;
use crate::retrieve::Query;
use crate::retriever::Retriever;

/// Looks for runbooks.
pub struct SearchRunbooks(pub Arc<Retriever>);

/// Reads one.
pub struct ReadRunbook(pub Arc<Retriever>);

/// As much of a passage as a list shows.
const PASSAGE: usize = 300;

impl Tool for SearchRunbooks {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "search_runbooks".to_owned(),
            description: "Finds the team's runbooks by symptom, error message, alert name or reason.".to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {"query": {"type": "string", "description": "the symptom in a few words"}},
                "required": ["query"],
                "additionalProperties": false,
            }),
        }
    }

    fn told(&self, arguments: &Value) -> String {
        format!("search_runbooks \"{}\"", text(arguments, "query").unwrap_or_default())
    }

    fn call<'a>(&'a self, arguments: &'a Value) -> BoxFuture<'a, Result<Output, ToolError>> {
        let reply = match text(arguments, "query") {
            None => Err(ToolError::new("no `query`")),
            // Ranking is a matter of milliseconds, and the model of sentences is in the process.
            Some(query) => tokio::task::block_in_place(|| search(&self.0, query)),
        };
        Box::pin(async move { reply })
    }

    fn proves(&self) -> bool {
        false
    }
}

fn search(retriever: &Retriever, query: &str) -> Result<Output, ToolError> {
    let answer = retriever.search(&Query::from_text(query)).map_err(|error| ToolError::new(error.to_string()))?;
    if answer.abstained {
        return Ok(Output {
            text: format!("no runbook matches (best {:.2}, needed {:.2})", answer.confidence, answer.threshold),
            note: None,
        });
    }
    let mut text = String::new();
    for hit in &answer.hits {
        let passage = crate::agent::shape::head(&hit.passage.replace('\n', " "), PASSAGE);
        text.push_str(&format!(
            "{:.2}  {}@{}  {}\n      {}: {passage}\n",
            hit.score, hit.place.path, hit.place.commit, hit.title, hit.heading
        ));
    }
    Ok(Output { text, note: Some("read one with read_runbook".to_owned()) })
}

impl Tool for ReadRunbook {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_runbook".to_owned(),
            description: "Shows one runbook, by the path that search_runbooks or step 0 names.".to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {"path": {"type": "string", "description": "its path or its name"}},
                "required": ["path"],
                "additionalProperties": false,
            }),
        }
    }

    fn told(&self, arguments: &Value) -> String {
        format!("read_runbook {}", text(arguments, "path").unwrap_or_default())
    }

    fn call<'a>(&'a self, arguments: &'a Value) -> BoxFuture<'a, Result<Output, ToolError>> {
        let wanted = text(arguments, "path").unwrap_or_default();
        let wanted = wanted.split_once('@').map_or(wanted, |(path, _)| path);
        let named = |path: &str| {
            path == wanted || path.rsplit('/').next().and_then(|file| file.strip_suffix(".md")) == Some(wanted)
        };
        let place = self.0.places().iter().find(|place| named(&place.path));
        let reply = place.and_then(|place| Some((place, self.0.bytes(place)?)));
        let reply =
            match reply {
                Some((place, bytes)) => Ok(Output {
                    text: String::from_utf8_lossy(&bytes).into_owned(),
                    note: Some(format!("{}@{}", place.path, place.commit)),
                }),
                None => Err(ToolError::new(format!("there is no runbook `{wanted}`"))
                    .hinted("look for it with search_runbooks")),
            };
        Box::pin(async move { reply })
    }

    fn proves(&self) -> bool {
        false
    }
}
