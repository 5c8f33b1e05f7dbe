//! What a run does to one part or a few: the ways of the executor through creates, updates and deletes.

use std::time::Duration;

use resource_graph::{Action, FailureKind, Graph, Owner, RecordState, Stages};
use tokio::time::Instant;

use crate::{
    bench::{Bench, add, add_with, key},
    world::{Fault, Thing, World},
};

fn one(thing: Thing) -> Stages<World> {
    let mut graph = Graph::new();
    add(&mut graph, thing, &[]);
    Stages::from(graph)
}

#[tokio::test(start_paused = true)]
async fn create_update_delete() {
    let mut bench = Bench::new();
    bench.converge(&one(Thing::new("a", "1"))).await;
    let record = bench.ledger.get(&key("a")).unwrap();
    assert_eq!((record.spec.as_str(), record.outputs.get("arn")), ("value 1", Some("arn:a:i1")));
    bench.converge(&one(Thing::new("a", "2"))).await;
    assert_eq!(bench.ledger.get(&key("a")).unwrap().spec, "value 2");
    bench.converge(&Stages::from(Graph::new())).await;
    assert_eq!(bench.world.calls(), ["create a", "update a", "delete a"]);
    assert!(bench.ledger.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_create_call_cannot_take_follows_as_an_update() {
    let mut bench = Bench::new();
    bench.converge(&one(Thing { late_value: true, ..Thing::new("a", "1") })).await;
    assert_eq!(bench.world.calls(), ["create a", "update a"]);
}

#[tokio::test(start_paused = true)]
async fn failures_that_pass_are_waited_for() {
    for (kind, times) in [(FailureKind::NotYet, 5), (FailureKind::Busy, 40), (FailureKind::Unknown, 3)] {
        let mut bench = Bench::new();
        bench.world.state().faults.extend((0..times).map(|number| (number, Fault::Fail(kind))));
        bench.converge(&one(Thing::new("a", "1"))).await;
        assert_eq!(bench.world.calls().len(), times + 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_do_not_pass_end_the_part_and_leave_no_record() {
    for (kind, at_most) in [
        (FailureKind::NotYet, 200),
        (FailureKind::Refused, 10),
        (FailureKind::Unknown, 60),
        (FailureKind::Conflict, 60),
    ] {
        let mut bench = Bench::new();
        bench.world.state().always.insert("create a".to_owned(), Fault::Fail(kind));
        let start = Instant::now();
        let report = bench.apply(&one(Thing::new("a", "1"))).await;
        assert_eq!(report.failures.len(), 1, "{kind:?}");
        assert_eq!((&report.failures[0].key, report.failures[0].action), (&key("a"), Action::Create));
        assert!(start.elapsed() < Duration::from_secs(at_most), "{kind:?} took {:?}", start.elapsed());
        assert_eq!(report.views[&key("a")].state, format!("failed: create a: {kind:?}"));
        let definite = matches!(kind, FailureKind::NotYet | FailureKind::Refused);
        assert_eq!(report.ledger.is_empty(), definite, "{kind:?}");
        bench.world.state().always.clear();
        bench.converge(&one(Thing::new("a", "1"))).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_a_foreign_object_names_its_owner_and_leaves_no_record() {
    let mut bench = Bench::new();
    let plan = bench.plan(&one(Thing::new("a", "1"))).await;
    bench.world.put("a", Owner::Other("team-b".to_owned()), "1");
    let report = bench.executor().run(plan, Default::default()).await;
    assert!(report.failures[0].failure.message.contains("owned by team-b"), "{:?}", report.failures);
    assert!(report.ledger.is_empty());
    assert_eq!(bench.world.state().objects["a"].owner, Owner::Other("team-b".to_owned()));
    bench.ledger = report.ledger;
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_our_own_object_adopts_it() {
    let mut bench = Bench::new();
    let stages = one(Thing::new("a", "1"));
    let plan = bench.plan(&stages).await;
    bench.world.put("a", Owner::Ours, "0");
    let report = bench.executor().run(plan, Default::default()).await;
    assert!(report.is_complete(), "{:?}", report.failures);
    bench.ledger = report.ledger;
    bench.assert_converged(&stages).await;
    assert_eq!(bench.world.calls(), ["create a", "update a"]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_object_fails_with_the_words_of_the_world_and_heals_later() {
    let mut bench = Bench::new();
    let stages = one(Thing::new("a", "1"));
    bench.world.state().breaks.insert("a".to_owned(), "no capacity".to_owned());
    for _ in 0..2 {
        let report = bench.apply(&stages).await;
        assert_eq!(report.failures[0].failure.message, "no capacity");
        assert_eq!(report.failures[0].action, Action::Settle);
        assert_eq!(report.views[&key("a")].state, "failed: no capacity");
        assert_eq!(bench.ledger.get(&key("a")).unwrap().state, RecordState::Made);
    }
    bench.world.change("a", |object| object.broken = None);
    bench.converge(&stages).await;
    assert_eq!(bench.world.calls(), ["create a"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_the_failure_of_its_part() {
    let mut bench = Bench::new();
    bench.world.state().always.insert("create a".to_owned(), Fault::Panic);
    let stages = || {
        let mut graph = Graph::new();
        add(&mut graph, Thing::new("a", "1"), &[]);
        add(&mut graph, Thing::new("b", "1"), &[]);
        Stages::from(graph)
    };
    let report = bench.apply(&stages()).await;
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].failure.message, "this is a bug: the part panicked: broken part");
    assert_eq!(report.views[&key("b")].state, "ready");
    // Nobody knows what the broken code did.
    assert_eq!(report.ledger.get(&key("a")).unwrap().state, RecordState::Intended);
    bench.world.state().always.clear();
    bench.converge(&stages()).await;
}

#[tokio::test(start_paused = true)]
async fn a_replacement_with_another_name_comes_first() {
    let mut bench = Bench::new();
    let stages = |fixed: &str| {
        let mut graph = Graph::new();
        let renamed = Thing { fixed: fixed.to_owned(), renamed: true, ..Thing::new("a", "1") };
        let a = add(&mut graph, renamed, &[]);
        add(&mut graph, Thing::new("b", "1"), &[&a]);
        Stages::from(graph)
    };
    bench.converge(&stages("x")).await;
    bench.converge(&stages("y")).await;
    assert_eq!(bench.world.calls(), ["create a-x", "create b", "create a-y", "update b", "delete a-x"]);
}

#[tokio::test(start_paused = true)]
async fn objects_change_hands_between_parts_without_being_deleted() {
    let mut bench = Bench::new();
    let stages = |parts: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (name, object) in parts {
            let thing = Thing { object: Some((*object).to_owned()), ..Thing::new(name, name) };
            add(&mut graph, thing, &[]);
        }
        Stages::from(graph)
    };
    bench.apply(&stages(&[("a", "x"), ("b", "y")])).await;
    // Two swap, then one is renamed, then one moves away from an object that nobody else wants.
    for (parts, objects) in [
        (vec![("a", "y"), ("b", "x")], vec!["x", "y"]),
        (vec![("a", "y"), ("c", "x")], vec!["x", "y"]),
        (vec![("a", "z"), ("c", "x")], vec!["x", "z"]),
    ] {
        let report = bench.apply(&stages(&parts)).await;
        assert!(report.is_complete(), "{:?}", report.failures);
        assert!(bench.plan(&stages(&parts)).await.is_empty(), "{}", bench.plan(&stages(&parts)).await);
        assert_eq!(bench.world.state().objects.keys().collect::<Vec<_>>(), objects);
        assert_eq!(bench.ledger.records.len(), 2);
    }
    let deleted: Vec<String> =
        bench.world.calls().into_iter().filter(|call| call.starts_with("delete")).collect();
    assert_eq!(deleted, ["delete y"]);
}

#[tokio::test(start_paused = true)]
async fn replacements_may_take_turns_with_two_names() {
    let mut bench = Bench::new();
    let stages = |fixed: &str| {
        let mut graph = Graph::new();
        let thing = Thing { fixed: fixed.to_owned(), alternates: true, ..Thing::new("a", "1") };
        let a = add(&mut graph, thing, &[]);
        add(&mut graph, Thing::new("b", "1"), &[&a]);
        Stages::from(graph)
    };
    for fixed in ["x", "y", "z"] {
        bench.converge(&stages(fixed)).await;
    }
    let calls = ["create a", "create b", "create a-2", "update b", "delete a"];
    assert_eq!(bench.world.calls(), [&calls[..], &["create a", "update b", "delete a-2"]].concat());
    // One that does not settle is deleted before the next try; the one in use stays until then.
    bench.world.state().breaks.insert("a-2".to_owned(), "no capacity".to_owned());
    assert_eq!(bench.apply(&stages("x")).await.failures.len(), 1);
    assert_eq!(bench.world.state().objects.keys().collect::<Vec<_>>(), ["a", "a-2", "b"]);
    bench.world.state().breaks.clear();
    bench.converge(&stages("y")).await;
    assert_eq!(bench.world.state().objects.keys().collect::<Vec<_>>(), ["a-2", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_fails_keeps_the_old_one_and_can_be_taken_back() {
    let renamed = |fixed: &str| one(Thing { fixed: fixed.to_owned(), renamed: true, ..Thing::new("a", "1") });
    // Refused for good: nothing changes. Unusable: the old one waits for a successor that settles.
    for refused in [true, false] {
        let mut bench = Bench::new();
        bench.converge(&renamed("x")).await;
        if refused {
            bench.world.state().always.insert("create a-y".to_owned(), Fault::Fail(FailureKind::Refused));
        } else {
            bench.world.state().breaks.insert("a-y".to_owned(), "no capacity".to_owned());
        }
        let report = bench.apply(&renamed("y")).await;
        assert_eq!(report.failures.len(), 1);
        assert!(bench.world.state().objects.contains_key("a-x"));
        assert_eq!(bench.ledger.records.len(), if refused { 1 } else { 2 });
        bench.converge(&renamed("x")).await;
        assert_eq!(bench.world.state().objects.keys().collect::<Vec<_>>(), ["a-x"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_with_the_same_name_deletes_first() {
    let mut bench = Bench::new();
    bench.converge(&one(Thing { fixed: "x".to_owned(), ..Thing::new("a", "1") })).await;
    bench.converge(&one(Thing { fixed: "y".to_owned(), ..Thing::new("a", "1") })).await;
    assert_eq!(bench.world.calls(), ["create a", "delete a", "create a"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_being_deleted_is_waited_for_and_made_again() {
    let mut bench = Bench::new();
    let stages = one(Thing::new("a", "1"));
    bench.converge(&stages).await;
    let until = Instant::now() + Duration::from_secs(60);
    bench.world.change("a", |object| object.busy = Some(("DELETING", until)));
    bench.converge(&stages).await;
    assert_eq!(bench.world.calls(), ["create a", "create a"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_busy_is_settled_before_it_is_changed_or_deleted() {
    let mut bench = Bench::new();
    bench.converge(&one(Thing::new("a", "1"))).await;
    for stages in [one(Thing::new("a", "2")), Stages::from(Graph::new())] {
        let until = Instant::now() + Duration::from_secs(60);
        bench.world.change("a", |object| object.busy = Some(("UPDATING", until)));
        bench.converge(&stages).await;
    }
    assert_eq!(bench.world.calls(), ["create a", "update a", "delete a"]);
}

#[tokio::test(start_paused = true)]
async fn what_an_upstream_becomes_is_compared_when_it_is_known() {
    let mut bench = Bench::new();
    let stages = || {
        let mut graph = Graph::new();
        let a = add(&mut graph, Thing::new("a", "1"), &[]);
        let b = add(&mut graph, Thing::new("b", "1"), &[&a]);
        add_with(&mut graph, Thing::new("c", "1"), &[], |needs| needs.after(&b));
        Stages::from(graph)
    };
    bench.converge(&stages()).await;
    bench.world.state().objects.remove("a");
    let plan = bench.plan(&stages()).await;
    // Nobody knows yet what the new one will be called: b may change.
    assert!(plan.explain()[&key("b")].touched);
    bench.converge(&stages()).await;
    assert_eq!(bench.world.calls()[3..], ["create a", "update b"]);
}

#[tokio::test(start_paused = true)]
async fn foreign_objects_are_neither_changed_nor_deleted() {
    let mut bench = Bench::new();
    bench.converge(&one(Thing::new("a", "1"))).await;
    bench.world.put("a", Owner::Other("team-b".to_owned()), "7");
    let report = bench.apply(&one(Thing::new("a", "2"))).await;
    assert_eq!(report.failures.len(), 1);
    let report = bench.apply(&Stages::from(Graph::new())).await;
    assert!(report.is_complete());
    assert_eq!(report.warnings.len(), 1);
    assert!(report.ledger.is_empty());
    assert_eq!(bench.world.state().objects["a"].settings.value, "7");
}

#[tokio::test(start_paused = true)]
async fn how_an_earlier_deletion_ended_does_not_end_a_wait() {
    let mut bench = Bench::new();
    bench.converge(&one(Thing::new("a", "1"))).await;
    bench.world.state().old_failures = 1;
    bench.converge(&Stages::from(Graph::new())).await;
    assert_eq!(bench.world.calls(), ["create a", "delete a"]);
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_waited_for_once_in_a_run() {
    let stages = || {
        let mut graph = Graph::new();
        add(&mut graph, Thing::new("a", "1"), &[]);
        Stages::from(graph)
    };
    let mut bench = Bench::new();
    bench.converge(&one(Thing::new("b", "1"))).await;
    for call in ["create a", "delete b"] {
        bench.world.state().always.insert(call.to_owned(), Fault::Fail(FailureKind::Expired));
    }
    let start = Instant::now();
    let report = bench.apply(&stages()).await;
    // The deletion comes after everything else has failed, and is not waited for again.
    assert_eq!(report.failures.len(), 2, "{:?}", report.failures);
    assert!(start.elapsed() < bench.settings.not_yet_limit * 3 / 2, "{:?}", start.elapsed());
    bench.world.state().always.clear();
    bench.converge(&stages()).await;
    assert_eq!(bench.world.state().objects.keys().collect::<Vec<_>>(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn only_many_bad_looks_in_a_row_end_a_wait() {
    let stages = || one(Thing::new("a", "1"));
    let mut bench = Bench::new();
    bench.world.state().bad_probes = bench.settings.bad_polls - 1;
    bench.converge(&stages()).await;

    let mut bench = Bench::new();
    bench.world.state().bad_probes = bench.settings.bad_polls;
    let report = bench.apply(&stages()).await;
    assert_eq!(
        (report.failures[0].action, report.failures[0].failure.message.as_str()),
        (Action::Settle, "throttled")
    );
    assert_eq!(bench.ledger.get(&key("a")).unwrap().state, RecordState::Made);
    bench.converge(&stages()).await;
    assert_eq!(bench.world.calls(), ["create a"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_at_is_left_alone_and_keeps_its_words() {
    let mut bench = Bench::new();
    bench.converge(&one(Thing::new("a", "1"))).await;
    bench.world.state().unseen.insert("a".to_owned());
    let stages = one(Thing::new("a", "2"));
    let plan = bench.plan(&stages).await;
    assert_eq!(plan.errors().len(), 1);
    let planned = plan.explain();
    let report = bench.apply(&stages).await;
    assert_eq!(report.failures[0].action, Action::Observe);
    assert_eq!(report.views[&key("a")].state, "unknown: throttled");
    assert_eq!(report.views, planned);
    // A look that fails once is repeated at once.
    let world = std::sync::Arc::clone(&bench.world);
    let heal = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.state().unseen.clear();
    };
    tokio::join!(bench.converge(&stages), heal);
}

#[test]
fn the_ledger_as_it_is_kept() {
    let ledger = resource_graph::Ledger {
        records: vec![resource_graph::Record {
            key: key("a"),
            state: RecordState::Made,
            identity: resource_graph::Identity::new([("name", "a")]),
            instance: Some("i1".to_owned()),
            outputs: resource_graph::Outputs::new([("arn", "arn:a:i1")]),
            needs: vec![key("b")],
            spec: "value 1".to_owned(),
        }],
    };
    let text = serde_json::to_string(&ledger).unwrap();
    insta::assert_snapshot!(text, @r#"{"records":[{"key":"thing/a","state":"made","identity":{"name":"a"},"instance":"i1","outputs":{"arn":"arn:a:i1"},"needs":["thing/b"],"spec":"value 1"}]}"#);
    assert_eq!(serde_json::from_str::<resource_graph::Ledger>(&text).unwrap(), ledger);
}
