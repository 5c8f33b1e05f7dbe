//! Data sources: what Terraform only reads.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::Diagnostics;
use crate::model::Model;

/// A data source type.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// The shape of configuration and result.
    type Model: Model;

    /// The name users write, with the provider's prefix.
    fn type_name(&self) -> &'static str;

    /// Markdown.
    fn description(&self) -> &'static str;

    /// Looks at the configuration alone.
    fn validate(&self, config: &Self::Model, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Reads. The configuration is wholly known. What it sets must come back unchanged.
    async fn read(&self, request: ReadDataRequest<Self::Model>) -> ReadDataResponse<Self::Model>;
}

/// What to read.
#[derive(Debug)]
pub struct ReadDataRequest<M> {
    /// The configuration.
    pub config: M,
    /// Cancelled when the answer is no longer wanted.
    pub stop: CancellationToken,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct ReadDataResponse<M> {
    /// The result; none only together with an error.
    pub state: Option<M>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}
