//! Runs the program that a kubeconfig names for credentials: kubelogin, aws, gke-gcloud-auth-plugin.
//!
//! kube would run it too: three times, without end, and with our terminal. Here it runs once, under
//! a time-out, and without a terminal it is not given one to wait on.

use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::Command;

use super::error::{ConnectError, one_line};

/// How long someone may take to log in.
const PATIENCE_WITH_PEOPLE: Duration = Duration::from_mins(5);
/// How much of what a plugin writes is read.
const MOST: usize = 1 << 20;

/// What a plugin gave.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Given {
    /// A bearer token.
    pub(super) token: Option<String>,
    /// A certificate in PEM.
    pub(super) client_certificate_data: Option<String>,
    /// Its key in PEM.
    pub(super) client_key_data: Option<String>,
}

/// What goes to a plugin, and comes from it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    kind: &'static str,
    api_version: &'a str,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct Spec<'a> {
    interactive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a kube::config::ExecAuthCluster>,
}

#[derive(Deserialize)]
struct Answer {
    status: Option<Given>,
}

/// Runs the plugin once.
pub(super) async fn run(
    exec: &ExecConfig,
    context: &str,
    terminal: bool,
    timeout: Option<Duration>,
) -> Result<Given, ConnectError> {
    let command = exec.command.clone().unwrap_or_default();
    let failed = |reason: String| ConnectError::PluginFailed { command: command.clone(), reason };
    if command.is_empty() {
        return Err(failed("the kubeconfig names no command".to_owned()));
    }
    let mode = exec.interactive_mode.as_ref();
    if mode == Some(&ExecInteractiveMode::Always) && !terminal {
        return Err(ConnectError::PluginNeedsTerminal { command });
    }
    let interactive = terminal && mode != Some(&ExecInteractiveMode::Never);
    let mut child = prepare(exec, &command, interactive)?.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ConnectError::PluginMissing {
            command: command.clone(),
            context: context.to_owned(),
            install: exec.install_hint.as_deref().map(one_line).filter(|hint| !hint.is_empty()),
        },
        _ => failed(one_line(&error.to_string())),
    })?;

    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (answer, words) = tokio::try_join!(async { Ok(read_all(stdout, |_| false).await.0) }, listen(stderr))?;
        Ok((answer, words, child.wait().await))
    };
    let within = if interactive { timeout.map(|timeout| timeout.max(PATIENCE_WITH_PEOPLE)) } else { timeout };
    let ended = match within {
        Some(within) => tokio::time::timeout(within, work)
            .await
            .map_err(|_| ConnectError::PluginTimedOut { command: command.clone(), within })?,
        None => work.await,
    };
    let (answer, words, status) =
        ended.map_err(|Asks| ConnectError::PluginNeedsTerminal { command: command.clone() })?;
    let status = status.map_err(|error| failed(one_line(&error.to_string())))?;
    if !status.success() {
        return Err(failed(format!("{status}{}", last_words(&words))));
    }
    read(&answer).map_err(|reason| failed(reason.to_owned()))
}

fn prepare(exec: &ExecConfig, command: &str, interactive: bool) -> Result<Command, ConnectError> {
    let question = Question {
        kind: "ExecCredential",
        api_version: exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1"),
        spec: Spec { interactive, cluster: exec.cluster.as_ref().filter(|_| exec.provide_cluster_info) },
    };
    let question = serde_json::to_string(&question)
        .map_err(|error| ConnectError::PluginFailed { command: command.to_owned(), reason: error.to_string() })?;
    let mut run = Command::new(command);
    run.args(exec.args.iter().flatten());
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            run.env(name, value);
        }
    }
    run.env("KUBERNETES_EXEC_INFO", question).stdout(Stdio::piped()).kill_on_drop(true);
    if interactive {
        run.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    } else {
        run.stdin(Stdio::null()).stderr(Stdio::piped());
    }
    Ok(run)
}

/// The plugin waits for a login that no one will make.
struct Asks;

/// Reads what the plugin says for people, and stops where it asks them for a login.
async fn listen(stderr: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Asks> {
    let asks = |words: &[u8]| {
        let words = String::from_utf8_lossy(words).to_lowercase();
        ["use a web browser to open", "enter the code", "open the following url", "visit the following url"]
            .iter()
            .any(|phrase| words.contains(phrase))
    };
    match read_all(stderr, asks).await {
        (_, true) => Err(Asks),
        (words, false) => Ok(words),
    }
}

/// Reads to the end, or until `enough` of it has come. What is beyond [`MOST`] is dropped.
async fn read_all(source: Option<impl AsyncRead + Unpin>, enough: impl Fn(&[u8]) -> bool) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    let Some(mut source) = source else { return (all, false) };
    let mut chunk = [0; 4096];
    loop {
        let mut buffer = ReadBuf::new(&mut chunk);
        let read = std::future::poll_fn(|cx| Pin::new(&mut source).poll_read(cx, &mut buffer)).await;
        if read.is_err() || buffer.filled().is_empty() {
            return (all, false);
        }
        if all.len() < MOST {
            all.extend_from_slice(buffer.filled());
            if enough(&all) {
                return (all, true);
            }
        }
    }
}

/// The last line that says something.
fn last_words(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let last = words.lines().map(one_line).rfind(|line| !line.is_empty());
    last.map(|line| format!(": {line}")).unwrap_or_default()
}

/// Reads the credentials. What is wrong with them is said without quoting them.
fn read(answer: &[u8]) -> Result<Given, &'static str> {
    let text = std::str::from_utf8(answer).map_err(|_| "its answer is no text")?;
    // client-go takes YAML as well, and some plugins write it.
    let answer: Answer = serde_json::from_str(text)
        .or_else(|_| serde_saphyr::from_str(text).map_err(|_| ()))
        .map_err(|()| "its answer is no ExecCredential")?;
    let given = answer.status.ok_or("its answer has no status")?;
    let certificate = given.client_certificate_data.is_some() && given.client_key_data.is_some();
    if given.token.as_deref().is_some_and(|token| !token.is_empty()) || certificate {
        Ok(given)
    } else {
        Err("it gave no credentials")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(script: &str) -> ExecConfig {
        ExecConfig {
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script.to_owned()]),
            ..ExecConfig::default()
        }
    }

    async fn error_of(exec: &ExecConfig) -> String {
        let within = Some(Duration::from_secs(20));
        run(exec, "prod", false, within).await.err().expect("an error").to_string()
    }

    #[tokio::test]
    async fn a_token_is_read_from_json_and_yaml() {
        let json = r#"echo '{"kind":"ExecCredential","status":{"token":"abc"}}'"#;
        let yaml = "printf 'kind: ExecCredential\nstatus:\n  token: abc\n'";
        for script in [json, yaml] {
            let given = run(&plugin(script), "prod", false, None).await.unwrap();
            assert_eq!(given.token.as_deref(), Some("abc"));
        }
    }

    #[tokio::test]
    async fn the_plugin_is_told_what_client_go_tells_it() {
        let mut exec = plugin(
            r#"[ -t 0 ] || printf '{"status":{"token":"%s"}}' "$(printf '%s %s' "$KUBERNETES_EXEC_INFO" "$WHO" | tr '"' "'")""#,
        );
        exec.api_version = Some("client.authentication.k8s.io/v1beta1".to_owned());
        exec.env = Some(vec![[("name", "WHO"), ("value", "ann")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()]);
        let given = run(&exec, "prod", false, None).await.unwrap();
        let told = "{'kind':'ExecCredential','apiVersion':'client.authentication.k8s.io/v1beta1','spec':{'interactive':false}} ann";
        assert_eq!(given.token.as_deref(), Some(told));
    }

    #[tokio::test]
    async fn a_failure_is_one_line_without_the_answer() {
        let cases = [
            (
                "echo one >&2; echo 'AADSTS700082: expired' >&2; exit 3",
                "the credential plugin `sh` failed: exit status: 3: AADSTS700082: expired",
            ),
            ("echo s3cret-token", "the credential plugin `sh` failed: its answer is no ExecCredential"),
            (r#"echo '{"kind":"ExecCredential"}'"#, "the credential plugin `sh` failed: its answer has no status"),
            (r#"echo '{"status":{}}'"#, "the credential plugin `sh` failed: it gave no credentials"),
        ];
        for (script, message) in cases {
            assert_eq!(error_of(&plugin(script)).await, message);
        }
    }

    #[tokio::test]
    async fn a_missing_plugin_is_named_with_its_own_hint() {
        let exec = ExecConfig {
            command: Some("/nowhere/kubelogin".to_owned()),
            install_hint: Some(
                "az aks install-cli
"
                .to_owned(),
            ),
            ..ExecConfig::default()
        };
        let error = run(&exec, "prod", false, None).await.err().unwrap();
        assert_eq!(error.to_string(), "the credential plugin `/nowhere/kubelogin` of context `prod` was not found");
        assert_eq!(error.hint().as_deref(), Some("az aks install-cli"));
    }

    #[tokio::test]
    async fn a_plugin_that_asks_for_a_login_is_not_waited_for() {
        let ask =
            "echo 'To sign in, use a web browser to open the page https://x and enter the code A' >&2; exec sleep 600";
        assert_eq!(
            error_of(&plugin(ask)).await,
            "the credential plugin `sh` asks for a login, and there is no terminal to ask on"
        );
        let always = ExecConfig { interactive_mode: Some(ExecInteractiveMode::Always), ..plugin("exec sleep 600") };
        assert_eq!(
            error_of(&always).await,
            "the credential plugin `sh` asks for a login, and there is no terminal to ask on"
        );
    }

    #[tokio::test]
    async fn a_plugin_that_sleeps_is_ended() {
        let error = run(&plugin("exec sleep 600"), "prod", false, Some(Duration::from_millis(50))).await.err().unwrap();
        assert_eq!(error.to_string(), "the credential plugin `sh` did not end within 0.05s");
    }
}
