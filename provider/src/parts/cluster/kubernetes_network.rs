//! Addresses of pods and services; AWS never changes them.

use aws_sdk_eks::types as eks;

/// What of them is asked for; where there is nothing, EKS chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubernetesNetwork {
    /// `ipv4` or `ipv6`
    pub ip_family: Option<String>,
    /// `172.20.0.0/16`; only with IPv4.
    pub service_ipv4_cidr: Option<String>,
}

impl KubernetesNetwork {
    /// As EKS takes it.
    pub(super) fn requested(&self) -> eks::KubernetesNetworkConfigRequest {
        eks::KubernetesNetworkConfigRequest::builder()
            .set_ip_family(self.ip_family.as_deref().map(eks::IpFamily::from))
            .set_service_ipv4_cidr(self.service_ipv4_cidr.clone())
            .build()
    }

    /// That of a cluster that exists.
    pub(super) fn of(cluster: &eks::Cluster) -> Self {
        let network = cluster.kubernetes_network_config();
        let family = network.and_then(|network| network.ip_family());
        Self {
            ip_family: family.map(|family| family.as_str().to_owned()),
            service_ipv4_cidr: network.and_then(|network| network.service_ipv4_cidr()).map(str::to_owned),
        }
    }

    /// What a cluster that exists has otherwise, and what to do about it.
    pub(super) fn difference(&self, seen: &eks::Cluster) -> Option<String> {
        let there = Self::of(seen);
        let pairs = [
            ("ip_family", &self.ip_family, there.ip_family),
            ("service_ipv4_cidr", &self.service_ipv4_cidr, there.service_ipv4_cidr),
        ];
        pairs.into_iter().find(|(_, wanted, there)| wanted.is_some() && *wanted != there).map(
            |(argument, _, there)| {
                let there = there.map_or("none".to_owned(), |there| format!("\"{there}\""));
                format!(
                    "kubernetes_network.{argument} of the cluster is {there}, which AWS never changes; set it so"
                )
            },
        )
    }
}
