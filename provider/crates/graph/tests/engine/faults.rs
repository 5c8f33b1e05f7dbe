//! Every call of representative transitions fails, loses its answer, or is the last one of its process; the
//! next run always ends where an undisturbed one would have ended.

use std::{sync::Arc, time::Duration};

use resource_graph::{FailureKind, Graph, Ledger, Stages};

use crate::{
    bench::{Bench, add, add_with},
    world::{Fault, Thing, World},
};

/// A small cluster: what is made at first.
pub(crate) fn before() -> Stages<World> {
    let mut graph = Graph::new();
    let role = add(&mut graph, Thing::new("role", "1"), &[]);
    let core = add(&mut graph, Thing { late_value: true, ..Thing::new("core", "1") }, &[&role]);
    let old = add(&mut graph, Thing::new("old-role", "1"), &[]);
    let nodes = Thing { fixed: "x".to_owned(), renamed: true, ..Thing::new("nodes", "1") };
    let nodes = add(&mut graph, nodes, &[&core, &old]);
    let gone = add(&mut graph, Thing::new("gone", "1"), &[&core]);
    let groups = [nodes.any(), gone.any()];
    let lane = || Some("lane".to_owned());
    let addon = Thing { lane: lane(), ..Thing::new("addon", "1") };
    add_with(&mut graph, addon, &[&core], |needs| needs.after_any(&groups));
    add(&mut graph, Thing { lane: lane(), fixed: "x".to_owned(), ..Thing::new("profile", "1") }, &[&core]);
    Stages::from(graph)
}

/// What it becomes: an update, a replacement of each kind, something new, something gone.
pub(crate) fn after() -> Stages<World> {
    let mut graph = Graph::new();
    let role = add(&mut graph, Thing::new("role", "1"), &[]);
    let core = add(&mut graph, Thing { late_value: true, ..Thing::new("core", "2") }, &[&role]);
    let new = add(&mut graph, Thing::new("new-role", "1"), &[]);
    let nodes = Thing { fixed: "y".to_owned(), renamed: true, ..Thing::new("nodes", "1") };
    let nodes = add(&mut graph, nodes, &[&core, &new]).any();
    let lane = || Some("lane".to_owned());
    let addon = Thing { lane: lane(), ..Thing::new("addon", "2") };
    add_with(&mut graph, addon, &[&core], |needs| needs.after_any([&nodes]));
    add(&mut graph, Thing { lane: lane(), fixed: "y".to_owned(), ..Thing::new("profile", "1") }, &[&core]);
    Stages::from(graph)
}

pub(crate) fn nothing() -> Stages<World> {
    Stages::from(Graph::new())
}

/// A bench in which `from` was applied, and the number of calls it took.
async fn prepared(from: &Stages<World>) -> Bench {
    let mut bench = Bench::new();
    bench.converge(from).await;
    bench.world.state().log.clear();
    bench.world.state().calls = 0;
    bench
}

/// How the process that comes after a killed one begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Restart {
    /// With the ledger of the last report: what was made since is found by its mark.
    OldLedger,
    /// With the ledger as it was in memory.
    Checkpoint,
    /// With none.
    NoLedger,
}

/// Runs with faults at some calls; the bench goes on with what the next process would know.
pub(crate) async fn disturb(
    bench: &mut Bench,
    to: &Stages<World>,
    faults: &[(usize, Fault)],
    restart: Restart,
) {
    {
        let mut state = bench.world.state();
        state.calls = 0;
        state.faults.extend(faults.iter().copied());
    }
    let plan = bench.plan(to).await;
    let (world, ledger) = (Arc::clone(&bench.world), bench.ledger.clone());
    let run = bench.executor().run(plan, ledger);
    tokio::select! {
        report = run => bench.ledger = report.ledger,
        () = world.killed.notified() => match restart {
            Restart::OldLedger => {}
            Restart::Checkpoint => bench.ledger = bench.checkpoint.lock().unwrap().clone(),
            Restart::NoLedger => bench.ledger = Ledger::default(),
        },
    }
    // Requests that were under way reach the world before the next process looks at it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.world.state().faults.clear();
}

pub(crate) const FAULTS: [Fault; 8] = [
    Fault::Fail(FailureKind::Refused),
    Fault::Fail(FailureKind::Unknown),
    Fault::Fail(FailureKind::Conflict),
    Fault::Fail(FailureKind::NotYet),
    Fault::Fail(FailureKind::Busy),
    Fault::Lost,
    Fault::Panic,
    Fault::Killed,
];

async fn sweep(from: fn() -> Stages<World>, to: fn() -> Stages<World>) {
    let mut bench = prepared(&from()).await;
    bench.converge(&to()).await;
    let calls = bench.world.state().calls;
    assert!(calls > 0);
    for call in 0..calls {
        for fault in FAULTS {
            for restart in [Restart::OldLedger, Restart::Checkpoint, Restart::NoLedger] {
                if fault != Fault::Killed && !matches!(restart, Restart::OldLedger) {
                    continue;
                }
                let mut bench = prepared(&from()).await;
                disturb(&mut bench, &to(), &[(call, fault)], restart).await;
                bench.converge(&to()).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn creation_survives_every_fault() {
    sweep(nothing, before).await;
}

#[tokio::test(start_paused = true)]
async fn change_survives_every_fault() {
    sweep(before, after).await;
}

/// What `before` becomes in two stages, of which the first one changes the core.
fn staged() -> Stages<World> {
    let stage = |with_leaf: bool| {
        let mut graph = Graph::new();
        let role = add(&mut graph, Thing::new("role", "1"), &[]);
        let core = add(&mut graph, Thing { late_value: true, ..Thing::new("core", "2") }, &[&role]);
        let nodes = Thing { fixed: "y".to_owned(), renamed: true, ..Thing::new("nodes", "1") };
        add(&mut graph, nodes, &[&core]);
        if with_leaf {
            add(&mut graph, Thing::new("leaf", "1"), &[&core]);
        }
        graph
    };
    Stages(vec![stage(false), stage(true)])
}

#[tokio::test(start_paused = true)]
async fn stages_survive_every_fault() {
    sweep(before, staged).await;
    sweep(nothing, staged).await;
}

#[tokio::test(start_paused = true)]
async fn deletion_survives_every_fault() {
    sweep(before, nothing).await;
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_creation_can_be_deleted() {
    let mut bench = prepared(&nothing()).await;
    bench.converge(&before()).await;
    let calls = bench.world.state().calls;
    for call in 0..calls {
        for restart in [Restart::OldLedger, Restart::Checkpoint] {
            let mut bench = prepared(&nothing()).await;
            disturb(&mut bench, &before(), &[(call, Fault::Killed)], restart).await;
            bench.converge(&nothing()).await;
        }
    }
}
