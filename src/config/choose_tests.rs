//! Which model is used in which environment.

use super::*;
use crate::config::Flags;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn lookup(pairs: Pairs<'_>) -> impl Fn(&str) -> Option<String> {
    |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

fn settings(env: Pairs<'_>, file: &str) -> Settings {
    Settings::layered(&Flags::default(), &lookup(env), Some(("/c.yaml".into(), file.to_owned()))).unwrap()
}

/// In one line: provider, name, address, key.
fn chosen(env: Pairs<'_>, file: &str) -> String {
    match choose(&settings(env, file).model, &lookup(env)) {
        Err(error) => format!("error: {error}"),
        Ok(Err(missing)) => format!("none: {missing}"),
        Ok(Ok(chosen)) => {
            let version = chosen.api_version.map(|version| format!(" {}", version.value)).unwrap_or_default();
            let key = match chosen.key.value {
                KeyFrom::Env(name) => name,
                KeyFrom::File(path) => path.display().to_string(),
                KeyFrom::Entra => "entra".to_owned(),
                KeyFrom::Nothing => "open".to_owned(),
            };
            format!("{} {} {}{version} {key}", chosen.provider.as_str(), chosen.name.value, chosen.url.value)
        }
    }
}

const OPENAI_KEY: (&str, &str) = ("OPENAI_API_KEY", "sk");

/// The environment, the file, and what comes of them.
const TABLE: &[(Pairs<'_>, &str, &str)] = &[
    // Nothing, or not enough.
    (&[], "", "none: no model is named: set `model.name`, or OPENAI_MODEL"),
    (&[OPENAI_KEY], "", "none: no model is named: set `model.name`, or OPENAI_MODEL"),
    (
        &[("OPENAI_MODEL", "gpt-4o")],
        "",
        "none: there is neither a key (`model.key`, or OPENAI_API_KEY) nor an address (`model.url`)",
    ),
    (&[OPENAI_KEY, ("OPENAI_MODEL", "m")], "model: {provider: none}", "none: `/c.yaml` switches it off"),
    (
        &[OPENAI_KEY],
        "model: {name: m, key: {env: MINE}}",
        "none: the variable `MINE`, which `/c.yaml` names for the key, is not set",
    ),
    (
        &[("OPENAI_API_KEY", " "), ("OPENAI_MODEL", "m")],
        "",
        "none: there is neither a key (`model.key`, or OPENAI_API_KEY) nor an address (`model.url`)",
    ),
    // OpenAI
    (&[OPENAI_KEY, ("OPENAI_MODEL", "gpt-4o")], "", "openai gpt-4o https://api.openai.com/v1 OPENAI_API_KEY"),
    (&[OPENAI_KEY], "model: {name: m}", "openai m https://api.openai.com/v1 OPENAI_API_KEY"),
    (
        &[OPENAI_KEY, ("OPENAI_MODEL", "theirs")],
        "model: {name: ours}",
        "openai ours https://api.openai.com/v1 OPENAI_API_KEY",
    ),
    (
        &[OPENAI_KEY, ("KUBECTL_REACT_MODEL_KEY", "own"), ("KUBECTL_REACT_MODEL", "m")],
        "",
        "openai m https://api.openai.com/v1 KUBECTL_REACT_MODEL_KEY",
    ),
    (&[OPENAI_KEY, ("MINE", "x")], "model: {name: m, key: {env: MINE}}", "openai m https://api.openai.com/v1 MINE"),
    (&[OPENAI_KEY], "model: {name: m, key: {file: /run/key}}", "openai m https://api.openai.com/v1 /run/key"),
    // Servers like it: their key goes where their address points, and not elsewhere.
    (
        &[OPENAI_KEY, ("OPENAI_MODEL", "m"), ("OPENAI_BASE_URL", "http://vllm:8000/v1/")],
        "",
        "openai m http://vllm:8000/v1 OPENAI_API_KEY",
    ),
    (&[("OPENAI_MODEL", "m"), ("OPENAI_API_BASE", "http://vllm:8000")], "", "openai m http://vllm:8000/v1 open"),
    (&[("OPENAI_MODEL", "m"), ("OPENAI_ENDPOINT", "http://x/v1/chat/completions")], "", "openai m http://x/v1 open"),
    (&[OPENAI_KEY], "model: {name: m, url: 'http://vllm:8000/v1'}", "openai m http://vllm:8000/v1 open"),
    (
        &[OPENAI_KEY],
        "model: {name: m, url: 'http://vllm:8000/v1', key: {env: OPENAI_API_KEY}}",
        "openai m http://vllm:8000/v1 OPENAI_API_KEY",
    ),
    (
        &[OPENAI_KEY],
        "model: {name: m, url: 'https://api.openai.com/v1'}",
        "openai m https://api.openai.com/v1 OPENAI_API_KEY",
    ),
    (
        &[("KUBECTL_REACT_MODEL_KEY", "k")],
        "model: {name: m, url: 'http://vllm/v1', auth: none}",
        "openai m http://vllm/v1 open",
    ),
    (
        &[],
        "model: {name: m, url: 'http://vllm/v1', auth: key}",
        "none: there is neither a key (`model.key`, or OPENAI_API_KEY) nor an address (`model.url`)",
    ),
    // Azure
    (
        &[
            ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/"),
            ("AZURE_OPENAI_API_KEY", "k"),
            ("AZURE_OPENAI_DEPLOYMENT", "d"),
        ],
        "",
        "azure d https://r.openai.azure.com/openai/v1 AZURE_OPENAI_API_KEY",
    ),
    (
        &[
            ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com"),
            ("AZURE_OPENAI_API_KEY", "k"),
            ("AZURE_OPENAI_DEPLOYMENT", "d"),
            ("OPENAI_API_VERSION", "2024-10-21"),
        ],
        "",
        "azure d https://r.openai.azure.com 2024-10-21 AZURE_OPENAI_API_KEY",
    ),
    (
        &[("AZURE_API_BASE", "https://r.openai.azure.com"), ("AZURE_API_KEY", "k"), ("AZURE_API_VERSION", "preview")],
        "model: {name: d}",
        "azure d https://r.openai.azure.com/openai/v1 AZURE_API_KEY",
    ),
    (
        &[("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com")],
        "model: {name: d}",
        "azure d https://r.openai.azure.com/openai/v1 entra",
    ),
    (
        &[("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com"), ("AZURE_OPENAI_API_KEY", "k")],
        "model: {name: d, auth: entra}",
        "azure d https://r.openai.azure.com/openai/v1 entra",
    ),
    (
        &[("AZURE_OPENAI_API_KEY", "k")],
        "model: {name: d, url: 'https://r.services.ai.azure.com/openai/v1'}",
        "azure d https://r.services.ai.azure.com/openai/v1 AZURE_OPENAI_API_KEY",
    ),
    (
        &[("AZURE_OPENAI_API_KEY", "k")],
        "model: {url: 'https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-06-01'}",
        "azure d https://r.openai.azure.com 2024-06-01 AZURE_OPENAI_API_KEY",
    ),
    (
        &[("AZURE_OPENAI_API_KEY", "k")],
        "model: {name: d, provider: azure, url: 'https://apim.example/ai'}",
        "azure d https://apim.example/ai/openai/v1 entra",
    ),
    (&[], "model: {name: d, provider: azure}", "none: there is no address: set `model.url`, or AZURE_OPENAI_ENDPOINT"),
    (
        &[("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com")],
        "",
        "none: no deployment is named: set `model.name`, or AZURE_OPENAI_DEPLOYMENT",
    ),
    // Both: the one for which all is known.
    (
        &[OPENAI_KEY, ("OPENAI_MODEL", "m"), ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com")],
        "",
        "openai m https://api.openai.com/v1 OPENAI_API_KEY",
    ),
    (
        &[OPENAI_KEY, ("OPENAI_MODEL", "m"), ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com")],
        "model: {name: d}",
        "azure d https://r.openai.azure.com/openai/v1 entra",
    ),
    (
        &[OPENAI_KEY, ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com")],
        "model: {name: m, provider: openai}",
        "openai m https://api.openai.com/v1 OPENAI_API_KEY",
    ),
    // Addresses as they are copied.
    (
        &[("AZURE_OPENAI_API_KEY", "k")],
        "model: {name: d, url: 'https://r.openai.azure.com/openai/v1/chat/completions'}",
        "azure d https://r.openai.azure.com/openai/v1 AZURE_OPENAI_API_KEY",
    ),
    (
        &[("AZURE_OPENAI_API_KEY", "k")],
        "model: {name: d, url: 'https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview'}",
        "azure d https://r.openai.azure.com 2025-04-01-preview AZURE_OPENAI_API_KEY",
    ),
    (
        &[("AZURE_OPENAI_API_KEY", "k")],
        "model: {name: d, url: 'https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview'}",
        "azure d https://r.services.ai.azure.com/openai/v1 AZURE_OPENAI_API_KEY",
    ),
    (
        &[("AZURE_OPENAI_API_KEY", "k"), ("AZURE_OPENAI_DEPLOYMENT", "other")],
        "model: {url: 'https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-06-01'}",
        "azure d https://r.openai.azure.com 2024-06-01 AZURE_OPENAI_API_KEY",
    ),
    (
        &[("AZURE_OPENAI_API_KEY", "k")],
        "model: {name: d, provider: azure, url: 'https://apim.example/ai/openai/v1?subscription-key=s&api-version=preview'}",
        "azure d https://apim.example/ai/openai/v1?subscription-key=s entra",
    ),
    (
        &[("OPENAI_MODEL", "m"), ("OPENAI_BASE_URL", "https://gw.example/v1?key=abc")],
        "",
        "openai m https://gw.example/v1?key=abc open",
    ),
    (
        &[OPENAI_KEY],
        "model: {name: m, url: 'https://api.openai.com/v1/responses'}",
        "openai m https://api.openai.com/v1 OPENAI_API_KEY",
    ),
    // Azure under OpenAI's name.
    (
        &[
            ("OPENAI_BASE_URL", "https://r.openai.azure.com/openai/v1/"),
            ("OPENAI_MODEL", "d"),
            ("AZURE_OPENAI_API_KEY", "k"),
            OPENAI_KEY,
        ],
        "",
        "azure d https://r.openai.azure.com/openai/v1 AZURE_OPENAI_API_KEY",
    ),
    (
        &[("OPENAI_BASE_URL", "https://r.openai.azure.com/openai/v1/"), ("OPENAI_MODEL", "d"), OPENAI_KEY],
        "",
        "azure d https://r.openai.azure.com/openai/v1 OPENAI_API_KEY",
    ),
    (
        &[("OPENAI_BASE_URL", "https://r.openai.azure.com/openai/v1/"), ("AZURE_OPENAI_DEPLOYMENT", "d")],
        "",
        "azure d https://r.openai.azure.com/openai/v1 entra",
    ),
    (
        &[
            ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com"),
            OPENAI_KEY,
            ("OPENAI_MODEL", "m"),
            ("OPENAI_BASE_URL", "https://r.openai.azure.com/openai/v1"),
        ],
        "",
        "azure m https://r.openai.azure.com/openai/v1 OPENAI_API_KEY",
    ),
    // Ollama
    (&[("OLLAMA_HOST", "0.0.0.0")], "model: {name: llama3}", "ollama llama3 http://127.0.0.1:11434/v1 open"),
    (&[("OLLAMA_HOST", "http://gpu:8080/")], "model: {name: llama3}", "ollama llama3 http://gpu:8080/v1 open"),
    (&[("OLLAMA_HOST", "http://gpu/?k=v")], "model: {name: llama3}", "ollama llama3 http://gpu:11434/v1?k=v open"),
    (&[("OLLAMA_HOST", ":11435")], "model: {name: llama3}", "ollama llama3 http://127.0.0.1:11435/v1 open"),
    (&[], "model: {name: llama3, provider: ollama}", "ollama llama3 http://127.0.0.1:11434/v1 open"),
    // Mistakes
    (
        &[OPENAI_KEY],
        "model: {name: m, url: vllm}",
        "error: `model.url` in `/c.yaml` is not valid: it is no address such as https://api.openai.com/v1",
    ),
    (
        &[("OPENAI_MODEL", "m"), ("OPENAI_BASE_URL", "file:///x")],
        "",
        "error: `model.url` in OPENAI_BASE_URL is not valid: it is no address such as https://api.openai.com/v1",
    ),
];

#[test]
fn what_is_set_decides() {
    for (env, file, expected) in TABLE {
        assert_eq!(chosen(env, file), *expected, "{env:?} {file}");
    }
}

#[test]
fn each_part_says_where_it_comes_from_and_never_the_key() {
    let env: Pairs<'_> = &[("OPENAI_API_KEY", "sk-secret"), ("OPENAI_MODEL", "gpt-4o"), ("OPENAI_ORG_ID", "org-1")];
    let found = resolve(&settings(env, ""), &lookup(env)).unwrap().unwrap();
    let parts: Vec<String> =
        found.parts().iter().map(|(name, value, origin)| format!("{name}={value} <{origin}>")).collect();
    assert_eq!(
        parts,
        [
            "provider=openai <the default>",
            "name=gpt-4o <OPENAI_MODEL>",
            "url=https://api.openai.com/v1 <the default>",
            "key=set (from OPENAI_API_KEY) <OPENAI_API_KEY>",
            "organisation=org-1 <OPENAI_ORG_ID>",
        ]
    );
    assert!(!format!("{found:?}").contains("sk-secret"));
    assert_eq!(missing(&settings(env, ""), &lookup(env)), None);
    // Organisation and project are OpenAI's, not another server's.
    let found = resolve(&settings(env, "model: {url: 'http://vllm/v1'}"), &lookup(env)).unwrap().unwrap();
    assert_eq!((found.organisation, found.key.value), (None, KeyFrom::Nothing));
}

#[test]
fn a_key_in_the_file_is_refused_without_being_repeated() {
    for file in ["model: {key: sk-secret}", "embedder: {key: sk-secret}"] {
        let error =
            Settings::layered(&Flags::default(), &|_| None, Some(("/c.yaml".into(), file.to_owned()))).unwrap_err();
        assert!(matches!(error, ConfigError::Literal { .. }), "{error}");
        assert!(!error.to_string().contains("sk-secret") && error.hint().unwrap().contains("{env: NAME}"), "{error}");
    }
    for file in ["model: {apiKey: sk-secret}", "model: {key: {value: sk-secret}}"] {
        let error =
            Settings::layered(&Flags::default(), &|_| None, Some(("/c.yaml".into(), file.to_owned()))).unwrap_err();
        assert!(matches!(error, ConfigError::UnknownKey { .. }) && !error.to_string().contains("sk-secret"), "{error}");
    }
}
