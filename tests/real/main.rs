//! The plugin on a real cluster: faults are injected, and the right cause must be found.
//!
//! `tests/cluster/up` gives the cluster; `REACT_TEST_KUBECONFIG` names its admin kubeconfig, and
//! `viewer.kubeconfig`, `nobody.kubeconfig` and the like lie beside it. Without the variable every
//! test here says that it is skipped; `./test` counts that, and fails on it in CI.
//!
//! *Invariant:* nothing waits for a time to pass: each expectation is awaited until it holds.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends where the cluster fails it")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what is skipped, and how long it took, is told")]

mod agent;
mod cluster;
mod expect;
mod faults;
mod figures;
#[expect(clippy::unwrap_used, dead_code, reason = "shared with the tests of git")]
#[path = "../support/git_server.rs"]
mod git_server;
mod kubelets;
mod mends;
#[expect(clippy::unwrap_used, dead_code, reason = "shared with tests that need all of it")]
#[path = "../support/model_server.rs"]
mod model_server;
mod player;
mod rights;
mod serve;
mod snapshots;
mod through_kubectl;
mod trajectory;
