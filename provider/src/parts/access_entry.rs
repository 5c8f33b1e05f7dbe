//! Access entry: who may do what in the cluster, with its access policies.
//!
//! Principal and type never change: another principal is another entry, made before the old one goes.
//!
//! API: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use aws_sdk_eks::types as eks;
use resource_graph::{
    Comparison, Created, Failure, Identity, Input, Observation, Outputs, Part, PartKey, Probe, Record,
    Replacement, Target, Until,
};

#[cfg(test)]
use super::Calls;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, Ownership, TagChange, Tags, from_map};
use crate::aws::{Aws, token};

/// Kind of its keys.
pub const KIND: &str = "access-entry";
/// Type of an entry for people and pipelines.
pub const STANDARD: &str = "STANDARD";

/// Types of an entry that people make; EKS makes the others.
pub const TYPES: [&str; 5] = [STANDARD, "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX"];

/// Where an access policy holds: in these namespaces; in the whole cluster when there are none.
pub type Namespaces = BTreeSet<String>;

/// An entry.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessEntry {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name of the cluster.
    pub cluster: Input,
    /// Name of the cluster, as part of the identity.
    pub cluster_name: String,
    /// ARN of the role or user.
    pub principal_arn: String,
    /// `STANDARD`, `EC2_LINUX`, …
    pub entry_type: String,
    /// Name of the user in Kubernetes; none for the one EKS makes from the principal.
    pub username: Option<String>,
    /// Groups in Kubernetes.
    pub kubernetes_groups: BTreeSet<String>,
    /// Access policies by their ARN.
    pub policies: BTreeMap<String, Namespaces>,
}

/// What was seen of an entry.
#[derive(Debug, Clone)]
pub struct Seen {
    entry: eks::AccessEntry,
    policies: BTreeMap<String, Namespaces>,
}

/// One update of an entry.
#[derive(Debug, Clone)]
pub enum Change {
    /// Other groups or another user name.
    Entry(Vec<&'static str>),
    /// A policy is missing, or holds elsewhere.
    Associate(String, Namespaces),
    /// A policy too much.
    Disassociate(String),
    /// Other tags.
    Tags(TagChange),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
        match self {
            Self::Entry(fields) => formatter.write_str(&fields.join(", ")),
            Self::Associate(arn, _) => write!(formatter, "policy {}", name(arn)),
            Self::Disassociate(arn) => write!(formatter, "policy {} too much", name(arn)),
            Self::Tags(change) => write!(formatter, "{change}"),
        }
    }
}

impl AccessEntry {
    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership) -> Self {
        let cluster_name = record.identity.get("cluster").to_owned();
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            cluster: Input::known(&cluster_name),
            cluster_name,
            principal_arn: record.identity.get("principal").to_owned(),
            entry_type: STANDARD.to_owned(),
            username: None,
            kubernetes_groups: BTreeSet::new(),
            policies: BTreeMap::new(),
        }
    }

    /// The name in Kubernetes; where none is asked for, the one EKS makes from the principal.
    ///
    /// Source: EKS user guide, creating-access-entries.
    fn username(&self) -> String {
        let made = || {
            let mut fields = self.principal_arn.splitn(6, ':').skip(1);
            let (partition, account) = (fields.next()?, fields.nth(2)?);
            let role = fields.next()?.strip_prefix("role/")?;
            let name = role.rsplit('/').next()?;
            Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}"))
        };
        self.username.clone().or_else(made).unwrap_or_else(|| self.principal_arn.clone())
    }

    fn groups(&self) -> Vec<String> {
        self.kubernetes_groups.iter().cloned().collect()
    }
}

#[async_trait]
impl Part<Aws> for AccessEntry {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.marks.key.clone()
    }

    fn identity(&self) -> Identity {
        Identity::new([("cluster", &self.cluster_name), ("principal", &self.principal_arn)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let (cluster, principal) = (target.identity.get("cluster"), target.identity.get("principal"));
        let (entry, policies) =
            futures::future::try_join(describe(aws, cluster, principal), policies(aws, cluster, principal))
                .await?;
        let Some(entry) = entry else { return Ok(Observation::Absent) };
        Ok(Observation::Present {
            owner: self.marks.ownership.of(&from_map(entry.tags())),
            instance: instance(&entry),
            outputs: outputs(&entry),
            seen: Seen { entry, policies },
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let entry = &seen.entry;
        let is_other = target.identity != &self.identity();
        if is_other || entry.r#type() != Some(self.entry_type.as_str()) {
            let reason = if is_other { "principal" } else { "type" };
            return Comparison::Replace(Replacement { reason: reason.to_owned(), identity: self.identity() });
        }
        let mut fields = Vec::new();
        // What entries for nodes are called in Kubernetes belongs to EKS, which refuses to change it.
        if self.entry_type == STANDARD {
            if entry.kubernetes_groups().iter().cloned().collect::<BTreeSet<_>>() != self.kubernetes_groups {
                fields.push("Kubernetes groups");
            }
            if entry.username() != Some(self.username().as_str()) {
                fields.push("user name");
            }
        }
        let mut changes = Vec::new();
        if !fields.is_empty() {
            changes.push(Change::Entry(fields));
        }
        let missing = self.policies.iter().filter(|(arn, scope)| seen.policies.get(*arn) != Some(*scope));
        changes.extend(missing.map(|(arn, scope)| Change::Associate(arn.clone(), scope.clone())));
        let too_much = seen.policies.keys().filter(|arn| !self.policies.contains_key(*arn));
        changes.extend(too_much.map(|arn| Change::Disassociate(arn.clone())));
        changes.extend(TagChange::between(&from_map(entry.tags()), &self.marks.tags()).map(Change::Tags));
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let answer = aws
            .eks
            .create_access_entry()
            .cluster_name(target.require(&self.cluster)?)
            .principal_arn(target.identity.get("principal"))
            .r#type(&self.entry_type)
            .set_username(self.username.clone())
            .set_kubernetes_groups((!self.kubernetes_groups.is_empty()).then(|| self.groups()))
            .set_tags(Some(self.marks.tags().into_iter().collect()))
            .client_request_token(token::random())
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let entry = answer
            .access_entry
            .ok_or_else(|| Failure::refused("EKS CreateAccessEntry answered no access entry"))?;
        let (instance, outputs) = (instance(&entry), outputs(&entry));
        Ok(Created { seen: Seen { entry, policies: BTreeMap::new() }, instance, outputs })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let (cluster, principal) = (target.identity.get("cluster"), target.identity.get("principal"));
        match change {
            Change::Entry(_) => {
                let call = aws
                    .eks
                    .update_access_entry()
                    .cluster_name(cluster)
                    .principal_arn(principal)
                    .username(self.username())
                    .set_kubernetes_groups(Some(self.groups()))
                    .client_request_token(token::random());
                call.send().await.map_err(|error| failure(UPDATE, &error))?;
            }
            Change::Associate(arn, namespaces) => {
                let kind = if namespaces.is_empty() {
                    eks::AccessScopeType::Cluster
                } else {
                    eks::AccessScopeType::Namespace
                };
                let scope = eks::AccessScope::builder()
                    .r#type(kind)
                    .set_namespaces((!namespaces.is_empty()).then(|| namespaces.iter().cloned().collect()))
                    .build();
                let call = aws
                    .eks
                    .associate_access_policy()
                    .cluster_name(cluster)
                    .principal_arn(principal)
                    .policy_arn(arn)
                    .access_scope(scope);
                call.send().await.map_err(|error| failure(ASSOCIATE, &error))?;
            }
            Change::Disassociate(arn) => {
                let call = aws
                    .eks
                    .disassociate_access_policy()
                    .cluster_name(cluster)
                    .principal_arn(principal)
                    .policy_arn(arn);
                super::gone(DISASSOCIATE, call.send().await)?;
            }
            Change::Tags(change) => {
                let arn = target.outputs.get("arn").unwrap_or_default();
                super::set_tags(aws, arn, change).await?;
            }
        }
        Ok(Outputs::default())
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let (cluster, principal) = (target.identity.get("cluster"), target.identity.get("principal"));
        let call = aws.eks.delete_access_entry().cluster_name(cluster).principal_arn(principal);
        super::gone(DELETE, call.send().await)
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let (cluster, principal) = (target.identity.get("cluster"), target.identity.get("principal"));
        Ok(match (until, describe(aws, cluster, principal).await?) {
            (Until::Usable, Some(entry)) => Probe::Done(outputs(&entry)),
            (Until::Usable, None) => return Err(super::not_visible_yet()),
            (Until::Gone, None) => Probe::Done(Outputs::default()),
            (Until::Gone, Some(_)) => Probe::Pending("still there".to_owned()),
        })
    }
}

const DESCRIBE: Operation = Operation::new("EKS", "DescribeAccessEntry");
const LIST: Operation = Operation::new("EKS", "ListAccessEntries");
const LIST_POLICIES: Operation = Operation::new("EKS", "ListAssociatedAccessPolicies");
const CREATE: Operation = Operation::new("EKS", "CreateAccessEntry");
const UPDATE: Operation = Operation::new("EKS", "UpdateAccessEntry");
const ASSOCIATE: Operation = Operation::new("EKS", "AssociateAccessPolicy");
const DISASSOCIATE: Operation = Operation::new("EKS", "DisassociateAccessPolicy");
const DELETE: Operation = Operation::new("EKS", "DeleteAccessEntry");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[
        DESCRIBE,
        LIST,
        LIST_POLICIES,
        CREATE,
        UPDATE,
        ASSOCIATE,
        DISASSOCIATE,
        DELETE,
        super::TAG,
        super::UNTAG,
    ],
    implied: &[(
        "iam:PassRole",
        "EKS user guide, creating-access-entries: the caller passes the role of an entry for EC2 nodes",
    )],
};

/// An entry that exists, for an import.
#[derive(Debug, Clone)]
pub struct Existing {
    pub record: Record,
    pub entry_type: String,
    pub kubernetes_groups: BTreeSet<String>,
    pub policies: BTreeMap<String, Namespaces>,
}

/// Entries of a cluster that carry the owner mark.
pub async fn discover(aws: &Aws, cluster: &str, ownership: &Ownership) -> Result<Vec<Existing>, Failure> {
    let mut principals = Vec::new();
    let mut pages = aws.eks.list_access_entries().cluster_name(cluster).into_paginator().items().send();
    while let Some(principal) = pages.next().await {
        match principal {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failure(LIST, &error)),
            Ok(principal) => principals.push(principal),
        }
    }
    let mut found = Vec::new();
    for principal in principals {
        let Some(entry) = describe(aws, cluster, &principal).await? else { continue };
        let Some(key) = super::part_of(ownership, &from_map(entry.tags()), KIND) else { continue };
        let identity = Identity::new([("cluster", cluster), ("principal", &principal)]);
        found.push(Existing {
            record: super::found(key, identity, instance(&entry), outputs(&entry)),
            entry_type: entry.r#type().unwrap_or(STANDARD).to_owned(),
            kubernetes_groups: match entry.r#type() {
                Some(STANDARD) => entry.kubernetes_groups().iter().cloned().collect(),
                _ => BTreeSet::new(),
            },
            policies: policies(aws, cluster, &principal).await?,
        });
    }
    Ok(found)
}

async fn describe(aws: &Aws, cluster: &str, principal: &str) -> Result<Option<eks::AccessEntry>, Failure> {
    match aws.eks.describe_access_entry().cluster_name(cluster).principal_arn(principal).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE, &error)),
        Ok(answer) => Ok(answer.access_entry),
    }
}

async fn policies(
    aws: &Aws,
    cluster: &str,
    principal: &str,
) -> Result<BTreeMap<String, Namespaces>, Failure> {
    let call = aws.eks.list_associated_access_policies().cluster_name(cluster).principal_arn(principal);
    let mut pages = call.into_paginator().items().send();
    let mut found = BTreeMap::new();
    while let Some(policy) = pages.next().await {
        match policy {
            Err(error) if is_absent(&error) => return Ok(BTreeMap::new()),
            Err(error) => return Err(failure(LIST_POLICIES, &error)),
            Ok(policy) => {
                let scope = policy.access_scope().map(|scope| scope.namespaces().iter().cloned().collect());
                let arn = policy.policy_arn().unwrap_or_default().to_owned();
                found.insert(arn, scope.unwrap_or_default());
            }
        }
    }
    Ok(found)
}

/// The last segment of its ARN is made anew with each entry.
fn instance(entry: &eks::AccessEntry) -> Option<String> {
    entry.access_entry_arn().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned)
}

fn outputs(entry: &eks::AccessEntry) -> Outputs {
    Outputs::new([("arn", entry.access_entry_arn().unwrap_or_default())])
}
