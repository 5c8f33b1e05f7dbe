//! Keys of a cluster's parts, and what several of them have in common.

use std::collections::BTreeMap;

use resource_graph::PartKey;

use crate::parts::{cluster, iam_role, kms_key, log_group, subnet_tags};

/// Text of each part; none where an unknown value decides it.
pub type Outline = BTreeMap<PartKey, Option<String>>;

/// Key of the cluster's role.
pub fn cluster_role() -> PartKey {
    PartKey::new(iam_role::KIND, "cluster")
}

/// Key of the nodes' role.
pub fn node_role() -> PartKey {
    PartKey::new(iam_role::KIND, "node")
}

/// Key of the role an add-on gets through Pod Identity.
pub fn addon_role(name: &str) -> PartKey {
    PartKey::new(iam_role::KIND, name)
}

/// Key of the key.
pub fn encryption_key() -> PartKey {
    PartKey::new(kms_key::KIND, "cluster")
}

/// Key of the control plane's log group.
pub fn control_plane_logs() -> PartKey {
    PartKey::new(log_group::KIND, "control-plane")
}

/// Key of the cluster.
pub fn control_plane() -> PartKey {
    PartKey::new(cluster::KIND, "")
}

/// Key of the subnets' tags.
pub fn subnet_tags() -> PartKey {
    PartKey::new(subnet_tags::KIND, "")
}

/// Managed policies of the nodes' role. No CNI policy: the CNI has a role of its own.
pub const NODE_POLICIES: [&str; 2] = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"];
/// Managed policies of the cluster's role.
pub const CLUSTER_POLICIES: [&str; 1] = ["AmazonEKSClusterPolicy"];
/// Longest beginning of a cluster's name that every role's name has; roles' names are cut at 64 characters.
pub const ROLE_STEM: usize = 40;

/// What people read about a log group.
pub fn log_group_spec(class: &str, days: i64, kept: bool) -> String {
    format!("{class}, events kept {days} days{}", if kept { ", retained on destroy" } else { "" })
}
