//! Everything that belongs to one cluster: how a record becomes a part again, and how everything is found
//! where the ledger is missing.

use std::sync::Arc;

use async_trait::async_trait;
use resource_graph::{
    AnyPart, Catalogue, Failure, Identity, Ledger, Outputs, Owner, PartKey, Record, RecordState, erase,
};

use super::images;
use super::keys::{
    ROLE_STEM, addon_role, cluster_role, control_plane, control_plane_logs, encryption_key, node_role,
    subnet_tags,
};
use super::known_addon::{self, CONTAINER_INSIGHTS};
use super::observability::break_glass_filter;
use super::{TYPE, alias, log_group_name, observability};
use crate::aws::naming::Naming;
use crate::aws::ownership::Ownership;
use crate::aws::{Aws, Location};
use crate::parts::{
    access_entry, addon, cluster, iam_role, image_repository, kms_key, launch_template, log_group,
    metric_alarm, metric_filter, network_interfaces, node_group, pod_identity_association,
    pull_through_cache_rule, registry_replication, registry_scanning, subnet_tags,
};

/// The family of one cluster.
#[derive(Debug, Clone)]
pub struct Family {
    /// Name of the cluster.
    pub name: String,
    /// Where it is.
    pub location: Location,
    /// Path below which its roles are looked for.
    pub iam_role_path: String,
}

/// What was found of a family, with what an import reads from it.
pub struct Found {
    /// The cluster, whoever owns it.
    pub cluster: Option<cluster::Existing>,
    /// Its node groups that carry our mark.
    pub node_groups: Vec<node_group::Existing>,
    /// Its add-ons that carry our mark.
    pub addons: Vec<addon::Existing>,
    /// Its access entries that carry our mark.
    pub access_entries: Vec<access_entry::Existing>,
    /// Its repositories of images, and what the registry says about them.
    pub images: images::Found,
    /// Its alarms that carry our mark.
    pub alarms: Vec<metric_alarm::Existing>,
    /// Records of everything that carries our mark, with the edges a deletion needs.
    pub records: Vec<Record>,
}

impl Found {
    /// The records as a ledger.
    pub fn ledger(&self) -> Ledger {
        Ledger { records: self.records.clone() }
    }
}

impl Family {
    /// The owner mark of the family.
    pub fn ownership(&self) -> Ownership {
        Ownership::new(TYPE, &self.location.region, &self.name)
    }

    /// A recorded object that is present, in the words of its part: `ready`, a version.
    pub fn state_of(&self, record: &Record, outputs: &Outputs) -> String {
        self.recall(record).map_or_else(|| "unknown".to_owned(), |part| part.state(outputs))
    }

    fn naming(&self) -> Naming {
        Naming {
            region: self.location.region.clone(),
            resource_type: TYPE.to_owned(),
            name: self.name.clone(),
        }
    }

    /// Looks for everything that carries our mark, or hangs below a cluster that does.
    pub async fn find(&self, aws: &Aws) -> Result<Found, Failure> {
        let ownership = self.ownership();
        let stem: String = self.name.chars().take(ROLE_STEM).collect();
        let alias = alias(&self.naming(), &encryption_key(), &self.name);
        let prefix = observability::alarm_prefix(&self.name);
        let groups: Vec<String> = log_group_names(&self.name).collect();
        let watch = break_glass_filter();
        let filter = observability::break_glass_filter_name(&self.naming(), &self.name);
        let key = encryption_key();
        let (cluster, roles, keys, groups, templates, subnets_are_tagged, repositories, alarms, filter) = tokio::try_join!(
            cluster::find(aws, &self.name),
            iam_role::discover(aws, &self.iam_role_path, &stem, &ownership),
            kms_key::discover(aws, &alias, &ownership, &key),
            log_group::discover(aws, &groups, &ownership),
            launch_template::discover(aws, &ownership),
            subnet_tags::is_there(aws, &self.name),
            image_repository::discover(aws, &ownership),
            metric_alarm::discover(aws, &prefix, &ownership),
            metric_filter::discover(aws, &watch, &groups[0], &filter),
        )?;
        let role = roles.iter().find(|role| role.record.key == cluster_role());
        let images = images::find(aws, repositories, role).await?;
        let roles = roles.iter().map(|role| role.record.clone()).collect();
        let mut records: Vec<Record> = [roles, keys, groups, templates].into_iter().flatten().collect();
        records.extend(images.records());
        records.extend(filter);
        records.extend(alarms.iter().map(|alarm| alarm.record.clone()));
        if subnets_are_tagged {
            records.push(unmarked(subnet_tags(), &self.name));
        }
        let (mut node_groups, mut addons, mut access_entries) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(cluster) = cluster.as_ref().filter(|cluster| cluster.owner(&ownership) == Owner::Ours) {
            records.push(cluster.record.clone());
            records.push(unmarked(PartKey::new(network_interfaces::KIND, ""), &self.name));
            let associations;
            (node_groups, addons, access_entries, associations) = tokio::try_join!(
                node_group::discover(aws, &self.name, &ownership),
                addon::discover(aws, &self.name, &ownership),
                access_entry::discover(aws, &self.name, &ownership),
                pod_identity_association::discover(aws, &self.name, &ownership),
            )?;
            records.extend(associations);
            records.extend(node_groups.iter().map(|group| group.record.clone()));
            records.extend(addons.iter().map(|addon| addon.record.clone()));
            records.extend(access_entries.iter().map(|entry| entry.record.clone()));
        }
        let keys: Vec<PartKey> = records.iter().map(|record| record.key.clone()).collect();
        for record in &mut records {
            record.needs =
                needs(&record.key, &keys).into_iter().filter(|needed| keys.contains(needed)).collect();
        }
        retire_doubles(&mut records);
        Ok(Found { cluster, node_groups, addons, access_entries, images, alarms, records })
    }
}

#[async_trait]
impl Catalogue<Aws> for Family {
    fn recall(&self, record: &Record) -> Option<Arc<dyn AnyPart<Aws>>> {
        let ownership = self.ownership();
        Some(match record.key.kind() {
            iam_role::KIND => erase(iam_role::IamRole::recall(record, &ownership)),
            kms_key::KIND => erase(kms_key::KmsKey::recall(record, &ownership, &self.location)),
            log_group::KIND => erase(log_group::LogGroup::recall(record, &ownership, &self.location)),
            metric_alarm::KIND => {
                erase(metric_alarm::MetricAlarm::recall(record, &ownership, &self.location))
            }
            metric_filter::KIND => erase(metric_filter::MetricFilter::recall(record)),
            cluster::KIND => erase(cluster::Cluster::recall(record, &ownership)),
            network_interfaces::KIND => erase(network_interfaces::NetworkInterfaces::recall(record)),
            subnet_tags::KIND => erase(subnet_tags::SubnetTags::recall(record)),
            launch_template::KIND => erase(launch_template::LaunchTemplate::recall(record, &ownership)),
            node_group::KIND => erase(node_group::NodeGroup::recall(record, &ownership)),
            access_entry::KIND => erase(access_entry::AccessEntry::recall(record, &ownership)),
            addon::KIND => erase(addon::Addon::recall(record, &ownership)),
            pod_identity_association::KIND => {
                erase(pod_identity_association::PodIdentityAssociation::recall(record, &ownership))
            }
            image_repository::KIND => {
                erase(image_repository::ImageRepository::recall(record, &ownership, &self.location))
            }
            registry_scanning::KIND => {
                erase(registry_scanning::RegistryScanning::recall(record, &self.location))
            }
            registry_replication::KIND => {
                erase(registry_replication::RegistryReplication::recall(record, &self.location))
            }
            pull_through_cache_rule::KIND => {
                erase(pull_through_cache_rule::PullThroughCacheRule::recall(record))
            }
            _ => return None,
        })
    }

    async fn discover(&self, aws: &Aws) -> Result<Vec<Record>, Failure> {
        Ok(self.find(aws).await?.records)
    }
}

/// Names of all log groups of a cluster, the control plane's first.
fn log_group_names(cluster: &str) -> impl Iterator<Item = String> {
    [log_group_name(cluster)].into_iter().chain(observability::log_group_names(cluster))
}

/// What has no mark of its own, and goes with the cluster.
fn unmarked(key: PartKey, cluster: &str) -> Record {
    Record {
        key,
        state: RecordState::Made,
        identity: Identity::new([("cluster", cluster)]),
        instance: None,
        outputs: Outputs::default(),
        needs: Vec::new(),
        spec: String::new(),
    }
}

/// What a part stands on when no ledger says so.
fn needs(key: &PartKey, all: &[PartKey]) -> Vec<PartKey> {
    match key.kind() {
        // The role carries the mark of the rule.
        kms_key::KIND | pull_through_cache_rule::KIND => vec![cluster_role()],
        log_group::KIND => vec![encryption_key()],
        cluster::KIND => [cluster_role(), encryption_key(), control_plane_logs()]
            .into_iter()
            .chain(observability::container_insights_logs())
            .collect(),
        metric_filter::KIND => vec![control_plane_logs()],
        metric_alarm::KIND => vec![control_plane(), break_glass_filter()],
        network_interfaces::KIND | access_entry::KIND | subnet_tags::KIND => vec![control_plane()],
        node_group::KIND => {
            let own = [
                control_plane(),
                node_role(),
                PartKey::new(network_interfaces::KIND, ""),
                PartKey::new(launch_template::KIND, key.name()),
            ];
            let on_nodes = known_addon::defaults().filter(|addon| !addon.needs_node);
            own.into_iter().chain(on_nodes.map(|addon| PartKey::new(addon::KIND, addon.name))).collect()
        }
        // Agents make their log groups again as long as they run.
        addon::KIND if key.name() == CONTAINER_INSIGHTS => [control_plane(), addon_role(key.name())]
            .into_iter()
            .chain(observability::container_insights_logs())
            .collect(),
        addon::KIND => vec![control_plane(), addon_role(key.name())],
        pod_identity_association::KIND => vec![control_plane(), PartKey::new(iam_role::KIND, key.name())],
        registry_scanning::KIND | registry_replication::KIND => {
            all.iter().filter(|key| key.kind() == image_repository::KIND).cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// A run that was cut off in the middle of a replacement leaves two objects of one key. The newest counts;
/// the others wait for it to settle and then go.
fn retire_doubles(records: &mut [Record]) {
    for index in 0..records.len() {
        let newer = records[index + 1..].iter().any(|other| other.key == records[index].key);
        if newer {
            records[index].state = RecordState::Retired;
        }
    }
}
