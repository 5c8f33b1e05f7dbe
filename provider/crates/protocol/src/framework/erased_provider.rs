//! The provider without its type: what the calls of the protocol work with.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use crate::diagnostics::Diagnostics;
use crate::framework::{AnyDataSource, AnyResource, Function, Provider};
use crate::model::Model;
use crate::path::Path;
use crate::schema::{Schema, schema_of};
use crate::value::Value;

/// Wraps a provider; nothing of it is called before it is needed.
pub fn provider<P: Provider>(provider: P) -> Arc<dyn AnyProvider> {
    Arc::new(Erased {
        provider,
        schema: OnceLock::new(),
        resources: OnceLock::new(),
        data_sources: OnceLock::new(),
        functions: OnceLock::new(),
    })
}

/// A provider of any configuration, in terms of values. Also the way to render documentation.
#[async_trait]
pub trait AnyProvider: Send + Sync {
    /// The local name.
    fn name(&self) -> &'static str;
    /// The version of this build.
    fn version(&self) -> &'static str;
    /// The address in a registry.
    fn address(&self) -> String;
    /// The schema of the provider block.
    fn schema(&self) -> &Schema;
    /// All resource types.
    fn resources(&self) -> &[Arc<dyn AnyResource>];
    /// All data source types.
    fn data_sources(&self) -> &[Arc<dyn AnyDataSource>];
    /// All functions.
    fn functions(&self) -> &[Arc<dyn Function>];
    /// The provider's own validation.
    fn validate(&self, config: &Value) -> Diagnostics;
    /// Takes the configuration.
    async fn configure(&self, config: &Value, terraform_version: &str) -> Diagnostics;
}

struct Erased<P> {
    provider: P,
    schema: OnceLock<Schema>,
    resources: OnceLock<Vec<Arc<dyn AnyResource>>>,
    data_sources: OnceLock<Vec<Arc<dyn AnyDataSource>>>,
    functions: OnceLock<Vec<Arc<dyn Function>>>,
}

#[async_trait]
impl<P: Provider> AnyProvider for Erased<P> {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn version(&self) -> &'static str {
        self.provider.version()
    }

    fn address(&self) -> String {
        self.provider.address()
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| schema_of::<P::Config>(0, self.provider.description()))
    }

    fn resources(&self) -> &[Arc<dyn AnyResource>] {
        self.resources.get_or_init(|| self.provider.resources())
    }

    fn data_sources(&self) -> &[Arc<dyn AnyDataSource>] {
        self.data_sources.get_or_init(|| self.provider.data_sources())
    }

    fn functions(&self) -> &[Arc<dyn Function>] {
        self.functions.get_or_init(|| self.provider.functions())
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        match P::Config::from_value(config, &Path::root()) {
            Ok(config) => {
                let mut diagnostics = Diagnostics::new();
                self.provider.validate(&config, &mut diagnostics);
                diagnostics
            }
            Err(diagnostics) => diagnostics,
        }
    }

    async fn configure(&self, config: &Value, terraform_version: &str) -> Diagnostics {
        match P::Config::from_value(config, &Path::root()) {
            Ok(config) => self.provider.configure(config, terraform_version).await,
            Err(diagnostics) => diagnostics,
        }
    }
}
