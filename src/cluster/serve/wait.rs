//! `kubectl wait`: looks once whether what is waited for is there. It never waits.

use serde_json::Value;

use super::error::ServeError;
use super::jsonpath;
use super::source::{Type, said};
use super::value::{items, name, text};
use super::{Answer, Server};
use crate::kubectl::Line;

const MOST: usize = 500;

pub(super) async fn wait(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let wanted = line.flag("for").unwrap_or_default();
    let mut answer = Answer { prose: true, ..Answer::default() };
    let which = server.which(line);
    for target in line.targets() {
        let of = server.source.type_of(&target.kind).await?;
        let objects = match &target.name {
            Some(name) => match server.source.object(&of, which.namespace.as_deref().unwrap_or_default(), name).await {
                Ok(object) => vec![object],
                Err(ServeError::NotFound { .. }) if matches!(wanted, "delete" | "create") => {
                    let met = wanted == "delete";
                    answer.text.push_str(&format!("{}: {}\n", said(&target), verdict(met, "it is not there")));
                    continue;
                }
                Err(error) => return Err(error),
            },
            None => server.source.list(&of, &which, MOST).await?.items,
        };
        if objects.is_empty() {
            answer.text.push_str(&Server::nothing(std::slice::from_ref(&of), which.namespace.as_deref()));
        }
        for object in &objects {
            answer.text.push_str(&one(&of, object, wanted)?);
        }
    }
    Ok(answer.noted("looked once: nothing is waited for"))
}

fn verdict(met: bool, why: &str) -> String {
    format!("condition {}met ({why})", if met { "" } else { "not " })
}

fn one(of: &Type, object: &Value, wanted: &str) -> Result<String, ServeError> {
    let said = match wanted {
        "delete" => verdict(false, "it is there"),
        "create" => verdict(true, "it is there"),
        _ => match wanted.split_once('=') {
            Some(("condition", condition)) => self::condition(object, condition),
            Some(("jsonpath", rest)) => {
                let (path, value) = match rest.rsplit_once("}=") {
                    Some((path, value)) => (format!("{path}}}"), Some(value)),
                    None => (rest.to_owned(), None),
                };
                let is = jsonpath::joined(&jsonpath::path(&path)?, object);
                let met = match value {
                    Some(value) => is.as_deref() == Some(value.trim_matches(['"', '\''])),
                    None => is.is_some(),
                };
                verdict(met, &is.map_or_else(|| "it has no value there".to_owned(), |is| format!("it is {is}")))
            }
            _ => return Err(ServeError::bad("`--for`", "use `condition=…`, `jsonpath=…`, `delete` or `create`")),
        },
    };
    Ok(format!("{}/{}: {said}\n", of.argument(), name(object)))
}

fn condition(object: &Value, wanted: &str) -> String {
    let (kind, status) = wanted.split_once('=').unwrap_or((wanted, "True"));
    let found = items(object, "status.conditions").iter().find(|c| text(c, "type").eq_ignore_ascii_case(kind));
    let Some(found) = found else { return verdict(false, &format!("it has no condition {kind}")) };
    let is = text(found, "status");
    let mut why = format!("{}={is}", text(found, "type"));
    for part in [text(found, "reason"), text(found, "message")] {
        if !part.is_empty() {
            why.push_str(": ");
            why.push_str(part);
        }
    }
    verdict(is.eq_ignore_ascii_case(status), &why)
}
