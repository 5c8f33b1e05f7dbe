//! Refresh: every part is looked at at once, and what differs stands in the part's `state`. Computed attributes
//! and ledger follow what was seen of what is ours. Read never heals: `status` and `generation` are left alone,
//! only create and update may clear them.

use std::collections::BTreeMap;
use std::time::Duration;

use resource_graph::{
    Ledger, Observation, PartKey, PartView, RecordState, Unclaimed, diff, may_be_made_anew,
};
use terraform_plugin::prelude::*;

use super::computed;
use super::keys::control_plane;
use super::model::{PartState, ProductionCluster};
use super::outline::outline;
use super::private::Private;
use super::report::headline;
use super::run::Run;
use super::state::READY;
use super::{ProductionClusterResource, identity_of_model};
use crate::config::Unavailable;
use crate::errors;

/// How long a refresh may take when `timeouts` says nothing.
const DEFAULT_LIMIT: Duration = Duration::from_secs(10 * 60);

pub async fn read(
    resource: &ProductionClusterResource,
    request: ReadRequest<ProductionCluster>,
) -> ReadResponse<ProductionCluster> {
    let ReadRequest { state, private, stop } = request;
    let identity = identity_of_model(&state);
    let recorded = Private::ledger_in(&private);
    if let (Some(identity), Some(ledger)) = (&identity, &recorded) {
        resource.memory.recall().read.insert(identity.clone(), ledger.clone());
    }
    let limit = state.timeouts.known().map_or(DEFAULT_LIMIT, |timeouts| timeouts.read_or(DEFAULT_LIMIT));
    let outcome = tokio::select! {
        biased;
        () = stop.cancelled() => Err("The run was interrupted.".to_owned()),
        () = tokio::time::sleep(limit) => Err("The time was over; timeouts.read allows for more.".to_owned()),
        outcome = refreshed(resource, &state, recorded) => outcome,
    };
    match outcome {
        Ok(Some((new_state, ledger))) => {
            if let Some(identity) = identity {
                resource.memory.recall().read.insert(identity, ledger.clone());
            }
            ReadResponse {
                state: Some(new_state.0),
                private: Private::of_state(&ledger),
                diagnostics: new_state.1,
            }
        }
        Ok(None) => ReadResponse { state: None, private, diagnostics: Diagnostics::new() },
        // What cannot be reached has not gone: the state stays, with a warning.
        Err(unreachable) => {
            let mut diagnostics = Diagnostics::new();
            diagnostics.warning(
                headline("The cluster could not be looked at", errors::NO_ANSWER),
                format!("{unreachable}\n\nThe state is kept as it was."),
            );
            ReadResponse { state: Some(state), private, diagnostics }
        }
    }
}

type Refreshed = ((ProductionCluster, Diagnostics), Ledger);

async fn refreshed(
    resource: &ProductionClusterResource,
    prior: &ProductionCluster,
    recorded: Option<Ledger>,
) -> Result<Option<Refreshed>, String> {
    let run = match resource.connection.aws(prior.region.text()).await {
        Err(Unavailable::NotKnownYet) => return Err("The provider block is not known yet.".to_owned()),
        Err(Unavailable::Wrong { detail, .. }) => return Err(detail),
        Ok(_) => Run::on(resource, prior).await.map_err(|diagnostics| text(&diagnostics))?,
    };
    let mut ledger = match recorded {
        Some(ledger) => ledger,
        None => rebuilt(&run, prior).await?,
    };
    let generation = prior.generation.text().unwrap_or_default();
    let stages = run.stages(prior, generation).map_err(|diagnostics| text(&diagnostics))?;
    let observations = run.observe(&stages, &ledger).await;
    let failures: Vec<String> =
        observations.failures().map(|(key, failure)| format!("{key}: {failure}")).collect();
    let plan = diff(&stages, &ledger, &observations, &[], Unclaimed::Report);
    let views = plan.explain();
    let gone = |key: &PartKey| matches!(observations.get(key), Some(Observation::Absent));
    let nothing_left = failures.is_empty()
        && ledger.records.iter().all(|record| gone(&record.key) || record.key == interfaces())
        && gone(&control_plane());
    if nothing_left {
        return Ok(None);
    }
    let mut diagnostics = Diagnostics::new();
    if !failures.is_empty() {
        diagnostics.warning(
            headline("Some parts could not be looked at", errors::NO_ANSWER),
            format!("{}\n\nTheir state is kept as it was.", failures.join("\n")),
        );
    }
    let only_moves = |key: &PartKey| {
        let settled = ledger.get(key).is_some_and(|record| record.state == RecordState::Settled);
        let busy = matches!(observations.get(key), Some(Observation::Busy { .. }));
        // What goes away does not come back by itself.
        settled && busy && !views.get(key).is_some_and(|view| may_be_made_anew(&view.state))
    };
    let unseen = |key: &PartKey| observations.failures().any(|(failed, _)| failed == key);
    let mut new_state = prior.clone();
    new_state.parts = Field::Known(parts(prior, &views, |key| only_moves(key) || unseen(key)));
    ledger.learn(plan.seen());
    computed::refresh(&mut new_state, &ledger, |key| plan.seen().contains_key(key));
    Ok(Some(((new_state, diagnostics), ledger)))
}

/// Parts with the text of the state before; their state as it is now, unless it only moves or was not seen.
fn parts(
    prior: &ProductionCluster,
    views: &BTreeMap<PartKey, PartView>,
    keep: impl Fn(&PartKey) -> bool,
) -> Map<PartState> {
    let before = prior.parts.known();
    let part = |(key, view): (&PartKey, &PartView)| {
        let before = before.and_then(|before| before.known_at(key.as_str()));
        let state =
            before.filter(|_| keep(key)).and_then(|before| before.state.text()).unwrap_or(&view.state);
        let spec = before.and_then(|before| before.spec.text()).unwrap_or(&view.spec);
        (key.as_str().to_owned(), PartState { spec: spec.into(), state: state.into() })
    };
    views.iter().map(part).collect()
}

/// The ledger found again from what carries our mark. Of a ready cluster everything has settled as its state
/// says.
pub async fn rebuilt(run: &Run, model: &ProductionCluster) -> Result<Ledger, String> {
    let found = run.family.find(&run.aws).await.map_err(|failure| failure.message)?;
    let mut ledger = found.ledger();
    if model.status.text() == Some(READY) {
        settle(&mut ledger, model);
    }
    Ok(ledger)
}

/// Marks records as settled with the texts of a model.
pub fn settle(ledger: &mut Ledger, model: &ProductionCluster) {
    let outline = outline(model).unwrap_or_default();
    for record in ledger.records.iter_mut().filter(|record| record.state == RecordState::Made) {
        if let Some(spec) = outline.get(&record.key).cloned().flatten() {
            record.state = RecordState::Settled;
            record.spec = spec;
        }
    }
}

fn interfaces() -> PartKey {
    PartKey::new(crate::parts::network_interfaces::KIND, "")
}

fn text(diagnostics: &Diagnostics) -> String {
    let texts: Vec<String> = diagnostics.iter().map(|d| format!("{}: {}", d.summary, d.detail)).collect();
    texts.join("\n")
}
