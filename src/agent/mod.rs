//! The agent, a loop of thought, action and observation (`ReAct`): goes on from the causes, reads through tools, and ends in an answer whose every claim quotes what
//! it saw.
//!
//! *Invariant:* it can't change anything: its tools take a [`kubectl::Read`](crate::kubectl::Read), and nothing here may
//! import what writes. What the detectors proved stays on top, whatever a model says.

mod brief;
pub mod budget;
pub mod chat;
mod prompt;
pub mod pulse;
pub mod replay;
mod run;
mod shape;
mod start;
#[cfg(test)]
mod testing;
pub mod tools;
mod verify;

pub use brief::Brief;
pub use run::{Journal, Pulse, Reading, World, run};
pub use start::{Known, Need, Start, Wishes, need};
