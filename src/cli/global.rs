//! The flags of every command: kubectl's own for the connection, and how output looks.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use std::io::IsTerminal;

use crate::cluster::ConnectOptions;
use crate::config::ColorChoice;

const CONNECTION: &str = "Connection (as kubectl)";

/// Flags that are taken before and after the subcommand.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct GlobalArgs {
    /// When to colour the output
    #[arg(long, global = true, value_name = "WHEN", value_parser = colors(), hide_short_help = true, help_heading = "Output")]
    pub(super) color: Option<ColorChoice>,

    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// kubectl's flags for the connection, under its own names.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = CONNECTION)]
pub(super) struct ConnectionArgs {
    /// The kubeconfig context to use
    #[arg(long, global = true, value_name = "NAME", help_heading = CONNECTION)]
    pub(super) context: Option<String>,

    /// The kubeconfig file to use
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CONNECTION)]
    pub(super) kubeconfig: Option<PathBuf>,

    /// Read one namespace only
    #[arg(short, long, global = true, value_name = "NAME", help_heading = CONNECTION)]
    pub(super) namespace: Option<String>,

    /// Wait so long for one answer of the server: 0 (for ever), 30, 1s, 2m
    #[arg(long, global = true, value_name = "TIME", value_parser = timeout, help_heading = CONNECTION)]
    pub(super) request_timeout: Option<Duration>,

    /// Act as this user
    #[arg(long = "as", global = true, value_name = "USER", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) as_user: Option<String>,

    /// Act as a member of this group; may be repeated
    #[arg(long, global = true, value_name = "GROUP", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) as_group: Vec<String>,

    /// Act as the user of this uid
    #[arg(long, global = true, value_name = "UID", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) as_uid: Option<String>,

    /// Further attributes of the user to act as; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_value, help_heading = CONNECTION, hide_short_help = true)]
    pub(super) as_user_extra: Vec<String>,

    /// The kubeconfig cluster to use
    #[arg(long, global = true, value_name = "NAME", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) cluster: Option<String>,

    /// The kubeconfig user to use
    #[arg(long, global = true, value_name = "NAME", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) user: Option<String>,

    /// The address of the API server
    #[arg(short, long, global = true, value_name = "URL", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) server: Option<String>,

    /// Bearer token for the API server
    #[arg(long, global = true, value_name = "TOKEN", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) token: Option<String>,

    /// Username for the API server
    #[arg(long, global = true, value_name = "NAME", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) username: Option<String>,

    /// Password for the API server
    #[arg(long, global = true, value_name = "PASSWORD", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) password: Option<String>,

    /// File with the client's certificate
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CONNECTION, hide_short_help = true)]
    pub(super) client_certificate: Option<PathBuf>,

    /// File with the client's key
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CONNECTION, hide_short_help = true)]
    pub(super) client_key: Option<PathBuf>,

    /// File with the certificate of the server's authority
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CONNECTION, hide_short_help = true)]
    pub(super) certificate_authority: Option<PathBuf>,

    /// The name that the server's certificate must have
    #[arg(long, global = true, value_name = "NAME", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) tls_server_name: Option<String>,

    /// Do not check the server's certificate: anyone can read along
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) insecure_skip_tls_verify: Option<bool>,

    /// Ask the server for answers that are not compressed
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", help_heading = CONNECTION, hide_short_help = true)]
    pub(super) disable_compression: Option<bool>,

    /// Accepted for kubectl's sake; nothing is cached
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = CONNECTION, hide_short_help = true)]
    pub(super) cache_dir: Option<PathBuf>,
}

impl ConnectionArgs {
    /// What `connect` takes.
    pub(super) fn options(&self) -> ConnectOptions {
        ConnectOptions {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            server: self.server.clone(),
            token: self.token.clone(),
            tls_server_name: self.tls_server_name.clone(),
            certificate_authority: self.certificate_authority.clone(),
            client_certificate: self.client_certificate.clone(),
            client_key: self.client_key.clone(),
            username: self.username.clone(),
            password: self.password.clone(),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify.unwrap_or(false),
            disable_compression: self.disable_compression.unwrap_or(false),
            as_user: self.as_user.clone(),
            as_groups: self.as_group.clone(),
            as_uid: self.as_uid.clone(),
            as_user_extra: self.as_user_extra.clone(),
            request_timeout: self.request_timeout,
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        }
    }

    /// The first flag that says how to reach a cluster, where one was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let table = [
            ("--context", self.context.is_some()),
            ("--kubeconfig", self.kubeconfig.is_some()),
            ("--cluster", self.cluster.is_some()),
            ("--user", self.user.is_some()),
            ("--server", self.server.is_some()),
            ("--token", self.token.is_some()),
            ("--as", self.as_user.is_some()),
            ("--as-group", !self.as_group.is_empty()),
            ("--as-uid", self.as_uid.is_some()),
            ("--as-user-extra", !self.as_user_extra.is_empty()),
            ("--username", self.username.is_some()),
            ("--password", self.password.is_some()),
            ("--client-certificate", self.client_certificate.is_some()),
            ("--client-key", self.client_key.is_some()),
            ("--certificate-authority", self.certificate_authority.is_some()),
            ("--tls-server-name", self.tls_server_name.is_some()),
            ("--insecure-skip-tls-verify", self.insecure_skip_tls_verify.is_some()),
        ];
        table.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }
}

fn colors() -> impl TypedValueParser<Value = ColorChoice> {
    PossibleValuesParser::new(["auto", "always", "never"]).try_map(|text| text.parse::<ColorChoice>())
}

fn key_value(text: &str) -> Result<String, String> {
    if text.split_once('=').is_some_and(|(key, _)| !key.is_empty()) {
        Ok(text.to_owned())
    } else {
        Err("it is not KEY=VALUE".to_owned())
    }
}

/// A time as kubectl takes it: seconds, or Go's `1h2m3s`.
fn timeout(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let wrong = || "it is neither a number of seconds nor a time such as 1s, 2m, 3h".to_owned();
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, after) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters).ok_or_else(wrong)?;
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = after;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_kubectl_takes_them() {
        let table = [
            ("0", Some(0)),
            ("30", Some(30_000)),
            ("1s", Some(1000)),
            ("2m", Some(120_000)),
            ("1h30m", Some(5_400_000)),
            ("500ms", Some(500)),
            ("1.5s", Some(1500)),
            ("0s", Some(0)),
            ("", None),
            ("s", None),
            ("1", Some(1000)),
            ("1x", None),
            ("-1s", None),
            ("1s2", None),
            ("1e999h", None),
            ("99999999999999999999s", None),
        ];
        for (text, expected) in table {
            assert_eq!(timeout(text).ok(), expected.map(Duration::from_millis), "{text:?}");
        }
    }
}
