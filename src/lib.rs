//! kubectl-react: finds the root cause of what is broken in a cluster, and proves it.
//!
//! The way of the data: [`cluster`] reads a [`model::Snapshot`], [`graph`] links it to a view,
//! [`detect`] finds faults in the view, [`causes`] folds what follows from what, [`output`] prints.
//! [`diagnose`] is the one entry to it. `ARCHITECTURE.md` has the picture and the invariants.

pub mod act;
pub mod agent;
pub mod causes;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod detect;
pub mod diagnose;
pub mod graph;
mod http;
pub mod incidents;
pub mod kubectl;
pub mod model;
pub mod near;
pub mod outcomes;
pub mod output;
pub mod printable;
pub mod record;
pub mod redact;
pub mod retrieve;
pub mod retriever;
pub mod review;
pub mod runbook;
