//! KMS key with rotation, alias and key policy.
//!
//! `CreateKey` is the one create with neither a name nor a token: the key is looked for by its alias, then
//! by our tag, before one is made. A key that waits for its deletion counts only where it is recorded or has the
//! alias: somebody else scheduled that, and what it encrypts would be lost.
//!
//! API: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>

use std::fmt;

use async_trait::async_trait;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::types::{KeyMetadata, KeyState, Tag};
use resource_graph::{
    Comparison, Created, Failure, Identity, Input, Observation, Output, Outputs, Owner, Part, PartKey, Probe,
    Record, Target, Until,
};
use serde_json::json;

#[cfg(test)]
use super::Calls;
use super::gone;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, Ownership, TagChange, Tags};
use crate::aws::{Aws, Location, policy_document::PolicyDocument};

/// Kind of its keys.
pub const KIND: &str = "kms-key";
/// AWS's own default and maximum for the waiting time of a deletion.
pub const LONGEST_DELETION_WINDOW: i64 = 30;

/// A symmetric key that encrypts Kubernetes secrets and the control plane's logs.
#[derive(Debug, Clone, PartialEq)]
pub struct KmsKey {
    /// Key of the part, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Alias, with `alias/` in front.
    pub alias: String,
    /// Role of the cluster, which may use the key.
    pub cluster_role_arn: Input,
    /// Name of the cluster, whose log groups are encrypted with the key.
    pub cluster: String,
    /// Days between the scheduling of its deletion and the deletion, 7-30.
    pub deletion_window_days: i64,
    /// Partition, account and region, for the policy.
    pub location: Location,
}

/// What was seen of a key.
#[derive(Debug, Clone)]
pub struct Seen {
    waits_for_deletion: bool,
    enabled: bool,
    rotates: bool,
    policy: Option<PolicyDocument>,
    has_alias: bool,
    tags: Tags,
}

/// One update of a key.
#[derive(Debug, Clone)]
pub enum Change {
    /// Somebody scheduled its deletion.
    CancelDeletion,
    /// It is disabled.
    Enable,
    /// It does not rotate.
    Rotate,
    /// Another key policy.
    Policy(String),
    /// The alias is missing or points elsewhere.
    Alias,
    /// Other tags.
    Tags(TagChange),
    /// Only recorded: it matters when the key is deleted.
    DeletionWindow,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CancelDeletion => write!(formatter, "scheduled for deletion"),
            Self::Enable => write!(formatter, "key disabled"),
            Self::Rotate => write!(formatter, "rotation off"),
            Self::Policy(_) => write!(formatter, "key policy"),
            Self::Alias => write!(formatter, "alias missing"),
            Self::Tags(change) => write!(formatter, "{change}"),
            Self::DeletionWindow => write!(formatter, "deletion window"),
        }
    }
}

impl KmsKey {
    /// ARN of the key.
    pub const ARN: Output<Self> = Output::new("arn");

    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership, location: &Location) -> Self {
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            alias: record.identity.get("alias").to_owned(),
            cluster_role_arn: Input::known(""),
            cluster: String::new(),
            deletion_window_days: recorded_window(&record.outputs),
            location: location.clone(),
        }
    }

    /// Who may use the key: the account by its IAM policies, the cluster's role, and the logs service for
    /// the cluster's log groups. Never the caller: whoever creates a cluster may leave the company.
    fn policy(&self, cluster_role_arn: &str) -> PolicyDocument {
        let log_groups = [
            self.location.log_group_arn(&format!("/aws/eks/{}/*", self.cluster)),
            self.location.log_group_arn(&format!("/aws/containerinsights/{}/*", self.cluster)),
        ];
        PolicyDocument::new(vec![
            json!({
                "Sid": "Account", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
                "Principal": { "AWS": self.location.account_root_arn() },
            }),
            json!({
                "Sid": "ClusterRole", "Effect": "Allow", "Resource": "*",
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"],
                "Principal": { "AWS": cluster_role_arn },
            }),
            json!({
                "Sid": "Logs", "Effect": "Allow", "Resource": "*",
                "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                "Principal": { "Service": self.location.logs_principal() },
                "Condition": { "ArnLike": { "kms:EncryptionContext:aws:logs:arn": log_groups } },
            }),
        ])
    }

    /// The key: by its recorded id, else by alias, else a live one by our tags.
    async fn find(&self, aws: &Aws, target: &Target<'_>) -> Result<Option<KeyMetadata>, Failure> {
        if let Some(id) = target.outputs.get(ID) {
            return describe(aws, id).await;
        }
        if let Some(key) = describe(aws, target.identity.get("alias")).await? {
            return Ok(Some(key));
        }
        for id in tagged(aws, &self.marks.ownership, &self.marks.key).await? {
            if let Some(key) = describe(aws, &id).await?.filter(|key| !waits_for_deletion(key)) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Part<Aws> for KmsKey {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.marks.key.clone()
    }

    fn identity(&self) -> Identity {
        Identity::new([("alias", &self.alias)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let alias = target.identity.get("alias");
        let (key, settings) = match target.outputs.get(ID) {
            // Both at once: what is known of the settings of a key that is gone does not matter.
            Some(id) => {
                let (key, settings) = tokio::join!(by_alias_or_id(aws, alias, id), settings(aws, id));
                let Some(key) = key? else { return Ok(Observation::Absent) };
                (key, settings?)
            }
            None => {
                let Some(key) = self.find(aws, target).await? else { return Ok(Observation::Absent) };
                let id = key.key_id();
                let (has_alias, settings) = tokio::try_join!(has_alias(aws, id, alias), settings(aws, id))?;
                ((key, has_alias), settings)
            }
        };
        let ((key, has_alias), (rotates, policy, tags)) = (key, settings);
        let seen = Seen {
            waits_for_deletion: waits_for_deletion(&key),
            enabled: key.enabled(),
            rotates,
            policy,
            has_alias,
            tags: tags.unwrap_or_default(),
        };
        Ok(Observation::Present {
            owner: self.marks.ownership.of(&seen.tags),
            instance: Some(key.key_id().to_owned()),
            outputs: outputs(&key),
            seen,
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let mut changes = Vec::new();
        if seen.waits_for_deletion {
            changes.push(Change::CancelDeletion);
        }
        if !seen.enabled {
            changes.push(Change::Enable);
        }
        if !seen.rotates {
            changes.push(Change::Rotate);
        }
        if let Some(role) = target.input(&self.cluster_role_arn) {
            let wanted = self.policy(&role);
            if seen.policy.as_ref() != Some(&wanted) {
                changes.push(Change::Policy(wanted.text()));
            }
        }
        if !seen.has_alias {
            changes.push(Change::Alias);
        }
        changes.extend(TagChange::between(&seen.tags, &self.marks.tags()).map(Change::Tags));
        if recorded_window(target.outputs) != self.deletion_window_days {
            changes.push(Change::DeletionWindow);
        }
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let policy = self.policy(&target.require(&self.cluster_role_arn)?);
        let answer = aws
            .kms
            .create_key()
            .description(&self.spec)
            .policy(policy.text())
            .set_tags(Some(kms_tags(&self.marks.tags())))
            .customize()
            // The SDK would repeat a call whose answer was lost, and leave a second key. The engine looks for
            // our tag before it tries again.
            .config_override(aws_sdk_kms::config::Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let key = answer.key_metadata.ok_or_else(|| Failure::refused("KMS CreateKey answered no key"))?;
        let seen = Seen {
            waits_for_deletion: false,
            enabled: key.enabled(),
            rotates: false,
            policy: Some(policy),
            has_alias: false,
            tags: self.marks.tags(),
        };
        Ok(Created { seen, instance: Some(key.key_id().to_owned()), outputs: outputs(&key) })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let id = target.outputs.get(ID).unwrap_or_default();
        match change {
            Change::CancelDeletion => {
                let call = aws.kms.cancel_key_deletion().key_id(id);
                call.send().await.map_err(|error| failure(CANCEL_DELETION, &error))?;
            }
            Change::Enable => {
                aws.kms.enable_key().key_id(id).send().await.map_err(|error| failure(ENABLE, &error))?;
            }
            Change::Rotate => {
                let call = aws.kms.enable_key_rotation().key_id(id);
                call.send().await.map_err(|error| failure(ROTATE, &error))?;
            }
            Change::Policy(text) => {
                let call = aws.kms.put_key_policy().key_id(id).policy(text);
                call.send().await.map_err(|error| failure(PUT_POLICY, &error))?;
            }
            Change::Alias => {
                let alias = target.identity.get("alias");
                let create = aws.kms.create_alias().alias_name(alias).target_key_id(id).send().await;
                if let Err(error) = create {
                    let refused = failure(CREATE_ALIAS, &error);
                    if refused.kind != resource_graph::FailureKind::Conflict {
                        return Err(refused);
                    }
                    let call = aws.kms.update_alias().alias_name(alias).target_key_id(id);
                    call.send().await.map_err(|error| failure(UPDATE_ALIAS, &error))?;
                }
            }
            Change::Tags(change) => {
                if !change.set.is_empty() {
                    let call = aws.kms.tag_resource().key_id(id).set_tags(Some(kms_tags(&change.set)));
                    call.send().await.map_err(|error| failure(TAG, &error))?;
                }
                if !change.remove.is_empty() {
                    let call = aws.kms.untag_resource().key_id(id).set_tag_keys(Some(change.remove.clone()));
                    call.send().await.map_err(|error| failure(UNTAG, &error))?;
                }
            }
            Change::DeletionWindow => {
                return Ok(Outputs::new([(WINDOW, &self.deletion_window_days.to_string())]));
            }
        }
        Ok(Outputs::default())
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let Some(key) = self.find(aws, target).await? else { return Ok(()) };
        let alias = target.identity.get("alias");
        if has_alias(aws, key.key_id(), alias).await? {
            gone(DELETE_ALIAS, aws.kms.delete_alias().alias_name(alias).send().await)?;
        }
        if waits_for_deletion(&key) {
            return Ok(());
        }
        let days = i32::try_from(self.deletion_window_days).unwrap_or(30);
        let call = aws.kms.schedule_key_deletion().key_id(key.key_id()).pending_window_in_days(days);
        gone(SCHEDULE_DELETION, call.send().await)
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        match until {
            Until::Usable => Ok(Probe::Done(Outputs::default())),
            Until::Gone => Ok(match self.find(aws, target).await? {
                Some(key) if !waits_for_deletion(&key) => {
                    Probe::Pending("not yet scheduled for deletion".to_owned())
                }
                _ => Probe::Done(Outputs::default()),
            }),
        }
    }
}

const ID: &str = "key_id";
const WINDOW: &str = "deletion_window_days";

const CREATE: Operation = Operation::new("KMS", "CreateKey");
const DESCRIBE: Operation = Operation::new("KMS", "DescribeKey");
const GET_POLICY: Operation = Operation::new("KMS", "GetKeyPolicy");
const PUT_POLICY: Operation = Operation::new("KMS", "PutKeyPolicy");
const GET_ROTATION: Operation = Operation::new("KMS", "GetKeyRotationStatus");
const ROTATE: Operation = Operation::new("KMS", "EnableKeyRotation");
const ENABLE: Operation = Operation::new("KMS", "EnableKey");
const LIST: Operation = Operation::new("KMS", "ListKeys");
const LIST_TAGS: Operation = Operation::new("KMS", "ListResourceTags");
const LIST_ALIASES: Operation = Operation::new("KMS", "ListAliases");
const CREATE_ALIAS: Operation = Operation::new("KMS", "CreateAlias");
const UPDATE_ALIAS: Operation = Operation::new("KMS", "UpdateAlias");
const DELETE_ALIAS: Operation = Operation::new("KMS", "DeleteAlias");
const TAG: Operation = Operation::new("KMS", "TagResource");
const UNTAG: Operation = Operation::new("KMS", "UntagResource");
const SCHEDULE_DELETION: Operation = Operation::new("KMS", "ScheduleKeyDeletion");
const CANCEL_DELETION: Operation = Operation::new("KMS", "CancelKeyDeletion");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[
        CREATE,
        DESCRIBE,
        GET_POLICY,
        PUT_POLICY,
        GET_ROTATION,
        ROTATE,
        ENABLE,
        LIST,
        LIST_TAGS,
        LIST_ALIASES,
        CREATE_ALIAS,
        UPDATE_ALIAS,
        DELETE_ALIAS,
        TAG,
        UNTAG,
        SCHEDULE_DELETION,
        CANCEL_DELETION,
    ],
    implied: &[],
};

/// Keys that carry the owner mark.
pub async fn discover(
    aws: &Aws,
    alias: &str,
    ownership: &Ownership,
    key: &PartKey,
) -> Result<Vec<Record>, Failure> {
    let mut keys = Vec::new();
    if let Some(metadata) = describe(aws, alias).await? {
        let owned = ownership.of(&tags(aws, metadata.key_id()).await?.unwrap_or_default()) == Owner::Ours;
        keys.extend(owned.then_some(metadata));
    }
    if keys.is_empty() {
        for id in tagged(aws, ownership, key).await? {
            keys.extend(describe(aws, &id).await?.filter(|key| !waits_for_deletion(key)));
        }
    }
    let record = |metadata: KeyMetadata| {
        let id = Some(metadata.key_id().to_owned());
        super::found(key.clone(), Identity::new([("alias", alias)]), id, outputs(&metadata))
    };
    Ok(keys.into_iter().map(record).collect())
}

fn recorded_window(outputs: &Outputs) -> i64 {
    outputs.get(WINDOW).and_then(|days| days.parse().ok()).unwrap_or(LONGEST_DELETION_WINDOW)
}

fn outputs(key: &KeyMetadata) -> Outputs {
    Outputs::new([(ID, key.key_id()), ("arn", key.arn().unwrap_or_default())])
}

fn kms_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().filter_map(|(key, value)| Tag::builder().tag_key(key).tag_value(value).build().ok()).collect()
}

fn waits_for_deletion(key: &KeyMetadata) -> bool {
    matches!(key.key_state(), Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion))
}

/// The key behind an id or alias.
async fn describe(aws: &Aws, id: &str) -> Result<Option<KeyMetadata>, Failure> {
    match aws.kms.describe_key().key_id(id).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE, &error)),
        Ok(answer) => Ok(answer.key_metadata),
    }
}

type KeySettings = (bool, Option<PolicyDocument>, Option<Tags>);

async fn settings(aws: &Aws, id: &str) -> Result<KeySettings, Failure> {
    tokio::try_join!(rotates(aws, id), policy(aws, id), tags(aws, id))
}

/// The key of this id, and whether the alias is its: asked for by the alias, one call tells both.
async fn by_alias_or_id(aws: &Aws, alias: &str, id: &str) -> Result<Option<(KeyMetadata, bool)>, Failure> {
    match describe(aws, alias).await {
        Ok(Some(key)) if key.key_id() == id => return Ok(Some((key, true))),
        // A key of others that the alias was given to may be none of our business.
        Err(refused) if refused.kind != resource_graph::FailureKind::Refused => return Err(refused),
        _ => {}
    }
    Ok(describe(aws, id).await?.map(|key| (key, false)))
}

async fn rotates(aws: &Aws, id: &str) -> Result<bool, Failure> {
    let answer = aws.kms.get_key_rotation_status().key_id(id).send().await;
    answer.map(|answer| answer.key_rotation_enabled).map_err(|error| failure(GET_ROTATION, &error))
}

async fn policy(aws: &Aws, id: &str) -> Result<Option<PolicyDocument>, Failure> {
    let answer =
        aws.kms.get_key_policy().key_id(id).send().await.map_err(|error| failure(GET_POLICY, &error))?;
    Ok(answer.policy.as_deref().and_then(PolicyDocument::parse))
}

/// None when there is no such key any more.
async fn tags(aws: &Aws, id: &str) -> Result<Option<Tags>, Failure> {
    let mut found = Tags::new();
    let mut pages = aws.kms.list_resource_tags().key_id(id).into_paginator().items().send();
    while let Some(tag) = pages.next().await {
        match tag {
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failure(LIST_TAGS, &error)),
            Ok(tag) => found.insert(tag.tag_key, tag.tag_value),
        };
    }
    Ok(Some(found))
}

async fn has_alias(aws: &Aws, id: &str, alias: &str) -> Result<bool, Failure> {
    let mut pages = aws.kms.list_aliases().key_id(id).into_paginator().items().send();
    while let Some(entry) = pages.next().await {
        if entry.map_err(|error| failure(LIST_ALIASES, &error))?.alias_name() == Some(alias) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ids of keys with our mark for that part. KMS cannot be asked by tag; keys of others may refuse to tell
/// theirs, and are not ours then.
async fn tagged(aws: &Aws, ownership: &Ownership, key: &PartKey) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut pages = aws.kms.list_keys().into_paginator().items().send();
    while let Some(entry) = pages.next().await {
        let entry = entry.map_err(|error| failure(LIST, &error))?;
        let id = entry.key_id().unwrap_or_default();
        match tags(aws, id).await {
            Ok(tags) => {
                let part = super::part_of(ownership, &tags.unwrap_or_default(), KIND);
                found.extend(part.filter(|part| part == key).map(|_| id.to_owned()));
            }
            Err(refused) if refused.kind == resource_graph::FailureKind::Refused => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
