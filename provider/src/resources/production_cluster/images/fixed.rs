//! What AWS fixes when it makes a repository.

use resource_graph::{Ledger, PartKey};
use terraform_plugin::prelude::*;

use super::model::ImageRepository;
use super::settings::{Images, encryption};
use crate::errors;
use crate::parts::image_repository::{self, ENCRYPTION};
use crate::parts::{pull_through_cache_rule, registry_replication, registry_scanning};
use crate::resources::production_cluster::fixed::Fixed;
use crate::resources::production_cluster::known::value;
use crate::resources::production_cluster::model::ProductionCluster;

/// The encryption of each repository that is configured and exists.
pub fn arguments(prior: &ProductionCluster, planned: &ProductionCluster, ledger: &Ledger) -> Vec<Fixed> {
    let paths = ProductionCluster::at(&Path::root());
    let before = value(&prior.image_repositories).flatten().unwrap_or_default();
    let mut arguments = Vec::new();
    for (name, repository) in planned.image_repositories.known().into_iter().flat_map(|all| all.known()) {
        let part = PartKey::new(image_repository::KIND, name);
        let there = ledger.get(&part).and_then(|record| record.outputs.get(ENCRYPTION)).map(str::to_owned);
        let had = before.known_at(name);
        if had.is_none() && there.is_none() {
            continue;
        }
        let planned = encryption(repository);
        // Any key will do where none is named.
        let wanted = planned.as_ref().map(|planned| {
            there.clone().filter(|there| planned.accepts(there)).unwrap_or_else(|| planned.to_string())
        });
        let at = ImageRepository::at(&paths.image_repositories.key(name));
        arguments.push(Fixed {
            path: if repository.kms_key_arn.is_null() { at.kms } else { at.kms_key_arn },
            part,
            prior: had.and_then(encryption).map(|encryption| Some(encryption.to_string())),
            planned: planned.map(|planned| Some(planned.to_string())),
            wanted,
            there,
            deletes_it: false,
            code: errors::IMPOSSIBLE,
        });
    }
    arguments
}

/// True when a rule of the registry that could not be what was configured is to be another one now.
pub fn is_other_rule(prior: &ProductionCluster, planned: &ProductionCluster, key: &PartKey) -> bool {
    let rules = [pull_through_cache_rule::KIND, registry_replication::KIND, registry_scanning::KIND];
    rules.contains(&key.kind()) && Images::of(prior) != Images::of(planned)
}
