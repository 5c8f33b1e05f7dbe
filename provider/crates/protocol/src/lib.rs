//! Terraform's plugin protocol 6, and a typed framework on it.
//!
//! A provider implements [`Provider`] and its [`Resource`]s, writes each model once with [`model!`], and hands
//! the provider to [`run`]. Everything that Terraform demands of a provider around that, from the handshake to
//! the order of a plan, is done here. This crate knows no cloud.
#![deny(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod applying;
#[cfg(all(feature = "client", unix))]
pub mod client;
pub mod codec;
mod diagnostics;
mod framework;
pub mod model;
mod path;
mod planning;
mod rpc;
pub mod schema;
mod serve;
pub mod value;
pub mod wire;

pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use framework::{
    AnyDataSource, AnyProvider, AnyResource, Applied, ApplyInput, ApplyResponse, Change, Checkpoint,
    Connected, CreateRequest, Customised, DataSource, DeleteRequest, DestroyPlan, Function, FunctionError,
    Imported, ImportedObject, Parameter, PlanRequest, PlanResponse, Progress, Provider, Read,
    ReadDataRequest, ReadDataResponse, ReadRequest, ReadResponse, Resource, UpdateRequest, data_source,
    provider, resource,
};
pub use model::{Element, Field, List, Map, Model, Set, Timeouts};
pub use path::{Path, PathStep};
pub use schema::schema_of;
pub use serve::run;

/// Everything that the file of a resource usually needs.
pub mod prelude {
    pub use crate::{
        ApplyResponse, Checkpoint, Connected, CreateRequest, DataSource, DeleteRequest, DestroyPlan,
        Diagnostics, Field, Function, FunctionError, Imported, List, Map, Model, Parameter, Path,
        PlanRequest, PlanResponse, Provider, ReadDataRequest, ReadDataResponse, ReadRequest, ReadResponse,
        Resource, Set, Timeouts, UpdateRequest, data_source, model, resource,
    };
    pub use async_trait::async_trait;
    pub use tokio_util::sync::CancellationToken;
}
