//! ValidateProviderConfig, ValidateResourceConfig and ValidateDataResourceConfig.

use tonic::Status;

use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::rpc::{Service, decode, panicked};
use crate::schema::{Schema, tree};
use crate::serve::panics;
use crate::value::Value;
use crate::wire::tfplugin6::{
    DynamicValue, validate_data_resource_config, validate_provider_config, validate_resource_config,
};

/// Runs the rules of the schema, then the type's own validation.
async fn validate(
    schema: &Schema,
    config: Option<&DynamicValue>,
    own: impl FnOnce(&Value) -> Diagnostics,
) -> Diagnostics {
    let config = match decode(config, &schema.value_type(), "configuration") {
        Ok(config) => config,
        Err(diagnostics) => return diagnostics,
    };
    let checks = async {
        let mut diagnostics = Diagnostics::new();
        tree::validate(&schema.attributes, &config, &Path::root(), &mut diagnostics);
        diagnostics.extend(own(&config));
        diagnostics
    };
    panics::catch(checks).await.unwrap_or_else(|panic| panicked(&panic))
}

pub(super) async fn provider(
    service: &Service,
    request: validate_provider_config::Request,
) -> Result<validate_provider_config::Response, Status> {
    let provider = &service.provider;
    let own = |config: &Value| provider.validate(config);
    let diagnostics = validate(provider.schema(), request.config.as_ref(), own).await;
    Ok(validate_provider_config::Response { diagnostics: diagnostics.into_wire() })
}

pub(super) async fn resource(
    service: &Service,
    request: validate_resource_config::Request,
) -> Result<validate_resource_config::Response, Status> {
    let diagnostics = match service.resource(&request.type_name) {
        Ok(resource) => {
            let allowed = request
                .client_capabilities
                .as_ref()
                .is_some_and(|capabilities| capabilities.write_only_attributes_allowed);
            let own = |config: &Value| {
                let mut diagnostics = resource.validate(config);
                if !allowed {
                    let attributes = &resource.schema().attributes;
                    tree::refuse_write_only(attributes, config, &Path::root(), &mut diagnostics);
                }
                diagnostics
            };
            validate(resource.schema(), request.config.as_ref(), own).await
        }
        Err(diagnostics) => diagnostics,
    };
    Ok(validate_resource_config::Response { diagnostics: diagnostics.into_wire() })
}

pub(super) async fn data_source(
    service: &Service,
    request: validate_data_resource_config::Request,
) -> Result<validate_data_resource_config::Response, Status> {
    let diagnostics = match service.data_source(&request.type_name) {
        Ok(source) => {
            let own = |config: &Value| source.validate(config);
            validate(source.schema(), request.config.as_ref(), own).await
        }
        Err(diagnostics) => diagnostics,
    };
    Ok(validate_data_resource_config::Response { diagnostics: diagnostics.into_wire() })
}
