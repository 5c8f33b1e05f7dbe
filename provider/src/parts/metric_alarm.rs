//! An alarm of CloudWatch on one metric.
//!
//! `PutMetricAlarm` makes and changes alike: it replaces everything but the tags, which it takes only when it
//! makes the alarm.
//!
//! API: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use aws_sdk_cloudwatch::types::{self, ComparisonOperator, Dimension, Statistic, Tag};
use resource_graph::{
    Comparison, Created, Failure, Identity, Observation, Outputs, Part, PartKey, Probe, Record, Target, Until,
};

#[cfg(test)]
use super::Calls;
use super::gone;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, Ownership, TagChange, Tags};
use crate::aws::{Aws, Location};

/// Kind of its keys.
pub const KIND: &str = "metric-alarm";
/// CloudWatch ends names here.
pub const LONGEST_NAME: usize = 255;

/// An alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricAlarm {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Deterministic name.
    pub name: String,
    /// Everything that `PutMetricAlarm` sets.
    pub definition: Definition,
    /// Partition, account and region, for its ARN.
    pub location: Location,
}

/// What an alarm watches, and whom it tells. It goes off at `threshold` and above.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definition {
    /// Text of its notifications.
    pub description: String,
    /// `ContainerInsights`
    pub namespace: String,
    /// `node_cpu_utilization`
    pub metric: String,
    /// Exactly those of the metric: another set is another metric.
    pub dimensions: BTreeMap<String, String>,
    /// `Maximum` or `Sum`.
    pub statistic: String,
    /// Seconds that one value covers.
    pub period_seconds: i32,
    /// Values in a row that decide.
    pub periods: i32,
    /// From this value on.
    pub threshold: f64,
    /// `missing` or `notBreaching`.
    pub missing_data: String,
    /// ARNs of topics that hear when it goes off, and when it is over.
    pub topics: BTreeSet<String>,
    /// True when they also hear that no data comes any more.
    pub tells_silence: bool,
}

/// What was seen of an alarm.
#[derive(Debug, Clone)]
pub struct Seen {
    /// None: something that no [`Definition`] describes.
    definition: Option<Definition>,
    actions_enabled: bool,
    tags: Tags,
}

/// One update of an alarm.
#[derive(Debug, Clone)]
pub enum Change {
    /// The alarm is put again; what differs, for people.
    Definition(Vec<&'static str>),
    /// Other tags.
    Tags(TagChange),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition(differences) => write!(formatter, "{}", differences.join(", ")),
            Self::Tags(change) => write!(formatter, "{change}"),
        }
    }
}

impl Definition {
    fn read(alarm: &types::MetricAlarm) -> Option<Self> {
        let sorted = |arns: &[String]| arns.iter().cloned().collect::<BTreeSet<String>>();
        let topics = sorted(alarm.alarm_actions());
        let silence = sorted(alarm.insufficient_data_actions());
        let is_ours = alarm.comparison_operator()? == &ComparisonOperator::GreaterThanOrEqualToThreshold
            && sorted(alarm.ok_actions()) == topics
            && (silence.is_empty() || silence == topics)
            && alarm.datapoints_to_alarm().is_none_or(|points| Some(points) == alarm.evaluation_periods())
            && alarm.unit().is_none();
        let dimension = |dimension: &Dimension| Some((dimension.name.clone()?, dimension.value.clone()?));
        is_ours.then_some(())?;
        Some(Self {
            description: alarm.alarm_description().unwrap_or_default().to_owned(),
            namespace: alarm.namespace()?.to_owned(),
            metric: alarm.metric_name()?.to_owned(),
            dimensions: alarm.dimensions().iter().filter_map(dimension).collect(),
            statistic: alarm.statistic()?.as_str().to_owned(),
            period_seconds: alarm.period()?,
            periods: alarm.evaluation_periods()?,
            threshold: alarm.threshold()?,
            missing_data: alarm.treat_missing_data().unwrap_or(MISSING).to_owned(),
            tells_silence: !silence.is_empty(),
            topics,
        })
    }

    /// What differs, in words.
    fn differences(&self, seen: Option<&Self>) -> Vec<&'static str> {
        let Some(seen) = seen else { return vec!["definition"] };
        let silence = |definition: &Self| definition.tells_silence && !definition.topics.is_empty();
        let metric = |definition: &Self| {
            let Self { namespace, metric, dimensions, statistic, .. } = definition.clone();
            (namespace, metric, dimensions, statistic)
        };
        [
            ("metric", metric(self) != metric(seen)),
            ("threshold", self.threshold.total_cmp(&seen.threshold).is_ne()),
            ("time", (self.period_seconds, self.periods) != (seen.period_seconds, seen.periods)),
            ("missing data", self.missing_data != seen.missing_data),
            ("topics", self.topics != seen.topics || silence(self) != silence(seen)),
            ("description", self.description != seen.description),
        ]
        .into_iter()
        .filter_map(|(word, differs)| differs.then_some(word))
        .collect()
    }
}

impl MetricAlarm {
    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership, location: &Location) -> Self {
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            name: record.identity.get("name").to_owned(),
            definition: Definition::default(),
            location: location.clone(),
        }
    }

    async fn put(&self, aws: &Aws, name: &str, tags: Option<&Tags>) -> Result<(), Failure> {
        let definition = &self.definition;
        let topics: Vec<String> = definition.topics.iter().cloned().collect();
        let silence = if definition.tells_silence { topics.clone() } else { Vec::new() };
        let dimensions = definition
            .dimensions
            .iter()
            .map(|(name, value)| Dimension::builder().name(name).value(value).build());
        aws.cloudwatch
            .put_metric_alarm()
            .alarm_name(name)
            .alarm_description(&definition.description)
            .actions_enabled(true)
            .namespace(&definition.namespace)
            .metric_name(&definition.metric)
            .set_dimensions(Some(dimensions.collect()))
            .statistic(Statistic::from(definition.statistic.as_str()))
            .period(definition.period_seconds)
            .evaluation_periods(definition.periods)
            .threshold(definition.threshold)
            .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
            .treat_missing_data(&definition.missing_data)
            .set_alarm_actions(Some(topics.clone()))
            .set_ok_actions(Some(topics))
            .set_insufficient_data_actions(Some(silence))
            .set_tags(tags.map(cloudwatch_tags))
            .send()
            .await
            .map_err(|error| failure(PUT, &error))?;
        Ok(())
    }
}

#[async_trait]
impl Part<Aws> for MetricAlarm {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.marks.key.clone()
    }

    fn identity(&self) -> Identity {
        Identity::new([("name", &self.name)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let name = target.identity.get("name");
        let arn = self.location.alarm_arn(name);
        let (alarm, tags) = tokio::try_join!(describe(aws, name), tags(aws, &arn))?;
        let Some((alarm, tags)) = alarm.zip(tags) else { return Ok(Observation::Absent) };
        let seen = Seen {
            definition: Definition::read(&alarm),
            actions_enabled: alarm.actions_enabled().unwrap_or(true),
            tags,
        };
        Ok(Observation::Present {
            owner: self.marks.ownership.of(&seen.tags),
            instance: None,
            outputs: Outputs::default(),
            seen,
        })
    }

    fn compare(&self, _target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let mut differences = self.definition.differences(seen.definition.as_ref());
        if !seen.actions_enabled {
            differences.push("actions disabled");
        }
        let mut changes = Vec::new();
        if !differences.is_empty() {
            changes.push(Change::Definition(differences));
        }
        changes.extend(TagChange::between(&seen.tags, &self.marks.tags()).map(Change::Tags));
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let tags = self.marks.tags();
        self.put(aws, target.identity.get("name"), Some(&tags)).await?;
        let seen = Seen { definition: Some(self.definition.clone()), actions_enabled: true, tags };
        Ok(Created { seen, instance: None, outputs: Outputs::default() })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let name = target.identity.get("name");
        match change {
            Change::Definition(_) => self.put(aws, name, None).await?,
            Change::Tags(change) => set_tags(aws, &self.location.alarm_arn(name), change).await?,
        }
        Ok(Outputs::default())
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        gone(DELETE, aws.cloudwatch.delete_alarms().alarm_names(target.identity.get("name")).send().await)
    }

    /// Nothing stands on an alarm: that it was put is enough.
    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        if until == Until::Usable {
            return Ok(Probe::Done(Outputs::default()));
        }
        Ok(match describe(aws, target.identity.get("name")).await? {
            None => Probe::Done(Outputs::default()),
            Some(_) => Probe::Pending("still there".to_owned()),
        })
    }
}

/// What an alarm has that was not told how to treat missing data.
const MISSING: &str = "missing";

const PUT: Operation = Operation::new("CloudWatch", "PutMetricAlarm");
/// Source: DescribeAlarms, AlarmNames and MaxRecords.
const NAMES_AT_ONCE: usize = 100;

const DESCRIBE: Operation = Operation::new("CloudWatch", "DescribeAlarms");
const DELETE: Operation = Operation::new("CloudWatch", "DeleteAlarms");
const LIST_TAGS: Operation = Operation::new("CloudWatch", "ListTagsForResource");
const TAG: Operation = Operation::new("CloudWatch", "TagResource");
const UNTAG: Operation = Operation::new("CloudWatch", "UntagResource");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls =
    Calls { kind: KIND, calls: &[PUT, DESCRIBE, DELETE, LIST_TAGS, TAG, UNTAG], implied: &[] };

/// An alarm that exists, with what an import reads from it.
#[derive(Debug, Clone)]
pub struct Existing {
    /// Its record.
    pub record: Record,
    /// None: something that no [`Definition`] describes.
    pub definition: Option<Definition>,
}

/// Alarms whose names begin like that and that carry the owner mark.
pub async fn discover(aws: &Aws, prefix: &str, ownership: &Ownership) -> Result<Vec<Existing>, Failure> {
    let mut pages = aws
        .cloudwatch
        .describe_alarms()
        .alarm_types(types::AlarmType::MetricAlarm)
        .alarm_name_prefix(prefix)
        .into_paginator()
        .send();
    let mut alarms = Vec::new();
    while let Some(page) = pages.next().await {
        alarms.extend(page.map_err(|error| failure(DESCRIBE, &error))?.metric_alarms.unwrap_or_default());
    }
    let existing = async |alarm: types::MetricAlarm| {
        let name = alarm.alarm_name().unwrap_or_default();
        let tags = tags(aws, &aws.location.alarm_arn(name)).await?.unwrap_or_default();
        Ok(super::part_of(ownership, &tags, KIND).map(|key| Existing {
            record: super::found(key, Identity::new([("name", name)]), None, Outputs::default()),
            definition: Definition::read(&alarm),
        }))
    };
    let found = futures::future::try_join_all(alarms.into_iter().map(existing)).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn describe(aws: &Aws, name: &str) -> Result<Option<types::MetricAlarm>, Failure> {
    let client = aws.cloudwatch.clone();
    let ask = |names: BTreeSet<String>| async move {
        let names: Vec<String> = names.into_iter().collect();
        let calls = names.chunks(NAMES_AT_ONCE).map(|names| {
            let call = client.describe_alarms().alarm_types(types::AlarmType::MetricAlarm);
            call.max_records(100).set_alarm_names(Some(names.to_vec())).send()
        });
        let mut found = BTreeMap::new();
        for answer in futures::future::join_all(calls).await {
            let alarms = answer.map_err(|error| failure(DESCRIBE, &error))?.metric_alarms.unwrap_or_default();
            found.extend(alarms.into_iter().filter_map(|alarm| Some((alarm.alarm_name.clone()?, alarm))));
        }
        Ok(found)
    };
    aws.alarms.look(name, ask).await
}

fn cloudwatch_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

async fn tags(aws: &Aws, arn: &str) -> Result<Option<Tags>, Failure> {
    match aws.cloudwatch.list_tags_for_resource().resource_arn(arn).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(LIST_TAGS, &error)),
        Ok(answer) => {
            let tag = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
            Ok(Some(answer.tags.unwrap_or_default().into_iter().filter_map(tag).collect()))
        }
    }
}

async fn set_tags(aws: &Aws, arn: &str, change: &TagChange) -> Result<(), Failure> {
    if !change.set.is_empty() {
        let call =
            aws.cloudwatch.tag_resource().resource_arn(arn).set_tags(Some(cloudwatch_tags(&change.set)));
        call.send().await.map_err(|error| failure(TAG, &error))?;
    }
    if !change.remove.is_empty() {
        let keys = Some(change.remove.clone());
        let call = aws.cloudwatch.untag_resource().resource_arn(arn).set_tag_keys(keys);
        call.send().await.map_err(|error| failure(UNTAG, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Definition {
        Definition {
            namespace: "ContainerInsights".to_owned(),
            metric: "node_cpu_utilization".to_owned(),
            dimensions: [("ClusterName".to_owned(), "prod".to_owned())].into(),
            statistic: "Maximum".to_owned(),
            period_seconds: 60,
            periods: 15,
            threshold: 90.0,
            missing_data: MISSING.to_owned(),
            topics: ["arn:topic".to_owned()].into(),
            tells_silence: true,
            ..Definition::default()
        }
    }

    fn alarm() -> aws_sdk_cloudwatch::types::builders::MetricAlarmBuilder {
        types::MetricAlarm::builder()
            .namespace("ContainerInsights")
            .metric_name("node_cpu_utilization")
            .dimensions(Dimension::builder().name("ClusterName").value("prod").build())
            .statistic(Statistic::Maximum)
            .period(60)
            .evaluation_periods(15)
            .threshold(90.0)
            .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
            .alarm_actions("arn:topic")
            .ok_actions("arn:topic")
            .insufficient_data_actions("arn:topic")
    }

    #[test]
    fn an_alarm_is_read_as_it_was_put() {
        assert_eq!(Definition::read(&alarm().build()), Some(definition()));
    }

    #[test]
    fn what_no_definition_describes_is_put_again_as_a_whole() {
        let others = [
            alarm().comparison_operator(ComparisonOperator::LessThanThreshold).build(),
            alarm().alarm_actions("arn:another").build(),
            alarm().datapoints_to_alarm(1).build(),
            types::MetricAlarm::builder().build(),
        ];
        for other in others {
            let seen = Definition::read(&other);
            assert_eq!(definition().differences(seen.as_ref()), ["definition"]);
        }
    }

    #[test]
    fn differences_are_named() {
        let seen = Definition { threshold: 50.0, periods: 1, ..definition() };
        assert_eq!(definition().differences(Some(&seen)), ["threshold", "time"]);
        assert_eq!(definition().differences(Some(&definition())), Vec::<&str>::new());
        let nobody = Definition { topics: BTreeSet::new(), ..definition() };
        let silent = Definition { tells_silence: false, ..nobody.clone() };
        assert_eq!(nobody.differences(Some(&silent)), Vec::<&str>::new());
    }
}
