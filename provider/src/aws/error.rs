//! What AWS answers when it does not do what was asked, in words for people and in kinds for the engine.
//!
//! Sources of the texts: terraform-provider-aws `internal/service/eks/cluster.go` and
//! `internal/service/iam/role.go`; aws-controllers-k8s/community#1192; terraform-aws-eks#2406.

use aws_sdk_eks::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_types::request_id::RequestId;
use resource_graph::{Failure, FailureKind};

use crate::errors;

/// One operation of one service, as people and policies name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// `EKS`
    pub service: &'static str,
    /// `CreateCluster`
    pub name: &'static str,
}

impl Operation {
    /// An operation of a service.
    pub const fn new(service: &'static str, name: &'static str) -> Self {
        Self { service, name }
    }
}

/// Codes that mean "there is no such thing". Where a call needs one made a moment ago: not visible yet.
const NOT_FOUND: &[&str] = &[
    "ResourceNotFoundException",
    "ResourceNotFound",
    "NotFoundException",
    "NoSuchEntity",
    "NoSuchEntityException",
    "InvalidLaunchTemplateName.NotFoundException",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.NotFoundException",
    "InvalidNetworkInterfaceID.NotFound",
    "RepositoryNotFoundException",
    "RepositoryPolicyNotFoundException",
    "LifecyclePolicyNotFoundException",
    "PullThroughCacheRuleNotFoundException",
];

/// Codes that mean "there is one already".
const CONFLICT: &[&str] = &[
    "EntityAlreadyExists",
    "EntityAlreadyExistsException",
    "ResourceAlreadyExistsException",
    "AlreadyExistsException",
    "InvalidLaunchTemplateName.AlreadyExistsException",
    "RepositoryAlreadyExistsException",
    "PullThroughCacheRuleAlreadyExistsException",
];

/// Texts that mean "made a moment ago, not seen everywhere yet"; most are about roles.
const NOT_YET: &[&str] = &[
    "could not be assumed because it does not exist or the trusted entity is not correct",
    "Error in role params",
    "The provided role doesn't have the Amazon EKS Managed Policies associated with it",
    "IAM role's policy must include",
    "due to explicit deny policy or revoked grant",
    "were not found in the trust relationships of nodeRole",
    "Role provided in the request does not exist",
    "Invalid principal in policy",
    "invalid principal",
    "The specified KMS key does not exist or is not allowed to be used with",
    "is not in ACTIVE status",
];

/// Codes that pass by themselves within seconds or minutes.
const NOT_YET_CODES: &[&str] = &[
    "ResourcePropagationDelayException",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "OperationAbortedException",
    "DeleteConflict",
    "DeleteConflictException",
    "InvalidNetworkInterface.InUse",
];

/// Codes of credentials that have expired.
const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "RequestExpired"];

/// Codes of a caller, or an account, that asks too often.
const THROTTLED: &[&str] =
    &["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"];

/// Texts that mean "something else is going on with this object".
const BUSY: &[&str] =
    &["currently has update", "currently has an update in progress", "Cannot delete because cluster"];

/// Codes of a caller who may not.
const DENIED: &[&str] =
    &["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnrecognizedClientException"];

/// Turns an error of the SDK into a failure the engine understands and people can act on.
pub fn failure<E>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.code().unwrap_or_default();
    let text = error.message().unwrap_or_default();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let kind = kind(error, code, text, status);
    let said = if code.is_empty() && text.is_empty() { transport(error) } else { format!("{code}: {text}") };
    let request = error.request_id().map(|id| format!(" (request {id})")).unwrap_or_default();
    let message = format!("{} {}: {said}{request}", operation.service, operation.name);
    let page = match kind {
        _ if DENIED.contains(&code) => errors::ACCESS_DENIED,
        FailureKind::Unknown => errors::NO_ANSWER,
        _ if THROTTLED.contains(&code) => errors::THROTTLED,
        FailureKind::Expired => errors::CREDENTIALS_EXPIRED,
        _ => errors::AWS_REFUSED,
    };
    Failure::new(kind, message).with_code(page.code)
}

/// True when the error says that there is no such thing.
pub fn is_absent<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata,
{
    let code = error.code().unwrap_or_default();
    NOT_FOUND.contains(&code)
        || (code == "ClientException"
            && error.message().unwrap_or_default().contains("No cluster found for name"))
}

fn kind<E>(error: &SdkError<E, HttpResponse>, code: &str, text: &str, status: u16) -> FailureKind {
    let says = |texts: &[&str]| texts.iter().any(|known| text.contains(known));
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            return FailureKind::Unknown;
        }
        SdkError::ConstructionFailure(_) => return FailureKind::Refused,
        _ => {}
    }
    if status >= 500 {
        FailureKind::Unknown
    } else if EXPIRED.contains(&code) {
        FailureKind::Expired
    } else if CONFLICT.contains(&code) {
        FailureKind::Conflict
    } else if says(BUSY) {
        FailureKind::Busy
    } else if code == "ResourceInUseException"
        && (text.contains("already exists") || text.contains("already in use"))
    {
        FailureKind::Conflict
    } else if NOT_YET_CODES.contains(&code)
        || THROTTLED.contains(&code)
        || NOT_FOUND.contains(&code)
        || says(NOT_YET)
    {
        FailureKind::NotYet
    } else {
        FailureKind::Refused
    }
}

fn transport<E, R>(error: &SdkError<E, R>) -> String
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let mut text = match error {
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(_) => "the connection failed".to_owned(),
        SdkError::ResponseError(_) => "the answer could not be read".to_owned(),
        _ => "the call failed".to_owned(),
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
