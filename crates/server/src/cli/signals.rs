//! Waits until somebody wants the process to end.

use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// SIGINT or SIGTERM.
pub(super) async fn stop_wanted() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
