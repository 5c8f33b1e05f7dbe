//! Random graphs, random worlds, random faults: everything converges, and nothing foreign is touched.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use resource_graph::{Graph, Handle, Owner, Stages};

use crate::{
    bench::{Bench, add_with},
    faults::{FAULTS, Restart, disturb},
    world::{Fault, Thing, World},
};

const MOST: usize = 7;

#[derive(Debug, Clone)]
struct Shape {
    wanted: bool,
    value: u8,
    fixed: u8,
    references: BTreeSet<usize>,
    any: BTreeSet<usize>,
    lane: Option<u8>,
    late_value: bool,
}

/// What happened to the world between two runs.
#[derive(Debug, Clone)]
enum Drift {
    Nothing,
    Value,
    Unmarked,
    Deleted,
    Busy,
    Leaving,
}

fn shape(index: usize) -> impl Strategy<Value = Shape> {
    let earlier = || proptest::collection::btree_set(0..index.max(1), 0..3);
    let lane = proptest::option::of(0..2u8);
    (any::<bool>(), 0..3u8, 0..2u8, earlier(), earlier(), lane, any::<bool>()).prop_map(
        move |(unwanted, value, fixed, references, any, lane, late_value)| Shape {
            wanted: !(unwanted && value == 0),
            value,
            fixed,
            references: references.into_iter().filter(|other| *other < index).collect(),
            any: any.into_iter().filter(|other| *other < index).collect(),
            lane,
            late_value,
        },
    )
}

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    (0..MOST).map(shape).collect::<Vec<_>>()
}

fn drifts() -> impl Strategy<Value = Vec<Drift>> {
    let drift = prop_oneof![
        4 => Just(Drift::Nothing),
        1 => Just(Drift::Value),
        1 => Just(Drift::Unmarked),
        1 => Just(Drift::Deleted),
        1 => Just(Drift::Busy),
        1 => Just(Drift::Leaving),
    ];
    proptest::collection::vec(drift, MOST)
}

/// Even parts are replaced under another name, which follows what is fixed or takes turns; odd ones under
/// their own, so nothing may refer to them.
fn stages(shapes: &[Shape]) -> Stages<World> {
    let mut graph = Graph::new();
    let mut handles: Vec<Option<Handle<Thing>>> = Vec::new();
    for (index, shape) in shapes.iter().enumerate() {
        if !shape.wanted {
            handles.push(None);
            continue;
        }
        let thing = Thing {
            fixed: shape.fixed.to_string(),
            renamed: index % 4 == 0,
            alternates: index % 4 == 2,
            late_value: shape.late_value,
            lane: shape.lane.map(|lane| lane.to_string()),
            ..Thing::new(&format!("p{index}"), &shape.value.to_string())
        };
        let even = shape.references.iter().filter(|other| *other % 2 == 0);
        let references: Vec<&Handle<Thing>> = even.filter_map(|other| handles[*other].as_ref()).collect();
        let any: Vec<Handle<()>> =
            shape.any.iter().filter_map(|other| Some(handles[*other].as_ref()?.any())).collect();
        let handle = add_with(&mut graph, thing, &references, |needs| needs.after_any(&any));
        handles.push(Some(handle));
    }
    Stages::from(graph)
}

fn drift(bench: &Bench, drifts: &[Drift]) {
    let names: Vec<String> = bench.world.state().objects.keys().cloned().collect();
    for (name, drift) in names.iter().filter(|name| name.starts_with('p')).zip(drifts) {
        let until = tokio::time::Instant::now() + Duration::from_secs(45);
        match drift {
            Drift::Nothing => {}
            Drift::Value => bench.world.change(name, |object| object.settings.value = "drifted".to_owned()),
            Drift::Unmarked => bench.world.change(name, |object| object.owner = Owner::Nobody),
            Drift::Deleted => {
                bench.world.state().objects.remove(name);
            }
            Drift::Busy => bench.world.change(name, |object| object.busy = Some(("UPDATING", until))),
            Drift::Leaving => bench.world.change(name, |object| object.busy = Some(("DELETING", until))),
        }
    }
}

fn run(work: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work);
}

fn foreign(bench: &Bench) {
    bench.world.put("foreign", Owner::Other("team-b".to_owned()), "7");
    bench.world.put("nobody", Owner::Nobody, "7");
}

fn assert_foreign_untouched(bench: &Bench) {
    let state = bench.world.state();
    assert_eq!(
        (&state.objects["foreign"].settings.value, &state.objects["nobody"].settings.value),
        (&"7".into(), &"7".into())
    );
    assert!(state.log.iter().all(|(_, call)| !call.ends_with("foreign") && !call.ends_with("nobody")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_converges(first in shapes(), second in shapes(), drifts in drifts()) {
        run(async {
            let mut bench = Bench::new();
            foreign(&bench);
            bench.converge(&stages(&first)).await;
            assert_eq!(bench.world.state().overlaps, 0);
            drift(&bench, &drifts);
            bench.converge(&stages(&second)).await;
            bench.converge(&Stages::from(Graph::new())).await;
            assert_foreign_untouched(&bench);
            assert_eq!(bench.world.state().objects.len(), 2);
        });
    }

    #[test]
    fn everything_converges_after_any_faults(
        first in shapes(),
        second in shapes(),
        rounds in proptest::collection::vec(round(), 1..4),
    ) {
        run(async {
            let mut bench = Bench::new();
            foreign(&bench);
            for round in &rounds {
                let to = if round.to_second { &second } else { &first };
                disturb(&mut bench, &stages(to), &round.faults, round.restart).await;
                drift(&bench, &round.drifts);
            }
            bench.converge(&stages(&second)).await;
            assert_foreign_untouched(&bench);
        });
    }
}

/// One disturbed run.
#[derive(Debug, Clone)]
struct Round {
    to_second: bool,
    faults: Vec<(usize, Fault)>,
    restart: Restart,
    drifts: Vec<Drift>,
}

fn round() -> impl Strategy<Value = Round> {
    let fault = proptest::sample::select(FAULTS.to_vec());
    let faults = proptest::collection::vec((0..12usize, fault), 1..4);
    let restart = prop_oneof![Just(Restart::OldLedger), Just(Restart::Checkpoint), Just(Restart::NoLedger)];
    (any::<bool>(), faults, restart, drifts()).prop_map(|(to_second, faults, restart, mut drifts)| {
        // Without its mark and without its record nothing is ours.
        drifts.retain(|drift| !matches!(drift, Drift::Unmarked));
        Round { to_second, faults, restart, drifts }
    })
}
