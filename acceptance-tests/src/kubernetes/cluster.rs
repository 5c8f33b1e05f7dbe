//! A cluster of the local AWS without the provider: for tests of the bed itself, and for playing.

use std::time::Duration;

use serde_json::{Value, json};

use super::bed::Bed;
use crate::account::Account;
use crate::{Explain, Result, wait};

/// How long a change may take to spread.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where the access policies are.
const POLICIES: &str = "arn:aws:eks::aws:cluster-access-policy/";

/// An active cluster that a bed stands for. Nobody has an access entry.
pub struct Cluster {
    /// The account it is in.
    pub account: Account,
    /// Its name.
    pub name: String,
}

impl Cluster {
    /// Makes one in this account, attached from the start.
    pub fn made(bed: &Bed<'_>, account: Account, name: &str) -> Result<Self> {
        let cluster = Self { account, name: name.to_owned() };
        bed.attach(&cluster.account, name)?;
        let role = cluster.role("cluster", "eks.amazonaws.com")?;
        let policy =
            json!({"RoleName": "cluster", "PolicyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"});
        cluster.account.call("iam", "AttachRolePolicy", policy)?;
        let parameters = json!({
            "name": name,
            "roleArn": role,
            "resourcesVpcConfig": {"subnetIds": cluster.account.network()?.subnet_ids},
            "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false},
        });
        cluster.spread("CreateCluster", parameters)?;
        wait::until("an active cluster", PATIENCE, || {
            let seen = cluster.describe()?;
            Ok((seen["status"] == "ACTIVE").then_some(()))
        })?;
        Ok(cluster)
    }

    /// As DescribeCluster shows it.
    pub fn describe(&self) -> Result<Value> {
        let answer = self.account.call("eks", "DescribeCluster", json!({"name": self.name}))?;
        Ok(answer["cluster"].clone())
    }

    /// A new role that this service may assume.
    pub fn role(&self, name: &str, service: &str) -> Result<String> {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": {"Service": service}
        }]});
        let parameters = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
        let made = self.account.call("iam", "CreateRole", parameters)?;
        made["Role"]["Arn"].as_str().map(str::to_owned).explain("the role's ARN")
    }

    /// Makes an access entry.
    pub fn let_in(&self, principal: &str, groups: &[&str]) -> Result<()> {
        let parameters =
            json!({"clusterName": self.name, "principalArn": principal, "kubernetesGroups": groups});
        self.spread("CreateAccessEntry", parameters).map(drop)
    }

    /// Associates an access policy, in these namespaces or, without any, everywhere. EKS takes it when the entry has
    /// spread: from then on its principal is let in.
    pub fn associate(&self, principal: &str, policy: &str, namespaces: &[&str]) -> Result<()> {
        let scope = if namespaces.is_empty() {
            json!({"type": "cluster"})
        } else {
            json!({"type": "namespace", "namespaces": namespaces})
        };
        let parameters = json!({
            "clusterName": self.name,
            "principalArn": principal,
            "policyArn": format!("{POLICIES}{policy}"),
            "accessScope": scope,
        });
        self.spread("AssociateAccessPolicy", parameters).map(drop)
    }

    /// Takes the access entry away.
    pub fn shut_out(&self, principal: &str) -> Result<()> {
        let parameters = json!({"clusterName": self.name, "principalArn": principal});
        self.account.call("eks", "DeleteAccessEntry", parameters).map(drop)
    }

    /// Associates a service account with a role; answers the id.
    pub fn identify(&self, namespace: &str, service_account: &str, role: &str) -> Result<String> {
        let parameters = json!({
            "clusterName": self.name, "namespace": namespace, "serviceAccount": service_account, "roleArn": role
        });
        let made = self.spread("CreatePodIdentityAssociation", parameters)?;
        made["association"]["associationId"].as_str().map(str::to_owned).explain("the association's id")
    }

    /// Deletes an association.
    pub fn forget(&self, association: &str) -> Result<()> {
        let parameters = json!({"clusterName": self.name, "associationId": association});
        self.account.call("eks", "DeletePodIdentityAssociation", parameters).map(drop)
    }

    /// Calls until what the call stands on has spread; the last refusal is the failure.
    fn spread(&self, operation: &str, parameters: Value) -> Result<Value> {
        let mut refusal = None;
        let called = wait::until(operation, PATIENCE, || {
            match self.account.call("eks", operation, parameters.clone()) {
                Ok(answer) => Ok(Some(answer)),
                Err(failure) => {
                    refusal = Some(failure);
                    Ok(None)
                }
            }
        });
        called.map_err(|late| refusal.unwrap_or(late))
    }
}
