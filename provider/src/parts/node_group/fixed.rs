//! What AWS never changes about a node group: hashed into its name.

use std::collections::BTreeSet;

use aws_sdk_eks::types as eks;
use resource_graph::Identity;

use crate::aws::naming::hash;

/// Longest name EKS takes.
const LONGEST_NAME: usize = 63;

/// AMI types that Linux nodes may have.
///
/// Source: CreateNodegroup, amiType.
pub const AMI_TYPES: [&str; 13] = [
    "AL2023_x86_64_STANDARD",
    "AL2023_ARM_64_STANDARD",
    "AL2023_x86_64_NVIDIA",
    "AL2023_ARM_64_NVIDIA",
    "AL2023_x86_64_NEURON",
    "BOTTLEROCKET_x86_64",
    "BOTTLEROCKET_ARM_64",
    "BOTTLEROCKET_x86_64_FIPS",
    "BOTTLEROCKET_ARM_64_FIPS",
    "BOTTLEROCKET_x86_64_NVIDIA",
    "BOTTLEROCKET_ARM_64_NVIDIA",
    "BOTTLEROCKET_x86_64_NVIDIA_FIPS",
    "BOTTLEROCKET_ARM_64_NVIDIA_FIPS",
];

/// What AWS never changes about a node group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The key the user chose.
    pub name: String,
    /// Instance types in order of preference.
    pub instance_types: Vec<String>,
    /// `AL2023_x86_64_STANDARD`
    pub ami_type: String,
    /// `ON_DEMAND` or `SPOT`
    pub capacity_type: String,
    /// Subnets of the nodes.
    pub subnet_ids: BTreeSet<String>,
}

impl Fixed {
    /// `<key>-<8 hex over everything fixed>`, and the same for a successor in which nothing of it differs.
    fn names(&self) -> [String; 2] {
        let types = self.instance_types.join(",");
        let subnets = self.subnet_ids.iter().cloned().collect::<Vec<_>>().join(",");
        let fields = [self.name.as_str(), &types, &self.ami_type, &self.capacity_type, &subnets];
        let name = |digest: String| {
            let stem: String = self.name.chars().take(LONGEST_NAME - digest.len() - 1).collect();
            format!("{stem}-{digest}")
        };
        [name(hash(&fields)), name(hash(&[&fields[..], &["successor"]].concat()))]
    }

    /// The identity of a group, and that of its successor when nothing in the name would differ.
    pub(super) fn identities(&self, cluster: &str) -> [Identity; 2] {
        self.names().map(|name| Identity::new([("cluster", cluster), ("name", &name)]))
    }

    /// What of it a group that exists has otherwise.
    pub(super) fn differences(&self, seen: &eks::Nodegroup) -> Vec<&'static str> {
        let subnets: BTreeSet<String> = seen.subnets().iter().cloned().collect();
        let ami_type = seen.ami_type().map(eks::AmiTypes::as_str);
        let capacity_type = seen.capacity_type().map(eks::CapacityTypes::as_str);
        let fields = [
            (seen.instance_types() != self.instance_types.as_slice(), "instance types"),
            (ami_type != Some(&self.ami_type), "AMI type"),
            (capacity_type != Some(&self.capacity_type), "capacity type"),
            (subnets != self.subnet_ids, "subnets"),
        ];
        fields.into_iter().filter_map(|(differs, what)| differs.then_some(what)).collect()
    }
}
