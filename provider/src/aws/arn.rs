//! ARNs that we have to write ourselves, since they stand in policies before their object exists.

use super::Location;

impl Location {
    /// `arn:aws:eks:eu-central-1:111122223333:cluster/prod`
    pub fn cluster_arn(&self, cluster: &str) -> String {
        self.regional("eks", &format!("cluster/{cluster}"))
    }

    /// `arn:aws:logs:eu-central-1:111122223333:log-group:/aws/eks/prod/cluster`, without the trailing `:*`.
    pub fn log_group_arn(&self, name: &str) -> String {
        self.regional("logs", &format!("log-group:{name}"))
    }

    /// `arn:aws:ecr:eu-central-1:111122223333:repository/shop/api`
    pub fn repository_arn(&self, name: &str) -> String {
        self.regional("ecr", &format!("repository/{name}"))
    }

    /// `arn:aws:cloudwatch:eu-central-1:111122223333:alarm:prod-node-cpu-0a1b2c3d`
    pub fn alarm_arn(&self, name: &str) -> String {
        self.regional("cloudwatch", &format!("alarm:{name}"))
    }

    /// `arn:aws:iam::111122223333:root`
    pub fn account_root_arn(&self) -> String {
        self.root_arn_of(&self.account_id)
    }

    /// The root of another account of the same partition.
    pub fn root_arn_of(&self, account_id: &str) -> String {
        format!("arn:{}:iam::{account_id}:root", self.partition)
    }

    /// `arn:aws:iam::111122223333:role/eks/prod-1a2b3c4d`; `path_and_name` begins with a slash.
    pub fn role_arn(&self, path_and_name: &str) -> String {
        format!("arn:{}:iam::{}:role{path_and_name}", self.partition, self.account_id)
    }

    /// `arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1`
    pub fn ec2_arn(&self, resource: &str) -> String {
        self.regional("ec2", resource)
    }

    /// `arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/…`
    pub fn load_balancing_arn(&self, resource: &str) -> String {
        self.regional("elasticloadbalancing", resource)
    }

    /// A policy AWS manages: `arn:aws:iam::aws:policy/AmazonEKSClusterPolicy`.
    pub fn managed_policy_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::aws:policy/{name}", self.partition)
    }

    /// An access policy of EKS: `arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy`.
    pub fn access_policy_arn(&self, name: &str) -> String {
        format!("arn:{}:eks::aws:cluster-access-policy/{name}", self.partition)
    }

    /// The service principal of EC2, which differs in China.
    ///
    /// Source: eksctl#3290, pulumi-eks#796.
    pub fn ec2_principal(&self) -> &'static str {
        if self.partition == "aws-cn" { "ec2.amazonaws.com.cn" } else { "ec2.amazonaws.com" }
    }

    /// The service principal of CloudWatch Logs in this region.
    pub fn logs_principal(&self) -> String {
        let suffix = match self.partition.as_str() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            _ => "amazonaws.com",
        };
        format!("logs.{}.{suffix}", self.region)
    }

    fn regional(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account_id)
    }
}
