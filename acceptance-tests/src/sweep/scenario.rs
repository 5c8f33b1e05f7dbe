//! What a fault happens in.

use serde_json::json;

use crate::configuration::Cluster;

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
    /// The destroy of a complete cluster.
    Destroy,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 6] = [
        Scenario::Create,
        Scenario::CreateAfterFailure,
        Scenario::CreateBeforeDestroy,
        Scenario::ChangedConfiguration,
        Scenario::Warn,
        Scenario::Destroy,
    ];

    /// As it is given on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Create => "create",
            Scenario::CreateAfterFailure => "create-after-failure",
            Scenario::CreateBeforeDestroy => "create-before-destroy",
            Scenario::ChangedConfiguration => "changed-configuration",
            Scenario::Warn => "warn",
            Scenario::Destroy => "destroy",
        }
    }

    /// Whether an earlier create has failed.
    pub(super) fn begins_with_failure(self) -> bool {
        matches!(self, Scenario::CreateAfterFailure | Scenario::CreateBeforeDestroy)
    }

    /// The configuration of the command that the fault hits.
    pub(super) fn configuration(self, name: &str, subnet_ids: &[String]) -> Cluster {
        let cluster = Cluster::unprotected(name, subnet_ids);
        match self {
            Scenario::Warn => cluster.with("on_failed_create", json!("warn")),
            _ => cluster,
        }
    }

    /// The configuration of the command after that.
    pub(super) fn configuration_afterwards(self, name: &str, subnet_ids: &[String]) -> Cluster {
        let cluster = self.configuration(name, subnet_ids);
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
