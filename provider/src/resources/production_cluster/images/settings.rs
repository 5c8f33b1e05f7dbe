//! The arguments about images with every default in its place.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{self, ImageRegistry};
use crate::parts::image_repository::{Encryption, Limits};
use crate::resources::production_cluster::defaults::{EXPIRE_UNTAGGED_DAYS, KEEP_IMAGES};
use crate::resources::production_cluster::known::{set, value};
use crate::resources::production_cluster::model::ProductionCluster;

/// Everything about images.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    pub repositories: BTreeMap<String, Repository>,
    pub enhanced_scanning: bool,
    /// Region, and account where it is not the own one.
    pub replication: BTreeSet<(String, Option<String>)>,
    /// By prefix.
    pub pull_through: BTreeMap<String, PullThrough>,
}

/// A repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Repository {
    pub immutable: bool,
    pub scan_on_push: bool,
    pub encryption: Encryption,
    pub limits: Limits,
    pub pull_account_ids: BTreeSet<String>,
    pub delete_images: bool,
}

/// Another registry.
#[derive(Debug, Clone, PartialEq)]
pub struct PullThrough {
    pub upstream: String,
    pub credential_arn: Option<String>,
}

impl Images {
    /// The settings of a model; none while anything in it is unknown.
    pub fn of(model: &ProductionCluster) -> Option<Self> {
        let repositories = value(&model.image_repositories)?.unwrap_or_default();
        let registry = value(&model.image_registry)?.unwrap_or_default();
        let pull_through = value(&registry.pull_through)?.unwrap_or_default();
        let mut images = Self {
            repositories: BTreeMap::new(),
            enhanced_scanning: value(&registry.enhanced_scanning)?.unwrap_or(false),
            replication: replication(&registry)?,
            pull_through: BTreeMap::new(),
        };
        for (name, field) in repositories.iter() {
            images.repositories.insert(name.clone(), Repository::of(&value(field)?.unwrap_or_default())?);
        }
        for (prefix, field) in pull_through.iter() {
            let rule = value(field)?.unwrap_or_default();
            let rule = PullThrough {
                upstream: value(&rule.upstream)?.unwrap_or_default(),
                credential_arn: value(&rule.credential_arn)?,
            };
            images.pull_through.insert(prefix.clone(), rule);
        }
        Some(images)
    }
}

impl Repository {
    /// The settings of one; none while anything in it is unknown.
    pub fn of(repository: &model::ImageRepository) -> Option<Self> {
        Some(Self {
            immutable: value(&repository.immutable)?.unwrap_or(true),
            scan_on_push: value(&repository.scan_on_push)?.unwrap_or(true),
            encryption: encryption(repository)?,
            limits: Limits {
                keep_images: value(&repository.keep_images)?.unwrap_or(KEEP_IMAGES),
                expire_untagged_days: value(&repository.expire_untagged_days)?
                    .unwrap_or(EXPIRE_UNTAGGED_DAYS),
            },
            pull_account_ids: set(&repository.pull_account_ids)?.unwrap_or_default(),
            delete_images: value(&repository.on_destroy)?.as_deref() == Some("delete"),
        })
    }
}

/// How a repository is to be encrypted; none while it is unknown.
pub fn encryption(repository: &model::ImageRepository) -> Option<Encryption> {
    Some(match (value(&repository.kms)?, value(&repository.kms_key_arn)?) {
        (_, Some(arn)) => Encryption::Key(arn),
        (Some(false), None) => Encryption::Aes256,
        _ => Encryption::Kms,
    })
}

/// Where copies go; none while it is unknown.
pub fn replication(registry: &ImageRegistry) -> Option<BTreeSet<(String, Option<String>)>> {
    let mut destinations = BTreeSet::new();
    for field in value(&registry.replication)?.unwrap_or_default().iter() {
        let destination = value(field)?.unwrap_or_default();
        let region = value(&destination.region)?.unwrap_or_default();
        destinations.insert((region, value(&destination.account_id)?));
    }
    Some(destinations)
}
