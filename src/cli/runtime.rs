//! Runs what waits for a cluster, and stops it when a person does.

use super::error::CommandError;

/// Runs `work` to its end, or until Ctrl-C.
pub(super) fn run<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::new(format!("can't start: {error}")))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = work => outcome,
            Ok(()) = tokio::signal::ctrl_c() => Err(CommandError::Interrupted),
        }
    });
    // What still waits for an answer, waits for no one.
    runtime.shutdown_background();
    outcome
}
