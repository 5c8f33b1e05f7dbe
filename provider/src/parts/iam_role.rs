//! IAM role with its trust policy, managed policies and inline policies.
//!
//! API: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use aws_sdk_iam::types::{Role, Tag};
use resource_graph::{
    Comparison, Created, Failure, Identity, Observation, Output, Outputs, Part, PartKey, Probe, Record,
    Target, Until,
};

#[cfg(test)]
use super::Calls;
use super::gone;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, Ownership, TagChange, Tags};
use crate::aws::{Aws, policy_document::PolicyDocument};

/// Kind of its keys.
pub const KIND: &str = "iam-role";
/// Longest name IAM takes.
pub const LONGEST_NAME: usize = 64;

/// A role.
#[derive(Debug, Clone, PartialEq)]
pub struct IamRole {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name within the account, whatever the path.
    pub name: String,
    /// Path with slashes at both ends.
    pub path: String,
    /// Who may assume it.
    pub trust: PolicyDocument,
    /// ARNs of managed policies that have to be attached; others are left alone.
    pub managed_policies: BTreeSet<String>,
    /// Inline policies by name; others are left alone.
    pub inline_policies: BTreeMap<String, PolicyDocument>,
    /// ARN of the permissions boundary.
    pub permissions_boundary: Option<String>,
}

/// What was seen of a role.
#[derive(Debug, Clone)]
pub struct Seen {
    trust: Option<PolicyDocument>,
    attached: BTreeSet<String>,
    inline: BTreeMap<String, PolicyDocument>,
    boundary: Option<String>,
    tags: Tags,
}

/// One update of a role.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another trust policy.
    Trust,
    /// A managed policy is missing.
    Attach(String),
    /// An inline policy is missing or reads otherwise.
    PutInline(String),
    /// Another permissions boundary.
    Boundary(Option<String>),
    /// Other tags.
    Tags(TagChange),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trust => write!(formatter, "trust policy"),
            Self::Attach(arn) => {
                write!(formatter, "policy {} detached", arn.rsplit('/').next().unwrap_or(arn))
            }
            Self::PutInline(name) => write!(formatter, "inline policy {name}"),
            Self::Boundary(_) => write!(formatter, "permissions boundary"),
            Self::Tags(change) => write!(formatter, "{change}"),
        }
    }
}

impl IamRole {
    /// ARN of the role.
    pub const ARN: Output<Self> = Output::new("arn");

    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership) -> Self {
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            name: record.identity.get("name").to_owned(),
            path: record.identity.get("path").to_owned(),
            trust: PolicyDocument::new(Vec::new()),
            managed_policies: BTreeSet::new(),
            inline_policies: BTreeMap::new(),
            permissions_boundary: None,
        }
    }

    fn iam_tags(&self) -> Vec<Tag> {
        self.marks
            .tags()
            .iter()
            .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
            .collect()
    }
}

#[async_trait]
impl Part<Aws> for IamRole {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.marks.key.clone()
    }

    fn identity(&self) -> Identity {
        Identity::new([("name", &self.name), ("path", &self.path)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let name = target.identity.get("name");
        let attached = async {
            // Others are left alone: where none is wanted, none need be known.
            if self.managed_policies.is_empty() {
                return Ok(BTreeSet::new());
            }
            attached_policies(aws, name).await
        };
        let inline = self.inline_policies.keys().map(|policy| inline_policy(aws, name, policy));
        let (role, attached, inline) =
            futures::future::try_join3(get(aws, name), attached, futures::future::try_join_all(inline))
                .await?;
        let Some(role) = role else { return Ok(Observation::Absent) };
        let tags: Tags = role.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        let seen = Seen {
            trust: role.assume_role_policy_document().and_then(PolicyDocument::parse),
            attached,
            inline: inline.into_iter().flatten().collect(),
            boundary: role
                .permissions_boundary()
                .and_then(|boundary| boundary.permissions_boundary_arn())
                .map(str::to_owned),
            tags,
        };
        Ok(Observation::Present {
            owner: self.marks.ownership.of(&seen.tags),
            instance: Some(role.role_id().to_owned()),
            outputs: Outputs::new([("arn", role.arn())]),
            seen,
        })
    }

    fn compare(&self, _target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let mut changes = Vec::new();
        if seen.trust.as_ref() != Some(&self.trust) {
            changes.push(Change::Trust);
        }
        changes.extend(self.managed_policies.difference(&seen.attached).cloned().map(Change::Attach));
        let missing =
            self.inline_policies.iter().filter(|(name, document)| seen.inline.get(*name) != Some(*document));
        changes.extend(missing.map(|(name, _)| Change::PutInline(name.clone())));
        if seen.boundary != self.permissions_boundary {
            changes.push(Change::Boundary(self.permissions_boundary.clone()));
        }
        changes.extend(TagChange::between(&seen.tags, &self.marks.tags()).map(Change::Tags));
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let answer = aws
            .iam
            .create_role()
            .role_name(target.identity.get("name"))
            .path(target.identity.get("path"))
            .assume_role_policy_document(self.trust.text())
            .description(&self.spec)
            .set_permissions_boundary(self.permissions_boundary.clone())
            .set_tags(Some(self.iam_tags()))
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let role = answer.role.ok_or_else(|| Failure::refused("IAM CreateRole answered no role"))?;
        let seen = Seen {
            trust: Some(self.trust.clone()),
            attached: BTreeSet::new(),
            inline: BTreeMap::new(),
            boundary: self.permissions_boundary.clone(),
            tags: self.marks.tags(),
        };
        Ok(Created {
            seen,
            instance: Some(role.role_id().to_owned()),
            outputs: Outputs::new([("arn", role.arn())]),
        })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let name = target.identity.get("name");
        match change {
            Change::Trust => {
                let call =
                    aws.iam.update_assume_role_policy().role_name(name).policy_document(self.trust.text());
                call.send().await.map_err(|error| failure(UPDATE_TRUST, &error))?;
            }
            Change::Attach(arn) => {
                let call = aws.iam.attach_role_policy().role_name(name).policy_arn(arn);
                call.send().await.map_err(|error| failure(ATTACH, &error))?;
            }
            Change::PutInline(policy) => {
                let document = self.inline_policies.get(policy).map(PolicyDocument::text).unwrap_or_default();
                let call =
                    aws.iam.put_role_policy().role_name(name).policy_name(policy).policy_document(document);
                call.send().await.map_err(|error| failure(PUT_INLINE, &error))?;
            }
            Change::Boundary(Some(arn)) => {
                let call = aws.iam.put_role_permissions_boundary().role_name(name).permissions_boundary(arn);
                call.send().await.map_err(|error| failure(PUT_BOUNDARY, &error))?;
            }
            Change::Boundary(None) => {
                let call = aws.iam.delete_role_permissions_boundary().role_name(name);
                call.send().await.map_err(|error| failure(DELETE_BOUNDARY, &error))?;
            }
            Change::Tags(change) => {
                if !change.set.is_empty() {
                    let tags =
                        change.set.iter().filter_map(|(k, v)| Tag::builder().key(k).value(v).build().ok());
                    let call = aws.iam.tag_role().role_name(name).set_tags(Some(tags.collect()));
                    call.send().await.map_err(|error| failure(TAG, &error))?;
                }
                if !change.remove.is_empty() {
                    let call = aws.iam.untag_role().role_name(name).set_tag_keys(Some(change.remove.clone()));
                    call.send().await.map_err(|error| failure(UNTAG, &error))?;
                }
            }
        }
        Ok(Outputs::default())
    }

    /// A role can only go without policies; every one that is attached goes first, ours or not.
    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let name = target.identity.get("name");
        for arn in attached_policies(aws, name).await? {
            let call = aws.iam.detach_role_policy().role_name(name).policy_arn(arn);
            gone(DETACH, call.send().await)?;
        }
        for policy in inline_policy_names(aws, name).await? {
            let call = aws.iam.delete_role_policy().role_name(name).policy_name(policy);
            gone(DELETE_INLINE, call.send().await)?;
        }
        gone(DELETE, aws.iam.delete_role().role_name(name).send().await)
    }

    async fn probe(&self, _aws: &Aws, _target: &Target<'_>, _until: Until) -> Result<Probe, Failure> {
        // A role exists, or not, as soon as IAM has answered. That other services see it some seconds later
        // is theirs to say: their calls are repeated.
        Ok(Probe::Done(Outputs::default()))
    }
}

const GET: Operation = Operation::new("IAM", "GetRole");
const LIST_ATTACHED: Operation = Operation::new("IAM", "ListAttachedRolePolicies");
const LIST_INLINE: Operation = Operation::new("IAM", "ListRolePolicies");
const GET_INLINE: Operation = Operation::new("IAM", "GetRolePolicy");
const CREATE: Operation = Operation::new("IAM", "CreateRole");
const UPDATE_TRUST: Operation = Operation::new("IAM", "UpdateAssumeRolePolicy");
const ATTACH: Operation = Operation::new("IAM", "AttachRolePolicy");
const DETACH: Operation = Operation::new("IAM", "DetachRolePolicy");
const PUT_INLINE: Operation = Operation::new("IAM", "PutRolePolicy");
const DELETE_INLINE: Operation = Operation::new("IAM", "DeleteRolePolicy");
const PUT_BOUNDARY: Operation = Operation::new("IAM", "PutRolePermissionsBoundary");
const DELETE_BOUNDARY: Operation = Operation::new("IAM", "DeleteRolePermissionsBoundary");
const TAG: Operation = Operation::new("IAM", "TagRole");
const UNTAG: Operation = Operation::new("IAM", "UntagRole");
const DELETE: Operation = Operation::new("IAM", "DeleteRole");
const LIST: Operation = Operation::new("IAM", "ListRoles");
const LIST_TAGS: Operation = Operation::new("IAM", "ListRoleTags");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[
        GET,
        LIST_ATTACHED,
        LIST_INLINE,
        GET_INLINE,
        CREATE,
        UPDATE_TRUST,
        ATTACH,
        DETACH,
        PUT_INLINE,
        DELETE_INLINE,
        PUT_BOUNDARY,
        DELETE_BOUNDARY,
        TAG,
        UNTAG,
        DELETE,
        LIST,
        LIST_TAGS,
    ],
    implied: &[],
};

/// A role that carries our mark.
#[derive(Debug, Clone)]
pub struct Existing {
    /// Its record.
    pub record: Record,
    /// All its tags.
    pub tags: Tags,
}

/// Roles below `path` that carry the owner mark. Listing answers no tags, so only names that begin like
/// ours are asked for theirs.
pub async fn discover(
    aws: &Aws,
    path: &str,
    stem: &str,
    ownership: &Ownership,
) -> Result<Vec<Existing>, Failure> {
    let mut found = Vec::new();
    let mut pages = aws.iam.list_roles().path_prefix(path).into_paginator().items().send();
    while let Some(role) = pages.next().await {
        let role = role.map_err(|error| failure(LIST, &error))?;
        if !role.role_name().starts_with(stem) {
            continue;
        }
        let tags = match aws.iam.list_role_tags().role_name(role.role_name()).send().await {
            Err(error) if is_absent(&error) => continue,
            Err(error) => return Err(failure(LIST_TAGS, &error)),
            Ok(answer) => {
                answer.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect::<Tags>()
            }
        };
        if let Some(key) = super::part_of(ownership, &tags, KIND) {
            let identity = Identity::new([("name", role.role_name()), ("path", role.path())]);
            let outputs = Outputs::new([("arn", role.arn())]);
            let record = super::found(key, identity, Some(role.role_id().to_owned()), outputs);
            found.push(Existing { record, tags });
        }
    }
    Ok(found)
}

async fn get(aws: &Aws, name: &str) -> Result<Option<Role>, Failure> {
    match aws.iam.get_role().role_name(name).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(GET, &error)),
        Ok(answer) => answer.role.map(Some).ok_or_else(|| Failure::refused("IAM GetRole answered no role")),
    }
}

async fn attached_policies(aws: &Aws, role: &str) -> Result<BTreeSet<String>, Failure> {
    let mut attached = BTreeSet::new();
    let mut pages = aws.iam.list_attached_role_policies().role_name(role).into_paginator().items().send();
    while let Some(policy) = pages.next().await {
        match policy {
            Err(error) if is_absent(&error) => return Ok(BTreeSet::new()),
            Err(error) => return Err(failure(LIST_ATTACHED, &error)),
            Ok(policy) => attached.extend(policy.policy_arn),
        }
    }
    Ok(attached)
}

async fn inline_policy_names(aws: &Aws, role: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut pages = aws.iam.list_role_policies().role_name(role).into_paginator().items().send();
    while let Some(name) = pages.next().await {
        match name {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failure(LIST_INLINE, &error)),
            Ok(name) => names.push(name),
        }
    }
    Ok(names)
}

async fn inline_policy(
    aws: &Aws,
    role: &str,
    name: &str,
) -> Result<Option<(String, PolicyDocument)>, Failure> {
    match aws.iam.get_role_policy().role_name(role).policy_name(name).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(GET_INLINE, &error)),
        Ok(answer) => {
            Ok(PolicyDocument::parse(answer.policy_document()).map(|document| (name.to_owned(), document)))
        }
    }
}
