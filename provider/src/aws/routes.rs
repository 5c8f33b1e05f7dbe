//! How what runs in subnets of the user's reaches AWS: by a way out of the VPC, or by endpoints in it. Only read.
//!
//! APIs: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Route, RouteState, RouteTable};
use resource_graph::Failure;

use super::Aws;
use super::error::{Operation, failure};
use super::subnets::Subnet;

pub const DESCRIBE_TABLES: Operation = Operation::new("EC2", "DescribeRouteTables");
pub const DESCRIBE_ENDPOINTS: Operation = Operation::new("EC2", "DescribeVpcEndpoints");

/// What nodes and the core add-ons talk to.
///
/// Source: EKS user guide, private-clusters.
const NEEDED: [&str; 8] = ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "s3", "sts"];

const AVAILABLE: &str = "available";

/// Subnets without a way out, and what their VPC has no endpoint for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosed {
    pub subnet_ids: BTreeSet<String>,
    pub services: Vec<&'static str>,
}

/// Which of these subnets of one VPC are enclosed; none when all of them reach what nodes need.
pub async fn enclosed(
    aws: &Aws,
    vpc_id: &str,
    subnets: &BTreeMap<&str, &Subnet>,
) -> Result<Option<Enclosed>, Failure> {
    let of_vpc = || Filter::builder().name("vpc-id").values(vpc_id).build();
    let mut tables = Vec::new();
    let mut pages = aws.ec2.describe_route_tables().filters(of_vpc()).into_paginator().items().send();
    while let Some(table) = pages.next().await {
        tables.push(table.map_err(|error| failure(DESCRIBE_TABLES, &error))?);
    }
    let subnet_ids = without_way_out(&tables, subnets);
    if subnet_ids.is_empty() {
        return Ok(None);
    }
    let mut there = BTreeSet::new();
    let mut pages = aws.ec2.describe_vpc_endpoints().filters(of_vpc()).into_paginator().items().send();
    while let Some(endpoint) = pages.next().await {
        let endpoint = endpoint.map_err(|error| failure(DESCRIBE_ENDPOINTS, &error))?;
        // AWS writes it small, its model large.
        if endpoint.state().is_some_and(|state| state.as_str().eq_ignore_ascii_case(AVAILABLE)) {
            there.extend(endpoint.service_name);
        }
    }
    let services = without_endpoint(&there, &aws.location.region);
    Ok((!services.is_empty()).then_some(Enclosed { subnet_ids, services }))
}

fn without_way_out(tables: &[RouteTable], subnets: &BTreeMap<&str, &Subnet>) -> BTreeSet<String> {
    let of = |id: &str| {
        let own = tables
            .iter()
            .find(|table| table.associations().iter().any(|association| association.subnet_id() == Some(id)));
        own.or_else(|| {
            tables.iter().find(|table| table.associations().iter().any(|one| one.main() == Some(true)))
        })
    };
    let is_enclosed = |(id, subnet): &(&&str, &&Subnet)| {
        // What the routes are is not known then, and nothing is said about them.
        of(id).is_some_and(|table| !table.routes().iter().any(|route| leads_out(route, subnet)))
    };
    subnets.iter().filter(is_enclosed).map(|(id, _)| (*id).to_owned()).collect()
}

/// Through an internet gateway only what has a public address gets out.
fn leads_out(route: &Route, subnet: &Subnet) -> bool {
    let is_default = route.destination_cidr_block() == Some("0.0.0.0/0")
        || route.destination_ipv6_cidr_block() == Some("::/0");
    let through_internet_gateway = route.gateway_id().is_some_and(|id| id.starts_with("igw-"));
    let is_usable = route.state() != Some(&RouteState::Blackhole);
    is_default && is_usable && (!through_internet_gateway || subnet.gives_public_addresses)
}

/// Endpoint services are named `com.amazonaws.<region>.<service>`, in some partitions with more in front.
fn without_endpoint(there: &BTreeSet<String>, region: &str) -> Vec<&'static str> {
    let is_there = |service: &&str| there.iter().any(|name| name.ends_with(&format!(".{region}.{service}")));
    NEEDED.into_iter().filter(|service| !is_there(service)).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::RouteTableAssociation;

    use super::*;

    fn table(subnet: Option<&str>, routes: Vec<Route>) -> RouteTable {
        let association = RouteTableAssociation::builder().main(subnet.is_none());
        let association = association.set_subnet_id(subnet.map(str::to_owned)).build();
        RouteTable::builder().associations(association).set_routes(Some(routes)).build()
    }

    fn default_route() -> aws_sdk_ec2::types::builders::RouteBuilder {
        Route::builder().destination_cidr_block("0.0.0.0/0").state(RouteState::Active)
    }

    #[test]
    fn a_subnet_follows_its_own_table_else_the_main_one() {
        let (private, public) =
            (Subnet::default(), Subnet { gives_public_addresses: true, ..Subnet::default() });
        let internet = || default_route().gateway_id("igw-1").build();
        let tables = [
            table(None, vec![default_route().nat_gateway_id("nat-1").build()]),
            table(Some("a"), vec![Route::builder().destination_cidr_block("10.0.0.0/16").build()]),
            table(Some("b"), vec![internet()]),
            table(Some("c"), vec![internet()]),
            table(
                Some("d"),
                vec![default_route().nat_gateway_id("nat-2").state(RouteState::Blackhole).build()],
            ),
        ];
        let subnets =
            [("a", &private), ("b", &private), ("c", &public), ("d", &private), ("other", &private)].into();
        let enclosed = without_way_out(&tables, &subnets);
        assert_eq!(enclosed, ["a", "b", "d"].map(str::to_owned).into());
        assert!(without_way_out(&[], &subnets).is_empty());
    }

    #[test]
    fn endpoints_are_told_by_the_end_of_their_names() {
        let names = |services: &[&str]| -> BTreeSet<String> {
            services.iter().map(|service| format!("com.amazonaws.eu-central-1.{service}")).collect()
        };
        assert_eq!(
            without_endpoint(&names(&["ec2", "ecr.api", "s3", "sts", "eks"]), "eu-central-1"),
            ["ecr.dkr", "eks-auth", "logs"]
        );
        assert!(without_endpoint(&names(&NEEDED), "eu-central-1").is_empty());
        assert_eq!(without_endpoint(&names(&NEEDED), "eu-west-1").len(), NEEDED.len());
    }
}
