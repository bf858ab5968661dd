//! Admission webhooks, and which of them is meant by a name.
//!
//! *Invariant:* pure; a name is unique only within its configuration, so it is looked up with the namespace
//! in which it was asked.

use super::prelude::*;

/// The configuration that holds the webhook of this name, with the webhook. Names are unique only
/// within a configuration: of several the one that is asked in `namespace`, and fails closed, is meant.
pub fn webhook<'a>(view: &View<'a>, name: &str, namespace: &str) -> Option<(ObjectRef, &'a Webhook)> {
    let labels = crate::detect::policies::namespace_labels(view, namespace);
    let named = webhooks(view).into_iter().filter(|(_, hook)| hook.name == name);
    named.min_by_key(|(_, hook)| {
        let asked = labels.as_ref().is_none_or(|labels| hook.namespace_selector.matches(labels));
        (!asked, hook.failure_policy == "Ignore")
    })
}

/// All webhooks, each with its configuration.
pub fn webhooks<'a>(view: &View<'a>) -> Vec<(ObjectRef, &'a Webhook)> {
    let objects = &view.snapshot.objects;
    let mutating =
        objects.mutating_webhooks.iter().flat_map(|hooks| hooks.webhooks.iter().map(|hook| (hooks.object_ref(), hook)));
    let validating = objects
        .validating_webhooks
        .iter()
        .flat_map(|hooks| hooks.webhooks.iter().map(|hook| (hooks.object_ref(), hook)));
    mutating.chain(validating).collect()
}
