//! Plans. Known planned values come from configuration, state before and ledger only; what is looked up only
//! makes errors and warnings.

use std::collections::BTreeSet;

use resource_graph::{Ledger, PartKey, may_be_made_anew};
use terraform_plugin::prelude::*;

use super::keys::Outline;
use super::known::texts;
use super::model::{PartState, ProductionCluster};
use super::outline::outline;
use super::private::{Private, ResumeOf};
use super::protection;
use super::report::headline;
use super::settings::Settings;
use super::state::{INCOMPLETE, READY, is_settled};
use super::{
    ProductionClusterResource, computed, differing, fixed, identity_of, identity_of_model, log_group_name,
    lookup, validate,
};
use crate::errors;

/// True when something is left to do although configuration and state agree.
pub fn is_unsettled(prior: &ProductionCluster) -> bool {
    let part_unsettled = |part: &PartState| part.state.text().is_none_or(|state| !is_settled(state));
    prior.status.text() != Some(READY)
        || prior.parts.known().is_none_or(|parts| parts.known().any(|(_, part)| part_unsettled(part)))
}

pub async fn plan(
    resource: &ProductionClusterResource,
    request: PlanRequest<'_, ProductionCluster>,
) -> PlanResponse {
    let mut response = PlanResponse::default();
    validate::check(request.config, &mut response.diagnostics);
    response.diagnostics = std::mem::take(&mut response.diagnostics).errors_only();
    let planned = request.planned;
    resolve(resource, request.config, request.prior, planned).await;
    lookup::judge(resource, planned, request.prior, &mut response.diagnostics).await;
    let outline = outline(request.config);
    match request.prior {
        None => {
            validate::check_create(request.config, &mut response.diagnostics);
            let before = Private::parse(request.prior_private);
            plan_create(resource, planned, outline.as_ref(), before, &mut response);
        }
        Some(prior) => {
            let ledger = Private::ledger_in(request.prior_private);
            fixed::judge(prior, planned, ledger.as_ref().unwrap_or(&Ledger::default()), &mut response);
            // Default tags of the provider block are no argument of the resource: only here they show.
            let changed = request.changed || planned.tags_all != prior.tags_all;
            plan_update(prior, planned, outline.as_ref(), changed);
            response.private = Private { ledger, ..Private::default() }.bytes();
        }
    }
    response
}

/// What configuration and provider block decide.
async fn resolve(
    resource: &ProductionClusterResource,
    config: &ProductionCluster,
    prior: Option<&ProductionCluster>,
    planned: &mut ProductionCluster,
) {
    if config.region.is_null() {
        // The region of a cluster that exists does not follow the provider's silently: a change of it is a
        // change of the cluster, and refused as one.
        let provider = resource.connection.region().await.map_or(Field::Unknown, Field::Known);
        planned.region = match (prior, provider) {
            (Some(prior), Field::Unknown) => prior.region.clone(),
            (_, region) => region,
        };
    }
    planned.tags_all = match (resource.connection.default_tags(), texts(&config.tags)) {
        (Some(mut tags), Some(own)) => {
            tags.extend(own.unwrap_or_default());
            Field::Known(tags.into_iter().collect())
        }
        _ => Field::Unknown,
    };
    planned.log_group_name = planned.name.text().map(log_group_name).map_or(Field::Unknown, Field::Known);
}

fn plan_create(
    resource: &ProductionClusterResource,
    planned: &mut ProductionCluster,
    outline: Option<&Outline>,
    before: Private,
    response: &mut PlanResponse,
) {
    planned.status = Field::Unknown;
    planned.generation = Field::Unknown;
    planned.parts = parts(outline, |_| Field::Unknown);
    computed::renew(planned, None, outline, |_| true, true);
    let identity = identity_of_model(planned);
    let remembered = identity.as_ref().map(|identity| {
        let memory = resource.memory.recall();
        (memory.loaded.get(identity).cloned(), memory.read.get(identity).cloned())
    });
    let (loaded, ledger) = remembered.unwrap_or_default();
    response.private = Private {
        ledger: ledger.or(before.ledger),
        resume_of: Some(identity.clone().map_or(ResumeOf::Unknown, ResumeOf::Known)),
    }
    .bytes();
    let (Some(identity), Some(loaded)) = (identity, loaded) else { return };
    if protection::is_on(&loaded) {
        protection::refuse(&mut response.diagnostics, &identity, "replaces");
    } else if loaded.status.text() == Some(INCOMPLETE) {
        response.diagnostics.warning(
            headline("This replacement continues an unfinished create", errors::CREATE_INCOMPLETE),
            format!(
                "The cluster {identity} exists in part. Terraform shows a replacement; nothing is deleted; the create \
                 continues with what exists."
            ),
        );
    }
}

fn plan_update(
    prior: &ProductionCluster,
    planned: &mut ProductionCluster,
    outline: Option<&Outline>,
    changed: bool,
) {
    if !changed {
        return;
    }
    let touched = touched(prior, planned, outline);
    let before = prior.parts.known();
    planned.parts = parts(outline, |key| {
        let kept = before.and_then(|before| before.known_at(key)).filter(|_| !touched.everything);
        kept.filter(|_| !touched.parts.contains(key)).map_or(Field::Unknown, |part| part.state.clone())
    });
    let unfinished = prior.status.text() != Some(READY);
    if !touched.is_empty() || unfinished {
        planned.status = Field::Unknown;
    }
    let anew = |key: &PartKey| touched.everything || touched.anew.contains(key.as_str());
    computed::renew(planned, Some(prior), outline, anew, touched.everything || touched.addons);
    // After `untaint` AWS may carry another generation than the state.
    let incomplete = prior.status.text() == Some(INCOMPLETE);
    planned.generation = if incomplete { Field::Unknown } else { prior.generation.clone() };
}

/// Which parts an update touches.
#[derive(Default)]
struct Touched {
    everything: bool,
    parts: BTreeSet<String>,
    /// Those of them that are made anew.
    anew: BTreeSet<String>,
    /// Some add-on may get another version.
    addons: bool,
}

impl Touched {
    fn is_empty(&self) -> bool {
        !self.everything && self.parts.is_empty()
    }
}

fn touched(prior: &ProductionCluster, planned: &ProductionCluster, outline: Option<&Outline>) -> Touched {
    let mut touched = Touched::default();
    let (Some(outline), Some(old), Some(new)) = (outline, Settings::of(prior), Settings::of(planned)) else {
        return Touched { everything: true, ..touched };
    };
    for (key, part) in prior.parts.known().into_iter().flat_map(|parts| parts.known()) {
        let state = part.state.text().unwrap_or("absent");
        if !is_settled(state) {
            touched.parts.insert(key.to_owned());
            if may_be_made_anew(state) {
                touched.anew.insert(key.to_owned());
            }
            touched.addons |= key.starts_with("addon/");
        }
    }
    let versions = |settings: &Settings| -> Vec<(String, Option<String>)> {
        settings.addons.iter().map(|(name, addon)| (name.clone(), addon.version.clone())).collect()
    };
    touched.addons |= versions(&old) != versions(&new);
    let before = self::outline(prior).unwrap_or_default();
    let (old, new) = (differing::graph(&old, &before), differing::graph(&new, outline));
    touched.parts.extend(differing::keys(&old, &new).map(|key| key.as_str().to_owned()));
    // What stands on a part that gets another id may have to change with it.
    let anew: Vec<PartKey> = touched.anew.iter().map(|key| PartKey::parse(key)).collect();
    let users = anew.iter().flat_map(|key| new.users_of(key));
    touched.parts.extend(users.map(|key| key.as_str().to_owned()));
    touched
}

fn parts(outline: Option<&Outline>, state: impl Fn(&str) -> Field<String>) -> Field<Map<PartState>> {
    let Some(outline) = outline else { return Field::Unknown };
    let part = |(key, spec): (&PartKey, &Option<String>)| {
        let spec = spec.clone().map_or(Field::Unknown, Field::Known);
        (key.as_str().to_owned(), PartState { spec, state: state(key.as_str()) })
    };
    Field::Known(outline.iter().map(part).collect())
}

pub fn plan_destroy(
    resource: &ProductionClusterResource,
    prior: &ProductionCluster,
    prior_private: &[u8],
) -> DestroyPlan {
    let mut plan = DestroyPlan::default();
    let identity =
        identity_of(prior.region.text().unwrap_or_default(), prior.name.text().unwrap_or_default());
    if protection::is_on(prior) {
        protection::refuse(&mut plan.diagnostics, &identity, "destroys");
    }
    let generation = prior.generation.text().unwrap_or_default().to_owned();
    resource.memory.recall().planned_destroys.insert((identity, generation));
    plan.private = Private { ledger: Private::ledger_in(prior_private), ..Private::default() }.bytes();
    plan
}
