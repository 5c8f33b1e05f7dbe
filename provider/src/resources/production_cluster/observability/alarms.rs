//! The alarms a cluster can have: one row each.
//!
//! Sources: metrics of Container Insights and their dimensions: amazon-cloudwatch-agent
//! `translator/translate/otel/exporter/awsemf/kubernetes.go`; restarts are counted since the last look:
//! amazon-cloudwatch-agent `plugins/processors/k8sdecorator/stores/podstore.go`; metrics of `AWS/EKS`: EKS user
//! guide, cloudwatch.

use terraform_plugin::{Field, Path};

use super::super::known::value;
use super::model::{self, Alarms, AlarmsPaths};

/// Namespace of the metrics that the agents on the nodes send.
const CONTAINER_INSIGHTS: &str = "ContainerInsights";
/// Namespace of the metrics that EKS sends, for every cluster and for free.
const EKS: &str = "AWS/EKS";

/// How the values of a metric become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The worst value of each minute, for some minutes: the average would hide one bad node. Without data nobody
    /// knows how the nodes are: the alarm says so, and is neither on nor off.
    Worst,
    /// All of them together, within some minutes. Without data nothing happened.
    Total,
}

/// One alarm.
pub struct Kind {
    /// Name of its part.
    pub name: &'static str,
    /// Where users change it.
    pub argument: fn(&Alarms) -> &Field<model::Alarm>,
    /// The same, to be written.
    pub argument_mut: fn(&mut Alarms) -> &mut Field<model::Alarm>,
    /// The same, as a path.
    pub path: fn(&AlarmsPaths) -> &Path,
    pub namespace: &'static str,
    /// Its only dimension is the name of the cluster.
    pub metric: &'static str,
    pub measure: Measure,
    pub threshold: i64,
    pub minutes: i64,
    /// True where the threshold is a part of 100.
    pub is_percentage: bool,
    /// What people read, behind the threshold.
    pub text: &'static str,
    /// True when topics hear that no data comes any more: one alarm tells it for all.
    pub tells_silence: bool,
}

/// A row with nothing in it but where users change it.
const fn at(
    argument: fn(&Alarms) -> &Field<model::Alarm>,
    argument_mut: fn(&mut Alarms) -> &mut Field<model::Alarm>,
    path: fn(&AlarmsPaths) -> &Path,
) -> Kind {
    Kind {
        name: "",
        argument,
        argument_mut,
        path,
        namespace: CONTAINER_INSIGHTS,
        metric: "",
        measure: Measure::Worst,
        threshold: 0,
        minutes: 0,
        is_percentage: false,
        text: "",
        tells_silence: false,
    }
}

/// All of them, in the order of the arguments.
pub const KINDS: [Kind; 7] = [
    Kind {
        name: "failed-nodes",
        metric: "cluster_failed_node_count",
        threshold: 1,
        minutes: 5,
        text: "failed nodes",
        tells_silence: true,
        ..at(|alarms| &alarms.failed_nodes, |alarms| &mut alarms.failed_nodes, |paths| &paths.failed_nodes)
    },
    Kind {
        name: "node-cpu",
        metric: "node_cpu_utilization",
        threshold: 90,
        minutes: 15,
        is_percentage: true,
        text: "of a node's CPU",
        ..at(|alarms| &alarms.node_cpu, |alarms| &mut alarms.node_cpu, |paths| &paths.node_cpu)
    },
    Kind {
        name: "node-memory",
        metric: "node_memory_utilization",
        threshold: 90,
        minutes: 10,
        is_percentage: true,
        text: "of a node's memory",
        ..at(|alarms| &alarms.node_memory, |alarms| &mut alarms.node_memory, |paths| &paths.node_memory)
    },
    Kind {
        name: "node-disk",
        metric: "node_filesystem_utilization",
        threshold: 80,
        minutes: 5,
        is_percentage: true,
        text: "of a node's file system",
        ..at(|alarms| &alarms.node_disk, |alarms| &mut alarms.node_disk, |paths| &paths.node_disk)
    },
    Kind {
        name: "pod-restarts",
        metric: "pod_number_of_container_restarts",
        measure: Measure::Total,
        threshold: 20,
        minutes: 10,
        text: "restarts of containers",
        ..at(|alarms| &alarms.pod_restarts, |alarms| &mut alarms.pod_restarts, |paths| &paths.pod_restarts)
    },
    Kind {
        name: "api-errors",
        namespace: EKS,
        metric: "apiserver_request_total_5XX",
        measure: Measure::Total,
        threshold: 50,
        minutes: 5,
        text: "requests that the API server failed to answer",
        ..at(|alarms| &alarms.api_errors, |alarms| &mut alarms.api_errors, |paths| &paths.api_errors)
    },
    Kind {
        name: "api-throttles",
        namespace: EKS,
        metric: "apiserver_request_total_429",
        measure: Measure::Total,
        threshold: 100,
        minutes: 5,
        text: "requests that the API server turned away",
        ..at(|alarms| &alarms.api_throttles, |alarms| &mut alarms.api_throttles, |paths| &paths.api_throttles)
    },
];

/// When an alarm goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub threshold: i64,
    pub minutes: i64,
}

impl Kind {
    /// True when its metric comes with Container Insights.
    pub fn needs_container_insights(&self) -> bool {
        self.namespace == CONTAINER_INSIGHTS
    }

    /// None while it is unknown whether there is such an alarm.
    pub fn is_wanted(&self, alarms: &Alarms, container_insights: bool) -> Option<bool> {
        if self.needs_container_insights() && !container_insights {
            return Some(false);
        }
        let alarm = value((self.argument)(alarms))?.unwrap_or_default();
        Some(value(&alarm.enabled)?.unwrap_or(true))
    }

    /// None while anything of it is unknown.
    pub fn level(&self, alarms: &Alarms) -> Option<Level> {
        let alarm = value((self.argument)(alarms))?.unwrap_or_default();
        Some(Level {
            threshold: value(&alarm.threshold)?.unwrap_or(self.threshold),
            minutes: value(&alarm.minutes)?.unwrap_or(self.minutes),
        })
    }

    /// What people read about it.
    pub fn spec(&self, level: Level) -> String {
        let Level { threshold, minutes } = level;
        let unit = if self.is_percentage { " %" } else { "" };
        let span = match self.measure {
            Measure::Worst => "for",
            Measure::Total => "within",
        };
        let plural = if minutes == 1 { "" } else { "s" };
        format!("{threshold}{unit} or more {} {span} {minutes} minute{plural}", self.text)
    }
}
