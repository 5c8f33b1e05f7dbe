//! What belongs to a cluster among repositories and settings of the registry, and the arguments it was made from.

use std::collections::BTreeSet;

use resource_graph::{Failure, Record};
use terraform_plugin::prelude::*;

use super::model::{ImageRegistry, ImageReplication, ImageRepository};
use crate::aws::Aws;
use crate::aws::ownership::Ownership;
use crate::parts::image_repository::{self, Details, Encryption, Existing};
use crate::parts::{registry_replication, registry_scanning};
use crate::resources::production_cluster::defaults::{EXPIRE_UNTAGGED_DAYS, KEEP_IMAGES};

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    repositories: Vec<Existing>,
    scanning: Option<Record>,
    replication: Option<registry_replication::Existing>,
}

impl Found {
    /// The records of everything.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let repositories = self.repositories.iter().map(|repository| &repository.record);
        let replication = self.replication.iter().map(|rule| &rule.record);
        repositories.chain(&self.scanning).chain(replication).cloned()
    }
}

/// Looks for everything that carries our mark, and for what the registry says about it. Pull-through cache rules
/// carry none, and nothing tells whose they are.
pub async fn find(aws: &Aws, ownership: &Ownership) -> Result<Found, Failure> {
    let repositories = image_repository::discover(aws, ownership).await?;
    let names: BTreeSet<String> =
        repositories.iter().map(|repository| repository.name().to_owned()).collect();
    let (scanning, replication) = tokio::try_join!(
        registry_scanning::discover(aws, &names),
        registry_replication::discover(aws, &names),
    )?;
    Ok(Found { repositories, scanning, replication })
}

/// The arguments that what was found was made from.
pub async fn read_back(
    aws: &Aws,
    found: &Found,
) -> Result<(Field<Map<ImageRepository>>, Field<ImageRegistry>), Failure> {
    let mut repositories = Map::default();
    for existing in &found.repositories {
        let details = image_repository::details(aws, existing).await?;
        repositories.insert(existing.name().to_owned(), repository(existing, details).into());
    }
    let own_account = &aws.location.account_id;
    let destination = |destination: &registry_replication::Destination| ImageReplication {
        region: destination.region.as_str().into(),
        account_id: Some(destination.account_id.clone()).filter(|account| account != own_account).into(),
    };
    let replication = found
        .replication
        .as_ref()
        .map(|rule| rule.destinations.iter().map(destination).collect::<Set<ImageReplication>>());
    let registry = ImageRegistry {
        enhanced_scanning: found.scanning.as_ref().map(|_| true).into(),
        replication: replication.into(),
        pull_through: Field::Null,
    };
    Ok((
        (!repositories.is_empty()).then_some(repositories).into(),
        (registry != ImageRegistry::default()).then_some(registry).into(),
    ))
}

fn repository(existing: &Existing, details: Details) -> ImageRepository {
    let Details { encryption, limits, pull_account_ids } = details;
    ImageRepository {
        immutable: (!existing.immutable).then_some(false).into(),
        scan_on_push: (!existing.scan_on_push).then_some(false).into(),
        kms: (encryption == Encryption::Aes256).then_some(false).into(),
        kms_key_arn: match encryption {
            Encryption::Key(arn) => arn.into(),
            _ => Field::Null,
        },
        keep_images: Some(limits.keep_images).filter(|number| *number != KEEP_IMAGES).into(),
        expire_untagged_days: Some(limits.expire_untagged_days)
            .filter(|days| *days != EXPIRE_UNTAGGED_DAYS)
            .into(),
        pull_account_ids: (!pull_account_ids.is_empty())
            .then(|| pull_account_ids.into_iter().collect::<Set<String>>())
            .into(),
        on_destroy: Field::Null,
    }
}
