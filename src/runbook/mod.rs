//! Runbooks as files: read, checked, written.
//!
//! *Invariant:* what is read here is text that someone else wrote. Nothing of it is followed, whatever it says; it is
//! bounded in size, depth and time; and what can't be read is named with its line, while the rest is served.

mod derive;
mod fence;
mod front;
mod markdown;
mod parse;
mod problem;
mod schema;
mod source;
mod yaml;

pub use derive::name;
pub use fence::Fence;
pub use markdown::{Heading, Link, Outline};
pub use parse::{Parsed, parse};
pub use problem::{Gravity, Problem, Rule};
pub use schema::json_schema;
