//! Typed models: one definition gives the struct, its schema and the way to and from Terraform's values.

mod collections;
mod definition;
mod duration;
mod element;
mod field;
mod timeouts;

pub use collections::{List, Map, Set};
pub use definition::{attribute_name, description};
pub use duration::{DurationError, parse_duration};
pub use element::{Element, Model};
pub use field::Field;
pub use timeouts::{Timeouts, TimeoutsPaths};

#[cfg(test)]
mod tests;
