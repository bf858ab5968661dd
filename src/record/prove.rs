//! Looks until a cause is seen to be over, and stays so for a while.
//!
//! *Invariant:* the snapshots' own times are the clock of what is proven; the wall clock only ends the waiting.

use std::sync::Arc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use tokio::time::Instant;

use super::case::{Case, RecordError};
use super::proof::{self, Seen};
use crate::diagnose::{self, DiagnoseError};
use crate::graph;
use crate::model::{Cause, Diagnosis, Snapshot, Time};
use crate::redact::Redacted;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// How long is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// It must hold for so long.
    pub settle: Duration,
    /// So long it may take until it holds.
    pub limit: Duration,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It held for the whole settling time.
    Proven {
        /// Since when it held.
        since: Time,
        /// For how long it was seen to, in seconds.
        held: i64,
    },
    /// It holds in the one snapshot that there is.
    SeenOnce,
    /// Something does not hold.
    NotFixed,
}

/// What was seen last, and what that proves.
pub struct Proof {
    /// What was found out.
    pub verdict: Verdict,
    /// The index of the cause that it is about.
    pub cause: usize,
    /// What holds and what fails.
    pub seen: Seen,
    /// The last diagnosis.
    pub diagnosis: Diagnosis,
    /// What it was made from.
    pub after: Arc<Redacted<Snapshot>>,
}

/// Reads the cluster once.
pub(crate) type Look<'a> = &'a dyn Fn() -> LocalBoxFuture<'a, Result<Arc<Redacted<Snapshot>>, DiagnoseError>>;

/// Looks once, at the cause of this number (from 1) or at the first that is gone.
///
/// # Errors
/// When the snapshot does not have what was asked for.
pub fn see(case: &Case, wanted: Option<usize>, after: Arc<Redacted<Snapshot>>) -> Result<Proof, RecordError> {
    let now = diagnose::derive(&after, &case.request)?;
    let (then, view) = (graph::build(&case.before), graph::build(&after));
    let look = |cause: &Cause| proof::look(cause, &case.diagnosis, &then, &now, &view);
    let (cause, seen) = if let Some(number) = wanted {
        (number.saturating_sub(1), look(case.cause(number)?))
    } else {
        let all: Vec<Seen> = case.diagnosis.causes.iter().map(look).collect();
        let gone = || all.iter().position(|seen| !seen.is_there());
        let best = all.iter().position(Seen::is_well).or_else(gone).unwrap_or(0);
        (best, all.into_iter().nth(best).unwrap_or_default())
    };
    let verdict = if seen.is_well() { Verdict::SeenOnce } else { Verdict::NotFixed };
    drop(view);
    Ok(Proof { verdict, cause, seen, diagnosis: now, after })
}

/// Looks until it holds for the settling time, or time is up. `told` hears of each look.
///
/// # Errors
/// When the cluster can't be read.
pub async fn prove(
    case: &Case,
    wanted: Option<usize>,
    patience: Patience,
    look: Look<'_>,
    told: &dyn Fn(&Proof, Option<i64>),
) -> Result<Proof, RecordError> {
    let end = Instant::now() + patience.limit;
    let settle = i64::try_from(patience.settle.as_secs()).unwrap_or(i64::MAX);
    let mut since: Option<(Time, usize, i64)> = None;
    loop {
        let mut proof = see(case, wanted, look().await?)?;
        let now = proof.after.taken_at;
        let held = match since {
            Some((since, cause, restarts)) if cause == proof.cause && restarts == proof.seen.restarts => {
                now.as_second() - since.as_second()
            }
            _ => 0,
        };
        if proof.seen.is_well() {
            if held == 0 {
                since = Some((now, proof.cause, proof.seen.restarts));
            }
            told(&proof, Some(held));
            if held >= settle {
                let since = since.map_or(now, |(since, ..)| since);
                proof.verdict = Verdict::Proven { since, held };
                return Ok(proof);
            }
        } else {
            since = None;
            told(&proof, None);
            // Nobody has touched anything: it will not mend itself while we look.
            let untouched = proof.seen.is_there() && unchanged(case, &proof);
            if untouched || Instant::now() >= end {
                return Ok(proof);
            }
        }
        if Instant::now() >= end + patience.settle {
            proof.verdict = Verdict::NotFixed;
            proof.seen.fails.push(format!("it did not hold for {settle} s at a stretch: containers are restarted"));
            return Ok(proof);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn unchanged(case: &Case, proof: &Proof) -> bool {
    let Some(cause) = case.diagnosis.causes.get(proof.cause) else { return true };
    let (before, after) = (graph::build(&case.before), graph::build(&proof.after));
    super::difference::differences(&before, &after, cause).is_empty()
}
