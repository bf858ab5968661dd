//! The one integration binary: what must hold of the whole, and the command line as a user meets it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod agent;
mod architecture;
mod canary;
mod cli;
mod disturbed;
mod docs;
mod events;
mod folding;
mod forge;
mod harm;
mod hostile;
mod incidents;
mod krew;
mod outcomes;
mod private_ca;
mod record;
mod review;
mod runbooks;
mod support;
