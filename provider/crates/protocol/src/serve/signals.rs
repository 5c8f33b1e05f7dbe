//! Interrupts. A terminal sends them to the whole group of processes; Terraform tells its plugins itself, and
//! a plugin that died of one would lose what it had just made.

use std::io;
use std::sync::Arc;

use crate::serve::session::{Lifetime, Session};

/// Ignores interrupts, or lets them end a process that a person started.
#[cfg(unix)]
pub(super) fn handle(session: &Arc<Session>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let session = Arc::clone(session);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            received(&session);
        }
    });
    Ok(())
}

/// Ignores interrupts, or lets them end a process that a person started.
#[cfg(not(unix))]
pub(super) fn handle(session: &Arc<Session>) -> io::Result<()> {
    let session = Arc::clone(session);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            received(&session);
        }
    });
    Ok(())
}

fn received(session: &Session) {
    if session.lifetime() == Lifetime::UntilInterrupted {
        session.end();
    } else {
        tracing::info!("interrupt ignored: Terraform says when to stop");
    }
}
