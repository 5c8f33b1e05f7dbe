//! Data sources without their type: what the calls of the protocol work with.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::Diagnostics;
use crate::framework::{DataSource, Read, ReadDataRequest};
use crate::model::Model;
use crate::path::Path;
use crate::schema::{Schema, schema_of};
use crate::value::Value;

/// Wraps a data source for [`Provider::data_sources`](crate::Provider::data_sources).
pub fn data_source<D: DataSource>(source: D) -> Arc<dyn AnyDataSource> {
    Arc::new(Erased { source, schema: OnceLock::new() })
}

/// A data source of any model, in terms of values.
#[async_trait]
pub trait AnyDataSource: Send + Sync {
    /// The name users write.
    fn type_name(&self) -> &'static str;
    /// The schema, made at first use.
    fn schema(&self) -> &Schema;
    /// The data source's own validation.
    fn validate(&self, config: &Value) -> Diagnostics;
    /// Reads.
    async fn read(&self, config: &Value, stop: CancellationToken) -> Read;
}

struct Erased<D> {
    source: D,
    schema: OnceLock<Schema>,
}

#[async_trait]
impl<D: DataSource> AnyDataSource for Erased<D> {
    fn type_name(&self) -> &'static str {
        self.source.type_name()
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| schema_of::<D::Model>(0, self.source.description()))
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        match D::Model::from_value(config, &Path::root()) {
            Ok(config) => {
                let mut diagnostics = Diagnostics::new();
                self.source.validate(&config, &mut diagnostics);
                diagnostics
            }
            Err(diagnostics) => diagnostics,
        }
    }

    async fn read(&self, config: &Value, stop: CancellationToken) -> Read {
        match D::Model::from_value(config, &Path::root()) {
            Ok(config) => {
                let response = self.source.read(ReadDataRequest { config, stop }).await;
                let state = response.state.map_or(Value::Null, |state| state.to_value());
                Read { state, private: Vec::new(), diagnostics: response.diagnostics }
            }
            Err(diagnostics) => Read { diagnostics, ..Read::default() },
        }
    }
}
