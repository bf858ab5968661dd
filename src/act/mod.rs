//! What speaks to a cluster beyond reading: so far a server's rehearsal of a change, through the user's own kubectl.
//!
//! *Invariant:* nothing here changes a cluster, and nobody calls it who was not asked to: it needs the right to write and
//! calls admission webhooks. Kubectl is run with words, never through a shell.

mod dry_run;
mod environment;
mod program;

pub use dry_run::dry_run;
pub use program::{Kubectl, client_version, locate, runs};
