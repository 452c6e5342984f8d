//! The signals to stop: the first asks, the second insists.

use crate::operator_error::{ExitReason, OperatorError};
use bulla_runtime::{Runtime, ShutdownTrigger};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens to SIGTERM and SIGINT from now on. The first pulls the trigger, the second ends the process at once.
///
/// # Errors
/// When the operating system gives no signals.
pub(crate) fn on_signals(runtime: &Runtime, trigger: ShutdownTrigger) -> Result<(), OperatorError> {
    let take =
        |kind| signal(kind).map_err(|error| OperatorError::failed("no signals to listen to").why(error));
    let (mut terminate, mut interrupt) = (take(SignalKind::terminate())?, take(SignalKind::interrupt())?);
    runtime.tasks.spawn(Box::pin(async move {
        next(&mut terminate, &mut interrupt).await;
        tracing::info!("asked to stop: finishing the requests under way; a second signal stops at once");
        trigger.pull();
        next(&mut terminate, &mut interrupt).await;
        tracing::warn!("asked to stop again: stopping at once");
        std::process::exit(ExitReason::Cut.code().into());
    }));
    Ok(())
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
