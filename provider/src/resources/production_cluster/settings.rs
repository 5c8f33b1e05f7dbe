//! The configuration with every default in its place. Exists only when everything in it is known.

use std::collections::{BTreeMap, BTreeSet};

use terraform_plugin::{Field, Map, Set};

use super::defaults;
use super::model::{self, ProductionCluster};
use crate::aws::ownership::Tags;
use crate::parts::cluster::{EndpointAccess, LOG_TYPES};
use crate::parts::node_group::Taint;

/// Everything the expansion needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub name: String,
    pub kubernetes_version: String,
    pub subnet_ids: BTreeSet<String>,
    pub endpoint_access: EndpointAccess,
    pub logging: Logging,
    pub kms_key_arn: Option<String>,
    pub deletion_window_days: i64,
    pub node_groups: BTreeMap<String, NodeGroup>,
    pub addons: BTreeMap<String, Addon>,
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
    pub min_size: i32,
    pub max_size: i32,
    pub instance_types: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub taints: BTreeSet<Taint>,
    pub purpose: String,
}

/// An add-on that is installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Addon {
    pub version: Option<String>,
    pub configuration_values: Option<String>,
    pub resolve_conflicts: String,
}

impl Settings {
    /// The settings of a model; none while anything in it is unknown.
    pub fn of(model: &ProductionCluster) -> Option<Self> {
        let logging = value(&model.logging)?.unwrap_or_default();
        let encryption = value(&model.encryption)?.unwrap_or_default();
        let access = value(&model.endpoint_access)?.unwrap_or_default();
        let upgrade_policy = value(&model.upgrade_policy)?.unwrap_or_default();
        Some(Self {
            name: value(&model.name)?.unwrap_or_default(),
            kubernetes_version: value(&model.kubernetes_version)?.unwrap_or_default(),
            subnet_ids: set(&model.subnet_ids)?.unwrap_or_default(),
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
            node_groups: node_groups(&model.node_groups)?,
            addons: addons(&model.addons)?,
            support_type: value(&upgrade_policy.support_type)?.unwrap_or_else(|| "STANDARD".to_owned()),
            deletion_protection: value(&model.deletion_protection)?.unwrap_or(true),
            tags: texts(&model.tags_all)?.unwrap_or_default(),
        })
    }
}

/// None when it is unknown, else the value or none.
pub fn value<T: Clone>(field: &Field<T>) -> Option<Option<T>> {
    match field {
        Field::Unknown => None,
        Field::Null => Some(None),
        Field::Known(value) => Some(Some(value.clone())),
    }
}

/// None when the set or an element is unknown.
pub fn set(field: &Field<Set<String>>) -> Option<Option<BTreeSet<String>>> {
    match value(field)? {
        None => Some(None),
        Some(elements) if elements.has_unknown() => None,
        Some(elements) => Some(Some(elements.to_known_vec().into_iter().collect())),
    }
}

/// None when the map or an element is unknown.
pub fn texts(field: &Field<Map<String>>) -> Option<Option<BTreeMap<String, String>>> {
    match value(field)? {
        None => Some(None),
        Some(elements) if elements.has_unknown() => None,
        Some(elements) => Some(Some(elements.to_known_map())),
    }
}

fn node_groups(field: &Field<Map<model::NodeGroup>>) -> Option<BTreeMap<String, NodeGroup>> {
    let groups = value(field)?.unwrap_or_default();
    let group = |(name, group): (&String, &Field<model::NodeGroup>)| {
        Some((name.clone(), node_group(&value(group)?.unwrap_or_default())?))
    };
    groups.iter().map(group).collect()
}

fn node_group(group: &model::NodeGroup) -> Option<NodeGroup> {
    let size = |field: &Field<i64>, default: i64| {
        Some(i32::try_from(value(field)?.unwrap_or(default)).unwrap_or(i32::MAX))
    };
    let types = value(&group.instance_types)?;
    if types.as_ref().is_some_and(terraform_plugin::List::has_unknown) {
        return None;
    }
    let (min, max) = sizes(group);
    Some(NodeGroup {
        min_size: size(&group.min_size, min)?,
        max_size: size(&group.max_size, max)?,
        instance_types: types
            .map_or_else(|| defaults::INSTANCE_TYPES.map(str::to_owned).into(), |types| types.to_known_vec()),
        labels: texts(&group.labels)?.unwrap_or_default(),
        taints: taints(&group.taints)?,
        purpose: value(&group.purpose)?.unwrap_or_else(|| defaults::PURPOSE.to_owned()),
    })
}

/// Default sizes, moved so that the one that is set stays within them.
pub fn sizes(group: &model::NodeGroup) -> (i64, i64) {
    let (min, max) = defaults::SIZES;
    let set_min = group.min_size.known().copied();
    let set_max = group.max_size.known().copied();
    (set_max.map_or(min, |set| set.min(min)), set_min.map_or(max, |set| set.max(max)))
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

fn addons(field: &Field<Map<model::Addon>>) -> Option<BTreeMap<String, Addon>> {
    let configured = value(field)?.unwrap_or_default();
    let mut addons = BTreeMap::new();
    for name in defaults::ADDONS {
        let addon = match configured.get(name) {
            None => model::Addon::default(),
            Some(addon) => value(addon)?.unwrap_or_default(),
        };
        if value(&addon.enabled)?.unwrap_or(true) {
            let values = value(&addon.configuration_values)?;
            addons.insert(
                name.to_owned(),
                Addon {
                    version: value(&addon.version)?,
                    configuration_values: values.or_else(|| defaults::addon_values(name).map(str::to_owned)),
                    resolve_conflicts: value(&addon.resolve_conflicts)?.unwrap_or_else(|| "NONE".to_owned()),
                },
            );
        }
    }
    Some(addons)
}
