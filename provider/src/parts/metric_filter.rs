//! A metric filter: counts the events of a log group that match a pattern.
//!
//! It carries no tags; it belongs to whoever made the log group, by its deterministic name. It goes with its
//! group: where EKS makes that again, the filter is missing.
//!
//! API: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html>

use std::fmt;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::types::{self, MetricTransformation};
use resource_graph::{
    Comparison, Created, Failure, Identity, Observation, Outputs, Owner, Part, PartKey, Probe, Record,
    Target, Until,
};

#[cfg(test)]
use super::Calls;
use super::gone;
use crate::aws::Aws;
use crate::aws::error::{Operation, failure, is_absent};

/// Kind of its keys.
pub const KIND: &str = "metric-filter";
/// CloudWatch ends names of metrics here; those of filters may be longer.
pub const LONGEST_NAME: usize = 255;

/// A metric filter.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFilter {
    /// Key.
    pub key: PartKey,
    /// What people read about it.
    pub spec: String,
    /// Deterministic name, also of its metric.
    pub name: String,
    /// Log group whose events are counted.
    pub log_group: String,
    /// What counts: CloudWatch's pattern syntax.
    pub pattern: String,
    /// Namespace of its metric.
    pub namespace: String,
}

/// What was seen of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pattern: String,
    /// Namespace, name and value of its metric.
    metric: Option<(String, String, String)>,
}

/// One update of a filter.
#[derive(Debug, Clone)]
pub enum Change {
    /// Other events count.
    Pattern,
    /// Another metric.
    Metric,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pattern => "pattern",
            Self::Metric => "metric",
        })
    }
}

impl MetricFilter {
    /// The part a record speaks of.
    pub fn recall(record: &Record) -> Self {
        Self {
            key: record.key.clone(),
            spec: record.spec.clone(),
            name: record.identity.get("name").to_owned(),
            log_group: record.identity.get("log_group").to_owned(),
            pattern: String::new(),
            namespace: String::new(),
        }
    }

    fn wanted(&self) -> Seen {
        let metric = (self.namespace.clone(), self.name.clone(), ONE.to_owned());
        Seen { pattern: self.pattern.clone(), metric: Some(metric) }
    }

    async fn put(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let metric = MetricTransformation::builder()
            .metric_namespace(&self.namespace)
            .metric_name(&self.name)
            .metric_value(ONE)
            .build()
            .map_err(|error| Failure::refused(error.to_string()))?;
        aws.logs
            .put_metric_filter()
            .log_group_name(target.identity.get("log_group"))
            .filter_name(target.identity.get("name"))
            .filter_pattern(&self.pattern)
            .metric_transformations(metric)
            .send()
            .await
            .map_err(|error| failure(PUT, &error))?;
        Ok(())
    }
}

#[async_trait]
impl Part<Aws> for MetricFilter {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.key.clone()
    }

    fn identity(&self) -> Identity {
        Identity::new([("log_group", &self.log_group), ("name", &self.name)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let filter = describe(aws, target.identity.get("log_group"), target.identity.get("name")).await?;
        let Some(filter) = filter else { return Ok(Observation::Absent) };
        let metric = |metric: &MetricTransformation| {
            let value = metric.metric_value().to_owned();
            (metric.metric_namespace().to_owned(), metric.metric_name().to_owned(), value)
        };
        let seen = Seen {
            pattern: filter.filter_pattern().unwrap_or_default().to_owned(),
            metric: filter.metric_transformations().first().map(metric),
        };
        Ok(Observation::Present { owner: Owner::Ours, instance: None, outputs: Outputs::default(), seen })
    }

    fn compare(&self, _target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let wanted = self.wanted();
        if *seen == wanted {
            return Comparison::Same;
        }
        // One call puts both right.
        let change = if seen.pattern == wanted.pattern { Change::Metric } else { Change::Pattern };
        Comparison::Change(vec![change])
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        self.put(aws, target).await?;
        Ok(Created { seen: self.wanted(), instance: None, outputs: Outputs::default() })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, _change: &Change) -> Result<Outputs, Failure> {
        self.put(aws, target).await?;
        Ok(Outputs::default())
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let call = aws
            .logs
            .delete_metric_filter()
            .log_group_name(target.identity.get("log_group"))
            .filter_name(target.identity.get("name"));
        gone(DELETE, call.send().await)
    }

    /// Nothing stands on a filter: that it was put is enough.
    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        if until == Until::Usable {
            return Ok(Probe::Done(Outputs::default()));
        }
        let filter = describe(aws, target.identity.get("log_group"), target.identity.get("name")).await?;
        Ok(match filter {
            None => Probe::Done(Outputs::default()),
            Some(_) => Probe::Pending("still there".to_owned()),
        })
    }
}

/// What an event adds to the metric.
const ONE: &str = "1";

const PUT: Operation = Operation::new("CloudWatch Logs", "PutMetricFilter");
const DESCRIBE: Operation = Operation::new("CloudWatch Logs", "DescribeMetricFilters");
const DELETE: Operation = Operation::new("CloudWatch Logs", "DeleteMetricFilter");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls { kind: KIND, calls: &[PUT, DESCRIBE, DELETE], implied: &[] };

/// The filter of that name.
pub async fn discover(aws: &Aws, key: &PartKey, group: &str, name: &str) -> Result<Option<Record>, Failure> {
    let identity = Identity::new([("log_group", group), ("name", name)]);
    let record = |_| super::found(key.clone(), identity, None, Outputs::default());
    Ok(describe(aws, group, name).await?.map(record))
}

async fn describe(aws: &Aws, group: &str, name: &str) -> Result<Option<types::MetricFilter>, Failure> {
    let call = aws.logs.describe_metric_filters().log_group_name(group).filter_name_prefix(name);
    let mut pages = call.into_paginator().items().send();
    while let Some(filter) = pages.next().await {
        match filter {
            // Without the group there is no filter.
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failure(DESCRIBE, &error)),
            Ok(filter) if filter.filter_name() == Some(name) => return Ok(Some(filter)),
            Ok(_) => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let filter = MetricFilter {
            key: PartKey::new(KIND, "break-glass"),
            spec: String::new(),
            name: "prod-break-glass-00000000".to_owned(),
            log_group: "/aws/eks/prod/cluster".to_owned(),
            pattern: "{ $.a = \"b\" }".to_owned(),
            namespace: "BreakGlass".to_owned(),
        };
        let (identity, outputs) = (filter.identity(), Outputs::default());
        let target = Target::new(&identity, &outputs, &|_| None);
        let compared = |seen: Seen| match filter.compare(&target, &seen) {
            Comparison::Same => "same".to_owned(),
            Comparison::Change(changes) => changes[0].to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(compared(filter.wanted()), "same");
        assert_eq!(compared(Seen { pattern: String::new(), ..filter.wanted() }), "pattern");
        assert_eq!(compared(Seen { metric: None, ..filter.wanted() }), "metric");
    }
}
