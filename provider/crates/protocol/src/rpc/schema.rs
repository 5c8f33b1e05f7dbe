//! GetMetadata and GetProviderSchema.

use std::collections::HashMap;

use tonic::Status;

use crate::rpc::{Service, functions};
use crate::wire::tfplugin6::{ServerCapabilities, get_metadata, get_provider_schema};

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        // Without it a deletion would get none of the private data written when it was planned.
        plan_destroy: true,
        // Terraform may keep the schema of an earlier process of the same command.
        get_provider_schema_optional: true,
        ..ServerCapabilities::default()
    }
}

pub(super) async fn get_metadata(
    service: &Service,
    _request: get_metadata::Request,
) -> Result<get_metadata::Response, Status> {
    let provider = &service.provider;
    let resources = provider.resources().iter();
    let data_sources = provider.data_sources().iter();
    let functions = provider.functions().iter();
    Ok(get_metadata::Response {
        server_capabilities: Some(capabilities()),
        resources: resources
            .map(|resource| get_metadata::ResourceMetadata { type_name: resource.type_name().to_owned() })
            .collect(),
        data_sources: data_sources
            .map(|source| get_metadata::DataSourceMetadata { type_name: source.type_name().to_owned() })
            .collect(),
        functions: functions
            .map(|function| get_metadata::FunctionMetadata { name: function.name().to_owned() })
            .collect(),
        ..get_metadata::Response::default()
    })
}

pub(super) async fn get_provider_schema(
    service: &Service,
    _request: get_provider_schema::Request,
) -> Result<get_provider_schema::Response, Status> {
    let provider = &service.provider;
    let resource_schemas: HashMap<_, _> = provider
        .resources()
        .iter()
        .map(|resource| (resource.type_name().to_owned(), resource.schema().to_wire()))
        .collect();
    let data_source_schemas: HashMap<_, _> = provider
        .data_sources()
        .iter()
        .map(|source| (source.type_name().to_owned(), source.schema().to_wire()))
        .collect();
    Ok(get_provider_schema::Response {
        provider: Some(provider.schema().to_wire()),
        resource_schemas,
        data_source_schemas,
        functions: functions::all(service),
        server_capabilities: Some(capabilities()),
        ..get_provider_schema::Response::default()
    })
}
