//! Metrics, logs and alarms of a cluster: what the arguments mean, which parts they are, and what people read
//! about those.

pub mod alarms;
mod check;
mod expansion;
pub mod model;
mod read_back;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use resource_graph::PartKey;

use self::alarms::{KINDS, Kind, Level};
use self::model::{Alarms, Observability};
use super::keys::{Outline, log_group_spec};
use super::known::{set, value};
use super::model::ProductionCluster;
use super::preset::BREAK_GLASS;
use crate::parts::{log_group, metric_alarm, metric_filter};

pub use self::check::check;
pub use self::expansion::break_glass_filter_name;
pub use self::read_back::{Groups, break_glass_alarm, read_back};

/// Days that logs of Container Insights are kept.
const RETENTION_DAYS: i64 = 90;
/// Their class: AWS makes metrics only from the events of this one.
pub const LOG_CLASS: &str = "STANDARD";
/// What the agents write logs of; the last part of the names of their log groups.
const LOGS: [&str; 4] = ["application", "dataplane", "host", "performance"];
/// Log type of the control plane that has the requests of users.
const AUDIT: &str = "audit";

/// What the arguments mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The add-on, its log groups and the alarms on its metrics.
    pub container_insights: bool,
    pub retention_days: i64,
    /// None: the key of the control plane's log group.
    pub kms_key_arn: Option<String>,
    /// The alarms there are, by the names of their kinds.
    pub alarms: BTreeMap<&'static str, Level>,
    pub topics: BTreeSet<String>,
    /// An alarm on every use of the entry for emergencies.
    pub break_glass_alarm: bool,
}

impl Settings {
    /// The settings of a model; none while anything in it is unknown.
    pub fn of(model: &ProductionCluster) -> Option<Self> {
        let observability = value(&model.observability)?.unwrap_or_default();
        let alarms = value(&observability.alarms)?.unwrap_or_default();
        let level = |kind: &Kind| Some((kind.name, kind.level(&alarms)?));
        Some(Self {
            container_insights: container_insights(&observability)?,
            retention_days: value(&observability.log_retention_days)?.unwrap_or(RETENTION_DAYS),
            kms_key_arn: value(&observability.kms_key_arn)?,
            alarms: wanted(&observability)?.into_iter().map(level).collect::<Option<_>>()?,
            topics: set(&alarms.sns_topic_arns)?.unwrap_or_default(),
            break_glass_alarm: has_break_glass_alarm(model)?,
        })
    }
}

/// Whether a cluster has Container Insights; none while that is unknown.
pub fn has_container_insights(model: &ProductionCluster) -> Option<bool> {
    container_insights(&value(&model.observability)?.unwrap_or_default())
}

fn container_insights(observability: &Observability) -> Option<bool> {
    Some(value(&observability.container_insights)?.unwrap_or(true))
}

/// The alarms there are; none while that is unknown.
fn wanted(observability: &Observability) -> Option<Vec<&'static Kind>> {
    let alarms: Alarms = value(&observability.alarms)?.unwrap_or_default();
    if !value(&alarms.enabled)?.unwrap_or(true) {
        return Some(Vec::new());
    }
    let container_insights = container_insights(observability)?;
    let judged = KINDS.iter().map(|kind| Some((kind, kind.is_wanted(&alarms, container_insights)?)));
    let judged: Vec<(&Kind, bool)> = judged.collect::<Option<_>>()?;
    Some(judged.into_iter().filter_map(|(kind, is_wanted)| is_wanted.then_some(kind)).collect())
}

fn has_break_glass_alarm(model: &ProductionCluster) -> Option<bool> {
    match value(&model.break_glass)? {
        None => Some(false),
        Some(break_glass) => Some(value(&break_glass.alarm)?.unwrap_or(true)),
    }
}

/// Keys of the log groups of Container Insights.
pub fn container_insights_logs() -> [PartKey; 4] {
    LOGS.map(|name| PartKey::new(log_group::KIND, name))
}

/// The names of these log groups, in the order of their keys.
///
/// Source: helm-charts of aws-observability, `values.yaml`; amazon-cloudwatch-agent,
/// `awsemf_default_kubernetes.yaml`.
pub fn log_group_names(cluster: &str) -> [String; 4] {
    LOGS.map(|name| format!("/aws/containerinsights/{cluster}/{name}"))
}

/// Key of the filter that counts uses of the entry for emergencies.
pub fn break_glass_filter() -> PartKey {
    PartKey::new(metric_filter::KIND, BREAK_GLASS)
}

/// Key of an alarm.
pub fn alarm(name: &str) -> PartKey {
    PartKey::new(metric_alarm::KIND, name)
}

/// What the names of all alarms of a cluster begin with.
pub fn alarm_prefix(cluster: &str) -> String {
    format!("{cluster}-")
}

/// The parts and what people read about each, as far as it is known; none while it is unknown which they are.
pub fn specs(model: &ProductionCluster) -> Option<Outline> {
    let observability = value(&model.observability)?.unwrap_or_default();
    let mut specs = Outline::new();
    if container_insights(&observability)? {
        let logging = value(&model.logging);
        let on_destroy = logging.and_then(|logging| value(&logging.unwrap_or_default().on_destroy));
        let days = value(&observability.log_retention_days).map(|days| days.unwrap_or(RETENTION_DAYS));
        let spec = days.zip(on_destroy).map(|(days, on_destroy)| {
            let kept = on_destroy.as_deref() == Some(log_group::RETAIN);
            log_group_spec(LOG_CLASS, days, kept)
        });
        specs.extend(container_insights_logs().map(|key| (key, spec.clone())));
    }
    let alarms = value(&observability.alarms)?.unwrap_or_default();
    for kind in wanted(&observability)? {
        specs.insert(alarm(kind.name), kind.level(&alarms).map(|level| kind.spec(level)));
    }
    if has_break_glass_alarm(model)? {
        specs.insert(break_glass_filter(), Some("counts uses of break-glass in the audit log".to_owned()));
        specs.insert(alarm(BREAK_GLASS), Some("every use of break-glass".to_owned()));
    }
    Some(specs)
}
