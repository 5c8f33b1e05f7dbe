//! Import by name, with the whole family: the configuration is read back from what is there. What has its
//! default stays null, so that a short configuration fits.

use std::collections::BTreeMap;

use resource_graph::{Failure, Owner, Record};
use terraform_plugin::prelude::*;

use super::access;
use super::addons;
use super::controllers;
use super::defaults;
use super::family::Found;
use super::images;
use super::keys::{encryption_key, subnet_tags};
use super::model::{self, ProductionCluster};
use super::observability;
use super::private::Private;
use super::purpose::{self, Purpose};
use super::read::settle;
use super::report::{self, headline};
use super::run::Run;
use super::state::{INCOMPLETE, READY};
use super::{ProductionClusterResource, TYPE, log_group_name};
use crate::aws::ownership::{PREFIX, Tags};
use crate::errors;
use crate::parts::cluster::{self, EndpointAccess};
use crate::parts::node_group::Unavailable;
use crate::parts::{launch_template, log_group, node_group};

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
    if cluster.owner(&run.family.ownership()) != Owner::Ours {
        return Err(nothing(&format!(
            "The cluster {name} was not made by {TYPE}: it lacks its mark. Clusters of others cannot be taken over."
        )));
    }
    let details = Details::read(&run, &found).await.map_err(|failure| nothing(&report::failure(&failure)))?;
    let default_tags = resource.connection.default_tags().unwrap_or_default();
    let state = read_back(cluster, &found, &run.aws.location.region, &details, &default_tags);
    let mut ledger = found.ledger();
    if !cluster.is_incomplete() {
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

/// What only an import asks for.
struct Details {
    logs: Option<log_group::Existing>,
    /// Log groups of Container Insights.
    groups: observability::Groups,
    /// Disk of each node group, by its key.
    disks_gib: BTreeMap<String, i64>,
    image_repositories: Field<Map<images::ImageRepository>>,
    image_registry: Field<images::ImageRegistry>,
}

impl Details {
    async fn read(run: &Run, found: &Found) -> Result<Self, Failure> {
        let logs = log_group::find(&run.aws, &log_group_name(&run.family.name)).await?;
        let mut groups = observability::Groups::new();
        for key in observability::container_insights_logs() {
            let Some(record) = found.records.iter().find(|record| record.key == key) else { continue };
            let group = log_group::find(&run.aws, record.identity.get("name")).await?;
            groups.extend(group.map(|group| (key, group)));
        }
        let mut disks_gib = BTreeMap::new();
        for record in found.records.iter().filter(|record| record.key.kind() == launch_template::KIND) {
            let gib = launch_template::disk_gib(&run.aws, record).await?;
            disks_gib.extend(gib.map(|gib| (record.key.name().to_owned(), gib)));
        }
        let (image_repositories, image_registry) = images::read_back(&run.aws, &found.images).await?;
        Ok(Self { logs, groups, disks_gib, image_repositories, image_registry })
    }
}

fn read_back(
    cluster: &cluster::Existing,
    found: &Found,
    region: &str,
    details: &Details,
    default_tags: &Tags,
) -> ProductionCluster {
    let name = cluster.record.identity.get("name");
    let tags = cluster.tags();
    let own: Tags =
        tags.clone().into_iter().filter(|(key, value)| default_tags.get(key) != Some(value)).collect();
    let has_own_key = found.records.iter().any(|record| record.key == encryption_key());
    let encryption = cluster
        .kms_key_arn
        .clone()
        .filter(|_| !has_own_key)
        .map(|arn| model::Encryption { kms_key_arn: arn.into(), ..model::Encryption::default() });
    let support = cluster.support_type.clone().filter(|support| support != "STANDARD");
    let group = |group: &node_group::Existing| {
        let name = group.record.key.name().to_owned();
        let disk_gib = details.disks_gib.get(&name).copied();
        (name, group_model(group, disk_gib, cluster))
    };
    let groups = found.node_groups.iter().map(group);
    let (load_balancer_controller, external_secrets) = controllers::read_back(&found.records);
    let (access_entries, mut break_glass) = access::read_back(&found.access_entries);
    if let Some(break_glass) = break_glass.known_mut() {
        break_glass.alarm = observability::break_glass_alarm(&found.alarms);
    }
    let key_of_logs = details.logs.as_ref().and_then(|logs| logs.kms_key_arn.as_deref());
    let observability = observability::read_back(&found.alarms, &details.groups, key_of_logs);
    let container_insights =
        observability.as_ref().is_none_or(|read| read.container_insights.known() != Some(&false));
    ProductionCluster {
        name: name.into(),
        kubernetes_version: cluster.kubernetes_version.as_str().into(),
        region: region.into(),
        subnet_ids: Field::Known(cluster.subnet_ids.iter().cloned().collect()),
        security_group_ids: (!cluster.security_group_ids.is_empty())
            .then(|| cluster.security_group_ids.iter().cloned().collect::<Set<String>>())
            .into(),
        tag_subnets: found.records.iter().any(|record| record.key == subnet_tags()).then_some(true).into(),
        zonal_shift: (!cluster.zonal_shift).then_some(false).into(),
        endpoint_access: endpoint_access(&cluster.endpoint_access).into(),
        logging: logging(cluster, &found.records, details.logs.as_ref()).into(),
        encryption: encryption.into(),
        node_groups: Field::Known(groups.collect()),
        access_entries,
        break_glass,
        load_balancer_controller,
        external_secrets,
        addons: addons::read_back(found, region, container_insights).into(),
        image_repositories: details.image_repositories.clone(),
        image_registry: details.image_registry.clone(),
        observability: observability.into(),
        upgrade_policy: support.map(|support| model::UpgradePolicy { support_type: support.into() }).into(),
        deletion_protection: (!cluster.deletion_protection).then_some(false).into(),
        tags: (!own.is_empty()).then(|| own.into_iter().collect::<Map<String>>()).into(),
        tags_all: Field::Known(tags.into_iter().collect()),
        log_group_name: Field::Known(log_group_name(name)),
        status: if cluster.is_incomplete() { INCOMPLETE } else { READY }.into(),
        generation: cluster.generation().map(str::to_owned).into(),
        ..ProductionCluster::default()
    }
}

fn endpoint_access(access: &EndpointAccess) -> Option<model::EndpointAccess> {
    let cidrs: Set<String> = access.public_cidrs.iter().cloned().collect();
    (!access.private || access.public).then(|| model::EndpointAccess {
        private: (!access.private).then_some(false).into(),
        public: access.public.then_some(true).into(),
        public_cidrs: (access.public && !cidrs.is_empty()).then_some(cidrs).into(),
    })
}

fn logging(
    cluster: &cluster::Existing,
    records: &[Record],
    logs: Option<&log_group::Existing>,
) -> Option<model::Logging> {
    let types: Set<String> = cluster.log_types.iter().cloned().collect();
    let key = records.iter().find(|record| record.key == encryption_key());
    let own_key = key.and_then(|record| record.outputs.get("arn"));
    let key_arn = logs.and_then(|logs| logs.kms_key_arn.as_deref());
    let class = logs.and_then(|logs| logs.class.clone());
    let retention = logs.and_then(|logs| logs.retention_days);
    let logging = model::Logging {
        types: (!cluster.logs_everything()).then_some(types).into(),
        retention_days: retention.filter(|days| *days != defaults::RETENTION_DAYS).into(),
        kms_key_arn: key_arn.filter(|arn| own_key != Some(arn)).map(str::to_owned).into(),
        class: class.filter(|class| class != defaults::LOG_CLASS).into(),
        on_destroy: Field::Null,
    };
    (logging != model::Logging::default()).then_some(logging)
}

fn group_model(
    group: &node_group::Existing,
    disk_gib: Option<i64>,
    cluster: &cluster::Existing,
) -> model::NodeGroup {
    let purpose = Purpose::of(group.labels.get(purpose::LABEL).map(String::as_str));
    let other = |text: &Option<String>, default: &str| text.clone().filter(|text| text != default);
    let labels: BTreeMap<String, String> =
        group.labels.clone().into_iter().filter(|(key, _)| !key.starts_with(PREFIX)).collect();
    let of_purpose = |taint: &&node_group::Taint| {
        purpose.taint == Some((taint.key.as_str(), taint.value.as_str(), taint.effect.as_str()))
    };
    let taint = |taint: &node_group::Taint| model::Taint {
        key: taint.key.clone().into(),
        value: (!taint.value.is_empty()).then(|| taint.value.clone()).into(),
        effect: taint.effect.clone().into(),
    };
    let taints: Vec<model::Taint> = group.taints.iter().filter(|t| !of_purpose(t)).map(taint).collect();
    let unavailable = match group.max_unavailable {
        Some(Unavailable::Percentage(percentage)) => {
            let percentage = i64::from(percentage);
            (purpose.keeps_data || percentage != defaults::MAX_UNAVAILABLE_PERCENTAGE).then_some(percentage)
        }
        _ => None,
    };
    model::NodeGroup {
        purpose: (purpose.name != purpose::NAMES[0]).then(|| purpose.name.to_owned()).into(),
        min_size: group.min_size.filter(|min| *min != purpose.sizes.0).into(),
        max_size: group.max_size.filter(|max| *max != purpose.sizes.1).into(),
        instance_types: (group.instance_types != purpose.instance_types)
            .then(|| group.instance_types.iter().cloned().collect::<List<String>>())
            .into(),
        capacity_type: other(&group.capacity_type, purpose.capacity_type).into(),
        ami_type: other(&group.ami_type, purpose.ami_type(&group.instance_types)).into(),
        release_version: Field::Null,
        disk_gib: disk_gib.filter(|gib| *gib != defaults::DISK_GIB).into(),
        subnet_ids: (group.subnet_ids != cluster.subnet_ids)
            .then(|| group.subnet_ids.iter().cloned().collect::<Set<String>>())
            .into(),
        max_unavailable_percentage: unavailable.into(),
        node_repair: Some(group.node_repair).filter(|repair| *repair == purpose.keeps_data).into(),
        labels: (!labels.is_empty()).then(|| labels.into_iter().collect::<Map<String>>()).into(),
        taints: (!taints.is_empty()).then(|| taints.into_iter().collect::<Set<model::Taint>>()).into(),
    }
}
