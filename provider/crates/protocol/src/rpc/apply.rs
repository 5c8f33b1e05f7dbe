//! ApplyResourceChange.

use tonic::Status;

use crate::applying;
use crate::codec;
use crate::diagnostics::Diagnostics;
use crate::framework::AnyResource;
use crate::rpc::{Service, decode};
use crate::value::Value;
use crate::wire::tfplugin6::apply_resource_change;

pub(super) async fn apply(
    service: &Service,
    request: apply_resource_change::Request,
) -> Result<apply_resource_change::Response, Status> {
    let resource = match service.resource(&request.type_name) {
        Ok(resource) => resource,
        Err(diagnostics) => return Ok(failed(request, diagnostics)),
    };
    let kind = resource.schema().value_type();
    let (prior, config, planned) = match decoded(resource.as_ref(), &request) {
        Ok(values) => values,
        Err(diagnostics) => return Ok(failed(request, diagnostics)),
    };
    let private = request.planned_private;
    let applied = applying::apply(resource, &service.session, prior, config, planned, private).await;
    Ok(apply_resource_change::Response {
        new_state: Some(codec::encode(&applied.state, &kind)),
        private: applied.private,
        diagnostics: applied.diagnostics.into_wire(),
        ..apply_resource_change::Response::default()
    })
}

fn decoded(
    resource: &dyn AnyResource,
    request: &apply_resource_change::Request,
) -> Result<(Value, Value, Value), Diagnostics> {
    let kind = resource.schema().value_type();
    Ok((
        decode(request.prior_state.as_ref(), &kind, "prior state")?,
        decode(request.config.as_ref(), &kind, "configuration")?,
        decode(request.planned_state.as_ref(), &kind, "planned state")?,
    ))
}

/// Nothing was done, so what was there before is what is there.
fn failed(
    request: apply_resource_change::Request,
    diagnostics: Diagnostics,
) -> apply_resource_change::Response {
    apply_resource_change::Response {
        new_state: request.prior_state,
        private: request.planned_private,
        diagnostics: diagnostics.into_wire(),
        ..apply_resource_change::Response::default()
    }
}
