//! ConfigureProvider and StopProvider.

use tonic::Status;

use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::rpc::{Service, decode, panicked};
use crate::schema::tree;
use crate::serve::panics;
use crate::wire::tfplugin6::{configure_provider, stop_provider};

pub(super) async fn configure(
    service: &Service,
    request: configure_provider::Request,
) -> Result<configure_provider::Response, Status> {
    let provider = &service.provider;
    let schema = provider.schema();
    let work = async {
        let config = match decode(request.config.as_ref(), &schema.value_type(), "provider configuration") {
            Ok(config) => config,
            Err(diagnostics) => return diagnostics,
        };
        let mut diagnostics = Diagnostics::new();
        // What was unknown when the configuration was validated may be known now.
        tree::validate(&schema.attributes, &config, &Path::root(), &mut diagnostics);
        if !diagnostics.has_errors() {
            diagnostics.extend(provider.configure(&config, &request.terraform_version).await);
        }
        diagnostics
    };
    let diagnostics = panics::catch(work).await.unwrap_or_else(|panic| panicked(&panic));
    Ok(configure_provider::Response { diagnostics: diagnostics.into_wire() })
}

pub(super) async fn stop(
    service: &Service,
    _request: stop_provider::Request,
) -> Result<stop_provider::Response, Status> {
    tracing::info!("Terraform asked to stop");
    service.session.stop();
    Ok(stop_provider::Response::default())
}
