//! The only code that speaks to an API server.
//!
//! [`connect`] finds the server and who we are, [`collect`] reads the cluster into a snapshot, and
//! [`fetch`] reads the little that decides a finding and was not in it. [`Server`] answers lines of
//! kubectl that only read, from the cluster or from a snapshot.
//!
//! *Invariant:* nothing here can write, see [`allow`]; everything ends within the request
//! time-out; and what leaves this module has been through the redactor.

mod allow;
mod collect;
mod connect;
mod error;
mod exec;
mod fault;
mod fetch;
mod gaps;
mod hint;
mod kubeconfig;
mod lines;
mod list;
mod page;
mod plan;
mod proxy;
mod read;
#[cfg(test)]
mod scenarios;
mod secret;
mod serve;
pub mod snapshot_file;
#[cfg(test)]
mod testing;

pub use collect::{Collect, PAGE_SIZE, collect, places_of, widen};
pub use connect::{ConnectOptions, Connection, connect};
pub use error::{CollectError, ConnectError, ReadError};
pub use fault::Fault;
pub use fetch::{Bounds, fetch, is_known};
pub use read::{JSON, ReadClient, TABLE};
pub use serve::{Options as ServeOptions, ServeError, Served, Server};

use crate::model::event::Event;

/// How far a reading has come; for a person who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Lists of kinds.
    Listed {
        /// Lists that are done.
        done: usize,
        /// Lists in all, as far as is known.
        total: usize,
        /// Objects so far.
        objects: usize,
    },
    /// Logs, and other single things.
    Fetched {
        /// Things that are done.
        done: usize,
        /// Things in all.
        total: usize,
    },
}

impl From<Progress> for Event {
    fn from(progress: Progress) -> Event {
        match progress {
            Progress::Listed { done, total, objects } => Event::Collecting { lists: done, of: total, objects },
            Progress::Fetched { done, total } => Event::Fetching { done, of: total },
        }
    }
}

/// Whether `name` can be the name of a namespace.
fn is_namespace(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('-') && !name.ends_with('-')
}
