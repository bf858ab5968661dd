//! One file for each fault. To add one: a file, its `mod` line, its line in [`DETECTORS`].
//!
//! *Invariant:* file name, module and id are the same word; the list is sorted by id.

use super::Detector;

mod oom_killed;

/// All detectors, sorted by id.
pub(super) const DETECTORS: &[&Detector] = &[
    &oom_killed::DETECTOR,
];
