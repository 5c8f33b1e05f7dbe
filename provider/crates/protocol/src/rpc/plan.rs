//! PlanResourceChange.

use tonic::Status;

use crate::codec;
use crate::diagnostics::Diagnostics;
use crate::framework::AnyResource;
use crate::path::Path;
use crate::planning::{self, PlanInput};
use crate::rpc::{Service, decode, panicked};
use crate::serve::panics;
use crate::wire::tfplugin6::plan_resource_change;

pub(super) async fn plan(
    service: &Service,
    request: plan_resource_change::Request,
) -> Result<plan_resource_change::Response, Status> {
    let resource = match service.resource(&request.type_name) {
        Ok(resource) => resource,
        Err(diagnostics) => return Ok(failed(request, diagnostics)),
    };
    let input = match decoded(resource.as_ref(), &request) {
        Ok(input) => input,
        Err(diagnostics) => return Ok(failed(request, diagnostics)),
    };
    let plan = match panics::catch(planning::plan(resource.as_ref(), input)).await {
        Ok(plan) => plan,
        Err(panic) => return Ok(failed(request, panicked(&panic))),
    };
    Ok(plan_resource_change::Response {
        planned_state: Some(codec::encode(&plan.planned, &resource.schema().value_type())),
        requires_replace: plan.requires_replace.iter().filter_map(Path::to_wire).collect(),
        planned_private: plan.private,
        diagnostics: plan.diagnostics.into_wire(),
        ..plan_resource_change::Response::default()
    })
}

fn decoded(
    resource: &dyn AnyResource,
    request: &plan_resource_change::Request,
) -> Result<PlanInput, Diagnostics> {
    let kind = resource.schema().value_type();
    Ok(PlanInput {
        config: decode(request.config.as_ref(), &kind, "configuration")?,
        prior: decode(request.prior_state.as_ref(), &kind, "prior state")?,
        proposed: decode(request.proposed_new_state.as_ref(), &kind, "proposed state")?,
        prior_private: request.prior_private.clone(),
    })
}

fn failed(
    request: plan_resource_change::Request,
    diagnostics: Diagnostics,
) -> plan_resource_change::Response {
    plan_resource_change::Response {
        planned_state: request.proposed_new_state,
        planned_private: request.prior_private,
        diagnostics: diagnostics.into_wire(),
        ..plan_resource_change::Response::default()
    }
}
