//! Who owns what: another workspace, another region, a state without its private data.

use acceptance_tests::Result;
use acceptance_tests::configuration::{CLUSTER, Provider};
use acceptance_tests::failure::ensure;
use serde_json::{Value, json};

use crate::stage::{NAME, Stage, on_each_command_line};

#[test]
fn a_second_workspace_with_the_same_name_is_refused_and_harms_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.made(&stage.cluster())?;
        let other = stage.beside()?;
        other.configure(&other.cluster())?;
        let mark = stage.account.mark()?;
        other.workspace.apply(&[])?.expect_exit(1)?.expect_text("EKS0008")?.expect_text("import")?;
        let journal = stage.account.journal_since(mark)?;
        ensure(journal.mutating().is_empty(), || journal.text())?;
        ensure(other.workspace.state()?.instances(CLUSTER).is_empty(), || "something was saved".to_owned())?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn somebody_elses_cluster_is_refused_by_name() -> Result<()> {
    let stage = Stage::new()?;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": "eks.amazonaws.com"}
    }]});
    let parameters = json!({"RoleName": "theirs", "AssumeRolePolicyDocument": trust.to_string()});
    let role = stage.account.call("iam", "CreateRole", parameters)?["Role"]["Arn"].clone();
    let policy = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";
    stage.account.call("iam", "AttachRolePolicy", json!({"RoleName": "theirs", "PolicyArn": policy}))?;
    let vpc = json!({"subnetIds": stage.network.subnet_ids});
    acceptance_tests::wait::until("the role is known to EKS", std::time::Duration::from_secs(60), || {
        let parameters = json!({"name": NAME, "version": "1.35", "roleArn": role, "resourcesVpcConfig": vpc});
        Ok(stage.account.call("eks", "CreateCluster", parameters).is_ok().then_some(()))
    })?;
    acceptance_tests::wait::until("their cluster is active", std::time::Duration::from_secs(60), || {
        let answer = stage.account.call("eks", "DescribeCluster", json!({"name": NAME}))?;
        Ok((answer["cluster"]["status"] == "ACTIVE").then_some(()))
    })?;
    stage.account.set_baseline()?;
    let created_at = stage.account.created_at(NAME)?;
    stage.configure(&stage.cluster())?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("EKS0009")?;
    stage.expect_same_cluster(&created_at)?;
    // What was made for our own cluster before that was found goes away with it.
    stage.workspace.destroy(&[])?.expect_success()?;
    stage.expect_nothing_in_aws()?;
    stage.expect_same_cluster(&created_at)
}

#[test]
fn two_regions_side_by_side() -> Result<()> {
    let stage = Stage::new()?;
    let ireland = stage.account.in_region("eu-west-1");
    let network = ireland.network()?;
    stage.account.set_baseline()?;
    let other = acceptance_tests::configuration::Cluster::unprotected(NAME, &network.subnet_ids)
        .labelled("ireland")
        .with_expression("provider", "eks.ireland");
    let blocks = [
        stage.provider.block(),
        Provider::of(&ireland).block_called(Some("ireland")),
        stage.cluster().block(),
        other.block(),
    ];
    stage.workspace.configure(&blocks)?;
    stage.apply()?.expect_text("2 added")?;
    stage.expect_empty_plan()?;
    let names = [stage.account.clusters()?, ireland.clusters()?];
    ensure(names == [[NAME], [NAME]], || format!("{names:?}"))?;
    stage.workspace.configure(&[stage.provider.block(), blocks[1].clone(), stage.cluster().block()])?;
    stage.apply()?.expect_text("1 destroyed")?;
    ensure(ireland.clusters()?.is_empty(), || "the cluster in the other region is left".to_owned())?;
    stage.expect_ready()?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}

/// Removes what the provider keeps for itself from the state file.
fn wipe_private_state(stage: &Stage) -> Result<()> {
    stage.workspace.edit_state(|state| {
        for resource in state["resources"].as_array_mut().into_iter().flatten() {
            for instance in resource["instances"].as_array_mut().into_iter().flatten() {
                if let Some(members) = instance.as_object_mut() {
                    members.insert("private".to_owned(), Value::Null);
                }
            }
        }
    })
}

#[test]
fn without_its_private_data_a_cluster_is_still_destroyed_completely() -> Result<()> {
    on_each_command_line(|stage| {
        stage.made(&stage.cluster())?;
        wipe_private_state(stage)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn without_its_private_data_a_half_made_cluster_is_still_destroyed_completely() -> Result<()> {
    on_each_command_line(|stage| {
        stage.half_made(&stage.cluster())?;
        wipe_private_state(stage)?;
        stage.workspace.destroy(&["-refresh=false"])?.expect_success()?;
        stage.expect_nothing_in_aws()
    })
}

#[test]
fn without_its_private_data_a_cluster_is_put_right_without_a_change_in_aws() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    wipe_private_state(&stage)?;
    // What is decided at destroy stands in no object of AWS; it is written down again.
    let mark = stage.account.mark()?;
    stage.apply()?;
    let journal = stage.account.journal_since(mark)?;
    ensure(journal.mutating().is_empty(), || journal.text())?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_log_group_that_is_there_already_is_taken_over() -> Result<()> {
    let stage = Stage::new()?;
    let name = format!("/aws/eks/{NAME}/cluster");
    stage.account.call("logs", "CreateLogGroup", json!({"logGroupName": name}))?;
    stage.made(&stage.cluster())?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}
