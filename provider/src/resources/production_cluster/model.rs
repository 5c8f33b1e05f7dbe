//! Arguments and attributes of `eks_production_cluster`. A null argument means its default: state has what
//! the configuration has, and what was resolved stands in computed attributes.

use terraform_plugin::prelude::*;

use super::images::{ImageRegistry, ImageRepository, is_repository_name};
use super::observability::model::Observability;
use crate::config::{is_arn, is_key_arn};

model! {
    /// A production cluster.
    pub struct ProductionCluster paths ProductionClusterPaths {
        /// Name of the cluster, 1-100 characters. Cannot be changed.
        name: String = required().length(1, 100).check(is_cluster_name, "begin with a letter or digit and have only letters, digits, `-` and `_`"),
        /// Minor version of Kubernetes, such as `1.35`.
        kubernetes_version: String = required().check(is_minor_version, "be a minor version such as \"1.35\""),
        /// Region of the cluster; the provider's when it is not set. Cannot be changed. Import takes `NAME@REGION`.
        region: String = optional().computed().use_prior(),
        /// Subnets of the control plane's network interfaces and of the nodes, in at least two zones (three are
        /// advised). Changed subnets must cover the same zones.
        subnet_ids: Set<String> = required().min_size(2),
        /// Give `subnet_ids` the tags by which load balancer controllers find subnets; destroy removes what it added.
        /// Default `false`: tag them where they are made.
        tag_subnets: bool = optional(),
        /// Subnets of the control plane's network interfaces alone, in at least two zones. Default: `subnet_ids`.
        control_plane_subnet_ids: Set<String> = optional().min_size(2),
        /// Security groups of the control plane's network interfaces, besides the one that EKS makes. Default: none.
        security_group_ids: Set<String> = optional().size(1, 4),
        /// Addresses of pods and services. Cannot be changed. Default: as EKS chooses.
        kubernetes_network: KubernetesNetwork = optional(),
        /// Let Amazon Application Recovery Controller move traffic out of an impaired zone. Default `true`.
        zonal_shift: bool = optional(),
        /// How the Kubernetes API can be reached. Default: only from within the VPC.
        endpoint_access: EndpointAccess = optional(),
        /// Logs of the control plane. Default: all five types, kept for a year.
        logging: Logging = optional(),
        /// Encryption of Kubernetes secrets. Default: a key of its own, with rotation.
        encryption: Encryption = optional(),
        /// Groups of nodes, by a name of your choice.
        node_groups: Map<NodeGroup> = required().min_size(1).keys(is_group_name, "have 1-54 letters, digits, `-` or `_` and begin with a letter or digit"),
        /// Who may do what in the cluster, by a name of your choice. Whoever creates the cluster gets no access by
        /// that: without an entry nobody can use its API.
        access_entries: Map<AccessEntry> = optional().keys(is_entry_name, "have 1-64 letters, digits, `-` or `_`, and are not `break-glass`"),
        /// A way in for emergencies.
        break_glass: BreakGlass = optional(),
        /// Add-ons, by their EKS name. Default: `vpc-cni` (with network policy), `kube-proxy`,
        /// `eks-pod-identity-agent`, `eks-node-monitoring-agent`, `coredns`, `aws-ebs-csi-driver` (with an encrypted
        /// gp3 class as the cluster's default), `metrics-server` and `amazon-cloudwatch-observability`; each with a
        /// role of its own where it needs AWS. What is not named keeps its default; others are installed when you
        /// name them.
        addons: Map<Addon> = optional().keys(is_addon_name, "are names of EKS add-ons: lower-case letters, digits, `-` and `_`"),
        /// AWS identity of the AWS Load Balancer Controller, which you install yourself. It may change only load
        /// balancers, target groups and security groups that carry the mark of this cluster.
        load_balancer_controller: Controller = optional(),
        /// AWS identity of the External Secrets operator, which you install yourself. It can read nothing by itself:
        /// it may take roles below `iam_role_path` whose names begin with the cluster's, which may read secrets.
        external_secrets: Controller = optional(),
        /// Repositories of images, by their name.
        image_repositories: Map<ImageRepository> = optional().keys(is_repository_name, "have 2-256 lower-case letters and digits, joined by `.`, `_`, `__`, `-` or `/`"),
        /// What the repositories share in the registry of the account.
        image_registry: ImageRegistry = optional(),
        /// Metrics and logs of what runs in the cluster, and alarms. Default: Container Insights, and all alarms.
        observability: Observability = optional(),
        /// What happens when the version reaches the end of its support.
        upgrade_policy: UpgradePolicy = optional(),
        /// Refuse to destroy the cluster, here and in AWS. Default `true`; `false` breaks the rule
        /// `deletion-protection-off`.
        deletion_protection: bool = optional(),
        /// What a create that fails after AWS accepted the cluster answers. `error` (default): an error;
        /// Terraform marks the resource as tainted, and the next apply continues it. `warn`: a warning and
        /// `status = "incomplete"`; the next apply continues it in place. Recommended together with a
        /// postcondition on `status`.
        on_failed_create: String = optional().one_of(&["error", "warn"]),
        /// Allow changes that destroy the cluster and make another one. Default `false`: they are errors.
        allow_replacement: bool = optional(),
        /// Production rules that are knowingly broken: id of the rule → reason.
        waivers: Map<String> = optional(),
        /// Tags of everything that is made.
        tags: Map<String> = optional(),
        /// `tags`, and the provider's `default_tags`.
        tags_all: Map<String> = computed(),
        /// ARN of the cluster.
        arn: String = computed().use_prior(),
        /// URL of the Kubernetes API.
        endpoint: String = computed().use_prior(),
        /// Certificate of the Kubernetes API's authority, base64.
        certificate_authority_data: String = computed().use_prior(),
        /// Security group that EKS made for control plane and nodes.
        cluster_security_group_id: String = computed().use_prior(),
        /// Issuer of the cluster's service account tokens.
        oidc_issuer_url: String = computed().use_prior(),
        /// Platform version.
        platform_version: String = computed().use_prior(),
        /// ARN of the key that encrypts secrets.
        kms_key_arn: String = computed().use_prior(),
        /// Log group of the control plane.
        log_group_name: String = computed().use_prior(),
        /// ARN of the cluster's role.
        cluster_role_arn: String = computed().use_prior(),
        /// ARN of the nodes' role.
        node_role_arn: String = computed().use_prior(),
        /// ARN of the role of the AWS Load Balancer Controller, where it has one.
        load_balancer_controller_role_arn: String = computed().use_prior(),
        /// ARN of the role of External Secrets, where it has one.
        external_secrets_role_arn: String = computed().use_prior(),
        /// Where images of each repository are pushed to and pulled from.
        repository_urls: Map<String> = computed().use_prior(),
        /// Version of each add-on.
        addon_versions: Map<String> = computed().use_prior(),
        /// `ready`; `incomplete` until the create has finished; `degraded` after an update that did not finish.
        status: String = computed().use_prior(),
        /// Which run made or continued the cluster last. Changes only while the cluster is incomplete.
        generation: String = computed().use_prior(),
        /// Everything the cluster consists of: part → what the configuration asks for, and how it is.
        parts: Map<PartState> = computed().use_prior(),
        /// How long operations may take.
        timeouts: Timeouts = block(),
    }

    /// How the Kubernetes API can be reached.
    pub struct EndpointAccess paths EndpointAccessPaths {
        /// From within the VPC. Default `true`.
        private: bool = optional(),
        /// From the internet. Default `false`.
        public: bool = optional(),
        /// Networks that may reach the public endpoint, up to 40; needed when `public` is `true`.
        public_cidrs: Set<String> = optional().size(1, 40).check(is_cidr, "be a CIDR block such as \"203.0.113.0/24\", with no bits set behind the prefix"),
    }

    /// Addresses of pods and services.
    pub struct KubernetesNetwork paths KubernetesNetworkPaths {
        /// `ipv4` or `ipv6`. Default: `ipv4`, by EKS.
        ip_family: String = optional().one_of(&["ipv4", "ipv6"]),
        /// Addresses of services, a private block from /24 to /12 that overlaps with no network of yours; not with
        /// `ipv6`. Default: EKS chooses `10.100.0.0/16` or `172.20.0.0/16`.
        service_ipv4_cidr: String = optional().check(is_service_cidr, "be a private IPv4 block from /24 to /12 such as \"172.20.0.0/16\""),
    }

    /// Logs of the control plane.
    pub struct Logging paths LoggingPaths {
        /// Log types that are on. Default: all five.
        types: Set<String> = optional().one_of(&crate::parts::cluster::LOG_TYPES),
        /// Days that events are kept: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 (default), 400, 545, 731, 1096,
        /// 1827, 2192, 2557, 2922, 3288 or 3653.
        retention_days: i64 = optional(),
        /// Key that encrypts the log group. Default: the key that is made for the cluster; none when
        /// `encryption.kms_key_arn` is set.
        kms_key_arn: String = optional().check(is_key_arn, "be the ARN of a KMS key, not of an alias"),
        /// Log class; AWS fixes it at creation. Default `STANDARD`.
        class: String = optional().one_of(&["STANDARD", "INFREQUENT_ACCESS"]),
        /// What happens to the log groups when the cluster is destroyed: `delete` (default), or `retain` to keep
        /// the evidence. It holds for those of Container Insights, too, also when that is switched off.
        on_destroy: String = optional().one_of(&["delete", "retain"]),
    }

    /// Encryption of Kubernetes secrets. AWS fixes the key at creation.
    pub struct Encryption paths EncryptionPaths {
        /// A key of yours, used as it is. Default: a key is made, with rotation and the alias `alias/eks/…`.
        kms_key_arn: String = optional().check(is_key_arn, "be the ARN of a KMS key, not of an alias"),
        /// Days between destroy and the deletion of the key that was made. Default 30.
        deletion_window_days: i64 = optional().between(7, 30),
    }

    /// A group of nodes.
    pub struct NodeGroup paths NodeGroupPaths {
        /// What the nodes are for; decides the defaults below. `general` (default): on-demand nodes for everything.
        /// `system`: preferred by critical add-ons, taint `CriticalAddonsOnly=true:PreferNoSchedule`. `spot`: spot
        /// capacity. `batch`: spot capacity, taint `workload=batch:NoSchedule`. `gpu`: NVIDIA GPUs, taint
        /// `hardware=gpu:NoSchedule`. `stateful`: for data on the nodes' volumes, taint
        /// `workload=stateful:NoSchedule`, nodes replaced one at a time, no node repair.
        purpose: String = optional().one_of(&super::purpose::NAMES),
        /// Fewest nodes. Default 3 (`general`, `stateful`), 2 (`system`) or 0 (`spot`, `batch`, `gpu`).
        min_size: i64 = optional().between(0, 450),
        /// Most nodes. Default 6 (`general`, `stateful`), 4 (`system`, `gpu`) or 10 (`spot`, `batch`). The current
        /// size belongs to the autoscaler.
        max_size: i64 = optional().between(1, 450),
        /// Instance types in order of preference; a change makes a new group before the old one goes. Default
        /// `m7i.large` (`general`, `system`, `stateful`), `m7i.large`, `m6i.large` and `r7i.large` (`spot`, `batch`)
        /// or `g6.xlarge` (`gpu`).
        instance_types: List<String> = optional().size(1, 20),
        /// `ON_DEMAND` or `SPOT`; a change makes a new group before the old one goes. Default: as the purpose says.
        capacity_type: String = optional().one_of(&["ON_DEMAND", "SPOT"]),
        /// AMI type; a change makes a new group before the old one goes. Default: Amazon Linux 2023 for the
        /// processor of the first instance type, with NVIDIA's drivers for `gpu`.
        ami_type: String = optional().one_of(&crate::parts::node_group::AMI_TYPES),
        /// Release of the AMI, such as `1.35.0-20260101`. Default: EKS's newest when the group is made; it stays
        /// until you set another one.
        release_version: String = optional().non_empty(),
        /// Size of the volume for images and pods, GiB. Default 50.
        disk_gib: i64 = optional().between(20, 16_384),
        /// Subnets of the nodes; a change makes a new group before the old one goes. Default: those of the cluster.
        subnet_ids: Set<String> = optional().min_size(1),
        /// Nodes that may be missing during an update, percent. Default 33; for `stateful` one node, whatever the
        /// size.
        max_unavailable_percentage: i64 = optional().between(1, 100),
        /// Let EKS replace nodes whose health checks fail. Default `true`; `false` for `stateful`.
        node_repair: bool = optional(),
        /// Kubernetes labels, besides `terraform-provider-eks/purpose`.
        labels: Map<String> = optional().keys(is_label_key, "have 1-63 characters and none of the prefixes kubernetes.io/, k8s.io/, eks.amazonaws.com/, terraform-provider-eks/").length(1, 63),
        /// Kubernetes taints, besides the one of the purpose.
        taints: Set<Taint> = optional().size(0, 50),
    }

    /// A Kubernetes taint.
    pub struct Taint {
        /// Key.
        key: String = required().length(1, 63),
        /// Value.
        value: String = optional().length(0, 63),
        /// `NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`.
        effect: String = required().one_of(&["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"]),
    }

    /// Who may do what in the cluster.
    pub struct AccessEntry paths AccessEntryPaths {
        /// ARN of an IAM role or user. Another principal is another entry, made before the old one goes.
        principal_arn: String = required().check(is_principal, "be the ARN of an IAM role or user; of a session, give the ARN of its role"),
        /// `admin`: everything. `operator`: everything in namespaces but quotas. `developer`: workloads of the
        /// `namespaces`, with their secrets. `viewer`: read, without secrets. Default: none of them.
        preset: String = optional().one_of(&super::preset::NAMES),
        /// Namespaces in which the preset holds; needed for `developer`, not possible for `admin`. Default: all.
        namespaces: Set<String> = optional().min_size(1).length(1, 63),
        /// Further access policies of EKS.
        policies: Set<AccessPolicy> = optional(),
        /// Groups of Kubernetes, for bindings of your own.
        kubernetes_groups: Set<String> = optional().length(1, 63),
        /// `STANDARD` (default) for people and pipelines; for nodes that no node group makes `EC2_LINUX`,
        /// `EC2_WINDOWS`, `FARGATE_LINUX` or `HYBRID_LINUX`, without preset, policies and groups. A change makes the
        /// entry anew.
        r#type: String = optional().one_of(&crate::parts::access_entry::TYPES),
    }

    /// An access policy of EKS.
    pub struct AccessPolicy {
        /// ARN of the policy, such as `arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy`.
        arn: String = required().check(is_arn, "be an ARN"),
        /// Namespaces in which it holds. Default: all.
        namespaces: Set<String> = optional().min_size(1).length(1, 63),
    }

    /// A way in for emergencies: an entry of its own that may do everything, with the Kubernetes user name
    /// `break-glass:<session>`, by which the audit log tells its use.
    pub struct BreakGlass paths BreakGlassPaths {
        /// ARN of an IAM role that nobody uses otherwise.
        principal_arn: String = required().check(is_principal, "be the ARN of an IAM role or user; of a session, give the ARN of its role"),
        /// An alarm on every use, told to the topics of `observability.alarms`. It needs the log type `audit` and the
        /// log class `STANDARD`. Default `true`.
        alarm: bool = optional(),
    }

    /// An add-on.
    pub struct Addon paths AddonPaths {
        /// Install it. Default `true`; one that runs on every node is there before the first node, the others wait
        /// for one.
        enabled: bool = optional(),
        /// Version, such as `v1.21.1-eksbuild.3`. Default: EKS's default when the add-on is made; it stays until
        /// you set another one.
        version: String = optional().non_empty(),
        /// JSON after the add-on's own schema, instead of the provider's default. A plan checks it against that
        /// schema where AWS can be asked. The default of `aws-ebs-csi-driver` makes the class `gp3-encrypted` where
        /// the schema has `storageClasses`, else the driver's own `ebs-csi-default-sc`, which does not encrypt.
        configuration_values: String = optional().check(is_json_object, "be a JSON object"),
        /// Roles of its service accounts, by service account, instead of the role that is made; `{}` for none. Each
        /// has to trust `pods.eks.amazonaws.com`.
        pod_identity_role_arns: Map<String> = optional().length(1, 253).check(is_role, "be the ARN of an IAM role"),
        /// What happens to settings that others changed: `NONE` (default), `OVERWRITE` or `PRESERVE`.
        resolve_conflicts: String = optional().one_of(&["NONE", "OVERWRITE", "PRESERVE"]),
    }

    /// AWS identity of a controller: a role, and its association with the controller's service account.
    pub struct Controller {
        /// Make it. Default `false`.
        enabled: bool = optional(),
        /// Namespace of the controller. Default `kube-system` for the load balancer controller, `external-secrets`
        /// for External Secrets. Another one is another association.
        namespace: String = optional().length(1, 63),
        /// Service account of the controller. Default `aws-load-balancer-controller` or `external-secrets`.
        service_account: String = optional().length(1, 253),
    }

    /// What happens when the version reaches the end of its support.
    pub struct UpgradePolicy paths UpgradePolicyPaths {
        /// `STANDARD` (default): EKS upgrades the cluster by itself at the end of standard support. `EXTENDED`:
        /// it stays, at a higher price, which breaks the rule `extended-support`.
        support_type: String = optional().one_of(&["STANDARD", "EXTENDED"]),
    }

    /// One part.
    pub struct PartState {
        /// What the configuration asks for.
        spec: String = computed(),
        /// What AWS decided (a version, `ready`), or what is wrong.
        state: String = computed(),
    }
}

fn is_cluster_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
}

fn is_minor_version(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor))
}

/// With host bits set AWS would store another text than the one configured.
fn is_cidr(text: &str) -> bool {
    text.parse::<ipnet::IpNet>().is_ok_and(|block| block.trunc() == block)
}

/// A group is named `<key>-<8 hex>` in at most 63 characters.
fn is_group_name(text: &str) -> bool {
    is_cluster_name(text) && text.len() <= 54
}

fn is_entry_name(text: &str) -> bool {
    is_cluster_name(text) && text.len() <= 64 && text != super::preset::BREAK_GLASS
}

/// Source: CreateAccessEntry, principalArn: sessions of a role are refused.
fn is_principal(text: &str) -> bool {
    let kind = text.splitn(6, ':').nth(5).unwrap_or_default();
    is_arn(text)
        && text.split(':').nth(2) == Some("iam")
        && (kind.starts_with("role/") || kind.starts_with("user/"))
        && !kind.starts_with("role/aws-service-role/")
}

/// Source: KubernetesNetworkConfigRequest, serviceIpv4Cidr.
fn is_service_cidr(text: &str) -> bool {
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
    text.parse::<ipnet::Ipv4Net>().is_ok_and(|block| {
        let within = |network: &str| network.parse::<ipnet::Ipv4Net>().is_ok_and(|net| net.contains(&block));
        block.trunc() == block
            && (12..=24).contains(&block.prefix_len())
            && private.iter().any(|net| within(net))
    })
}

fn is_addon_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
}

fn is_role(text: &str) -> bool {
    is_arn(text) && text.contains(":role/")
}

fn is_label_key(text: &str) -> bool {
    let reserved = ["kubernetes.io/", "k8s.io/", "eks.amazonaws.com/", crate::aws::ownership::PREFIX];
    (1..=63).contains(&text.len()) && !reserved.iter().any(|prefix| text.starts_with(prefix))
}

/// Source: PutRetentionPolicy, retentionInDays.
pub fn is_retention(days: i64) -> bool {
    const RETENTIONS: [i64; 22] = [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
        3653,
    ];
    RETENTIONS.contains(&days)
}

fn is_json_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object())
}
