//! Types and services generated from `proto/`.
#![allow(missing_docs, unreachable_pub, clippy::all)]

/// Package `tfplugin6`: Terraform's provider protocol, version 6.
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// Package `plugin`: the services every plugin serves beside its own.
pub mod plugin {
    tonic::include_proto!("plugin");
}
