//! What people read about the parts for images, as far as it is known.

use resource_graph::PartKey;

use super::model::{ImagePullThrough, ImageRepository};
use super::settings::{Repository, replication};
use crate::parts::image_repository::Encryption;
use crate::parts::{image_repository, pull_through_cache_rule, registry_replication, registry_scanning};
use crate::resources::production_cluster::known::value;
use crate::resources::production_cluster::model::ProductionCluster;

/// Key of the entries about scanning.
pub fn scanning() -> PartKey {
    PartKey::new(registry_scanning::KIND, "")
}

/// Key of the replication rule.
pub fn replication_rule() -> PartKey {
    PartKey::new(registry_replication::KIND, "")
}

/// Keys and texts; none while it is not even known which parts there are.
pub fn specs(model: &ProductionCluster) -> Option<Vec<(PartKey, Option<String>)>> {
    let repositories = value(&model.image_repositories)?.unwrap_or_default();
    let registry = value(&model.image_registry)?.unwrap_or_default();
    let mut specs = Vec::new();
    for (name, field) in repositories.iter() {
        let spec = value(field).and_then(|repository| repository_spec(&repository.unwrap_or_default()));
        specs.push((PartKey::new(image_repository::KIND, name), spec));
    }
    let count = count(repositories.len(), "repository", "repositories");
    if value(&registry.enhanced_scanning)?.unwrap_or(false) {
        specs.push((scanning(), Some(format!("enhanced, {count}"))));
    }
    if value(&registry.replication)?.is_some() {
        let spec = replication(&registry).map(|destinations| {
            let place = |(region, account): (String, Option<String>)| match account {
                Some(account) => format!("{region} of {account}"),
                None => region,
            };
            let places: Vec<String> = destinations.into_iter().map(place).collect();
            format!("{count} to {}", places.join(", "))
        });
        specs.push((replication_rule(), spec));
    }
    for (prefix, field) in value(&registry.pull_through)?.unwrap_or_default().iter() {
        let spec = value(field).and_then(|rule| rule_spec(&rule.unwrap_or_default()));
        specs.push((PartKey::new(pull_through_cache_rule::KIND, prefix), spec));
    }
    Some(specs)
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn repository_spec(repository: &ImageRepository) -> Option<String> {
    let Repository { immutable, scan_on_push, encryption, limits, pull_account_ids, delete_images } =
        Repository::of(repository)?;
    let mut what = vec![
        if immutable { "immutable tags" } else { "tags may move" }.to_owned(),
        match encryption {
            Encryption::Aes256 => "AES-256".to_owned(),
            Encryption::Kms => "KMS".to_owned(),
            Encryption::Key(_) => "a KMS key of yours".to_owned(),
        },
    ];
    if scan_on_push {
        what.push("scanned when pushed".to_owned());
    }
    if limits.keep_images > 0 {
        what.push(format!("newest {} images", limits.keep_images));
    }
    if limits.expire_untagged_days > 0 {
        what.push(format!("untagged ones {} days", limits.expire_untagged_days));
    }
    if !pull_account_ids.is_empty() {
        what.push(format!("pulled by {}", pull_account_ids.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if delete_images {
        what.push("deleted with its images".to_owned());
    }
    Some(what.join(", "))
}

fn rule_spec(rule: &ImagePullThrough) -> Option<String> {
    let credentials = if value(&rule.credential_arn)?.is_some() { ", with credentials" } else { "" };
    Some(format!("images of {}{credentials}", value(&rule.upstream)??))
}
