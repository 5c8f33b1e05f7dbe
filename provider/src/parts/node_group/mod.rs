//! Managed node group.
//!
//! What AWS never changes about a group is hashed into its name: a change of it makes a new group first and
//! deletes the old one when the new one is ready. Where the name would stay the same, as when its launch
//! template was deleted, the two take turns with a second name. The current size belongs to the autoscaler
//! and is moved only when it lies outside of the limits.
//!
//! API: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use aws_sdk_eks::types as eks;
use resource_graph::{
    Comparison, Created, Failure, Identity, Input, Observation, Outputs, Part, PartKey, Probe, Record,
    Replacement, Target, Until,
};

mod existing;
mod fixed;
mod taint;
mod unavailable;

pub use existing::Existing;
use existing::{ISSUES, health, instance, labels, outputs};
pub use fixed::{AMI_TYPES, Fixed};
pub use taint::Taint;
pub use unavailable::Unavailable;

#[cfg(test)]
use super::Calls;
use super::update;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, Ownership, TagChange, Tags, from_map};
use crate::aws::{Aws, token};

/// Kind of its keys.
pub const KIND: &str = "node-group";

/// A group of nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeGroup {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name of the cluster.
    pub cluster: Input,
    /// Name of the cluster, as part of the identity.
    pub cluster_name: String,
    /// Role of the nodes.
    pub node_role_arn: Input,
    /// Id of the launch template.
    pub launch_template_id: Input,
    /// Version of the launch template.
    pub launch_template_version: Input,
    /// What AWS never changes.
    pub fixed: Fixed,
    /// Fewest nodes.
    pub min_size: i32,
    /// Most nodes.
    pub max_size: i32,
    /// Kubernetes labels.
    pub labels: BTreeMap<String, String>,
    /// Kubernetes taints.
    pub taints: BTreeSet<Taint>,
    /// Release of the AMI; none to keep the one there is.
    pub release_version: Option<String>,
    /// Nodes that may be missing during an update.
    pub max_unavailable: Unavailable,
    /// EKS replaces nodes whose health checks fail.
    pub node_repair: bool,
}

/// What was seen of a node group.
#[derive(Debug, Clone)]
pub struct Seen(eks::Nodegroup);

/// One update of a node group.
#[derive(Debug, Clone)]
pub enum Change {
    /// Sizes, labels, taints or the update setting; AWS takes them in one call.
    Configuration(Vec<&'static str>),
    /// Another version of the launch template or of the AMI: rolls the nodes.
    Version(Vec<&'static str>),
    /// Other tags.
    Tags(TagChange),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(fields) | Self::Version(fields) => formatter.write_str(&fields.join(", ")),
            Self::Tags(change) => write!(formatter, "{change}"),
        }
    }
}

impl NodeGroup {
    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership) -> Self {
        let cluster_name = record.identity.get("cluster").to_owned();
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            cluster: Input::known(&cluster_name),
            cluster_name,
            node_role_arn: Input::known(""),
            launch_template_id: Input::known(""),
            launch_template_version: Input::known(""),
            fixed: Fixed {
                name: record.key.name().to_owned(),
                instance_types: Vec::new(),
                ami_type: String::new(),
                capacity_type: String::new(),
                subnet_ids: BTreeSet::new(),
            },
            min_size: 0,
            max_size: 1,
            labels: BTreeMap::new(),
            taints: BTreeSet::new(),
            release_version: None,
            max_unavailable: Unavailable::Nodes(1),
            node_repair: false,
        }
    }

    fn replacement(&self, target: &Target<'_>, seen: &eks::Nodegroup) -> Option<Replacement> {
        let [first, second] = self.fixed.identities(&self.cluster_name);
        let has_failed = matches!(
            seen.status(),
            Some(eks::NodegroupStatus::CreateFailed | eks::NodegroupStatus::DeleteFailed)
        );
        let identity = match target.identity {
            // It serves nobody, so it makes room.
            named if has_failed && (*named == first || *named == second) => named.clone(),
            named if *named == first => second,
            _ => first,
        };
        if has_failed {
            return Some(Replacement { reason: health(seen), identity });
        }
        let mut differences = self.fixed.differences(seen);
        let differs =
            |wanted: Option<String>, seen: Option<&str>| wanted.is_some() && wanted.as_deref() != seen;
        let template = seen.launch_template().and_then(|template| template.id());
        if differs(target.input(&self.launch_template_id), template) {
            differences.push("launch template");
        }
        if differs(target.input(&self.node_role_arn), seen.node_role()) {
            differences.push("node role");
        }
        (!differences.is_empty()).then(|| Replacement { reason: differences.join(", "), identity })
    }

    fn repair(&self) -> eks::NodeRepairConfig {
        eks::NodeRepairConfig::builder().enabled(self.node_repair).build()
    }

    /// Sizes to ask for: the current one only where it lies outside of the limits.
    fn scaling(&self, current: Option<i32>) -> eks::NodegroupScalingConfig {
        let desired = current.map(|current| current.clamp(self.min_size, self.max_size));
        eks::NodegroupScalingConfig::builder()
            .min_size(self.min_size)
            .max_size(self.max_size)
            .set_desired_size(desired.filter(|desired| current != Some(*desired)))
            .build()
    }
}

#[async_trait]
impl Part<Aws> for NodeGroup {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.marks.key.clone()
    }

    fn identity(&self) -> Identity {
        let [first, _] = self.fixed.identities(&self.cluster_name);
        first
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let Some(group) = describe(aws, target).await? else { return Ok(Observation::Absent) };
        let owner = self.marks.ownership.of(&from_map(group.tags()));
        let instance = instance(&group);
        Ok(match group.status() {
            Some(
                status @ (eks::NodegroupStatus::Creating
                | eks::NodegroupStatus::Updating
                | eks::NodegroupStatus::Deleting),
            ) => Observation::Busy { status: status.as_str().to_owned(), owner, instance },
            _ => Observation::Present { owner, instance, outputs: outputs(&group), seen: Seen(group) },
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let seen = &seen.0;
        if let Some(replacement) = self.replacement(target, seen) {
            return Comparison::Replace(replacement);
        }
        let mut fields = Vec::new();
        if let Some(scaling) = seen.scaling_config() {
            let (min, max) = (scaling.min_size().unwrap_or_default(), scaling.max_size().unwrap_or_default());
            if (min, max) != (self.min_size, self.max_size) {
                fields.push("sizes");
            }
        }
        if labels(seen) != self.labels {
            fields.push("labels");
        }
        if taint::seen(seen) != self.taints {
            fields.push("taints");
        }
        if Unavailable::of(seen) != Some(self.max_unavailable) {
            fields.push("update setting");
        }
        if existing::node_repair(seen) != self.node_repair {
            fields.push("node repair");
        }
        let mut changes = Vec::new();
        if !fields.is_empty() {
            changes.push(Change::Configuration(fields));
        }
        let mut versions = Vec::new();
        let version = seen.launch_template().and_then(|template| template.version());
        let wanted = target.input(&self.launch_template_version);
        if wanted.is_some() && wanted.as_deref() != version {
            versions.push("launch template version");
        }
        if self.release_version.is_some() && self.release_version.as_deref() != seen.release_version() {
            versions.push("AMI release");
        }
        if !versions.is_empty() {
            changes.push(Change::Version(versions));
        }
        changes.extend(TagChange::between(&from_map(seen.tags()), &self.marks.tags()).map(Change::Tags));
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let answer = aws
            .eks
            .create_nodegroup()
            .cluster_name(target.require(&self.cluster)?)
            .nodegroup_name(target.identity.get("name"))
            .set_subnets(Some(self.fixed.subnet_ids.iter().cloned().collect()))
            .set_instance_types(Some(self.fixed.instance_types.clone()))
            .ami_type(eks::AmiTypes::from(self.fixed.ami_type.as_str()))
            .capacity_type(eks::CapacityTypes::from(self.fixed.capacity_type.as_str()))
            .node_role(target.require(&self.node_role_arn)?)
            .launch_template(
                eks::LaunchTemplateSpecification::builder()
                    .id(target.require(&self.launch_template_id)?)
                    .version(target.require(&self.launch_template_version)?)
                    .build(),
            )
            .scaling_config(
                eks::NodegroupScalingConfig::builder()
                    .min_size(self.min_size)
                    .max_size(self.max_size)
                    .desired_size(self.min_size)
                    .build(),
            )
            .set_labels(Some(self.labels.clone().into_iter().collect()))
            .set_taints(Some(taint::requested(self.taints.iter().cloned())))
            .set_release_version(self.release_version.clone())
            .update_config(self.max_unavailable.requested())
            .node_repair_config(self.repair())
            .set_tags(Some(self.marks.tags().into_iter().collect()))
            .client_request_token(token::random())
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let group =
            answer.nodegroup.ok_or_else(|| Failure::refused("EKS CreateNodegroup answered no node group"))?;
        Ok(Created { instance: instance(&group), outputs: outputs(&group), seen: Seen(group) })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let (cluster, name) = (target.identity.get("cluster"), target.identity.get("name"));
        match change {
            Change::Configuration(_) => {
                // What is to be removed is named in the call: look at what is there now.
                let Some(group) = describe(aws, target).await? else {
                    return Err(Failure::refused("the node group is gone"));
                };
                let current = group.scaling_config().and_then(|scaling| scaling.desired_size());
                let gone_labels = labels(&group).into_keys().filter(|key| !self.labels.contains_key(key));
                let seen_taints = taint::seen(&group);
                let gone_taints = seen_taints.iter().filter(|seen| {
                    !self.taints.iter().any(|t| (&t.key, &t.effect) == (&seen.key, &seen.effect))
                });
                let call = aws
                    .eks
                    .update_nodegroup_config()
                    .cluster_name(cluster)
                    .nodegroup_name(name)
                    .scaling_config(self.scaling(current))
                    .labels(
                        eks::UpdateLabelsPayload::builder()
                            .set_add_or_update_labels(Some(self.labels.clone().into_iter().collect()))
                            .set_remove_labels(Some(gone_labels.collect()))
                            .build(),
                    )
                    .taints(
                        eks::UpdateTaintsPayload::builder()
                            .set_add_or_update_taints(Some(taint::requested(self.taints.iter().cloned())))
                            .set_remove_taints(Some(taint::requested(gone_taints.cloned())))
                            .build(),
                    )
                    .update_config(self.max_unavailable.requested())
                    .node_repair_config(self.repair())
                    .client_request_token(token::random());
                let answer = call.send().await.map_err(|error| failure(UPDATE_CONFIG, &error))?;
                Ok(update::started(aws, answer.update()))
            }
            Change::Version(_) => {
                // Without a release EKS would take the newest one.
                let release = self.release_version.as_deref().or(target.outputs.get("release_version"));
                let template = eks::LaunchTemplateSpecification::builder()
                    .id(target.require(&self.launch_template_id)?)
                    .version(target.require(&self.launch_template_version)?)
                    .build();
                let call = aws
                    .eks
                    .update_nodegroup_version()
                    .cluster_name(cluster)
                    .nodegroup_name(name)
                    .launch_template(template)
                    .set_release_version(release.map(str::to_owned))
                    .client_request_token(token::random());
                let answer = call.send().await.map_err(|error| failure(UPDATE_VERSION, &error))?;
                Ok(update::started(aws, answer.update()))
            }
            Change::Tags(change) => {
                let arn = target.outputs.get("arn").unwrap_or_default();
                super::set_tags(aws, arn, change).await.map(|()| Outputs::default())
            }
        }
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let (cluster, name) = (target.identity.get("cluster"), target.identity.get("name"));
        super::gone(
            DELETE,
            aws.eks.delete_nodegroup().cluster_name(cluster).nodegroup_name(name).send().await,
        )
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let (cluster, name) = (target.identity.get("cluster"), target.identity.get("name"));
        let mut served = target.outputs.get(SERVED).is_some();
        if until == Until::Usable {
            let of = Some(update::Of::NodeGroup(name));
            if let Some(unfinished) = update::probe(aws, target, cluster, of).await? {
                return Ok(unfinished);
            }
            served |= update::started_here(aws, target).is_some();
        }
        let Some(group) = describe(aws, target).await? else {
            return match until {
                Until::Gone => Ok(Probe::Done(Outputs::default())),
                Until::Usable => Err(super::not_visible_yet()),
            };
        };
        let status = group.status().map_or("UNKNOWN", eks::NodegroupStatus::as_str).to_owned();
        Ok(match (until, group.status()) {
            (Until::Usable, Some(eks::NodegroupStatus::Active)) => Probe::Done(usable(&group)),
            // It has served before, or an update of it has ended well: its health stands in the state.
            (Until::Usable, Some(eks::NodegroupStatus::Degraded)) if served => Probe::Done(usable(&group)),
            (Until::Usable, Some(eks::NodegroupStatus::Creating | eks::NodegroupStatus::Updating)) => {
                Probe::Pending(status)
            }
            (Until::Usable, _) | (Until::Gone, Some(eks::NodegroupStatus::DeleteFailed)) => {
                Probe::Failed(health(&group))
            }
            (Until::Gone, _) => Probe::Pending(status),
        })
    }

    fn state(&self, outputs: &Outputs) -> String {
        match outputs.get(ISSUES) {
            None | Some("") => "ready".to_owned(),
            Some(codes) => format!("degraded ({codes})"),
        }
    }
}

/// Output of a group that was usable once.
const SERVED: &str = "served";

fn usable(group: &eks::Nodegroup) -> Outputs {
    let mut outputs = outputs(group);
    outputs.set(SERVED, "true");
    outputs
}

const DESCRIBE: Operation = Operation::new("EKS", "DescribeNodegroup");
const LIST: Operation = Operation::new("EKS", "ListNodegroups");
const CREATE: Operation = Operation::new("EKS", "CreateNodegroup");
const UPDATE_CONFIG: Operation = Operation::new("EKS", "UpdateNodegroupConfig");
const UPDATE_VERSION: Operation = Operation::new("EKS", "UpdateNodegroupVersion");
const DELETE: Operation = Operation::new("EKS", "DeleteNodegroup");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[
        DESCRIBE,
        LIST,
        CREATE,
        UPDATE_CONFIG,
        UPDATE_VERSION,
        DELETE,
        update::DESCRIBE,
        super::TAG,
        super::UNTAG,
    ],
    implied: &[
        (
            "iam:PassRole",
            "EKS user guide, create-node-role: the caller of CreateNodegroup passes the node role",
        ),
        ("ec2:RunInstances", "EKS user guide, launch-templates"),
        ("ec2:CreateTags", "EKS user guide, launch-templates"),
        ("iam:CreateServiceLinkedRole", "EKS user guide, using-service-linked-roles-eks-nodegroups"),
    ],
};

/// Node groups of a cluster that carry the owner mark, the oldest first.
pub async fn discover(aws: &Aws, cluster: &str, ownership: &Ownership) -> Result<Vec<Existing>, Failure> {
    let mut names = Vec::new();
    let mut pages = aws.eks.list_nodegroups().cluster_name(cluster).into_paginator().items().send();
    while let Some(name) = pages.next().await {
        match name {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failure(LIST, &error)),
            Ok(name) => names.push(name),
        }
    }
    let mut found = Vec::new();
    for name in names {
        let identity = Identity::new([("cluster", cluster), ("name", &name)]);
        let outputs_so_far = Outputs::default();
        let target = Target::new(&identity, &outputs_so_far, &|_| None);
        let Some(group) = describe(aws, &target).await? else { continue };
        if let Some(key) = super::part_of(ownership, &from_map(group.tags()), KIND) {
            let record = super::found(key, identity.clone(), instance(&group), outputs(&group));
            found.push(Existing::of(record, &group));
        }
    }
    found.sort_by_key(|group| group.created);
    Ok(found)
}

async fn describe(aws: &Aws, target: &Target<'_>) -> Result<Option<eks::Nodegroup>, Failure> {
    let (cluster, name) = (target.identity.get("cluster"), target.identity.get("name"));
    match aws.eks.describe_nodegroup().cluster_name(cluster).nodegroup_name(name).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE, &error)),
        Ok(answer) => Ok(answer.nodegroup),
    }
}
