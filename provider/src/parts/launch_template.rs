//! Launch template of a node group: what EKS would otherwise choose for the nodes.
//!
//! No security groups in it, else EKS drops its own; tags of what nodes are made of are fixed with a
//! version, and a change of tags alone makes no new version, since that would roll every node.
//!
//! API: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use aws_sdk_ec2::types as ec2;
use resource_graph::{
    Comparison, Created, Failure, Identity, Observation, Output, Outputs, Part, PartKey, Probe, Record,
    Target, Until,
};

#[cfg(test)]
use super::Calls;
use super::gone;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, OWNER, Ownership, TagChange, Tags};
use crate::aws::{Aws, token};

/// Kind of its keys.
pub const KIND: &str = "launch-template";
/// Longest name EC2 takes.
pub const LONGEST_NAME: usize = 128;
/// A volume of the nodes: always encrypted, gp3, and deleted with the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// `/dev/xvda`
    pub device: &'static str,
    /// Size, GiB; none for the size of the AMI's own snapshot.
    pub gib: Option<i32>,
}

/// The volumes of an AMI type, `disk_gib` for images and pods. Bottlerocket has its system on a volume of its
/// own; what is not mapped stays small and unencrypted.
///
/// Source: amazon-eks-ami `templates/al2023`; bottlerocket README, "Default volumes".
pub fn volumes(ami_type: &str, disk_gib: i32) -> Vec<Volume> {
    let data = |device| Volume { device, gib: Some(disk_gib) };
    if ami_type.starts_with("BOTTLEROCKET") {
        return vec![Volume { device: "/dev/xvda", gib: None }, data("/dev/xvdb")];
    }
    vec![data("/dev/xvda")]
}

/// What the nodes of a group are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct LaunchTemplate {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name, 3-128 characters.
    pub name: String,
    /// Volumes of the nodes.
    pub volumes: Vec<Volume>,
}

/// What was seen of a launch template.
#[derive(Debug, Clone)]
pub struct Seen {
    default_version: i64,
    /// The version the nodes use has the wanted data; false also when that version was deleted.
    fits: bool,
    tags: Tags,
}

/// One update of a launch template.
#[derive(Debug, Clone)]
pub enum Change {
    /// Its data differs: a new version.
    Version,
    /// The default is another version than the one the nodes use.
    Default(String),
    /// Other tags.
    Tags(TagChange),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => write!(formatter, "launch template data"),
            Self::Default(version) => write!(formatter, "default version is not {version}"),
            Self::Tags(change) => write!(formatter, "{change}"),
        }
    }
}

impl LaunchTemplate {
    /// Id of the template.
    pub const ID: Output<Self> = Output::new("id");
    /// The version nodes use.
    pub const VERSION: Output<Self> = Output::new("version");

    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership) -> Self {
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            name: record.identity.get("name").to_owned(),
            volumes: Vec::new(),
        }
    }

    fn data(&self) -> ec2::RequestLaunchTemplateData {
        let tags = || ec2_tags(&self.marks.tags);
        let specification = |resource: ec2::ResourceType| {
            ec2::LaunchTemplateTagSpecificationRequest::builder()
                .resource_type(resource)
                .set_tags(Some(tags()))
                .build()
        };
        let tagged =
            [ec2::ResourceType::Instance, ec2::ResourceType::Volume, ec2::ResourceType::NetworkInterface];
        let specifications: Vec<_> = tagged.into_iter().map(specification).collect();
        ec2::RequestLaunchTemplateData::builder()
            .metadata_options(
                ec2::LaunchTemplateInstanceMetadataOptionsRequest::builder()
                    .http_tokens(ec2::LaunchTemplateHttpTokensState::Required)
                    .http_put_response_hop_limit(1)
                    .build(),
            )
            .set_block_device_mappings(Some(self.volumes.iter().map(mapping).collect()))
            .set_tag_specifications((!self.marks.tags.is_empty()).then_some(specifications))
            .build()
    }

    fn fits(&self, data: &ec2::ResponseLaunchTemplateData) -> bool {
        let metadata = data.metadata_options().is_some_and(|options| {
            options.http_tokens() == Some(&ec2::LaunchTemplateHttpTokensState::Required)
                && options.http_put_response_hop_limit() == Some(1)
        });
        let seen = data.block_device_mappings();
        let volumes = seen.len() == self.volumes.len()
            && self.volumes.iter().zip(seen).all(|(volume, seen)| volume.fits(seen));
        metadata && volumes
    }
}

impl Volume {
    fn fits(&self, seen: &ec2::LaunchTemplateBlockDeviceMapping) -> bool {
        seen.device_name() == Some(self.device)
            && seen.ebs().is_some_and(|ebs| {
                ebs.encrypted() == Some(true)
                    && ebs.volume_type() == Some(&ec2::VolumeType::Gp3)
                    && ebs.volume_size() == self.gib
            })
    }
}

fn mapping(volume: &Volume) -> ec2::LaunchTemplateBlockDeviceMappingRequest {
    let ebs = ec2::LaunchTemplateEbsBlockDeviceRequest::builder()
        .encrypted(true)
        .delete_on_termination(true)
        .volume_type(ec2::VolumeType::Gp3)
        .set_volume_size(volume.gib)
        .build();
    ec2::LaunchTemplateBlockDeviceMappingRequest::builder().device_name(volume.device).ebs(ebs).build()
}

#[async_trait]
impl Part<Aws> for LaunchTemplate {
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
        let recorded = target.outputs.get("id").zip(target.outputs.get("version"));
        let recorded_data = async {
            match recorded {
                Some((id, version)) => version_data(aws, id, version).await,
                None => Ok(None),
            }
        };
        let (template, recorded_data) = tokio::try_join!(describe(aws, name), recorded_data)?;
        let Some(template) = template else { return Ok(Observation::Absent) };
        let id = template.launch_template_id().unwrap_or_default();
        let default_version = template.default_version_number().unwrap_or_default();
        // A version belongs to one template: what was recorded of an earlier template of that name says
        // nothing about this one.
        let (version, data) = match recorded.filter(|(recorded, _)| *recorded == id) {
            Some((_, version)) => (version.to_owned(), recorded_data),
            None => {
                let version = default_version.to_string();
                let data = version_data(aws, id, &version).await?;
                (version, data)
            }
        };
        let seen = Seen {
            default_version,
            fits: data.is_some_and(|data| self.fits(&data)),
            tags: tags(template.tags()),
        };
        Ok(Observation::Present {
            owner: self.marks.ownership.of(&seen.tags),
            instance: Some(id.to_owned()),
            outputs: Outputs::new([("id", id), ("version", &version)]),
            seen,
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let mut changes = Vec::new();
        let default = seen.default_version.to_string();
        let used = target.outputs.get("version").unwrap_or(&default);
        if !seen.fits {
            changes.push(Change::Version);
        } else if used != default {
            changes.push(Change::Default(used.to_owned()));
        }
        changes.extend(TagChange::between(&seen.tags, &self.marks.tags()).map(Change::Tags));
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let answer = aws
            .ec2
            .create_launch_template()
            .launch_template_name(target.identity.get("name"))
            .launch_template_data(self.data())
            .tag_specifications(
                ec2::TagSpecification::builder()
                    .resource_type(ec2::ResourceType::LaunchTemplate)
                    .set_tags(Some(ec2_tags(&self.marks.tags())))
                    .build(),
            )
            .client_token(token::random())
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let template = answer
            .launch_template
            .ok_or_else(|| Failure::refused("EC2 CreateLaunchTemplate answered no launch template"))?;
        let id = template.launch_template_id().unwrap_or_default();
        let version = template.default_version_number().unwrap_or(1);
        let seen = Seen { default_version: version, fits: true, tags: self.marks.tags() };
        let outputs = Outputs::new([("id", id), ("version", &version.to_string())]);
        Ok(Created { seen, instance: Some(id.to_owned()), outputs })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let id = target.outputs.get("id").unwrap_or_default();
        match change {
            Change::Version => {
                let call = aws
                    .ec2
                    .create_launch_template_version()
                    .launch_template_id(id)
                    .launch_template_data(self.data())
                    .client_token(token::random());
                let answer = call.send().await.map_err(|error| failure(CREATE_VERSION, &error))?;
                let version = answer.launch_template_version.and_then(|version| version.version_number());
                let version = version.unwrap_or_default().to_string();
                set_default(aws, id, &version).await?;
                Ok(Outputs::new([("version", &version)]))
            }
            Change::Default(version) => {
                set_default(aws, id, version).await?;
                Ok(Outputs::default())
            }
            Change::Tags(change) => {
                if !change.set.is_empty() {
                    let call = aws.ec2.create_tags().resources(id).set_tags(Some(ec2_tags(&change.set)));
                    call.send().await.map_err(|error| failure(TAG, &error))?;
                }
                if !change.remove.is_empty() {
                    let keys = change.remove.iter().map(|key| ec2::Tag::builder().key(key).build());
                    let call = aws.ec2.delete_tags().resources(id).set_tags(Some(keys.collect()));
                    call.send().await.map_err(|error| failure(UNTAG, &error))?;
                }
                Ok(Outputs::default())
            }
        }
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let call = aws.ec2.delete_launch_template().launch_template_name(target.identity.get("name"));
        gone(DELETE, call.send().await)
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        if until == Until::Usable || describe(aws, target.identity.get("name")).await?.is_none() {
            return Ok(Probe::Done(Outputs::default()));
        }
        Ok(Probe::Pending("still there".to_owned()))
    }
}

const CREATE: Operation = Operation::new("EC2", "CreateLaunchTemplate");
const CREATE_VERSION: Operation = Operation::new("EC2", "CreateLaunchTemplateVersion");
const DESCRIBE: Operation = Operation::new("EC2", "DescribeLaunchTemplates");
const DESCRIBE_VERSIONS: Operation = Operation::new("EC2", "DescribeLaunchTemplateVersions");
const MODIFY: Operation = Operation::new("EC2", "ModifyLaunchTemplate");
const TAG: Operation = Operation::new("EC2", "CreateTags");
const UNTAG: Operation = Operation::new("EC2", "DeleteTags");
const DELETE: Operation = Operation::new("EC2", "DeleteLaunchTemplate");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[CREATE, CREATE_VERSION, DESCRIBE, DESCRIBE_VERSIONS, MODIFY, TAG, UNTAG, DELETE],
    implied: &[],
};

/// Templates that carry the owner mark.
pub async fn discover(aws: &Aws, ownership: &Ownership) -> Result<Vec<Record>, Failure> {
    let filter = ec2::Filter::builder().name(format!("tag:{OWNER}")).values(ownership.owner()).build();
    let mut pages = aws.ec2.describe_launch_templates().filters(filter).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(template) = pages.next().await {
        let template = template.map_err(|error| failure(DESCRIBE, &error))?;
        let id = template.launch_template_id().unwrap_or_default();
        let version = template.default_version_number().unwrap_or_default().to_string();
        if let Some(key) = super::part_of(ownership, &tags(template.tags()), KIND) {
            let identity = Identity::new([("name", template.launch_template_name().unwrap_or_default())]);
            let outputs = Outputs::new([("id", id), ("version", &version)]);
            found.push(super::found(key, identity, Some(id.to_owned()), outputs));
        }
    }
    Ok(found)
}

/// Size of the volume for images and pods of a template's version, GiB: for an import.
pub async fn disk_gib(aws: &Aws, record: &Record) -> Result<Option<i64>, Failure> {
    let output = |name| record.outputs.get(name).unwrap_or_default();
    let data = version_data(aws, output("id"), output("version")).await?;
    let mappings = data.as_ref().map(|data| data.block_device_mappings()).unwrap_or_default();
    Ok(mappings.last().and_then(|mapping| mapping.ebs()?.volume_size()).map(i64::from))
}

fn tags(tags: &[ec2::Tag]) -> Tags {
    let pair = |tag: &ec2::Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

fn ec2_tags(tags: &Tags) -> Vec<ec2::Tag> {
    tags.iter().map(|(key, value)| ec2::Tag::builder().key(key).value(value).build()).collect()
}

async fn describe(aws: &Aws, name: &str) -> Result<Option<ec2::LaunchTemplate>, Failure> {
    let client = aws.ec2.clone();
    let ask = |names: BTreeSet<String>| async move {
        // As a filter, and not as names, of which each has to be there. A filter takes 200 values: more templates
        // than AWS makes node groups for in a region's clusters at once.
        let filter =
            ec2::Filter::builder().name("launch-template-name").set_values(Some(names.into_iter().collect()));
        let mut found = BTreeMap::new();
        let mut pages =
            client.describe_launch_templates().filters(filter.build()).into_paginator().items().send();
        while let Some(template) = pages.next().await {
            let template = template.map_err(|error| failure(DESCRIBE, &error))?;
            found.extend(template.launch_template_name.clone().map(|name| (name, template)));
        }
        Ok(found)
    };
    aws.launch_templates.look(name, ask).await
}

async fn version_data(
    aws: &Aws,
    id: &str,
    version: &str,
) -> Result<Option<ec2::ResponseLaunchTemplateData>, Failure> {
    match aws.ec2.describe_launch_template_versions().launch_template_id(id).versions(version).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE_VERSIONS, &error)),
        Ok(answer) => {
            let versions = answer.launch_template_versions.unwrap_or_default();
            Ok(versions.into_iter().next().and_then(|version| version.launch_template_data))
        }
    }
}

async fn set_default(aws: &Aws, id: &str, version: &str) -> Result<(), Failure> {
    let call = aws.ec2.modify_launch_template().launch_template_id(id).default_version(version);
    call.send().await.map(|_| ()).map_err(|error| failure(MODIFY, &error))
}
