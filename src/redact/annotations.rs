//! Annotations, in which tools keep what they like: copies of the object they stand on among it.
//!
//! *Invariant:* a copy of the object is dropped on every kind. Of a Secret's annotations those that diagnosis needs
//! keep their values, and of all others the length is left.

use super::names::{Naming, classify};
use super::values::{is_name, looks_secret};
use super::{Mode, Redactor, is_placeholder};
use crate::model::Map;

/// What begins the names of those on a Secret that tell of it, and hold nothing of what is in it.
const TELLING: &[&str] =
    &["cert-manager.io/", "meta.helm.sh/", "kubernetes.io/service-account.", "kubectl-react.dev/silence"];

/// Whether an annotation repeats the object that it is on, as it was applied by kubectl, kapp, Rancher or an operator.
pub(super) fn repeats(key: &str) -> bool {
    key.ends_with("/last-applied-configuration")
        || key.ends_with("/last-applied")
        || key.starts_with("kapp.k14s.io/original")
        || key == "objectset.rio.cattle.io/applied"
}

/// Masks all of an object's, or of a template's.
pub(super) fn all(redactor: &Redactor, annotations: &mut Map) {
    annotations.retain(|key, _| !repeats(key));
    annotations.update(|key, value| one(redactor, key, value));
}

/// Annotations speak about secrets (`agent-inject-secret-db: secret/data/db`) more often than they hold one.
pub(super) fn one(redactor: &Redactor, key: &str, value: &mut String) {
    let name = key.rsplit('/').next().unwrap_or(key);
    let named = classify(name) == Some(Naming::Secret);
    let checksum = key.contains("checksum") || key.contains("hash");
    if named
        && !checksum
        && !is_placeholder(value)
        && !value.contains(['/', ' '])
        && looks_secret(value)
        && !is_name(value)
    {
        *value = redactor.mask(value);
    } else {
        redactor.apply(value, Mode::Prose);
    }
}

/// Leaves the length of one that is on a Secret, where its name promises nothing that is needed.
pub(super) fn on_secret(key: &str, value: &mut String) {
    let counted = value.strip_prefix('<').and_then(|rest| rest.strip_suffix(" bytes>"));
    let counted = counted.is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit()));
    if !counted && !TELLING.iter().any(|begin| key.starts_with(begin)) {
        *value = format!("<{} bytes>", value.len());
    }
}
