//! The rules of the tools, by what they ask.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Seen, statements, strings};

/// What a tool asks: its rules, what they mean, and how it is seen in AWS.
pub(super) struct Row {
    pub(super) ids: &'static [&'static str],
    pub(super) sentence: &'static str,
    pub(super) holds: fn(&Seen) -> bool,
}

pub(super) const ROWS: &[Row] = &[
    Row {
        ids: &[
            "CKV_AWS_37",
            "EKS.8",
            "eks_control_plane_logging_all_types_enabled",
            "AVD-AWS-0038",
            "CIS-2.1.1",
            "hardeneks:check_logs_are_enabled",
        ],
        sentence: "All five types of control plane logs are on.",
        holds: |seen| {
            let groups = seen.cluster["logging"]["clusterLogging"].as_array().cloned().unwrap_or_default();
            let on = groups.iter().filter(|group| group["enabled"] == true);
            on.map(|group| group["types"].as_array().map_or(0, Vec::len)).sum::<usize>() == 5
        },
    },
    Row {
        ids: &[
            "CKV_AWS_38",
            "CKV_AWS_39",
            "EKS.1",
            "CT.EKS.PR.1",
            "eks_cluster_not_publicly_accessible",
            "AVD-AWS-0040",
            "AVD-AWS-0041",
            "CIS-5.4.1",
            "CIS-5.4.2",
            "hardeneks:check_endpoint_public_access",
        ],
        sentence: "The Kubernetes API is reached from within the VPC only.",
        holds: |seen| {
            let access = &seen.cluster["resourcesVpcConfig"];
            access["endpointPublicAccess"] == false && access["endpointPrivateAccess"] == true
        },
    },
    Row {
        ids: &[
            "CKV_AWS_58",
            "EKS.3",
            "CT.EKS.PR.2",
            "eks_cluster_kms_cmk_encryption_in_secrets_enabled",
            "AVD-AWS-0039",
            "CIS-5.3.1",
        ],
        sentence: "Kubernetes secrets are encrypted with a key of the customer's.",
        holds: |seen| {
            let config = &seen.cluster["encryptionConfig"][0];
            config["resources"] == json!(["secrets"]) && config["provider"]["keyArn"] == seen.key["Arn"]
        },
    },
    Row {
        ids: &[
            "CKV_AWS_339",
            "EKS.2",
            "eks_cluster_uses_a_supported_version",
            "eks-nodegroup-supported-version-check",
            "hardeneks:check_eks_version",
        ],
        sentence: "Control plane and nodes have a version in standard support.",
        holds: |seen| {
            let version = &seen.cluster["version"];
            seen.cluster["upgradePolicy"]["supportType"] == "STANDARD"
                && seen.supported.contains(version)
                && seen.groups.iter().all(|group| &group["version"] == version)
        },
    },
    Row {
        ids: &["CKV_AWS_100"],
        sentence: "No node can be reached by SSH.",
        holds: |seen| seen.groups.iter().all(|group| group["remoteAccess"].is_null()),
    },
    Row {
        ids: &["CKV_AWS_79", "CKV_AWS_341", "hardeneks:check_access_to_instance_profile"],
        sentence: "Pods cannot reach the role of their node: IMDSv2 with a hop limit of 1.",
        holds: |seen| {
            seen.templates.iter().all(|template| {
                let options = &template["MetadataOptions"];
                options["HttpTokens"] == "required" && options["HttpPutResponseHopLimit"] == 1
            })
        },
    },
    Row {
        ids: &["CKV_AWS_88"],
        sentence: "No template gives nodes a public address.",
        holds: |seen| seen.templates.iter().all(|template| template["NetworkInterfaces"].is_null()),
    },
    Row {
        ids: &["CKV_AWS_46"],
        sentence: "No user data, so no secrets in it.",
        holds: |seen| seen.templates.iter().all(|template| template["UserData"].is_null()),
    },
    Row {
        ids: &["hardeneks:use_encryption_with_ebs"],
        sentence: "Volumes of nodes and of pods are encrypted.",
        holds: |seen| {
            let of_nodes = seen
                .templates
                .iter()
                .flat_map(|template| template["BlockDeviceMappings"].as_array().cloned().unwrap_or_default());
            let values = seen.addon("aws-ebs-csi-driver")["configurationValues"].as_str().map(str::to_owned);
            of_nodes.into_iter().all(|volume| volume["Ebs"]["Encrypted"] == true)
                && values.is_some_and(|values| values.contains("\"encrypted\":\"true\""))
        },
    },
    Row {
        ids: &["CKV_AWS_158"],
        sentence: "The control plane's logs are encrypted with the cluster's key.",
        holds: |seen| seen.log_group["kmsKeyId"] == seen.key["Arn"],
    },
    Row {
        ids: &["CKV_AWS_338", "CKV_AWS_66", "CIS-2.1.2"],
        sentence: "The control plane's logs are kept for a year.",
        holds: |seen| seen.log_group["retentionInDays"].as_i64().is_some_and(|days| days >= 365),
    },
    Row {
        ids: &["CKV_AWS_7", "kms_cmk_rotation_enabled"],
        sentence: "The key rotates.",
        holds: |seen| seen.rotates,
    },
    Row { ids: &["CKV_AWS_227"], sentence: "The key is enabled.", holds: |seen| seen.key["Enabled"] == true },
    Row {
        ids: &["CKV_AWS_33", "CKV2_AWS_64"],
        sentence: "The key has a policy that names its principals.",
        holds: |seen| {
            let statements = statements(&seen.key_policy);
            !statements.is_empty()
                && statements.iter().all(|statement| {
                    statement["Principal"] != "*" && !strings(&statement["Principal"]["AWS"]).contains("*")
                })
        },
    },
    Row {
        ids: &["CKV_AWS_60", "CKV_AWS_61", "iam_role_cross_service_confused_deputy_prevention"],
        sentence: "Roles are taken by services only, and by those that serve others only for this account.",
        holds: |seen| {
            seen.roles.iter().flat_map(|role| statements(&role.trust)).all(|statement| {
                let services = strings(&statement["Principal"]["Service"]);
                let for_this_account =
                    statement["Condition"]["StringEquals"]["aws:SourceAccount"].is_string();
                // EC2 takes roles for the account's own instances.
                !services.is_empty()
                    && (for_this_account || services == BTreeSet::from(["ec2.amazonaws.com".into()]))
            })
        },
    },
    Row {
        ids: &[
            "CKV_AWS_62",
            "CKV_AWS_63",
            "CKV_AWS_286",
            "CKV_AWS_287",
            "CKV_AWS_288",
            "CKV_AWS_289",
            "CKV_AWS_290",
            "CKV_AWS_355",
            "CKV2_AWS_40",
            "iam_inline_policy_no_administrative_privileges",
            "iam_inline_policy_allows_privilege_escalation",
        ],
        sentence: "No role has a policy of its own in the minimal configuration: AWS's managed ones are enough.",
        holds: |seen| seen.roles.iter().all(|role| role.inline == 0),
    },
    Row {
        ids: &["CKV_AWS_274", "CKV2_AWS_56"],
        sentence: "No role is an administrator.",
        holds: |seen| {
            let managed = seen.roles.iter().flat_map(|role| &role.managed);
            managed
                .into_iter()
                .all(|arn| !arn.ends_with("/AdministratorAccess") && !arn.ends_with("/IAMFullAccess"))
        },
    },
    Row {
        ids: &[
            "CKV_AWS_23",
            "CKV_AWS_24",
            "CKV_AWS_25",
            "CKV_AWS_260",
            "CKV_AWS_277",
            "CKV_AWS_382",
            "CKV2_AWS_5",
        ],
        sentence: "No security group is made: EKS's own is used alone.",
        holds: |seen| seen.security_groups_made == 0,
    },
    Row {
        ids: &["EKS.6", "EKS.7"],
        sentence: "Cluster and node groups carry tags.",
        holds: |seen| {
            let tagged = |object: &Value| object["tags"].as_object().is_some_and(|tags| !tags.is_empty());
            tagged(&seen.cluster) && seen.groups.iter().all(tagged)
        },
    },
    Row {
        ids: &["eks_cluster_deletion_protection_enabled"],
        sentence: "The cluster is protected against deletion.",
        holds: |seen| seen.cluster["deletionProtection"] == true,
    },
    Row {
        ids: &["eks_cluster_network_policy_enabled", "CIS-5.4.4", "CIS-4.3.1"],
        sentence: "The CNI enforces network policies.",
        holds: |seen| {
            let values = &seen.addon("vpc-cni")["configurationValues"];
            values.as_str().is_some_and(|values| values.contains("\"enableNetworkPolicy\":\"true\""))
        },
    },
    Row {
        ids: &[
            "eks_cluster_private_nodes_enabled",
            "CIS-5.4.3",
            "hardeneks:deploy_workers_onto_private_subnets",
        ],
        sentence: "Nodes have no public addresses.",
        holds: |seen| seen.subnets.iter().all(|subnet| subnet["MapPublicIpOnLaunch"] != true),
    },
    Row {
        ids: &["CIS-5.5.1", "CIS-4.1.7"],
        sentence: "Access goes through IAM and access entries alone, and nobody has it by having made the cluster.",
        holds: |seen| {
            let access = &seen.cluster["accessConfig"];
            access["authenticationMode"] == "API" && access["bootstrapClusterCreatorAdminPermissions"] != true
        },
    },
    Row {
        ids: &["CIS-5.2.1", "hardeneks:check_aws_node_daemonset_service_account"],
        sentence: "Add-ons that need AWS have roles of their own; the nodes' role has no CNI policy.",
        holds: |seen| {
            let nodes = seen.roles.iter().find(|role| role.name.contains("-node-"));
            let own = |name: &str| {
                seen.addon(name)["podIdentityAssociations"].as_array().is_some_and(|own| !own.is_empty())
            };
            ["vpc-cni", "aws-ebs-csi-driver", "amazon-cloudwatch-observability"].into_iter().all(own)
                && nodes.is_some_and(|role| !role.managed.iter().any(|arn| arn.contains("CNI")))
        },
    },
    Row {
        ids: &["hardeneks:use_managed_nodegroups"],
        sentence: "Nodes are managed.",
        holds: |seen| !seen.groups.is_empty(),
    },
    Row {
        ids: &["hardeneks:check_metrics_server_is_running"],
        sentence: "The metrics server is installed.",
        holds: |seen| seen.addon("metrics-server")["status"] == "ACTIVE",
    },
];

/// Rules that no argument of a cluster decides, each with the reason.
pub(super) const NOT_SETTABLE: &[(&[&str], &str)] = &[
    (
        &[
            "CIS-3.1.1",
            "CIS-3.1.2",
            "CIS-3.1.3",
            "CIS-3.1.4",
            "CIS-3.2.1",
            "CIS-3.2.2",
            "CIS-3.2.3",
            "CIS-3.2.4",
            "CIS-3.2.5",
            "CIS-3.2.6",
            "CIS-3.2.7",
            "CIS-3.2.8",
            "CIS-3.2.9",
        ],
        "Files and kubelet of a node come from the AMI of AWS, which has them right.",
    ),
    (
        &["CIS-4.1", "CIS-4.2", "CIS-4.4", "CIS-4.5"],
        "What runs in the cluster, and with which rights, belongs to those who run it.",
    ),
    (&["CKV_AWS_149", "CKV2_AWS_57"], "A cluster makes no secrets of Secrets Manager."),
    (
        &[
            "CKV_AWS_51",
            "CKV_AWS_136",
            "CKV_AWS_163",
            "CKV_AWS_32",
            "CIS-5.1.1",
            "CIS-5.1.2",
            "CIS-5.1.3",
            "CIS-5.1.4",
            "ecr_repositories_lifecycle_policy_enabled",
            "ecr_repositories_not_publicly_accessible",
            "ecr_repositories_scan_images_on_push_enabled",
            "ecr_repositories_tag_immutability",
            "hardeneks:use_immutable_tags_with_ecr",
        ],
        "The minimal configuration makes no image repository; the tests of image repositories assert these.",
    ),
];

/// All rules, by tool.
pub(super) const RULES: &[&[&str]] = &[
    // checkov
    &[
        "CKV_AWS_37",
        "CKV_AWS_38",
        "CKV_AWS_39",
        "CKV_AWS_58",
        "CKV_AWS_339",
        "CKV_AWS_100",
        "CKV_AWS_79",
        "CKV_AWS_341",
        "CKV_AWS_88",
        "CKV_AWS_46",
        "CKV_AWS_158",
        "CKV_AWS_338",
        "CKV_AWS_66",
        "CKV_AWS_7",
        "CKV_AWS_33",
        "CKV_AWS_227",
        "CKV2_AWS_64",
        "CKV_AWS_60",
        "CKV_AWS_61",
        "CKV_AWS_62",
        "CKV_AWS_63",
        "CKV_AWS_274",
        "CKV_AWS_286",
        "CKV_AWS_287",
        "CKV_AWS_288",
        "CKV_AWS_289",
        "CKV_AWS_290",
        "CKV_AWS_355",
        "CKV2_AWS_40",
        "CKV2_AWS_56",
        "CKV_AWS_23",
        "CKV_AWS_24",
        "CKV_AWS_25",
        "CKV_AWS_260",
        "CKV_AWS_277",
        "CKV_AWS_382",
        "CKV2_AWS_5",
        "CKV_AWS_51",
        "CKV_AWS_136",
        "CKV_AWS_163",
        "CKV_AWS_32",
        "CKV_AWS_149",
        "CKV2_AWS_57",
    ],
    // Security Hub, Config, Control Tower
    &[
        "EKS.1",
        "EKS.2",
        "EKS.3",
        "EKS.6",
        "EKS.7",
        "EKS.8",
        "eks-nodegroup-supported-version-check",
        "CT.EKS.PR.1",
        "CT.EKS.PR.2",
    ],
    // Prowler
    &[
        "eks_cluster_deletion_protection_enabled",
        "eks_cluster_kms_cmk_encryption_in_secrets_enabled",
        "eks_cluster_network_policy_enabled",
        "eks_cluster_not_publicly_accessible",
        "eks_cluster_private_nodes_enabled",
        "eks_cluster_uses_a_supported_version",
        "eks_control_plane_logging_all_types_enabled",
        "iam_role_cross_service_confused_deputy_prevention",
        "iam_inline_policy_no_administrative_privileges",
        "iam_inline_policy_allows_privilege_escalation",
        "ecr_repositories_lifecycle_policy_enabled",
        "ecr_repositories_not_publicly_accessible",
        "ecr_repositories_scan_images_on_push_enabled",
        "ecr_repositories_tag_immutability",
        "kms_cmk_rotation_enabled",
    ],
    // trivy
    &["AVD-AWS-0038", "AVD-AWS-0039", "AVD-AWS-0040", "AVD-AWS-0041"],
    // kube-bench, CIS Amazon EKS Benchmark
    &[
        "CIS-2.1.1",
        "CIS-2.1.2",
        "CIS-3.1.1",
        "CIS-3.1.2",
        "CIS-3.1.3",
        "CIS-3.1.4",
        "CIS-3.2.1",
        "CIS-3.2.2",
        "CIS-3.2.3",
        "CIS-3.2.4",
        "CIS-3.2.5",
        "CIS-3.2.6",
        "CIS-3.2.7",
        "CIS-3.2.8",
        "CIS-3.2.9",
        "CIS-4.1",
        "CIS-4.1.7",
        "CIS-4.2",
        "CIS-4.3.1",
        "CIS-4.4",
        "CIS-4.5",
        "CIS-5.1.1",
        "CIS-5.1.2",
        "CIS-5.1.3",
        "CIS-5.1.4",
        "CIS-5.2.1",
        "CIS-5.3.1",
        "CIS-5.4.1",
        "CIS-5.4.2",
        "CIS-5.4.3",
        "CIS-5.4.4",
        "CIS-5.5.1",
    ],
    // hardeneks
    &[
        "hardeneks:check_endpoint_public_access",
        "hardeneks:check_logs_are_enabled",
        "hardeneks:check_access_to_instance_profile",
        "hardeneks:deploy_workers_onto_private_subnets",
        "hardeneks:use_managed_nodegroups",
        "hardeneks:check_eks_version",
        "hardeneks:use_encryption_with_ebs",
        "hardeneks:use_immutable_tags_with_ecr",
        "hardeneks:check_metrics_server_is_running",
        "hardeneks:check_aws_node_daemonset_service_account",
    ],
];
