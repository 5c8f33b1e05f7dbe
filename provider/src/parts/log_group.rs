//! A log group of a cluster, made before the cluster and deleted after it.
//!
//! EKS writes to `/aws/eks/<name>/cluster`, and the agents on the nodes to `/aws/containerinsights/<name>/…`. They
//! make them again, without encryption and retention, whenever they are missing while the cluster lives: a group
//! without marks is taken over.
//!
//! API: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::types::{LogGroup as Group, LogGroupClass};
use resource_graph::{
    Comparison, Created, Failure, Identity, Input, Observation, Outputs, Part, PartKey, Probe, Record,
    Target, Until,
};

#[cfg(test)]
use super::Calls;
use super::gone;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, Ownership, PREFIX, TagChange, Tags, from_map};
use crate::aws::{Aws, Location};

/// Kind of its keys.
pub const KIND: &str = "log-group";

/// A log group with a retention.
#[derive(Debug, Clone, PartialEq)]
pub struct LogGroup {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name; who writes to it decides it.
    pub name: String,
    /// Days events are kept.
    pub retention_days: i64,
    /// Key that encrypts it; none for CloudWatch's own.
    pub kms_key_arn: Option<Input>,
    /// `STANDARD` or `INFREQUENT_ACCESS`; fixed at creation.
    pub class: String,
    /// The argument that decides the class, where there is one.
    pub class_argument: Option<&'static str>,
    /// True to keep the evidence when the cluster is destroyed.
    pub retain: bool,
    /// Partition, account and region, for its ARN.
    pub location: Location,
}

/// What was seen of a log group.
#[derive(Debug, Clone)]
pub struct Seen {
    retention_days: Option<i64>,
    kms_key_arn: Option<String>,
    class: Option<String>,
    tags: Tags,
}

/// One update of a log group.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another retention.
    Retention,
    /// Another key, or none any more.
    Key(Option<String>),
    /// Other tags.
    Tags(TagChange),
    /// Only recorded: it matters when the group is deleted.
    OnDestroy,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retention => write!(formatter, "retention"),
            Self::Key(Some(_)) => write!(formatter, "encryption key"),
            Self::Key(None) => write!(formatter, "encrypted with a key of its own"),
            Self::Tags(change) => write!(formatter, "{change}"),
            Self::OnDestroy => write!(formatter, "what happens to it on destroy"),
        }
    }
}

impl LogGroup {
    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership, location: &Location) -> Self {
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            name: record.identity.get("name").to_owned(),
            retention_days: 0,
            kms_key_arn: None,
            class: String::new(),
            class_argument: None,
            retain: is_retained(&record.outputs),
            location: location.clone(),
        }
    }

    fn on_destroy(&self) -> &'static str {
        if self.retain { RETAIN } else { "delete" }
    }
}

#[async_trait]
impl Part<Aws> for LogGroup {
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

    fn adopts_unmarked(&self) -> bool {
        true
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let name = target.identity.get("name");
        let arn = self.location.log_group_arn(name);
        let (group, tags) = tokio::try_join!(describe(aws, name), tags(aws, &arn))?;
        let Some((group, tags)) = group.zip(tags) else { return Ok(Observation::Absent) };
        let seen = Seen {
            retention_days: group.retention_in_days().map(i64::from),
            kms_key_arn: group.kms_key_id().map(str::to_owned),
            class: group.log_group_class().map(|class| class.as_str().to_owned()),
            tags,
        };
        Ok(Observation::Present {
            owner: self.marks.ownership.of(&seen.tags),
            instance: created(&group),
            outputs: outputs(&group),
            seen,
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        if seen.class.as_deref().is_some_and(|class| class != self.class) {
            let follow = self.class_argument.map(|argument| format!("set {argument} to it, or "));
            return Comparison::Impossible(format!(
                "log group {} has the class {}, which AWS fixes at creation; {}delete the log group and its events \
                 yourself",
                self.name,
                seen.class.as_deref().unwrap_or_default(),
                follow.unwrap_or_default(),
            ));
        }
        let mut changes = Vec::new();
        if seen.retention_days != Some(self.retention_days) {
            changes.push(Change::Retention);
        }
        match &self.kms_key_arn {
            None if seen.kms_key_arn.is_some() => changes.push(Change::Key(None)),
            None => {}
            Some(input) => {
                let wanted = target.input(input);
                if wanted.is_some() && wanted != seen.kms_key_arn {
                    changes.push(Change::Key(wanted));
                }
            }
        }
        changes.extend(TagChange::between(&seen.tags, &self.marks.tags()).map(Change::Tags));
        if is_retained(target.outputs) != self.retain {
            changes.push(Change::OnDestroy);
        }
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let key = self.kms_key_arn.as_ref().map(|input| target.require(input)).transpose()?;
        aws.logs
            .create_log_group()
            .log_group_name(target.identity.get("name"))
            .set_kms_key_id(key.clone())
            .log_group_class(LogGroupClass::from(self.class.as_str()))
            .set_tags(Some(self.marks.tags().into_iter().collect()))
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let seen = Seen {
            retention_days: None,
            kms_key_arn: key,
            class: Some(self.class.clone()),
            tags: self.marks.tags(),
        };
        let outputs = Outputs::new([("name", target.identity.get("name"))]);
        Ok(Created { seen, instance: None, outputs })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let name = target.identity.get("name");
        let arn = self.location.log_group_arn(name);
        match change {
            Change::Retention => {
                let days = i32::try_from(self.retention_days).unwrap_or(i32::MAX);
                let call = aws.logs.put_retention_policy().log_group_name(name).retention_in_days(days);
                call.send().await.map_err(|error| failure(PUT_RETENTION, &error))?;
            }
            Change::Key(Some(key)) => {
                let call = aws.logs.associate_kms_key().log_group_name(name).kms_key_id(key);
                call.send().await.map_err(|error| failure(ASSOCIATE_KEY, &error))?;
            }
            Change::Key(None) => {
                let call = aws.logs.disassociate_kms_key().log_group_name(name);
                call.send().await.map_err(|error| failure(DISASSOCIATE_KEY, &error))?;
            }
            Change::Tags(change) => set_tags(aws, &arn, change).await?,
            Change::OnDestroy => return Ok(Outputs::new([(ON_DESTROY, self.on_destroy())])),
        }
        Ok(Outputs::default())
    }

    /// A group that is kept loses our marks: a later cluster of that name takes it over.
    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let name = target.identity.get("name");
        if !self.retain {
            return gone(DELETE, aws.logs.delete_log_group().log_group_name(name).send().await);
        }
        let arn = self.location.log_group_arn(name);
        let ours = tags(aws, &arn).await?.unwrap_or_default();
        let remove: Vec<String> = ours.into_keys().filter(|key| key.starts_with(PREFIX)).collect();
        if remove.is_empty() {
            return Ok(());
        }
        set_tags(aws, &arn, &TagChange { set: Tags::new(), remove }).await
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        if until == Until::Gone && self.retain {
            return Ok(Probe::Done(Outputs::default()));
        }
        let group = describe(aws, target.identity.get("name")).await?;
        Ok(match (until, group) {
            (Until::Usable, None) => return Err(super::not_visible_yet()),
            (Until::Usable, Some(group)) => Probe::Done(outputs(&group)),
            (Until::Gone, None) => Probe::Done(Outputs::default()),
            (Until::Gone, Some(group)) => {
                let recorded = target.outputs.get(CREATED);
                if recorded.is_some() && recorded != created(&group).as_deref() {
                    Probe::Failed("it exists again: who writes to it has made it anew meanwhile".to_owned())
                } else {
                    Probe::Pending("still there".to_owned())
                }
            }
        })
    }
}

/// Output that tells it from a later group of that name: when it was made, milliseconds since 1970.
const CREATED: &str = "created";
/// Output that says what happens to the group when it is deleted.
pub const ON_DESTROY: &str = "on_destroy";
/// Value of [`ON_DESTROY`]: it stays.
pub const RETAIN: &str = "retain";

const CREATE: Operation = Operation::new("CloudWatch Logs", "CreateLogGroup");
const DESCRIBE: Operation = Operation::new("CloudWatch Logs", "DescribeLogGroups");
const PUT_RETENTION: Operation = Operation::new("CloudWatch Logs", "PutRetentionPolicy");
const ASSOCIATE_KEY: Operation = Operation::new("CloudWatch Logs", "AssociateKmsKey");
const DISASSOCIATE_KEY: Operation = Operation::new("CloudWatch Logs", "DisassociateKmsKey");
const LIST_TAGS: Operation = Operation::new("CloudWatch Logs", "ListTagsForResource");
const TAG: Operation = Operation::new("CloudWatch Logs", "TagResource");
const UNTAG: Operation = Operation::new("CloudWatch Logs", "UntagResource");
const DELETE: Operation = Operation::new("CloudWatch Logs", "DeleteLogGroup");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[CREATE, DESCRIBE, PUT_RETENTION, ASSOCIATE_KEY, DISASSOCIATE_KEY, LIST_TAGS, TAG, UNTAG, DELETE],
    implied: &[],
};

/// The groups of these names that carry the owner mark.
pub async fn discover(aws: &Aws, names: &[String], ownership: &Ownership) -> Result<Vec<Record>, Failure> {
    let record = async |name: &String| {
        let Some(group) = describe(aws, name).await? else { return Ok(None) };
        let tags = tags(aws, &aws.location.log_group_arn(name)).await?.unwrap_or_default();
        Ok(super::part_of(ownership, &tags, KIND)
            .map(|key| super::found(key, Identity::new([("name", name)]), created(&group), outputs(&group))))
    };
    let records = futures::future::try_join_all(names.iter().map(record)).await?;
    Ok(records.into_iter().flatten().collect())
}

/// A group that exists, whoever made it, for an import.
#[derive(Debug, Clone)]
pub struct Existing {
    pub retention_days: Option<i64>,
    pub kms_key_arn: Option<String>,
    pub class: Option<String>,
}

/// The group of that name.
pub async fn find(aws: &Aws, name: &str) -> Result<Option<Existing>, Failure> {
    let existing = |group: Group| Existing {
        retention_days: group.retention_in_days().map(i64::from),
        kms_key_arn: group.kms_key_id().map(str::to_owned),
        class: group.log_group_class().map(|class| class.as_str().to_owned()),
    };
    Ok(describe(aws, name).await?.map(existing))
}

fn created(group: &Group) -> Option<String> {
    group.creation_time().map(|time| time.to_string())
}

fn outputs(group: &Group) -> Outputs {
    let mut outputs = Outputs::new([
        ("name", group.log_group_name().unwrap_or_default()),
        ("class", group.log_group_class().map_or("STANDARD", |class| class.as_str())),
    ]);
    if let Some(created) = created(group) {
        outputs.set(CREATED, &created);
    }
    outputs
}

fn is_retained(outputs: &Outputs) -> bool {
    outputs.get(ON_DESTROY) == Some(RETAIN)
}

async fn describe(aws: &Aws, name: &str) -> Result<Option<Group>, Failure> {
    let client = aws.logs.clone();
    let ask = |names: BTreeSet<String>| async move {
        let folders: BTreeSet<&str> = names.iter().map(|name| folder(name)).collect();
        let calls = folders.into_iter().map(|folder| below(&client, folder));
        Ok(futures::future::try_join_all(calls).await?.into_iter().flatten().collect())
    };
    aws.log_groups.look(name, ask).await
}

/// What the names of all groups of one kind of a cluster begin with.
fn folder(name: &str) -> &str {
    name.rfind('/').map_or(name, |end| &name[..=end])
}

async fn below(
    client: &aws_sdk_cloudwatchlogs::Client,
    folder: &str,
) -> Result<BTreeMap<String, Group>, Failure> {
    let mut found = BTreeMap::new();
    let mut pages =
        client.describe_log_groups().log_group_name_prefix(folder).into_paginator().items().send();
    while let Some(group) = pages.next().await {
        let group = group.map_err(|error| failure(DESCRIBE, &error))?;
        found.extend(group.log_group_name.clone().map(|name| (name, group)));
    }
    Ok(found)
}

async fn tags(aws: &Aws, arn: &str) -> Result<Option<Tags>, Failure> {
    match aws.logs.list_tags_for_resource().resource_arn(arn).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(LIST_TAGS, &error)),
        Ok(answer) => Ok(Some(from_map(answer.tags()))),
    }
}

async fn set_tags(aws: &Aws, arn: &str, change: &TagChange) -> Result<(), Failure> {
    if !change.set.is_empty() {
        let tags = change.set.clone().into_iter().collect();
        let call = aws.logs.tag_resource().resource_arn(arn).set_tags(Some(tags));
        call.send().await.map_err(|error| failure(TAG, &error))?;
    }
    if !change.remove.is_empty() {
        let call = aws.logs.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove.clone()));
        call.send().await.map_err(|error| failure(UNTAG, &error))?;
    }
    Ok(())
}
