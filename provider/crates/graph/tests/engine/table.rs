//! Every row of the table of the diff.

use std::time::Duration;

use resource_graph::{
    Failure, Graph, Identity, Ledger, Outputs, Owner, Record, RecordState, Stages, Step, Unclaimed, diff,
    observe,
};
use tokio::time::Instant;

use crate::{
    bench::{Bench, add, key},
    world::{Thing, Things, World},
};

#[derive(Clone, Copy, Debug)]
enum Recorded {
    No,
    Intended,
    Made,
    Settled,
    Retired,
    /// Settled, and another object was recorded.
    Another,
}

#[derive(Clone, Copy, Debug)]
enum There {
    Absent,
    Same,
    Differs,
    Fixed,
    Busy,
    Unmarked,
    Foreign,
    Unseen,
}

/// One part `a` wanted with the value `1`, or not wanted.
async fn step_of(wanted: Option<Thing>, recorded: Recorded, there: There) -> (Option<Step>, Option<String>) {
    let bench = Bench::new();
    if !matches!(there, There::Absent) {
        bench.world.put("a", Owner::Ours, "1");
    }
    match there {
        There::Absent | There::Same => {}
        There::Differs => bench.world.change("a", |object| object.settings.value = "2".to_owned()),
        There::Fixed => bench.world.change("a", |object| object.settings.fixed = "x".to_owned()),
        There::Busy => bench
            .world
            .change("a", |object| object.busy = Some(("CREATING", Instant::now() + Duration::from_secs(60)))),
        There::Unmarked => bench.world.change("a", |object| object.owner = Owner::Nobody),
        There::Foreign => bench.world.change("a", |object| object.owner = Owner::Other("team-b".to_owned())),
        There::Unseen => {
            bench.world.state().unseen.insert("a".to_owned());
        }
    }
    let mut ledger = Ledger::default();
    let record = |state, instance: Option<&str>| Record {
        key: key("a"),
        state,
        identity: Identity::new([("name", "a")]),
        instance: instance.map(str::to_owned),
        outputs: Outputs::default(),
        needs: Vec::new(),
        spec: if state == RecordState::Intended { String::new() } else { "value 1".to_owned() },
    };
    match recorded {
        Recorded::No => {}
        Recorded::Intended => ledger.records.push(record(RecordState::Intended, None)),
        Recorded::Made => ledger.records.push(record(RecordState::Made, Some("i1"))),
        Recorded::Settled => ledger.records.push(record(RecordState::Settled, Some("i1"))),
        Recorded::Retired => ledger.records.push(record(RecordState::Retired, Some("i1"))),
        Recorded::Another => ledger.records.push(record(RecordState::Settled, Some("i0"))),
    }
    let mut graph = Graph::new();
    if let Some(thing) = wanted {
        add(&mut graph, thing, &[]);
    }
    let stages = Stages::from(graph);
    let observations = observe(&bench.world, &Things, &stages, &ledger, &bench.settings).await;
    let plan = diff(&stages, &ledger, &observations, &[], Unclaimed::Delete);
    let state = plan.explain().get(&key("a")).map(|view| view.state.clone());
    (plan.steps().next().map(|(_, step)| step.clone()), state)
}

#[tokio::test(start_paused = true)]
async fn a_part_in_the_graph() {
    use Recorded::{Another, Intended, Made, No, Settled};
    let taken = "foreign: not marked as ours";
    let owned = "foreign: owned by team-b";
    let unknown = "unknown: throttled";
    let rows: [(Recorded, There, &str, &str); 40] = [
        (No, There::Absent, "create", "absent"),
        (Intended, There::Absent, "create", "absent"),
        (Made, There::Absent, "create", "absent"),
        (Settled, There::Absent, "create", "absent"),
        (Another, There::Absent, "create", "absent"),
        (No, There::Same, "adopt", "pending: found, not recorded yet"),
        (Intended, There::Same, "adopt", "pending: found, not recorded yet"),
        (Another, There::Same, "adopt", "pending: found, not recorded yet"),
        (Made, There::Same, "settle", "pending: not settled yet"),
        (Settled, There::Same, "keep", "ready"),
        (
            No,
            There::Differs,
            "adopt, then: set value to 1",
            "pending: found, not recorded yet; set value to 1",
        ),
        (
            Intended,
            There::Differs,
            "adopt, then: set value to 1",
            "pending: found, not recorded yet; set value to 1",
        ),
        (
            Another,
            There::Differs,
            "adopt, then: set value to 1",
            "pending: found, not recorded yet; set value to 1",
        ),
        (Made, There::Differs, "update: set value to 1", "pending: set value to 1"),
        (Settled, There::Differs, "update: set value to 1", "drifted: set value to 1"),
        (No, There::Fixed, "replace: fixed becomes ", "replace: fixed becomes "),
        (Intended, There::Fixed, "replace: fixed becomes ", "replace: fixed becomes "),
        (Another, There::Fixed, "replace: fixed becomes ", "replace: fixed becomes "),
        (Made, There::Fixed, "replace: fixed becomes ", "replace: fixed becomes "),
        (Settled, There::Fixed, "replace: fixed becomes ", "replace: fixed becomes "),
        (No, There::Busy, "settle: creating", "busy: creating"),
        (Intended, There::Busy, "settle: creating", "busy: creating"),
        (Another, There::Busy, "settle: creating", "busy: creating"),
        (Made, There::Busy, "settle: creating", "busy: creating"),
        (Settled, There::Busy, "settle: creating", "busy: creating"),
        (No, There::Unmarked, "error", taken),
        (Intended, There::Unmarked, "error", taken),
        (Another, There::Unmarked, "error", taken),
        // The very object that was recorded: its mark comes back.
        (Made, There::Unmarked, "update: mark as ours", "pending: mark as ours"),
        (Settled, There::Unmarked, "update: mark as ours", "drifted: mark as ours"),
        (No, There::Foreign, "error", owned),
        (Intended, There::Foreign, "error", owned),
        (Another, There::Foreign, "error", owned),
        (Made, There::Foreign, "error", owned),
        (Settled, There::Foreign, "error", owned),
        (No, There::Unseen, "error", unknown),
        (Intended, There::Unseen, "error", unknown),
        (Another, There::Unseen, "error", unknown),
        (Made, There::Unseen, "error", unknown),
        (Settled, There::Unseen, "error", unknown),
    ];
    for (recorded, there, expected, expected_state) in rows {
        let (step, state) = step_of(Some(Thing::new("a", "1")), recorded, there).await;
        let text = match step.unwrap() {
            Step::Error { .. } => "error".to_owned(),
            step => step.to_string(),
        };
        assert_eq!(
            (text.as_str(), state.as_deref()),
            (expected, Some(expected_state)),
            "{recorded:?} {there:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn outputs_are_seen_of_what_is_there_and_ours() {
    let mut bench = Bench::new();
    let names = ["same", "drifted", "fixed", "foreign", "busy", "absent"];
    let mut graph = Graph::new();
    for name in names {
        add(&mut graph, Thing { impossible: true, ..Thing::new(name, "1") }, &[]);
    }
    let stages = Stages::from(graph);
    bench.converge(&stages).await;
    bench.world.change("drifted", |object| object.settings.value = "2".to_owned());
    bench.world.change("fixed", |object| object.settings.fixed = "x".to_owned());
    bench.world.change("foreign", |object| object.owner = Owner::Other("team-b".to_owned()));
    let busy = Some(("UPDATING", Instant::now() + Duration::from_secs(60)));
    bench.world.change("busy", |object| object.busy = busy);
    bench.world.state().objects.remove("absent");
    for object in bench.world.state().objects.values_mut() {
        object.instance = format!("{}-again", object.instance);
    }
    let plan = bench.plan(&stages).await;
    let seen: Vec<&str> = plan.seen().keys().map(|key| key.name()).collect();
    assert_eq!(seen, ["drifted", "fixed", "same"]);
    let before = bench.ledger.clone();
    bench.ledger.learn(plan.seen());
    for name in names {
        let (before, after) = (before.get(&key(name)).unwrap(), bench.ledger.get(&key(name)).unwrap());
        assert_eq!(before.outputs != after.outputs, seen.contains(&name), "{name}");
        assert_eq!((before.state, &before.instance), (after.state, &after.instance), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shared_part_is_taken_over_without_a_mark_only() {
    let shared = || Thing { shared: true, ..Thing::new("a", "1") };
    for recorded in [Recorded::No, Recorded::Intended, Recorded::Another] {
        let (step, _) = step_of(Some(shared()), recorded, There::Unmarked).await;
        assert_eq!(step.unwrap().to_string(), "adopt, then: mark as ours", "{recorded:?}");
        let (step, state) = step_of(Some(shared()), recorded, There::Foreign).await;
        assert!(matches!(step, Some(Step::Error { .. })), "{recorded:?}");
        assert_eq!(state.as_deref(), Some("foreign: owned by team-b"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_can_neither_change_nor_be_replaced() {
    let part = Thing { impossible: true, ..Thing::new("a", "1") };
    let (step, state) = step_of(Some(part), Recorded::Settled, There::Fixed).await;
    let failure = Failure::refused("fixed cannot be changed");
    assert_eq!(step, Some(Step::Error { state: state.unwrap(), failure }));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_in_the_graph() {
    use Recorded::{Another, Intended, Made, Retired, Settled};
    let rows = [
        (There::Absent, "forget", "forget"),
        (There::Same, "delete", "delete"),
        (There::Differs, "delete", "delete"),
        (There::Busy, "delete", "delete"),
        (There::Unmarked, "delete", "warning"),
        (There::Foreign, "warning", "warning"),
        (There::Unseen, "error", "error"),
    ];
    for (there, same_object, other_object) in rows {
        for recorded in [Intended, Made, Settled, Retired, Another] {
            let (step, _) = step_of(None, recorded, there).await;
            let text = match step.unwrap() {
                Step::Error { .. } => "error".to_owned(),
                Step::Forget { warning: Some(_) } => "warning".to_owned(),
                step => step.to_string(),
            };
            let expected = if matches!(recorded, Intended | Another) { other_object } else { same_object };
            assert_eq!(text, expected, "{recorded:?} {there:?}");
        }
    }
    assert_eq!(step_of(None, Recorded::No, There::Same).await, (None, None));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_claims_is_deleted_or_reported() {
    let bench = Bench::new();
    bench.world.put("a", Owner::Ours, "1");
    bench.world.put("b", Owner::Ours, "1");
    let mut graph = Graph::new();
    add(&mut graph, Thing::new("a", "1"), &[]);
    let stages = Stages::from(graph);
    let observations = bench.observe(&stages).await;
    let discovered = resource_graph::Catalogue::<World>::discover(&Things, &bench.world).await.unwrap();
    let plan = diff(&stages, &bench.ledger, &observations, &discovered, Unclaimed::Delete);
    insta::assert_snapshot!(plan, @r"
    thing/a: adopt
    thing/b (name b): delete
    ");
    let plan = diff(&stages, &bench.ledger, &observations, &discovered, Unclaimed::Report);
    insta::assert_snapshot!(plan, @r"
    thing/a: adopt
    warning: thing/b (name b) carries our mark, but nothing here claims it
    ");
}

#[tokio::test(start_paused = true)]
async fn a_kind_nobody_knows_is_an_error_and_is_not_forgotten() {
    let mut bench = Bench::new();
    bench.ledger.records.push(Record {
        key: resource_graph::PartKey::new("gadget", "x"),
        state: RecordState::Settled,
        identity: Identity::new([("name", "x")]),
        instance: None,
        outputs: Outputs::default(),
        needs: vec![key("a")],
        spec: String::new(),
    });
    let mut graph = Graph::new();
    add(&mut graph, Thing::new("a", "1"), &[]);
    bench.apply(&Stages::from(graph)).await;
    let report = bench.apply(&Stages::from(Graph::new())).await;
    assert_eq!(report.failures.len(), 1);
    assert!(report.failures[0].failure.message.contains("use the version that made it"));
    // What it needs stays, too.
    assert_eq!(report.blocked, [key("a")]);
    assert_eq!(report.ledger.records.len(), 2);
    assert!(bench.world.state().objects.contains_key("a"));
}

#[tokio::test(start_paused = true)]
async fn the_plan_as_people_read_it() {
    let mut bench = Bench::new();
    let stages = |value: &str, fixed: &str| {
        let mut graph = Graph::new();
        let key = add(&mut graph, Thing::new("key", "1"), &[]);
        let renamed = Thing { fixed: fixed.to_owned(), renamed: true, ..Thing::new("nodes", "1") };
        let nodes = add(&mut graph, renamed, &[&key]);
        add(&mut graph, Thing::new("addon", value), &[&nodes]);
        add(&mut graph, Thing::new("log", "1"), &[]);
        Stages::from(graph)
    };
    bench.converge(&stages("1", "x")).await;
    bench.world.change("log", |object| object.settings.value = "9".to_owned());
    bench.world.put("old", Owner::Ours, "1");
    let plan = bench.plan(&stages("2", "y")).await;
    insta::assert_snapshot!(plan, @r"
    thing/nodes: replace, the new one first: fixed becomes y
    thing/addon: update: set value to 2
    thing/log: update: set value to 1
    thing/old (name old): delete
    ");
    let views: Vec<String> = plan
        .explain()
        .into_iter()
        .map(|(key, view)| format!("{key}: {}: {} ({})", view.spec, view.state, view.touched))
        .collect();
    insta::assert_snapshot!(views.join("\n"), @r"
    thing/addon: value 2: pending: still value 1 (true)
    thing/key: value 1: ready (false)
    thing/log: value 1: drifted: set value to 1 (true)
    thing/nodes: value 1: replace: fixed becomes y (true)
    ");
}
