//! What users type: one folder a resource type.

pub mod production_cluster;
