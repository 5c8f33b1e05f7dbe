//! A repository of container images, with its lifecycle policy, and who may pull from it.
//!
//! Images outlive clusters. Unless it is to be deleted with its images, only an empty repository is deleted: ECR
//! itself refuses to delete another one. One that is kept loses our marks and says that it was kept; whichever
//! cluster names it next takes it over.
//!
//! API: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html>

mod existing;
mod policies;

use std::collections::BTreeSet;
use std::fmt;

use async_trait::async_trait;
use aws_sdk_ecr::error::ProvideErrorMetadata;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability, Repository, Tag,
};
use resource_graph::{
    Comparison, Created, Failure, Identity, Observation, Outputs, Owner, Part, PartKey, Probe, Record,
    Target, Until,
};
use serde_json::Value;

#[cfg(test)]
use super::Calls;
use super::gone;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, OWNER, Ownership, PART, RETAINED, TagChange, Tags};
use crate::aws::{Aws, Location};

pub use existing::{Details, Existing, details, discover};
pub use policies::Limits;

/// Kind of its keys.
pub const KIND: &str = "image-repository";

/// A repository.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRepository {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name, 2-256 characters.
    pub name: String,
    /// A tag that was pushed once is never moved.
    pub immutable: bool,
    /// Scan an image when it is pushed.
    pub scan_on_push: bool,
    /// Encryption; fixed at creation.
    pub encryption: Encryption,
    /// Which images are deleted.
    pub limits: Limits,
    /// Accounts that may pull, besides the own one; twelve digits each.
    pub pull_account_ids: BTreeSet<String>,
    /// Delete it with its images.
    pub delete_images: bool,
    /// Partition, account and region, for its ARN.
    pub location: Location,
}

/// How images are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// With keys of ECR itself.
    Aes256,
    /// With a KMS key, whichever it is; a new repository gets the one AWS manages, `aws/ecr`.
    Kms,
    /// With this KMS key, by its ARN.
    Key(String),
}

impl fmt::Display for Encryption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aes256 => write!(formatter, "AES256"),
            Self::Kms => write!(formatter, "KMS"),
            Self::Key(arn) => write!(formatter, "{arn}"),
        }
    }
}

impl Encryption {
    /// True when a repository that has `there`, as the output says it, is what is wanted.
    pub fn accepts(&self, there: &str) -> bool {
        match self {
            Self::Kms => there != Self::Aes256.to_string(),
            wanted => there == wanted.to_string(),
        }
    }
}

/// What was seen of a repository.
#[derive(Debug, Clone)]
pub struct Seen {
    immutable: bool,
    scan_on_push: bool,
    encryption: String,
    lifecycle: Option<Value>,
    policy: Option<Value>,
    tags: Tags,
}

/// One update of a repository.
#[derive(Debug, Clone)]
pub enum Change {
    /// Tags may be moved, or not any more.
    Mutability,
    /// Scan on push, or not any more.
    Scanning,
    /// Another lifecycle policy, or none any more.
    Lifecycle(Option<Value>),
    /// Other accounts may pull: the whole policy, or none any more.
    Policy(Option<Value>),
    /// Other tags.
    Tags(TagChange),
    /// Only recorded: it matters when the repository is deleted.
    OnDestroy,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mutability => write!(formatter, "tag mutability"),
            Self::Scanning => write!(formatter, "scan on push"),
            Self::Lifecycle(_) => write!(formatter, "lifecycle policy"),
            Self::Policy(_) => write!(formatter, "accounts that may pull"),
            Self::Tags(change) => write!(formatter, "{change}"),
            Self::OnDestroy => write!(formatter, "what happens to it on destroy"),
        }
    }
}

impl ImageRepository {
    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership, location: &Location) -> Self {
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            name: record.identity.get("name").to_owned(),
            immutable: true,
            scan_on_push: true,
            encryption: Encryption::Kms,
            limits: Limits::default(),
            pull_account_ids: BTreeSet::new(),
            delete_images: is_deleted(&record.outputs),
            location: location.clone(),
        }
    }

    /// One that a cluster kept is anybody's who names it.
    fn owner(&self, tags: &Tags) -> Owner {
        match self.marks.ownership.of(tags) {
            Owner::Nobody if tags.contains_key(RETAINED) => Owner::Ours,
            owner => owner,
        }
    }

    fn mutability(&self) -> ImageTagMutability {
        if self.immutable { ImageTagMutability::Immutable } else { ImageTagMutability::Mutable }
    }

    fn scanning(&self) -> ImageScanningConfiguration {
        ImageScanningConfiguration::builder().scan_on_push(self.scan_on_push).build()
    }

    fn encryption(&self) -> Result<EncryptionConfiguration, Failure> {
        let builder = EncryptionConfiguration::builder();
        let builder = match &self.encryption {
            Encryption::Aes256 => builder.encryption_type(EncryptionType::Aes256),
            Encryption::Kms => builder.encryption_type(EncryptionType::Kms),
            Encryption::Key(arn) => builder.encryption_type(EncryptionType::Kms).kms_key(arn),
        };
        builder.build().map_err(|error| Failure::refused(error.to_string()))
    }

    fn on_destroy(&self) -> &'static str {
        if self.delete_images { DELETE_IMAGES } else { "retain" }
    }

    /// Takes our marks off, and says that it was kept.
    async fn release(&self, aws: &Aws, name: &str) -> Result<(), Failure> {
        let arn = self.location.repository_arn(name);
        let set = [(RETAINED.to_owned(), self.marks.ownership.owner().to_owned())].into();
        let remove = vec![OWNER.to_owned(), PART.to_owned()];
        set_tags(aws, &arn, &TagChange { set, remove }).await
    }
}

#[async_trait]
impl Part<Aws> for ImageRepository {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.marks.key.clone()
    }

    fn identity(&self) -> Identity {
        Identity::new([("name", &self.name)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let name = target.identity.get("name");
        let arn = self.location.repository_arn(name);
        let (repository, tags, lifecycle, policy) = tokio::try_join!(
            describe(aws, name),
            tags(aws, &arn),
            policies::lifecycle(aws, name),
            policies::policy(aws, name),
        )?;
        let Some((repository, tags)) = repository.zip(tags) else { return Ok(Observation::Absent) };
        Ok(Observation::Present {
            owner: self.owner(&tags),
            instance: created(&repository),
            outputs: outputs(&repository),
            seen: Seen {
                immutable: is_immutable(&repository),
                scan_on_push: scans_on_push(&repository),
                encryption: encryption(&repository),
                lifecycle,
                policy,
                tags,
            },
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        if !self.encryption.accepts(&seen.encryption) {
            return Comparison::Impossible(format!(
                "repository {} is encrypted with {}, which AWS fixes at creation; set kms and kms_key_arn to that, or \
                 delete the repository and its images yourself",
                self.name, seen.encryption,
            ));
        }
        let mut changes = Vec::new();
        if seen.immutable != self.immutable {
            changes.push(Change::Mutability);
        }
        if seen.scan_on_push != self.scan_on_push {
            changes.push(Change::Scanning);
        }
        let lifecycle = self.limits.lifecycle();
        if seen.lifecycle != lifecycle {
            changes.push(Change::Lifecycle(lifecycle));
        }
        let policy = policies::with_pulls(seen.policy.as_ref(), &self.pull_account_ids, &self.location);
        changes.extend(policy.map(Change::Policy));
        changes.extend(TagChange::between(&seen.tags, &self.marks.tags()).map(Change::Tags));
        if is_deleted(target.outputs) != self.delete_images {
            changes.push(Change::OnDestroy);
        }
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let answer = aws
            .ecr
            .create_repository()
            .repository_name(target.identity.get("name"))
            .image_tag_mutability(self.mutability())
            .image_scanning_configuration(self.scanning())
            .encryption_configuration(self.encryption()?)
            .set_tags(Some(ecr_tags(&self.marks.tags())))
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let repository = answer
            .repository
            .ok_or_else(|| Failure::refused("ECR CreateRepository answered no repository"))?;
        let mut outputs = outputs(&repository);
        outputs.set(ON_DESTROY, self.on_destroy());
        let seen = Seen {
            immutable: self.immutable,
            scan_on_push: self.scan_on_push,
            encryption: encryption(&repository),
            lifecycle: None,
            policy: None,
            tags: self.marks.tags(),
        };
        Ok(Created { seen, instance: created(&repository), outputs })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let name = target.identity.get("name");
        match change {
            Change::Mutability => {
                let call = aws.ecr.put_image_tag_mutability().repository_name(name);
                let call = call.image_tag_mutability(self.mutability());
                call.send().await.map_err(|error| failure(PUT_MUTABILITY, &error))?;
            }
            Change::Scanning => {
                let call = aws.ecr.put_image_scanning_configuration().repository_name(name);
                let call = call.image_scanning_configuration(self.scanning());
                call.send().await.map_err(|error| failure(PUT_SCANNING, &error))?;
            }
            Change::Lifecycle(wanted) => policies::set_lifecycle(aws, name, wanted.as_ref()).await?,
            Change::Policy(wanted) => policies::set_policy(aws, name, wanted.as_ref()).await?,
            Change::Tags(change) => set_tags(aws, &self.location.repository_arn(name), change).await?,
            Change::OnDestroy => return Ok(Outputs::new([(ON_DESTROY, self.on_destroy())])),
        }
        Ok(Outputs::default())
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let name = target.identity.get("name");
        let call = aws.ecr.delete_repository().repository_name(name).force(self.delete_images);
        match call.send().await {
            Err(error) if error.code() == Some(NOT_EMPTY) => self.release(aws, name).await,
            answer => gone(DELETE, answer),
        }
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let name = target.identity.get("name");
        let Some(repository) = describe(aws, name).await? else {
            return match until {
                Until::Usable => Err(super::not_visible_yet()),
                Until::Gone => Ok(Probe::Done(Outputs::default())),
            };
        };
        if until == Until::Usable {
            return Ok(Probe::Done(outputs(&repository)));
        }
        let tags = tags(aws, &self.location.repository_arn(name)).await?.unwrap_or_default();
        let is_ours = self.marks.ownership.of(&tags) == Owner::Ours;
        Ok(if is_ours { Probe::Pending("still there".to_owned()) } else { Probe::Done(Outputs::default()) })
    }
}

/// Output: where images are pushed to and pulled from.
pub const URL: &str = "url";
/// Output: how it is encrypted, `AES256`, or the ARN of a key.
pub const ENCRYPTION: &str = "encryption";
/// Output that says what happens to images when the repository is deleted.
pub const ON_DESTROY: &str = "on_destroy";
/// Value of [`ON_DESTROY`]: they go.
pub const DELETE_IMAGES: &str = "delete";

const NOT_EMPTY: &str = "RepositoryNotEmptyException";

const CREATE: Operation = Operation::new("ECR", "CreateRepository");
const DESCRIBE: Operation = Operation::new("ECR", "DescribeRepositories");
const PUT_MUTABILITY: Operation = Operation::new("ECR", "PutImageTagMutability");
const PUT_SCANNING: Operation = Operation::new("ECR", "PutImageScanningConfiguration");
const LIST_TAGS: Operation = Operation::new("ECR", "ListTagsForResource");
const TAG: Operation = Operation::new("ECR", "TagResource");
const UNTAG: Operation = Operation::new("ECR", "UntagResource");
const DELETE: Operation = Operation::new("ECR", "DeleteRepository");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[
        CREATE,
        DESCRIBE,
        PUT_MUTABILITY,
        PUT_SCANNING,
        LIST_TAGS,
        TAG,
        UNTAG,
        DELETE,
        policies::GET_LIFECYCLE,
        policies::PUT_LIFECYCLE,
        policies::DELETE_LIFECYCLE,
        policies::GET_POLICY,
        policies::SET_POLICY,
        policies::DELETE_POLICY,
        existing::DESCRIBE_KEY,
    ],
    implied: &[
        ("kms:CreateGrant", "ECR user guide, encryption-at-rest: with a key of the user's"),
        ("kms:RetireGrant", "ECR user guide, encryption-at-rest: with a key of the user's"),
    ],
};

fn is_deleted(outputs: &Outputs) -> bool {
    outputs.get(ON_DESTROY) == Some(DELETE_IMAGES)
}

fn outputs(repository: &Repository) -> Outputs {
    Outputs::new([
        ("arn", repository.repository_arn().unwrap_or_default()),
        (URL, repository.repository_uri().unwrap_or_default()),
        (ENCRYPTION, &encryption(repository)),
    ])
}

/// When it was made, seconds since 1970: the same in the answer of the create and later.
fn created(repository: &Repository) -> Option<String> {
    repository.created_at().map(|time| time.secs().to_string())
}

fn is_immutable(repository: &Repository) -> bool {
    repository.image_tag_mutability() == Some(&ImageTagMutability::Immutable)
}

fn scans_on_push(repository: &Repository) -> bool {
    repository.image_scanning_configuration().is_some_and(|scanning| scanning.scan_on_push())
}

fn encryption(repository: &Repository) -> String {
    let Some(encryption) = repository.encryption_configuration() else {
        return Encryption::Aes256.to_string();
    };
    encryption.kms_key().unwrap_or(encryption.encryption_type().as_str()).to_owned()
}

fn ecr_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}

async fn describe(aws: &Aws, name: &str) -> Result<Option<Repository>, Failure> {
    match aws.ecr.describe_repositories().repository_names(name).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE, &error)),
        Ok(answer) => Ok(answer.repositories.unwrap_or_default().into_iter().next()),
    }
}

/// None when there is no such repository any more.
async fn tags(aws: &Aws, arn: &str) -> Result<Option<Tags>, Failure> {
    match aws.ecr.list_tags_for_resource().resource_arn(arn).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(LIST_TAGS, &error)),
        Ok(answer) => {
            Ok(Some(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()))
        }
    }
}

async fn set_tags(aws: &Aws, arn: &str, change: &TagChange) -> Result<(), Failure> {
    if !change.set.is_empty() {
        let call = aws.ecr.tag_resource().resource_arn(arn).set_tags(Some(ecr_tags(&change.set)));
        call.send().await.map_err(|error| failure(TAG, &error))?;
    }
    if !change.remove.is_empty() {
        let call = aws.ecr.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove.clone()));
        call.send().await.map_err(|error| failure(UNTAG, &error))?;
    }
    Ok(())
}
