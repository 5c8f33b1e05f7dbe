//! The calls of the protocol: each file reads its request, calls the framework and writes the answer.

mod apply;
mod configure;
mod functions;
mod import;
mod plan;
mod read;
mod read_data;
mod schema;
mod upgrade;
mod validate;

use std::sync::Arc;

use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use crate::codec;
use crate::diagnostics::Diagnostics;
use crate::framework::{AnyDataSource, AnyProvider, AnyResource};
use crate::serve::panics;
use crate::serve::session::Session;
use crate::value::{Type, Value};
use crate::wire::tfplugin6::{self, DynamicValue, provider_server};

/// Serves the calls of one process.
#[derive(Clone)]
pub(crate) struct Service {
    provider: Arc<dyn AnyProvider>,
    session: Arc<Session>,
}

impl Service {
    pub(crate) fn new(provider: Arc<dyn AnyProvider>, session: Arc<Session>) -> Self {
        Self { provider, session }
    }

    fn resource(&self, type_name: &str) -> Result<Arc<dyn AnyResource>, Diagnostics> {
        let found = self.provider.resources().iter().find(|resource| resource.type_name() == type_name);
        found.cloned().ok_or_else(|| missing("resource", type_name))
    }

    fn data_source(&self, type_name: &str) -> Result<Arc<dyn AnyDataSource>, Diagnostics> {
        let found = self.provider.data_sources().iter().find(|source| source.type_name() == type_name);
        found.cloned().ok_or_else(|| missing("data source", type_name))
    }
}

fn missing(kind: &str, type_name: &str) -> Diagnostics {
    Diagnostics::from_error(
        format!("Unknown {kind} type"),
        format!("This version of the provider has no {kind} \"{type_name}\"."),
    )
}

fn decode(value: Option<&DynamicValue>, kind: &Type, what: &str) -> Result<Value, Diagnostics> {
    codec::decode(value, kind).map_err(|error| unreadable(what, &error))
}

fn unreadable(what: &str, error: &codec::CodecError) -> Diagnostics {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    Diagnostics::from_error(
        format!("The {what} could not be read"),
        format!("It does not fit the schema: {text}."),
    )
}

/// The error that a call failed in a way that is the provider's fault.
fn panicked(panic: &str) -> Diagnostics {
    Diagnostics::from_error(
        "The provider failed unexpectedly",
        format!("{panic}\n\nThis is a bug in the provider; please report it."),
    )
}

/// Delegates each call to the function of its file.
macro_rules! calls {
    ($($name:ident => $file:ident::$function:ident),* $(,)?) => {
        #[tonic::async_trait]
        impl provider_server::Provider for Service {
            $(
                async fn $name(
                    &self,
                    request: Request<tfplugin6::$name::Request>,
                ) -> Result<Response<tfplugin6::$name::Response>, Status> {
                    let work = $file::$function(self, request.into_inner());
                    let span = tracing::debug_span!("call", tf_rpc = stringify!($name));
                    let guarded = async {
                        tracing::trace!("called");
                        // Calls turn panics of the provider's own code into diagnostics; this is for the rest.
                        panics::catch(work).await.map_err(Status::internal)?.map(Response::new)
                    };
                    guarded.instrument(span).await
                }
            )*
        }
    };
}

calls! {
    get_metadata => schema::get_metadata,
    get_provider_schema => schema::get_provider_schema,
    validate_provider_config => validate::provider,
    validate_resource_config => validate::resource,
    validate_data_resource_config => validate::data_source,
    upgrade_resource_state => upgrade::upgrade,
    configure_provider => configure::configure,
    read_resource => read::read,
    plan_resource_change => plan::plan,
    apply_resource_change => apply::apply,
    import_resource_state => import::import,
    read_data_source => read_data::read,
    get_functions => functions::get,
    call_function => functions::call,
    stop_provider => configure::stop,
}
