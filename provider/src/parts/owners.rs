//! Whose objects there are: the owner marks in one region, without knowing any name. Only reads.
//!
//! APIs: <https://docs.aws.amazon.com/eks/latest/APIReference/API_ListClusters.html> and the lists of the kinds.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::types::{AlarmType, MetricAlarm};
use aws_sdk_ec2::types::Filter;
use resource_graph::{Failure, FailureKind};

#[cfg(test)]
use super::Calls;
use crate::aws::Aws;
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{OWNER, from_map};

/// Log groups of control planes and of Container Insights. Sources: EKS user guide, control-plane-logs; CloudWatch
/// user guide, Container-Insights-reference.
const LOG_GROUPS: [&str; 2] = ["/aws/eks/", "/aws/containerinsights/"];
/// Dimension of the metrics of clusters.
const CLUSTER_NAME: &str = "ClusterName";
/// Namespace of the metric that tells of a way in for emergencies.
pub const BREAK_GLASS_NAMESPACE: &str = "BreakGlass";

const LIST_CLUSTERS: Operation = Operation::new("EKS", "ListClusters");
const DESCRIBE_CLUSTER: Operation = Operation::new("EKS", "DescribeCluster");
const LIST_ROLES: Operation = Operation::new("IAM", "ListRoles");
const LIST_ROLE_TAGS: Operation = Operation::new("IAM", "ListRoleTags");
const LIST_KEYS: Operation = Operation::new("KMS", "ListKeys");
const LIST_KEY_TAGS: Operation = Operation::new("KMS", "ListResourceTags");
const DESCRIBE_LOG_GROUPS: Operation = Operation::new("CloudWatch Logs", "DescribeLogGroups");
const LIST_LOG_GROUP_TAGS: Operation = Operation::new("CloudWatch Logs", "ListTagsForResource");
const DESCRIBE_TEMPLATES: Operation = Operation::new("EC2", "DescribeLaunchTemplates");
const DESCRIBE_REPOSITORIES: Operation = Operation::new("ECR", "DescribeRepositories");
const LIST_REPOSITORY_TAGS: Operation = Operation::new("ECR", "ListTagsForResource");
const DESCRIBE_ALARMS: Operation = Operation::new("CloudWatch", "DescribeAlarms");
const LIST_ALARM_TAGS: Operation = Operation::new("CloudWatch", "ListTagsForResource");

/// What looking for owners calls.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: "owners",
    calls: &[
        LIST_CLUSTERS,
        DESCRIBE_CLUSTER,
        LIST_ROLES,
        LIST_ROLE_TAGS,
        LIST_KEYS,
        LIST_KEY_TAGS,
        DESCRIBE_LOG_GROUPS,
        LIST_LOG_GROUP_TAGS,
        DESCRIBE_TEMPLATES,
        DESCRIBE_REPOSITORIES,
        LIST_REPOSITORY_TAGS,
        DESCRIBE_ALARMS,
        LIST_ALARM_TAGS,
    ],
    implied: &[],
};

/// Values of the owner tag: `eks_production_cluster/eu-central-1/prod`. Roles are looked for below `role_path`.
pub async fn owners(aws: &Aws, role_path: &str) -> Result<BTreeSet<String>, Failure> {
    let [control_planes, nodes] = LOG_GROUPS;
    let found = tokio::try_join!(
        of_clusters(aws),
        of_roles(aws, role_path),
        of_keys(aws),
        of_log_groups(aws, control_planes),
        of_log_groups(aws, nodes),
        of_templates(aws),
        of_repositories(aws),
        of_alarms(aws),
    )?;
    let (clusters, roles, keys, control_planes, nodes, templates, repositories, alarms) = found;
    let found = [clusters, roles, keys, control_planes, nodes, templates, repositories, alarms];
    Ok(found.into_iter().flatten().collect())
}

async fn of_clusters(aws: &Aws) -> Result<Vec<String>, Failure> {
    let mut owners = Vec::new();
    let mut names = aws.eks.list_clusters().into_paginator().items().send();
    while let Some(name) = names.next().await {
        let name = name.map_err(|error| failure(LIST_CLUSTERS, &error))?;
        match aws.eks.describe_cluster().name(name).send().await {
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(failure(DESCRIBE_CLUSTER, &error)),
            Ok(answer) => {
                let tags = answer.cluster.as_ref().map(|cluster| from_map(cluster.tags()));
                owners.extend(tags.unwrap_or_default().remove(OWNER));
            }
        }
    }
    Ok(owners)
}

async fn of_roles(aws: &Aws, path: &str) -> Result<Vec<String>, Failure> {
    let mut owners = Vec::new();
    let mut roles = aws.iam.list_roles().path_prefix(path).into_paginator().items().send();
    while let Some(role) = roles.next().await {
        let role = role.map_err(|error| failure(LIST_ROLES, &error))?;
        match aws.iam.list_role_tags().role_name(role.role_name()).send().await {
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(failure(LIST_ROLE_TAGS, &error)),
            Ok(answer) => {
                owners.extend(answer.tags.into_iter().filter(|tag| tag.key == OWNER).map(|tag| tag.value));
            }
        }
    }
    Ok(owners)
}

/// Keys of others may refuse to tell their tags, and are not ours then.
async fn of_keys(aws: &Aws) -> Result<Vec<String>, Failure> {
    let mut owners = Vec::new();
    let mut keys = aws.kms.list_keys().into_paginator().items().send();
    while let Some(key) = keys.next().await {
        let key = key.map_err(|error| failure(LIST_KEYS, &error))?;
        let id = key.key_id().unwrap_or_default();
        let mut tags = aws.kms.list_resource_tags().key_id(id).into_paginator().items().send();
        while let Some(tag) = tags.next().await {
            match tag {
                Err(error) if is_absent(&error) => break,
                Err(error) => {
                    let refused = failure(LIST_KEY_TAGS, &error);
                    if refused.kind == FailureKind::Refused {
                        break;
                    }
                    return Err(refused);
                }
                Ok(tag) => owners.extend((tag.tag_key == OWNER).then_some(tag.tag_value)),
            }
        }
    }
    Ok(owners)
}

async fn of_log_groups(aws: &Aws, prefix: &str) -> Result<Vec<String>, Failure> {
    let mut owners = Vec::new();
    let call = aws.logs.describe_log_groups().log_group_name_prefix(prefix);
    let mut groups = call.into_paginator().items().send();
    while let Some(group) = groups.next().await {
        let group = group.map_err(|error| failure(DESCRIBE_LOG_GROUPS, &error))?;
        let arn = aws.location.log_group_arn(group.log_group_name().unwrap_or_default());
        match aws.logs.list_tags_for_resource().resource_arn(arn).send().await {
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(failure(LIST_LOG_GROUP_TAGS, &error)),
            Ok(answer) => owners.extend(from_map(answer.tags()).remove(OWNER)),
        }
    }
    Ok(owners)
}

async fn of_templates(aws: &Aws) -> Result<Vec<String>, Failure> {
    let mut owners = Vec::new();
    let marked = Filter::builder().name("tag-key").values(OWNER).build();
    let mut templates = aws.ec2.describe_launch_templates().filters(marked).into_paginator().items().send();
    while let Some(template) = templates.next().await {
        let template = template.map_err(|error| failure(DESCRIBE_TEMPLATES, &error))?;
        let owner = template.tags().iter().find(|tag| tag.key() == Some(OWNER));
        owners.extend(owner.and_then(|tag| tag.value()).map(str::to_owned));
    }
    Ok(owners)
}

/// Who may not look at repositories has made none. Those of others may refuse to tell their tags, and are not ours
/// then.
async fn of_repositories(aws: &Aws) -> Result<Vec<String>, Failure> {
    let mut owners = Vec::new();
    let mut repositories = aws.ecr.describe_repositories().into_paginator().items().send();
    while let Some(repository) = repositories.next().await {
        let repository = match repository.map_err(|error| failure(DESCRIBE_REPOSITORIES, &error)) {
            Err(refused) if refused.kind == FailureKind::Refused => break,
            repository => repository?,
        };
        let arn = repository.repository_arn().unwrap_or_default();
        match aws.ecr.list_tags_for_resource().resource_arn(arn).send().await {
            Err(error) if is_absent(&error) => {}
            Err(error) => {
                let refused = failure(LIST_REPOSITORY_TAGS, &error);
                if refused.kind != FailureKind::Refused {
                    return Err(refused);
                }
            }
            Ok(answer) => {
                let tags = answer.tags.unwrap_or_default().into_iter();
                owners.extend(tags.filter(|tag| tag.key() == OWNER).map(|tag| tag.value().to_owned()));
            }
        }
    }
    Ok(owners)
}

/// Of the alarms about clusters and ways into them: asking all of an account for their tags would take a call for
/// each. Those of others may refuse to tell theirs, and are not ours then.
async fn of_alarms(aws: &Aws) -> Result<Vec<String>, Failure> {
    let mut owners = Vec::new();
    let call = aws.cloudwatch.describe_alarms().alarm_types(AlarmType::MetricAlarm);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let alarms =
            page.map_err(|error| failure(DESCRIBE_ALARMS, &error))?.metric_alarms.unwrap_or_default();
        let of_cluster = |alarm: &&MetricAlarm| {
            alarm.namespace() == Some(BREAK_GLASS_NAMESPACE)
                || alarm.dimensions().iter().any(|dimension| dimension.name() == Some(CLUSTER_NAME))
        };
        for alarm in alarms.iter().filter(of_cluster) {
            let arn = alarm.alarm_arn().unwrap_or_default();
            match aws.cloudwatch.list_tags_for_resource().resource_arn(arn).send().await {
                Err(error) if is_absent(&error) => {}
                Err(error) => {
                    let refused = failure(LIST_ALARM_TAGS, &error);
                    if refused.kind != FailureKind::Refused {
                        return Err(refused);
                    }
                }
                Ok(answer) => {
                    let owner = answer.tags().iter().find(|tag| tag.key() == Some(OWNER));
                    owners.extend(owner.and_then(|tag| tag.value()).map(str::to_owned));
                }
            }
        }
    }
    Ok(owners)
}
