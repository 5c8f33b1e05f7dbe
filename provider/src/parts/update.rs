//! Updates of EKS objects, awaited by their id: the status of the object itself follows late.
//!
//! API: <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeUpdate.html>

use aws_sdk_eks::types as eks;
use resource_graph::{Failure, Outputs, Probe, Target};

use crate::aws::Aws;
use crate::aws::error::{Operation, failure, is_absent};

/// The operation every waiting kind calls.
pub const DESCRIBE: Operation = Operation::new("EKS", "DescribeUpdate");
const UPDATE_ID: &str = "update_id";

/// What an update call leaves in the outputs, so that the next look asks for it.
pub fn started(aws: &Aws, update: Option<&eks::Update>) -> Outputs {
    let mut outputs = Outputs::default();
    if let Some(id) = update.and_then(|update| update.id()) {
        aws.updates().insert(id.to_owned());
        outputs.set(UPDATE_ID, id);
    }
    outputs
}

/// Id of the update that was started last, when this process started it.
pub fn started_here<'t>(aws: &Aws, target: &Target<'t>) -> Option<&'t str> {
    target.outputs.get(UPDATE_ID).filter(|id| aws.updates().contains(*id))
}

/// The update of a cluster, one of its node groups or add-ons.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// A node group.
    NodeGroup(&'a str),
    /// An add-on.
    Addon(&'a str),
}

/// One look at the update that was started last; none when it has succeeded or there was none.
pub async fn probe(
    aws: &Aws,
    target: &Target<'_>,
    cluster: &str,
    of: Option<Of<'_>>,
) -> Result<Option<Probe>, Failure> {
    // Only what this process has started: an update that ended earlier says nothing about the object now.
    let Some(id) = started_here(aws, target) else { return Ok(None) };
    let mut call = aws.eks.describe_update().name(cluster).update_id(id);
    call = match of {
        Some(Of::NodeGroup(name)) => call.nodegroup_name(name),
        Some(Of::Addon(name)) => call.addon_name(name),
        None => call,
    };
    let update = match call.send().await {
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(failure(DESCRIBE, &error)),
        Ok(answer) => answer.update,
    };
    let Some(update) = update else { return Ok(None) };
    Ok(match update.status() {
        Some(eks::UpdateStatus::InProgress) => {
            let kind = update.r#type().map_or("update", eks::UpdateType::as_str);
            Some(Probe::Pending(format!("{kind} in progress")))
        }
        Some(status @ (eks::UpdateStatus::Failed | eks::UpdateStatus::Cancelled)) => {
            let texts: Vec<String> = update
                .errors()
                .iter()
                .map(|error| {
                    let code = error.error_code().map_or("unknown", eks::ErrorCode::as_str);
                    format!("{code}: {}", error.error_message().unwrap_or_default())
                })
                .collect();
            aws.updates().remove(id);
            Some(Probe::Failed(format!("the update ended {}: {}", status.as_str(), texts.join("; "))))
        }
        _ => None,
    })
}
