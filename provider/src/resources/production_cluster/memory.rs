//! What this process remembers of each cluster. Terraform runs several processes in a command: what is
//! planned and what is read in one is not known in the next, and some rules rest on just that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use resource_graph::Ledger;

use super::model::ProductionCluster;

/// `<region>/<name>`: what tells clusters apart.
pub type Identity = String;

/// What is remembered, by identity.
#[derive(Default)]
pub struct Memory {
    remembered: Mutex<Remembered>,
    turns: Mutex<BTreeMap<Identity, Arc<tokio::sync::Mutex<()>>>>,
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

    /// Operations on one identity take turns: core deletes the current object and deposed ones at once.
    pub async fn turn(&self, identity: &Identity) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(identity.clone()).or_default())
        };
        turn.lock_owned().await
    }
}
