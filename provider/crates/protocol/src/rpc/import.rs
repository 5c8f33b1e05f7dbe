//! ImportResourceState.

use tonic::Status;

use crate::applying::check_known;
use crate::codec;
use crate::diagnostics::Diagnostics;
use crate::rpc::{Service, panicked};
use crate::serve::panics;
use crate::wire::tfplugin6::import_resource_state;

pub(super) async fn import(
    service: &Service,
    request: import_resource_state::Request,
) -> Result<import_resource_state::Response, Status> {
    let resource = match service.resource(&request.type_name) {
        Ok(resource) => resource,
        Err(diagnostics) => return Ok(failed(diagnostics)),
    };
    let outcome = panics::catch(resource.import(&request.id)).await;
    let imported = match outcome.unwrap_or_else(|panic| Err(panicked(&panic))) {
        Ok(imported) => imported,
        Err(diagnostics) => return Ok(failed(diagnostics)),
    };
    let mut diagnostics = imported.diagnostics;
    let state = check_known(resource.schema(), imported.state, false, &mut diagnostics);
    if diagnostics.has_errors() {
        return Ok(failed(diagnostics));
    }
    let object = import_resource_state::ImportedResource {
        type_name: request.type_name,
        state: Some(codec::encode(&state, &resource.schema().value_type())),
        private: imported.private,
        ..import_resource_state::ImportedResource::default()
    };
    Ok(import_resource_state::Response {
        imported_resources: vec![object],
        diagnostics: diagnostics.into_wire(),
        ..import_resource_state::Response::default()
    })
}

fn failed(diagnostics: Diagnostics) -> import_resource_state::Response {
    import_resource_state::Response {
        diagnostics: diagnostics.into_wire(),
        ..import_resource_state::Response::default()
    }
}
