//! Which parts a configuration has, and what people read about each, as far as it is known: the keys and
//! texts of the expansion, without what only AWS or an unknown value can tell.

use resource_graph::PartKey;

use super::access;
use super::addons;
use super::controllers;
use super::defaults;
use super::images;
use super::keys::{
    CLUSTER_POLICIES, NODE_POLICIES, Outline, cluster_role, control_plane, control_plane_logs,
    encryption_key, log_group_spec, node_role, subnet_tags,
};
use super::known::{set, value};
use super::model::{NodeGroup, ProductionCluster};
use super::observability;
use super::purpose::SPOT;
use super::settings::{instance_types, purpose};
use crate::parts::{access_entry, launch_template, network_interfaces, node_group};

/// The outline; none while it is not even known which parts there are.
pub fn outline(model: &ProductionCluster) -> Option<Outline> {
    let mut outline = Outline::new();
    let mut add = |key: PartKey, spec: Option<String>| {
        outline.insert(key, spec);
    };
    add(cluster_role(), Some(format!("role of the control plane with {}", CLUSTER_POLICIES.join(", "))));
    add(node_role(), Some(format!("role of the nodes with {}", NODE_POLICIES.join(", "))));
    let encryption = value(&model.encryption)?.unwrap_or_default();
    if value(&encryption.kms_key_arn)?.is_none() {
        let days = value(&encryption.deletion_window_days)
            .map(|days| days.unwrap_or(defaults::DELETION_WINDOW_DAYS));
        add(encryption_key(), days.map(|days| format!("rotating key, deleted {days} days after destroy")));
    }
    add(control_plane_logs(), log_group(model));
    add(control_plane(), control_plane_spec(model));
    add(
        PartKey::new(network_interfaces::KIND, ""),
        Some("deleted on destroy when nodes leave them behind".to_owned()),
    );
    if value(&model.tag_subnets)?.unwrap_or(false) {
        let count = set(&model.subnet_ids).map(|ids| ids.unwrap_or_default().len());
        add(subnet_tags(), count.map(|count| format!("{count} subnets for load balancers")));
    }
    for (name, group) in value(&model.node_groups)?.unwrap_or_default().iter() {
        add(
            PartKey::new(launch_template::KIND, name),
            value(group).and_then(|group| launch_template_spec(&group.unwrap_or_default())),
        );
        add(
            PartKey::new(node_group::KIND, name),
            value(group).and_then(|g| node_group_spec(&g.unwrap_or_default())),
        );
    }
    for (key, spec) in observability::specs(model)? {
        add(key, spec);
    }
    for (name, spec) in access::specs(model)? {
        add(PartKey::new(access_entry::KIND, &name), spec);
    }
    for (key, spec) in images::specs(model)? {
        add(key, spec);
    }
    for (key, spec) in addons::specs(model)?.into_iter().chain(controllers::specs(model)?) {
        add(key, spec);
    }
    Some(outline)
}

fn log_group(model: &ProductionCluster) -> Option<String> {
    let logging = value(&model.logging)?.unwrap_or_default();
    let days = value(&logging.retention_days)?.unwrap_or(defaults::RETENTION_DAYS);
    let class = value(&logging.class)?.unwrap_or_else(|| defaults::LOG_CLASS.to_owned());
    let kept = value(&logging.on_destroy)?.as_deref() == Some("retain");
    Some(log_group_spec(&class, days, kept))
}

fn control_plane_spec(model: &ProductionCluster) -> Option<String> {
    let version = value(&model.kubernetes_version)?.unwrap_or_default();
    let access = value(&model.endpoint_access)?.unwrap_or_default();
    let private = value(&access.private)?.unwrap_or(true);
    let public = value(&access.public)?.unwrap_or(false);
    let endpoint = match (private, public) {
        (true, true) => "private and public endpoint",
        (false, true) => "public endpoint",
        _ => "private endpoint",
    };
    Some(format!("Kubernetes {version}, {endpoint}"))
}

fn launch_template_spec(group: &NodeGroup) -> Option<String> {
    let gib = value(&group.disk_gib)?.unwrap_or(defaults::DISK_GIB);
    Some(format!("IMDSv2 with hop limit 1, {gib} GiB encrypted gp3"))
}

fn node_group_spec(group: &NodeGroup) -> Option<String> {
    let purpose = purpose(group)?;
    let capacity = value(&group.capacity_type)?;
    let capacity = match capacity.as_deref().unwrap_or(purpose.capacity_type) {
        SPOT => "spot",
        _ => "on-demand",
    };
    let types = instance_types(group)?.join(", ");
    let (min, max) = purpose.sizes(value(&group.min_size)?, value(&group.max_size)?);
    Some(format!("{capacity} {types}, {min} to {max}"))
}
