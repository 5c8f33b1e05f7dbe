//! Repositories found again: by their marks, and with everything an import reads.

use std::collections::BTreeSet;

use aws_sdk_ecr::types::Repository;
use aws_sdk_kms::types::KeyManagerType;
use futures::{StreamExt, TryStreamExt};
use resource_graph::{Failure, Identity, Record};

use super::policies::{self, Limits};
use super::{DESCRIBE, ENCRYPTION, Encryption, KIND, created, is_immutable, outputs, scans_on_push, tags};
use crate::aws::Aws;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::Ownership;
use crate::errors;
use crate::parts::{found, part_of};

/// Looks for tags at once.
const LOOKS_AT_ONCE: usize = 8;

/// A repository with our mark.
#[derive(Debug, Clone)]
pub struct Existing {
    /// Its record.
    pub record: Record,
    /// Tags are never moved.
    pub immutable: bool,
    /// Images are scanned when they are pushed.
    pub scan_on_push: bool,
}

impl Existing {
    /// Its name.
    pub fn name(&self) -> &str {
        self.record.identity.get("name")
    }
}

/// What only an import asks for.
#[derive(Debug, Clone)]
pub struct Details {
    /// How it is encrypted; with a key that AWS manages, [`Encryption::Kms`].
    pub encryption: Encryption,
    /// Which images are deleted.
    pub limits: Limits,
    /// Accounts that may pull.
    pub pull_account_ids: BTreeSet<String>,
}

pub const DESCRIBE_KEY: Operation = Operation::new("KMS", "DescribeKey");

/// Repositories that carry the owner mark. ECR cannot be asked by tag. Who may not list repositories has no part
/// of a cluster among them: clusters without any must not need that permission.
pub async fn discover(aws: &Aws, ownership: &Ownership) -> Result<Vec<Existing>, Failure> {
    let mut repositories = Vec::new();
    let mut pages = aws.ecr.describe_repositories().into_paginator().items().send();
    while let Some(repository) = pages.next().await {
        match repository.map_err(|error| failure(DESCRIBE, &error)) {
            Ok(repository) => repositories.push(repository),
            Err(refused) if refused.code == Some(errors::ACCESS_DENIED.code) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
    let looks = repositories.into_iter().map(|repository| existing(aws, ownership, repository));
    let found: Vec<Option<Existing>> =
        futures::stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE).try_collect().await?;
    let mut found: Vec<Existing> = found.into_iter().flatten().collect();
    found.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(found)
}

async fn existing(
    aws: &Aws,
    ownership: &Ownership,
    repository: Repository,
) -> Result<Option<Existing>, Failure> {
    let name = repository.repository_name().unwrap_or_default();
    // Repositories of others may refuse to tell their tags, and are not ours then.
    let tags = match tags(aws, &aws.location.repository_arn(name)).await {
        Err(refused) if refused.code == Some(errors::ACCESS_DENIED.code) => None,
        answer => answer?,
    };
    let key = part_of(ownership, &tags.unwrap_or_default(), KIND);
    Ok(key.map(|key| Existing {
        immutable: is_immutable(&repository),
        scan_on_push: scans_on_push(&repository),
        record: found(key, Identity::new([("name", name)]), created(&repository), outputs(&repository)),
    }))
}

/// The rest of what an import reads.
pub async fn details(aws: &Aws, existing: &Existing) -> Result<Details, Failure> {
    let name = existing.name();
    let there = existing.record.outputs.get(ENCRYPTION).unwrap_or_default();
    let (lifecycle, policy, encryption) = futures::future::try_join3(
        policies::lifecycle(aws, name),
        policies::policy(aws, name),
        with_whose_key(aws, there),
    )
    .await?;
    Ok(Details {
        encryption,
        limits: Limits::read(lifecycle.as_ref()),
        pull_account_ids: policies::pulling_accounts(policy.as_ref()),
    })
}

/// A key that AWS manages is named by nobody.
async fn with_whose_key(aws: &Aws, there: &str) -> Result<Encryption, Failure> {
    if Encryption::Aes256.accepts(there) {
        return Ok(Encryption::Aes256);
    }
    let metadata = match aws.kms.describe_key().key_id(there).send().await {
        Err(error) if is_absent(&error) => None,
        Err(error) => return Err(failure(DESCRIBE_KEY, &error)),
        Ok(answer) => answer.key_metadata,
    };
    let is_customers =
        metadata.is_some_and(|metadata| metadata.key_manager() == Some(&KeyManagerType::Customer));
    Ok(if is_customers { Encryption::Key(there.to_owned()) } else { Encryption::Kms })
}
