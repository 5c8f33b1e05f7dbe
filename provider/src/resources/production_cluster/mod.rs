//! `eks_production_cluster`: a control plane, its nodes and core add-ons, and all they stand on.

mod access;
mod addons;
mod begun;
mod computed;
mod controllers;
mod create;
mod defaults;
mod delete;
mod differing;
mod expand;
mod expansion;
mod family;
mod fixed;
mod images;
mod import;
mod keys;
mod known;
mod known_addon;
mod lookup;
mod memory;
mod model;
mod observability;
mod outline;
mod plan;
mod preset;
mod private;
mod protection;
mod purpose;
mod read;
mod report;
mod run;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod validate;
mod waivers;

use std::sync::Arc;

use resource_graph::PartKey;
use terraform_plugin::prelude::*;

pub use self::family::Family;
use self::memory::{Identity, Memory};
use self::model::ProductionCluster;
use crate::aws::naming::Naming;
use crate::config::Connection;

/// The type's name, also in owner tags and names.
pub const TYPE: &str = "eks_production_cluster";

/// The resource type.
pub struct ProductionClusterResource {
    connection: Arc<Connection>,
    memory: Memory,
}

impl ProductionClusterResource {
    /// The resource type, on a connection that is configured later.
    pub fn new(connection: Arc<Connection>) -> Self {
        Self { connection, memory: Memory::default() }
    }
}

#[async_trait]
impl Resource for ProductionClusterResource {
    type Model = ProductionCluster;

    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn description(&self) -> &'static str {
        "An Amazon EKS cluster for production: control plane, encryption key, logs, roles, node groups and core \
         add-ons, with production defaults.\n\nAccess goes through access entries only, and nobody has one by \
         default, not even who creates the cluster: see `access_entries` and `break_glass`.\n\nA create that fails never costs the cluster: the next apply continues with what exists."
    }

    fn validate(&self, config: &ProductionCluster, diagnostics: &mut Diagnostics) {
        validate::check(config, diagnostics);
    }

    fn loaded(&self, state: &ProductionCluster) {
        if let Some(identity) = identity_of_model(state) {
            self.memory.recall().loaded.insert(identity, state.clone());
        }
    }

    async fn read(&self, request: ReadRequest<ProductionCluster>) -> ReadResponse<ProductionCluster> {
        read::read(self, request).await
    }

    fn unsettled(&self, prior: &ProductionCluster, _private: &[u8]) -> bool {
        plan::is_unsettled(prior)
    }

    async fn plan(&self, request: PlanRequest<'_, ProductionCluster>) -> PlanResponse {
        plan::plan(self, request).await
    }

    async fn plan_destroy(&self, prior: &ProductionCluster, prior_private: &[u8]) -> DestroyPlan {
        plan::plan_destroy(self, prior, prior_private)
    }

    async fn create(&self, request: CreateRequest<ProductionCluster>) -> ApplyResponse<ProductionCluster> {
        create::create(self, request).await
    }

    async fn update(&self, request: UpdateRequest<ProductionCluster>) -> ApplyResponse<ProductionCluster> {
        update::update(self, request).await
    }

    async fn delete(&self, request: DeleteRequest<ProductionCluster>) -> ApplyResponse<ProductionCluster> {
        delete::delete(self, request).await
    }

    async fn import(&self, id: &str) -> Result<Imported<ProductionCluster>, Diagnostics> {
        import::import(self, id).await
    }
}

/// `<region>/<name>`
fn identity_of(region: &str, name: &str) -> Identity {
    format!("{region}/{name}")
}

fn identity_of_model(model: &ProductionCluster) -> Option<Identity> {
    Some(identity_of(model.region.text()?, model.name.text()?))
}

/// EKS decides it.
fn log_group_name(cluster: &str) -> String {
    format!("/aws/eks/{cluster}/cluster")
}

fn alias(naming: &Naming, key: &PartKey, cluster: &str) -> String {
    naming.of(key, &format!("alias/eks/{cluster}"), 256)
}
