//! Add-ons: what the arguments ask for, the parts that come of it, and back.

use std::collections::{BTreeMap, BTreeSet};

use resource_graph::{Graph, Handle, Input, PartKey};
use serde_json::json;
use terraform_plugin::prelude::*;

use super::expand::Expansion;
use super::family::Found;
use super::known::{texts, value};
use super::known_addon::{self, CNI, CONTAINER_INSIGHTS, Identity, KnownAddon};
use super::model::{self, ProductionCluster};
use super::observability;
use super::outline::addon_role;
use super::report::wrong;
use crate::aws::Aws;
use crate::aws::policy_document::PolicyDocument;
use crate::parts::addon::{self, Addon as AddonPart, parsed};
use crate::parts::cluster::Cluster;
use crate::parts::iam_role::IamRole;

/// Family of addresses for which AWS has no policy of the CNI.
const IPV6: &str = "ipv6";

/// An add-on that is installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Addon {
    pub version: Option<String>,
    /// The user's; none for the defaults of `known_addon`.
    pub configuration_values: Option<String>,
    pub resolve_conflicts: String,
    /// Roles by service account, of the user's; none for the role that is made.
    pub pod_identities: Option<BTreeMap<String, String>>,
}

/// All add-ons that are installed, by name; none while anything in them is unknown.
pub fn settings(model: &ProductionCluster) -> Option<BTreeMap<String, Addon>> {
    let mut addons = BTreeMap::new();
    for (name, addon) in installed(model)? {
        let addon = Addon {
            version: value(&addon.version)?,
            configuration_values: value(&addon.configuration_values)?,
            resolve_conflicts: value(&addon.resolve_conflicts)?.unwrap_or_else(|| "NONE".to_owned()),
            pod_identities: texts(&addon.pod_identity_role_arns)?,
        };
        addons.insert(name, addon);
    }
    Some(addons)
}

/// Arguments of each add-on that is installed; none while it is not even known which those are.
fn installed(model: &ProductionCluster) -> Option<BTreeMap<String, model::Addon>> {
    let configured = value(&model.addons)?.unwrap_or_default();
    let mut addons: BTreeMap<String, model::Addon> =
        known_addon::defaults().map(|addon| (addon.name.to_owned(), model::Addon::default())).collect();
    if !observability::has_container_insights(model)? {
        addons.remove(CONTAINER_INSIGHTS);
    }
    for (name, addon) in configured.iter() {
        addons.insert(name.clone(), value(addon)?.unwrap_or_default());
    }
    for name in addons.keys().cloned().collect::<Vec<_>>() {
        if !value(&addons[&name].enabled)?.unwrap_or(true) {
            addons.remove(&name);
        }
    }
    Some(addons)
}

/// What people read about each add-on and its role, as far as it is known.
pub fn specs(model: &ProductionCluster) -> Option<Vec<(PartKey, Option<String>)>> {
    let mut specs = Vec::new();
    for (name, addon) in installed(model)? {
        if let Some(identity) = own_identity(&name)
            && value(&addon.pod_identity_role_arns)?.is_none()
        {
            specs.push((addon_role(&name), role_spec(model, &name, identity)));
        }
        let version =
            value(&addon.version).map(|v| v.unwrap_or_else(|| "default version when made".to_owned()));
        specs.push((PartKey::new(addon::KIND, &name), version));
    }
    Some(specs)
}

fn role_spec(model: &ProductionCluster, name: &str, identity: &Identity) -> Option<String> {
    let mut policies = identity.policies.join(", ");
    if name == CNI {
        let family = value(&value(&model.kubernetes_network)?.unwrap_or_default().ip_family)?;
        if family.as_deref() == Some(IPV6) {
            "a policy for IPv6".clone_into(&mut policies);
        }
    }
    Some(format!("Pod Identity of {}/{} with {policies}", identity.namespace, identity.service_account))
}

fn own_identity(name: &str) -> Option<&'static Identity> {
    known_addon::of(name).and_then(|addon| addon.identity.as_ref())
}

/// What is wrong with the add-ons, as far as they are known.
pub fn check(config: &ProductionCluster, diagnostics: &mut Diagnostics) {
    let agent = "eks-pod-identity-agent";
    let paths = ProductionCluster::at(&Path::root());
    let named = config.addons.known().and_then(|addons| addons.known_at(CONTAINER_INSIGHTS));
    let is_wanted = named.is_some_and(|addon| value(&addon.enabled).is_some_and(|on| on.unwrap_or(true)));
    if is_wanted && observability::has_container_insights(config) == Some(false) {
        let text = "The add-on belongs to Container Insights, which observability.container_insights switches off; remove \
                    one of them.";
        wrong(diagnostics, &paths.addons.key(CONTAINER_INSIGHTS), text.to_owned());
    }
    let Some(installed) = installed(config) else { return };
    let users: Vec<&str> = installed
        .iter()
        .filter(|(name, addon)| match texts(&addon.pod_identity_role_arns) {
            Some(Some(roles)) => !roles.is_empty(),
            Some(None) => own_identity(name).is_some(),
            None => false,
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if !installed.contains_key(agent) && !users.is_empty() {
        diagnostics.warning_at(
            &model::Addon::at(&paths.addons.key(agent)).enabled,
            "Add-ons without AWS credentials",
            format!(
                "Without {agent} these get no credentials: {}. Leave it on, or install the agent yourself before nodes \
                 join.",
                users.join(", ")
            ),
        );
    }
}

/// When each add-on is installed.
pub struct Order<'a> {
    settings: &'a BTreeMap<String, Addon>,
}

impl<'a> Order<'a> {
    pub fn of(settings: &'a BTreeMap<String, Addon>) -> Self {
        Self { settings }
    }

    fn needs_node(name: &str) -> bool {
        known_addon::of(name).is_none_or(|addon: &KnownAddon| addon.needs_node)
    }

    /// What runs on every node: there before the first node, so that no node starts without it.
    pub fn before_nodes(&self) -> impl Iterator<Item = (&'a String, &'a Addon)> {
        self.settings.iter().filter(|(name, _)| !Self::needs_node(name))
    }

    /// What waits for a node.
    pub fn after_nodes(&self) -> impl Iterator<Item = (&'a String, &'a Addon)> {
        self.settings.iter().filter(|(name, _)| Self::needs_node(name))
    }
}

impl Expansion<'_> {
    /// An add-on with its role, after one of `after_any`.
    pub(super) fn addon(
        &self,
        graph: &mut Graph<Aws>,
        cluster: &Handle<Cluster>,
        (name, addon): (&str, &Addon),
        after_any: &[Handle<()>],
    ) -> Handle<()> {
        let identity = own_identity(name).filter(|_| addon.pod_identities.is_none());
        let role = identity.map(|identity| (identity, graph.add(|_| self.addon_role(name, identity))));
        let handle = graph.add(|needs| {
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

/// The arguments that add-ons which exist were made from. Default add-ons that are missing are off; what is
/// the default is left out. The version is nobody's wish: it stays as it is without being named.
pub fn read_back(found: &Found, region: &str, container_insights: bool) -> Option<Map<model::Addon>> {
    let mut addons = BTreeMap::new();
    for known in known_addon::defaults() {
        let is_default = known.name != CONTAINER_INSIGHTS || container_insights;
        if is_default && found.addons.iter().all(|addon| addon.record.key.name() != known.name) {
            let off = model::Addon { enabled: false.into(), ..model::Addon::default() };
            addons.insert(known.name.to_owned(), off);
        }
    }
    for existing in &found.addons {
        let name = existing.record.key.name();
        let values = parsed(existing.configuration_values.as_deref());
        let defaults = known_addon::values(name, region);
        let is_default = match &values {
            None => true,
            Some(values) => defaults.contains(values),
        };
        let own_role = found.records.iter().find(|record| record.key == addon_role(name));
        let own_arn = own_role.and_then(|record| record.outputs.get("arn"));
        let others: BTreeMap<&String, &String> =
            existing.identities.iter().filter(|(_, arn)| Some(arn.as_str()) != own_arn).collect();
        let arguments = model::Addon {
            configuration_values: existing.configuration_values.clone().filter(|_| !is_default).into(),
            pod_identity_role_arns: (!others.is_empty())
                .then(|| {
                    let pair = |(account, arn): (&&String, &&String)| ((*account).clone(), (*arn).clone());
                    others.iter().map(pair).collect::<Map<String>>()
                })
                .into(),
            ..model::Addon::default()
        };
        let is_default = known_addon::of(name).is_some_and(|known| known.is_default);
        if arguments != model::Addon::default() || !is_default {
            addons.insert(name.to_owned(), arguments);
        }
    }
    (!addons.is_empty()).then(|| addons.into_iter().collect())
}
