//! Import by name, with the whole family: the configuration is read back from what is there. What has its
//! default stays null, so that a short configuration fits.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eks::types as eks;
use resource_graph::{Owner, PartKey};
use terraform_plugin::prelude::*;

use super::family::Found;
use super::model::{self, ProductionCluster};
use super::private::Private;
use super::read::settle;
use super::report::{self, headline};
use super::run::{Run, generation, is_incomplete};
use super::settings::{
    DEFAULT_ADDONS, DEFAULT_INSTANCE_TYPES, DEFAULT_SIZES, RETENTION_DAYS, default_values,
};
use super::state::{INCOMPLETE, READY};
use super::{ProductionClusterResource, TYPE, log_group_name};
use crate::aws::ownership::{PREFIX, Tags, from_map};
use crate::errors;
use crate::parts::cluster::{LOG_TYPES, key_arn, log_types, support_type};
use crate::parts::{log_group, node_group};

pub async fn import(
    resource: &ProductionClusterResource,
    id: &str,
) -> Result<Imported<ProductionCluster>, Diagnostics> {
    let (name, region) = match id.split_once('@') {
        Some((name, region)) => (name, Some(region)),
        None => (id, None),
    };
    let run = Run::at(resource, name, region).await?;
    let found = run.family.find(&run.aws).await.map_err(|failure| nothing(&report::failure(&failure)))?;
    let Some(cluster) = &found.cluster else {
        return Err(nothing(&format!(
            "There is no cluster {name} in {}. The id is NAME or NAME@REGION.",
            run.aws.location.region
        )));
    };
    if run.family.ownership().of(&from_map(cluster.tags())) != Owner::Ours {
        return Err(nothing(&format!(
            "The cluster {name} was not made by {TYPE}: it lacks its mark. Clusters of others cannot be taken over."
        )));
    }
    let retention = log_group::retention(&run.aws, &log_group_name(name)).await;
    let retention = retention.map_err(|failure| nothing(&report::failure(&failure)))?;
    let default_tags = resource.connection.default_tags().unwrap_or_default();
    let state = read_back(cluster, &found, &run.aws.location.region, retention, &default_tags);
    let mut ledger = found.ledger();
    if !is_incomplete(cluster) {
        settle(&mut ledger, &state);
    }
    Ok(Imported { private: Private::of_state(&ledger), state, diagnostics: Diagnostics::new() })
}

fn nothing(text: &str) -> Diagnostics {
    Diagnostics::from_error(
        headline("There is nothing to import", errors::NOTHING_TO_IMPORT),
        text.to_owned(),
    )
}

fn read_back(
    cluster: &eks::Cluster,
    found: &Found,
    region: &str,
    retention: Option<i64>,
    default_tags: &Tags,
) -> ProductionCluster {
    let vpc = cluster.resources_vpc_config();
    let subnets = vpc.map(|vpc| vpc.subnet_ids().to_vec()).unwrap_or_default();
    let tags: Tags =
        from_map(cluster.tags()).into_iter().filter(|(key, _)| !key.starts_with(PREFIX)).collect();
    let own: Tags =
        tags.clone().into_iter().filter(|(key, value)| default_tags.get(key) != Some(value)).collect();
    let has_own_key = found.records.iter().any(|record| record.key == super::outline::encryption_key());
    let encryption = key_arn(cluster)
        .filter(|_| !has_own_key)
        .map(|arn| model::Encryption { kms_key_arn: arn.into(), ..model::Encryption::default() });
    let support = support_type(cluster).filter(|support| *support != "STANDARD");
    let text = |value: Option<&str>| Field::from(value.map(str::to_owned));
    ProductionCluster {
        name: text(cluster.name()),
        kubernetes_version: text(cluster.version()),
        region: region.into(),
        subnet_ids: Field::Known(subnets.iter().cloned().collect()),
        endpoint_access: vpc.and_then(endpoint_access).into(),
        logging: logging(cluster, retention).into(),
        encryption: encryption.into(),
        node_groups: Field::Known(
            found
                .node_groups
                .iter()
                .map(|(key, group)| (key.name().to_owned(), group_model(group)))
                .collect(),
        ),
        addons: addons(found).into(),
        upgrade_policy: support.map(|support| model::UpgradePolicy { support_type: support.into() }).into(),
        deletion_protection: (!cluster.deletion_protection().unwrap_or(false)).then_some(false).into(),
        tags: (!own.is_empty()).then(|| own.into_iter().collect::<Map<String>>()).into(),
        tags_all: Field::Known(tags.into_iter().collect()),
        log_group_name: cluster.name().map(log_group_name).into(),
        status: if is_incomplete(cluster) { INCOMPLETE } else { READY }.into(),
        generation: generation(cluster).into(),
        ..ProductionCluster::default()
    }
}

fn endpoint_access(vpc: &eks::VpcConfigResponse) -> Option<model::EndpointAccess> {
    let (private, public) = (vpc.endpoint_private_access(), vpc.endpoint_public_access());
    let cidrs: Set<String> = vpc.public_access_cidrs().iter().cloned().collect();
    (!private || public).then(|| model::EndpointAccess {
        private: (!private).then_some(false).into(),
        public: public.then_some(true).into(),
        public_cidrs: (public && !cidrs.is_empty()).then_some(cidrs).into(),
    })
}

fn logging(cluster: &eks::Cluster, retention: Option<i64>) -> Option<model::Logging> {
    let types = log_types(cluster);
    let all: BTreeSet<String> = LOG_TYPES.map(str::to_owned).into();
    let retention = retention.filter(|days| *days != RETENTION_DAYS);
    (types != all || retention.is_some()).then(|| model::Logging {
        types: (types != all).then(|| types.into_iter().collect::<Set<String>>()).into(),
        retention_days: retention.into(),
        ..model::Logging::default()
    })
}

fn group_model(group: &eks::Nodegroup) -> model::NodeGroup {
    let scaling = group.scaling_config();
    let min = scaling.and_then(|scaling| scaling.min_size()).map(i64::from);
    let max = scaling.and_then(|scaling| scaling.max_size()).map(i64::from);
    let types = group.instance_types().to_vec();
    let labels: BTreeMap<String, String> =
        node_group::labels(group).into_iter().filter(|(key, _)| !key.starts_with(PREFIX)).collect();
    let taint = |taint: node_group::Taint| model::Taint {
        key: taint.key.into(),
        value: (!taint.value.is_empty()).then_some(taint.value).into(),
        effect: taint.effect.into(),
    };
    let taints: Vec<model::Taint> = node_group::taints(group).into_iter().map(taint).collect();
    model::NodeGroup {
        purpose: Field::Null,
        min_size: min.filter(|min| *min != DEFAULT_SIZES.0).into(),
        max_size: max.filter(|max| *max != DEFAULT_SIZES.1).into(),
        instance_types: (types != DEFAULT_INSTANCE_TYPES)
            .then(|| types.into_iter().collect::<List<String>>())
            .into(),
        labels: (!labels.is_empty()).then(|| labels.into_iter().collect::<Map<String>>()).into(),
        taints: (!taints.is_empty()).then(|| taints.into_iter().collect::<Set<model::Taint>>()).into(),
    }
}

/// Default add-ons that are missing are off; configuration values other than the default are kept. The
/// version is nobody's wish: it stays as it is without being named.
fn addons(found: &Found) -> Option<Map<model::Addon>> {
    let installed = |name: &str| {
        let key = PartKey::new(crate::parts::addon::KIND, name);
        found.addons.iter().find(|(other, _)| *other == key).map(|(_, addon)| addon)
    };
    let addon = |name: &&str| {
        let Some(addon) = installed(name) else {
            return Some((
                (*name).to_owned(),
                model::Addon { enabled: false.into(), ..model::Addon::default() },
            ));
        };
        let values = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        let other = addon
            .configuration_values()
            .filter(|text| !text.is_empty() && values(text) != default_values(name).and_then(values))?;
        Some((
            (*name).to_owned(),
            model::Addon { configuration_values: other.into(), ..model::Addon::default() },
        ))
    };
    let differing: Map<model::Addon> = DEFAULT_ADDONS.iter().filter_map(addon).collect();
    (!differing.is_empty()).then_some(differing)
}
