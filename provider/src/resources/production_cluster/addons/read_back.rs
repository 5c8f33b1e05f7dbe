//! The arguments that add-ons which exist were made from.

use std::collections::BTreeMap;

use terraform_plugin::prelude::*;

use super::super::family::Found;
use super::super::keys::addon_role;
use super::super::known_addon::{self, CONTAINER_INSIGHTS};
use super::super::model;
use crate::parts::addon::parsed;

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
