//! Events of the core API.

use crate::model::lenient::{When, slim};
use crate::model::{Kind, Meta, ObjectRef, Time};

slim! {
    /// An event.
    pub struct Event {
        /// Metadata.
        pub metadata: Meta,
        /// What it is about.
        pub involved_object: InvolvedObject,
        /// A word.
        pub reason: String,
        /// A sentence.
        pub message: String,
        /// `Normal` or `Warning`.
        #[serde(rename = "type")]
        pub kind: String,
        /// How often.
        pub count: i64,
        /// The first time.
        pub first_timestamp: When,
        /// The last time.
        pub last_timestamp: When,
        /// The time, for events of the newer API.
        pub event_time: When,
        /// How often, for events of the newer API.
        pub series: Option<EventSeries>,
        /// Who says so, for events of the newer API.
        pub reporting_component: String,
        /// Who says so.
        pub source: EventSource,
    }

    /// How often an event came.
    pub struct EventSeries {
        /// How often.
        pub count: i64,
        /// The last time.
        pub last_observed_time: When,
    }

    /// Who says so.
    pub struct EventSource {
        /// The component.
        pub component: String,
        /// Its node.
        pub host: String,
    }

    /// What an event is about.
    pub struct InvolvedObject {
        /// Group and version.
        pub api_version: String,
        /// Its kind.
        pub kind: String,
        /// Its namespace.
        pub namespace: String,
        /// Its name.
        pub name: String,
        /// Its uid.
        pub uid: String,
        /// Which part: `spec.containers{web}`.
        pub field_path: String,
    }
}

impl Event {
    /// When it last came.
    pub fn last(&self) -> Option<Time> {
        let series = self.series.as_ref().and_then(|series| *series.last_observed_time);
        series
            .or(*self.last_timestamp)
            .or(*self.event_time)
            .or(*self.first_timestamp)
            .or(*self.metadata.creation_timestamp)
    }

    /// When it first came.
    pub fn first(&self) -> Option<Time> {
        self.first_timestamp.or(*self.event_time).or_else(|| self.last())
    }

    /// How often it came.
    pub fn times(&self) -> i64 {
        self.series.as_ref().map_or(self.count, |series| series.count).max(1)
    }

    /// What it is about.
    pub fn object(&self) -> ObjectRef {
        let involved = &self.involved_object;
        let kind = match (Kind::parse(&involved.kind), involved.api_version.rsplit_once('/')) {
            (Kind::Custom(_), Some((group, _))) => Kind::parse(&format!("{}.{group}", involved.kind)),
            (kind, _) => kind,
        };
        ObjectRef::new(kind, &involved.namespace, &involved.name)
    }

    /// The container it is about: `web` of `spec.containers{web}`.
    pub fn container(&self) -> Option<&str> {
        let (_, rest) = self.involved_object.field_path.split_once('{')?;
        rest.strip_suffix('}')
    }

    /// Whether it is a warning.
    pub fn is_warning(&self) -> bool {
        self.kind == "Warning"
    }

    /// Who says so.
    pub fn component(&self) -> &str {
        if self.source.component.is_empty() { &self.reporting_component } else { &self.source.component }
    }
}
