//! What this process remembers of each cluster. Terraform runs several processes in a command: what is
//! planned and what is read in one is not known in the next, and some rules rest on just that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use resource_graph::Ledger;
use terraform_plugin::Diagnostics;
use tokio_util::sync::CancellationToken;

use super::model::ProductionCluster;

/// `<region>/<name>`: what tells clusters apart.
pub type Identity = String;

/// What is remembered, by identity.
#[derive(Default)]
pub struct Memory {
    remembered: Mutex<Remembered>,
    turns: Mutex<BTreeMap<Identity, Arc<tokio::sync::Mutex<()>>>>,
}

/// Held while an operation works on its identity.
pub struct Turn {
    _guard: tokio::sync::OwnedMutexGuard<()>,
}

/// See [`Memory`].
#[derive(Default)]
pub struct Remembered {
    /// The state that Terraform loaded: the plan of a replacement does not get it.
    pub loaded: BTreeMap<Identity, ProductionCluster>,
    /// The ledger a tainted object was read with: the plan of its replacement does not get it.
    pub read: BTreeMap<Identity, Ledger>,
    /// Identity and generation of the destroys this process planned.
    pub planned_destroys: BTreeSet<(Identity, String)>,
    /// What a create or update of this process worked on.
    pub worked_on: BTreeSet<Identity>,
    /// State and ledger of what a delete of this process handed over.
    pub handed_over: BTreeMap<Identity, (ProductionCluster, Ledger)>,
}

impl Memory {
    /// What is remembered; not to be held across an await.
    pub fn recall(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins when it is this operation's turn: core deletes the current object and deposed ones at once. A stop
    /// is answered at any time before the operation has begun.
    pub async fn in_turn<T>(
        &self,
        identity: &Identity,
        stop: &CancellationToken,
        interrupted: Diagnostics,
        begin: impl Future<Output = Result<T, Diagnostics>>,
    ) -> Result<(Turn, T), Diagnostics> {
        let begun = async {
            let turn = self.turn(identity).await;
            Ok((turn, begin.await?))
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(interrupted),
            begun = begun => begun,
        }
    }

    async fn turn(&self, identity: &Identity) -> Turn {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(identity.clone()).or_default())
        };
        Turn { _guard: turn.lock_owned().await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_is_answered_while_another_operation_has_its_turn() {
        let (memory, stop) = (Memory::default(), CancellationToken::new());
        let identity = "eu-central-1/prod".to_owned();
        let interrupted = || Diagnostics::from_error("interrupted", "");
        let begin = || async { Ok(()) };
        let first = memory.in_turn(&identity, &stop, interrupted(), begin()).await;
        let second = memory.in_turn(&identity, &stop, interrupted(), begin());
        let (second, ()) = tokio::join!(second, async { stop.cancel() });
        assert!(first.is_ok() && second.is_err());
        drop(first);
        let third = memory.in_turn(&identity, &CancellationToken::new(), interrupted(), begin()).await;
        assert!(third.is_ok());
    }
}
