//! What all calls of one process share: the wish to stop, the connection to Terraform, and running work.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::framework::Connected;

/// Whether one Terraform command uses the process, or one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Terraform started the process and ends it.
    OneCommand,
    /// A person started the process with `--debug`.
    UntilInterrupted,
}

/// How many connections there are, and whether there ever was one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Connections {
    pub(crate) open: usize,
    pub(crate) ever: bool,
}

/// What all calls of one process share.
#[derive(Debug)]
pub(crate) struct Session {
    lifetime: Lifetime,
    tokens: Mutex<Tokens>,
    tasks: TaskTracker,
    connections: watch::Sender<Connections>,
    ended: CancellationToken,
}

#[derive(Debug, Default)]
struct Tokens {
    stop: CancellationToken,
    lost: CancellationToken,
}

impl Session {
    pub(crate) fn new(lifetime: Lifetime) -> Self {
        Self {
            lifetime,
            tokens: Mutex::default(),
            tasks: TaskTracker::new(),
            connections: watch::Sender::default(),
            ended: CancellationToken::new(),
        }
    }

    /// Cancelled when the answer to a call has to come at once.
    pub(crate) fn stop_token(&self) -> CancellationToken {
        self.tokens().stop.clone()
    }

    /// Whether Terraform still listens.
    pub(crate) fn connected(&self) -> Connected {
        Connected::new(self.tokens().lost.clone())
    }

    /// Asks running work to stop.
    pub(crate) fn stop(&self) {
        let mut tokens = self.tokens();
        tokens.stop.cancel();
        if self.lifetime == Lifetime::UntilInterrupted {
            tokens.stop = CancellationToken::new();
        }
    }

    /// Terraform is gone: running work stops and learns that nothing will be saved.
    pub(crate) fn lose(&self) {
        let mut tokens = self.tokens();
        tokens.lost.cancel();
        tokens.stop.cancel();
        if self.lifetime == Lifetime::UntilInterrupted {
            *tokens = Tokens::default();
        }
    }

    /// Ends the process as soon as open calls have been answered.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    /// Cancelled when the process is to end.
    pub(crate) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// Runs work that outlives the call that asked for it.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    /// Waits until no work is running.
    pub(crate) async fn idle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// How connections come and go.
    pub(crate) fn connections(&self) -> watch::Receiver<Connections> {
        self.connections.subscribe()
    }

    pub(crate) fn connection_opened(&self) {
        self.connections.send_modify(|connections| {
            connections.open += 1;
            connections.ever = true;
        });
    }

    pub(crate) fn connection_closed(&self) {
        self.connections.send_modify(|connections| connections.open = connections.open.saturating_sub(1));
        if self.connections.borrow().open == 0 {
            self.lose();
        }
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
