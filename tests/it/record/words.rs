//! A model's better words in a new runbook: what is taken, what is not, and that nothing depends on it.

use serde_json::{Value, json};

use super::team::{CANARY, Team};
use crate::agent::model_server::{Asked, ModelServer, Reply, calls, text};
use crate::forge::servers::GITHUB;

const FILE: &str = "runbooks/network/service-selects-nothing.md";
const MEANING: &str = "The Service asks for a label that none of the pods has, so its EndpointSlice stays empty and nobody is let through.";

fn team(model: Option<&ModelServer>) -> Team {
    let mut team = Team::new(GITHUB);
    team.env.push(("KUBECTL_REACT_FORGE_KIND", "none".to_owned()));
    if let Some(model) = model {
        team.env.push(("OPENAI_BASE_URL", model.url() + "/v1"));
        team.env.push(("OPENAI_API_KEY", "sk-of-a-test".to_owned()));
        team.env.push(("OPENAI_MODEL", "gpt-4o".to_owned()));
        team.env.push(("KUBECTL_REACT_MODEL_TOOLS", "native".to_owned()));
    }
    team
}

fn written(meaning: &str, impact: &str) -> Value {
    json!({
        "description": "Use when requests to a Service fail at once although its pods run and are ready.",
        "meaning": meaning, "impact": impact,
    })
}

/// The runbook as it is on its branch, and the message of its commit.
fn pushed(team: &Team) -> (String, String) {
    let branch = team.is_once();
    let show = |what: &str| team.git(&["-C", "team.git", "show", "-s", "--format=%B", what]);
    (team.git(&["-C", "team.git", "show", &format!("{branch}:{FILE}")]), show(&branch))
}

/// A runbook without what a model may have written.
fn facts(page: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let (mut fenced, mut heading) = (false, "");
    for line in page.lines() {
        fenced ^= line.starts_with("```");
        if line.starts_with('#') {
            heading = line;
        }
        let worded = ["## Meaning", "## Impact"].contains(&heading) && !fenced && !line.starts_with("```");
        let provenance = ["incidents:", "model:"].iter().any(|field| line.trim_start().starts_with(field));
        if !worded && !provenance && !line.starts_with("description:") && !line.starts_with("  ") {
            kept.push(line);
        }
    }
    kept
}

#[test]
fn words_are_taken_and_facts_stay() {
    let mut plain = team(None);
    plain.recorded(&["--yes"]);
    let (before, message) = pushed(&plain);
    assert!(!message.contains("Assisted-by"), "{message}");

    let impact = "Whoever calls the Service is refused at once; the pods themselves are idle.";
    let model = ModelServer::scripted(vec![calls(&[("write_prose", written(MEANING, impact))]).into()]);
    let mut team = team(Some(&model));
    team.recorded(&["--yes"]);
    let (page, message) = pushed(&team);
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [MEANING, impact, "Use when requests to a Service fail at once", "model: gpt-4o"] {
        assert!(flat.contains(part), "{part} is not in\n{page}");
    }
    assert_eq!(facts(&page), facts(&before));
    assert!(message.contains("Assisted-by: kubectl-react:gpt-4o"), "{message}");
    // Once it is on its branch it is not written anew: the script has no second turn.
    team.recorded(&["--yes"]);
    assert_eq!(pushed(&team).0, page);
    assert_eq!(model.asked().len(), 1);
    let sent = String::from_utf8(model.asked()[0].body.clone()).unwrap();
    assert!(!sent.contains(CANARY) && !sent.contains("shop-7") && sent.contains("$NAMESPACE"), "{sent}");
    team.is_clean();
}

#[test]
fn what_the_page_does_not_say_is_sent_back_once_and_left_out() {
    let first =
        written(MEANING, "The shop's Redis at redis-7 loses 40 % of its traffic; run `kubectl delete service`.");
    let again = |asked: &Asked| -> Reply {
        assert!(asked.last().contains("impact: "), "{}", asked.last());
        let second =
            written("Ignore the selector: kubectl delete it.", "Call Bob in Berlin, since he knows all of it.");
        calls(&[("write_prose", second)]).reply(asked)
    };
    let model = ModelServer::scripted(vec![calls(&[("write_prose", first)]).into(), Box::new(again)]);
    let mut team = team(Some(&model));
    let said = team.recorded(&["--yes"]);
    assert!(
        said.contains("note: of the model's words is not taken: impact: `Bob` does not stand in the runbook"),
        "{said}"
    );
    let (page, _) = pushed(&team);
    for word in ["Redis", "40 %", "Bob", "Berlin", "kubectl delete"] {
        assert!(!page.contains(word), "{word} is in\n{page}");
    }
    // What was right at first is kept.
    assert!(page.split_whitespace().collect::<Vec<_>>().join(" ").contains(MEANING), "{page}");
}

#[test]
fn a_runbook_is_written_whatever_the_model_does() {
    let table: [(&str, Vec<crate::agent::model_server::Turn>); 4] = [
        ("refuses our key", vec![Reply::json(401, &json!({"error": {"message": "no such key"}})).into()]),
        ("was not called", vec![text("I'd rather not.").into(), text("No.").into()]),
        ("letters", (0..2).map(|_| calls(&[("write_prose", json!({"meaning": 7}))]).into()).collect()),
        (
            "does not begin with",
            (0..2)
                .map(|_| {
                    calls(&[("write_prose", json!({"description": "The pods of a Service are not selected."}))]).into()
                })
                .collect(),
        ),
    ];
    for (told, script) in table {
        let model = ModelServer::scripted(script);
        let mut team = team(Some(&model));
        let said = team.recorded(&["--yes"]);
        assert!(said.contains("note: ") && said.contains(told), "{told}: {said}");
        let (page, message) = pushed(&team);
        assert!(!page.contains("model: gpt-4o") && !message.contains("Assisted-by"), "{page}{message}");
    }
    let model = ModelServer::scripted(Vec::new());
    let mut team = team(Some(&model));
    team.recorded(&["--yes", "--no-llm"]);
    assert_eq!(model.asked().len(), 0);
}
