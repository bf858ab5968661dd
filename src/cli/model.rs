//! The model that the agent asks, as the settings and the environment say.
//!
//! *Invariant:* a key is read when the model is opened, and in no message.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::error::CommandError;
use crate::agent::chat::{self, Access, Api, Entra, Model, ModelError, OpenAi, Server, Tools};
use crate::config::{self, Chosen, EffortChoice, KeyFrom, Provider, Settings, ToolsChoice};

/// The model, where one is configured. Nobody is asked yet.
///
/// # Errors
/// When what is set can't be used: an address, a file with a key or a certificate.
pub(super) fn model(settings: &Settings) -> Result<Option<Arc<dyn Model>>, CommandError> {
    let Some(server) = server(settings, &env)? else { return Ok(None) };
    Ok(Some(Arc::new(OpenAi::open(server)?)))
}

/// A variable of this process.
pub(super) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What the settings say of the server.
fn server(settings: &Settings, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Server>, CommandError> {
    let Some(chosen) = config::resolve(settings, env)? else { return Ok(None) };
    let set = &settings.model;
    let ca_file = set.ca_file.as_ref().map(std::path::PathBuf::from);
    let access = access(&chosen, ca_file.as_deref(), env)?;
    let api = match (chosen.provider.value, chosen.api_version) {
        (Provider::Azure, Some(version)) => Api::AzureDeployment { version: version.value },
        (Provider::Azure, None) => Api::AzureV1,
        (Provider::OpenAi | Provider::Ollama, _) => Api::OpenAi,
    };
    let tools = match *set.tools {
        ToolsChoice::Auto => Tools::Auto,
        ToolsChoice::Native => Tools::Always(chat::Mode::Native),
        ToolsChoice::Schema => Tools::Always(chat::Mode::Schema),
        ToolsChoice::Text => Tools::Always(chat::Mode::Text),
    };
    let usual = Server::new(chosen.url.value, chosen.name.value);
    Ok(Some(Server {
        api,
        access,
        organisation: chosen.organisation.map(|part| part.value),
        project: chosen.project.map(|part| part.value),
        window: set.window.0.unwrap_or(usual.window),
        max_output_tokens: set.max_output_tokens.0,
        reasoning_effort: match *set.reasoning_effort {
            EffortChoice::Auto => None,
            effort => Some(effort.as_str().to_owned()),
        },
        tools,
        timeout: set.timeout.0,
        idle: usual.idle.min(set.timeout.0),
        ca_file,
        cache: config::cache_dir(),
        ..usual
    }))
}

fn access(
    chosen: &Chosen,
    ca_file: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Access, CommandError> {
    Ok(match &*chosen.key {
        KeyFrom::Nothing => Access::Open,
        KeyFrom::Env(name) => env(name).map_or(Access::Open, |key| Access::Key(key.trim().to_owned())),
        KeyFrom::File(path) => Access::Key(key_in(path)?),
        KeyFrom::Entra => {
            let entra = Entra::open(env, &chosen.url, ca_file, None);
            Access::Entra(Arc::new(entra.map_err(|reason| CommandError::new(format!("can't ask Entra ID: {reason}")))?))
        }
    })
}

/// The key in a file.
pub(super) fn key_in(path: &Path) -> Result<String, CommandError> {
    let failed = |reason: String| {
        CommandError::new(format!("can't read the model's key in `{}`: {reason}", path.display()))
            .hinted("look at `model.key.file`")
    };
    let key = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let key = key.trim();
    if key.is_empty() { Err(failed("it is empty".to_owned())) } else { Ok(key.to_owned()) }
}

impl From<ModelError> for CommandError {
    fn from(error: ModelError) -> CommandError {
        let failed = CommandError::new(error.to_string());
        match error.hint() {
            Some(hint) => failed.hinted(hint),
            None => failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Flags;

    /// Opened by a file, whatever the environment of the test is.
    fn opened(file: &str, env: &[(&str, &str)]) -> Result<Option<Server>, CommandError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        fs::write(&path, file.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
        fs::write(folder.path().join("key"), "sk-file\n").unwrap();
        fs::write(folder.path().join("empty"), "\n").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let settings = Settings::from_file(&Flags::default(), path, text).unwrap();
        server(&settings, &|name| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn settings_become_a_server() {
        let server = opened(
            "model: {name: gpt-4o, key: {file: FOLDER/key}, timeout: 30, tools: text, window: 64k, maxOutputTokens: 900, reasoningEffort: low}",
            &[],
        );
        let server = server.unwrap().unwrap();
        assert_eq!((server.url.as_str(), server.model.as_str()), ("https://api.openai.com/v1", "gpt-4o"));
        assert!(matches!(&server.access, Access::Key(key) if key == "sk-file"));
        assert_eq!((server.window, server.max_output_tokens), (64_000, Some(900)));
        assert_eq!(server.reasoning_effort.as_deref(), Some("low"));
        assert_eq!((server.timeout, server.idle), (Duration::from_secs(30), Duration::from_secs(30)));
        assert_eq!(server.tools, Tools::Always(chat::Mode::Text));
        assert!(!format!("{server:?}").contains("sk-file"));

        let azure = [("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com"), ("OPENAI_API_VERSION", "2024-10-21")];
        let server = opened("model: {name: gpt-4.1}", &azure).unwrap().unwrap();
        assert_eq!(server.api, Api::AzureDeployment { version: "2024-10-21".to_owned() });
        assert!(matches!(server.access, Access::Entra(_)) && server.reasoning_effort.is_none());
        assert_eq!((server.window, server.timeout), (1_047_576, Duration::from_mins(2)));
        assert!(opened("", &[("OPENAI_API_KEY", "sk")]).unwrap().is_none());
    }

    #[test]
    fn a_key_that_can_not_be_read_is_told() {
        for file in ["/no/where", "FOLDER/empty"] {
            let error = opened(&format!("model: {{name: m, key: {{file: {file}}}}}"), &[]).unwrap_err();
            let CommandError::Failed { message, hint } = error else { panic!("{error:?}") };
            assert!(message.starts_with("can't read the model's key in `"), "{message}");
            assert_eq!(hint.as_deref(), Some("look at `model.key.file`"));
        }
    }

    #[test]
    fn what_can_not_be_opened_has_a_hint() {
        let settings = Settings::from_file(&Flags::default(), "/c.yaml".into(), "model: {provider: none}".to_owned());
        assert!(model(&settings.unwrap()).unwrap().is_none());
        let error = CommandError::from(ModelError::Unauthorized { server: "s".into(), reason: "r".into() });
        let CommandError::Failed { message, hint } = error else { panic!("{error:?}") };
        assert_eq!(message, "the model at s refuses our key: r");
        assert!(hint.unwrap().contains("kubectl react config"));
    }
}
