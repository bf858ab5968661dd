//! The incident that is recorded, and the cause of it that is.
//!
//! *Invariant:* a case has a snapshot from when it was broken; without one nothing can be compared, and it is refused.

use crate::diagnose::{DiagnoseError, Request};
use crate::incidents::{Incident, State, Store, StoreError};
use crate::model::{Cause, Diagnosis, Snapshot, Time};
use crate::redact::Redacted;

/// What is recorded.
pub struct Case {
    /// The incident's id.
    pub id: String,
    /// When it was found.
    pub time: Time,
    /// What was found.
    pub diagnosis: Diagnosis,
    /// What was read.
    pub before: Redacted<Snapshot>,
    /// What was asked for, so that the same is read again.
    pub request: Request,
}

/// Why nothing can be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no incident of this context.
    #[error("no incident of context `{0}` is kept")]
    None(String),
    /// It is of another cluster.
    #[error("incident {id} is of context `{theirs}`, and the context in use is `{ours}`")]
    Context {
        /// The incident.
        id: String,
        /// Its context.
        theirs: String,
        /// The one in use.
        ours: String,
    },
    /// It has no causes.
    #[error("incident {0} found nothing broken")]
    Healthy(String),
    /// Its run did not come to its end, or its snapshot is lost.
    #[error("incident {id} can't be compared with: {why}")]
    Damaged {
        /// The incident.
        id: String,
        /// Why.
        why: String,
    },
    /// It has no such cause.
    #[error("incident {id} has {causes} causes, so there is no {wanted}")]
    NoCause {
        /// The incident.
        id: String,
        /// How many it has.
        causes: usize,
        /// Which was asked for.
        wanted: usize,
    },
    /// The cluster can't be read.
    #[error(transparent)]
    Diagnose(#[from] DiagnoseError),
}

impl RecordError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            RecordError::Store(error) => error.hint(),
            RecordError::None(_) => {
                Some("`kubectl react diagnose` keeps one when it finds something broken; `kubectl react incidents list` lists all".to_owned())
            }
            RecordError::Context { theirs, .. } => Some(format!("add `--context {theirs}`")),
            RecordError::Healthy(_) => Some("`kubectl react incidents list` lists those with causes".to_owned()),
            RecordError::Damaged { id, .. } => Some(format!("`kubectl react incidents show {id}` shows what is there")),
            RecordError::NoCause { id, .. } => Some(format!("`kubectl react incidents show {id}` lists them")),
            RecordError::Diagnose(error) => error.hint(),
        }
    }
}

impl Case {
    /// The incident of this id; without one, the latest of a context that found something broken.
    ///
    /// # Errors
    /// When there is none, or it is of another context, or nothing can be compared with it.
    pub fn open(store: &Store, wanted: Option<&str>, context: &str) -> Result<Case, RecordError> {
        let id = if let Some(id) = wanted {
            id.to_owned()
        } else {
            let fits = |listed: &crate::incidents::Listed| {
                let broken = listed.record.diagnosis.as_ref().is_some_and(|found| !found.causes.is_empty());
                listed.record.context == context && broken && listed.state == State::Finished
            };
            let found = store.list()?.into_iter().find(fits).map(|listed| listed.id);
            found.ok_or_else(|| RecordError::None(context.to_owned()))?
        };
        let case = Case::of(store.load_whole(&id)?)?;
        if case.diagnosis.context != context {
            let (theirs, ours) = (case.diagnosis.context, context.to_owned());
            return Err(RecordError::Context { id: case.id, theirs, ours });
        }
        Ok(case)
    }

    /// An incident that was loaded whole.
    ///
    /// # Errors
    /// When nothing can be compared with it.
    pub fn of(incident: Incident) -> Result<Case, RecordError> {
        let Incident { id, record, snapshot, damage, .. } = incident;
        let damaged = |why: &str| {
            let why = damage.first().map_or_else(|| why.to_owned(), Clone::clone);
            RecordError::Damaged { id: id.clone(), why }
        };
        let Some(diagnosis) = record.diagnosis else { return Err(damaged("its run did not come to its end")) };
        let Some(before) = snapshot else { return Err(damaged("it has no snapshot")) };
        if diagnosis.causes.is_empty() {
            return Err(RecordError::Healthy(id));
        }
        let request = Request { namespace: record.namespace, ..Request::default() };
        let time = record.time.unwrap_or(diagnosis.taken_at);
        Ok(Case { id, time, diagnosis, before, request })
    }

    /// The cause of this number, from 1.
    ///
    /// # Errors
    /// When there is none.
    pub fn cause(&self, number: usize) -> Result<&Cause, RecordError> {
        let cause = number.checked_sub(1).and_then(|index| self.diagnosis.causes.get(index));
        cause.ok_or_else(|| RecordError::NoCause {
            id: self.id.clone(),
            causes: self.diagnosis.causes.len(),
            wanted: number,
        })
    }
}
