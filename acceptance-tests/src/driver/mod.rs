//! Does what Terraform's core does with one resource, without Terraform: the same calls in the same order,
//! in separate provider processes for plan and apply, with the same checks and the same handling of
//! half-made objects. A command takes a fraction of what the CLI takes, so thousands can be run.
//!
//! The wire codec and the schema are written again here on purpose: a fault in the provider's own must not
//! hide behind the same fault in its test.

mod apply;
mod checks;
mod codec;
mod plan;
mod proposed;
mod schema;
mod session;
mod state;
mod terraform;
mod value;

pub use plan::{Action, Change, Plan};
pub use schema::{Attribute, Block, NestedBlock, Nesting, Schemas, Shape};
pub use session::{Answer, Controls, Diagnostic, Session};
pub use state::{Object, State};
pub use terraform::{Outcome, Terraform};
pub use value::{Type, UNKNOWN, Value};
