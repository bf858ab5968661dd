//! What the tests share.

use kubectl_react::model::{Scope, Snapshot};

/// When test snapshots are taken.
pub(crate) const NOW: &str = "2026-01-01T12:00:00Z";

/// Reads YAML documents into a snapshot that was taken at [`NOW`].
pub(crate) fn snapshot(yaml: &str) -> Snapshot {
    let mut snapshot = Snapshot::new(NOW.parse().unwrap(), "test", Scope::default());
    for document in yaml.split("\n---").filter(|document| !document.trim().is_empty()) {
        let value: serde_json::Value = serde_saphyr::from_str(document).unwrap();
        snapshot.objects.add_json(value).unwrap();
    }
    snapshot.objects.sort();
    snapshot
}
