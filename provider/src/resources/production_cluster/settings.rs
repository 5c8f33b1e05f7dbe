//! The configuration with every default in its place. Exists only when everything in it is known.

use std::collections::{BTreeMap, BTreeSet};

use terraform_plugin::{Field, Map, Set};

use super::access;
use super::addons;
use super::controllers;
use super::defaults;
use super::images::Images;
use super::known::{set, texts, value};
use super::model::{self, ProductionCluster};
use super::observability;
use super::purpose::Purpose;
use crate::aws::ownership::Tags;
use crate::parts::cluster::{EndpointAccess, KubernetesNetwork, LOG_TYPES};
use crate::parts::node_group::{Taint, Unavailable};

/// Everything the expansion needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub name: String,
    pub kubernetes_version: String,
    /// Subnets of the control plane.
    pub subnet_ids: BTreeSet<String>,
    /// Subnets that get the tags of load balancers.
    pub tagged_subnet_ids: Option<BTreeSet<String>>,
    pub security_group_ids: BTreeSet<String>,
    pub kubernetes_network: KubernetesNetwork,
    pub zonal_shift: bool,
    pub endpoint_access: EndpointAccess,
    pub logging: Logging,
    pub kms_key_arn: Option<String>,
    pub deletion_window_days: i64,
    pub node_groups: BTreeMap<String, NodeGroup>,
    pub addons: BTreeMap<String, addons::Addon>,
    /// Controllers that get an identity.
    pub controllers: Vec<controllers::ServiceAccount>,
    /// The one for emergencies among them.
    pub access_entries: BTreeMap<String, access::Entry>,
    pub images: Images,
    pub observability: observability::Settings,
    pub support_type: String,
    pub deletion_protection: bool,
    pub tags: Tags,
}

/// Logs of the control plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Logging {
    pub types: BTreeSet<String>,
    pub retention_days: i64,
    pub kms_key_arn: Option<String>,
    pub class: String,
    pub retain: bool,
}

/// A group of nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeGroup {
    pub purpose: &'static Purpose,
    pub min_size: i32,
    pub max_size: i32,
    pub instance_types: Vec<String>,
    pub capacity_type: String,
    pub ami_type: String,
    pub release_version: Option<String>,
    pub disk_gib: i32,
    /// Those of the cluster where the group names none.
    pub subnet_ids: BTreeSet<String>,
    pub max_unavailable: Unavailable,
    pub node_repair: bool,
    pub labels: BTreeMap<String, String>,
    pub taints: BTreeSet<Taint>,
}

impl Settings {
    /// The settings of a model; none while anything in it is unknown.
    pub fn of(model: &ProductionCluster) -> Option<Self> {
        let logging = value(&model.logging)?.unwrap_or_default();
        let encryption = value(&model.encryption)?.unwrap_or_default();
        let access = value(&model.endpoint_access)?.unwrap_or_default();
        let network = value(&model.kubernetes_network)?.unwrap_or_default();
        let subnet_ids = set(&model.subnet_ids)?.unwrap_or_default();
        let upgrade_policy = value(&model.upgrade_policy)?.unwrap_or_default();
        Some(Self {
            tagged_subnet_ids: value(&model.tag_subnets)?.unwrap_or(false).then(|| subnet_ids.clone()),
            name: value(&model.name)?.unwrap_or_default(),
            kubernetes_version: value(&model.kubernetes_version)?.unwrap_or_default(),
            subnet_ids: set(&model.control_plane_subnet_ids)?.unwrap_or_else(|| subnet_ids.clone()),
            security_group_ids: set(&model.security_group_ids)?.unwrap_or_default(),
            kubernetes_network: KubernetesNetwork {
                ip_family: value(&network.ip_family)?,
                service_ipv4_cidr: value(&network.service_ipv4_cidr)?,
            },
            zonal_shift: value(&model.zonal_shift)?.unwrap_or(true),
            endpoint_access: EndpointAccess {
                private: value(&access.private)?.unwrap_or(true),
                public: value(&access.public)?.unwrap_or(false),
                public_cidrs: set(&access.public_cidrs)?.unwrap_or_default(),
            },
            logging: Logging {
                types: set(&logging.types)?.unwrap_or_else(|| LOG_TYPES.map(str::to_owned).into()),
                retention_days: value(&logging.retention_days)?.unwrap_or(defaults::RETENTION_DAYS),
                kms_key_arn: value(&logging.kms_key_arn)?,
                class: value(&logging.class)?.unwrap_or_else(|| defaults::LOG_CLASS.to_owned()),
                retain: value(&logging.on_destroy)?.as_deref() == Some("retain"),
            },
            kms_key_arn: value(&encryption.kms_key_arn)?,
            deletion_window_days: value(&encryption.deletion_window_days)?
                .unwrap_or(defaults::DELETION_WINDOW_DAYS),
            node_groups: node_groups(&model.node_groups, &subnet_ids)?,
            addons: addons::settings(model)?,
            controllers: controllers::settings(model)?,
            access_entries: access::entries(model)?,
            images: Images::of(model)?,
            observability: observability::Settings::of(model)?,
            support_type: value(&upgrade_policy.support_type)?.unwrap_or_else(|| "STANDARD".to_owned()),
            deletion_protection: value(&model.deletion_protection)?.unwrap_or(true),
            tags: texts(&model.tags_all)?.unwrap_or_default(),
        })
    }
}

fn node_groups(
    field: &Field<Map<model::NodeGroup>>,
    subnet_ids: &BTreeSet<String>,
) -> Option<BTreeMap<String, NodeGroup>> {
    let groups = value(field)?.unwrap_or_default();
    let group = |(name, group): (&String, &Field<model::NodeGroup>)| {
        Some((name.clone(), node_group(&value(group)?.unwrap_or_default(), subnet_ids)?))
    };
    groups.iter().map(group).collect()
}

fn node_group(group: &model::NodeGroup, subnet_ids: &BTreeSet<String>) -> Option<NodeGroup> {
    let purpose = purpose(group)?;
    let (min, max) = purpose.sizes(value(&group.min_size)?, value(&group.max_size)?);
    let instance_types = instance_types(group)?;
    let percentage = value(&group.max_unavailable_percentage)?;
    let mut taints = taints(&group.taints)?;
    taints.extend(purpose.taint.map(|(key, value, effect)| Taint {
        key: key.to_owned(),
        value: value.to_owned(),
        effect: effect.to_owned(),
    }));
    Some(NodeGroup {
        purpose,
        min_size: whole(min),
        max_size: whole(max),
        capacity_type: value(&group.capacity_type)?.unwrap_or_else(|| purpose.capacity_type.to_owned()),
        ami_type: value(&group.ami_type)?.unwrap_or_else(|| purpose.ami_type(&instance_types).to_owned()),
        instance_types,
        release_version: value(&group.release_version)?,
        disk_gib: whole(value(&group.disk_gib)?.unwrap_or(defaults::DISK_GIB)),
        subnet_ids: set(&group.subnet_ids)?.unwrap_or_else(|| subnet_ids.clone()),
        max_unavailable: match percentage {
            None if purpose.keeps_data => Unavailable::Nodes(1),
            percentage => {
                Unavailable::Percentage(whole(percentage.unwrap_or(defaults::MAX_UNAVAILABLE_PERCENTAGE)))
            }
        },
        node_repair: value(&group.node_repair)?.unwrap_or(!purpose.keeps_data),
        labels: texts(&group.labels)?.unwrap_or_default(),
        taints,
    })
}

/// The purpose of a group; none while it is unknown.
pub fn purpose(group: &model::NodeGroup) -> Option<&'static Purpose> {
    Some(Purpose::of(value(&group.purpose)?.as_deref()))
}

/// Instance types of a group; none while one of them, or the purpose that decides them, is unknown.
pub fn instance_types(group: &model::NodeGroup) -> Option<Vec<String>> {
    match value(&group.instance_types)? {
        None => Some(purpose(group)?.instance_types.iter().map(|name| (*name).to_owned()).collect()),
        Some(types) if types.has_unknown() => None,
        Some(types) => Some(types.to_known_vec()),
    }
}

/// Validators keep numbers in the range AWS takes.
fn whole(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn taints(field: &Field<Set<model::Taint>>) -> Option<BTreeSet<Taint>> {
    let taint = |taint: &Field<model::Taint>| {
        let taint = value(taint)?.unwrap_or_default();
        Some(Taint {
            key: value(&taint.key)?.unwrap_or_default(),
            value: value(&taint.value)?.unwrap_or_default(),
            effect: value(&taint.effect)?.unwrap_or_default(),
        })
    };
    value(field)?.unwrap_or_default().iter().map(taint).collect()
}
