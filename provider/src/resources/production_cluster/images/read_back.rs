//! What belongs to a cluster among repositories and settings of the registry, and the arguments it was made from.

use std::collections::BTreeSet;

use resource_graph::{Failure, Record};
use terraform_plugin::prelude::*;

use super::model::{ImagePullThrough, ImageRegistry, ImageReplication, ImageRepository};
use crate::aws::Aws;
use crate::parts::image_repository::{self, Details, Encryption, Existing};
use crate::parts::{iam_role, made_here, pull_through_cache_rule, registry_replication, registry_scanning};
use crate::resources::production_cluster::defaults::{EXPIRE_UNTAGGED_DAYS, KEEP_IMAGES};

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    repositories: Vec<Existing>,
    scanning: Option<Record>,
    replication: Option<registry_replication::Existing>,
    pull_through: Vec<pull_through_cache_rule::Existing>,
}

impl Found {
    /// The records of everything.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let repositories = self.repositories.iter().map(|repository| &repository.record);
        let replication = self.replication.iter().map(|rule| &rule.record);
        let pull_through = self.pull_through.iter().map(|rule| &rule.record);
        repositories.chain(&self.scanning).chain(replication).chain(pull_through).cloned()
    }
}

/// Looks for what the registry says about repositories that carry our mark, and for the rules of which the cluster's
/// role says that they were made here.
pub async fn find(
    aws: &Aws,
    repositories: Vec<Existing>,
    role: Option<&iam_role::Existing>,
) -> Result<Found, Failure> {
    let names: BTreeSet<String> =
        repositories.iter().map(|repository| repository.name().to_owned()).collect();
    let (scanning, replication, pull_through) = tokio::try_join!(
        registry_scanning::discover(aws, &names),
        registry_replication::discover(aws, &names),
        pull_through(aws, role),
    )?;
    Ok(Found { repositories, scanning, replication, pull_through })
}

async fn pull_through(
    aws: &Aws,
    role: Option<&iam_role::Existing>,
) -> Result<Vec<pull_through_cache_rule::Existing>, Failure> {
    let Some(role) = role else { return Ok(Vec::new()) };
    let rules = made_here::parts(&role.tags).filter(|(part, _)| part.kind() == pull_through_cache_rule::KIND);
    let name = role.record.identity.get("name");
    let finds =
        rules.map(|(part, mark)| async move { pull_through_cache_rule::find(aws, &part, &mark, name).await });
    Ok(futures::future::try_join_all(finds).await?.into_iter().flatten().collect())
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
    let rule = |rule: &pull_through_cache_rule::Existing| {
        let upstream = rule.upstream.as_str().into();
        let rule_model = ImagePullThrough { upstream, credential_arn: rule.credential_arn.clone().into() };
        (rule.record.key.name().to_owned(), Field::Known(rule_model))
    };
    let pull_through: Map<ImagePullThrough> = found.pull_through.iter().map(rule).collect();
    let registry = ImageRegistry {
        enhanced_scanning: found.scanning.as_ref().map(|_| true).into(),
        replication: replication.into(),
        pull_through: (!pull_through.is_empty()).then_some(pull_through).into(),
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
