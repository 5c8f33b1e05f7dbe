//! What each action is limited to: the narrowest resources and conditions that AWS supports for it.
//!
//! Source: Service Authorization Reference, pages `list_amazonelastickubernetesservice`,
//! `list_awsidentityandaccessmanagementiam`, `list_awskeymanagementservice`, `list_amazoncloudwatchlogs`,
//! `list_amazoncloudwatch`, `list_amazonec2`, `list_amazonelasticcontainerregistry`, `list_amazoninspector2` and
//! `list_awssecretsmanager`.

use super::actions;

/// Where a statement holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// Its `Sid`, unique in its policy.
    pub(super) id: &'static str,
    /// Patterns of ARNs; `*` only where AWS supports nothing narrower.
    pub(super) resources: &'static [&'static str],
    /// Operator, key, values.
    pub(super) conditions: &'static [(&'static str, &'static str, &'static [&'static str])],
}

/// Value of the owner tag.
const OWNER: &[&str] = &["eks_production_cluster/eu-central-1/prod"];
const KEYS: &[&str] = &["arn:aws:kms:eu-central-1:111122223333:key/*"];
const TEMPLATES: &[&str] = &["arn:aws:ec2:eu-central-1:111122223333:launch-template/*"];
const ROLES: &[&str] = &["arn:aws:iam::111122223333:role/eks/prod-*"];
const OWNED: (&str, &str, &[&str]) = ("StringEquals", "aws:ResourceTag/terraform-provider-eks/owner", OWNER);
const MARKED: (&str, &str, &[&str]) = ("StringEquals", "aws:RequestTag/terraform-provider-eks/owner", OWNER);

/// AWS supports no resources, and answers nothing secret.
pub(super) const LOOK: Scope = Scope { id: "Look", resources: &["*"], conditions: &[] };

const NEW_CLUSTER: Scope = Scope { id: "NewCluster", resources: &["*"], conditions: &[MARKED] };

const CLUSTER: Scope = Scope {
    id: "Cluster",
    resources: &[
        "arn:aws:eks:eu-central-1:111122223333:cluster/prod",
        "arn:aws:eks:eu-central-1:111122223333:nodegroup/prod/*",
        "arn:aws:eks:eu-central-1:111122223333:addon/prod/*",
        "arn:aws:eks:eu-central-1:111122223333:access-entry/prod/*",
        "arn:aws:eks:eu-central-1:111122223333:podidentityassociation/prod/*",
    ],
    conditions: &[],
};

const OWN_ROLES: Scope = Scope { id: "Roles", resources: ROLES, conditions: &[] };

const POLICIES_OF_ROLES: Scope = Scope {
    id: "PoliciesOfRoles",
    resources: ROLES,
    conditions: &[(
        "ArnLike",
        "iam:PolicyARN",
        &[
            "arn:aws:iam::aws:policy/AmazonEKS*",
            "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistry*",
            "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
            "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy",
            "arn:aws:iam::aws:policy/Amazon*CSIDriver*",
            "arn:aws:iam::aws:policy/service-role/Amazon*CSIDriver*",
        ],
    )],
};

const PASSED_ROLES: Scope = Scope {
    id: "PassedRoles",
    resources: ROLES,
    conditions: &[(
        "StringEquals",
        "iam:PassedToService",
        &["eks.amazonaws.com", "ec2.amazonaws.com", "pods.eks.amazonaws.com"],
    )],
};

const SERVICE_LINKED_ROLES: Scope = Scope {
    id: "ServiceLinkedRoles",
    resources: &[
        "arn:aws:iam::111122223333:role/aws-service-role/eks.amazonaws.com/*",
        "arn:aws:iam::111122223333:role/aws-service-role/eks-nodegroup.amazonaws.com/*",
        "arn:aws:iam::111122223333:role/aws-service-role/inspector2.amazonaws.com/*",
        "arn:aws:iam::111122223333:role/aws-service-role/pullthroughcache.ecr.amazonaws.com/*",
        "arn:aws:iam::111122223333:role/aws-service-role/replication.ecr.amazonaws.com/*",
    ],
    conditions: &[(
        "StringEquals",
        "iam:AWSServiceName",
        &[
            "eks.amazonaws.com",
            "eks-nodegroup.amazonaws.com",
            "inspector2.amazonaws.com",
            "pullthroughcache.ecr.amazonaws.com",
            "replication.ecr.amazonaws.com",
        ],
    )],
};

const LOOK_AT_KEYS: Scope = Scope { id: "LookAtKeys", resources: KEYS, conditions: &[] };
const NEW_KEY: Scope = Scope { id: "NewKey", resources: &["*"], conditions: &[MARKED] };
const MARK_OF_KEY: Scope = Scope { id: "MarkOfKey", resources: KEYS, conditions: &[MARKED] };
const OWN_KEYS: Scope = Scope { id: "Keys", resources: KEYS, conditions: &[OWNED] };
/// ECR encrypts with a key of the user's, which carries no mark.
const KEYS_OF_REPOSITORIES: Scope = Scope {
    id: "KeysOfRepositories",
    resources: KEYS,
    conditions: &[("StringEquals", "kms:ViaService", &["ecr.eu-central-1.amazonaws.com"])],
};
const ALIASES: Scope = Scope {
    id: "Aliases",
    resources: &["arn:aws:kms:eu-central-1:111122223333:alias/eks/prod-*"],
    conditions: &[],
};

const LOG_GROUPS: Scope = Scope {
    id: "LogGroups",
    resources: &[
        "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/eks/prod/*",
        "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/containerinsights/prod/*",
    ],
    conditions: &[],
};

const NEW_TEMPLATE: Scope = Scope { id: "NewLaunchTemplate", resources: TEMPLATES, conditions: &[MARKED] };
const OWN_TEMPLATES: Scope = Scope { id: "LaunchTemplates", resources: TEMPLATES, conditions: &[OWNED] };
const TAGS_OF_NEW_TEMPLATE: Scope = Scope {
    id: "TagsOfNewLaunchTemplate",
    resources: TEMPLATES,
    conditions: &[("StringEquals", "ec2:CreateAction", &["CreateLaunchTemplate"]), MARKED],
};
const TAGS_OF_NODES: Scope = Scope {
    id: "TagsOfNodes",
    resources: &[
        "arn:aws:ec2:eu-central-1:111122223333:instance/*",
        "arn:aws:ec2:eu-central-1:111122223333:network-interface/*",
        "arn:aws:ec2:eu-central-1:111122223333:volume/*",
    ],
    conditions: &[("StringEquals", "ec2:CreateAction", &["RunInstances"])],
};
const NODES: Scope = Scope {
    id: "Nodes",
    resources: &[
        "arn:aws:ec2:eu-central-1::image/*",
        "arn:aws:ec2:eu-central-1:111122223333:instance/*",
        "arn:aws:ec2:eu-central-1:111122223333:launch-template/*",
        "arn:aws:ec2:eu-central-1:111122223333:network-interface/*",
        "arn:aws:ec2:eu-central-1:111122223333:security-group/*",
        "arn:aws:ec2:eu-central-1:111122223333:subnet/*",
        "arn:aws:ec2:eu-central-1:111122223333:volume/*",
    ],
    conditions: &[("ArnLike", "ec2:LaunchTemplate", TEMPLATES)],
};
const INTERFACES: Scope = Scope {
    id: "NetworkInterfaces",
    resources: &["arn:aws:ec2:eu-central-1:111122223333:network-interface/*"],
    conditions: &[("StringEquals", "aws:ResourceTag/cluster.k8s.amazonaws.com/name", &["prod"])],
};

/// Subnets are not ours: only the tags of load balancers may change.
const TAGS_OF_SUBNETS: Scope = Scope {
    id: "TagsOfSubnets",
    resources: &["arn:aws:ec2:eu-central-1:111122223333:subnet/*"],
    // Without keys a call would be about all tags, and the first condition true of nothing.
    conditions: &[
        (
            "ForAllValues:StringLike",
            "aws:TagKeys",
            &[
                "kubernetes.io/role/*elb",
                "kubernetes.io/cluster/prod",
                "terraform-provider-eks/subnet-of/prod",
            ],
        ),
        ("Null", "aws:TagKeys", &["false"]),
    ],
};

/// By the beginning of their names, so in all of them.
const LOOK_AT_ALARMS: Scope = Scope {
    id: "LookAtAlarms",
    resources: &["arn:aws:cloudwatch:eu-central-1:111122223333:alarm:*"],
    conditions: &[],
};
const ALARMS: Scope = Scope {
    id: "Alarms",
    resources: &["arn:aws:cloudwatch:eu-central-1:111122223333:alarm:prod-*"],
    conditions: &[],
};
const REGISTRY: Scope = Scope { id: "Registry", resources: &["*"], conditions: &[] };
const REPOSITORIES: &[&str] = &["arn:aws:ecr:eu-central-1:111122223333:repository/*"];
const LOOK_AT_REPOSITORIES: Scope =
    Scope { id: "LookAtRepositories", resources: REPOSITORIES, conditions: &[] };
const NEW_REPOSITORY: Scope = Scope { id: "NewRepository", resources: REPOSITORIES, conditions: &[MARKED] };
const OWN_REPOSITORIES: Scope = Scope { id: "Repositories", resources: REPOSITORIES, conditions: &[OWNED] };
/// Left with their images by a cluster that was destroyed, and taken over.
const RETAINED_REPOSITORIES: Scope = Scope {
    id: "RetainedRepositories",
    resources: REPOSITORIES,
    conditions: &[("StringLike", "aws:ResourceTag/terraform-provider-eks/retained-by", &["*"])],
};
/// Enhanced scanning is a matter of the whole account.
const SCANNER: Scope = Scope { id: "EnhancedScanning", resources: &["*"], conditions: &[] };
const CREDENTIALS: Scope = Scope {
    id: "CredentialsOfUpstreams",
    resources: &["arn:aws:secretsmanager:eu-central-1:111122223333:secret:ecr-pullthroughcache/*"],
    conditions: &[],
};

/// Every scope in which an action is needed.
pub(super) fn scopes(action: &str) -> &'static [&'static Scope] {
    let (service, name) = action.split_once(':').unwrap_or_default();
    match (service, name) {
        (
            "eks",
            "DescribeAddonConfiguration"
            | "DescribeAddonVersions"
            | "DescribeClusterVersions"
            | "ListClusters",
        ) => &[&LOOK],
        ("eks", "CreateCluster") => &[&NEW_CLUSTER],
        ("eks", _) => &[&CLUSTER],
        ("iam", "ListRoles") => &[&LOOK],
        ("iam", "AttachRolePolicy") => &[&POLICIES_OF_ROLES],
        ("iam", "PassRole") => &[&PASSED_ROLES],
        ("iam", "CreateServiceLinkedRole") => &[&SERVICE_LINKED_ROLES],
        ("iam", _) => &[&OWN_ROLES],
        ("kms", "ListKeys" | "ListAliases") => &[&LOOK],
        ("kms", "CreateKey") => &[&NEW_KEY],
        ("kms", "TagResource") => &[&MARK_OF_KEY, &OWN_KEYS],
        ("kms", "CreateGrant" | "RetireGrant") => &[&OWN_KEYS, &KEYS_OF_REPOSITORIES],
        ("kms", "CreateAlias" | "UpdateAlias" | "DeleteAlias") => &[&ALIASES, &OWN_KEYS],
        ("kms", _) if actions::reads(action) => &[&LOOK_AT_KEYS],
        ("kms", _) => &[&OWN_KEYS],
        ("logs", "DescribeLogGroups") => &[&LOOK],
        ("logs", _) => &[&LOG_GROUPS],
        ("ec2", "CreateLaunchTemplate") => &[&NEW_TEMPLATE],
        ("ec2", "CreateTags") => &[&TAGS_OF_NEW_TEMPLATE, &TAGS_OF_NODES, &OWN_TEMPLATES, &TAGS_OF_SUBNETS],
        ("ec2", "DeleteTags") => &[&OWN_TEMPLATES, &TAGS_OF_SUBNETS],
        ("ec2", "RunInstances") => &[&NODES],
        ("ec2", "DeleteNetworkInterface") => &[&INTERFACES],
        ("ec2", _) if actions::reads(action) => &[&LOOK],
        ("ec2", _) => &[&OWN_TEMPLATES],
        ("cloudwatch", "DescribeAlarms") => &[&LOOK_AT_ALARMS],
        ("cloudwatch", _) => &[&ALARMS],
        ("ecr", _) if ["Registry", "Replication", "PullThroughCache"].iter().any(|of| name.contains(of)) => {
            &[&REGISTRY]
        }
        ("ecr", "CreateRepository") => &[&NEW_REPOSITORY],
        ("ecr", "TagResource") => &[&NEW_REPOSITORY, &OWN_REPOSITORIES, &RETAINED_REPOSITORIES],
        ("ecr", _) if actions::reads(action) => &[&LOOK_AT_REPOSITORIES],
        ("ecr", "DeleteRepository") => &[&OWN_REPOSITORIES],
        ("ecr", _) => &[&OWN_REPOSITORIES, &RETAINED_REPOSITORIES],
        ("inspector2", _) => &[&SCANNER],
        ("secretsmanager", _) => &[&CREDENTIALS],
        _ => panic!("{action}: what it is limited to is not said"),
    }
}

const CLUSTERS: Scope = Scope {
    id: "Clusters",
    resources: &["arn:aws:eks:eu-central-1:111122223333:cluster/*"],
    conditions: &[],
};
const ALL_ROLES: Scope =
    Scope { id: "AllRoles", resources: &["arn:aws:iam::111122223333:role/eks/*"], conditions: &[] };
const ALL_LOG_GROUPS: Scope = Scope {
    id: "AllLogGroups",
    resources: &[
        "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/eks/*",
        "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/containerinsights/*",
    ],
    conditions: &[],
};

/// The scope of a look at the clusters of everybody.
pub(super) fn scopes_of_owners(action: &str) -> &'static [&'static Scope] {
    match action {
        "eks:DescribeCluster" => &[&CLUSTERS],
        "iam:ListRoleTags" => &[&ALL_ROLES],
        "logs:ListTagsForResource" => &[&ALL_LOG_GROUPS],
        "cloudwatch:ListTagsForResource" => &[&LOOK_AT_ALARMS],
        _ => scopes(action),
    }
}
