//! Pod Identity association: the role that a service account gets.
//!
//! A cluster has at most one for a service account; it is found again by that. Another service account is another
//! association, made before the old one goes.
//!
//! API: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html>

use std::fmt;

use async_trait::async_trait;
use aws_sdk_eks::types::PodIdentityAssociation as Association;
use resource_graph::{
    Comparison, Created, Failure, Identity, Input, Observation, Outputs, Owner, Part, PartKey, Probe, Record,
    Replacement, Target, Until,
};

#[cfg(test)]
use super::Calls;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, Ownership, TagChange, Tags, from_map};
use crate::aws::{Aws, token};

/// Kind of its keys.
pub const KIND: &str = "pod-identity-association";

/// An association.
#[derive(Debug, Clone, PartialEq)]
pub struct PodIdentityAssociation {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name of the cluster.
    pub cluster: Input,
    /// Name of the cluster, as part of the identity.
    pub cluster_name: String,
    /// Kubernetes namespace; it need not exist.
    pub namespace: String,
    /// Kubernetes service account; it need not exist.
    pub service_account: String,
    /// Role that trusts `pods.eks.amazonaws.com`.
    pub role_arn: Input,
}

/// What was seen of an association.
#[derive(Debug, Clone)]
pub struct Seen {
    role_arn: Option<String>,
    tags: Tags,
}

/// One update of an association.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another role.
    Role,
    /// Other tags.
    Tags(TagChange),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role => write!(formatter, "role"),
            Self::Tags(change) => write!(formatter, "{change}"),
        }
    }
}

impl PodIdentityAssociation {
    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership) -> Self {
        let cluster_name = record.identity.get("cluster").to_owned();
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            cluster: Input::known(&cluster_name),
            cluster_name,
            namespace: record.identity.get("namespace").to_owned(),
            service_account: record.identity.get("service_account").to_owned(),
            role_arn: Input::known(""),
        }
    }
}

#[async_trait]
impl Part<Aws> for PodIdentityAssociation {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.marks.key.clone()
    }

    fn identity(&self) -> Identity {
        Identity::new([
            ("cluster", &self.cluster_name),
            ("namespace", &self.namespace),
            ("service_account", &self.service_account),
        ])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let Some(association) = find(aws, target).await? else { return Ok(Observation::Absent) };
        let tags = from_map(association.tags());
        Ok(Observation::Present {
            owner: self.marks.ownership.of(&tags),
            instance: association.association_id().map(str::to_owned),
            outputs: outputs(&association),
            seen: Seen { role_arn: association.role_arn().map(str::to_owned), tags },
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let identity = self.identity();
        if target.identity != &identity {
            return Comparison::Replace(Replacement { reason: "service account".to_owned(), identity });
        }
        let mut changes = Vec::new();
        let role = target.input(&self.role_arn);
        if role.is_some() && role != seen.role_arn {
            changes.push(Change::Role);
        }
        changes.extend(TagChange::between(&seen.tags, &self.marks.tags()).map(Change::Tags));
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let answer = aws
            .eks
            .create_pod_identity_association()
            .cluster_name(target.require(&self.cluster)?)
            .namespace(&self.namespace)
            .service_account(&self.service_account)
            .role_arn(target.require(&self.role_arn)?)
            .set_tags(Some(self.marks.tags().into_iter().collect()))
            .client_request_token(token::random())
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let association = answer
            .association
            .ok_or_else(|| Failure::refused("EKS CreatePodIdentityAssociation answered no association"))?;
        Ok(Created {
            seen: Seen {
                role_arn: association.role_arn().map(str::to_owned),
                tags: from_map(association.tags()),
            },
            instance: association.association_id().map(str::to_owned),
            outputs: outputs(&association),
        })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        match change {
            Change::Role => {
                let call = aws
                    .eks
                    .update_pod_identity_association()
                    .cluster_name(target.identity.get("cluster"))
                    .association_id(target.outputs.get(ID).unwrap_or_default())
                    .role_arn(target.require(&self.role_arn)?)
                    .client_request_token(token::random());
                call.send().await.map_err(|error| failure(UPDATE, &error))?;
            }
            Change::Tags(change) => {
                let arn = target.outputs.get("arn").unwrap_or_default();
                super::set_tags(aws, arn, change).await?;
            }
        }
        Ok(Outputs::default())
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let cluster = target.identity.get("cluster");
        // A record without the id is of a create that was cut off: only an association with our mark is meant then.
        let found = match target.outputs.get(ID) {
            Some(_) => None,
            None => find(aws, target).await?,
        };
        let is_ours = |association: &Association| {
            super::part_of(&self.marks.ownership, &from_map(association.tags()), KIND) == Some(self.key())
        };
        let found = found.filter(is_ours).and_then(|association| association.association_id);
        let Some(id) = target.outputs.get(ID).map(str::to_owned).or(found) else { return Ok(()) };
        let call = aws.eks.delete_pod_identity_association().cluster_name(cluster).association_id(id);
        super::gone(DELETE, call.send().await)
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        Ok(match (until, find(aws, target).await?) {
            (Until::Usable, Some(association)) => Probe::Done(outputs(&association)),
            (Until::Usable, None) => return Err(super::not_visible_yet()),
            (Until::Gone, Some(association))
                if association.association_id() == target.outputs.get(ID)
                    || (target.outputs.get(ID).is_none()
                        && self.marks.ownership.of(&from_map(association.tags())) == Owner::Ours) =>
            {
                Probe::Pending("still there".to_owned())
            }
            (Until::Gone, _) => Probe::Done(Outputs::default()),
        })
    }
}

/// Output: `a-` and 17 characters.
const ID: &str = "id";

const LIST: Operation = Operation::new("EKS", "ListPodIdentityAssociations");
const DESCRIBE: Operation = Operation::new("EKS", "DescribePodIdentityAssociation");
const CREATE: Operation = Operation::new("EKS", "CreatePodIdentityAssociation");
const UPDATE: Operation = Operation::new("EKS", "UpdatePodIdentityAssociation");
const DELETE: Operation = Operation::new("EKS", "DeletePodIdentityAssociation");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[LIST, DESCRIBE, CREATE, UPDATE, DELETE, super::TAG, super::UNTAG],
    implied: &[("iam:PassRole", "EKS user guide, pod-id-association: the caller passes the role")],
};

/// Associations of a cluster that carry the owner mark. Those that belong to add-ons do not.
pub async fn discover(aws: &Aws, cluster: &str, ownership: &Ownership) -> Result<Vec<Record>, Failure> {
    let call = aws.eks.list_pod_identity_associations().cluster_name(cluster);
    let mut pages = call.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(summary) = pages.next().await {
        let summary = match summary {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failure(LIST, &error)),
            Ok(summary) => summary,
        };
        let id = summary.association_id().filter(|_| summary.owner_arn().is_none());
        let Some(association) = describe(aws, cluster, id.unwrap_or_default()).await? else { continue };
        if let Some(key) = super::part_of(ownership, &from_map(association.tags()), KIND) {
            let identity = Identity::new([
                ("cluster", cluster),
                ("namespace", association.namespace().unwrap_or_default()),
                ("service_account", association.service_account().unwrap_or_default()),
            ]);
            let instance = association.association_id().map(str::to_owned);
            found.push(super::found(key, identity, instance, outputs(&association)));
        }
    }
    Ok(found)
}

/// By its recorded id; else, or when that one is gone, by its service account.
async fn find(aws: &Aws, target: &Target<'_>) -> Result<Option<Association>, Failure> {
    let cluster = target.identity.get("cluster");
    let recorded = describe(aws, cluster, target.outputs.get(ID).unwrap_or_default()).await?;
    if recorded.is_some() {
        return Ok(recorded);
    }
    let call = aws
        .eks
        .list_pod_identity_associations()
        .cluster_name(cluster)
        .namespace(target.identity.get("namespace"))
        .service_account(target.identity.get("service_account"));
    let answer = match call.send().await {
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(failure(LIST, &error)),
        Ok(answer) => answer,
    };
    let id = answer.associations().first().and_then(|association| association.association_id());
    describe(aws, cluster, id.unwrap_or_default()).await
}

async fn describe(aws: &Aws, cluster: &str, id: &str) -> Result<Option<Association>, Failure> {
    if id.is_empty() {
        return Ok(None);
    }
    match aws.eks.describe_pod_identity_association().cluster_name(cluster).association_id(id).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE, &error)),
        Ok(answer) => Ok(answer.association),
    }
}

fn outputs(association: &Association) -> Outputs {
    Outputs::new([
        (ID, association.association_id().unwrap_or_default()),
        ("arn", association.association_arn().unwrap_or_default()),
    ])
}
