//! AWS's own words for what is wrong with an EKS object, with its codes.

use aws_sdk_eks::types as eks;

/// One health issue.
pub struct Issue<'a> {
    code: &'a str,
    message: &'a str,
    resources: &'a [String],
}

impl<'a> From<&'a eks::ClusterIssue> for Issue<'a> {
    fn from(issue: &'a eks::ClusterIssue) -> Self {
        Self {
            code: issue.code().map_or("unknown", eks::ClusterIssueCode::as_str),
            message: issue.message().unwrap_or_default(),
            resources: issue.resource_ids(),
        }
    }
}

impl<'a> From<&'a eks::Issue> for Issue<'a> {
    fn from(issue: &'a eks::Issue) -> Self {
        Self {
            code: issue.code().map_or("unknown", eks::NodegroupIssueCode::as_str),
            message: issue.message().unwrap_or_default(),
            resources: issue.resource_ids(),
        }
    }
}

impl<'a> From<&'a eks::AddonIssue> for Issue<'a> {
    fn from(issue: &'a eks::AddonIssue) -> Self {
        Self {
            code: issue.code().map_or("unknown", eks::AddonIssueCode::as_str),
            message: issue.message().unwrap_or_default(),
            resources: issue.resource_ids(),
        }
    }
}

/// `CREATE_FAILED: NodeCreationFailure: Instances failed to join (i-1, i-2)`
pub fn text<'a, I: Into<Issue<'a>>>(status: &str, issues: impl IntoIterator<Item = I>) -> String {
    let text = |issue: I| {
        let Issue { code, message, resources } = issue.into();
        let of = if resources.is_empty() { String::new() } else { format!(" ({})", resources.join(", ")) };
        format!("{code}: {message}{of}")
    };
    let texts: Vec<String> = issues.into_iter().map(text).collect();
    if texts.is_empty() {
        return format!("{status}, and no health issue is named");
    }
    format!("{status}: {}", texts.join("; "))
}

/// Codes alone, `Ec2SubnetNotFound, IamNodeRoleNotFound`.
pub fn codes<'a, I: Into<Issue<'a>>>(issues: impl IntoIterator<Item = I>) -> String {
    issues.into_iter().map(|issue| issue.into().code).collect::<Vec<_>>().join(", ")
}
