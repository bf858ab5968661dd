//! A krew plugin manifest, as far as we use the format.

use serde::Deserialize;

/// What krew-index holds one file of for each plugin. Unknown fields are refused:
/// krew would ignore a misspelt one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metadata {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Spec {
    pub(super) version: String,
    pub(super) homepage: String,
    #[serde(default)]
    pub(super) short_description: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) caveats: String,
    pub(super) platforms: Vec<Platform>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Platform {
    pub(super) selector: Option<Selector>,
    #[serde(default)]
    pub(super) uri: String,
    #[serde(default)]
    pub(super) sha256: String,
    #[serde(default)]
    pub(super) bin: String,
    pub(super) files: Option<Vec<FileOperation>>,
}

/// krew also knows `matchExpressions`; each platform of ours has its own archive,
/// so labels are enough.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Selector {
    pub(super) match_labels: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileOperation {
    #[serde(default)]
    pub(super) from: String,
    #[serde(default)]
    pub(super) to: String,
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }
}

impl Platform {
    pub(super) fn label(&self, key: &str) -> &str {
        let labels = self.selector.as_ref().map(|selector| &selector.match_labels);
        labels.and_then(|labels| labels.get(key)).map_or("", String::as_str)
    }

    /// The last part of the address, which is also the archive's name on disk.
    pub(super) fn archive(&self) -> &str {
        self.uri.rsplit('/').next().unwrap_or_default()
    }
}
