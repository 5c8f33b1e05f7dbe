//! What users look up: one file a data source.

pub mod owned_objects;
