//! What is wrong with a configuration, as far as it is known. Asks nobody.

use terraform_plugin::prelude::*;

use super::access;
use super::addons;
use super::defaults;
use super::images;
use super::known;
use super::known_addon::DNS;
use super::model::{
    self, EndpointAccess, KubernetesNetwork, Logging, NodeGroup, ProductionCluster, UpgradePolicy,
    is_retention,
};
use super::observability;
use super::purpose::SPOT;
use super::report::wrong;
use super::settings;
use super::waivers::Waivers;
use crate::parts::cluster::LOG_TYPES;
use crate::rules::{self, Rule};

/// Everything that can be said without AWS.
pub fn check(config: &ProductionCluster, diagnostics: &mut Diagnostics) {
    let paths = ProductionCluster::at(&Path::root());
    if let Some(access) = config.endpoint_access.known() {
        endpoint(access, &EndpointAccess::at(&paths.endpoint_access), diagnostics);
    }
    if let Some(logging) = config.logging.known() {
        let at = Logging::at(&paths.logging);
        if let Some(days) = logging.retention_days.known().filter(|days| !is_retention(**days)) {
            wrong(
                diagnostics,
                &at.retention_days,
                format!("CloudWatch Logs has no retention of {days} days."),
            );
        }
    }
    if let Some(network) = config.kubernetes_network.known()
        && network.ip_family.text() == Some("ipv6")
        && network.service_ipv4_cidr.is_known()
    {
        let text =
            "An IPv6 cluster gives its services IPv6 addresses, which EKS chooses; remove service_ipv4_cidr.";
        let path = &KubernetesNetwork::at(&paths.kubernetes_network).service_ipv4_cidr;
        wrong(diagnostics, path, text.to_owned());
    }
    for (name, group) in config.node_groups.known().into_iter().flat_map(|groups| groups.known()) {
        node_group(group, &NodeGroup::at(&paths.node_groups.key(name)), diagnostics);
    }
    core_dns(config, &paths.node_groups, diagnostics);
    access::check(config, diagnostics);
    addons::check(config, diagnostics);
    images::check(config, diagnostics);
    observability::check(config, diagnostics);
    check_rules(config, &paths, diagnostics);
}

fn endpoint(access: &EndpointAccess, at: &super::model::EndpointAccessPaths, diagnostics: &mut Diagnostics) {
    let public = access.public.known().copied().unwrap_or(false);
    if access.private.known() == Some(&false) && !public && !access.public.is_unknown() {
        wrong(
            diagnostics,
            &at.private,
            "Nobody could reach the cluster: set private or public to true.".to_owned(),
        );
    }
    if public && access.public_cidrs.is_null() {
        let text = "A public endpoint needs public_cidrs: the networks that may reach it.";
        wrong(diagnostics, &at.public_cidrs, text.to_owned());
    }
    if !public && access.public_cidrs.is_known() && !access.public.is_unknown() {
        let text = "public_cidrs has no meaning while public is false; remove it or set public = true.";
        wrong(diagnostics, &at.public_cidrs, text.to_owned());
    }
}

fn node_group(group: &NodeGroup, at: &super::model::NodeGroupPaths, diagnostics: &mut Diagnostics) {
    let Some(purpose) = settings::purpose(group) else { return };
    if let (Some(min), Some(max)) = (known::value(&group.min_size), known::value(&group.max_size)) {
        let (min, max) = purpose.sizes(min, max);
        if min > max {
            let text = format!("max_size is {max}, less than min_size, which is {min}.");
            wrong(diagnostics, &at.max_size, text);
        }
    }
    let taints = group.taints.known().into_iter().flat_map(|taints| taints.iter());
    for taint in taints.filter_map(Field::known) {
        let names = |(key, _, effect): (&str, &str, &str)| {
            taint.key.text() == Some(key) && taint.effect.text() == Some(effect)
        };
        if purpose.taint.is_some_and(names) {
            let text = format!("The purpose {} brings this taint with it; remove it.", purpose.name);
            wrong(diagnostics, &at.taints, text);
        }
    }
    let Some(types) = settings::instance_types(group) else { return };
    let capacity = known::value(&group.capacity_type);
    let is_spot =
        capacity.is_some_and(|capacity| capacity.as_deref().unwrap_or(purpose.capacity_type) == SPOT);
    if is_spot && types.len() < 3 {
        diagnostics.warning_at(
            &at.instance_types,
            "Few instance types for spot capacity",
            "AWS takes spot nodes of one type away together; give the group at least three instance types of similar \
             size.",
        );
    }
}

/// CoreDNS as we install it needs a node that takes it. Judged only when everything that decides it is known.
fn core_dns(config: &ProductionCluster, path: &Path, diagnostics: &mut Diagnostics) {
    let Some(groups) = groups_for_core_dns(config) else { return };
    if groups.iter().all(|group| repels_core_dns(group) == Some(true)) {
        let text = "The nodes of every group repel CoreDNS by a taint with NO_SCHEDULE or NO_EXECUTE; leave one group \
                    without such a taint.";
        wrong(diagnostics, path, text.to_owned());
    }
}

/// What stops a create only: groups begin with their fewest nodes.
pub fn check_create(config: &ProductionCluster, diagnostics: &mut Diagnostics) {
    let Some(groups) = groups_for_core_dns(config) else { return };
    let begins_empty = |group: &NodeGroup| {
        let sizes = known::value(&group.min_size).zip(known::value(&group.max_size));
        settings::purpose(group)
            .zip(sizes)
            .is_some_and(|(purpose, (min, max))| purpose.sizes(min, max).0 == 0)
    };
    if groups.iter().all(|group| repels_core_dns(group) == Some(true) || begins_empty(group)) {
        let text = "CoreDNS could not run anywhere: every group that takes it has min_size = 0, and without a node \
                    nothing in the cluster could ask for one. Set min_size to 1 or more in one of them, or switch \
                    the add-on off with addons = { coredns = { enabled = false } }.";
        let path = ProductionCluster::at(&Path::root()).node_groups;
        wrong(diagnostics, &path, text.to_owned());
    }
}

/// The groups CoreDNS may run on; none when it is not installed, has settings of the user's, or something is
/// unknown.
fn groups_for_core_dns(config: &ProductionCluster) -> Option<Vec<&NodeGroup>> {
    let groups = config.node_groups.known().filter(|groups| !groups.has_unknown() && !groups.is_empty())?;
    let addons = known::value(&config.addons)?.unwrap_or_default();
    let addon = match addons.get(DNS) {
        None => model::Addon::default(),
        Some(addon) => known::value(addon)?.unwrap_or_default(),
    };
    let ours = known::value(&addon.enabled)?.unwrap_or(true) && addon.configuration_values.is_null();
    ours.then(|| groups.known().map(|(_, group)| group).collect())
}

/// None while a taint is unknown.
fn repels_core_dns(group: &NodeGroup) -> Option<bool> {
    let of_purpose = settings::purpose(group)?.taint;
    if of_purpose.is_some_and(|(_, _, effect)| effect != "PREFER_NO_SCHEDULE") {
        return Some(true);
    }
    let taints = known::value(&group.taints)?.unwrap_or_default();
    let repels = |taint: &Field<model::Taint>| {
        let key = known::value(&known::value(taint)?.unwrap_or_default().key)?;
        // EKS's CoreDNS tolerates it.
        if key.as_deref() == Some("CriticalAddonsOnly") {
            return Some(false);
        }
        let effect = known::value(&known::value(taint)?.unwrap_or_default().effect)?;
        Some(matches!(effect.as_deref(), Some("NO_SCHEDULE" | "NO_EXECUTE")))
    };
    let verdicts: Vec<Option<bool>> = taints.iter().map(repels).collect();
    if verdicts.contains(&Some(true)) {
        return Some(true);
    }
    verdicts.into_iter().all(|verdict| verdict.is_some()).then_some(false)
}

/// A rule, the argument it is about, and what is wrong there; none while something it depends on is unknown.
type Judgement = (Rule, Path, Option<Option<String>>);

fn judgements(config: &ProductionCluster, paths: &super::model::ProductionClusterPaths) -> [Judgement; 5] {
    let logging = Logging::at(&paths.logging);
    [
        (
            rules::public_endpoint_open::RULE,
            EndpointAccess::at(&paths.endpoint_access).public_cidrs,
            open_endpoint(config),
        ),
        (
            rules::deletion_protection_off::RULE,
            paths.deletion_protection.clone(),
            known::value(&config.deletion_protection)
                .map(|on| rules::deletion_protection_off::broken(on.unwrap_or(true))),
        ),
        (rules::logs_incomplete::RULE, logging.types, missing_logs(config)),
        (rules::log_retention_short::RULE, logging.retention_days, short_retention(config)),
        (
            rules::extended_support::RULE,
            UpgradePolicy::at(&paths.upgrade_policy).support_type,
            extended_support(config),
        ),
    ]
}

fn open_endpoint(config: &ProductionCluster) -> Option<Option<String>> {
    let access = known::value(&config.endpoint_access)?.unwrap_or_default();
    let cidrs = access.public_cidrs.known().into_iter().flat_map(Set::known).map(String::as_str);
    // One open block is enough, whatever the others are.
    let broken = rules::public_endpoint_open::broken(access.public.known().copied().unwrap_or(false), cidrs);
    let is_known = !access.public.is_unknown() && known::set(&access.public_cidrs).is_some();
    (broken.is_some() || is_known).then_some(broken)
}

fn missing_logs(config: &ProductionCluster) -> Option<Option<String>> {
    let logging = known::value(&config.logging)?.unwrap_or_default();
    let Some(types) = known::set(&logging.types)? else { return Some(None) };
    let missing: Vec<&str> = LOG_TYPES.into_iter().filter(|name| !types.contains(*name)).collect();
    Some(rules::logs_incomplete::broken(&missing))
}

fn short_retention(config: &ProductionCluster) -> Option<Option<String>> {
    let logging = known::value(&config.logging)?.unwrap_or_default();
    let days = known::value(&logging.retention_days)?.unwrap_or(defaults::RETENTION_DAYS);
    Some(rules::log_retention_short::broken(days))
}

fn extended_support(config: &ProductionCluster) -> Option<Option<String>> {
    let policy = known::value(&config.upgrade_policy)?.unwrap_or_default();
    let support = known::value(&policy.support_type)?;
    Some(support.and_then(|support| rules::extended_support::broken(&support)))
}

fn check_rules(
    config: &ProductionCluster,
    paths: &super::model::ProductionClusterPaths,
    diagnostics: &mut Diagnostics,
) {
    let Some(waivers) = Waivers::of(config) else { return };
    waivers.check(diagnostics);
    for (rule, path, verdict) in judgements(config, paths) {
        let is_known = verdict.is_some();
        let broken = verdict.flatten().map(|what| (path, what)).into_iter().collect();
        waivers.judge(rule, is_known, broken, diagnostics);
    }
}
