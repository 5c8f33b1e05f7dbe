//! ReadDataSource.

use tonic::Status;

use crate::applying::check_known;
use crate::codec;
use crate::diagnostics::Diagnostics;
use crate::rpc::{Service, decode, panicked};
use crate::serve::panics;
use crate::wire::tfplugin6::read_data_source;

pub(super) async fn read(
    service: &Service,
    request: read_data_source::Request,
) -> Result<read_data_source::Response, Status> {
    let source = match service.data_source(&request.type_name) {
        Ok(source) => source,
        Err(diagnostics) => return Ok(failed(diagnostics)),
    };
    let kind = source.schema().value_type();
    let config = match decode(request.config.as_ref(), &kind, "configuration") {
        Ok(config) => config,
        Err(diagnostics) => return Ok(failed(diagnostics)),
    };
    let work = source.read(&config, service.session.stop_token());
    let read = match panics::catch(work).await {
        Ok(read) => read,
        Err(panic) => return Ok(failed(panicked(&panic))),
    };
    let mut diagnostics = read.diagnostics;
    if read.state.is_null() && !diagnostics.has_errors() {
        diagnostics.error("The provider read nothing", "This is a bug in the provider; please report it.");
    }
    let failed = diagnostics.has_errors();
    let state = check_known(source.schema(), read.state, failed, &mut diagnostics);
    Ok(read_data_source::Response {
        state: Some(codec::encode(&state, &kind)),
        diagnostics: diagnostics.into_wire(),
        ..read_data_source::Response::default()
    })
}

fn failed(diagnostics: Diagnostics) -> read_data_source::Response {
    read_data_source::Response {
        diagnostics: diagnostics.into_wire(),
        ..read_data_source::Response::default()
    }
}
