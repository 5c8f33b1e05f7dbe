//! Carries out a plan: stages one after another, parts in parallel, and always an answer.
//!
//! Flow: before each stage the guard is asked; creates and updates run over the edges of the graph; then what
//! is not wanted any more goes, over the recorded edges. After the last call of a part its record says so.
//! Guarantees: a record is written before create is called; records are dropped only when the object is
//! gone or is not ours; the report is complete however the run ends.
//! Assumptions: nobody else works on the same ledger; the guard notices when somebody else does.
//! Errors: failures of parts are in the report; the run itself has none.

mod context;
mod object;
mod progress;
mod removal;
mod stage;
mod tasks;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::{
    context::{Context, lock},
    progress::{Mark, Progress},
    removal::Doomed,
};
use crate::{
    Action, AnyPart, Catalogue, Ended, Guard, Identity, Ledger, PartKey, PartView, Plan, Record, RecordState,
    Report, Settings, Step,
    diff::pending_spec,
    observe::unknown_kind,
    plan::{PlannedRemoval, PlannedStage, heir},
    state_text::{ABSENT, PERHAPS_MADE},
};

/// Carries out plans in the world `W`.
pub struct Executor<W> {
    /// The world.
    pub world: Arc<W>,
    /// Knows how to delete what only the ledger knows.
    pub catalogue: Arc<dyn Catalogue<W>>,
    /// How it waits, and how much it does at once.
    pub settings: Settings,
    /// When cancelled, nothing more is launched and [`Executor::run`] returns at once. Calls in flight come to
    /// their end on their own.
    pub stop: CancellationToken,
    /// When it is reached, the same happens.
    pub deadline: Option<Instant>,
    /// Asked before each stage.
    pub guard: Option<Arc<dyn Guard>>,
    /// The ledger while the run goes on, for others to read at any time. What it holds before is replaced. One
    /// for each run: calls in flight still write to it when the run has ended.
    pub checkpoint: Arc<Mutex<Ledger>>,
}

impl<W: Send + Sync + 'static> Executor<W> {
    /// Carries out a plan that was made with this ledger.
    pub async fn run(self, plan: Plan<W>, ledger: Ledger) -> Report {
        *lock(&self.checkpoint) = ledger;
        let halt = CancellationToken::new();
        // Whoever drops this future wants nothing more to be launched either.
        let _halt = halt.clone().drop_guard();
        let context = Context::new(self.world, self.settings, halt.clone(), Arc::clone(&self.checkpoint));
        let wanted = plan.wanted();
        let run = Run { context: Arc::new(context), catalogue: self.catalogue, guard: self.guard, wanted };
        let views = Views::new(&plan);
        let mut progress = Progress::new(plan.warnings.clone());
        let ended = tokio::select! {
            biased;
            () = self.stop.cancelled() => Ended::Stopped,
            () = reached(self.deadline) => Ended::DeadlineReached,
            ended = run.carry_out(plan, &mut progress) => ended,
        };
        halt.cancel();
        let ledger = run.context.ledger().clone();
        Report {
            views: views.after(&ledger, &progress),
            ledger,
            failures: progress.failures,
            blocked: progress.blocked,
            warnings: progress.warnings,
            ended,
            changed: run.context.has_changed(),
            waits: run.context.waits(),
        }
    }
}

struct Run<W> {
    context: Arc<Context<W>>,
    catalogue: Arc<dyn Catalogue<W>>,
    guard: Option<Arc<dyn Guard>>,
    /// What each part of the plan is called in the world.
    wanted: BTreeMap<PartKey, Identity>,
}

impl<W: Send + Sync + 'static> Run<W> {
    async fn carry_out(&self, plan: Plan<W>, progress: &mut Progress) -> Ended {
        self.begin(&plan);
        let mut stages = plan.stages;
        if stages.is_empty() {
            stages.push(PlannedStage { parts: Vec::new() });
        }
        let mut removals = plan.removals;
        let mut stages = stages.into_iter();
        while let Some(stage) = stages.next() {
            if let Some(guard) = &self.guard
                && let Err(failure) = guard.check().await
            {
                return Ended::GuardRefused(failure);
            }
            let keys: BTreeSet<PartKey> =
                stage.parts.iter().map(|planned| planned.part.key().clone()).collect();
            stage::carry_out(&self.context, stage, progress).await;
            let is_last = stages.len() == 0;
            let doomed = self.doomed(&keys, is_last, &mut removals, progress);
            removal::remove_all(&self.context, doomed, progress).await;
            if !progress.failures.is_empty() {
                break;
            }
        }
        not_started(stages, &removals, progress);
        Ended::Finished
    }

    /// From now on what is to be changed counts as unfinished, and what was discovered is recorded:
    /// whatever ends this run, the next one sees it.
    fn begin(&self, plan: &Plan<W>) {
        let mut ledger = self.context.ledger();
        ledger.records.extend(plan.claimed.iter().cloned());
        for planned in plan.stages.iter().flat_map(|stage| &stage.parts) {
            if matches!(planned.step, Step::Keep | Step::Create | Step::Error { .. }) {
                continue;
            }
            let is_settled = |record: &&mut Record| {
                record.key == *planned.part.key() && record.state == RecordState::Settled
            };
            if let Some(record) = ledger.records.iter_mut().find(is_settled) {
                record.state = RecordState::Made;
            }
        }
    }

    /// What goes after a stage: what its parts replaced; after the last one, everything that is to go.
    fn doomed(
        &self,
        keys: &BTreeSet<PartKey>,
        is_last: bool,
        removals: &mut Vec<PlannedRemoval<W>>,
        progress: &mut Progress,
    ) -> Vec<Doomed<W>> {
        let has_successor = |record: &Record, progress: &Progress| {
            keys.contains(&record.key) && progress.mark(&record.key) == Some(Mark::Done)
        };
        let mut doomed = Vec::new();
        let mut known = BTreeSet::<(PartKey, Identity)>::new();
        let (now, later): (Vec<_>, Vec<_>) =
            std::mem::take(removals).into_iter().partition(|removal| match removal.record.state {
                RecordState::Retired if keys.contains(&removal.record.key) => {
                    has_successor(&removal.record, progress)
                }
                _ => is_last,
            });
        *removals = later;
        for PlannedRemoval { record, part, step, look } in now {
            known.insert((record.key.clone(), record.identity.clone()));
            // Its part has taken it back in this run.
            if record.state == RecordState::Retired && self.is_current(&record) || self.hand_over(&record) {
                continue;
            }
            match (step, part.or_else(|| self.catalogue.recall(&record))) {
                (Step::Error { failure, .. }, _) => progress.keep(record, Action::Observe, failure),
                (_, Some(part)) => doomed.push(Doomed { record, part, look }),
                (_, None) => {
                    let failure = unknown_kind(&record.key, &record.identity);
                    progress.keep(record, Action::Delete, failure);
                }
            }
        }
        let retired: Vec<Record> = self.context.ledger().retired().cloned().collect();
        for record in retired {
            let place = (record.key.clone(), record.identity.clone());
            if known.contains(&place) || !has_successor(&record, progress) || self.hand_over(&record) {
                continue;
            }
            match self.catalogue.recall(&record) {
                Some(part) => doomed.push(Doomed { record, part, look: None }),
                None => {
                    let failure = unknown_kind(&record.key, &record.identity);
                    progress.keep(record, Action::Delete, failure);
                }
            }
        }
        doomed
    }

    /// Drops the record of an object that is another part's now. True also when that part did not get it yet:
    /// the record stays, and the object too.
    fn hand_over(&self, record: &Record) -> bool {
        let Some(heir) = heir(&self.wanted, record) else { return false };
        let mut ledger = self.context.ledger();
        if ledger.get(heir).is_some_and(|current| current.identity == record.identity) {
            ledger.remove(&record.key, &record.identity);
        }
        true
    }

    fn is_current(&self, record: &Record) -> bool {
        self.context.ledger().get(&record.key).is_some_and(|current| current.identity == record.identity)
    }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Lists what the stages that were not started would have touched.
fn not_started<W>(
    stages: impl Iterator<Item = PlannedStage<W>>,
    removals: &[PlannedRemoval<W>],
    progress: &mut Progress,
) {
    for planned in stages.flat_map(|stage| stage.parts) {
        if planned.step != Step::Keep && progress.mark(planned.part.key()) != Some(Mark::Failed) {
            progress.block(planned.part.key());
        }
    }
    for removal in removals {
        progress.block(&removal.record.key);
    }
}

/// What people see of each part, before and after the run.
struct Views<W> {
    planned: BTreeMap<PartKey, PartView>,
    /// Parts about which the plan was an error: nothing was done, so what it said still holds.
    errors: BTreeSet<PartKey>,
    /// The part of each key in the last stage that has it.
    parts: BTreeMap<PartKey, Arc<dyn AnyPart<W>>>,
}

impl<W> Views<W> {
    fn new(plan: &Plan<W>) -> Self {
        let parts = plan.stages.iter().flat_map(|stage| &stage.parts);
        let parts = parts.map(|planned| (planned.part.key().clone(), Arc::clone(&planned.part))).collect();
        Self { planned: plan.explain(), errors: plan.errors().into_keys().collect(), parts }
    }

    fn after(self, ledger: &Ledger, progress: &Progress) -> BTreeMap<PartKey, PartView> {
        let after = |(key, view): (PartKey, PartView)| {
            let touched = progress.touched.contains(&key);
            let state = self.state(&key, &view, ledger.get(&key), progress);
            (key, PartView { state, touched, ..view })
        };
        self.planned.clone().into_iter().map(after).collect()
    }

    fn state(
        &self,
        key: &PartKey,
        planned: &PartView,
        record: Option<&Record>,
        progress: &Progress,
    ) -> String {
        let pending = || pending_spec(&planned.spec, record);
        match (progress.mark(key), record) {
            (Some(Mark::Failed), _) if self.errors.contains(key) => planned.state.clone(),
            (Some(Mark::Failed), _) => {
                let failure = progress.failures.iter().find(|failure| failure.key == *key);
                failure.map_or_else(|| "failed".to_owned(), |failure| format!("failed: {}", failure.failure))
            }
            (Some(Mark::Done), Some(record)) => pending().unwrap_or_else(|| {
                self.parts.get(key).map_or_else(String::new, |part| part.state(&record.outputs))
            }),
            (_, Some(record)) if record.state == RecordState::Intended && planned.touched => {
                PERHAPS_MADE.to_owned()
            }
            (_, Some(record)) if record.state == RecordState::Made => {
                pending().unwrap_or_else(|| match planned.state.strip_prefix("drifted: ") {
                    Some(changes) => format!("pending: {changes}"),
                    None if planned.state == ABSENT => "pending: not settled yet".to_owned(),
                    None => planned.state.clone(),
                })
            }
            _ => planned.state.clone(),
        }
    }
}
