//! The arguments that what exists was made from. What has its default stays null.

use std::collections::BTreeMap;

use resource_graph::PartKey;
use terraform_plugin::prelude::*;

use super::alarms::{KINDS, Kind, Measure};
use super::model::{Alarm, Alarms, Observability};
use super::{RETENTION_DAYS, alarm, container_insights_logs};
use crate::parts::{log_group, metric_alarm};

/// The log groups of Container Insights that carry our mark.
pub type Groups = BTreeMap<PartKey, log_group::Existing>;

/// `control_plane_key` is the key of the control plane's log group, which is the default.
pub fn read_back(
    alarms: &[metric_alarm::Existing],
    groups: &Groups,
    control_plane_key: Option<&str>,
) -> Option<Observability> {
    let container_insights = !groups.is_empty();
    let group = container_insights_logs().iter().find_map(|key| groups.get(key));
    let days = group.and_then(|group| group.retention_days);
    let key = group.and_then(|group| group.kms_key_arn.as_deref());
    let observability = Observability {
        container_insights: (!container_insights).then_some(false).into(),
        log_retention_days: days.filter(|days| *days != RETENTION_DAYS).into(),
        kms_key_arn: key.filter(|key| Some(*key) != control_plane_key).map(str::to_owned).into(),
        alarms: alarms_argument(alarms, container_insights).into(),
    };
    (observability != Observability::default()).then_some(observability)
}

fn alarms_argument(existing: &[metric_alarm::Existing], container_insights: bool) -> Option<Alarms> {
    let find = |name: &str| existing.iter().find(|found| found.record.key == alarm(name));
    let topics = existing.iter().filter_map(|found| found.definition.as_ref());
    let topics: Set<String> = topics
        .map(|definition| &definition.topics)
        .find(|topics| !topics.is_empty())
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let mut alarms =
        Alarms { sns_topic_arns: (!topics.is_empty()).then_some(topics).into(), ..Alarms::default() };
    let possible = || KINDS.iter().filter(|kind| container_insights || !kind.needs_container_insights());
    if possible().all(|kind| find(kind.name).is_none()) {
        alarms.enabled = false.into();
    } else {
        for kind in possible() {
            *(kind.argument_mut)(&mut alarms) = argument(kind, find(kind.name)).into();
        }
    }
    (alarms != Alarms::default()).then_some(alarms)
}

fn argument(kind: &Kind, existing: Option<&metric_alarm::Existing>) -> Option<Alarm> {
    let Some(existing) = existing else {
        return Some(Alarm { enabled: false.into(), ..Alarm::default() });
    };
    let definition = existing.definition.as_ref()?;
    let minutes = match kind.measure {
        Measure::Worst => i64::from(definition.periods),
        Measure::Total => i64::from(definition.period_seconds / 60),
    };
    let threshold = definition.threshold as i64;
    let argument = Alarm {
        enabled: Field::Null,
        threshold: (threshold != kind.threshold).then_some(threshold).into(),
        minutes: (minutes != kind.minutes).then_some(minutes).into(),
    };
    (argument != Alarm::default()).then_some(argument)
}

/// The argument `break_glass.alarm`.
pub fn break_glass_alarm(alarms: &[metric_alarm::Existing]) -> Field<bool> {
    let is_there = alarms.iter().any(|found| found.record.key == alarm(super::BREAK_GLASS));
    (!is_there).then_some(false).into()
}
