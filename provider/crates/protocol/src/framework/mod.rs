//! What a provider implements.

mod connection;
mod data_source;
mod erased_data_source;
mod erased_provider;
mod erased_resource;
mod function;
mod provider;
mod resource;

pub use connection::Connected;
pub use data_source::{DataSource, ReadDataRequest, ReadDataResponse};
pub use erased_data_source::{AnyDataSource, data_source};
pub use erased_provider::{AnyProvider, provider};
pub use erased_resource::{
    AnyResource, Applied, ApplyInput, Change, Customised, ImportedObject, Progress, Read, resource,
};
pub use function::{Function, FunctionError, Parameter};
pub use provider::Provider;
pub use resource::{
    ApplyResponse, Checkpoint, CreateRequest, DeleteRequest, DestroyPlan, Imported, PlanRequest,
    PlanResponse, ReadRequest, ReadResponse, Resource, UpdateRequest,
};
