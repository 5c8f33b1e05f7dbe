//! UpgradeResourceState: every state that Terraform loads passes here, whatever its version.

use serde_json::Value as Json;
use tonic::Status;

use crate::codec::{self, json::Unexpected};
use crate::diagnostics::Diagnostics;
use crate::framework::AnyResource;
use crate::rpc::{Service, panicked, unreadable};
use crate::schema::tree;
use crate::serve::panics;
use crate::value::Value;
use crate::wire::tfplugin6::{RawState, upgrade_resource_state};

pub(super) async fn upgrade(
    service: &Service,
    request: upgrade_resource_state::Request,
) -> Result<upgrade_resource_state::Response, Status> {
    let resource = match service.resource(&request.type_name) {
        Ok(resource) => resource,
        Err(diagnostics) => return Ok(failed(diagnostics)),
    };
    let work = async { upgraded(resource.as_ref(), request.version, request.raw_state) };
    let outcome = panics::catch(work).await.unwrap_or_else(|panic| Err(panicked(&panic)));
    Ok(match outcome {
        Ok(state) => upgrade_resource_state::Response {
            upgraded_state: Some(codec::encode(&state, &resource.schema().value_type())),
            diagnostics: Vec::new(),
        },
        Err(diagnostics) => failed(diagnostics),
    })
}

fn failed(diagnostics: Diagnostics) -> upgrade_resource_state::Response {
    upgrade_resource_state::Response { upgraded_state: None, diagnostics: diagnostics.into_wire() }
}

fn upgraded(resource: &dyn AnyResource, version: i64, raw: Option<RawState>) -> Result<Value, Diagnostics> {
    let schema = resource.schema();
    let raw = raw.unwrap_or_default();
    if raw.json.is_empty() {
        return Err(Diagnostics::from_error(
            "The state is too old",
            "It was written by Terraform 0.11 or earlier, in a format that no version of this provider has used.",
        ));
    }
    let json: Json = serde_json::from_slice(&raw.json)
        .map_err(|error| unreadable("state", &codec::CodecError::from(error)))?;
    let json = if version == schema.version { json } else { resource.upgrade(version, json)? };
    // States of the same version may come from a build with other attributes: those are dropped.
    let mut state = codec::json::decode(&json, &schema.value_type(), Unexpected::Drop)
        .map_err(|error| unreadable("state", &error))?;
    tree::fill_blocks(&schema.attributes, &mut state);
    if !state.is_null() {
        resource.loaded(&state);
    }
    Ok(state)
}
