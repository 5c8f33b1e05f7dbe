//! What every part of a cluster is made from, and what many of them need.

use std::collections::BTreeMap;

use resource_graph::PartKey;
use serde_json::json;

use super::TYPE;
use super::keys::Outline;
use super::settings::Settings;
use crate::aws::Location;
use crate::aws::naming::Naming;
use crate::aws::ownership::{Marks, Ownership, Tags};
use crate::aws::policy_document::PolicyDocument;
use crate::parts::iam_role::{self, IamRole};

/// Where and as what a cluster is made: decided by provider block and state, not by the resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Partition, account and region.
    pub location: Location,
    /// Path of IAM roles.
    pub iam_role_path: String,
    /// ARN of the permissions boundary of IAM roles.
    pub permissions_boundary: Option<String>,
    /// The run that makes the cluster.
    pub generation: String,
}

/// What every part is made from. `expand.rs` and the topics add their parts to a graph.
pub struct Expansion<'a> {
    pub settings: &'a Settings,
    outline: &'a Outline,
    pub place: &'a Place,
    pub naming: Naming,
    pub ownership: Ownership,
}

impl<'a> Expansion<'a> {
    /// `outline` has the texts of all parts.
    pub fn new(settings: &'a Settings, outline: &'a Outline, place: &'a Place) -> Self {
        let naming = Naming {
            region: place.location.region.clone(),
            resource_type: TYPE.to_owned(),
            name: settings.name.clone(),
        };
        let ownership = Ownership::new(TYPE, &place.location.region, &settings.name);
        Self { settings, outline, place, naming, ownership }
    }

    pub fn marks(&self, key: PartKey) -> Marks {
        Marks { key, ownership: self.ownership.clone(), tags: self.settings.tags.clone() as Tags }
    }

    pub fn spec(&self, key: &PartKey) -> String {
        self.outline.get(key).cloned().flatten().unwrap_or_default()
    }

    pub fn role(&self, key: PartKey, policies: &[&str], trust: serde_json::Value) -> IamRole {
        IamRole {
            name: self.role_name(&key),
            spec: self.spec(&key),
            marks: self.marks(key),
            path: self.place.iam_role_path.clone(),
            trust: PolicyDocument::new(vec![trust]),
            managed_policies: policies
                .iter()
                .map(|name| self.place.location.managed_policy_arn(name))
                .collect(),
            inline_policies: BTreeMap::new(),
            permissions_boundary: self.place.permissions_boundary.clone(),
        }
    }

    /// The name of a role.
    pub fn role_name(&self, key: &PartKey) -> String {
        let stem = format!("{}-{}", self.settings.name, key.name());
        self.naming.of(key, &stem, iam_role::LONGEST_NAME)
    }

    /// A role without policies for one service account of the cluster.
    ///
    /// Source of the condition keys: EKS user guide, pod-id-role.
    pub fn pod_identity_role(&self, key: PartKey, namespace: &str, service_account: &str) -> IamRole {
        let location = &self.place.location;
        let trust = json!({
            "Effect": "Allow",
            "Principal": { "Service": "pods.eks.amazonaws.com" },
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": { "StringEquals": {
                "aws:SourceAccount": location.account_id,
                "aws:RequestTag/eks-cluster-arn": location.cluster_arn(&self.settings.name),
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": service_account,
            } },
        });
        self.role(key, &[], trust)
    }
}
