//! Arguments about images.

use terraform_plugin::prelude::*;

use crate::config::{is_arn, is_key_arn};

model! {
    /// A repository of images. One that somebody else made is an error that names it; one that a destroyed
    /// cluster kept is taken over.
    pub struct ImageRepository paths ImageRepositoryPaths {
        /// A tag that was pushed once is never moved. Default `true`.
        immutable: bool = optional(),
        /// Scan an image when it is pushed. Default `true`. With `image_registry.enhanced_scanning` the rules of the
        /// registry decide instead.
        scan_on_push: bool = optional(),
        /// Encrypt with a KMS key; AWS fixes it at creation. Default `true`: with the key that AWS manages in the
        /// account (`aws/ecr`), never with the key of the cluster, which is deleted with the cluster, while images
        /// stay. `false`: AES-256 with keys of ECR.
        kms: bool = optional(),
        /// A key of yours instead; AWS fixes it at creation. Whoever deletes it loses the images.
        kms_key_arn: String = optional().check(is_key_arn, "be the ARN of a KMS key, not of an alias"),
        /// The newest images that stay; older ones are deleted by ECR. `0`: all. Default 100.
        keep_images: i64 = optional().between(0, 100_000),
        /// Days after which ECR deletes an image that has no tag. `0`: never. Default 14.
        expire_untagged_days: i64 = optional().between(0, 3_650),
        /// Accounts that may pull, twelve digits each. Other statements of the repository's policy stay as they are.
        /// Default: only the own account.
        pull_account_ids: Set<String> = optional().size(1, 50).check(is_account, "be twelve digits"),
        /// What happens when the cluster is destroyed, or the key is removed from the map. `retain` (default): a
        /// repository with images stays, with its settings, and the next cluster that names it takes it over; an
        /// empty one is deleted. `delete`: it is deleted with all its images.
        on_destroy: String = optional().one_of(&["retain", "delete"]),
    }

    /// Settings that all repositories of the account share in a region. Only the entries about the cluster's own
    /// repositories are added, changed and removed; those of others, other clusters among them, stay as they are.
    pub struct ImageRegistry paths ImageRegistryPaths {
        /// Let Amazon Inspector scan the repositories of `image_repositories` continuously. A filter matches every
        /// repository whose name contains the text. A registry that scans with `BASIC` and without rules is switched
        /// to `ENHANCED`, for all its repositories, and back when no rule is left; one with `BASIC` rules of others
        /// is an error. Default `false`.
        enhanced_scanning: bool = optional(),
        /// Copy new images of `image_repositories`, and of all repositories whose names begin like theirs, to other
        /// registries. Other accounts have to allow it in the policy of their registry. Copies stay when the cluster
        /// is destroyed. Default: no copies.
        replication: Set<ImageReplication> = optional().size(1, 25),
        /// Fetch images of other registries through this one, by the prefix that their repositories get here (2-30
        /// characters, or `ROOT`). A rule that exists and is the same is shared: it is used, and never changed or
        /// deleted; another one of that prefix is an error. A rule that was made here is deleted with the cluster,
        /// even if another cluster shares it, whose next apply makes it again: a tag on the cluster's role says which
        /// ones were. The repositories that ECR makes for fetched images are not managed,
        /// and stay.
        pull_through: Map<ImagePullThrough> = optional().keys(is_prefix, "have 2-30 lower-case letters and digits, joined by `.`, `_`, `-` or `/`, or are `ROOT`"),
    }

    /// Where copies go.
    pub struct ImageReplication {
        /// Region, such as `eu-west-1`.
        region: String = required().length(2, 25),
        /// Account, twelve digits. Default: the own one.
        account_id: String = optional().check(is_account, "be twelve digits"),
    }

    /// Another registry.
    pub struct ImagePullThrough paths ImagePullThroughPaths {
        /// Its host: `public.ecr.aws`, `registry.k8s.io`, `quay.io`, `registry-1.docker.io`, `ghcr.io`,
        /// `registry.gitlab.com`, `cgr.dev`, `<name>.azurecr.io` or `<account>.dkr.ecr.<region>.amazonaws.com`. A
        /// change makes the rule anew.
        upstream: String = required().check(is_host, "be the name of a host, without `https://` and path"),
        /// ARN of a secret in Secrets Manager with the credentials, whose name begins with `ecr-pullthroughcache/`;
        /// needed for all but the first three and ECR.
        credential_arn: String = optional().check(is_credential, "be the ARN of a secret whose name begins with `ecr-pullthroughcache/`"),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || "-.".contains(character)
        })
}

/// Source: CreatePullThroughCacheRule, credentialArn.
fn is_credential(text: &str) -> bool {
    is_arn(text)
        && text.split(':').nth(2) == Some("secretsmanager")
        && text.splitn(7, ':').nth(6).is_some_and(|name| name.starts_with("ecr-pullthroughcache/"))
}

/// Source: CreatePullThroughCacheRule, ecrRepositoryPrefix.
fn is_prefix(text: &str) -> bool {
    text == "ROOT" || (2..=30).contains(&text.len()) && is_repository(text.strip_suffix('/').unwrap_or(text))
}

/// Source: CreateRepository, repositoryName.
pub fn is_repository_name(text: &str) -> bool {
    (2..=256).contains(&text.len()) && is_repository(text)
}

fn is_repository(text: &str) -> bool {
    text.split('/').all(is_segment)
}

/// Words of lower-case letters and digits, joined by one `.`, one or two `_`, or any number of `-`.
fn is_segment(text: &str) -> bool {
    let is_word = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let joins = |joint: &str| matches!(joint, "." | "_" | "__") || joint.chars().all(|joint| joint == '-');
    let mut joints = text.split(is_word).filter(|joint| !joint.is_empty());
    text.starts_with(is_word) && text.ends_with(is_word) && joints.all(joins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_ecr_takes() {
        for right in ["ab", "shop/api", "a.b_c__d--e/f0", "2a"] {
            assert!(is_repository_name(right), "{right}");
        }
        for wrong in ["a", "Shop", "shop/", "/shop", "a..b", "a___b", "a._b", "-a", "a b", "ä1"] {
            assert!(!is_repository_name(wrong), "{wrong}");
        }
        assert!(is_prefix("ROOT") && is_prefix("docker-hub/") && !is_prefix("x"));
    }

    #[test]
    fn credentials_are_named_as_ecr_wants_them() {
        let arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:";
        assert!(is_credential(&format!("{arn}ecr-pullthroughcache/hub-Ab12Cd")));
        assert!(!is_credential(&format!("{arn}hub-Ab12Cd")));
    }
}
