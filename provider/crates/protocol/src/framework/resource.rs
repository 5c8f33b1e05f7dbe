//! Resources: what Terraform creates, changes and deletes.

use std::marker::PhantomData;

use async_trait::async_trait;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::Diagnostics;
use crate::framework::{Connected, Progress};
use crate::model::Model;
use crate::path::Path;

/// A resource type.
///
/// **Flow.** Terraform starts several processes per command. Validation runs without a configured provider.
/// A plan is `upgrade` (or nothing), `loaded`, `read`, `unsettled`, `plan`; an apply plans again and then
/// creates, updates or deletes.
///
/// **Guarantees.** Values fit the schema. Create, update and delete run in a task that outlives the call, and a
/// panic in them answers with the last checkpoint and an error.
///
/// **Assumptions.** A known planned value is the value after apply. After `stop` is cancelled the answer comes
/// at once: an answer that takes longer than 0.4 s is replaced by the last checkpoint.
///
/// **Errors.** Diagnostics, with the path of the attribute where there is one. Together with a state they are
/// saved: a failed create with a state is a tainted object, one without a state is lost.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// The shape of configuration, plan and state.
    type Model: Model;

    /// The name users write, with the provider's prefix.
    fn type_name(&self) -> &'static str;

    /// Markdown.
    fn description(&self) -> &'static str;

    /// Rises when states of older versions need [`upgrade`](Self::upgrade).
    fn version(&self) -> i64 {
        0
    }

    /// Looks at the configuration alone, without AWS or anything else that needs a configured provider.
    fn validate(&self, config: &Self::Model, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Turns the state of another version into today's. States of this version do not come here: attributes
    /// that the schema does not have are dropped, missing ones are null.
    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        let _ = state;
        Err(Diagnostics::from_error(
            "State of an unsupported version",
            format!(
                "The state of this {} was written with schema version {version}, and this provider reads version \
                 {}. Use a provider version that knows both, or import the object again.",
                self.type_name(),
                self.version(),
            ),
        ))
    }

    /// Sees every state that Terraform loads. A later plan in the same process may know it from here: Terraform
    /// plans the replacement of a tainted object without its prior state.
    fn loaded(&self, state: &Self::Model) {
        let _ = state;
    }

    /// What is there now. Answers no state when the object is gone.
    async fn read(&self, request: ReadRequest<Self::Model>) -> ReadResponse<Self::Model>;

    /// Whether there is something to do although configuration and prior state agree. Runs before computed
    /// attributes become unknown, and makes them so.
    fn unsettled(&self, prior: &Self::Model, private: &[u8]) -> bool {
        let _ = (prior, private);
        false
    }

    /// The resource's own part of the plan, after defaults, unknown marks and the attributes' rules. May change
    /// computed attributes of `planned`.
    async fn plan(&self, request: PlanRequest<'_, Self::Model>) -> PlanResponse {
        PlanResponse { private: request.prior_private.to_vec(), ..PlanResponse::default() }
    }

    /// The plan of a deletion.
    async fn plan_destroy(&self, prior: &Self::Model, prior_private: &[u8]) -> DestroyPlan {
        let _ = prior;
        DestroyPlan { private: prior_private.to_vec(), ..DestroyPlan::default() }
    }

    /// Makes the object.
    async fn create(&self, request: CreateRequest<Self::Model>) -> ApplyResponse<Self::Model>;

    /// Changes the object.
    async fn update(&self, request: UpdateRequest<Self::Model>) -> ApplyResponse<Self::Model>;

    /// Deletes the object. No state means that it is gone.
    async fn delete(&self, request: DeleteRequest<Self::Model>) -> ApplyResponse<Self::Model>;

    /// Finds the object by the identifier that users write.
    async fn import(&self, id: &str) -> Result<Imported<Self::Model>, Diagnostics> {
        let _ = id;
        Err(Diagnostics::from_error(
            "Import is not supported",
            format!("{} cannot be imported.", self.type_name()),
        ))
    }
}

/// What to read.
#[derive(Debug)]
pub struct ReadRequest<M> {
    /// The state as it was saved.
    pub state: M,
    /// The private data as they were saved.
    pub private: Vec<u8>,
    /// Cancelled when the answer is no longer wanted.
    pub stop: CancellationToken,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct ReadResponse<M> {
    /// The state; none when the object is gone. With an error, the prior state is kept instead.
    pub state: Option<M>,
    /// The private data to save.
    pub private: Vec<u8>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// What to plan.
#[derive(Debug)]
pub struct PlanRequest<'plan, M> {
    /// The state before; none for a create.
    pub prior: Option<&'plan M>,
    /// The configuration.
    pub config: &'plan M,
    /// The plan so far, to be changed in place.
    pub planned: &'plan mut M,
    /// The private data saved with the state before; nothing for a create.
    pub prior_private: &'plan [u8],
    /// Whether anything differs from the state before, or the resource was unsettled.
    pub changed: bool,
}

/// The rest of a plan.
#[derive(Clone, Debug, Default)]
pub struct PlanResponse {
    /// Attributes whose change destroys the object and creates it anew.
    pub requires_replace: Vec<Path>,
    /// The private data that apply receives.
    pub private: Vec<u8>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// The plan of a deletion.
#[derive(Clone, Debug, Default)]
pub struct DestroyPlan {
    /// The private data that the deletion receives.
    pub private: Vec<u8>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// What to create.
#[derive(Debug)]
pub struct CreateRequest<M> {
    /// The configuration.
    pub config: M,
    /// The plan.
    pub planned: M,
    /// The private data of the plan.
    pub private: Vec<u8>,
    /// Cancelled when Terraform asks to stop or is gone: answer at once.
    pub stop: CancellationToken,
    /// Whether Terraform still listens.
    pub connected: Connected,
    /// Takes what is to be answered should the work panic or not stop in time.
    pub checkpoint: Checkpoint<M>,
}

/// What to update.
#[derive(Debug)]
pub struct UpdateRequest<M> {
    /// The state before.
    pub prior: M,
    /// The configuration.
    pub config: M,
    /// The plan.
    pub planned: M,
    /// The private data of the plan.
    pub private: Vec<u8>,
    /// Cancelled when Terraform asks to stop or is gone: answer at once.
    pub stop: CancellationToken,
    /// Whether Terraform still listens.
    pub connected: Connected,
    /// Takes what is to be answered should the work panic or not stop in time.
    pub checkpoint: Checkpoint<M>,
}

/// What to delete.
#[derive(Debug)]
pub struct DeleteRequest<M> {
    /// The state before.
    pub prior: M,
    /// The private data of the plan.
    pub private: Vec<u8>,
    /// Cancelled when Terraform asks to stop or is gone: answer at once.
    pub stop: CancellationToken,
    /// Whether Terraform still listens.
    pub connected: Connected,
    /// Takes what is to be answered should the work panic or not stop in time.
    pub checkpoint: Checkpoint<M>,
}

/// The outcome of a create, update or delete.
#[derive(Clone, Debug, Default)]
pub struct ApplyResponse<M> {
    /// What exists now; none when nothing does.
    pub state: Option<M>,
    /// The private data to save.
    pub private: Vec<u8>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// What an import found.
#[derive(Clone, Debug, Default)]
pub struct Imported<M> {
    /// The state; Terraform reads the object right after.
    pub state: M,
    /// The private data to save.
    pub private: Vec<u8>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// Where running work leaves what should be answered if it cannot answer itself.
#[derive(Clone, Debug)]
pub struct Checkpoint<M> {
    progress: Progress,
    model: PhantomData<fn(M)>,
}

impl<M: Model> Checkpoint<M> {
    pub(crate) fn new(progress: Progress) -> Self {
        Self { progress, model: PhantomData }
    }

    /// A checkpoint that nobody reads: for calls that do not come from Terraform, such as tests.
    pub fn detached() -> Self {
        Self::new(Progress::default())
    }

    /// Replaces what would be answered. Unknown values are answered as null.
    pub fn save(&self, state: M, private: Vec<u8>) {
        self.progress.save(state.to_value(), private);
    }
}
