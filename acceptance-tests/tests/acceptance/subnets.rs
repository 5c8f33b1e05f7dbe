//! Subnets of the user's: what a plan says about them, and their tags.

use acceptance_tests::failure::ensure;
use acceptance_tests::{Explain, Result};
use serde_json::{Value, json};

use crate::stage::{NAME, Stage, refuse};

const INTERNAL: &str = "kubernetes.io/role/internal-elb";

/// Another subnet in the network of the stage.
fn subnet(stage: &Stage, block: &str, zone: &str) -> Result<String> {
    let parameters = json!({"VpcId": stage.network.vpc_id, "CidrBlock": block, "AvailabilityZone": zone});
    let made = stage.account.call("ec2", "CreateSubnet", parameters)?;
    made["Subnet"]["SubnetId"].as_str().map(str::to_owned).explain("the subnet's id")
}

fn described(stage: &Stage, id: &str) -> Result<Value> {
    let answer = stage.account.call("ec2", "DescribeSubnets", json!({"SubnetIds": [id]}))?;
    Ok(answer["Subnets"][0].clone())
}

fn tag(stage: &Stage, id: &str, key: &str) -> Result<Option<String>> {
    let subnet = described(stage, id)?;
    let tags = subnet["Tags"].as_array().cloned().unwrap_or_default();
    let found = tags.iter().find(|tag| tag["Key"] == key);
    Ok(found.and_then(|tag| tag["Value"].as_str()).map(str::to_owned))
}

#[test]
fn a_plan_looks_at_new_subnets() -> Result<()> {
    let stage = Stage::new()?;
    let ids = &stage.network.subnet_ids;
    let zone = described(&stage, &ids[0])?["AvailabilityZone"].as_str().explain("a zone")?.to_owned();
    let (same_zone, tiny) =
        (subnet(&stage, "10.0.160.0/24", &zone)?, subnet(&stage, "10.0.161.0/28", &zone)?);
    let refused = |arguments: &[(&str, Value)], texts: &[&str]| -> Result<()> {
        let mut cluster = stage.cluster();
        for (argument, value) in arguments {
            cluster = cluster.with(argument, value.clone());
        }
        stage.configure(&cluster)?;
        let mut run = stage.workspace.plan(&[])?.expect_exit(1)?;
        for text in texts {
            run = run.expect_text(text)?;
        }
        Ok(())
    };
    refused(&[("subnet_ids", json!([ids[0], "subnet-00000000"]))], &["no such subnets", "subnet-00000000"])?;
    refused(&[("subnet_ids", json!([ids[0], same_zone]))], &["at least two zones"])?;
    let one_zone = json!({"general": {"subnet_ids": [ids[0], same_zone]}});
    refused(&[("node_groups", one_zone)], &["single-zone", &zone])?;
    let attribute = json!({"SubnetId": ids[1], "MapPublicIpOnLaunch": {"Value": true}});
    stage.account.call("ec2", "ModifySubnetAttribute", attribute)?;
    refused(&[], &["public-nodes", &ids[1]])?;
    let waiver = json!({"public-nodes": "a test of waivers", "deletion-protection-off": "tests"});
    stage.configure(&stage.cluster().with("waivers", waiver))?;
    stage.workspace.plan(&[])?.expect_exit(2)?;

    // One group for each zone is what volumes need.
    let attribute = json!({"SubnetId": ids[1], "MapPublicIpOnLaunch": {"Value": false}});
    stage.account.call("ec2", "ModifySubnetAttribute", attribute)?;
    let each = json!({"a": {"subnet_ids": [ids[0]]}, "b": {"subnet_ids": [ids[1]]}});
    stage.configure(&stage.cluster().with("node_groups", each))?;
    stage.workspace.plan(&[])?.expect_exit(2)?;
    stage.configure(&stage.cluster().with("subnet_ids", json!([ids[0], ids[1], tiny])))?;
    stage.workspace.plan(&[])?.expect_exit(2)?.expect_text("nearly full")?;
    Ok(())
}

#[test]
fn nodes_that_reach_nothing_are_warned_of_before_anything_is_made() -> Result<()> {
    const WARNING: &str = "never join the cluster";
    let stage = Stage::new()?;
    let call = |operation: &str, parameters: Value| stage.account.call("ec2", operation, parameters);
    stage.configure(&stage.cluster())?;
    stage.workspace.plan(&[])?.expect_exit(2)?.expect_no_text(WARNING)?;
    let table = call("CreateRouteTable", json!({"VpcId": stage.network.vpc_id}))?;
    let table = table["RouteTable"]["RouteTableId"].clone();
    let enclosed = &stage.network.subnet_ids[1];
    call("AssociateRouteTable", json!({"RouteTableId": table, "SubnetId": enclosed}))?;
    let run = stage.workspace.plan(&[])?.expect_exit(2)?.expect_text(WARNING)?;
    let run = run.expect_text(&format!("leads out of {enclosed}"))?;
    run.expect_text("ec2, ecr.api, ecr.dkr, eks, eks-auth, logs, s3, sts")?;

    // With an endpoint for everything no way out is needed.
    for service in ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "s3", "sts"] {
        let name = format!("com.amazonaws.{}.{service}", stage.account.region());
        let kind = if service == "s3" { "Gateway" } else { "Interface" };
        let vpc = &stage.network.vpc_id;
        call("CreateVpcEndpoint", json!({"VpcId": vpc, "ServiceName": name, "VpcEndpointType": kind}))?;
    }
    stage.workspace.plan(&[])?.expect_exit(2)?.expect_no_text(WARNING)?;
    // Who may not look plans all the same.
    let fault = stage.account.inject(&refuse("ec2:DescribeRouteTables"))?;
    stage.workspace.plan(&[])?.expect_exit(2)?;
    ensure(fault.fired()? > 0, || "nobody looked".to_owned())
}

#[test]
fn load_balancer_tags_come_and_go_and_leave_what_others_set() -> Result<()> {
    let stage = Stage::new()?;
    let id = stage.network.subnet_ids[0].clone();
    let keys = json!({"Resources": [id], "Tags": [{"Key": INTERNAL}]});
    stage.account.call("ec2", "DeleteTags", keys.clone())?;
    stage.account.set_baseline()?;
    let belongs = format!("kubernetes.io/cluster/{NAME}");
    let tagged = stage.cluster().with("tag_subnets", json!(true));
    let created_at = stage.made(&tagged)?;
    stage.expect_empty_plan()?;
    ensure(tag(&stage, &id, INTERNAL)?.as_deref() == Some("1"), || "not tagged".to_owned())?;
    ensure(tag(&stage, &id, &belongs)?.as_deref() == Some("shared"), || "not tagged".to_owned())?;
    stage.expect_import_to_fit()?;

    stage.account.call("ec2", "DeleteTags", keys)?;
    stage.workspace.plan(&[])?.expect_exit(2)?.expect_text(&id)?;
    stage.apply()?;
    ensure(tag(&stage, &id, INTERNAL)?.as_deref() == Some("1"), || "not mended".to_owned())?;

    stage.configure(&stage.cluster())?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    ensure(tag(&stage, &id, &belongs)?.is_none(), || "still tagged".to_owned())?;
    ensure(tag(&stage, &stage.network.subnet_ids[1], INTERNAL)?.is_some(), || {
        "a tag of the user's".to_owned()
    })?;
    stage.configure(&tagged)?;
    stage.apply()?;
    stage.expect_destroyed_completely()?;
    let left = described(&stage, &id)?;
    ensure(!left.to_string().contains("terraform-provider-eks/"), || left.to_string())
}
