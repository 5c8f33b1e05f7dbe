//! A node group that exists, in our own words.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eks::types as eks;
use resource_graph::{Outputs, Record};

use super::taint::{self, Taint};
use super::unavailable::Unavailable;
use crate::aws::ownership::from_map;
use crate::parts::health;

/// Output with the codes of its health issues; empty while it is healthy.
pub(super) const ISSUES: &str = "issues";

/// A node group that exists.
#[derive(Debug, Clone)]
pub struct Existing {
    pub record: Record,
    pub min_size: Option<i64>,
    pub max_size: Option<i64>,
    pub instance_types: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub taints: BTreeSet<Taint>,
    pub capacity_type: Option<String>,
    pub ami_type: Option<String>,
    pub subnet_ids: BTreeSet<String>,
    pub max_unavailable: Option<Unavailable>,
    pub node_repair: bool,
    /// Seconds since 1970.
    pub created: Option<i64>,
}

impl Existing {
    pub(super) fn of(record: Record, group: &eks::Nodegroup) -> Self {
        let scaling = group.scaling_config();
        Self {
            record,
            min_size: scaling.and_then(|scaling| scaling.min_size()).map(i64::from),
            max_size: scaling.and_then(|scaling| scaling.max_size()).map(i64::from),
            instance_types: group.instance_types().to_vec(),
            labels: labels(group),
            taints: taint::seen(group),
            capacity_type: group.capacity_type().map(|capacity| capacity.as_str().to_owned()),
            ami_type: group.ami_type().map(|ami| ami.as_str().to_owned()),
            subnet_ids: group.subnets().iter().cloned().collect(),
            max_unavailable: Unavailable::of(group),
            node_repair: node_repair(group),
            created: group.created_at().map(|time| time.secs()),
        }
    }
}

/// The last segment of its ARN is made anew with each group.
pub(super) fn instance(group: &eks::Nodegroup) -> Option<String> {
    group.nodegroup_arn().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned)
}

pub(super) fn outputs(group: &eks::Nodegroup) -> Outputs {
    Outputs::new([
        ("arn", group.nodegroup_arn().unwrap_or_default()),
        ("release_version", group.release_version().unwrap_or_default()),
        (ISSUES, &health::codes(issues(group))),
    ])
}

/// Its Kubernetes labels.
pub(super) fn labels(group: &eks::Nodegroup) -> BTreeMap<String, String> {
    from_map(group.labels())
}

pub(super) fn node_repair(group: &eks::Nodegroup) -> bool {
    group.node_repair_config().and_then(|repair| repair.enabled()).unwrap_or(false)
}

pub(super) fn health(group: &eks::Nodegroup) -> String {
    let status = group.status().map_or("UNKNOWN", eks::NodegroupStatus::as_str);
    health::text(status, issues(group))
}

fn issues(group: &eks::Nodegroup) -> &[eks::Issue] {
    group.health().map(|health| health.issues()).unwrap_or_default()
}
