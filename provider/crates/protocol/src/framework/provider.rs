//! The provider itself: its block, its resources and its functions.

use std::sync::Arc;

use async_trait::async_trait;

use crate::diagnostics::Diagnostics;
use crate::framework::{AnyDataSource, AnyResource, Function};
use crate::model::Model;

/// A provider.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The shape of the provider block.
    type Config: Model;

    /// The local name, such as `eks`: the prefix of every type and part of the log variables' names.
    fn name(&self) -> &'static str;

    /// The version of this build.
    fn version(&self) -> &'static str;

    /// Markdown.
    fn description(&self) -> &'static str;

    /// The address in a registry, for the text that tells how to install and debug it.
    fn address(&self) -> String {
        format!("registry.terraform.io/terraform-provider-{0}/{0}", self.name())
    }

    /// The resource types, each wrapped by [`resource`](crate::resource()).
    fn resources(&self) -> Vec<Arc<dyn AnyResource>>;

    /// The data source types, each wrapped by [`data_source`](crate::data_source()).
    fn data_sources(&self) -> Vec<Arc<dyn AnyDataSource>> {
        Vec::new()
    }

    /// The functions.
    fn functions(&self) -> Vec<Arc<dyn Function>> {
        Vec::new()
    }

    /// Looks at the configuration alone.
    fn validate(&self, config: &Self::Config, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Takes the configuration. While planning, parts of it may be unknown.
    async fn configure(&self, config: Self::Config, terraform_version: &str) -> Diagnostics;
}
