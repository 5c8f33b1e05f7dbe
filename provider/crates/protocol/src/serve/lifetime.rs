//! Never outliving Terraform: a process that ignores interrupts would otherwise live for ever.

use std::sync::Arc;
use std::time::Duration;

use crate::serve::session::{Lifetime, Session};

/// How often to look whether the parent is still there, until it has connected.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long Terraform may take to connect.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Ends the session when Terraform is gone.
pub(crate) fn watch(session: &Arc<Session>) {
    if session.lifetime() == Lifetime::UntilInterrupted {
        return;
    }
    let session = Arc::clone(session);
    tokio::spawn(async move {
        let mut connections = session.connections();
        let connected = tokio::select! {
            outcome = connections.wait_for(|connections| connections.ever) => outcome.is_ok(),
            () = orphaned() => false,
        };
        if connected {
            let _ = connections.wait_for(|connections| connections.open == 0).await;
            tracing::warn!("the connection to Terraform is gone");
        }
        session.lose();
        session.end();
    });
}

/// Waits until the parent has died or taken too long.
async fn orphaned() {
    let parent = parent();
    let started = tokio::time::Instant::now();
    while parent == self::parent() && started.elapsed() < LONGEST_WAIT {
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(unix)]
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

#[cfg(not(unix))]
fn parent() -> u32 {
    0
}
