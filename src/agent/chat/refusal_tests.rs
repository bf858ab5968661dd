//! What servers really say.

use No::{Busy, Filtered, Other, Spent, TooLong, Unauthorized, UnknownModel, Without};

use super::*;

/// Status, body, and what is meant.
const SAID: &[(u16, &str, No)] = &[
    // OpenAI
    (
        401,
        r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#,
        Unauthorized,
    ),
    (403, "<html>Forbidden</html>", Unauthorized),
    (
        404,
        r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","code":"model_not_found"}}"#,
        UnknownModel,
    ),
    (429, r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#, Busy),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        Spent,
    ),
    (
        429,
        r#"{"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 48315.","code":"rate_limit_exceeded"}}"#,
        TooLong(Some(30_000)),
    ),
    (500, r#"{"error":{"message":"The server had an error","type":"server_error"}}"#, Busy),
    (502, "<html>Bad gateway</html>", Busy),
    (529, "", Busy),
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.","code":"context_length_exceeded"}}"#,
        TooLong(Some(128_000)),
    ),
    (
        400,
        r#"{"error":{"message":"Your input exceeds the context window of this model.","code":"context_length_exceeded"}}"#,
        TooLong(None),
    ),
    (
        400,
        r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}"#,
        Without(Parameter::MaxTokens),
    ),
    (
        400,
        r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":null,"code":null}}"#,
        Without(Parameter::MaxTokens),
    ),
    (
        400,
        r#"{"error":{"message":"Unrecognized request argument supplied: reasoning_effort","param":null,"code":null}}"#,
        Without(Parameter::ReasoningEffort),
    ),
    (
        400,
        r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0 with this model.","param":"temperature","code":"unsupported_value"}}"#,
        Without(Parameter::Temperature),
    ),
    (
        400,
        r#"{"error":{"message":"Invalid schema for function 'kubectl': unknown type","param":"tools[0].function.parameters","code":"invalid_function_parameters"}}"#,
        Other,
    ),
    (
        400,
        r#"{"error":{"message":"max_tokens is too large: 50000. This model supports at most 16384 completion tokens","param":"max_tokens"}}"#,
        Without(Parameter::MaxTokens),
    ),
    // Azure OpenAI
    (
        404,
        r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
        UnknownModel,
    ),
    (
        400,
        r#"{"error":{"code":"content_filter","message":"The response was filtered","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"jailbreak":{"filtered":true}}}}}"#,
        Filtered,
    ),
    (400, r#"{"error":{"message":"x","code":null,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#, Filtered),
    (
        400,
        r#"{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error","param":null,"code":null}}"#,
        Without(Parameter::StreamOptions),
    ),
    (
        401,
        r#"{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired."}"#,
        Unauthorized,
    ),
    // vLLM
    (401, r#"{"error":"Unauthorized"}"#, Unauthorized),
    (
        404,
        r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
        UnknownModel,
    ),
    (
        400,
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","code":400}"#,
        TooLong(Some(4096)),
    ),
    (
        400,
        r#"{"error":{"message":"You passed 5001 input tokens and requested 0 output tokens. However, the model's context length is only 4096 tokens","code":400}}"#,
        TooLong(Some(4096)),
    ),
    (
        400,
        r#"{"error":{"message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}}"#,
        Without(Parameter::Tools),
    ),
    // llama.cpp
    (
        400,
        r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":8192}}"#,
        TooLong(Some(8192)),
    ),
    (
        500,
        r#"{"error":{"code":500,"message":"the request exceeds the available context size (4096 tokens)","type":"server_error"}}"#,
        TooLong(Some(4096)),
    ),
    (
        500,
        r#"{"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}}"#,
        Without(Parameter::Tools),
    ),
    (503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, Busy),
    // Ollama
    (404, r#"{"error":{"message":"model 'x' not found","type":"api_error","param":null,"code":null}}"#, UnknownModel),
    (
        400,
        r#"{"error":{"message":"registry.ollama.ai/library/gemma:2b does not support tools","type":"api_error"}}"#,
        Without(Parameter::Tools),
    ),
    (400, r#"{"error":{"message":"the input length exceeds the context length"}}"#, TooLong(None)),
    // LiteLLM, Mistral, Anthropic, DeepSeek
    (
        400,
        r#"{"error":{"message":"litellm.UnsupportedParamsError: x does not support parameters: ['response_format']","code":"400"}}"#,
        Without(Parameter::ResponseFormat),
    ),
    (
        400,
        r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=x","code":"400"}}"#,
        UnknownModel,
    ),
    (
        422,
        r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#,
        Without(Parameter::StreamOptions),
    ),
    (400, r#"{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#, TooLong(Some(200_000))),
    (400, r#"{"error":{"message":"Thinking mode does not support this tool_choice"}}"#, Without(Parameter::ToolChoice)),
    (400, r#"{"error":{"message":"Streaming is not supported for this model"}}"#, Without(Parameter::Stream)),
    // whatever
    (400, r#"{"error":{"message":"messages.0 is wrong"}}"#, Other),
    (413, "Request Entity Too Large", Other),
    (404, "page not found", Other),
    (400, "", Other),
];

#[test]
fn what_servers_say_is_understood() {
    let all = Parameter::ALL.map(|(parameter, _)| parameter);
    for (status, body, expected) in SAID {
        assert_eq!(Told::read(body.as_bytes()).meaning(*status, &all), *expected, "{status} {body}");
    }
}

#[test]
fn only_what_was_sent_is_left_out() {
    let told = |param: &str| {
        let message = "Use 'max_tokens': 'max_completion_tokens' is not supported by this server.";
        Told::of(&serde_json::json!({"error": {"message": message, "param": param}}))
    };
    let (most, completion) = (Parameter::MaxTokens, Parameter::MaxCompletionTokens);
    for param in ["", "max_tokens"] {
        assert_eq!(told(param).meaning(400, &[completion, Parameter::Stream]), Without(completion));
        assert_eq!(told(param).meaning(400, &[completion, most]), Without(most));
        assert_eq!(told(param).meaning(400, &[Parameter::Stream]), Other);
    }
}

#[test]
fn reasons_are_one_line_cut_and_without_the_key() {
    let body = format!(r#"{{"error":{{"message":"wrong key sk-secret\n\u001b[2Jsee {}"}}}}"#, "x".repeat(2 * LONGEST));
    let reason = Told::read(body.as_bytes()).reason(&["sk-secret"]);
    assert!(reason.starts_with("wrong key … see xxx") && reason.ends_with('…'), "{reason}");
    assert_eq!(reason.chars().count(), LONGEST + 1);
    assert_eq!(Told::read(b"").reason(&[""]), "it does not say why");
    assert_eq!(Told::read(br#"{"error":"no"}"#).reason(&[]), "no");
    assert_eq!(Told::read(br#"{"detail":"Not Found"}"#).reason(&[]), "Not Found");
}

#[test]
fn names_of_parameters() {
    for (parameter, name) in Parameter::ALL {
        let body = Map::from_iter([(name.to_owned(), Value::Null), ("model".to_owned(), Value::Null)]);
        assert_eq!((parameter.as_str(), Parameter::sent(&body)), (name, vec![parameter]));
    }
}
