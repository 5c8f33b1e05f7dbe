//! One account and region of AWS: the clients, and how its errors, names, tags and policies read.

pub mod arn;
mod clients;
pub mod error;
pub mod naming;
pub mod ownership;
pub mod policy_document;
pub mod routes;
pub mod subnets;
mod together;
pub mod token;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_cloudwatch::types::MetricAlarm;
use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_ec2::types::LaunchTemplate;

use self::ownership::Tags;
use self::together::Together;

/// Clients for one account and region: the world that parts act on.
pub struct Aws {
    /// Elastic Kubernetes Service.
    pub eks: aws_sdk_eks::Client,
    /// Identity and Access Management (global in its partition).
    pub iam: aws_sdk_iam::Client,
    /// Key Management Service.
    pub kms: aws_sdk_kms::Client,
    /// CloudWatch: metrics and alarms.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Elastic Compute Cloud.
    pub ec2: aws_sdk_ec2::Client,
    /// Elastic Container Registry.
    pub ecr: aws_sdk_ecr::Client,
    /// Where they are.
    pub location: Location,
    started_updates: Mutex<BTreeSet<String>>,
    /// Alarms by name.
    pub alarms: Together<MetricAlarm>,
    /// Launch templates by name.
    pub launch_templates: Together<LaunchTemplate>,
    /// Log groups by name.
    pub log_groups: Together<LogGroup>,
    /// Tags of roles, by the role's name.
    pub role_tags: Together<Tags>,
}

impl Aws {
    /// Ids of the EKS updates this process has started and not yet seen fail; not to be held across an await.
    pub fn updates(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.started_updates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Partition, account and region: everything an ARN needs besides the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// Twelve digits.
    pub account_id: String,
    /// `eu-central-1`.
    pub region: String,
}

impl Location {
    /// The partition of a region, by the prefix AWS gives its regions.
    ///
    /// Source: partitions of the endpoint rule sets (`aws-partitions.json`).
    pub fn partition_of(region: &str) -> &'static str {
        match region {
            _ if region.starts_with("cn-") => "aws-cn",
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            _ if region.starts_with("eusc-") => "aws-eusc",
            _ if region.starts_with("us-iso-") => "aws-iso",
            _ if region.starts_with("us-isob-") => "aws-iso-b",
            _ => "aws",
        }
    }
}
