//! Network interfaces that nodes leave behind: the CNI makes them, and when a node goes before the CNI has
//! cleaned up they stay, and hold the cluster's security group. Nothing is made here; on destroy they go
//! after the node groups and before the cluster.
//!
//! API: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html>. Tags:
//! amazon-vpc-cni-k8s `pkg/awsutils/awsutils.go`.

use std::convert::Infallible;

use async_trait::async_trait;
use aws_sdk_ec2::types::Filter;
use resource_graph::{
    Comparison, Created, Failure, Identity, Input, Observation, Outputs, Owner, Part, PartKey, Probe, Record,
    Target, Until,
};

#[cfg(test)]
use super::Calls;
use super::gone;
use crate::aws::Aws;
use crate::aws::error::{Operation, failure};

/// Its key: there is one of it in a cluster.
pub const KIND: &str = "network-interfaces";

/// What nodes of a cluster leave behind.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkInterfaces {
    /// What people read about it.
    pub spec: String,
    /// Name of the cluster.
    pub cluster: Input,
    /// Name of the cluster, as the tags of the interfaces have it.
    pub cluster_name: String,
}

impl NetworkInterfaces {
    /// The part a record speaks of.
    pub fn recall(record: &Record) -> Self {
        let cluster_name = record.identity.get("cluster").to_owned();
        Self { spec: record.spec.clone(), cluster: Input::known(&cluster_name), cluster_name }
    }
}

#[async_trait]
impl Part<Aws> for NetworkInterfaces {
    type Seen = ();
    type Change = Infallible;

    fn key(&self) -> PartKey {
        PartKey::new(KIND, "")
    }

    fn identity(&self) -> Identity {
        Identity::new([("cluster", &self.cluster_name)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, _aws: &Aws, _target: &Target<'_>) -> Result<Observation<()>, Failure> {
        Ok(Observation::Present { seen: (), owner: Owner::Ours, instance: None, outputs: Outputs::default() })
    }

    fn compare(&self, _target: &Target<'_>, _seen: &()) -> Comparison<Infallible> {
        Comparison::Same
    }

    async fn create(&self, _aws: &Aws, _target: &Target<'_>) -> Result<Created<()>, Failure> {
        Ok(Created { seen: (), instance: None, outputs: Outputs::default() })
    }

    async fn update(
        &self,
        _aws: &Aws,
        _target: &Target<'_>,
        change: &Infallible,
    ) -> Result<Outputs, Failure> {
        match *change {}
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        for id in left_over(aws, target.identity.get("cluster")).await? {
            let call = aws.ec2.delete_network_interface().network_interface_id(id);
            gone(DELETE, call.send().await)?;
        }
        Ok(())
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        if until == Until::Usable {
            return Ok(Probe::Done(Outputs::default()));
        }
        let left = left_over(aws, target.identity.get("cluster")).await?;
        Ok(if left.is_empty() {
            Probe::Done(Outputs::default())
        } else {
            Probe::Pending(format!("{} left", left.join(", ")))
        })
    }
}

const DESCRIBE: Operation = Operation::new("EC2", "DescribeNetworkInterfaces");
const DELETE: Operation = Operation::new("EC2", "DeleteNetworkInterface");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls { kind: KIND, calls: &[DESCRIBE, DELETE], implied: &[] };

/// Ids of interfaces of nodes that are gone. Only what no instance holds (`available`) is ours to delete.
async fn left_over(aws: &Aws, cluster: &str) -> Result<Vec<String>, Failure> {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let mut pages = aws
        .ec2
        .describe_network_interfaces()
        .filters(filter("tag-key", "node.k8s.amazonaws.com/instance_id"))
        .filters(filter("tag:cluster.k8s.amazonaws.com/name", cluster))
        .filters(filter("status", "available"))
        .into_paginator()
        .items()
        .send();
    let mut ids = Vec::new();
    while let Some(interface) = pages.next().await {
        ids.extend(interface.map_err(|error| failure(DESCRIBE, &error))?.network_interface_id);
    }
    Ok(ids)
}
