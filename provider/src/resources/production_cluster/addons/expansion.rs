//! The add-ons of a graph, each with the role of its own.

use std::collections::{BTreeMap, BTreeSet};

use resource_graph::{Graph, Handle, Input, PartKey};
use serde_json::json;

use super::super::expansion::Expansion;
use super::super::keys::addon_role;
use super::super::known_addon::{self, CNI, Identity};
use super::{Addon, IPV6, own_identity};
use crate::aws::Aws;
use crate::aws::policy_document::PolicyDocument;
use crate::parts::addon::{self, Addon as AddonPart};
use crate::parts::cluster::Cluster;
use crate::parts::iam_role::IamRole;

impl Expansion<'_> {
    /// An add-on with its role, after all of the first and one of the second.
    pub fn addon(
        &self,
        graph: &mut Graph<Aws>,
        cluster: &Handle<Cluster>,
        (name, addon): (&str, &Addon),
        (after, after_any): (&[Handle<()>], &[Handle<()>]),
    ) -> Handle<()> {
        let identity = own_identity(name).filter(|_| addon.pod_identities.is_none());
        let role = identity.map(|identity| (identity, graph.add(|_| self.addon_role(name, identity))));
        let handle = graph.add(|needs| {
            after.iter().for_each(|part| needs.after(part));
            needs.after_any(after_any);
            let mut pod_identities: BTreeMap<String, Input> = BTreeMap::new();
            if let Some((identity, role)) = &role {
                pod_identities.insert(identity.service_account.to_owned(), needs.output(role, IamRole::ARN));
            }
            for (account, role_arn) in addon.pod_identities.iter().flatten() {
                pod_identities.insert(account.clone(), Input::known(role_arn));
            }
            let key = PartKey::new(addon::KIND, name);
            AddonPart {
                spec: self.spec(&key),
                marks: self.marks(key),
                cluster: needs.output(cluster, Cluster::NAME),
                cluster_name: self.settings.name.clone(),
                name: name.to_owned(),
                kubernetes_version: self.settings.kubernetes_version.clone(),
                version: addon.version.clone(),
                configuration_values: match &addon.configuration_values {
                    Some(values) => vec![values.clone()],
                    None => default_values(name, &self.place.location.region),
                },
                resolve_conflicts: addon.resolve_conflicts.clone(),
                pod_identities,
            }
        });
        handle.any()
    }

    fn addon_role(&self, addon: &str, identity: &Identity) -> IamRole {
        let role = self.pod_identity_role(addon_role(addon), identity.namespace, identity.service_account);
        let location = &self.place.location;
        if addon == CNI && self.settings.kubernetes_network.ip_family.as_deref() == Some(IPV6) {
            let own = [("cni-ipv6".to_owned(), cni_policy_for_ipv6(&location.partition))].into();
            return IamRole { inline_policies: own, ..role };
        }
        let managed_policies: BTreeSet<String> =
            identity.policies.iter().map(|name| location.managed_policy_arn(name)).collect();
        IamRole { managed_policies, ..role }
    }
}

fn default_values(name: &str, region: &str) -> Vec<String> {
    known_addon::values(name, region).iter().map(ToString::to_string).collect()
}

/// AWS manages none for IPv6.
///
/// Source: amazon-vpc-cni-k8s `docs/iam-policy.md`.
fn cni_policy_for_ipv6(partition: &str) -> PolicyDocument {
    PolicyDocument::new(vec![
        json!({
            "Effect": "Allow", "Resource": "*",
            "Action": [
                "ec2:AssignIpv6Addresses",
                "ec2:DescribeInstances",
                "ec2:DescribeTags",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeSubnets",
                "ec2:DescribeSecurityGroups",
            ],
        }),
        json!({
            "Effect": "Allow", "Action": "ec2:CreateTags",
            "Resource": format!("arn:{partition}:ec2:*:*:network-interface/*"),
        }),
    ])
}
