//! Node groups for every purpose, and every argument they have.

use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Result};
use serde_json::{Value, json};

use crate::stage::{NAME, Stage};

/// The node group of a key.
fn group(stage: &Stage, key: &str) -> Result<Value> {
    let answer = stage.account.call("eks", "ListNodegroups", json!({"clusterName": NAME}))?;
    let names = answer["nodegroups"].as_array().cloned().unwrap_or_default();
    let is_of_key = |name: &&str| name.rsplit_once('-').is_some_and(|(stem, _)| stem == key);
    let name = names.iter().filter_map(Value::as_str).find(is_of_key).explain(key)?;
    let parameters = json!({"clusterName": NAME, "nodegroupName": name});
    Ok(stage.account.call("eks", "DescribeNodegroup", parameters)?["nodegroup"].clone())
}

fn expect(group: &Value, member: &str, expected: &Value) -> Result<()> {
    ensure(group.pointer(member) == Some(expected), || {
        format!("{member}: {:?} instead of {expected} in {group}", group.pointer(member))
    })
}

#[test]
fn each_purpose_has_its_capacity_taint_and_image() -> Result<()> {
    let stage = Stage::new()?;
    let groups = json!({
        "general": {},
        "system": {"purpose": "system"},
        "spot": {"purpose": "spot"},
        "batch": {"purpose": "batch"},
        "gpu": {"purpose": "gpu"},
        "stateful": {"purpose": "stateful"},
    });
    stage.made(&stage.cluster().with("node_groups", groups))?;
    stage.expect_empty_plan()?;
    let (standard, nvidia) = ("AL2023_x86_64_STANDARD", "AL2023_x86_64_NVIDIA");
    let prefer = Some(("CriticalAddonsOnly", "true", "PREFER_NO_SCHEDULE"));
    let only = |key: &'static str, value: &'static str| Some((key, value, "NO_SCHEDULE"));
    for (key, capacity, ami, min, max, taint) in [
        ("general", "ON_DEMAND", standard, 3, 6, None),
        ("system", "ON_DEMAND", standard, 2, 4, prefer),
        ("spot", "SPOT", standard, 0, 10, None),
        ("batch", "SPOT", standard, 0, 10, only("workload", "batch")),
        ("gpu", "ON_DEMAND", nvidia, 0, 4, only("hardware", "gpu")),
        ("stateful", "ON_DEMAND", standard, 3, 6, only("workload", "stateful")),
    ] {
        let keeps_data = key == "stateful";
        let unavailable =
            if keeps_data { json!({"maxUnavailable": 1}) } else { json!({"maxUnavailablePercentage": 33}) };
        let group = group(&stage, key)?;
        expect(&group, "/capacityType", &json!(capacity))?;
        expect(&group, "/amiType", &json!(ami))?;
        expect(&group, "/scalingConfig/minSize", &json!(min))?;
        expect(&group, "/scalingConfig/maxSize", &json!(max))?;
        expect(&group, "/labels/terraform-provider-eks~1purpose", &json!(key))?;
        expect(&group, "/nodeRepairConfig/enabled", &json!(!keeps_data))?;
        expect(&group, "/updateConfig", &unavailable)?;
        let taints = group["taints"].as_array().cloned().unwrap_or_default();
        let wanted: Vec<Value> = taint
            .iter()
            .map(|(key, value, effect)| json!({"key": key, "value": value, "effect": effect}))
            .collect();
        ensure(taints == wanted, || format!("{key}: {taints:?}"))?;
    }
    stage.expect_import_to_fit()?;
    stage.expect_destroyed_completely()
}

#[test]
fn every_argument_of_a_node_group_changes() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let before = group(&stage, "general")?;
    let release = before["releaseVersion"].as_str().explain("a release")?.to_owned();
    let configure = |arguments: Value| {
        let groups = json!({"general": arguments});
        stage.configure(&stage.cluster().with("node_groups", groups))?;
        stage.apply()?;
        stage.expect_empty_plan()?;
        group(&stage, "general")
    };
    // What EKS updates in place. The AMI stays the one it was, also when the launch template rolls the nodes.
    let after = configure(json!({
        "min_size": 1, "max_size": 5, "disk_gib": 80, "max_unavailable_percentage": 50, "node_repair": false,
        "labels": {"a": "b"}, "taints": [{"key": "k", "value": "v", "effect": "PREFER_NO_SCHEDULE"}],
    }))?;
    expect(&after, "/nodegroupName", &before["nodegroupName"])?;
    expect(&after, "/scalingConfig/maxSize", &json!(5))?;
    expect(&after, "/updateConfig", &json!({"maxUnavailablePercentage": 50}))?;
    expect(&after, "/nodeRepairConfig/enabled", &json!(false))?;
    expect(&after, "/labels/a", &json!("b"))?;
    expect(&after, "/releaseVersion", &json!(release))?;
    // What EKS fixes makes another group, before the old one goes.
    let mark = stage.account.mark()?;
    let subnets = &stage.network.subnet_ids[..2];
    let after = configure(json!({
        "capacity_type": "SPOT", "instance_types": ["m7g.large", "m6g.large", "r7g.large"],
        "ami_type": "BOTTLEROCKET_ARM_64", "subnet_ids": subnets,
    }))?;
    expect(&after, "/amiType", &json!("BOTTLEROCKET_ARM_64"))?;
    expect(&after, "/capacityType", &json!("SPOT"))?;
    let journal = stage.account.journal_since(mark)?;
    let calls = journal.mutating();
    let at = |action: &str| calls.iter().position(|call| call.action() == action);
    let (made, deleted) = (at("eks:CreateNodegroup"), at("eks:DeleteNodegroup"));
    ensure(made.is_some() && made < deleted, || journal.text())?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn the_network_of_the_control_plane_is_as_configured() -> Result<()> {
    let stage = Stage::new()?;
    let subnets = &stage.network.subnet_ids;
    let network = json!({"ip_family": "ipv4", "service_ipv4_cidr": "172.30.0.0/16"});
    let cluster = stage
        .cluster()
        .with("control_plane_subnet_ids", json!(subnets[..2]))
        .with("kubernetes_network", network);
    let created_at = stage.made(&cluster)?;
    stage.expect_empty_plan()?;
    let seen = || {
        let answer = stage.account.call("eks", "DescribeCluster", json!({"name": NAME}));
        answer.map(|answer| answer["cluster"].clone())
    };
    expect(&seen()?, "/kubernetesNetworkConfig/serviceIpv4Cidr", &json!("172.30.0.0/16"))?;
    expect(&seen()?, "/zonalShiftConfig/enabled", &json!(true))?;
    let group = stage.network.security_group_id.clone();
    stage.configure(
        &cluster.clone().with("security_group_ids", json!([group])).with("zonal_shift", json!(false)),
    )?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    expect(&seen()?, "/resourcesVpcConfig/securityGroupIds", &json!([group]))?;
    expect(&seen()?, "/zonalShiftConfig/enabled", &json!(false))?;
    let network = json!({"service_ipv4_cidr": "172.31.0.0/16"});
    stage.configure(&cluster.clone().with("kubernetes_network", network))?;
    stage.workspace.plan(&[])?.expect_exit(1)?.expect_text("EKS0012")?;
    stage.configure(&cluster.clone().with("kubernetes_network", json!({"ip_family": "ipv4"})))?;
    stage.apply()?;
    stage.expect_empty_plan()?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_ipv6_cluster_has_a_cni_that_may_assign_addresses() -> Result<()> {
    let stage = Stage::new()?;
    stage.made(&stage.cluster().with("kubernetes_network", json!({"ip_family": "ipv6"})))?;
    stage.expect_empty_plan()?;
    let roles = stage.account.call("iam", "ListRoles", json!({}))?["Roles"].clone();
    let names = roles.as_array().into_iter().flatten().filter_map(|role| role["RoleName"].as_str());
    let cni = names.clone().find(|name| name.starts_with("prod-vpc-cni-")).explain("the CNI's role")?;
    let policies = stage.account.call("iam", "ListRolePolicies", json!({"RoleName": cni}))?;
    ensure(policies["PolicyNames"] == json!(["cni-ipv6"]), || policies.to_string())?;
    stage.expect_destroyed_completely()
}
