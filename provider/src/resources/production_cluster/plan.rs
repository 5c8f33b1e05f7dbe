//! Plans. Known planned values come from configuration, state before and ledger only; nothing is looked up.

use std::collections::BTreeSet;

use resource_graph::{PartKey, may_be_made_anew};
use terraform_plugin::prelude::*;

use super::computed;
use super::memory::Identity;
use super::model::{Encryption, Logging, PartState, ProductionCluster};
use super::outline::{Outline, control_plane, outline};
use super::private::{Private, ResumeOf};
use super::report::headline;
use super::settings::{Settings, texts, value};
use super::state::{INCOMPLETE, READY, is_settled};
use super::{ProductionClusterResource, identity_of, identity_of_model, log_group_name, validate};
use crate::aws::Location;
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
    let outline = outline(request.config);
    match request.prior {
        None => {
            let before = Private::parse(request.prior_private);
            plan_create(resource, planned, outline.as_ref(), before, &mut response);
        }
        Some(prior) => {
            immutable(prior, planned, &mut response);
            // Default tags of the provider block are no argument of the resource: only here they show.
            let changed = request.changed || planned.tags_all != prior.tags_all;
            plan_update(prior, planned, outline.as_ref(), changed);
            response.private =
                Private { ledger: Private::ledger_in(request.prior_private), ..Private::default() }.bytes();
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
    computed::renew(planned, None, |_| true, true);
    let identity = identity_of_model(planned);
    let remembered = identity.as_ref().map(|identity| {
        let memory = resource.memory.recall();
        (memory.loaded.get(identity).cloned(), memory.read.get(identity).cloned())
    });
    let (loaded, ledger) = remembered.unwrap_or_default();
    response.private = Private {
        ledger: ledger.or(before.ledger),
        resume_of: Some(identity.clone().map_or(ResumeOf::Unknown, ResumeOf::Known)),
        destroy_of: None,
    }
    .bytes();
    let (Some(identity), Some(loaded)) = (identity, loaded) else { return };
    if is_protected(&loaded) {
        response.diagnostics.push_protected(&identity, "replaces");
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
    computed::renew(planned, Some(prior), anew, touched.everything || touched.addons);
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
    touched.parts.extend(differing::keys(&expanded(&old, &before), &expanded(&new, outline)));
    touched
}

use differing::expanded;

/// Which parts differ between two expansions, both made for the same imaginary place: only what the
/// configuration decides is compared.
mod differing {
    use std::sync::Arc;

    use resource_graph::AnyPart;

    use super::super::expand::{Place, expand};
    use super::{Location, Outline, Settings};
    use crate::aws::Aws;

    /// The parts of a configuration.
    pub type Parts = Vec<Arc<dyn AnyPart<Aws>>>;

    /// Keys of the parts that are new, gone or other than before.
    pub fn keys(old: &Parts, new: &Parts) -> Vec<String> {
        let same = |part: &Arc<dyn AnyPart<Aws>>| {
            old.iter().any(|other| other.key() == part.key() && other.equals(part.as_ref()))
        };
        let gone = old.iter().filter(|part| new.iter().all(|other| other.key() != part.key()));
        new.iter().filter(|part| !same(part)).chain(gone).map(|part| part.key().as_str().to_owned()).collect()
    }

    pub fn expanded(settings: &Settings, outline: &Outline) -> Parts {
        let nowhere = Place {
            location: Location {
                partition: "aws".to_owned(),
                account_id: "000000000000".to_owned(),
                region: String::new(),
            },
            iam_role_path: "/".to_owned(),
            permissions_boundary: None,
            generation: String::new(),
        };
        expand(settings, outline, &nowhere).parts().cloned().collect()
    }
}

fn parts(outline: Option<&Outline>, state: impl Fn(&str) -> Field<String>) -> Field<Map<PartState>> {
    let Some(outline) = outline else { return Field::Unknown };
    let part = |(key, spec): (&PartKey, &Option<String>)| {
        let spec = spec.clone().map_or(Field::Unknown, Field::Known);
        (key.as_str().to_owned(), PartState { spec, state: state(key.as_str()) })
    };
    Field::Known(outline.iter().map(part).collect())
}

/// What AWS never changes. A change of it destroys the cluster and is refused, unless that is allowed.
fn immutable(prior: &ProductionCluster, planned: &ProductionCluster, response: &mut PlanResponse) {
    let paths = ProductionCluster::at(&Path::root());
    let key = |model: &ProductionCluster| {
        value(&model.encryption).and_then(|encryption| value(&encryption.unwrap_or_default().kms_key_arn))
    };
    let class = |model: &ProductionCluster| {
        let class = value(&model.logging).and_then(|logging| value(&logging.unwrap_or_default().class))?;
        Some(class.unwrap_or_else(|| "STANDARD".to_owned()))
    };
    let differs = |old: &Field<String>, new: &Field<String>| !new.is_unknown() && old != new;
    let known_differ = |old: Option<Option<String>>, new: Option<Option<String>>| new.is_some() && old != new;
    let changes = [
        (differs(&prior.name, &planned.name), &paths.name),
        (differs(&prior.region, &planned.region), &paths.region),
        (known_differ(key(prior), key(planned)), &Encryption::at(&paths.encryption).kms_key_arn),
        (known_differ(class(prior).map(Some), class(planned).map(Some)), &Logging::at(&paths.logging).class),
    ];
    let allowed = planned.allow_replacement.known() == Some(&true);
    for path in changes.into_iter().filter_map(|(differs, path)| differs.then_some(path)) {
        if allowed {
            response.requires_replace.push(path.clone());
            continue;
        }
        response.diagnostics.error_at(
            path,
            headline("This argument cannot be changed", errors::IMMUTABLE),
            "AWS never changes it, so the cluster would be destroyed and another one made. Set it back; or, if that \
             is what you want, set allow_replacement = true.",
        );
    }
    let follows_aws = runs_already(prior, &planned.kubernetes_version);
    if differs(&prior.kubernetes_version, &planned.kubernetes_version) && !follows_aws {
        response.diagnostics.error_at(
            &paths.kubernetes_version,
            headline("This argument cannot be changed", errors::IMMUTABLE),
            "Upgrades of Kubernetes are not supported by this version of the provider. Set kubernetes_version back.",
        );
    }
    if !response.requires_replace.is_empty()
        && is_protected(prior)
        && let Some(identity) = identity_of_model(prior)
    {
        response.diagnostics.push_protected(&identity, "replaces");
    }
    explain_impossible(prior, follows_aws, response);
}

/// True when AWS runs the planned version already: at the end of support it upgrades a cluster by itself, and
/// the configuration has to follow.
fn runs_already(prior: &ProductionCluster, version: &Field<String>) -> bool {
    let parts = prior.parts.known();
    let state =
        parts.and_then(|parts| parts.known_at(control_plane().as_str())).and_then(|part| part.state.text());
    let advice = version.text().map(|version| format!("kubernetes_version = \"{version}\""));
    state.zip(advice).is_some_and(|(state, advice)| state.contains(&advice))
}

/// Parts that neither update nor replacement can mend: said in the plan, before anything is done.
fn explain_impossible(prior: &ProductionCluster, follows_aws: bool, response: &mut PlanResponse) {
    let paths = ProductionCluster::at(&Path::root());
    for (key, part) in prior.parts.known().into_iter().flat_map(|parts| parts.known()) {
        let state = part.state.text().unwrap_or_default();
        if let Some(reason) = state.strip_prefix("impossible: ") {
            // An upgrade by AWS at the end of support is the one such difference a user mends by an argument.
            let upgraded = key == "cluster" && reason.contains("kubernetes_version");
            if upgraded && follows_aws {
                continue;
            }
            let (path, code) = if upgraded {
                (paths.kubernetes_version.clone(), errors::UPGRADED_BY_AWS)
            } else {
                (paths.parts.key(key), errors::IMPOSSIBLE)
            };
            response.diagnostics.error_at(&path, headline(code.title, code), format!("{key}: {reason}."));
        } else if let Some(owner) = state.strip_prefix("foreign: ") {
            response.diagnostics.error_at(
                &paths.parts.key(key),
                headline("An object of that name belongs to someone else", errors::FOREIGN),
                format!(
                    "{key} exists, but is not the object this cluster made ({owner}): someone deleted ours and made \
                     another one. It is neither changed nor deleted. Remove it and apply again, or give it the tag \
                     terraform-provider-eks/owner of this cluster to take it over."
                ),
            );
        }
    }
}

fn is_protected(model: &ProductionCluster) -> bool {
    model.status.text() != Some(INCOMPLETE) && model.deletion_protection.known() != Some(&false)
}

/// The refusal of a protected cluster's end, in one wording.
trait Protected {
    fn push_protected(&mut self, identity: &Identity, verb: &str);
}

impl Protected for Diagnostics {
    fn push_protected(&mut self, identity: &Identity, verb: &str) {
        self.error_at(
            &ProductionCluster::at(&Path::root()).deletion_protection,
            headline("Deletion protection is on", errors::DELETION_PROTECTED),
            format!(
                "This plan {verb} the cluster {identity}, which is finished and protected. First apply \
                 deletion_protection = false with the waiver \"deletion-protection-off\"; then run this again."
            ),
        );
    }
}

pub fn plan_destroy(
    resource: &ProductionClusterResource,
    prior: &ProductionCluster,
    prior_private: &[u8],
) -> DestroyPlan {
    let mut plan = DestroyPlan::default();
    let identity =
        identity_of(prior.region.text().unwrap_or_default(), prior.name.text().unwrap_or_default());
    if is_protected(prior) {
        plan.diagnostics.push_protected(&identity, "destroys");
    }
    let generation = prior.generation.text().unwrap_or_default().to_owned();
    resource.memory.recall().planned_destroys.insert((identity.clone(), generation));
    let ledger = Private::ledger_in(prior_private);
    plan.private = Private { ledger, destroy_of: Some(identity), ..Private::default() }.bytes();
    plan
}
