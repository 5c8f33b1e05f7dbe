//! What exists, in our own words: what an adoption has to know of a cluster, and what an import reads back.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eks::types as eks;
use resource_graph::{Owner, Record};

use super::cluster::{self, EndpointAccess, LOG_TYPES};
use super::node_group::{self, Taint};
use crate::aws::ownership::{GENERATION, INCOMPLETE, Ownership, PREFIX, STATUS, Tags, from_map};

/// A cluster that exists, whoever made it.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub arn: String,
    pub kubernetes_version: String,
    pub subnet_ids: BTreeSet<String>,
    pub endpoint_access: EndpointAccess,
    pub log_types: BTreeSet<String>,
    pub kms_key_arn: Option<String>,
    pub support_type: Option<String>,
    pub deletion_protection: bool,
    pub record: Record,
    tags: Tags,
}

impl Cluster {
    pub(super) fn of(cluster: &eks::Cluster) -> Self {
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
            log_types: cluster::log_types(cluster),
            kms_key_arn: cluster::key_arn(cluster).map(str::to_owned),
            support_type: cluster::support_type(cluster).map(str::to_owned),
            deletion_protection: cluster.deletion_protection().unwrap_or(false),
            record: cluster::record(cluster),
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

/// A node group that exists.
#[derive(Debug, Clone)]
pub struct NodeGroup {
    pub record: Record,
    pub min_size: Option<i64>,
    pub max_size: Option<i64>,
    pub instance_types: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub taints: BTreeSet<Taint>,
    /// Seconds since 1970.
    pub created: Option<i64>,
}

impl NodeGroup {
    pub(super) fn of(record: Record, group: &eks::Nodegroup) -> Self {
        let scaling = group.scaling_config();
        Self {
            record,
            min_size: scaling.and_then(|scaling| scaling.min_size()).map(i64::from),
            max_size: scaling.and_then(|scaling| scaling.max_size()).map(i64::from),
            instance_types: group.instance_types().to_vec(),
            labels: node_group::labels(group),
            taints: node_group::taints(group),
            created: group.created_at().map(|time| time.secs()),
        }
    }
}

/// An add-on that exists.
#[derive(Debug, Clone)]
pub struct Addon {
    pub record: Record,
    pub configuration_values: Option<String>,
}
