//! What all tasks of one run share: the world, the ledger, the clock, and the order to stop.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Action, Failure, Input, Ledger, PartKey, Settings};

/// Why the work on one part ended early.
#[derive(Debug, Clone)]
pub(crate) enum Break {
    /// The run stops: nothing more is launched.
    Halted,
    /// The part failed.
    Failed(Action, Failure),
}

pub(crate) struct Halted;

impl From<Halted> for Break {
    fn from(Halted: Halted) -> Self {
        Self::Halted
    }
}

/// So many waits at once ask as often as the settings allow.
const WAITS_AT_FULL_PACE: f64 = 8.0;

pub(crate) struct Context<W> {
    pub(crate) world: Arc<W>,
    pub(crate) settings: Settings,
    halt: CancellationToken,
    calls: Semaphore,
    ledger: Arc<Mutex<Ledger>>,
    changed: AtomicBool,
    /// Since when no call was let in.
    expired_since: Mutex<Option<Instant>>,
    /// What is waited for; shared, so that it can be told however the run ends.
    waits: Mutex<BTreeMap<PartKey, String>>,
}

impl<W> Context<W> {
    pub(crate) fn new(
        world: Arc<W>,
        settings: Settings,
        halt: CancellationToken,
        ledger: Arc<Mutex<Ledger>>,
    ) -> Self {
        let calls = Semaphore::new(settings.concurrency.max(1));
        let (changed, expired_since, waits) = (AtomicBool::new(false), Mutex::default(), Mutex::default());
        Self { world, settings, halt, calls, ledger, changed, expired_since, waits }
    }

    /// The right to make one call. Waits hold none, so that many slow objects do not keep others from
    /// starting.
    pub(crate) async fn permit(&self) -> Result<SemaphorePermit<'_>, Halted> {
        tokio::select! {
            biased;
            () = self.halt.cancelled() => Err(Halted),
            permit = self.calls.acquire() => permit.map_err(|_| Halted),
        }
    }

    /// Sleeps, unless the run stops.
    pub(crate) async fn pause(&self, pause: std::time::Duration) -> Result<(), Halted> {
        tokio::select! {
            biased;
            () = self.halt.cancelled() => Err(Halted),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    /// The ledger. Never held across a call of a part.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    /// The value of an input as it is known now.
    pub(crate) fn resolve(&self, input: &Input) -> Option<String> {
        self.ledger().resolve(input)
    }

    /// A call met expired credentials. True when they have not been renewed for too long.
    pub(crate) fn stays_expired(&self) -> bool {
        let since = *lock(&self.expired_since).get_or_insert_with(Instant::now);
        since.elapsed() >= self.settings.not_yet_limit
    }

    /// A call was let in.
    pub(crate) fn note_entry(&self) {
        *lock(&self.expired_since) = None;
    }

    pub(crate) fn note_change(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }

    /// Notes what a part waits for. The last word counts until the part is over.
    pub(crate) fn note_wait(&self, key: &PartKey, text: impl Into<String>) {
        lock(&self.waits).insert(key.clone(), text.into());
    }

    /// A pause between two looks of a wait, as long as the other waits demand: together they ask no more often than
    /// a few would.
    pub(crate) fn paced(&self, pause: std::time::Duration) -> std::time::Duration {
        let waits = lock(&self.waits).len();
        pause.mul_f64((waits as f64 / WAITS_AT_FULL_PACE).max(1.0))
    }

    /// The part does not wait any more.
    pub(crate) fn end_wait(&self, key: &PartKey) {
        lock(&self.waits).remove(key);
    }

    /// What is waited for now.
    pub(crate) fn waits(&self) -> BTreeMap<PartKey, String> {
        lock(&self.waits).clone()
    }
}

/// What is locked here is whole between any two writes, so a panic meanwhile leaves nothing half-done.
pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
