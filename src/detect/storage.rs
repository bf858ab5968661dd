//! What a claim waits for, and why a volume does not come to its pod.
//!
//! *Invariant:* a pending claim has exactly one [`Wait`], so that the storage detectors never
//! speak of the same claim. What waits as it should (for its first consumer, for a provisioner
//! that has just been asked) has none.

use crate::detect::prelude::*;

/// What a pending claim waits for.
#[derive(Clone, Debug)]
pub enum Wait<'a> {
    /// Its class does not exist.
    ClassMissing(&'a str),
    /// It names no class, and there is no default.
    NoClass,
    /// Its volume is still kept for a claim that was deleted.
    Released(&'a PersistentVolume),
    /// No volume fits, and none will be made.
    NoVolume,
    /// The provisioner says why it can't make one.
    Refused(&'a StorageClass, &'a Event),
    /// The provisioner does not answer.
    Silent(&'a StorageClass),
}

/// The class that makes no volumes.
const STATIC: &str = "kubernetes.io/no-provisioner";

/// What a claim waits for, where that is a fault.
pub fn wait<'a>(view: &View<'a>, claim: &'a PersistentVolumeClaim) -> Option<Wait<'a>> {
    let pending = claim.status.phase == "Pending" || claim.status.phase.is_empty() && claim.spec.volume_name.is_empty();
    // The controller answers within seconds, with an event; before that nothing is known.
    let young = view.age(*claim.metadata.creation_timestamp).is_some_and(|age| age < 10);
    if !pending || claim.metadata.deleting() || young && view.events(&claim.object_ref()).is_empty() {
        return None;
    }
    if let Some(volume) = released(view, claim) {
        return Some(Wait::Released(volume));
    }
    if !claim.spec.volume_name.is_empty() {
        return view.snapshot.knows(Kind::PersistentVolume, "").then_some(Wait::NoVolume);
    }
    // A class is no more than a name where people make its volumes; those that a provisioner made tell nothing of it.
    let by_hand = |class: &str| {
        view.all::<PersistentVolume>().iter().any(|volume| {
            let made = volume.metadata.annotations.contains_key("pv.kubernetes.io/provisioned-by");
            volume.spec.storage_class_name == class && (!made || volume.status.phase != "Bound")
        })
    };
    let available = |class: &str| {
        view.all::<PersistentVolume>()
            .iter()
            .any(|volume| volume.spec.storage_class_name == class && volume.status.phase == "Available")
    };
    match claim.spec.storage_class_name.as_deref() {
        Some("") => Some(Wait::NoVolume),
        None if view.all::<StorageClass>().iter().any(StorageClass::is_default)
            || !view.snapshot.knows(Kind::StorageClass, "") =>
        {
            None
        }
        None => Some(if available("") { Wait::NoVolume } else { Wait::NoClass }),
        Some(name) => match view.get::<StorageClass>("", name) {
            Some(class) if class.provisioner == STATIC => still(view, claim, class),
            Some(class) => dynamic(view, claim, class),
            None if by_hand(name) => Some(Wait::NoVolume),
            None if view.snapshot.knows(Kind::StorageClass, "")
                || event(view, claim, "ProvisioningFailed").is_some() =>
            {
                Some(Wait::ClassMissing(name))
            }
            None => None,
        },
    }
}

/// A class without a provisioner: people make its volumes.
fn still<'a>(view: &View<'a>, claim: &'a PersistentVolumeClaim, class: &StorageClass) -> Option<Wait<'a>> {
    let lazy = class.volume_binding_mode == "WaitForFirstConsumer";
    let refused = |pod: &&Pod| {
        condition(&pod.status.conditions, "PodScheduled")
            .is_some_and(|c| c.message.contains("persistent volumes to bind"))
    };
    (!lazy || consumers(view, claim).iter().any(refused)).then_some(Wait::NoVolume)
}

/// A class with a provisioner, that may not have been asked yet.
fn dynamic<'a>(view: &View<'a>, claim: &'a PersistentVolumeClaim, class: &'a StorageClass) -> Option<Wait<'a>> {
    let lazy = class.volume_binding_mode == "WaitForFirstConsumer";
    if lazy && !claim.metadata.annotations.contains_key("volume.kubernetes.io/selected-node") {
        return None;
    }
    let recent = |event: &&Event| view.age(event.last()).is_some_and(|age| age < 30 * SETTLED);
    if let Some(event) = event(view, claim, "ProvisioningFailed").filter(recent) {
        return Some(Wait::Refused(class, event));
    }
    let asked = event(view, claim, "ExternalProvisioning");
    let since = asked.and_then(Event::first).or(*claim.metadata.creation_timestamp);
    let age = view.age(since).unwrap_or_default();
    // One that has never shown itself, or that can be seen to be down, needs no time to answer.
    let name = provisioner(claim, class);
    let patience = if known(view, name) && stopped(view, name).is_none() {
        2 * SETTLED
    } else if asked.is_some() {
        0
    } else {
        15
    };
    (age >= patience).then_some(Wait::Silent(class))
}

/// Who is asked for the volume: what the class names, or what took its place.
pub fn provisioner<'a>(claim: &'a PersistentVolumeClaim, class: &'a StorageClass) -> &'a str {
    let keys = ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];
    keys.iter().find_map(|key| claim.metadata.annotations.get(key)).map_or(&class.provisioner, String::as_str)
}

/// Whether a provisioner has shown itself: by a driver object, a volume that it made, an event, a
/// lease or a workload of its own.
pub fn known(view: &View<'_>, provisioner: &str) -> bool {
    let dashed = provisioner.replace(['.', '/'], "-");
    let made = |volume: &PersistentVolume| {
        volume.metadata.annotations.get("pv.kubernetes.io/provisioned-by").is_some_and(|by| by == provisioner)
    };
    view.get::<CSIDriver>("", provisioner).is_some()
        || provisioner.starts_with("kubernetes.io/")
        || view.all::<PersistentVolume>().iter().any(made)
        || view.all::<Event>().iter().any(|event| event.component().starts_with(provisioner))
        || view.all::<Lease>().iter().any(|lease| lease.metadata.name == dashed || lease.metadata.name == provisioner)
        || makers(view, provisioner).iter().any(|maker| view.workload(maker).is_some_and(|workload| workload.ready > 0))
}

/// The workloads that should answer: those whose containers are told the provisioner's name.
pub fn makers(view: &View<'_>, provisioner: &str) -> Vec<ObjectRef> {
    let told = |container: &Container| {
        let words = container
            .args
            .iter()
            .chain(&container.command)
            .chain(container.env.iter().filter_map(|env| env.value.as_ref()));
        words.into_iter().any(|word| word.contains(provisioner))
    };
    // `rancher.io/local-path` is made by a workload `local-path-provisioner` that is not told so.
    let short = provisioner.rsplit('/').next().filter(|short| provisioner.contains('/') && short.len() >= 4);
    let named = |workload: &Workload<'_>| short.is_some_and(|short| workload.object.name.contains(short));
    view.workloads()
        .filter(|workload| workload.object.kind != Kind::Job)
        .filter(|workload| named(workload) || workload.template.spec.all_containers().any(told))
        .map(|workload| workload.object)
        .collect()
}

/// The workload that should answer and has no pod that could.
pub fn stopped<'a>(view: &View<'a>, provisioner: &str) -> Option<Workload<'a>> {
    let makers = makers(view, provisioner).into_iter().filter_map(|maker| view.workload(&maker));
    makers.into_iter().find(|workload| workload.ready == 0)
}

/// The volume that would be the claim's, were it not still kept for one that is gone.
fn released<'a>(view: &View<'a>, claim: &PersistentVolumeClaim) -> Option<&'a PersistentVolume> {
    let (space, name) = (&claim.metadata.namespace, &claim.spec.volume_name);
    let wanted = |volume: &&PersistentVolume| {
        let Some(kept) = volume.spec.claim_ref.as_ref().filter(|_| volume.status.phase == "Released") else {
            return false;
        };
        if !name.is_empty() {
            return volume.metadata.name == *name;
        }
        let named = kept.namespace == *space
            && kept.name == claim.metadata.name
            && !kept.uid.is_empty()
            && kept.uid != claim.metadata.uid;
        // What another claim of the namespace left behind counts where volumes are made by hand.
        let left = || {
            kept.namespace == *space
                && claim.spec.storage_class_name.is_some()
                && !provisioned(view, claim)
                && misfits(claim, volume).is_empty()
        };
        named || left()
    };
    view.all::<PersistentVolume>().iter().find(wanted)
}

/// Whether somebody makes volumes of the claim's class.
fn provisioned(view: &View<'_>, claim: &PersistentVolumeClaim) -> bool {
    let name = claim.spec.storage_class_name.as_deref().unwrap_or_default();
    view.get::<StorageClass>("", name).is_some_and(|class| class.provisioner != STATIC)
}

/// What a volume lacks for a claim, whoever holds it now.
pub fn misfits(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Vec<String> {
    let mut found = Vec::new();
    let class = claim.spec.storage_class_name.as_deref().unwrap_or_default();
    let quoted = |class: &str| if class.is_empty() { "no class".to_owned() } else { format!("class {class}") };
    if volume.spec.storage_class_name != class {
        found.push(format!(
            "it is of {}, the claim asks for {}",
            quoted(&volume.spec.storage_class_name),
            quoted(class)
        ));
    }
    let size = |map: &Map| map.get("storage").and_then(|text| Quantity::parse(text)).unwrap_or_default();
    let (wants, has) = (size(&claim.spec.resources.requests), size(&volume.spec.capacity));
    if has < wants {
        found.push(format!("it has {}, the claim asks for {}", has.display("storage"), wants.display("storage")));
    }
    let missing: Vec<String> =
        claim.spec.access_modes.iter().filter(|mode| !volume.spec.access_modes.contains(mode)).cloned().collect();
    if !missing.is_empty() {
        found.push(format!("it offers {}, the claim asks for {}", volume.spec.access_modes.join(", "), list(&missing)));
    }
    let mode = |mode: &str| if mode.is_empty() { "Filesystem".to_owned() } else { mode.to_owned() };
    if mode(&claim.spec.volume_mode) != mode(&volume.spec.volume_mode) {
        found.push(format!(
            "its volumeMode is {}, the claim's {}",
            mode(&volume.spec.volume_mode),
            mode(&claim.spec.volume_mode)
        ));
    }
    if let Some(selector) = claim.spec.selector.as_ref().filter(|selector| !selector.matches(&volume.metadata.labels)) {
        let held = |key: &String| volume.metadata.labels.get(key).map(|value| format!("{key}={value}"));
        let has: Vec<String> = selector.match_labels.keys().filter_map(held).collect();
        let has = if has.is_empty() { String::new() } else { format!(" (it has {})", list(&has)) };
        found.push(format!("it lacks the labels that the claim selects: {selector}{has}"));
    }
    found
}

/// Pods that use a claim and are not finished.
pub fn consumers<'a>(view: &View<'a>, claim: &PersistentVolumeClaim) -> Vec<&'a Pod> {
    let object = claim.object_ref();
    let pods = view.dependents(&object).filter(|(edge, _)| *edge == Edge::Volume);
    pods.filter_map(|(_, pod)| view.get::<Pod>(pod.ns(), &pod.name)).filter(|pod| !pod.finished()).collect()
}

/// A bound claim of a pod that only one pod may use, and the pod that does.
pub fn held<'a>(view: &View<'a>, pod: &Pod) -> Option<(&'a PersistentVolumeClaim, &'a Pod)> {
    let mut exclusive = crate::detect::scheduling::claims(view, pod)
        .into_iter()
        .filter(|claim| claim.spec.access_modes.iter().any(|mode| mode == "ReadWriteOncePod"));
    exclusive.find_map(|claim| {
        let mut holders = consumers(view, claim).into_iter();
        Some((claim, holders.find(|holder| !holder.spec.node_name.is_empty())?))
    })
}

/// A finding at a claim, as grave as for the pods that wait for it.
pub fn finding(view: &View<'_>, claim: &PersistentVolumeClaim, summary: impl Into<String>) -> Finding {
    let severity = consumers(view, claim).iter().map(|pod| view.pod_severity(pod)).max().unwrap_or(Severity::Warning);
    // A claim that is made for a pod is told at the pod's workload, and must be named.
    let made = claim.metadata.controller().filter(|owner| owner.kind == "Pod");
    let volume = made.and_then(|owner| claim.metadata.name.strip_prefix(&format!("{}-", owner.name)));
    let whose = volume.map(|volume| format!("the claim of its volume {volume} can't be bound: ")).unwrap_or_default();
    Finding::new(claim.object_ref(), severity, Stage::Schedule, format!("{whose}{}", summary.into()))
        .since(*claim.metadata.creation_timestamp)
}

/// The newest event of a reason about this claim, not an earlier one of its name.
pub fn event<'a>(view: &View<'a>, claim: &PersistentVolumeClaim, reason: &str) -> Option<&'a Event> {
    let ours = |event: &&&Event| {
        event.reason == reason
            && (event.involved_object.uid.is_empty()
                || claim.metadata.uid.is_empty()
                || event.involved_object.uid == claim.metadata.uid)
    };
    view.events(&claim.object_ref()).iter().find(ours).copied()
}

/// Warnings of these reasons about a pod that can't start for them, the newest first; none once
/// its containers run, and none of a volume that was attached after all.
pub fn blocked<'a>(view: &View<'a>, pod: &'a Pod, reasons: &[&str]) -> Vec<&'a Event> {
    let creating = |status: &ContainerStatus| {
        status
            .state
            .waiting
            .as_ref()
            .is_some_and(|waiting| matches!(waiting.reason.as_str(), "ContainerCreating" | "PodInitializing"))
    };
    let begun = pod.status.all_statuses().any(|status| !creating(status));
    if pod.metadata.deleting() || pod.status.phase != "Pending" || begun {
        return Vec::new();
    }
    let asked = |event: &&Event| reasons.contains(&event.reason.as_str());
    view.warnings(pod).filter(asked).filter(|event| !attached_since(view, pod, event)).collect()
}

/// Whether this is a volume that could not be attached at first, and is by now: what fails comes later than that.
fn attached_since(view: &View<'_>, pod: &Pod, failure: &Event) -> bool {
    if failure.reason != "FailedAttachVolume" {
        return false;
    }
    let volume = volume_of(&failure.message);
    let attachments = view.all::<VolumeAttachment>().iter();
    let mut here = attachments
        .filter(|a| volume == Some(&*a.spec.source.persistent_volume_name) && a.spec.node_name == pod.spec.node_name);
    let mut told = view.events(&pod.object_ref()).iter();
    here.any(|attachment| attachment.status.attached)
        || told.any(|event| {
            event.reason == "SuccessfulAttachVolume"
                && volume_of(&event.message) == volume
                && event.last() >= failure.last()
        })
}

/// Whether a mount failed for a ConfigMap, Secret or token that is not there: not the volume's fault.
pub fn configuration(message: &str) -> bool {
    // A driver's or a volume's own name may hold such a word, and a driver's Secrets are its own.
    let tail = message.split_once(" : ").map_or(message, |(_, tail)| tail);
    let lower = tail.to_ascii_lowercase();
    let words = [
        "configmap \"",
        "configmaps \"",
        "secret \"",
        "secrets \"",
        "sync configmap cache",
        "sync secret cache",
        "not registered",
        "serviceaccount",
        "failed to fetch token",
        "references non-existent",
        "non-existent config key",
    ];
    words.iter().any(|word| lower.contains(word)) && !lower.contains("secretref ")
}

/// What the program that mounts printed: it decides, the exit status before it does not.
pub fn output(message: &str) -> Option<String> {
    let printed = message.lines().find_map(|line| line.trim().strip_prefix("Output: "))?;
    // The kubelet's own folder differs from pod to pod.
    let words = printed.split_whitespace().filter(|word| !word.starts_with("/var/lib/kubelet/"));
    Some(words.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

/// The end of a chain of errors: what a driver answered.
pub fn reason(message: &str) -> &str {
    let tail = message.rsplit_once("desc = ").map_or(message, |(_, tail)| tail);
    let tail = tail
        .split_once(" failed for volume ")
        .and_then(|(_, rest)| rest.split_once(" : "))
        .map_or(tail, |(_, rest)| rest);
    let line = tail.lines().find(|line| !line.trim().is_empty()).unwrap_or(tail);
    line.trim().trim_end_matches('.')
}

/// The volume that an error names: `… for volume "data" …`.
pub fn volume_of(message: &str) -> Option<&str> {
    message.split_once("volume \"")?.1.split_once('"').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_cut_to_what_was_answered() {
        let table = [
            (
                "MountVolume.SetUp failed for volume \"d\" : hostPath type check failed: /x is not a directory",
                "hostPath type check failed: /x is not a directory",
            ),
            (
                "AttachVolume.Attach failed for volume \"pv\" : rpc error: code = Internal desc = too many disks",
                "too many disks",
            ),
            (
                "MountVolume.SetUp failed for volume \"n\" : mount failed: exit status 32\nMounting command: mount",
                "mount failed: exit status 32",
            ),
            ("", ""),
        ];
        for (message, expected) in table {
            assert_eq!(reason(message), expected);
        }
        assert_eq!(volume_of(table[0].0), Some("d"));
        assert!(configuration("MountVolume.SetUp failed for volume \"c\" : configmap \"x\" not found"));
        assert!(!configuration(table[0].0));
        let table = [
            (
                "MountVolume.SetUp failed for volume \"v\" : kubernetes.io/csi: driver name secrets-store.csi.k8s.io not found in the list of registered CSI drivers",
                false,
            ),
            (
                "MountVolume.SetUp failed for volume \"v\" : kubernetes.io/csi: fetching NodePublishSecretRef shop/nas failed: secrets \"nas\" not found",
                false,
            ),
            ("MountVolume.SetUp failed for volume \"secret \" : hostPath type check failed: /x is not a file", false),
            ("MountVolume.SetUp failed for volume \"k\" : secret \"tls\" not found", true),
            ("MountVolume.SetUp failed for volume \"k\" : object \"shop\"/\"tls\" not registered", true),
        ];
        for (message, expected) in table {
            assert_eq!(configuration(message), expected, "{message}");
        }
    }

    #[test]
    fn what_mount_printed() {
        let nfs = "MountVolume.SetUp failed for volume \"n\" : mount failed: exit status 32\nMounting command: mount\n\
                   Mounting arguments: -t nfs 10.0.0.9:/e /var/lib/kubelet/pods/1/n\n\
                   Output: mount.nfs: access denied by server while mounting 10.0.0.9:/e";
        assert_eq!(output(nfs).as_deref(), Some("mount.nfs: access denied by server while mounting 10.0.0.9:/e"));
        let path = "x\nOutput: mount: /var/lib/kubelet/pods/1/n: unknown filesystem type 'nfs'.";
        assert_eq!(output(path).as_deref(), Some("mount: unknown filesystem type 'nfs'."));
        assert_eq!(output("Output: "), None);
    }
}
