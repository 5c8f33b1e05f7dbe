//! What a fault happens in.

use serde_json::json;

use crate::Result;
use crate::account::{Account, Network};
use crate::configuration::Cluster;

/// The name of the cluster in every account.
pub(super) const NAME: &str = "prod";

/// One command of one story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// The first apply.
    Create,
    /// The apply after a create that failed.
    CreateAfterFailure,
    /// The same with `create_before_destroy`.
    CreateBeforeDestroy,
    /// The first apply; the configuration is another one when it is tried again.
    ChangedConfiguration,
    /// The first apply with `on_failed_create = "warn"`.
    Warn,
    /// The first apply of a cluster that has something of everything.
    CreateEverything,
    /// An update that changes, adds, replaces and removes something of everything.
    Update,
    /// The destroy of a complete cluster.
    Destroy,
    /// The destroy of one that has something of everything.
    DestroyEverything,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 9] = [
        Scenario::Create,
        Scenario::CreateAfterFailure,
        Scenario::CreateBeforeDestroy,
        Scenario::ChangedConfiguration,
        Scenario::Warn,
        Scenario::CreateEverything,
        Scenario::Update,
        Scenario::Destroy,
        Scenario::DestroyEverything,
    ];

    /// As it is given on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Create => "create",
            Scenario::CreateAfterFailure => "create-after-failure",
            Scenario::CreateBeforeDestroy => "create-before-destroy",
            Scenario::ChangedConfiguration => "changed-configuration",
            Scenario::Warn => "warn",
            Scenario::CreateEverything => "create-everything",
            Scenario::Update => "update",
            Scenario::Destroy => "destroy",
            Scenario::DestroyEverything => "destroy-everything",
        }
    }

    /// Whether an earlier create has failed.
    pub(super) fn begins_with_failure(self) -> bool {
        matches!(self, Scenario::CreateAfterFailure | Scenario::CreateBeforeDestroy)
    }

    /// Whether the command is a destroy.
    pub(super) fn destroys(self) -> bool {
        matches!(self, Scenario::Destroy | Scenario::DestroyEverything)
    }

    /// Whether the command is about a cluster that is complete.
    pub(super) fn begins_with_cluster(self) -> bool {
        self.destroys() || self == Scenario::Update
    }

    /// Makes what the configurations name and the cluster does not make.
    pub(super) fn lay_ground(self, account: &Account) -> Result<()> {
        if matches!(self, Scenario::CreateEverything | Scenario::Update | Scenario::DestroyEverything) {
            for role in ["ops", "team", "emergency"] {
                account.role_of_nobody(role)?;
            }
        }
        Ok(())
    }

    /// The configuration of the cluster that is there before the command.
    pub(super) fn configuration_before(self, account: &Account, network: &Network) -> Cluster {
        match self {
            Scenario::Update => everything(account, network),
            _ => self.configuration(account, network),
        }
    }

    /// The configuration of the command that the fault hits.
    pub(super) fn configuration(self, account: &Account, network: &Network) -> Cluster {
        let cluster = Cluster::unprotected(NAME, &network.subnet_ids);
        match self {
            Scenario::Warn => cluster.with("on_failed_create", json!("warn")),
            Scenario::CreateEverything | Scenario::DestroyEverything => everything(account, network),
            Scenario::Update => everything_else(account, network),
            _ => cluster,
        }
    }

    /// The configuration of the command after that.
    pub(super) fn configuration_afterwards(self, account: &Account, network: &Network) -> Cluster {
        let cluster = self.configuration(account, network);
        match self {
            Scenario::ChangedConfiguration => cluster
                .with(
                    "node_groups",
                    json!({"general": {"max_size": 8}, "spare": {"min_size": 1, "max_size": 2}}),
                )
                .with("logging", json!({"retention_days": 731})),
            _ => cluster,
        }
    }
}

fn role(account: &Account, name: &str) -> String {
    format!("arn:aws:iam::{}:role/{name}", account.id())
}

/// A cluster that has every kind of part.
fn everything(account: &Account, network: &Network) -> Cluster {
    let entries = json!({
        "ops": {"principal_arn": role(account, "ops"), "preset": "operator"},
        "team": {"principal_arn": role(account, "team"), "preset": "developer", "namespaces": ["shop"]},
    });
    Cluster::unprotected(NAME, &network.subnet_ids)
        .with(
            "node_groups",
            json!({"general": {}, "spare": {"purpose": "spot", "min_size": 1, "max_size": 2}}),
        )
        .with("access_entries", entries)
        .with("break_glass", json!({"principal_arn": role(account, "emergency")}))
        .with("tag_subnets", json!(true))
        .with("load_balancer_controller", json!({"enabled": true}))
        .with("external_secrets", json!({"enabled": true}))
        .with("addons", json!({"snapshot-controller": {}}))
        .with("image_repositories", json!({"api": {"pull_account_ids": ["222222222222"]}, "web": {}}))
        .with(
            "image_registry",
            json!({
                "enhanced_scanning": true,
                "replication": [{"region": "eu-west-1"}],
                "pull_through": {"public": {"upstream": "public.ecr.aws"}},
            }),
        )
}

/// The same cluster with changes of every kind: in place, one after the other in one API, anew, added and gone.
fn everything_else(account: &Account, network: &Network) -> Cluster {
    // The principals change places.
    let entries = json!({
        "ops": {"principal_arn": role(account, "team"), "preset": "viewer", "kubernetes_groups": ["auditors"]},
        "team": {"principal_arn": role(account, "ops"), "preset": "developer", "namespaces": ["orders"]},
    });
    everything(account, network)
        .with("tags", json!({"team": "platform"}))
        .with("logging", json!({"retention_days": 731}))
        .with("endpoint_access", json!({"public": true, "public_cidrs": ["203.0.113.0/24"]}))
        .with("zonal_shift", json!(false))
        .with("security_group_ids", json!([network.security_group_id]))
        .with(
            "node_groups",
            json!({
                "general": {"instance_types": ["m6i.large"], "labels": {"tier": "one"}},
                "more": {"min_size": 1, "max_size": 2, "disk_gib": 60},
            }),
        )
        .with("access_entries", entries)
        .with("tag_subnets", json!(false))
        .with("load_balancer_controller", json!({"enabled": true, "namespace": "ingress"}))
        .with("external_secrets", json!({"enabled": false}))
        .with(
            "addons",
            json!({
                "coredns": {"configuration_values": "{\"replicaCount\":3}"},
                "metrics-server": {"enabled": false},
            }),
        )
        .with(
            "observability",
            json!({"alarms": {"node_cpu": {"threshold": 70}, "node_disk": {"enabled": false}}}),
        )
        .with("image_repositories", json!({"api": {"immutable": false, "keep_images": 7}}))
        .with("image_registry", json!({"replication": [{"region": "eu-north-1"}]}))
}
