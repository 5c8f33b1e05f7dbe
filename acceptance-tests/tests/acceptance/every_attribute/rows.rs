//! The attributes, each with its change and with the action that carries it to AWS.

use serde_json::{Value, json};

use super::Ground;

/// A change that goes through.
pub(super) struct Row {
    /// The attributes it is about.
    pub(super) paths: &'static [&'static str],
    /// A JSON merge patch of the arguments, on top of those of the rows before.
    pub(super) change: fn(&Ground) -> Value,
    /// What AWS is asked to do, named as in policies.
    pub(super) action: &'static str,
}

/// A change that is refused.
pub(super) struct Refused {
    pub(super) path: &'static str,
    pub(super) change: fn(&Ground) -> Value,
    /// What people read, on one line of the plan.
    pub(super) message: &'static str,
}

const fn row(paths: &'static [&'static str], change: fn(&Ground) -> Value, action: &'static str) -> Row {
    Row { paths, change, action }
}

const fn refused(path: &'static str, change: fn(&Ground) -> Value, message: &'static str) -> Refused {
    Refused { path, change, message }
}

const CONFIGURE: &str = "eks:UpdateClusterConfig";
const RETENTION: &str = "logs:PutRetentionPolicy";
const KEY_OF_LOGS: &str = "logs:AssociateKmsKey";

pub(super) const CLUSTER: &[Row] = &[
    row(&["tags"], |_| json!({"tags": {"team": "platform"}}), "eks:TagResource"),
    row(&["subnet_ids"], |ground| json!({"subnet_ids": ground.subnets}), CONFIGURE),
    row(
        &["control_plane_subnet_ids"],
        |ground| json!({"control_plane_subnet_ids": ground.subnets[..3]}),
        CONFIGURE,
    ),
    row(&["tag_subnets"], |_| json!({"tag_subnets": true}), "ec2:CreateTags"),
    row(&["security_group_ids"], |ground| json!({"security_group_ids": [ground.security_group]}), CONFIGURE),
    row(&["zonal_shift"], |_| json!({"zonal_shift": false}), CONFIGURE),
    row(
        &["endpoint_access.public"],
        |_| json!({"endpoint_access": {"public": true, "public_cidrs": ["203.0.113.0/24"]}}),
        CONFIGURE,
    ),
    row(
        &["endpoint_access.public_cidrs"],
        |_| json!({"endpoint_access": {"public_cidrs": ["198.51.100.0/24"]}}),
        CONFIGURE,
    ),
    row(&["endpoint_access.private"], |_| json!({"endpoint_access": {"private": false}}), CONFIGURE),
    row(&["logging.types"], |_| json!({"logging": {"types": ["audit", "api"]}}), CONFIGURE),
    row(&["logging.retention_days"], |_| json!({"logging": {"retention_days": 90}}), RETENTION),
    row(&["logging.kms_key_arn"], |ground| json!({"logging": {"kms_key_arn": ground.keys[0]}}), KEY_OF_LOGS),
    row(
        &["upgrade_policy.support_type"],
        |_| json!({"upgrade_policy": {"support_type": "EXTENDED"}}),
        CONFIGURE,
    ),
    row(&["deletion_protection"], |_| json!({"deletion_protection": true}), CONFIGURE),
    row(&[], |_| json!({"deletion_protection": false}), CONFIGURE),
];

const OF_GROUP: &str = "eks:UpdateNodegroupConfig";
const ANOTHER_GROUP: &str = "eks:CreateNodegroup";

fn general(change: Value) -> Value {
    json!({"node_groups": {"general": change}})
}

pub(super) const NODE_GROUPS: &[Row] = &[
    row(&["node_groups.min_size"], |_| general(json!({"min_size": 2})), OF_GROUP),
    row(&["node_groups.max_size"], |_| general(json!({"max_size": 7})), OF_GROUP),
    row(
        &["node_groups.max_unavailable_percentage"],
        |_| general(json!({"max_unavailable_percentage": 50})),
        OF_GROUP,
    ),
    row(&["node_groups.node_repair"], |_| general(json!({"node_repair": false})), OF_GROUP),
    row(&["node_groups.labels"], |_| general(json!({"labels": {"tier": "one"}})), OF_GROUP),
    row(
        &["node_groups.taints.key"],
        |_| general(json!({"taints": [{"key": "a", "value": "b", "effect": "PREFER_NO_SCHEDULE"}]})),
        OF_GROUP,
    ),
    row(
        &["node_groups.taints.value"],
        |_| general(json!({"taints": [{"key": "a", "value": "c", "effect": "PREFER_NO_SCHEDULE"}]})),
        OF_GROUP,
    ),
    row(
        &["node_groups.taints.effect"],
        |_| {
            json!({"node_groups": {
                "general": {"taints": [{"key": "a", "value": "c", "effect": "NO_SCHEDULE"}]}, "more": {},
            }})
        },
        OF_GROUP,
    ),
    row(&["node_groups.purpose"], |_| general(json!({"purpose": "system"})), OF_GROUP),
    row(
        &["node_groups.release_version"],
        |_| general(json!({"release_version": "1.35.4-20261015"})),
        "eks:UpdateNodegroupVersion",
    ),
    row(&["node_groups.disk_gib"], |_| general(json!({"disk_gib": 60})), "ec2:CreateLaunchTemplateVersion"),
    row(
        &["node_groups.instance_types"],
        |_| general(json!({"instance_types": ["m6i.large"]})),
        ANOTHER_GROUP,
    ),
    row(&["node_groups.capacity_type"], |_| general(json!({"capacity_type": "SPOT"})), ANOTHER_GROUP),
    row(
        &["node_groups.subnet_ids"],
        |ground| general(json!({"subnet_ids": ground.subnets[..2]})),
        ANOTHER_GROUP,
    ),
    row(
        &["node_groups.ami_type"],
        |_| general(json!({"ami_type": "BOTTLEROCKET_x86_64", "release_version": null})),
        ANOTHER_GROUP,
    ),
];

const OF_ADDON: &str = "eks:UpdateAddon";
const OF_ENTRY: &str = "eks:AssociateAccessPolicy";
const ANOTHER_ENTRY: &str = "eks:CreateAccessEntry";
const ANOTHER_ASSOCIATION: &str = "eks:CreatePodIdentityAssociation";
const SECRETS: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy";

fn ops(change: Value) -> Value {
    json!({"access_entries": {"ops": change}})
}

pub(super) const ACCESS_AND_ADDONS: &[Row] = &[
    row(
        &["access_entries.preset"],
        |_| ops(json!({"preset": "developer", "namespaces": ["orders"]})),
        OF_ENTRY,
    ),
    row(&["access_entries.namespaces"], |_| ops(json!({"namespaces": ["shop"]})), OF_ENTRY),
    row(&["access_entries.policies.arn"], |_| ops(json!({"policies": [{"arn": SECRETS}]})), OF_ENTRY),
    row(
        &["access_entries.policies.namespaces"],
        |_| ops(json!({"policies": [{"arn": SECRETS, "namespaces": ["shop"]}]})),
        OF_ENTRY,
    ),
    row(
        &["access_entries.kubernetes_groups"],
        |_| ops(json!({"kubernetes_groups": ["auditors"]})),
        "eks:UpdateAccessEntry",
    ),
    row(
        &["access_entries.principal_arn"],
        |ground| ops(json!({"principal_arn": ground.roles[2]})),
        ANOTHER_ENTRY,
    ),
    row(
        &["access_entries.type"],
        |_| json!({"access_entries": {"nodes": {"type": "EC2_WINDOWS"}}}),
        ANOTHER_ENTRY,
    ),
    row(
        &["addons.configuration_values"],
        |_| json!({"addons": {"coredns": {"configuration_values": "{\"replicaCount\":3}"}}}),
        OF_ADDON,
    ),
    row(&["addons.version"], |_| json!({"addons": {"coredns": {"version": "v1.13.1-eksbuild.1"}}}), OF_ADDON),
    row(
        &["addons.pod_identity_role_arns"],
        |ground| {
            let roles = json!({"ebs-csi-controller-sa": ground.roles[4]});
            json!({"addons": {"aws-ebs-csi-driver": {"pod_identity_role_arns": roles}}})
        },
        OF_ADDON,
    ),
    row(
        &["addons.enabled"],
        |_| json!({"addons": {"metrics-server": {"enabled": false}}}),
        "eks:DeleteAddon",
    ),
    row(
        &["load_balancer_controller.namespace"],
        |_| json!({"load_balancer_controller": {"namespace": "ingress"}}),
        ANOTHER_ASSOCIATION,
    ),
    row(
        &["load_balancer_controller.service_account"],
        |_| json!({"load_balancer_controller": {"service_account": "controller"}}),
        ANOTHER_ASSOCIATION,
    ),
    row(
        &["load_balancer_controller.enabled"],
        |_| json!({"load_balancer_controller": {"enabled": false}}),
        "eks:DeletePodIdentityAssociation",
    ),
    row(
        &["external_secrets.namespace"],
        |_| json!({"external_secrets": {"namespace": "secrets"}}),
        ANOTHER_ASSOCIATION,
    ),
    row(
        &["external_secrets.service_account"],
        |_| json!({"external_secrets": {"service_account": "operator"}}),
        ANOTHER_ASSOCIATION,
    ),
    row(
        &["external_secrets.enabled"],
        |_| json!({"external_secrets": {"enabled": false}}),
        "eks:DeletePodIdentityAssociation",
    ),
];

const LIFECYCLE: &str = "ecr:PutLifecyclePolicy";
const REPLICATION: &str = "ecr:PutReplicationConfiguration";

fn api(change: Value) -> Value {
    json!({"image_repositories": {"shop/api": change}})
}

pub(super) const IMAGES: &[Row] = &[
    row(&["image_repositories.immutable"], |_| api(json!({"immutable": false})), "ecr:PutImageTagMutability"),
    row(
        &["image_repositories.scan_on_push"],
        |_| api(json!({"scan_on_push": false})),
        "ecr:PutImageScanningConfiguration",
    ),
    row(&["image_repositories.keep_images"], |_| api(json!({"keep_images": 7})), LIFECYCLE),
    row(&["image_repositories.expire_untagged_days"], |_| api(json!({"expire_untagged_days": 3})), LIFECYCLE),
    row(
        &["image_repositories.pull_account_ids"],
        |_| api(json!({"pull_account_ids": ["222222222222"]})),
        "ecr:SetRepositoryPolicy",
    ),
    row(
        &["image_registry.enhanced_scanning"],
        |_| json!({"image_registry": {"enhanced_scanning": true}}),
        "ecr:PutRegistryScanningConfiguration",
    ),
    row(
        &["image_registry.replication.region"],
        |_| json!({"image_registry": {"replication": [{"region": "eu-north-1"}]}}),
        REPLICATION,
    ),
    row(
        &["image_registry.replication.account_id"],
        |_| json!({"image_registry": {"replication": [{"region": "eu-north-1", "account_id": "222222222222"}]}}),
        REPLICATION,
    ),
    row(
        &["image_registry.pull_through.credential_arn"],
        |ground| json!({"image_registry": {"pull_through": {"hub": {"credential_arn": ground.secrets[1]}}}}),
        "ecr:UpdatePullThroughCacheRule",
    ),
    row(
        &["image_registry.pull_through.upstream"],
        |_| json!({"image_registry": {"pull_through": {"hub": {"upstream": "ghcr.io"}}}}),
        "ecr:CreatePullThroughCacheRule",
    ),
];

const ALARM: &str = "cloudwatch:PutMetricAlarm";
const NO_ALARM: &str = "cloudwatch:DeleteAlarms";

fn alarms(change: Value) -> Value {
    json!({"observability": {"alarms": change}})
}

/// Thresholds, times and switches of all alarms are changed together: the kinds share their code.
pub(super) const OBSERVABILITY: &[Row] = &[
    row(
        &["break_glass.principal_arn"],
        |ground| json!({"break_glass": {"principal_arn": ground.roles[2]}}),
        ANOTHER_ENTRY,
    ),
    row(&["break_glass.alarm"], |_| json!({"break_glass": {"alarm": false}}), NO_ALARM),
    row(
        &["observability.log_retention_days"],
        |_| json!({"observability": {"log_retention_days": 30}}),
        RETENTION,
    ),
    row(
        &["observability.kms_key_arn"],
        |ground| json!({"observability": {"kms_key_arn": ground.keys[1]}}),
        KEY_OF_LOGS,
    ),
    row(
        &["observability.alarms.sns_topic_arns"],
        |_| alarms(json!({"sns_topic_arns": ["arn:aws:sns:eu-central-1:111122223333:ops"]})),
        ALARM,
    ),
    row(
        &[
            "observability.alarms.failed_nodes.threshold",
            "observability.alarms.node_cpu.threshold",
            "observability.alarms.node_memory.threshold",
            "observability.alarms.node_disk.threshold",
            "observability.alarms.pod_restarts.threshold",
            "observability.alarms.api_errors.threshold",
            "observability.alarms.api_throttles.threshold",
        ],
        |_| alarms(of_all(&json!({"threshold": 77}))),
        ALARM,
    ),
    row(
        &[
            "observability.alarms.failed_nodes.minutes",
            "observability.alarms.node_cpu.minutes",
            "observability.alarms.node_memory.minutes",
            "observability.alarms.node_disk.minutes",
            "observability.alarms.pod_restarts.minutes",
            "observability.alarms.api_errors.minutes",
            "observability.alarms.api_throttles.minutes",
        ],
        |_| alarms(of_all(&json!({"minutes": 7}))),
        ALARM,
    ),
    row(
        &[
            "observability.alarms.failed_nodes.enabled",
            "observability.alarms.node_cpu.enabled",
            "observability.alarms.node_memory.enabled",
            "observability.alarms.node_disk.enabled",
            "observability.alarms.pod_restarts.enabled",
            "observability.alarms.api_errors.enabled",
            "observability.alarms.api_throttles.enabled",
        ],
        |_| alarms(of_all(&json!({"enabled": false}))),
        NO_ALARM,
    ),
    row(&[], |_| alarms(of_all(&json!({"enabled": true}))), ALARM),
    row(&["observability.alarms.enabled"], |_| alarms(json!({"enabled": false})), NO_ALARM),
    row(
        &["observability.container_insights"],
        |_| json!({"observability": {"container_insights": false}}),
        "eks:DeleteAddon",
    ),
];

fn of_all(change: &Value) -> Value {
    json!({
        "failed_nodes": change, "node_cpu": change, "node_memory": change, "node_disk": change,
        "pod_restarts": change, "api_errors": change, "api_throttles": change,
    })
}

const FIXED: &str = "This argument cannot be changed";

pub(super) const IMMUTABLE: &[Refused] = &[
    refused("name", |_| json!({"name": "other"}), FIXED),
    refused("region", |_| json!({"region": "eu-north-1"}), FIXED),
    refused("kubernetes_version", |_| json!({"kubernetes_version": "1.34"}), "kubernetes_version"),
    refused("kubernetes_network.ip_family", |_| json!({"kubernetes_network": {"ip_family": "ipv6"}}), FIXED),
    refused(
        "kubernetes_network.service_ipv4_cidr",
        |_| json!({"kubernetes_network": {"service_ipv4_cidr": "172.30.0.0/16"}}),
        FIXED,
    ),
    refused("encryption.kms_key_arn", |ground| json!({"encryption": {"kms_key_arn": ground.keys[0]}}), FIXED),
    refused(
        "logging.class",
        |_| json!({"logging": {"class": "INFREQUENT_ACCESS"}, "break_glass": {"alarm": false}}),
        FIXED,
    ),
    refused("image_repositories.kms", |_| api(json!({"kms": false})), FIXED),
    refused("image_repositories.kms_key_arn", |ground| api(json!({"kms_key_arn": ground.keys[0]})), FIXED),
];

/// Attributes AWS never hears of when they change, each with the reason.
pub(super) const SILENT: &[(&str, &str)] = &[
    ("addons.resolve_conflicts", "goes with the next update of the add-on"),
    ("allow_replacement", "says what a plan may do"),
    ("encryption.deletion_window_days", "goes with the deletion of the key"),
    ("image_repositories.on_destroy", "says what a destroy does"),
    ("logging.on_destroy", "says what a destroy does"),
    ("on_failed_create", "says what a failed create answers"),
    ("timeouts.create", "says how long to wait"),
    ("timeouts.read", "says how long to wait"),
    ("timeouts.update", "says how long to wait"),
    ("timeouts.delete", "says how long to wait"),
    ("waivers", "accepts rules on record"),
];
