//! Settings → graph. Pure: the same settings always give the same graph.

use resource_graph::{Graph, Input, Needs, PartKey};
use serde_json::json;

use super::access;
use super::addons::Order;
use super::expansion::{Expansion, Place};
use super::keys::{
    CLUSTER_POLICIES, NODE_POLICIES, Outline, cluster_role, control_plane, control_plane_logs,
    encryption_key, node_role, subnet_tags,
};
use super::known_addon::CONTAINER_INSIGHTS;
use super::purpose;
use super::settings::{self, Settings};
use super::{alias, log_group_name};
use crate::aws::Aws;
use crate::parts::access_entry::{self, AccessEntry};
use crate::parts::cluster::Cluster;
use crate::parts::iam_role::IamRole;
use crate::parts::kms_key::KmsKey;
use crate::parts::launch_template::{self, LaunchTemplate};
use crate::parts::log_group::LogGroup;
use crate::parts::network_interfaces::{self, NetworkInterfaces};
use crate::parts::node_group::{self, Fixed, NodeGroup};
use crate::parts::subnet_tags::SubnetTags;

/// The whole graph of a cluster. `outline` has the texts of all its parts.
pub fn expand(settings: &Settings, outline: &Outline, place: &Place) -> Graph<Aws> {
    Expansion::new(settings, outline, place).graph()
}

impl Expansion<'_> {
    fn graph(&self) -> Graph<Aws> {
        let mut graph = Graph::new();
        let cluster_role = graph.add(|_| self.cluster_role());
        let node_role = graph.add(|_| self.node_role());
        let key = self
            .settings
            .kms_key_arn
            .is_none()
            .then(|| graph.add(|needs| self.key(needs.output(&cluster_role, IamRole::ARN))));
        let key_of_logs = |needs: &mut Needs| {
            let own = key.as_ref().map(|key| needs.output(key, KmsKey::ARN));
            self.settings.logging.kms_key_arn.as_ref().map(Input::known).or(own)
        };
        let logs = graph.add(|needs| self.logs(key_of_logs(needs)));
        let container_insights_logs = self.container_insights_logs(&mut graph, key_of_logs);
        let cluster = graph.add(|needs| {
            needs.after(&logs);
            // They are deleted after the cluster, whose agents would make them again.
            container_insights_logs.iter().for_each(|group| needs.after(group));
            let key = match (&key, &self.settings.kms_key_arn) {
                (Some(key), _) => needs.output(key, KmsKey::ARN),
                (None, arn) => Input::known(arn.clone().unwrap_or_default()),
            };
            self.cluster(needs.output(&cluster_role, IamRole::ARN), key)
        });
        let interfaces = graph.add(|needs| NetworkInterfaces {
            spec: self.spec(&PartKey::new(network_interfaces::KIND, "")),
            cluster: needs.output(&cluster, Cluster::NAME),
            cluster_name: self.settings.name.clone(),
        });
        self.alarms(&mut graph, &logs, &cluster);
        for (name, entry) in &self.settings.access_entries {
            graph.add(|needs| self.access_entry(name, entry, needs.output(&cluster, Cluster::NAME)));
        }
        self.images(&mut graph, &cluster_role);
        if let Some(subnet_ids) = &self.settings.tagged_subnet_ids {
            graph.add(|needs| SubnetTags {
                spec: self.spec(&subnet_tags()),
                cluster: needs.output(&cluster, Cluster::NAME),
                cluster_name: self.settings.name.clone(),
                subnet_ids: subnet_ids.clone(),
            });
        }
        let addons = Order::of(&self.settings.addons);
        let mut daemon_sets = Vec::new();
        for (name, addon) in addons.before_nodes() {
            daemon_sets.push(self.addon(&mut graph, &cluster, (name, addon), (&[], &[])));
        }
        self.controllers(&mut graph, &cluster);
        let mut groups = Vec::new();
        for (name, group) in &self.settings.node_groups {
            let template = graph.add(|_| self.launch_template(name, group));
            let group = graph.add(|needs| {
                needs.after(&interfaces);
                daemon_sets.iter().for_each(|addon| needs.after(addon));
                let cluster = needs.output(&cluster, Cluster::NAME);
                let role = needs.output(&node_role, IamRole::ARN);
                let id = needs.output(&template, LaunchTemplate::ID);
                let version = needs.output(&template, LaunchTemplate::VERSION);
                self.node_group(name, group, cluster, role, (id, version))
            });
            groups.push(group.any());
        }
        for (name, addon) in addons.after_nodes() {
            let logs = (name == CONTAINER_INSIGHTS).then_some(container_insights_logs.as_slice());
            self.addon(&mut graph, &cluster, (name, addon), (logs.unwrap_or_default(), &groups));
        }
        graph
    }

    /// Session tags from the start: a cluster's role can never be changed, and Auto Mode needs them.
    fn cluster_role(&self) -> IamRole {
        let location = &self.place.location;
        let trust = json!({
            "Effect": "Allow",
            "Principal": { "Service": "eks.amazonaws.com" },
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": { "aws:SourceAccount": location.account_id },
                "ArnLike": { "aws:SourceArn": location.cluster_arn(&self.settings.name) },
            },
        });
        self.role(cluster_role(), &CLUSTER_POLICIES, trust)
    }

    fn node_role(&self) -> IamRole {
        let trust = json!({
            "Effect": "Allow",
            "Principal": { "Service": self.place.location.ec2_principal() },
            "Action": "sts:AssumeRole",
        });
        self.role(node_role(), &NODE_POLICIES, trust)
    }

    fn key(&self, cluster_role_arn: Input) -> KmsKey {
        let key = encryption_key();
        KmsKey {
            spec: self.spec(&key),
            alias: alias(&self.naming, &key, &self.settings.name),
            marks: self.marks(key),
            cluster_role_arn,
            cluster: self.settings.name.clone(),
            deletion_window_days: self.settings.deletion_window_days,
            location: self.place.location.clone(),
        }
    }

    fn logs(&self, kms_key_arn: Option<Input>) -> LogGroup {
        let key = control_plane_logs();
        LogGroup {
            spec: self.spec(&key),
            marks: self.marks(key),
            name: log_group_name(&self.settings.name),
            retention_days: self.settings.logging.retention_days,
            kms_key_arn,
            class: self.settings.logging.class.clone(),
            class_argument: Some("logging.class"),
            retain: self.settings.logging.retain,
            location: self.place.location.clone(),
        }
    }

    fn cluster(&self, role_arn: Input, kms_key_arn: Input) -> Cluster {
        let key = control_plane();
        Cluster {
            spec: self.spec(&key),
            marks: self.marks(key),
            name: self.settings.name.clone(),
            kubernetes_version: self.settings.kubernetes_version.clone(),
            role_arn,
            subnet_ids: self.settings.subnet_ids.clone(),
            security_group_ids: self.settings.security_group_ids.clone(),
            kubernetes_network: self.settings.kubernetes_network.clone(),
            zonal_shift: self.settings.zonal_shift,
            endpoint_access: self.settings.endpoint_access.clone(),
            log_types: self.settings.logging.types.clone(),
            kms_key_arn,
            support_type: self.settings.support_type.clone(),
            deletion_protection: self.settings.deletion_protection,
            generation: self.place.generation.clone(),
        }
    }

    fn access_entry(&self, name: &str, entry: &access::Entry, cluster: Input) -> AccessEntry {
        let key = PartKey::new(access_entry::KIND, name);
        let arn = |policy: &access::Policy| match policy {
            access::Policy::Named(name) => self.place.location.access_policy_arn(name),
            access::Policy::Arn(arn) => arn.clone(),
        };
        AccessEntry {
            spec: self.spec(&key),
            marks: self.marks(key),
            cluster,
            cluster_name: self.settings.name.clone(),
            principal_arn: entry.principal_arn.clone(),
            entry_type: entry.entry_type.clone(),
            username: entry.username.clone(),
            kubernetes_groups: entry.kubernetes_groups.clone(),
            policies: entry.policies.iter().map(|(policy, scope)| (arn(policy), scope.clone())).collect(),
        }
    }

    fn launch_template(&self, name: &str, group: &settings::NodeGroup) -> LaunchTemplate {
        let key = PartKey::new(launch_template::KIND, name);
        let stem = format!("{}-{name}", self.settings.name);
        LaunchTemplate {
            name: self.naming.of(&key, &stem, launch_template::LONGEST_NAME),
            spec: self.spec(&key),
            marks: self.marks(key),
            volumes: launch_template::volumes(&group.ami_type, group.disk_gib),
        }
    }

    fn node_group(
        &self,
        name: &str,
        group: &settings::NodeGroup,
        cluster: Input,
        node_role_arn: Input,
        (launch_template_id, launch_template_version): (Input, Input),
    ) -> NodeGroup {
        let key = PartKey::new(node_group::KIND, name);
        let mut labels = group.labels.clone();
        labels.insert(purpose::LABEL.to_owned(), group.purpose.name.to_owned());
        NodeGroup {
            spec: self.spec(&key),
            marks: self.marks(key),
            cluster,
            cluster_name: self.settings.name.clone(),
            node_role_arn,
            launch_template_id,
            launch_template_version,
            fixed: Fixed {
                name: name.to_owned(),
                ami_type: group.ami_type.clone(),
                instance_types: group.instance_types.clone(),
                capacity_type: group.capacity_type.clone(),
                subnet_ids: group.subnet_ids.clone(),
            },
            min_size: group.min_size,
            max_size: group.max_size,
            labels,
            taints: group.taints.clone(),
            release_version: group.release_version.clone(),
            max_unavailable: group.max_unavailable,
            node_repair: group.node_repair,
        }
    }
}
