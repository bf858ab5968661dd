//! Names alone, as `kubectl get -o name` prints them.

use std::collections::BTreeSet;

use crate::model::{Diagnosis, Kind, ObjectRef};

/// The object of each cause, once, the worst first.
pub(super) fn render(diagnosis: &Diagnosis) -> String {
    let mut seen = BTreeSet::new();
    let names = diagnosis.causes.iter().map(|cause| name(&cause.object));
    names.filter(|name| seen.insert(name.clone())).map(|name| name + "\n").collect()
}

/// `deployment.apps/cart`, `pod/web-1`, `certificate.cert-manager.io/shop`.
fn name(object: &ObjectRef) -> String {
    let kind = object.kind.argument();
    let group = match object.kind {
        // Custom kinds carry their group.
        Kind::Custom(_) => "",
        kind => kind.info().map_or("", crate::model::KindInfo::group),
    };
    let dot = if group.is_empty() { "" } else { "." };
    format!("{kind}{dot}{group}/{}", object.name)
}
