//! Workloads: what makes pods.

use super::{IntOrString, PodTemplate};
use crate::model::lenient::{When, slim};
use crate::model::{Condition, List, Map, Meta, ObjectRef, Selector};

slim! {
    /// A Deployment.
    pub struct Deployment {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: DeploymentSpec,
        /// What is.
        pub status: WorkloadStatus,
    }

    /// `spec` of a Deployment.
    pub struct DeploymentSpec {
        /// How many pods; 1 where absent.
        pub replicas: Option<i64>,
        /// Its pods.
        pub selector: Selector,
        /// What they look like.
        pub template: PodTemplate,
        /// Whether changes wait.
        pub paused: bool,
        /// How pods are replaced.
        pub strategy: Strategy,
        /// Seconds without progress that count as stuck.
        pub progress_deadline_seconds: Option<i64>,
        /// Seconds a pod must be ready.
        pub min_ready_seconds: Option<i64>,
    }

    /// How pods are replaced.
    pub struct Strategy {
        /// `RollingUpdate`, `Recreate`, `OnDelete`.
        #[serde(rename = "type")]
        pub kind: String,
        /// The bounds.
        pub rolling_update: Option<RollingUpdate>,
    }

    /// The bounds of a rolling update.
    pub struct RollingUpdate {
        /// More pods than asked for.
        pub max_surge: Option<IntOrString>,
        /// Fewer pods than asked for.
        pub max_unavailable: Option<IntOrString>,
        /// The first ordinal that is updated (StatefulSet).
        pub partition: Option<i64>,
    }

    /// `status` of a Deployment, ReplicaSet or StatefulSet.
    pub struct WorkloadStatus {
        /// Pods there are.
        pub replicas: i64,
        /// Of the newest revision.
        pub updated_replicas: i64,
        /// Ready.
        pub ready_replicas: i64,
        /// Ready for long enough.
        pub available_replicas: i64,
        /// Missing.
        pub unavailable_replicas: i64,
        /// Of the current revision (StatefulSet).
        pub current_replicas: i64,
        /// The revision in use (StatefulSet).
        pub current_revision: String,
        /// The revision wanted (StatefulSet).
        pub update_revision: String,
        /// The generation that the controller has seen.
        pub observed_generation: i64,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// A ReplicaSet.
    pub struct ReplicaSet {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: ReplicaSetSpec,
        /// What is.
        pub status: WorkloadStatus,
    }

    /// `spec` of a ReplicaSet.
    pub struct ReplicaSetSpec {
        /// How many pods; 1 where absent.
        pub replicas: Option<i64>,
        /// Its pods.
        pub selector: Selector,
        /// What they look like.
        pub template: PodTemplate,
    }

    /// A StatefulSet.
    pub struct StatefulSet {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: StatefulSetSpec,
        /// What is.
        pub status: WorkloadStatus,
    }

    /// `spec.ordinals` of a StatefulSet.
    pub struct Ordinals {
        /// The first; 0 where absent.
        pub start: i64,
    }

    /// `spec` of a StatefulSet.
    pub struct StatefulSetSpec {
        /// How many pods; 1 where absent.
        pub replicas: Option<i64>,
        /// Its pods.
        pub selector: Selector,
        /// What they look like.
        pub template: PodTemplate,
        /// The governing Service.
        pub service_name: String,
        /// Where its pods' numbers begin.
        pub ordinals: Ordinals,
        /// `OrderedReady` or `Parallel`.
        pub pod_management_policy: String,
        /// How pods are replaced.
        pub update_strategy: Strategy,
        /// Claims made for each pod.
        pub volume_claim_templates: List<super::PersistentVolumeClaim>,
    }

    /// A DaemonSet.
    pub struct DaemonSet {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: DaemonSetSpec,
        /// What is.
        pub status: DaemonSetStatus,
    }

    /// `spec` of a DaemonSet.
    pub struct DaemonSetSpec {
        /// Its pods.
        pub selector: Selector,
        /// What they look like.
        pub template: PodTemplate,
        /// How pods are replaced.
        pub update_strategy: Strategy,
    }

    /// `status` of a DaemonSet.
    pub struct DaemonSetStatus {
        /// Nodes that should run it.
        pub desired_number_scheduled: i64,
        /// Nodes that should and do.
        pub current_number_scheduled: i64,
        /// Nodes that do and should not.
        pub number_misscheduled: i64,
        /// Ready.
        pub number_ready: i64,
        /// Ready for long enough.
        pub number_available: i64,
        /// Not ready for long enough.
        pub number_unavailable: i64,
        /// Of the newest revision.
        pub updated_number_scheduled: i64,
        /// The generation that the controller has seen.
        pub observed_generation: i64,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// A Job.
    pub struct Job {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: JobSpec,
        /// What is.
        pub status: JobStatus,
    }

    /// `spec` of a Job.
    pub struct JobSpec {
        /// What its pods look like.
        pub template: PodTemplate,
        /// Whether it waits.
        pub suspend: bool,
        /// Retries; 6 where absent.
        pub backoff_limit: Option<i64>,
        /// Seconds it may take.
        pub active_deadline_seconds: Option<i64>,
        /// Pods at once.
        pub parallelism: Option<i64>,
        /// Pods that must succeed.
        pub completions: Option<i64>,
    }

    /// `status` of a Job.
    pub struct JobStatus {
        /// Running.
        pub active: i64,
        /// Ready.
        pub ready: i64,
        /// Succeeded.
        pub succeeded: i64,
        /// Failed.
        pub failed: i64,
        /// Indexes that failed for good: `1,3-5`.
        pub failed_indexes: String,
        /// The start.
        pub start_time: When,
        /// The end.
        pub completion_time: When,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// A CronJob.
    pub struct CronJob {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: CronJobSpec,
        /// What is.
        pub status: CronJobStatus,
    }

    /// `spec` of a CronJob.
    pub struct CronJobSpec {
        /// When.
        pub schedule: String,
        /// Where `schedule` is meant.
        pub time_zone: String,
        /// Whether it waits.
        pub suspend: bool,
        /// How late it may start.
        pub starting_deadline_seconds: Option<i64>,
        /// `Allow`, `Forbid`, `Replace`.
        pub concurrency_policy: String,
        /// The job.
        pub job_template: JobTemplate,
    }

    /// The template of a CronJob's jobs.
    pub struct JobTemplate {
        /// Their spec.
        pub spec: JobSpec,
    }

    /// `status` of a CronJob.
    pub struct CronJobStatus {
        /// Running jobs.
        pub active: List<super::LocalReference>,
        /// The last start.
        pub last_schedule_time: When,
        /// The last success.
        pub last_successful_time: When,
    }

    /// An autoscaler.
    pub struct HorizontalPodAutoscaler {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: AutoscalerSpec,
        /// What is.
        pub status: AutoscalerStatus,
    }

    /// `spec` of an autoscaler.
    pub struct AutoscalerSpec {
        /// What is scaled.
        pub scale_target_ref: TargetReference,
        /// The least; 1 where absent.
        pub min_replicas: Option<i64>,
        /// The most.
        pub max_replicas: i64,
        /// By what.
        pub metrics: List<Metric>,
    }

    /// An object of the same namespace.
    pub struct TargetReference {
        /// Group and version.
        pub api_version: String,
        /// Its kind.
        pub kind: String,
        /// Its name.
        pub name: String,
    }

    /// One metric.
    pub struct Metric {
        /// `Resource`, `Pods`, `Object`, `External`, `ContainerResource`.
        #[serde(rename = "type")]
        pub kind: String,
        /// For `Resource`.
        pub resource: Option<ResourceMetric>,
    }

    /// A resource metric.
    pub struct ResourceMetric {
        /// `cpu`, `memory`.
        pub name: String,
    }

    /// `status` of an autoscaler.
    pub struct AutoscalerStatus {
        /// Pods there are.
        pub current_replicas: i64,
        /// Pods it wants.
        pub desired_replicas: i64,
        /// Conditions.
        pub conditions: List<Condition>,
    }

    /// A disruption budget.
    pub struct PodDisruptionBudget {
        /// Metadata.
        pub metadata: Meta,
        /// What is asked for.
        pub spec: BudgetSpec,
        /// What is.
        pub status: BudgetStatus,
    }

    /// `spec` of a disruption budget.
    pub struct BudgetSpec {
        /// Its pods; none where absent.
        pub selector: Option<Selector>,
        /// Pods that must stay.
        pub min_available: Option<IntOrString>,
        /// Pods that may go.
        pub max_unavailable: Option<IntOrString>,
    }

    /// `status` of a disruption budget.
    pub struct BudgetStatus {
        /// Pods that may go now.
        pub disruptions_allowed: i64,
        /// Healthy now.
        pub current_healthy: i64,
        /// That must be healthy.
        pub desired_healthy: i64,
        /// That it covers.
        pub expected_pods: i64,
        /// Conditions.
        pub conditions: List<Condition>,
    }
}

impl TargetReference {
    /// As a reference in `namespace`.
    pub fn object_ref(&self, namespace: &str) -> ObjectRef {
        crate::model::OwnerReference {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            name: self.name.clone(),
            ..Default::default()
        }
        .object_ref(namespace)
    }
}

/// What all workloads have in common, however they are called.
#[derive(Clone, Debug)]
pub struct Workload<'a> {
    /// What it is called.
    pub object: ObjectRef,
    /// Metadata.
    pub meta: &'a Meta,
    /// What its pods look like.
    pub template: &'a PodTemplate,
    /// How many pods are wanted.
    pub desired: i64,
    /// How many are ready.
    pub ready: i64,
    /// Conditions.
    pub conditions: &'a [Condition],
    /// The labels that its selector asks for.
    pub selector: Option<&'a Selector>,
}

/// Labels, as an owned map of a workload's pods.
impl Workload<'_> {
    /// Labels of its pods.
    pub fn labels(&self) -> &Map {
        &self.template.metadata.labels
    }
}
