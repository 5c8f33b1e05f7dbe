//! State from a plan and what the engine reports.

use std::collections::BTreeMap;

use resource_graph::{Ledger, PartKey, PartView};
use terraform_plugin::{Field, Map};

use super::computed;
use super::model::{PartState, ProductionCluster};

/// Values of `status`.
pub const READY: &str = "ready";
/// Until the create has finished.
pub const INCOMPLETE: &str = "incomplete";
/// After an update that did not finish.
pub const DEGRADED: &str = "degraded";

/// How a run left the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    pub status: &'a str,
    pub generation: &'a str,
}

/// The planned values, with what was unknown filled in from the ledger. Known planned values stay: core
/// compares them.
pub fn compose(
    planned: &ProductionCluster,
    ledger: &Ledger,
    views: &BTreeMap<PartKey, PartView>,
    outcome: Outcome<'_>,
) -> ProductionCluster {
    let mut state = planned.clone();
    computed::fill(&mut state, ledger);
    // A plan that changes no part keeps the status known; a run that fails all the same says so, which core
    // accepts beside its error.
    state.status = outcome.status.into();
    fill(&mut state.generation, Some(outcome.generation.to_owned()));
    fill(&mut state.region, None);
    fill(&mut state.log_group_name, None);
    fill(&mut state.tags_all, None);
    state.parts = parts(&planned.parts, views);
    state
}

/// Parts as the engine sees them, where the plan does not say otherwise.
fn parts(planned: &Field<Map<PartState>>, views: &BTreeMap<PartKey, PartView>) -> Field<Map<PartState>> {
    let planned = planned.known();
    let part = |(key, view): (&PartKey, &PartView)| {
        let mut part = planned
            .and_then(|planned| planned.known_at(key.as_str()))
            .cloned()
            .unwrap_or(PartState { spec: Field::Unknown, state: Field::Unknown });
        fill(&mut part.spec, Some(view.spec.clone()));
        fill(&mut part.state, Some(view.state.clone()));
        (key.as_str().to_owned(), part)
    };
    Field::Known(views.iter().map(part).collect())
}

fn fill<T>(field: &mut Field<T>, value: Option<T>) {
    if field.is_unknown() {
        *field = value.into();
    }
}

/// True when the text of a part says that all is well: AWS's own words (`ready`, a version) rather than a
/// verdict (`absent`, `drifted: …`).
pub fn is_settled(state: &str) -> bool {
    state != "absent" && !state.contains(':')
}
