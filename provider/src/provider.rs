//! What the provider offers.

use std::sync::Arc;

use terraform_plugin::prelude::*;
use terraform_plugin::{AnyDataSource, AnyResource};

use crate::config::{Connection, ProviderBlock};
use crate::data_sources::owned_objects::OwnedObjectsDataSource;
use crate::resources::production_cluster::ProductionClusterResource;

/// The provider `eks`.
pub struct EksProvider {
    connection: Arc<Connection>,
}

impl EksProvider {
    /// A provider that is configured later.
    pub fn new() -> Self {
        Self { connection: Arc::default() }
    }
}

#[async_trait]
impl Provider for EksProvider {
    type Config = ProviderBlock;

    fn name(&self) -> &'static str {
        "eks"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn description(&self) -> &'static str {
        "Amazon EKS as production needs it: few inputs, production defaults, and a failed create that never costs \
         the cluster."
    }

    fn resources(&self) -> Vec<Arc<dyn AnyResource>> {
        vec![resource(ProductionClusterResource::new(Arc::clone(&self.connection)))]
    }

    fn data_sources(&self) -> Vec<Arc<dyn AnyDataSource>> {
        vec![data_source(OwnedObjectsDataSource::new(Arc::clone(&self.connection)))]
    }

    fn validate(&self, config: &ProviderBlock, diagnostics: &mut Diagnostics) {
        config.check(diagnostics);
    }

    async fn configure(&self, config: ProviderBlock, _terraform_version: &str) -> Diagnostics {
        self.connection.configure(config).await
    }
}
