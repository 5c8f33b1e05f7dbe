//! What is wrong with a configuration, as far as it is known. Asks nobody.

use terraform_plugin::prelude::*;

use super::model::{self, EndpointAccess, Logging, NodeGroup, ProductionCluster, is_retention};
use super::report::headline;
use super::settings::{self, sizes};
use crate::errors;
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
    for (name, group) in config.node_groups.known().into_iter().flat_map(|groups| groups.known()) {
        node_group(group, &NodeGroup::at(&paths.node_groups.key(name)), diagnostics);
    }
    core_dns(config, &paths.node_groups, diagnostics);
    check_rules(config, &paths, diagnostics);
}

fn wrong(diagnostics: &mut Diagnostics, path: &Path, detail: String) {
    diagnostics.error_at(path, headline("An argument is wrong", errors::INVALID_ARGUMENT), detail);
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
    if group.min_size.is_unknown() || group.max_size.is_unknown() {
        return;
    }
    let (default_min, default_max) = sizes(group);
    let min = group.min_size.known().copied().unwrap_or(default_min);
    let max = group.max_size.known().copied().unwrap_or(default_max);
    if min > max {
        wrong(diagnostics, &at.max_size, format!("max_size is {max}, less than min_size, which is {min}."));
    }
}

/// CoreDNS needs a node that takes it; it tolerates no taints but those of control planes. Judged only when
/// everything that decides it is known.
fn core_dns(config: &ProductionCluster, path: &Path, diagnostics: &mut Diagnostics) {
    let Some(groups) = config.node_groups.known().filter(|groups| !groups.has_unknown()) else { return };
    let Some(addons) = settings::value(&config.addons) else { return };
    let enabled = match addons.unwrap_or_default().get("coredns") {
        None | Some(Field::Null) => Some(true),
        Some(Field::Unknown) => None,
        Some(Field::Known(addon)) => settings::value(&addon.enabled).map(|enabled| enabled.unwrap_or(true)),
    };
    if enabled != Some(true) || groups.is_empty() {
        return;
    }
    let groups = || groups.known().map(|(_, group)| group);
    if groups().all(|group| repels_core_dns(group) == Some(true)) {
        let text = "The nodes of every group repel CoreDNS by a taint with NO_SCHEDULE or NO_EXECUTE; leave one group \
                    without such a taint.";
        wrong(diagnostics, path, text.to_owned());
        return;
    }
    let may_have_a_node = |group: &NodeGroup| group.min_size.known() != Some(&0);
    if groups().all(|group| repels_core_dns(group) == Some(true) || !may_have_a_node(group)) {
        let text = "CoreDNS could not run anywhere: every group without taints has min_size = 0, and without a node \
                    nothing in the cluster could ask for one. Set min_size to 1 or more in one of them, or switch the add-on off with addons = { \
                    coredns = { enabled = false } }.";
        wrong(diagnostics, path, text.to_owned());
    }
}

/// None while a taint is unknown.
fn repels_core_dns(group: &NodeGroup) -> Option<bool> {
    let taints = settings::value(&group.taints)?.unwrap_or_default();
    let repels = |taint: &Field<model::Taint>| {
        let effect = settings::value(&settings::value(taint)?.unwrap_or_default().effect)?;
        Some(matches!(effect.as_deref(), Some("NO_SCHEDULE" | "NO_EXECUTE")))
    };
    let verdicts: Vec<Option<bool>> = taints.iter().map(repels).collect();
    if verdicts.contains(&Some(true)) {
        return Some(true);
    }
    verdicts.into_iter().all(|verdict| verdict.is_some()).then_some(false)
}

fn check_rules(
    config: &ProductionCluster,
    paths: &super::model::ProductionClusterPaths,
    diagnostics: &mut Diagnostics,
) {
    let Some(waivers) = settings::texts(&config.waivers) else { return };
    let waivers = waivers.unwrap_or_default();
    for (id, problem) in rules::wrong_waivers(&waivers) {
        wrong(diagnostics, &paths.waivers.key(id), problem);
    }
    let mut judge = |rule: Rule, path: &Path, known: bool, broken: Option<String>| match broken {
        Some(what) if !waivers.contains_key(rule.id) => diagnostics.error_at(
            path,
            headline("A production rule is broken", errors::RULE_BROKEN),
            format!(
                "{what} {} {}\n\nTo accept it on record: waivers = {{ \"{}\" = \"<reason>\" }}.",
                rule.why, rule.instead, rule.id
            ),
        ),
        None if known && waivers.contains_key(rule.id) => diagnostics.warning_at(
            &paths.waivers.key(rule.id),
            "A waiver is not needed",
            format!("The rule {} is not broken; remove its waiver.", rule.id),
        ),
        _ => {}
    };
    let access = config.endpoint_access.known().cloned().unwrap_or_default();
    let cidrs = access.public_cidrs.known().map(|cidrs| cidrs.to_known_vec()).unwrap_or_default();
    let known = !config.endpoint_access.is_unknown()
        && !access.public.is_unknown()
        && settings::set(&access.public_cidrs).is_some();
    judge(
        rules::public_endpoint_open::RULE,
        &EndpointAccess::at(&paths.endpoint_access).public_cidrs,
        known,
        rules::public_endpoint_open::broken(
            access.public.known().copied().unwrap_or(false),
            cidrs.iter().map(String::as_str),
        ),
    );
    judge(
        rules::deletion_protection_off::RULE,
        &paths.deletion_protection,
        !config.deletion_protection.is_unknown(),
        rules::deletion_protection_off::broken(config.deletion_protection.known().copied().unwrap_or(true)),
    );
}
