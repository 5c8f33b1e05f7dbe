//! One file per kind of AWS object; the only writers. Each file has the same order of sections: the data,
//! what is seen, the changes, the contract, the operations, how it is found again.

use aws_sdk_eks::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use resource_graph::{Failure, FailureKind, Identity, Outputs, PartKey, Record, RecordState};

use crate::aws::Aws;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Ownership, PART, TagChange, Tags};

pub mod access_entry;
pub mod addon;
pub mod cluster;
mod health;
pub mod iam_role;
pub mod image_repository;
pub mod kms_key;
pub mod launch_template;
pub mod log_group;
pub mod made_here;
pub mod metric_alarm;
pub mod metric_filter;
pub mod network_interfaces;
pub mod node_group;
pub mod owners;
pub mod pod_identity_association;
pub mod pull_through_cache_rule;
mod registry;
pub mod registry_replication;
pub mod registry_scanning;
pub mod subnet_tags;
pub mod update;

/// What a kind of part needs in an IAM policy: what the published permissions are made from.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub struct Calls {
    /// Kind of the part's keys.
    pub kind: &'static str,
    /// Operations it calls.
    pub calls: &'static [Operation],
    /// Actions AWS checks on its behalf, each with its source.
    pub implied: &'static [(&'static str, &'static str)],
}

/// Every kind, for the published permissions.
#[cfg(test)]
pub const ALL_CALLS: &[Calls] = &[
    iam_role::CALLS,
    kms_key::CALLS,
    log_group::CALLS,
    cluster::CALLS,
    network_interfaces::CALLS,
    launch_template::CALLS,
    node_group::CALLS,
    addon::CALLS,
    access_entry::CALLS,
    pod_identity_association::CALLS,
    subnet_tags::CALLS,
    subnet_tags::NETWORK_CALLS,
    image_repository::CALLS,
    registry_scanning::CALLS,
    registry_replication::CALLS,
    pull_through_cache_rule::CALLS,
    metric_alarm::CALLS,
    metric_filter::CALLS,
];

/// A delete whose object is already gone is a success.
fn gone<T, E>(operation: Operation, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<(), Failure>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Err(error) if !is_absent(&error) => Err(failure(operation, &error)),
        _ => Ok(()),
    }
}

/// What was made a moment ago, or deleted by somebody else meanwhile: waited for, but not for long.
fn not_visible_yet() -> Failure {
    Failure::new(FailureKind::NotYet, "it is not visible yet, or was deleted by somebody else")
}

const TAG: Operation = Operation::new("EKS", "TagResource");
const UNTAG: Operation = Operation::new("EKS", "UntagResource");

/// Changes the tags of an EKS object; possible at any time, also during an update.
pub async fn set_tags(aws: &Aws, arn: &str, change: &TagChange) -> Result<(), Failure> {
    if !change.set.is_empty() {
        let tags = change.set.clone().into_iter().collect();
        let call = aws.eks.tag_resource().resource_arn(arn).set_tags(Some(tags));
        call.send().await.map_err(|error| failure(TAG, &error))?;
    }
    if !change.remove.is_empty() {
        let call = aws.eks.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove.clone()));
        call.send().await.map_err(|error| failure(UNTAG, &error))?;
    }
    Ok(())
}

/// The part key in the tags of an object, when the object is ours and of that kind.
fn part_of(ownership: &Ownership, tags: &Tags, kind: &str) -> Option<PartKey> {
    let ours = ownership.of(tags) == resource_graph::Owner::Ours;
    let key = PartKey::parse(tags.get(PART).filter(|_| ours)?);
    (key.kind() == kind).then_some(key)
}

/// The record of something that was found by its mark. Its edges are set by who puts the finds together.
fn found(key: PartKey, identity: Identity, instance: Option<String>, outputs: Outputs) -> Record {
    Record {
        key,
        state: RecordState::Made,
        identity,
        instance,
        outputs,
        needs: Vec::new(),
        spec: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_needs_a_wildcard_action_and_all_give_a_source() {
        for kind in ALL_CALLS {
            assert!(kind.calls.iter().all(|operation| !operation.name.contains('*')), "{}", kind.kind);
            assert!(kind.implied.iter().all(|(action, source)| !action.contains('*') && !source.is_empty()));
        }
    }
}
