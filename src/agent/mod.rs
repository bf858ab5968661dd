//! The ReAct agent: goes on from the causes, reads through tools, and ends in an answer whose every claim quotes what
//! it saw.
//!
//! *Invariant:* it can't change anything: its tools take a [`crate::kubectl::Read`], and nothing here may import what
//! writes. What the detectors proved stays on top, whatever a model says.

pub mod chat;
