//! Tasks that outlive the run: dropping them lets calls in flight come to their end.

use std::{future::Future, panic::AssertUnwindSafe};

use futures::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::context::Break;
use crate::{Action, observe::panicked};

pub(crate) struct Tasks<T> {
    sender: UnboundedSender<(usize, Result<T, Break>)>,
    receiver: UnboundedReceiver<(usize, Result<T, Break>)>,
    running: usize,
}

impl<T: Send + 'static> Tasks<T> {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = unbounded_channel();
        Self { sender, receiver, running: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.running == 0
    }

    /// Starts the work on one part. A panic in it is the failure of that part.
    pub(crate) fn spawn(
        &mut self,
        index: usize,
        work: impl Future<Output = Result<T, Break>> + Send + 'static,
    ) {
        self.running += 1;
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let result = AssertUnwindSafe(work).catch_unwind().await;
            let result =
                result.unwrap_or_else(|panic| Err(Break::Failed(Action::Compare, panicked(panic.as_ref()))));
            // Nobody listens any more when the run has ended: the ledger has it.
            let _ = sender.send((index, result));
        });
    }

    /// The next part whose work ended; none when no work is under way.
    pub(crate) async fn next(&mut self) -> Option<(usize, Result<T, Break>)> {
        if self.running == 0 {
            return None;
        }
        let next = self.receiver.recv().await;
        self.running -= 1;
        next
    }
}
