//! The IAM actions that the kinds of parts publish, called ones and implied ones.

use std::collections::BTreeSet;

use crate::aws::error::Operation;
use crate::parts::{ALL_CALLS, Calls};

/// What IAM calls a service.
fn prefix(service: &str) -> &'static str {
    match service {
        "CloudWatch" => "cloudwatch",
        "CloudWatch Logs" => "logs",
        "EC2" => "ec2",
        "ECR" => "ecr",
        "EKS" => "eks",
        "IAM" => "iam",
        "KMS" => "kms",
        _ => panic!("{service}: name its prefix in IAM policies here"),
    }
}

/// `eks:CreateCluster`
fn action(operation: &Operation) -> String {
    format!("{}:{}", prefix(operation.service), operation.name)
}

/// Operations that are actions of the same name, of one kind.
pub(super) fn called(calls: &Calls) -> BTreeSet<String> {
    calls.calls.iter().map(action).collect()
}

/// Every action of every kind.
pub(super) fn all() -> BTreeSet<String> {
    let implied = ALL_CALLS.iter().flat_map(|calls| calls.implied);
    let implied = implied.map(|(action, _)| (*action).to_owned());
    ALL_CALLS.iter().flat_map(called).chain(implied).collect()
}

/// Whether an action changes nothing.
pub(super) fn reads(action: &str) -> bool {
    let name = action.split(':').nth(1).unwrap_or_default();
    ["Get", "List", "Describe", "BatchGet"].iter().any(|verb| name.starts_with(verb))
}
