//! What is known of EKS's add-ons: which a cluster gets by default, what they may do in AWS, and how they are
//! set up where the user says nothing.
//!
//! Sources: DescribeAddonConfiguration (service accounts, policies), EKS user guide (workloads-add-ons-available-eks).

use serde_json::{Value, json};

/// An add-on and its defaults.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownAddon {
    /// Its EKS name.
    pub name: &'static str,
    /// Every cluster gets it.
    pub is_default: bool,
    /// The service account that needs AWS, where there is one.
    pub identity: Option<Identity>,
    /// It becomes active on a node only.
    pub needs_node: bool,
}

/// A service account that needs AWS.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    pub namespace: &'static str,
    pub service_account: &'static str,
    /// Managed policies of AWS, by name with path.
    pub policies: &'static [&'static str],
}

/// The add-on that gives pods their addresses.
pub const CNI: &str = "vpc-cni";
/// The add-on that resolves names in the cluster.
pub const DNS: &str = "coredns";
/// The add-on that makes volumes.
const EBS: &str = "aws-ebs-csi-driver";
/// The add-on that writes Container Insights.
pub const CONTAINER_INSIGHTS: &str = "amazon-cloudwatch-observability";

/// Runs on every node, and is active without one.
const DAEMON_SET: KnownAddon = KnownAddon { name: "", is_default: true, identity: None, needs_node: false };
/// Runs somewhere in the cluster.
const DEPLOYMENT: KnownAddon = KnownAddon { needs_node: true, ..DAEMON_SET };

const KNOWN: [KnownAddon; 10] = [
    KnownAddon {
        name: CNI,
        identity: identity("kube-system", "aws-node", &["AmazonEKS_CNI_Policy"]),
        ..DAEMON_SET
    },
    KnownAddon { name: "kube-proxy", ..DAEMON_SET },
    KnownAddon { name: "eks-pod-identity-agent", ..DAEMON_SET },
    KnownAddon { name: "eks-node-monitoring-agent", ..DAEMON_SET },
    KnownAddon { name: DNS, ..DEPLOYMENT },
    // The second version of the policy is limited to what carries the driver's own tags.
    KnownAddon {
        name: EBS,
        identity: identity("kube-system", "ebs-csi-controller-sa", &["AmazonEBSCSIDriverPolicyV2"]),
        ..DEPLOYMENT
    },
    KnownAddon { name: "metrics-server", ..DEPLOYMENT },
    KnownAddon {
        name: CONTAINER_INSIGHTS,
        identity: identity(
            "amazon-cloudwatch",
            "cloudwatch-agent",
            &["CloudWatchAgentServerPolicy", "AWSXrayWriteOnlyAccess"],
        ),
        ..DEPLOYMENT
    },
    KnownAddon {
        name: "aws-efs-csi-driver",
        is_default: false,
        identity: identity(
            "kube-system",
            "efs-csi-controller-sa",
            &["service-role/AmazonEFSCSIDriverPolicy"],
        ),
        ..DEPLOYMENT
    },
    KnownAddon { name: "snapshot-controller", is_default: false, ..DEPLOYMENT },
];

const fn identity(
    namespace: &'static str,
    service_account: &'static str,
    policies: &'static [&'static str],
) -> Option<Identity> {
    Some(Identity { namespace, service_account, policies })
}

/// The add-on of that name.
pub fn of(name: &str) -> Option<&'static KnownAddon> {
    KNOWN.iter().find(|addon| addon.name == name)
}

/// Add-ons of every cluster.
pub fn defaults() -> impl Iterator<Item = &'static KnownAddon> {
    KNOWN.iter().filter(|addon| addon.is_default)
}

/// Configuration values where the user gives none, in order of preference: which of them fit is only known
/// from the schema of the version that is installed. None at all for the add-on's own defaults.
pub fn values(name: &str, region: &str) -> Vec<Value> {
    match name {
        // A text, not a boolean: schema of the add-on.
        CNI => vec![json!({ "enableNetworkPolicy": "true" })],
        // Pods cannot ask the instance metadata for the region: their hop limit is 1.
        EBS => {
            let class = json!([{
                "name": "gp3-encrypted",
                "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
                "parameters": { "type": "gp3", "encrypted": "true" },
                "volumeBindingMode": "WaitForFirstConsumer",
                "allowVolumeExpansion": true,
            }]);
            vec![
                json!({ "controller": { "region": region }, "storageClasses": class }),
                json!({ "storageClasses": class }),
                // A class of the driver's own, which does not encrypt.
                json!({ "defaultStorageClass": { "enabled": true } }),
                json!({}),
            ]
        }
        // Only the first of the two modes writes the metrics that the alarms watch.
        CONTAINER_INSIGHTS => vec![
            json!({ "containerInsights": { "enabled": true }, "otelContainerInsights": { "enabled": false } }),
            json!({}),
        ],
        _ => Vec::new(),
    }
}
