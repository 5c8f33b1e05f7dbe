//! Resources without their type: what the calls of the protocol work with.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::Diagnostics;
use crate::framework::{
    ApplyResponse, Checkpoint, Connected, CreateRequest, DeleteRequest, DestroyPlan, PlanRequest,
    ReadRequest, Resource, UpdateRequest,
};
use crate::model::Model;
use crate::path::Path;
use crate::schema::{Schema, schema_of};
use crate::value::Value;

/// Wraps a resource for [`Provider::resources`](crate::Provider::resources).
pub fn resource<R: Resource>(resource: R) -> Arc<dyn AnyResource> {
    Arc::new(Erased { resource, schema: OnceLock::new() })
}

/// A resource of any model, in terms of values.
#[async_trait]
pub trait AnyResource: Send + Sync {
    /// The name users write.
    fn type_name(&self) -> &'static str;
    /// The schema, made at first use.
    fn schema(&self) -> &Schema;
    /// The resource's own validation.
    fn validate(&self, config: &Value) -> Diagnostics;
    /// Turns the state of another version into today's.
    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics>;
    /// Sees every state that Terraform loads.
    fn loaded(&self, state: &Value);
    /// Reads what is there.
    async fn read(&self, state: &Value, private: Vec<u8>, stop: CancellationToken) -> Read;
    /// Whether there is something to do although configuration and prior state agree.
    fn unsettled(&self, prior: &Value, private: &[u8]) -> bool;
    /// The resource's own part of a plan.
    async fn plan(
        &self,
        prior: &Value,
        config: &Value,
        planned: Value,
        prior_private: &[u8],
        changed: bool,
    ) -> Customised;
    /// The plan of a deletion.
    async fn plan_destroy(&self, prior: &Value, prior_private: &[u8]) -> DestroyPlan;
    /// Creates, updates or deletes.
    async fn apply(&self, input: ApplyInput) -> Applied;
    /// Finds an object by its identifier.
    async fn import(&self, id: &str) -> Result<ImportedObject, Diagnostics>;
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The state, null when the object is gone.
    pub state: Value,
    /// The private data to save.
    pub private: Vec<u8>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// A plan after the resource's own part.
#[derive(Clone, Debug, Default)]
pub struct Customised {
    /// The plan.
    pub planned: Value,
    /// Attributes whose change replaces the object.
    pub requires_replace: Vec<Path>,
    /// The private data that apply receives.
    pub private: Vec<u8>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Change {
    /// Make the object.
    Create {
        /// The configuration.
        config: Value,
        /// The plan.
        planned: Value,
    },
    /// Change the object.
    Update {
        /// The state before.
        prior: Value,
        /// The configuration.
        config: Value,
        /// The plan.
        planned: Value,
    },
    /// Delete the object.
    Delete {
        /// The state before.
        prior: Value,
    },
}

/// A change with everything it needs.
#[derive(Debug)]
pub struct ApplyInput {
    /// What is to be done.
    pub change: Change,
    /// The private data of the plan.
    pub private: Vec<u8>,
    /// Cancelled when the answer has to come at once.
    pub stop: CancellationToken,
    /// Whether Terraform still listens.
    pub connected: Connected,
    /// Where checkpoints go.
    pub progress: Progress,
}

/// The outcome of a change.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// The state, null when nothing exists.
    pub state: Value,
    /// The private data to save.
    pub private: Vec<u8>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// What an import found.
#[derive(Clone, Debug, Default)]
pub struct ImportedObject {
    /// The state.
    pub state: Value,
    /// The private data to save.
    pub private: Vec<u8>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// The last checkpoint of running work.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    last: Arc<Mutex<Option<Saved>>>,
}

/// A state and the private data that belong to it.
type Saved = (Value, Vec<u8>);

impl Progress {
    /// Replaces the last checkpoint.
    pub fn save(&self, state: Value, private: Vec<u8>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((state, private));
    }

    /// The last checkpoint, if there was one.
    pub fn last(&self) -> Option<(Value, Vec<u8>)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Erased<R> {
    resource: R,
    schema: OnceLock<Schema>,
}

fn decode<M: Model>(value: &Value) -> Result<M, Diagnostics> {
    M::from_value(value, &Path::root())
}

fn encode<M: Model>(state: Option<M>) -> Value {
    state.map_or(Value::Null, |state| state.to_value())
}

fn applied<M: Model>(response: ApplyResponse<M>) -> Applied {
    Applied { state: encode(response.state), private: response.private, diagnostics: response.diagnostics }
}

impl<R: Resource> Erased<R> {
    async fn change(&self, input: ApplyInput) -> Result<Applied, Diagnostics> {
        let ApplyInput { change, private, stop, connected, progress } = input;
        let checkpoint = Checkpoint::<R::Model>::new(progress);
        let response = match change {
            Change::Create { config, planned } => {
                let (config, planned) = (decode(&config)?, decode(&planned)?);
                let request = CreateRequest { config, planned, private, stop, connected, checkpoint };
                self.resource.create(request).await
            }
            Change::Update { prior, config, planned } => {
                let (prior, config, planned) = (decode(&prior)?, decode(&config)?, decode(&planned)?);
                let request = UpdateRequest { prior, config, planned, private, stop, connected, checkpoint };
                self.resource.update(request).await
            }
            Change::Delete { prior } => {
                let prior = decode(&prior)?;
                self.resource.delete(DeleteRequest { prior, private, stop, connected, checkpoint }).await
            }
        };
        Ok(applied(response))
    }
}

#[async_trait]
impl<R: Resource> AnyResource for Erased<R> {
    fn type_name(&self) -> &'static str {
        self.resource.type_name()
    }

    fn schema(&self) -> &Schema {
        self.schema
            .get_or_init(|| schema_of::<R::Model>(self.resource.version(), self.resource.description()))
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        match decode(config) {
            Ok(config) => {
                let mut diagnostics = Diagnostics::new();
                self.resource.validate(&config, &mut diagnostics);
                diagnostics
            }
            Err(diagnostics) => diagnostics,
        }
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        self.resource.upgrade(version, state)
    }

    fn loaded(&self, state: &Value) {
        if let Ok(state) = decode(state) {
            self.resource.loaded(&state);
        }
    }

    async fn read(&self, state: &Value, private: Vec<u8>, stop: CancellationToken) -> Read {
        match decode(state) {
            Ok(state) => {
                let response = self.resource.read(ReadRequest { state, private, stop }).await;
                Read {
                    state: encode(response.state),
                    private: response.private,
                    diagnostics: response.diagnostics,
                }
            }
            Err(diagnostics) => Read { state: state.clone(), private, diagnostics },
        }
    }

    fn unsettled(&self, prior: &Value, private: &[u8]) -> bool {
        decode(prior).is_ok_and(|prior| self.resource.unsettled(&prior, private))
    }

    async fn plan(
        &self,
        prior: &Value,
        config: &Value,
        planned: Value,
        prior_private: &[u8],
        changed: bool,
    ) -> Customised {
        let decoded = || {
            let prior: Option<R::Model> = if prior.is_null() { None } else { Some(decode(prior)?) };
            Ok((prior, decode::<R::Model>(config)?, decode::<R::Model>(&planned)?))
        };
        let (prior, config, mut model) = match decoded() {
            Ok(decoded) => decoded,
            Err(diagnostics) => return Customised { planned, diagnostics, ..Customised::default() },
        };
        let request = PlanRequest {
            prior: prior.as_ref(),
            config: &config,
            planned: &mut model,
            prior_private,
            changed,
        };
        let response = self.resource.plan(request).await;
        Customised {
            planned: model.to_value(),
            requires_replace: response.requires_replace,
            private: response.private,
            diagnostics: response.diagnostics,
        }
    }

    async fn plan_destroy(&self, prior: &Value, prior_private: &[u8]) -> DestroyPlan {
        match decode(prior) {
            Ok(prior) => self.resource.plan_destroy(&prior, prior_private).await,
            Err(diagnostics) => DestroyPlan { private: prior_private.to_vec(), diagnostics },
        }
    }

    async fn apply(&self, input: ApplyInput) -> Applied {
        let (kept, private) = match &input.change {
            Change::Create { .. } => (Value::Null, input.private.clone()),
            Change::Update { prior, .. } | Change::Delete { prior } => (prior.clone(), input.private.clone()),
        };
        match self.change(input).await {
            Ok(applied) => applied,
            Err(diagnostics) => Applied { state: kept, private, diagnostics },
        }
    }

    async fn import(&self, id: &str) -> Result<ImportedObject, Diagnostics> {
        let imported = self.resource.import(id).await?;
        Ok(ImportedObject {
            state: imported.state.to_value(),
            private: imported.private,
            diagnostics: imported.diagnostics,
        })
    }
}
