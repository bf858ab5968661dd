//! The way from an incident that is over to a runbook that a team reviews: what proves that it is over, what changed
//! meanwhile, and what is written down of it.
//!
//! *Invariant:* nothing is recorded as mended that was not seen to work. What is written is made of the redacted
//! incident, its names taken out, and lint has nothing against it; a model's words add no fact to it. Nothing here writes to a
//! cluster.

mod case;
pub mod difference;
mod draft;
mod general;
mod library;
mod page;
mod phrase;
mod proof;
mod prose;
mod prove;
pub mod pull;
mod status;
mod typed;
mod update;
mod verify;

pub use case::{Case, RecordError};
pub use difference::Difference;
pub use draft::{Drafted, draft};
pub use library::{File, Library};
pub use page::Done;
pub use proof::Seen;
pub use prose::polish;
pub use prove::{Patience, Proof, Verdict, prove, see};
pub use typed::phrase as typed;
pub use update::is_same;
