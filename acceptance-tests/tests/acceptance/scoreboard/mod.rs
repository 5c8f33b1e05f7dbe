//! The scoreboard: what security tools ask of a cluster, and that the minimal configuration answers it.
//!
//! Every rule has an assertion on what is in AWS after an apply, or a reason why no configuration of a cluster
//! decides it. A rule that has neither, or both, fails.

mod rows;

use std::collections::BTreeSet;

use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Failure, Result};
use serde_json::{Value, json};

use self::rows::{NOT_SETTABLE, ROWS, RULES};
use crate::stage::{NAME, Stage};

/// A role, as IAM shows it.
struct Role {
    name: String,
    trust: Value,
    managed: Vec<String>,
    inline: usize,
}

/// Everything the rows look at.
struct Seen {
    cluster: Value,
    groups: Vec<Value>,
    templates: Vec<Value>,
    log_group: Value,
    key: Value,
    key_policy: Value,
    rotates: bool,
    roles: Vec<Role>,
    addons: Vec<Value>,
    subnets: Vec<Value>,
    /// Versions of Kubernetes in standard support.
    supported: Vec<Value>,
    /// Security groups that somebody but EKS has made since.
    security_groups_made: usize,
}

impl Seen {
    fn in_account(stage: &Stage) -> Result<Self> {
        let call = |service: &str, operation: &str, parameters: Value| {
            stage.account.call(service, operation, parameters)
        };
        let list = |answer: &Value, member: &str| answer[member].as_array().cloned().unwrap_or_default();
        let named =
            |name: &str, parameter: &str, value: &Value| json!({ "clusterName": name, parameter: value });
        let cluster = call("eks", "DescribeCluster", json!({"name": NAME}))?["cluster"].clone();
        let mut groups = Vec::new();
        for name in list(&call("eks", "ListNodegroups", json!({"clusterName": NAME}))?, "nodegroups") {
            let answer = call("eks", "DescribeNodegroup", named(NAME, "nodegroupName", &name))?;
            groups.push(answer["nodegroup"].clone());
        }
        let mut templates = Vec::new();
        for group in &groups {
            let template = &group["launchTemplate"];
            let parameters = json!({"LaunchTemplateId": template["id"], "Versions": [template["version"]]});
            let answer = call("ec2", "DescribeLaunchTemplateVersions", parameters)?;
            templates.push(answer["LaunchTemplateVersions"][0]["LaunchTemplateData"].clone());
        }
        let mut addons = Vec::new();
        for name in list(&call("eks", "ListAddons", json!({"clusterName": NAME}))?, "addons") {
            addons.push(call("eks", "DescribeAddon", named(NAME, "addonName", &name))?["addon"].clone());
        }
        let prefix = json!({"logGroupNamePrefix": format!("/aws/eks/{NAME}/cluster")});
        let log_group = call("logs", "DescribeLogGroups", prefix)?["logGroups"][0].clone();
        let key_arn = json!({"KeyId": cluster["encryptionConfig"][0]["provider"]["keyArn"]});
        let policy = json!({"KeyId": key_arn["KeyId"], "PolicyName": "default"});
        let policy = call("kms", "GetKeyPolicy", policy)?["Policy"].clone();
        let mut roles = Vec::new();
        for role in list(&call("iam", "ListRoles", json!({"PathPrefix": "/eks/"}))?, "Roles") {
            let name = json!({"RoleName": role["RoleName"]});
            let managed = call("iam", "ListAttachedRolePolicies", name.clone())?;
            let managed = list(&managed, "AttachedPolicies");
            roles.push(Role {
                name: role["RoleName"].as_str().unwrap_or_default().to_owned(),
                trust: document(&role["AssumeRolePolicyDocument"]),
                managed: managed.iter().filter_map(|p| p["PolicyArn"].as_str().map(str::to_owned)).collect(),
                inline: list(&call("iam", "ListRolePolicies", name)?, "PolicyNames").len(),
            });
        }
        let ids = json!({"SubnetIds": stage.network.subnet_ids});
        let groups_now = call("ec2", "DescribeSecurityGroups", json!({}))?;
        let is_made = |group: &&Value| {
            let name = group["GroupName"].as_str().unwrap_or_default();
            name != "default" && !name.starts_with("eks-cluster-sg-")
        };
        let versions = call("eks", "DescribeClusterVersions", json!({}))?;
        let in_support = |version: &&Value| version["versionStatus"] == "STANDARD_SUPPORT";
        Ok(Self {
            security_groups_made: list(&groups_now, "SecurityGroups").iter().filter(is_made).count(),
            supported: list(&versions, "clusterVersions")
                .iter()
                .filter(in_support)
                .map(|version| version["clusterVersion"].clone())
                .collect(),
            key: call("kms", "DescribeKey", key_arn.clone())?["KeyMetadata"].clone(),
            key_policy: document(&policy),
            rotates: call("kms", "GetKeyRotationStatus", key_arn)?["KeyRotationEnabled"] == true,
            subnets: list(&call("ec2", "DescribeSubnets", ids)?, "Subnets"),
            cluster,
            groups,
            templates,
            log_group,
            roles,
            addons,
        })
    }

    fn addon(&self, name: &str) -> &Value {
        self.addons.iter().find(|addon| addon["addonName"] == name).unwrap_or(&Value::Null)
    }
}

/// A policy, which some operations return as text.
fn document(policy: &Value) -> Value {
    match policy.as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        None => policy.clone(),
    }
}

fn statements(policy: &Value) -> Vec<Value> {
    policy["Statement"].as_array().cloned().unwrap_or_default()
}

/// A text, or a list of them.
fn strings(value: &Value) -> BTreeSet<String> {
    let one = value.as_str().into_iter();
    let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    one.chain(many).map(str::to_owned).collect()
}

#[test]
fn every_rule_is_asserted_or_not_settable() -> Result<()> {
    let asserted: Vec<&str> = ROWS.iter().flat_map(|row| row.ids).copied().collect();
    let not_settable: Vec<&str> = NOT_SETTABLE.iter().flat_map(|(ids, _)| *ids).copied().collect();
    let answered: Vec<&str> = asserted.iter().chain(&not_settable).copied().collect();
    let rules: BTreeSet<&str> = RULES.iter().flat_map(|ids| *ids).copied().collect();
    let missing: Vec<&&str> = rules.iter().filter(|rule| !answered.contains(*rule)).collect();
    let unknown: Vec<&&str> = answered.iter().filter(|id| !rules.contains(**id)).collect();
    let mut once = BTreeSet::new();
    let twice: Vec<&&str> = answered.iter().filter(|id| !once.insert(**id)).collect();
    ensure(missing.is_empty() && unknown.is_empty() && twice.is_empty(), || {
        format!("without an answer: {missing:?}; no rules: {unknown:?}; answered twice: {twice:?}")
    })?;
    ensure(NOT_SETTABLE.iter().all(|(_, reason)| !reason.is_empty()), || "a reason is missing".to_owned())
}

#[test]
fn the_minimal_configuration_passes_the_scoreboard() -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&stage.protected_cluster())?;
    stage.apply()?;
    let seen = Seen::in_account(&stage)?;
    seen.templates.first().explain("a launch template")?;
    let failed: Vec<String> = ROWS
        .iter()
        .filter(|row| !(row.holds)(&seen))
        .map(|row| format!("{}: {}", row.ids.join(", "), row.sentence))
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(failed.join("\n"))) }
}
