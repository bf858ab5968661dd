//! Runbooks as a team keeps them: markdown in a git repository.
//!
//! *Invariant:* a runbook is known by its bytes, and what it says is data: nothing in it is ever run from here.

pub mod params;
pub mod repo;
