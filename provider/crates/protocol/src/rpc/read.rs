//! ReadResource.

use tonic::Status;

use crate::applying::check_known;
use crate::codec;
use crate::diagnostics::Diagnostics;
use crate::framework::Read;
use crate::rpc::{Service, decode, panicked};
use crate::serve::panics;
use crate::wire::tfplugin6::read_resource;

pub(super) async fn read(
    service: &Service,
    request: read_resource::Request,
) -> Result<read_resource::Response, Status> {
    let resource = match service.resource(&request.type_name) {
        Ok(resource) => resource,
        Err(diagnostics) => return Ok(failed(request, diagnostics)),
    };
    let kind = resource.schema().value_type();
    let state = match decode(request.current_state.as_ref(), &kind, "state") {
        Ok(state) => state,
        Err(diagnostics) => return Ok(failed(request, diagnostics)),
    };
    if state.is_null() {
        return Ok(failed(request, Diagnostics::new()));
    }
    let stop = service.session.stop_token();
    let work = resource.read(&state, request.private.clone(), stop);
    let Read { state, private, mut diagnostics } = match panics::catch(work).await {
        Ok(read) => read,
        Err(panic) => return Ok(failed(request, panicked(&panic))),
    };
    if diagnostics.has_errors() {
        return Ok(failed(request, diagnostics));
    }
    let state = check_known(resource.schema(), state, false, &mut diagnostics);
    Ok(read_resource::Response {
        new_state: Some(codec::encode(&state, &kind)),
        private,
        diagnostics: diagnostics.into_wire(),
        ..read_resource::Response::default()
    })
}

/// A read that failed changes nothing.
fn failed(request: read_resource::Request, diagnostics: Diagnostics) -> read_resource::Response {
    read_resource::Response {
        new_state: request.current_state,
        private: request.private,
        diagnostics: diagnostics.into_wire(),
        ..read_resource::Response::default()
    }
}
