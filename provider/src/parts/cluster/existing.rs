//! A control plane that exists, in our own words: what an adoption has to know, and what an import reads back.

use std::collections::BTreeSet;

use aws_sdk_eks::types as eks;
use resource_graph::{Outputs, Owner, Record};

use super::kubernetes_network::KubernetesNetwork;
use crate::aws::ownership::{GENERATION, INCOMPLETE, Ownership, PREFIX, STATUS, Tags, from_map};
use crate::parts::health;

/// The log types a control plane has.
pub const LOG_TYPES: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/// How the Kubernetes API can be reached.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointAccess {
    /// From within the VPC.
    pub private: bool,
    /// From the internet.
    pub public: bool,
    /// From where on the internet; empty while `public` is false.
    pub public_cidrs: BTreeSet<String>,
}

/// A cluster that exists, whoever made it.
#[derive(Debug, Clone)]
pub struct Existing {
    pub arn: String,
    pub kubernetes_version: String,
    pub subnet_ids: BTreeSet<String>,
    pub endpoint_access: EndpointAccess,
    pub log_types: BTreeSet<String>,
    pub kms_key_arn: Option<String>,
    pub security_group_ids: BTreeSet<String>,
    pub zonal_shift: bool,
    pub support_type: Option<String>,
    pub deletion_protection: bool,
    pub record: Record,
    tags: Tags,
}

impl Existing {
    pub(super) fn of(record: Record, cluster: &eks::Cluster) -> Self {
        let vpc = cluster.resources_vpc_config();
        let set =
            |texts: Option<&[String]>| texts.unwrap_or_default().iter().cloned().collect::<BTreeSet<_>>();
        Self {
            arn: cluster.arn().unwrap_or_default().to_owned(),
            kubernetes_version: cluster.version().unwrap_or_default().to_owned(),
            subnet_ids: set(vpc.map(|vpc| vpc.subnet_ids())),
            endpoint_access: EndpointAccess {
                private: vpc.is_some_and(|vpc| vpc.endpoint_private_access()),
                public: vpc.is_some_and(|vpc| vpc.endpoint_public_access()),
                public_cidrs: set(vpc.map(|vpc| vpc.public_access_cidrs())),
            },
            log_types: log_types(cluster),
            kms_key_arn: key_arn(cluster).map(str::to_owned),
            security_group_ids: set(vpc.map(|vpc| vpc.security_group_ids())),
            zonal_shift: zonal_shift(cluster),
            support_type: support_type(cluster).map(str::to_owned),
            deletion_protection: cluster.deletion_protection().unwrap_or(false),
            record,
            tags: from_map(cluster.tags()),
        }
    }

    /// Whose it is.
    pub fn owner(&self, ownership: &Ownership) -> Owner {
        ownership.of(&self.tags)
    }

    /// Which run made or continued it last.
    pub fn generation(&self) -> Option<&str> {
        self.tags.get(GENERATION).map(String::as_str)
    }

    /// True until its create has finished.
    pub fn is_incomplete(&self) -> bool {
        self.tags.get(STATUS).is_some_and(|status| status == INCOMPLETE)
    }

    /// Tags of the user.
    pub fn tags(&self) -> Tags {
        self.tags.clone().into_iter().filter(|(key, _)| !key.starts_with(PREFIX)).collect()
    }

    /// True when all log types are on.
    pub fn logs_everything(&self) -> bool {
        LOG_TYPES.iter().all(|log_type| self.log_types.contains(*log_type))
    }
}

/// What tells it from a later cluster of that name.
pub(super) fn instance(cluster: &eks::Cluster) -> Option<String> {
    cluster.created_at().map(|time| time.secs().to_string())
}

pub(super) fn outputs(cluster: &eks::Cluster) -> Outputs {
    let vpc = cluster.resources_vpc_config();
    let issuer = cluster.identity().and_then(|identity| identity.oidc()).and_then(|oidc| oidc.issuer());
    let values = [
        ("name", cluster.name()),
        ("arn", cluster.arn()),
        ("endpoint", cluster.endpoint()),
        (
            "certificate_authority_data",
            cluster.certificate_authority().and_then(|authority| authority.data()),
        ),
        ("cluster_security_group_id", vpc.and_then(|vpc| vpc.cluster_security_group_id())),
        ("oidc_issuer_url", issuer),
        ("platform_version", cluster.platform_version()),
        ("kubernetes_version", cluster.version()),
        ("kms_key_arn", key_arn(cluster)),
    ];
    let network = KubernetesNetwork::of(cluster);
    let mut outputs = Outputs::default();
    for (name, value) in values {
        if let Some(value) = value {
            outputs.set(name, value);
        }
    }
    for (name, value) in [("ip_family", network.ip_family), ("service_ipv4_cidr", network.service_ipv4_cidr)]
    {
        if let Some(value) = value {
            outputs.set(name, &value);
        }
    }
    outputs
}

pub(super) fn zonal_shift(cluster: &eks::Cluster) -> bool {
    cluster.zonal_shift_config().and_then(|shift| shift.enabled()).unwrap_or(false)
}

/// Log types that are on.
pub(super) fn log_types(cluster: &eks::Cluster) -> BTreeSet<String> {
    let setups = cluster.logging().map(|logging| logging.cluster_logging()).unwrap_or_default();
    let on = setups.iter().filter(|setup| setup.enabled().unwrap_or(false));
    on.flat_map(|setup| setup.types()).map(|log_type| log_type.as_str().to_owned()).collect()
}

/// The key its secrets are encrypted with, when there is one of the account's own.
pub(super) fn key_arn(cluster: &eks::Cluster) -> Option<&str> {
    cluster.encryption_config().first()?.provider()?.key_arn()
}

/// `STANDARD` or `EXTENDED`
pub(super) fn support_type(cluster: &eks::Cluster) -> Option<&str> {
    Some(cluster.upgrade_policy()?.support_type()?.as_str())
}

pub(super) fn health(cluster: &eks::Cluster) -> String {
    let status = cluster.status().map_or("UNKNOWN", eks::ClusterStatus::as_str);
    health::text(status, cluster.health().map(|health| health.issues()).unwrap_or_default())
}
