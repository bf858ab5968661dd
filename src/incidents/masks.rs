//! Who masks what is read of an incident.

use super::Record;
use crate::redact::Redactor;

/// Masks an incident as the settings of today say, or as they said when it was recorded.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    pub(super) redactor: Redactor,
    pub(super) as_recorded: bool,
}

impl Masks {
    /// The redactor for an incident with this record; secrets are masked by any.
    pub(super) fn of(&self, record: &Record) -> Redactor {
        let redactor = self.redactor.clone();
        if self.as_recorded { redactor.hiding(record.masked) } else { redactor }
    }
}
