//! What is sent in each mode, and what is read back.

use serde_json::json;

use super::*;
use crate::model::chat::ToolSpec;

fn tool(name: &str, properties: Value) -> ToolSpec {
    let required: Vec<String> = properties.as_object().unwrap().keys().take(1).cloned().collect();
    let parameters = json!({"type": "object", "properties": properties, "required": required});
    ToolSpec { name: name.to_owned(), description: format!("about {name}"), parameters }
}

fn request() -> ChatRequest {
    ChatRequest {
        messages: vec![
            Message::System { text: "rules".to_owned() },
            Message::User { text: "why?".to_owned() },
            Message::Assistant {
                text: "look".to_owned(),
                calls: vec![Call {
                    id: "a".to_owned(),
                    name: "kubectl".to_owned(),
                    arguments: r#"{"command":"kubectl get pods"}"#.to_owned(),
                }],
            },
            Message::Tool { id: "a".to_owned(), name: "kubectl".to_owned(), text: "No resources found".to_owned() },
            Message::User { text: "go on".to_owned() },
        ],
        tools: vec![
            tool("kubectl", json!({"command": {"type": "string"}})),
            tool("finish", json!({"summary": {"type": "string"}, "sure": {"type": "boolean"}})),
        ],
        ..ChatRequest::default()
    }
}

#[test]
fn native_is_what_the_api_has() {
    let mut request = request();
    let body = Value::Object(encode(&request, Mode::Native));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "rules"},
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": "look", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "kubectl", "arguments": "{\"command\":\"kubectl get pods\"}"}}
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "No resources found"},
            {"role": "user", "content": "go on"},
        ])
    );
    assert_eq!((body["tools"].as_array().unwrap().len(), &body["tool_choice"]), (2, &json!("auto")));
    assert_eq!(body["tools"][0]["function"]["name"], "kubectl");
    request.must_call = Some("finish".to_owned());
    let body = Value::Object(encode(&request, Mode::Native));
    assert_eq!(body["tool_choice"], json!({"type": "function", "function": {"name": "finish"}}));
    request.tools.clear();
    let body = encode(&request, Mode::Native);
    assert!(!body.contains_key("tools") && !body.contains_key("tool_choice"));
}

#[test]
fn broken_arguments_go_back_as_an_object() {
    let mut request = request();
    for (arguments, sent) in [("{\"a", "{\"input\":\"{\\\"a\"}"), ("", "{}"), ("[1]", "{\"input\":\"[1]\"}")] {
        let call = Call { id: "a".into(), name: "kubectl".into(), arguments: arguments.into() };
        request.messages = vec![Message::Assistant { text: String::new(), calls: vec![call] }];
        let body = Value::Object(encode(&request, Mode::Native));
        assert_eq!(body["messages"][0]["tool_calls"][0]["function"]["arguments"], sent);
    }
}

#[test]
fn without_tools_of_its_own_a_server_reads_a_conversation() {
    let request = request();
    let body = Value::Object(encode(&request, Mode::Schema));
    let roles = |body: &Value| -> Vec<String> {
        body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["role"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(roles(&body), ["system", "user", "assistant", "user"]);
    assert!(body["messages"][0]["content"].as_str().unwrap().starts_with("rules\n\nReply with one JSON object"));
    let said: Value = serde_json::from_str(body["messages"][2]["content"].as_str().unwrap()).unwrap();
    assert_eq!(said, json!({"thought": "look", "tool": "kubectl", "arguments": {"command": "kubectl get pods"}}));
    assert_eq!(body["messages"][3]["content"], "Observation (kubectl):\nNo resources found\n\ngo on");
    let format = &body["response_format"]["json_schema"];
    assert_eq!(format["schema"]["properties"]["tool"]["enum"], json!(["kubectl", "finish"]));
    assert_eq!(format["schema"]["properties"]["arguments"]["anyOf"].as_array().unwrap().len(), 2);
    // Not each object of these tools is closed.
    assert_eq!(format["strict"], false);
    assert!(body.get("tools").is_none());

    let body = Value::Object(encode(&request, Mode::Text));
    assert_eq!(roles(&body), ["system", "user", "assistant", "user"]);
    assert_eq!(
        body["messages"][2]["content"],
        "Thought: look\nAction: kubectl\nAction Input: {\"command\":\"kubectl get pods\"}"
    );
    assert_eq!(body["stop"][0], "Observation:");
}

#[test]
fn where_it_must_call_nothing_else_is_offered() {
    let mut request = request();
    request.must_call = Some("finish".to_owned());
    request.tools[1].parameters["additionalProperties"] = false.into();
    request.tools[1].parameters["required"] = json!(["summary", "sure"]);
    let body = Value::Object(encode(&request, Mode::Schema));
    let format = &body["response_format"]["json_schema"];
    assert_eq!(format["schema"]["properties"]["tool"]["enum"], json!(["finish"]));
    assert_eq!(
        (&format["schema"]["properties"]["arguments"], &format["strict"]),
        (&request.tools[1].parameters, &json!(true))
    );
    request.tools.clear();
    for mode in [Mode::Schema, Mode::Text] {
        let body = encode(&request, mode);
        assert!(!body.contains_key("response_format") && !body.contains_key("stop"));
        assert_eq!(body["messages"][0]["content"], "rules");
    }
}

/// A mode, what was said, and the words and calls that it comes to.
type Row<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);

const GET: (&str, &str) = ("kubectl", r#"{"command":"kubectl get pods"}"#);

#[test]
fn calls_are_read_in_whatever_form_they_come() {
    let table: &[Row<'_>] = &[
        ("native", "All is well.", "All is well.", &[]),
        ("native", "Try `kubectl get pods`.", "Try `kubectl get pods`.", &[]),
        ("native", "{\"status\": \"ok\"}", "{\"status\": \"ok\"}", &[]),
        (
            "native",
            "See {\"name\": \"unknown\", \"arguments\": {}}",
            "See {\"name\": \"unknown\", \"arguments\": {}}",
            &[],
        ),
        ("native", "<think>hm {\"tool\": \"finish\"}</think>Yes", "Yes", &[]),
        ("native", "<think>never closed", "", &[]),
        (
            "native",
            "Look:\n<tool_call>\n{\"name\": \"kubectl\", \"arguments\": {\"command\":\"kubectl get pods\"}}\n</tool_call>",
            "Look:",
            &[GET],
        ),
        (
            "native",
            "<tool_call>{\"name\":\"kubectl\",\"arguments\":{\"command\":\"kubectl get pods\"}}</tool_call><tool_call>{\"name\":\"finish\",\"arguments\":\"done\"}</tool_call>",
            "",
            &[GET, ("finish", r#"{"summary":"done"}"#)],
        ),
        (
            "native",
            "```json\n{\"name\": \"kubectl\", \"parameters\": {\"command\":\"kubectl get pods\"}}\n```",
            "",
            &[GET],
        ),
        (
            "native",
            "{\"tool_calls\": [{\"function\": {\"name\": \"kubectl\", \"arguments\": \"{\\\"command\\\":\\\"kubectl get pods\\\"}\"}}]}",
            "",
            &[GET],
        ),
        (
            "schema",
            "{\"thought\": \"why\", \"tool\": \"kubectl\", \"arguments\": {\"command\":\"kubectl get pods\"}}",
            "why",
            &[GET],
        ),
        ("schema", "{\"thought\": \"why\", \"tool\": \"kubectl\", \"arguments\": \"kubectl get pods\"}", "why", &[GET]),
        ("schema", "{\"thought\": \"why\", \"tool\": \"kubectl\", \"command\": \"kubectl get pods\"}", "why", &[GET]),
        ("schema", "{\"thought\": \"cut of", "{\"thought\": \"cut of", &[]),
        ("schema", "```sh\nkubectl get pods\n```", "", &[GET]),
        (
            "text",
            "Thought: look\nAction: kubectl\nAction Input: {\"command\":\"kubectl get pods\"}\nObservation: all is well\nThought: so",
            "look",
            &[GET],
        ),
        ("text", "Thought: look\nAction: kubectl\nAction Input: kubectl get pods", "look", &[GET]),
        (
            "text",
            "**Thought:** look\n**Action:** `kubectl`\n**Action Input:**\n```sh\nkubectl get pods\n```",
            "look",
            &[GET],
        ),
        ("text", "Action: kubectl get pods", "", &[GET]),
        ("text", "Action: finish(\"done\")", "", &[("finish", r#"{"summary":"done"}"#)]),
        (
            "text",
            "Thought: sure\nFinal Answer: it is the quota",
            "sure",
            &[("finish", r#"{"summary":"it is the quota"}"#)],
        ),
        (
            "text",
            "Final Answer: {\"summary\": \"x\", \"sure\": true}",
            "",
            &[("finish", r#"{"summary": "x", "sure": true}"#)],
        ),
        ("text", "I would run\n$ kubectl get pods\nnow", "I would run", &[GET]),
        ("text", "Action: delete\nAction Input: x", "Action: delete\nAction Input: x", &[]),
        (
            "text",
            "Action: kubectl\nAction Input: kubectl get pods -o jsonpath={.items}",
            "",
            &[("kubectl", r#"{"command":"kubectl get pods -o jsonpath={.items}"}"#)],
        ),
        ("text", "größer {→ „Action“", "größer {→ „Action“", &[]),
        ("text", "", "", &[]),
    ];
    let request = request();
    for (mode, said, words, expected) in table {
        let (text, calls) = decode(&request, mode.parse().unwrap(), said, Vec::new());
        let found: Vec<(&str, &str)> = calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!((text.as_str(), found.as_slice()), (*words, *expected), "{mode}: {said}");
    }
}

#[test]
fn where_there_is_no_choice_the_name_may_lack() {
    let mut request = request();
    request.must_call = Some("finish".to_owned());
    let (_, calls) = decode(&request, Mode::Schema, "{\"summary\": \"x\"}", Vec::new());
    assert_eq!((calls[0].name.as_str(), calls[0].arguments.as_str()), ("finish", "{\"summary\":\"x\"}"));
    assert!(decode(&request, Mode::Schema, "{\"other\": 1}", Vec::new()).1.is_empty());
    // Without tools there are no calls.
    request.tools.clear();
    let said = "{\"tool\": \"finish\", \"arguments\": {}}";
    assert_eq!(decode(&request, Mode::Text, said, Vec::new()), (said.to_owned(), Vec::new()));
}

#[test]
fn every_call_has_an_id_of_its_own() {
    let request = request();
    let call = |id: &str| Call { id: id.to_owned(), name: "kubectl".to_owned(), arguments: "{}".to_owned() };
    let (_, calls) =
        decode(&request, Mode::Native, "", vec![call(""), call("a"), call("b"), call("b"), call("call_2")]);
    let ids: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids, ["call_2", "call_3", "b", "call_5", "call_6"]);
}

#[test]
fn reading_ends_whatever_is_said() {
    let request = request();
    for said in ["{".repeat(200_000), "{\"a\":".repeat(50_000), "{}".repeat(100_000), "\nAction".repeat(50_000)] {
        for mode in [Mode::Native, Mode::Schema, Mode::Text] {
            assert!(decode(&request, mode, &said, Vec::new()).1.is_empty());
        }
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_said_is_an_error(said in r#"(Action|Action Input|Final Answer|:|kubectl| |\n|\{|\}|"|tool|ä|`|<tool_call>|</think>|\\|,|finish){0,30}"#) {
        for mode in [Mode::Native, Mode::Schema, Mode::Text] {
            decode(&request(), mode, &said, Vec::new());
        }
    }
}

#[test]
fn a_reply_of_very_many_calls_is_cut() {
    let call =
        |number: usize| Call { id: format!("c{number}"), name: "kubectl".to_owned(), arguments: "{}".to_owned() };
    let (_, calls) = decode(&request(), Mode::Native, "", (0..100_000).map(call).collect());
    assert_eq!((calls.len(), calls[CALLS - 1].id.as_str()), (CALLS, "c31"));
    let text = r#"<tool_call>{"name": "kubectl", "arguments": {}}</tool_call>"#.repeat(5_000);
    let (_, calls) = decode(&request(), Mode::Text, &text, Vec::new());
    let ids: HashSet<&str> = calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!((calls.len(), ids.len()), (CALLS, CALLS));
}
