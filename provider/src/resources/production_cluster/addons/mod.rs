//! Add-ons: what the arguments ask for, the parts that come of it, and back.

mod expansion;
mod read_back;

use std::collections::BTreeMap;

use resource_graph::PartKey;
use terraform_plugin::prelude::*;

pub use self::read_back::read_back;
use super::keys::addon_role;
use super::known::{texts, value};
use super::known_addon::{self, CNI, CONTAINER_INSIGHTS, Identity, KnownAddon};
use super::model::{self, ProductionCluster};
use super::observability;
use super::report::wrong;
use crate::parts::addon;

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
    let is_off = named.is_some_and(|addon| addon.enabled.known() == Some(&false));
    if is_off && observability::has_container_insights(config) == Some(true) {
        diagnostics.warning_at(
            &model::Addon::at(&paths.addons.key(CONTAINER_INSIGHTS)).enabled,
            "Alarms without data",
            "Without the add-on nothing writes Container Insights, and the alarms on its metrics see nothing. Set \
             observability.container_insights = false instead.",
        );
    }
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
