//! Claims, volumes, classes and drivers.

use super::LocalReference;
use crate::model::lenient::slim;
use crate::model::{Condition, List, Map, Meta};

slim! {
    /// A claim.
    pub struct PersistentVolumeClaim {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: ClaimSpec,
        /// What is.
        pub status: ClaimStatus,
    }

    /// `spec` of a claim.
    pub struct ClaimSpec {
        /// How it is mounted.
        pub access_modes: List<String>,
        /// How much.
        pub resources: super::Resources,
        /// Its class: absent means the default, empty means none.
        pub storage_class_name: Option<String>,
        /// The volume.
        pub volume_name: String,
        /// `Filesystem` or `Block`.
        pub volume_mode: String,
        /// Labels the volume must carry.
        pub selector: Option<crate::model::Selector>,
    }

    /// `status` of a claim.
    pub struct ClaimStatus {
        /// `Pending`, `Bound`, `Lost`.
        pub phase: String,
        /// How much there is.
        pub capacity: Map,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// A volume.
    pub struct PersistentVolume {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: VolumeSpec,
        /// What is.
        pub status: VolumeStatus,
    }

    /// `spec` of a volume.
    pub struct VolumeSpec {
        /// How much.
        pub capacity: Map,
        /// How it is mounted.
        pub access_modes: List<String>,
        /// The claim it is for.
        pub claim_ref: Option<ClaimReference>,
        /// Its class.
        pub storage_class_name: String,
        /// What happens when the claim goes.
        pub persistent_volume_reclaim_policy: String,
        /// `Filesystem` or `Block`.
        pub volume_mode: String,
        /// Where it can be mounted.
        pub node_affinity: VolumeAffinity,
        /// A driver's volume.
        pub csi: Option<super::CsiVolume>,
        /// A folder of the node.
        pub host_path: Option<super::HostPath>,
        /// A file share.
        pub nfs: Option<super::Nfs>,
        /// A disk of the node.
        pub local: Option<super::HostPath>,
    }

    /// Where a volume can be mounted.
    pub struct VolumeAffinity {
        /// What must hold.
        pub required: super::NodeSelector,
    }

    /// A claim, as a volume names it.
    pub struct ClaimReference {
        /// Its namespace.
        pub namespace: String,
        /// Its name.
        pub name: String,
        /// Its uid.
        pub uid: String,
    }

    /// `status` of a volume.
    pub struct VolumeStatus {
        /// `Available`, `Bound`, `Released`, `Failed`.
        pub phase: String,
        /// A word.
        pub reason: String,
        /// A sentence.
        pub message: String,
    }

    /// A class of volumes.
    pub struct StorageClass {
        /// Metadata.
        pub metadata: Meta,
        /// Who makes them.
        pub provisioner: String,
        /// `Immediate` or `WaitForFirstConsumer`.
        pub volume_binding_mode: String,
        /// Whether they may grow.
        pub allow_volume_expansion: bool,
    }

    /// A driver.
    pub struct CSIDriver {
        /// Metadata.
        pub metadata: Meta,
    }

    /// The drivers of a node.
    pub struct CSINode {
        /// Metadata.
        pub metadata: Meta,
        /// The drivers.
        pub spec: CSINodeSpec,
    }

    /// `spec` of a CSINode.
    pub struct CSINodeSpec {
        /// The drivers.
        pub drivers: List<NodeDriver>,
    }

    /// A driver on a node.
    pub struct NodeDriver {
        /// Its name.
        pub name: String,
        /// What it can take.
        pub allocatable: Option<DriverBound>,
    }

    /// What a driver can take.
    pub struct DriverBound {
        /// Volumes.
        pub count: Option<i64>,
    }

    /// A volume on its way to a node.
    pub struct VolumeAttachment {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: AttachmentSpec,
        /// What is.
        pub status: AttachmentStatus,
    }

    /// `spec` of an attachment.
    pub struct AttachmentSpec {
        /// The driver.
        pub attacher: String,
        /// The node.
        pub node_name: String,
        /// The volume.
        pub source: AttachmentSource,
    }

    /// The volume of an attachment.
    pub struct AttachmentSource {
        /// Its name.
        pub persistent_volume_name: String,
    }

    /// `status` of an attachment.
    pub struct AttachmentStatus {
        /// Whether it is there.
        pub attached: bool,
        /// Why it is not.
        pub attach_error: Option<AttachError>,
        /// Why it does not go.
        pub detach_error: Option<AttachError>,
    }

    /// Why an attachment failed.
    pub struct AttachError {
        /// A sentence.
        pub message: String,
    }

    /// Accounts that pods run as.
    pub struct ServiceAccount {
        /// Metadata.
        pub metadata: Meta,
        /// Secrets for the registry.
        pub image_pull_secrets: List<LocalReference>,
        /// Whether the token is mounted.
        pub automount_service_account_token: Option<bool>,
    }
}

impl StorageClass {
    /// Whether claims that name no class get it.
    pub fn is_default(&self) -> bool {
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
            .iter()
            .any(|key| self.metadata.annotations.get(key).is_some_and(|value| value == "true"))
    }
}
