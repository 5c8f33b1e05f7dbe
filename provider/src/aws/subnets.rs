//! Subnets of the user's, as far as a cluster depends on them. Only read.
//!
//! API: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::Filter;
use resource_graph::Failure;

use super::Aws;
use super::error::{Operation, failure};
use super::ownership::Tags;

pub const DESCRIBE: Operation = Operation::new("EC2", "DescribeSubnets");

/// A subnet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subnet {
    pub vpc_id: String,
    /// `eu-central-1a`
    pub zone: String,
    /// `euc1-az2`: the same place in every account.
    pub zone_id: String,
    /// Addresses nobody uses.
    pub free_addresses: i32,
    /// What is started in it gets a public address.
    pub gives_public_addresses: bool,
    pub tags: Tags,
}

/// Those of the subnets that exist, by id.
pub async fn describe(aws: &Aws, ids: &BTreeSet<String>) -> Result<BTreeMap<String, Subnet>, Failure> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    find(aws, Filter::builder().name("subnet-id").set_values(Some(ids.iter().cloned().collect())).build())
        .await
}

/// All subnets of the region that carry a tag, by id.
pub async fn tagged(aws: &Aws, key: &str) -> Result<BTreeMap<String, Subnet>, Failure> {
    find(aws, Filter::builder().name("tag-key").values(key).build()).await
}

async fn find(aws: &Aws, filter: Filter) -> Result<BTreeMap<String, Subnet>, Failure> {
    let mut pages = aws.ec2.describe_subnets().filters(filter).into_paginator().items().send();
    let mut subnets = BTreeMap::new();
    while let Some(subnet) = pages.next().await {
        let subnet = subnet.map_err(|error| failure(DESCRIBE, &error))?;
        let tags = subnet.tags().iter();
        let seen = Subnet {
            vpc_id: subnet.vpc_id().unwrap_or_default().to_owned(),
            zone: subnet.availability_zone().unwrap_or_default().to_owned(),
            zone_id: subnet.availability_zone_id().unwrap_or_default().to_owned(),
            free_addresses: subnet.available_ip_address_count().unwrap_or_default(),
            gives_public_addresses: subnet.map_public_ip_on_launch().unwrap_or(false),
            tags: tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect(),
        };
        subnets.insert(subnet.subnet_id().unwrap_or_default().to_owned(), seen);
    }
    Ok(subnets)
}
