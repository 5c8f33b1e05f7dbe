//! Clients from a configuration of the SDK.

use std::sync::Mutex;

use aws_config::{Region, SdkConfig};

use super::error::{Operation, failure};
use super::together::Together;
use super::{Aws, Location};
use crate::config::Endpoints;

const CALLER: Operation = Operation::new("STS", "GetCallerIdentity");

// A service's builder looks for its endpoint in the environment and the profile by itself.
macro_rules! client {
    ($service:ident, $base:expr, $url:expr) => {{
        let mut builder = $service::config::Builder::from($base);
        if let Some(url) = $url.text() {
            builder = builder.endpoint_url(url);
        }
        $service::Client::from_conf(builder.build())
    }};
}

impl Aws {
    /// Clients for one account and region.
    pub fn connect(base: &SdkConfig, endpoints: &Endpoints, region: &str, account_id: String) -> Self {
        let base = base.to_builder().region(Region::new(region.to_owned())).build();
        Self {
            eks: client!(aws_sdk_eks, &base, endpoints.eks),
            iam: client!(aws_sdk_iam, &base, endpoints.iam),
            kms: client!(aws_sdk_kms, &base, endpoints.kms),
            cloudwatch: client!(aws_sdk_cloudwatch, &base, endpoints.cloudwatch),
            logs: client!(aws_sdk_cloudwatchlogs, &base, endpoints.logs),
            ec2: client!(aws_sdk_ec2, &base, endpoints.ec2),
            ecr: client!(aws_sdk_ecr, &base, endpoints.ecr),
            location: Location {
                partition: Location::partition_of(region).to_owned(),
                account_id,
                region: region.to_owned(),
            },
            started_updates: Mutex::default(),
            alarms: Together::default(),
            launch_templates: Together::default(),
            log_groups: Together::default(),
            role_tags: Together::default(),
        }
    }

    /// The account the credentials belong to; the error in one paragraph.
    pub async fn account_of_caller(
        base: &SdkConfig,
        endpoints: &Endpoints,
        region: &str,
    ) -> Result<String, String> {
        let base = base.to_builder().region(Region::new(region.to_owned())).build();
        let client = client!(aws_sdk_sts, &base, endpoints.sts);
        let answer = client.get_caller_identity().send().await;
        let answer = answer.map_err(|error| failure(CALLER, &error).message)?;
        answer.account.ok_or_else(|| "STS GetCallerIdentity answered no account".to_owned())
    }
}
