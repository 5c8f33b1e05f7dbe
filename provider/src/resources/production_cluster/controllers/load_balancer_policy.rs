//! What the AWS Load Balancer Controller may do: read everything it looks at, and change only load balancers,
//! target groups and security groups that carry the mark of its own cluster. Listeners, rules, targets and
//! protections take no such condition.
//!
//! Source: aws-load-balancer-controller, installation: its actions; the tag `elbv2.k8s.aws/cluster` that it gives
//! everything it makes. Narrower than the published policy, which accepts the mark of any cluster.

use serde_json::{Value, json};

use crate::aws::Location;
use crate::aws::policy_document::PolicyDocument;

const MARK: &str = "elbv2.k8s.aws/cluster";

/// Operations of a service that take no resource, or read only.
const READS: [(&str, &[&str]); 4] = [
    (
        "ec2",
        &[
            "DescribeAccountAttributes",
            "DescribeAddresses",
            "DescribeAvailabilityZones",
            "DescribeCoipPools",
            "DescribeInstances",
            "DescribeInternetGateways",
            "DescribeIpamPools",
            "DescribeNetworkInterfaces",
            "DescribeRouteTables",
            "DescribeSecurityGroups",
            "DescribeSubnets",
            "DescribeTags",
            "DescribeVpcPeeringConnections",
            "DescribeVpcs",
            "GetCoipPoolUsage",
            "GetSecurityGroupsForVpc",
        ],
    ),
    (
        "elasticloadbalancing",
        &[
            "DescribeCapacityReservation",
            "DescribeListenerAttributes",
            "DescribeListenerCertificates",
            "DescribeListeners",
            "DescribeLoadBalancerAttributes",
            "DescribeLoadBalancers",
            "DescribeRules",
            "DescribeSSLPolicies",
            "DescribeTags",
            "DescribeTargetGroupAttributes",
            "DescribeTargetGroups",
            "DescribeTargetHealth",
            "DescribeTrustStores",
        ],
    ),
    ("acm", &["DescribeCertificate", "ListCertificates"]),
    ("iam", &["GetServerCertificate", "ListServerCertificates"]),
];

/// Protections of a load balancer; they take no condition on its tags.
const PROTECTIONS: [(&str, &[&str]); 4] = [
    ("cognito-idp", &["DescribeUserPoolClient"]),
    ("wafv2", &["AssociateWebACL", "DisassociateWebACL", "GetWebACL", "GetWebACLForResource"]),
    ("waf-regional", &["AssociateWebACL", "DisassociateWebACL", "GetWebACL", "GetWebACLForResource"]),
    ("shield", &["CreateProtection", "DeleteProtection", "DescribeProtection", "GetSubscriptionState"]),
];

/// Changes of load balancers and target groups that carry the mark.
const CHANGES: &[&str] = &[
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "ModifyCapacityReservation",
    "ModifyIpPools",
    "ModifyListenerAttributes",
    "ModifyLoadBalancerAttributes",
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "SetIpAddressType",
    "SetSecurityGroups",
    "SetSubnets",
];

/// Changes of what hangs below a load balancer: the mark of the load balancer does not decide here, the names
/// of listeners and rules contain it.
const CHANGES_BELOW: &[&str] = &[
    "AddListenerCertificates",
    "CreateListener",
    "CreateRule",
    "DeleteListener",
    "DeleteRule",
    "ModifyListener",
    "ModifyRule",
    "RemoveListenerCertificates",
    "SetRulePriorities",
    "SetWebAcl",
];

/// The policy for one cluster.
pub fn of(cluster: &str, location: &Location) -> PolicyDocument {
    let reads: Vec<String> = READS.iter().flat_map(|(service, names)| actions(service, names)).collect();
    let protections: Vec<String> =
        PROTECTIONS.iter().flat_map(|(service, names)| actions(service, names)).collect();
    let balancing = |names: &[&str]| actions("elasticloadbalancing", names).collect::<Vec<_>>();
    let groups_of = |names: &[&str]| actions("ec2", names).collect::<Vec<_>>();
    let own = json!({ "StringEquals": { format!("aws:ResourceTag/{MARK}"): cluster } });
    let made = |operations: &[&str], key: &str| json!({ "StringEquals": { key: operations, format!("aws:RequestTag/{MARK}"): cluster } });
    let groups = location.ec2_arn("security-group/*");
    let below = |kind: &str| location.load_balancing_arn(&format!("{kind}/*"));
    let listeners = ["listener", "listener-rule"].map(below);
    let tagged = ["loadbalancer", "targetgroup"].map(below);
    let ingress = ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"];
    // EKS marks the group of the cluster's nodes, to which the controller lets its load balancers.
    let of_nodes = json!({
        "StringEquals": { format!("aws:ResourceTag/kubernetes.io/cluster/{cluster}"): "owned" },
    });
    let service = json!({
        "StringEquals": { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" },
    });
    PolicyDocument::new(vec![
        allow(reads, json!("*"), None),
        allow(protections, json!("*"), None),
        allow(vec!["iam:CreateServiceLinkedRole".to_owned()], json!("*"), Some(service)),
        allow(groups_of(&ingress), json!(groups), Some(own.clone())),
        allow(groups_of(&ingress), json!(groups), Some(of_nodes)),
        allow(groups_of(&["CreateSecurityGroup"]), json!([groups, location.ec2_arn("vpc/*")]), None),
        allow(
            groups_of(&["CreateTags"]),
            json!(groups),
            Some(made(&["CreateSecurityGroup"], "ec2:CreateAction")),
        ),
        allow(
            groups_of(&["CreateTags", "DeleteSecurityGroup", "DeleteTags"]),
            json!(groups),
            Some(own.clone()),
        ),
        allow(
            balancing(&["CreateLoadBalancer", "CreateTargetGroup"]),
            json!("*"),
            Some(json!({ "StringEquals": { format!("aws:RequestTag/{MARK}"): cluster } })),
        ),
        allow(
            balancing(&["AddTags"]),
            json!(tagged),
            Some(made(&["CreateLoadBalancer", "CreateTargetGroup"], "elasticloadbalancing:CreateAction")),
        ),
        allow(balancing(&["AddTags", "RemoveTags"]), json!(tagged), Some(own.clone())),
        allow(balancing(&["AddTags", "RemoveTags"]), json!(listeners), None),
        allow(balancing(CHANGES), json!("*"), Some(own)),
        allow(balancing(CHANGES_BELOW), json!("*"), None),
        allow(balancing(&["DeregisterTargets", "RegisterTargets"]), json!(below("targetgroup")), None),
    ])
}

fn actions(service: &str, names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().map(move |name| format!("{service}:{name}"))
}

fn allow(actions: Vec<String>, resource: Value, condition: Option<Value>) -> Value {
    let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
    if let (Some(members), Some(condition)) = (statement.as_object_mut(), condition) {
        members.insert("Condition".to_owned(), condition);
    }
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fits_into_a_role_beside_nothing_else() {
        let location = Location {
            partition: "aws-us-gov".to_owned(),
            account_id: "111122223333".to_owned(),
            region: "us-gov-west-1".to_owned(),
        };
        let policy = of(&"c".repeat(100), &location).text();
        assert!(policy.len() < 10_240, "IAM's limit for the inline policies of a role: {}", policy.len());
        assert!(!policy.contains(":*\""), "no wildcard as an action");
    }
}
