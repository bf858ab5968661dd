//! Runs what waits for a cluster, and stops it when a person does.

use super::error::CommandError;
use crate::agent::pulse::Live;

/// Runs `work` to its end, or until Ctrl-C.
pub(super) fn run<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    run_until(&Live::default(), work)
}

/// The same; while `pulse` runs, Ctrl-C asks the agent for what it has, and a second one ends the agent. Before that, and
/// a third time, it ends the program.
pub(super) fn run_until<T>(
    pulse: &Live,
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::new(format!("can't start: {error}")))?;
    let outcome = runtime.block_on(async {
        tokio::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                Ok(()) = tokio::signal::ctrl_c() => {
                    if !pulse.interrupt() {
                        break Err(CommandError::Interrupted);
                    }
                }
            }
        }
    });
    // What still waits for an answer, waits for no one.
    runtime.shutdown_background();
    outcome
}
