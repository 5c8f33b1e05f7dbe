//! Order: edges, OR edges, lanes, stages, the recorded order of deletions.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use resource_graph::{Ended, Failure, FailureKind, Graph, Guard, Stages};

use crate::{
    bench::{Bench, add, add_with, key},
    world::{Fault, Thing, World},
};

/// `a <- b <- c`, and `d` alone.
fn chain() -> Stages<World> {
    let mut graph = Graph::new();
    let a = add(&mut graph, Thing::new("a", "1"), &[]);
    let b = add(&mut graph, Thing::new("b", "1"), &[&a]);
    add(&mut graph, Thing::new("c", "1"), &[&b]);
    add(&mut graph, Thing::new("d", "1"), &[]);
    Stages::from(graph)
}

#[tokio::test(start_paused = true)]
async fn a_failed_part_blocks_only_what_stands_on_it() {
    let mut bench = Bench::new();
    bench.world.state().always.insert("create a".to_owned(), Fault::Fail(FailureKind::Refused));
    let report = bench.apply(&chain()).await;
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.blocked, [key("b"), key("c")]);
    let states: Vec<&str> = report.views.values().map(|view| view.state.as_str()).collect();
    assert_eq!(states, ["failed: create a: Refused", "absent", "absent", "ready"]);
    bench.world.state().always.clear();
    bench.converge(&chain()).await;
}

#[tokio::test(start_paused = true)]
async fn deletions_follow_the_recorded_edges() {
    let mut bench = Bench::new();
    bench.converge(&chain()).await;
    bench.world.state().log.clear();
    // Today's graph has no edges at all: only the records have.
    bench.converge(&Stages::from(Graph::new())).await;
    let calls = bench.world.calls();
    let place = |call: &str| calls.iter().position(|other| other == call).unwrap();
    assert!(place("delete c") < place("delete b") && place("delete b") < place("delete a"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_deletion_keeps_what_it_needs() {
    let mut bench = Bench::new();
    bench.converge(&chain()).await;
    bench.world.state().always.insert("delete b".to_owned(), Fault::Fail(FailureKind::Refused));
    let report = bench.apply(&Stages::from(Graph::new())).await;
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.blocked, [key("a")]);
    let left: BTreeSet<&str> = report.ledger.records.iter().map(|record| record.key.name()).collect();
    assert_eq!(left, ["a", "b"].into());
    bench.world.state().always.clear();
    bench.converge(&Stages::from(Graph::new())).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_update_may_still_use_is_not_deleted() {
    let mut bench = Bench::new();
    let stages = |reference: &str, value: &str| {
        let mut graph = Graph::new();
        let role = add(&mut graph, Thing::new(reference, "1"), &[]);
        add(&mut graph, Thing::new("user", value), &[&role]);
        Stages::from(graph)
    };
    bench.converge(&stages("old", "1")).await;
    bench.world.state().always.insert("update user".to_owned(), Fault::Fail(FailureKind::Refused));
    let report = bench.apply(&stages("new", "1")).await;
    assert_eq!(report.blocked, [key("old")]);
    // Destroyed in this state, the user goes before both.
    bench.world.state().always.clear();
    bench.converge(&Stages::from(Graph::new())).await;
}

#[tokio::test(start_paused = true)]
async fn one_broken_member_of_an_or_edge_blocks_nothing() {
    let stages = || {
        let mut graph = Graph::new();
        let groups =
            [add(&mut graph, Thing::new("g1", "1"), &[]), add(&mut graph, Thing::new("g2", "1"), &[])];
        let groups = groups.map(|handle| handle.any());
        add_with(&mut graph, Thing::new("addon", "1"), &[], |needs| needs.after_any(&groups));
        Stages::from(graph)
    };
    let mut bench = Bench::new();
    bench.world.state().breaks.insert("g1".to_owned(), "no capacity".to_owned());
    let report = bench.apply(&stages()).await;
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.blocked, []);
    assert_eq!(report.views[&key("addon")].state, "ready");

    // All members broken: blocked.
    let mut bench = Bench::new();
    for name in ["g1", "g2"] {
        bench.world.state().breaks.insert(name.to_owned(), "no capacity".to_owned());
    }
    let report = bench.apply(&stages()).await;
    assert_eq!(report.failures.len(), 2);
    assert_eq!(report.blocked, [key("addon")]);
    for name in ["g1", "g2"] {
        bench.world.change(name, |object| object.broken = None);
    }
    bench.converge(&stages()).await;
    // The addon stays when one of its groups goes, and goes before the last one.
    let mut graph = Graph::new();
    let group = add(&mut graph, Thing::new("g2", "1"), &[]).any();
    add_with(&mut graph, Thing::new("addon", "1"), &[], |needs| needs.after_any([&group]));
    bench.converge(&Stages::from(graph)).await;
    bench.world.state().log.clear();
    bench.converge(&Stages::from(Graph::new())).await;
    assert_eq!(bench.world.calls(), ["delete addon", "delete g2"]);
}

#[tokio::test(start_paused = true)]
async fn lanes_take_turns_in_the_order_of_the_graph() {
    let stages = |value: &str| {
        let mut graph = Graph::new();
        for name in ["a", "b", "c", "d"] {
            let lane = Some(if name == "d" { "other" } else { "profiles" }.to_owned());
            add(&mut graph, Thing { lane, ..Thing::new(name, value) }, &[]);
        }
        Stages::from(graph)
    };
    let mut bench = Bench::new();
    bench.converge(&stages("1")).await;
    bench.converge(&stages("2")).await;
    assert_eq!(bench.world.state().overlaps, 0);
    assert_eq!(bench.world.calls()[..4], ["create a", "create d", "create b", "create c"]);
}

#[tokio::test(start_paused = true)]
async fn at_most_so_many_calls_at_once_and_in_the_order_of_the_graph() {
    let mut graph = Graph::new();
    let names: Vec<String> = (0..30).map(|number| format!("p{number:02}")).collect();
    for name in &names {
        add(&mut graph, Thing::new(name, "1"), &[]);
    }
    let mut bench = Bench::new();
    bench.settings.concurrency = 3;
    bench.converge(&Stages::from(graph)).await;
    assert_eq!(bench.world.state().most_running, 3);
    let expected: Vec<String> = names.iter().map(|name| format!("create {name}")).collect();
    assert_eq!(bench.world.calls(), expected);
}

/// Stages of an upgrade: `core` in two of them, each followed by its `leaf`.
fn upgrade(first: &str, second: &str) -> Stages<World> {
    let stage = |core: &str, leaf: &str| {
        let mut graph = Graph::new();
        let handle = add(&mut graph, Thing::new("core", core), &[]);
        add(&mut graph, Thing::new(leaf, core), &[&handle]);
        graph
    };
    Stages(vec![stage(first, "leaf1"), stage(second, "leaf2")])
}

#[tokio::test(start_paused = true)]
async fn stages_never_interleave() {
    let mut bench = Bench::new();
    bench.converge(&Stages(vec![upgrade("1", "1").0.remove(0)])).await;
    bench.world.state().log.clear();
    let report = bench.apply(&upgrade("2", "3")).await;
    assert!(report.is_complete(), "{:?}", report.failures);
    assert_eq!(bench.world.calls(), ["update core", "update leaf1", "update core", "create leaf2"]);
    assert_eq!(report.ledger.get(&key("core")).unwrap().spec, "value 3");
    assert_eq!(report.views[&key("core")].state, "ready");
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_a_stage_ends_the_run_after_it() {
    let mut bench = Bench::new();
    bench.converge(&Stages(vec![upgrade("1", "1").0.remove(0)])).await;
    bench.world.state().always.insert("update leaf1".to_owned(), Fault::Fail(FailureKind::Refused));
    let report = bench.apply(&upgrade("2", "3")).await;
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.blocked, [key("core"), key("leaf2")]);
    assert_eq!(report.views[&key("core")].state, "pending: still value 2");
    assert_eq!(report.views[&key("leaf2")].state, "absent");
    bench.world.state().always.clear();
    let report = bench.apply(&upgrade("2", "3")).await;
    assert!(report.is_complete(), "{:?}", report.failures);
}

struct Lost;

#[async_trait]
impl Guard for Lost {
    async fn check(&self) -> Result<(), Failure> {
        Err(Failure::refused("another run took over"))
    }
}

#[tokio::test(start_paused = true)]
async fn the_guard_is_asked_before_anything_is_done() {
    let mut bench = Bench::new();
    bench.guard = Some(Arc::new(Lost));
    let report = bench.apply(&chain()).await;
    assert_eq!(report.ended, Ended::GuardRefused(Failure::refused("another run took over")));
    assert!(!report.is_complete() && !report.changed);
    assert!(bench.world.calls().is_empty());
}
