//! Tests against a server that answers as it is told: what may happen, each by its name.

mod collect;
mod connect;
mod fetch;
