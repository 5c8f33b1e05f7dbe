//! A world, a ledger, and runs of the engine in them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use resource_graph::{
    Catalogue, Executor, Graph, Guard, Handle, Ledger, Needs, Observations, PartKey, Plan, Report, Settings,
    Stages, Unclaimed, diff, observe,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::world::{ARN, Thing, Things, World};

pub(crate) struct Bench {
    pub(crate) world: Arc<World>,
    pub(crate) ledger: Ledger,
    pub(crate) settings: Settings,
    pub(crate) stop: CancellationToken,
    pub(crate) deadline: Option<Instant>,
    pub(crate) guard: Option<Arc<dyn Guard>>,
    pub(crate) checkpoint: Arc<Mutex<Ledger>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            world: World::new(),
            ledger: Ledger::default(),
            settings: Settings::default(),
            stop: CancellationToken::new(),
            deadline: None,
            guard: None,
            checkpoint: Arc::default(),
        }
    }

    pub(crate) async fn observe(&self, stages: &Stages<World>) -> Observations<World> {
        observe(&self.world, &Things, stages, &self.ledger, &self.settings).await
    }

    pub(crate) async fn plan(&self, stages: &Stages<World>) -> Plan<World> {
        let observations = self.observe(stages).await;
        let discovered = Things.discover(&self.world).await.unwrap();
        diff(stages, &self.ledger, &observations, &discovered, Unclaimed::Delete)
    }

    pub(crate) fn executor(&mut self) -> Executor<World> {
        self.checkpoint = Arc::default();
        Executor {
            world: Arc::clone(&self.world),
            catalogue: Arc::new(Things),
            settings: self.settings.clone(),
            stop: self.stop.clone(),
            // Nothing here takes a day: a run that does hangs.
            deadline: Some(self.deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400))),
            guard: self.guard.clone(),
            checkpoint: Arc::clone(&self.checkpoint),
        }
    }

    /// Plans and carries out; the ledger is the one of the report.
    pub(crate) async fn apply(&mut self, stages: &Stages<World>) -> Report {
        let plan = self.plan(stages).await;
        let ledger = self.ledger.clone();
        let report = self.executor().run(plan, ledger).await;
        self.ledger = report.ledger.clone();
        report
    }

    /// Applies until nothing is left, and says what was wrong if that takes more than one run.
    pub(crate) async fn converge(&mut self, stages: &Stages<World>) {
        let report = self.apply(stages).await;
        assert!(report.is_complete(), "{:?} {:?} {:?}", report.failures, report.blocked, report.ended);
        self.assert_converged(stages).await;
    }

    /// The second plan is empty, each part has exactly one object, and every record is settled.
    pub(crate) async fn assert_converged(&self, stages: &Stages<World>) {
        let plan = self.plan(stages).await;
        assert!(plan.is_empty(), "the plan is not empty:\n{plan}{:?}\n{:?}", self.ledger, self.world.calls());
        let mut wanted = BTreeMap::<PartKey, usize>::new();
        for part in stages.0.iter().flat_map(|graph| graph.parts()) {
            wanted.insert(part.key().clone(), 1);
        }
        let mut there = BTreeMap::<PartKey, usize>::new();
        for object in self.world.state().objects.values() {
            if object.owner == resource_graph::Owner::Ours {
                *there.entry(object.key.clone()).or_default() += 1;
            }
        }
        assert_eq!(there, wanted);
        let settled = |record: &resource_graph::Record| record.state == resource_graph::RecordState::Settled;
        assert!(self.ledger.records.iter().all(settled), "{:?}", self.ledger);
        assert_eq!(self.ledger.records.len(), wanted.len());
    }
}

/// Adds a thing that refers to others.
pub(crate) fn add(graph: &mut Graph<World>, thing: Thing, references: &[&Handle<Thing>]) -> Handle<Thing> {
    add_with(graph, thing, references, |_| ())
}

/// Adds a thing with further needs.
pub(crate) fn add_with(
    graph: &mut Graph<World>,
    thing: Thing,
    references: &[&Handle<Thing>],
    more: impl FnOnce(&mut Needs),
) -> Handle<Thing> {
    graph.add(|needs| {
        let references = references.iter().map(|handle| needs.output(handle, ARN)).collect();
        more(needs);
        if let Some(lane) = &thing.lane {
            needs.lane(lane);
        }
        Thing { references, ..thing }
    })
}

pub(crate) fn key(name: &str) -> PartKey {
    PartKey::new("thing", name)
}
