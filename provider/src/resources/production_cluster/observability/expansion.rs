//! The log groups of Container Insights, the alarms and the metric filter of a graph.

use std::collections::BTreeSet;

use resource_graph::{Graph, Handle, Input, Needs, PartKey};

use super::super::expansion::Expansion;
use super::super::log_group_name;
use super::super::preset::{BREAK_GLASS, BREAK_GLASS_PREFIX};
use super::alarms::{KINDS, Kind, Level, Measure};
use super::{LOG_CLASS, alarm, break_glass_filter, container_insights_logs, log_group_names};
use crate::aws::Aws;
use crate::aws::naming::Naming;
use crate::parts::cluster::Cluster;
use crate::parts::log_group::LogGroup;
use crate::parts::metric_alarm::{self, Definition, MetricAlarm};
use crate::parts::metric_filter::{self, MetricFilter};
use crate::parts::owners::BREAK_GLASS_NAMESPACE;

/// Namespace of the metric that counts uses of entries for emergencies.
/// CloudWatch's name for the dimension of all metrics of a cluster.
const CLUSTER_NAME: &str = "ClusterName";
/// Missing data: the alarm has insufficient data, is neither on nor off.
const NOBODY_KNOWS: &str = "missing";
/// Missing data: all is well.
const NOTHING_HAPPENED: &str = "notBreaching";

impl Expansion<'_> {
    /// The log groups of Container Insights, none when it is off. What writes to them comes after them.
    pub fn container_insights_logs(
        &self,
        graph: &mut Graph<Aws>,
        key_of_control_plane: impl Fn(&mut Needs) -> Option<Input>,
    ) -> Vec<Handle<()>> {
        let settings = &self.settings.observability;
        if !settings.container_insights {
            return Vec::new();
        }
        let names = log_group_names(&self.settings.name);
        let group = |(key, name): (PartKey, String)| {
            let handle = graph.add(|needs| {
                let own = settings.kms_key_arn.as_ref().map(Input::known);
                LogGroup {
                    spec: self.spec(&key),
                    marks: self.marks(key),
                    name,
                    retention_days: settings.retention_days,
                    kms_key_arn: own.or_else(|| key_of_control_plane(needs)),
                    class: LOG_CLASS.to_owned(),
                    class_argument: None,
                    retain: self.settings.logging.retain,
                    location: self.place.location.clone(),
                }
            });
            handle.any()
        };
        container_insights_logs().into_iter().zip(names).map(group).collect()
    }

    /// All alarms, after the cluster: they go before it, so that its end sets none of them off.
    pub fn alarms(&self, graph: &mut Graph<Aws>, logs: &Handle<LogGroup>, cluster: &Handle<Cluster>) {
        for kind in &KINDS {
            let Some(level) = self.settings.observability.alarms.get(kind.name) else { continue };
            let definition = definition(kind, *level, &self.settings.name);
            graph.add(|needs| {
                needs.after(cluster);
                self.alarm(kind.name, definition)
            });
        }
        if self.settings.observability.break_glass_alarm {
            let filter = graph.add(|needs| {
                needs.after(logs);
                self.break_glass_filter()
            });
            graph.add(|needs| {
                needs.after(cluster);
                needs.after(&filter);
                self.break_glass_alarm()
            });
        }
    }

    fn alarm(&self, name: &str, definition: Definition) -> MetricAlarm {
        let key = alarm(name);
        let topics = self.settings.observability.topics.clone();
        MetricAlarm {
            name: self.naming.of(&key, &format!("{}-{name}", self.settings.name), metric_alarm::LONGEST_NAME),
            spec: self.spec(&key),
            marks: self.marks(key),
            definition: Definition { topics, ..definition },
            location: self.place.location.clone(),
        }
    }

    /// One event for each request that was answered, whoever is behind the session.
    fn break_glass_filter(&self) -> MetricFilter {
        let key = break_glass_filter();
        MetricFilter {
            name: break_glass_filter_name(&self.naming, &self.settings.name),
            spec: self.spec(&key),
            key,
            log_group: log_group_name(&self.settings.name),
            pattern: format!(
                "{{ ($.user.username = \"{BREAK_GLASS_PREFIX}*\") && ($.stage = \"ResponseComplete\") }}"
            ),
            namespace: BREAK_GLASS_NAMESPACE.to_owned(),
        }
    }

    /// A single request is enough. Without data nobody came.
    fn break_glass_alarm(&self) -> MetricAlarm {
        let definition = Definition {
            description: format!(
                "EKS cluster {}: somebody uses the way in for emergencies",
                self.settings.name
            ),
            namespace: BREAK_GLASS_NAMESPACE.to_owned(),
            metric: break_glass_filter_name(&self.naming, &self.settings.name),
            statistic: "Sum".to_owned(),
            period_seconds: 60,
            periods: 1,
            threshold: 1.0,
            missing_data: NOTHING_HAPPENED.to_owned(),
            ..Definition::default()
        };
        self.alarm(BREAK_GLASS, definition)
    }
}

/// What an alarm of a cluster watches; it tells nobody.
pub fn definition(kind: &Kind, level: Level, cluster: &str) -> Definition {
    let (statistic, missing_data, minutes, periods) = match kind.measure {
        Measure::Worst => ("Maximum", NOBODY_KNOWS, 1, level.minutes),
        Measure::Total => ("Sum", NOTHING_HAPPENED, level.minutes, 1),
    };
    Definition {
        description: format!("EKS cluster {cluster}: {}", kind.spec(level)),
        namespace: kind.namespace.to_owned(),
        metric: kind.metric.to_owned(),
        dimensions: [(CLUSTER_NAME.to_owned(), cluster.to_owned())].into(),
        statistic: statistic.to_owned(),
        period_seconds: whole(minutes * 60),
        periods: whole(periods),
        threshold: f64::from(whole(level.threshold)),
        missing_data: missing_data.to_owned(),
        topics: BTreeSet::new(),
        tells_silence: kind.tells_silence,
    }
}

/// The name of the filter and of its metric.
pub fn break_glass_filter_name(naming: &Naming, cluster: &str) -> String {
    let stem = format!("{cluster}-{BREAK_GLASS}");
    naming.of(&break_glass_filter(), &stem, metric_filter::LONGEST_NAME)
}

/// Validators keep numbers in the range AWS takes.
fn whole(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
