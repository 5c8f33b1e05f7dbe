//! Schemas: what users may write and what the provider answers.
//!
//! They are plain data, so that documentation can be rendered from them without Terraform.

mod attribute;
mod check;
mod rules;
mod to_wire;
pub(crate) mod tree;
mod validator;

pub use attribute::{Attribute, Nesting, Schema, Shape};
pub use check::check;
pub use rules::{Rules, block, computed, optional, required};
pub use validator::Validator;

use crate::model::Model;

/// The schema of a model, for documentation and tests.
pub fn schema_of<M: Model>(version: i64, description: impl Into<String>) -> Schema {
    Schema { version, description: description.into(), attributes: M::attributes() }
}

#[cfg(test)]
mod tests;
