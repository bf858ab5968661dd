//! Tokens of Entra ID for Azure OpenAI: workload identity, managed identity, the Azure CLI.
//!
//! *Invariant:* a token is held in memory only, renewed before it ends, and in no message. The file of a workload identity
//! is read each time, since the kubelet replaces it. What lends the machine its identity is asked without a proxy.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, TokenCredential};
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport};
use azure_core::time::OffsetDateTime;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use reqwest::Url;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::refusal::clean;
use crate::http;

/// A token is renewed so long before its end.
const BEFORE: Duration = Duration::from_mins(5);
/// How long each source may take. The metadata service answers at once, or is not there.
const PATIENCE: Duration = Duration::from_secs(30);
const PATIENCE_METADATA: Duration = Duration::from_secs(5);

/// Where Entra's public cloud is.
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// Gets tokens.
pub struct Entra {
    sources: Vec<Source>,
    scope: &'static str,
    http: Arc<dyn HttpClient>,
    /// For what answers this machine alone.
    machine: Arc<dyn HttpClient>,
    kept: Mutex<Option<AccessToken>>,
}

/// Who vouches for us.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Workload { tenant: String, client: String, file: PathBuf, authority: String },
    Managed { client: Option<String> },
    Cli { tenant: Option<String> },
}

impl Source {
    fn name(&self) -> &'static str {
        match self {
            Source::Workload { .. } => "workload identity",
            Source::Managed { .. } => "managed identity",
            Source::Cli { .. } => "Azure CLI",
        }
    }
}

impl Entra {
    /// Tokens for the server at `url`, by what the environment says of identities; through the system's proxy where
    /// `proxy` names none.
    ///
    /// # Errors
    /// When the certificates of `ca_file` or the proxy can't be used.
    pub fn open(
        env: &dyn Fn(&str) -> Option<String>,
        url: &str,
        ca_file: Option<&std::path::Path>,
        proxy: Option<&str>,
    ) -> Result<Entra, String> {
        let authority = env("AZURE_AUTHORITY_HOST").unwrap_or_else(|| AUTHORITY.to_owned());
        let authority = Url::parse(&authority).map_err(|_| "AZURE_AUTHORITY_HOST is no address".to_owned())?;
        let http = Arc::new(http::client(&authority, ca_file, proxy)?);
        let machine = Arc::new(http::direct(ca_file)?);
        Ok(Entra { sources: sources(env), scope: scope(url), http, machine, kept: Mutex::new(None) })
    }

    /// A token that is good for some minutes at least.
    pub(super) async fn token(&self) -> Result<String, String> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| OffsetDateTime::now_utc() + BEFORE < token.expires_on) {
            return Ok(token.token.secret().to_owned());
        }
        let mut reasons = Vec::new();
        for source in &self.sources {
            match self.ask(source).await {
                Ok(token) => {
                    let secret = token.token.secret().to_owned();
                    *kept = Some(token);
                    return Ok(secret);
                }
                Err(reason) => reasons.push(format!("{}: {reason}", source.name())),
            }
        }
        Err(format!("no token of Entra ID: {}", reasons.join("; ")))
    }

    /// The token was refused: the next one is new.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn ask(&self, source: &Source) -> Result<AccessToken, String> {
        let told = |error: azure_core::Error| {
            let text = error.to_string();
            // Below stands an advertisement for a page of the SDK.
            clean(text.split("To troubleshoot").next().unwrap_or(&text), &[])
        };
        let credential = self.credential(source).map_err(told)?;
        let patience = if matches!(source, Source::Managed { .. }) { PATIENCE_METADATA } else { PATIENCE };
        let scopes = [self.scope];
        let asked = timeout(patience, credential.get_token(&scopes, None)).await;
        asked.map_err(|_| "no answer in time".to_owned())?.map_err(told)
    }

    /// Made anew each time: the crate keeps the file of a workload identity for ten minutes.
    fn credential(&self, source: &Source) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let http = if matches!(source, Source::Managed { .. }) { &self.machine } else { &self.http };
        let mut options = ClientOptions {
            transport: Some(Transport::new(Arc::clone(http))),
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        };
        Ok(match source {
            Source::Workload { tenant, client, file, authority } => {
                let mut custom = CustomConfiguration::default();
                custom.authority_host.clone_from(authority);
                options.cloud = Some(Arc::new(CloudConfiguration::Custom(custom)));
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options: options },
                    client_id: Some(client.clone()),
                    tenant_id: Some(tenant.clone()),
                    token_file_path: Some(file.clone()),
                }))?
            }
            Source::Managed { client } => ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: client.clone().map(UserAssignedId::ClientId),
                client_options: options,
            }))?,
            Source::Cli { tenant } => AzureCliCredential::new(Some(AzureCliCredentialOptions {
                tenant_id: tenant.clone(),
                ..AzureCliCredentialOptions::default()
            }))?,
        })
    }
}

/// Whom to ask, in this order. What the environment names is alone; else the person at the keyboard is asked before the
/// machine, since off Azure the machine's metadata service is a long silence.
fn sources(env: &dyn Fn(&str) -> Option<String>) -> Vec<Source> {
    let (tenant, client) = (env("AZURE_TENANT_ID"), env("AZURE_CLIENT_ID"));
    if let (Some(tenant), Some(client), Some(file)) = (&tenant, &client, env("AZURE_FEDERATED_TOKEN_FILE")) {
        let authority = env("AZURE_AUTHORITY_HOST").unwrap_or_else(|| AUTHORITY.to_owned());
        let (tenant, client) = (tenant.clone(), client.clone());
        return vec![Source::Workload { tenant, client, file: file.into(), authority }];
    }
    let managed = Source::Managed { client };
    if env("IDENTITY_ENDPOINT").is_some() || env("MSI_ENDPOINT").is_some() {
        return vec![managed];
    }
    vec![Source::Cli { tenant }, managed]
}

/// Whom the token is for, by the cloud that the server is in.
fn scope(url: &str) -> &'static str {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    match host.rsplit('.').next() {
        Some("us") => "https://cognitiveservices.azure.us/.default",
        Some("cn") => "https://cognitiveservices.azure.cn/.default",
        _ => "https://cognitiveservices.azure.com/.default",
    }
}

#[cfg(test)]
#[path = "azure_tests.rs"]
mod tests;
