//! Runs that end early: stopped, out of time, dropped.

use std::time::Duration;

use resource_graph::{Ended, Graph, RecordState, Stages};
use tokio::time::{Instant, sleep};

use crate::{
    bench::{Bench, add, key},
    world::{Fault, Thing, World},
};

/// `a <- b`, and `hangs`, whose create never answers.
fn stages() -> Stages<World> {
    let mut graph = Graph::new();
    let a = add(&mut graph, Thing::new("a", "1"), &[]);
    add(&mut graph, Thing::new("b", "1"), &[&a]);
    add(&mut graph, Thing::new("hangs", "1"), &[]);
    Stages::from(graph)
}

fn check(report: &resource_graph::Report, since: Instant) {
    assert!(since.elapsed() <= Duration::from_millis(500), "{:?}", since.elapsed());
    let states: Vec<(&str, RecordState)> =
        report.ledger.records.iter().map(|record| (record.key.name(), record.state)).collect();
    assert_eq!(states, [("a", RecordState::Made), ("hangs", RecordState::Intended)]);
    let views: Vec<&str> = report.views.values().map(|view| view.state.as_str()).collect();
    let unknown = "pending: it may have been made, the answer is not known";
    assert_eq!(views, ["pending: not settled yet", "absent", unknown]);
    let waits: Vec<(&str, &str)> =
        report.waits.iter().map(|(key, text)| (key.name(), text.as_str())).collect();
    assert_eq!(waits, [("a", "CREATING"), ("b", "waits for thing/a")]);
    assert!(report.failures.is_empty());
    assert!(!report.is_complete() && report.changed);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_run_answers_at_once_and_launches_nothing_more() {
    let mut bench = Bench::new();
    bench.world.state().always.insert("create hangs".to_owned(), Fault::Hangs);
    let stop = bench.stop.clone();
    let stopped = tokio::spawn(async move {
        sleep(Duration::from_secs(10)).await;
        stop.cancel();
        Instant::now()
    });
    let report = bench.apply(&stages()).await;
    check(&report, stopped.await.unwrap());
    assert_eq!(report.ended, Ended::Stopped);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(bench.world.calls(), ["create a", "create hangs"]);
    // What was in flight has no effect here: the next run makes it.
    bench.world.state().always.clear();
    bench.stop = Default::default();
    bench.converge(&stages()).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_out_of_time_does_the_same() {
    let mut bench = Bench::new();
    bench.world.state().always.insert("create hangs".to_owned(), Fault::Hangs);
    let deadline = Instant::now() + Duration::from_secs(10);
    bench.deadline = Some(deadline);
    let report = bench.apply(&stages()).await;
    check(&report, deadline);
    assert_eq!(report.ended, Ended::DeadlineReached);
}

#[tokio::test(start_paused = true)]
async fn a_removal_out_of_time_tells_what_it_waits_for() {
    let mut bench = Bench::new();
    bench.converge(&stages()).await;
    bench.deadline = Some(Instant::now() + Duration::from_secs(10));
    let report = bench.apply(&Stages::from(Graph::new())).await;
    assert_eq!(report.ended, Ended::DeadlineReached);
    let waits: Vec<(&str, &str)> =
        report.waits.iter().map(|(key, text)| (key.name(), text.as_str())).collect();
    assert_eq!(waits, [("a", "waits for the end of thing/b"), ("b", "DELETING"), ("hangs", "DELETING")]);
    bench.deadline = None;
    let report = bench.apply(&Stages::from(Graph::new())).await;
    assert!(report.is_complete() && report.waits.is_empty(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_before_it_starts_does_nothing() {
    let mut bench = Bench::new();
    bench.stop.cancel();
    let report = bench.apply(&stages()).await;
    assert_eq!(report.ended, Ended::Stopped);
    assert!(bench.world.calls().is_empty() && !report.changed);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_run_launches_nothing_more_and_leaves_the_checkpoint() {
    let mut bench = Bench::new();
    let plan = bench.plan(&stages()).await;
    let run = bench.executor().run(plan, Default::default());
    let dropped = tokio::time::timeout(Duration::from_millis(10), run).await;
    assert!(dropped.is_err());
    sleep(Duration::from_secs(600)).await;
    // The calls in flight came to their end, and are in the checkpoint.
    assert_eq!(bench.world.calls(), ["create a", "create hangs"]);
    let checkpoint = bench.checkpoint.lock().unwrap().clone();
    assert_eq!(checkpoint.get(&key("a")).unwrap().state, RecordState::Made);
    assert_eq!(checkpoint.get(&key("hangs")).unwrap().outputs.get("arn"), Some("arn:hangs:i2"));
}
