//! The control plane.
//!
//! Everything `CreateCluster` accepts is in it and never an update after it. A cluster takes one update at
//! a time and one kind in each, and tells late that it is updating: an update is awaited by its id.
//!
//! API: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html>

use std::collections::BTreeSet;
use std::fmt;

use async_trait::async_trait;
use aws_sdk_eks::types as eks;
use resource_graph::{
    Comparison, Created, Failure, FailureKind, Identity, Input, Observation, Output, Outputs, Part, PartKey,
    Probe, Record, Target, Until,
};

mod existing;
mod kubernetes_network;

pub use existing::{EndpointAccess, Existing, LOG_TYPES};
use existing::{health, instance, key_arn, log_types, outputs, support_type};
pub use kubernetes_network::KubernetesNetwork;

#[cfg(test)]
use super::Calls;
use super::update;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{GENERATION, INCOMPLETE, Marks, Ownership, STATUS, TagChange, Tags, from_map};
use crate::aws::{Aws, token};

/// Its key: there is one of it.
pub const KIND: &str = "cluster";
/// A control plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name, 1-100 characters.
    pub name: String,
    /// `1.35`
    pub kubernetes_version: String,
    /// Role EKS assumes; AWS never changes it afterwards.
    pub role_arn: Input,
    /// Subnets of the control plane's interfaces, in two zones or more.
    pub subnet_ids: BTreeSet<String>,
    /// Security groups of the control plane's interfaces, besides the one EKS makes.
    pub security_group_ids: BTreeSet<String>,
    /// Addresses of pods and services; AWS never changes them.
    pub kubernetes_network: KubernetesNetwork,
    /// Zonal shift is on.
    pub zonal_shift: bool,
    /// How its endpoint can be reached.
    pub endpoint_access: EndpointAccess,
    /// Log types that are on.
    pub log_types: BTreeSet<String>,
    /// Key that encrypts secrets; AWS never changes it afterwards.
    pub kms_key_arn: Input,
    /// `STANDARD` or `EXTENDED`
    pub support_type: String,
    /// AWS's own deletion protection.
    pub deletion_protection: bool,
    /// Which run makes it; a mark on the cluster, not part of a comparison.
    pub generation: String,
}

/// What was seen of a cluster.
#[derive(Debug, Clone)]
pub struct Seen(eks::Cluster);

/// One update of a cluster, of one kind.
#[derive(Debug, Clone)]
pub enum Change {
    /// Endpoint access differs.
    Endpoint,
    /// Other subnets or security groups.
    Network(Vec<&'static str>),
    /// Other log types.
    Logging,
    /// Secrets are not encrypted with a key yet.
    Encryption,
    /// Another support type.
    UpgradePolicy,
    /// Zonal shift is on or off.
    ZonalShift,
    /// AWS's deletion protection is on or off.
    DeletionProtection,
    /// Access still goes through a ConfigMap.
    Authentication,
    /// Other tags.
    Tags(TagChange),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint => write!(formatter, "endpoint access"),
            Self::Network(fields) => formatter.write_str(&fields.join(", ")),
            Self::ZonalShift => write!(formatter, "zonal shift"),
            Self::Logging => write!(formatter, "log types"),
            Self::Encryption => write!(formatter, "secrets not encrypted with the key"),
            Self::UpgradePolicy => write!(formatter, "support type"),
            Self::DeletionProtection => write!(formatter, "deletion protection"),
            Self::Authentication => write!(formatter, "authentication mode"),
            Self::Tags(change) => write!(formatter, "{change}"),
        }
    }
}

impl Cluster {
    /// Name of the cluster.
    pub const NAME: Output<Self> = Output::new("name");

    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership) -> Self {
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            name: record.identity.get("name").to_owned(),
            kubernetes_version: String::new(),
            role_arn: Input::known(""),
            subnet_ids: BTreeSet::new(),
            endpoint_access: EndpointAccess { private: true, public: false, public_cidrs: BTreeSet::new() },
            log_types: BTreeSet::new(),
            kms_key_arn: Input::known(""),
            support_type: String::new(),
            security_group_ids: BTreeSet::new(),
            kubernetes_network: KubernetesNetwork::default(),
            zonal_shift: false,
            deletion_protection: false,
            generation: String::new(),
        }
    }

    fn logging(&self) -> eks::Logging {
        let setup = |types: Vec<eks::LogType>, enabled: bool| {
            (!types.is_empty())
                .then(|| eks::LogSetup::builder().set_types(Some(types)).enabled(enabled).build())
        };
        let (on, off): (Vec<&str>, Vec<&str>) =
            LOG_TYPES.iter().partition(|name| self.log_types.contains(**name));
        let types = |names: Vec<&str>| names.into_iter().map(eks::LogType::from).collect();
        let setups = [setup(types(on), true), setup(types(off), false)];
        eks::Logging::builder().set_cluster_logging(Some(setups.into_iter().flatten().collect())).build()
    }

    fn endpoint(&self) -> eks::builders::VpcConfigRequestBuilder {
        let access = &self.endpoint_access;
        let cidrs: Vec<String> = access.public_cidrs.iter().cloned().collect();
        eks::VpcConfigRequest::builder()
            .endpoint_private_access(access.private)
            .endpoint_public_access(access.public)
            .set_public_access_cidrs((!cidrs.is_empty()).then_some(cidrs))
    }

    fn shift(&self) -> eks::ZonalShiftConfigRequest {
        eks::ZonalShiftConfigRequest::builder().enabled(self.zonal_shift).build()
    }

    fn encryption(key: String) -> eks::EncryptionConfig {
        eks::EncryptionConfig::builder().provider(eks::Provider::builder().key_arn(key).build()).build()
    }

    fn support(&self) -> eks::UpgradePolicyRequest {
        eks::UpgradePolicyRequest::builder()
            .support_type(eks::SupportType::from(self.support_type.as_str()))
            .build()
    }
}

#[async_trait]
impl Part<Aws> for Cluster {
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
        let Some(cluster) = describe(aws, target.identity.get("name")).await? else {
            return Ok(Observation::Absent);
        };
        let owner = self.marks.ownership.of(&from_map(cluster.tags()));
        let instance = instance(&cluster);
        Ok(match cluster.status() {
            Some(
                status @ (eks::ClusterStatus::Creating
                | eks::ClusterStatus::Updating
                | eks::ClusterStatus::Deleting
                | eks::ClusterStatus::Pending),
            ) => Observation::Busy { status: status.as_str().to_owned(), owner, instance },
            _ => Observation::Present { owner, instance, outputs: outputs(&cluster), seen: Seen(cluster) },
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let seen = &seen.0;
        if let Some(reason) = self.impossible(target, seen) {
            return Comparison::Impossible(reason);
        }
        let mut changes = Vec::new();
        if let Some(vpc) = seen.resources_vpc_config() {
            let cidrs: BTreeSet<String> = vpc.public_access_cidrs().iter().cloned().collect();
            let wanted = &self.endpoint_access;
            // Without public access AWS keeps whatever list there was; it then opens nothing.
            let other_cidrs = wanted.public && cidrs != wanted.public_cidrs;
            let other_access = vpc.endpoint_private_access() != wanted.private
                || vpc.endpoint_public_access() != wanted.public;
            if other_access || other_cidrs {
                changes.push(Change::Endpoint);
            }
            let set = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<String>>();
            let mut fields = Vec::new();
            if set(vpc.subnet_ids()) != self.subnet_ids {
                fields.push(SUBNETS);
            }
            if set(vpc.security_group_ids()) != self.security_group_ids {
                fields.push(SECURITY_GROUPS);
            }
            if !fields.is_empty() {
                changes.push(Change::Network(fields));
            }
        }
        if log_types(seen) != self.log_types {
            changes.push(Change::Logging);
        }
        if key_arn(seen).is_none() {
            changes.push(Change::Encryption);
        }
        if support_type(seen) != Some(self.support_type.as_str()) {
            changes.push(Change::UpgradePolicy);
        }
        if existing::zonal_shift(seen) != self.zonal_shift {
            changes.push(Change::ZonalShift);
        }
        if seen.deletion_protection().unwrap_or(false) != self.deletion_protection {
            changes.push(Change::DeletionProtection);
        }
        let mode = seen.access_config().and_then(|access| access.authentication_mode());
        if mode.is_some_and(|mode| *mode != eks::AuthenticationMode::Api) {
            changes.push(Change::Authentication);
        }
        changes.extend(TagChange::between(&from_map(seen.tags()), &self.marks.tags()).map(Change::Tags));
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let mut tags = self.marks.tags();
        tags.insert(GENERATION.to_owned(), self.generation.clone());
        tags.insert(STATUS.to_owned(), INCOMPLETE.to_owned());
        let answer = aws
            .eks
            .create_cluster()
            .name(target.identity.get("name"))
            .version(&self.kubernetes_version)
            .role_arn(target.require(&self.role_arn)?)
            .resources_vpc_config(
                self.endpoint()
                    .set_subnet_ids(Some(list(&self.subnet_ids)))
                    .set_security_group_ids(
                        (!self.security_group_ids.is_empty()).then(|| list(&self.security_group_ids)),
                    )
                    .build(),
            )
            .logging(self.logging())
            .encryption_config(Self::encryption(target.require(&self.kms_key_arn)?))
            .access_config(
                eks::CreateAccessConfigRequest::builder()
                    .authentication_mode(eks::AuthenticationMode::Api)
                    .bootstrap_cluster_creator_admin_permissions(false)
                    .build(),
            )
            .upgrade_policy(self.support())
            .kubernetes_network_config(self.kubernetes_network.requested())
            .zonal_shift_config(self.shift())
            .bootstrap_self_managed_addons(false)
            .deletion_protection(self.deletion_protection)
            .client_request_token(token::random())
            .set_tags(Some(tags.into_iter().collect()))
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let cluster =
            answer.cluster.ok_or_else(|| Failure::refused("EKS CreateCluster answered no cluster"))?;
        Ok(Created { instance: instance(&cluster), outputs: outputs(&cluster), seen: Seen(cluster) })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let name = target.identity.get("name");
        let config = || aws.eks.update_cluster_config().name(name).client_request_token(token::random());
        let call = match change {
            Change::Tags(change) => {
                let arn = target.outputs.get("arn").unwrap_or_default();
                return super::set_tags(aws, arn, change).await.map(|()| Outputs::default());
            }
            Change::Encryption => {
                let call = aws
                    .eks
                    .associate_encryption_config()
                    .cluster_name(name)
                    .encryption_config(Self::encryption(target.require(&self.kms_key_arn)?))
                    .client_request_token(token::random());
                let answer = call.send().await.map_err(|error| failure(ASSOCIATE_ENCRYPTION, &error))?;
                return Ok(update::started(aws, answer.update()));
            }
            Change::Endpoint => config().resources_vpc_config(self.endpoint().build()),
            Change::Network(fields) => {
                let named = |field: &str, texts| fields.contains(&field).then(|| list(texts));
                let request = eks::VpcConfigRequest::builder()
                    .set_subnet_ids(named(SUBNETS, &self.subnet_ids))
                    .set_security_group_ids(named(SECURITY_GROUPS, &self.security_group_ids));
                config().resources_vpc_config(request.build())
            }
            Change::ZonalShift => config().zonal_shift_config(self.shift()),
            Change::Logging => config().logging(self.logging()),
            Change::UpgradePolicy => config().upgrade_policy(self.support()),
            Change::DeletionProtection => config().deletion_protection(self.deletion_protection),
            Change::Authentication => config().access_config(
                eks::UpdateAccessConfigRequest::builder()
                    .authentication_mode(eks::AuthenticationMode::Api)
                    .build(),
            ),
        };
        let answer = call.send().await.map_err(|error| failure(UPDATE_CONFIG, &error))?;
        Ok(update::started(aws, answer.update()))
    }

    /// Destroying an unfinished cluster lifts AWS's flag first; whoever asked for that has recorded it.
    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let name = target.identity.get("name");
        if target.outputs.get(LIFT_PROTECTION).is_some() {
            let cluster = describe(aws, name).await?;
            let held = cluster.as_ref().is_some_and(|cluster| {
                cluster.deletion_protection().unwrap_or(false)
                    && cluster.status() == Some(&eks::ClusterStatus::Active)
            });
            if held {
                let call = aws.eks.update_cluster_config().name(name).deletion_protection(false);
                call.send().await.map_err(|error| failure(UPDATE_CONFIG, &error))?;
                return Err(Failure::new(
                    FailureKind::Busy,
                    "deletion protection of the cluster is being lifted",
                ));
            }
        }
        super::gone(DELETE, aws.eks.delete_cluster().name(name).send().await)
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let name = target.identity.get("name");
        if until == Until::Usable
            && let Some(unfinished) = update::probe(aws, target, name, None).await?
        {
            return Ok(unfinished);
        }
        let Some(cluster) = describe(aws, name).await? else {
            return match until {
                Until::Gone => Ok(Probe::Done(Outputs::default())),
                Until::Usable => Err(super::not_visible_yet()),
            };
        };
        let status = cluster.status().map_or("UNKNOWN", eks::ClusterStatus::as_str).to_owned();
        Ok(match (until, cluster.status()) {
            (_, Some(eks::ClusterStatus::Failed)) => Probe::Failed(health(&cluster)),
            (Until::Usable, Some(eks::ClusterStatus::Active)) => Probe::Done(outputs(&cluster)),
            (Until::Usable, Some(eks::ClusterStatus::Deleting)) => {
                Probe::Failed("it is being deleted".to_owned())
            }
            _ => Probe::Pending(status),
        })
    }
}

const SUBNETS: &str = "subnets";
const SECURITY_GROUPS: &str = "security groups";

fn list(texts: &BTreeSet<String>) -> Vec<String> {
    texts.iter().cloned().collect()
}

impl Cluster {
    fn impossible(&self, target: &Target<'_>, seen: &eks::Cluster) -> Option<String> {
        if seen.status() == Some(&eks::ClusterStatus::Failed) {
            return Some(format!(
                "EKS could not make the cluster ({}); a failed cluster can only be destroyed: run terraform destroy",
                health(seen),
            ));
        }
        let version = seen.version().unwrap_or_default();
        if version != self.kubernetes_version {
            return Some(format!(
                "the cluster runs Kubernetes {version}, {} is configured; set kubernetes_version = \"{version}\"",
                self.kubernetes_version,
            ));
        }
        let role = target.input(&self.role_arn);
        if role.as_deref().is_some_and(|role| seen.role_arn().is_some_and(|seen| seen != role)) {
            return Some(format!(
                "the cluster uses the role {}, which AWS never changes",
                seen.role_arn().unwrap_or_default(),
            ));
        }
        if let Some(difference) = self.kubernetes_network.difference(seen) {
            return Some(difference);
        }
        let key = target.input(&self.kms_key_arn);
        if let (Some(key), Some(seen)) = (key, key_arn(seen))
            && key != seen
        {
            return Some(format!(
                "secrets are encrypted with {seen}, which AWS never changes; set encryption.kms_key_arn to it"
            ));
        }
        None
    }
}

/// Output a destroy records so that [`Cluster`]'s delete lifts AWS's deletion protection first.
pub const LIFT_PROTECTION: &str = "lift_deletion_protection";

const DESCRIBE: Operation = Operation::new("EKS", "DescribeCluster");
const CREATE: Operation = Operation::new("EKS", "CreateCluster");
const UPDATE_CONFIG: Operation = Operation::new("EKS", "UpdateClusterConfig");
const ASSOCIATE_ENCRYPTION: Operation = Operation::new("EKS", "AssociateEncryptionConfig");
const DELETE: Operation = Operation::new("EKS", "DeleteCluster");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[
        DESCRIBE,
        CREATE,
        UPDATE_CONFIG,
        ASSOCIATE_ENCRYPTION,
        DELETE,
        update::DESCRIBE,
        super::TAG,
        super::UNTAG,
    ],
    implied: &[
        (
            "iam:PassRole",
            "EKS user guide, service_IAM_role: the caller of CreateCluster passes the cluster role",
        ),
        ("kms:DescribeKey", "EKS user guide, enable-kms"),
        ("kms:CreateGrant", "EKS user guide, enable-kms"),
        (
            "iam:CreateServiceLinkedRole",
            "EKS user guide, using-service-linked-roles-eks: first cluster of an account",
        ),
    ],
};

/// The cluster of that name, whoever owns it.
pub async fn find(aws: &Aws, name: &str) -> Result<Option<Existing>, Failure> {
    let existing = |cluster: eks::Cluster| {
        let identity = Identity::new([("name", cluster.name().unwrap_or_default())]);
        let record = super::found(PartKey::new(KIND, ""), identity, instance(&cluster), outputs(&cluster));
        Existing::of(record, &cluster)
    };
    Ok(describe(aws, name).await?.map(existing))
}

async fn describe(aws: &Aws, name: &str) -> Result<Option<eks::Cluster>, Failure> {
    match aws.eks.describe_cluster().name(name).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE, &error)),
        Ok(answer) => Ok(answer.cluster),
    }
}
