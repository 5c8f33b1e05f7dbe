//! Somebody deletes the whole cluster, and an update makes it again while the old one is still going.

use std::time::Duration;

use acceptance_tests::Result;
use acceptance_tests::configuration::CLUSTER;
use acceptance_tests::failure::ensure;
use acceptance_tests::local_aws::{LocalAws, SCALE_OF_TESTS};
use acceptance_tests::wait::until;
use serde_json::{Value, json};

use crate::stage::{NAME, Stage};

const PATIENCE: Duration = Duration::from_secs(60);

/// Deletes everything in the cluster, as somebody else would.
fn empty(stage: &Stage) -> Result<()> {
    let of_cluster = json!({"clusterName": NAME});
    let list = |operation: &str, member: &str| -> Result<Vec<Value>> {
        let answer = stage.account.call("eks", operation, of_cluster.clone())?;
        Ok(answer[member].as_array().cloned().unwrap_or_default())
    };
    for addon in list("ListAddons", "addons")? {
        stage.account.call("eks", "DeleteAddon", json!({"clusterName": NAME, "addonName": addon}))?;
    }
    for group in list("ListNodegroups", "nodegroups")? {
        let parameters = json!({"clusterName": NAME, "nodegroupName": group});
        stage.account.call("eks", "DeleteNodegroup", parameters)?;
    }
    until("the cluster is empty", PATIENCE, || {
        let left = list("ListNodegroups", "nodegroups")?.len() + list("ListAddons", "addons")?.len();
        Ok((left == 0).then_some(()))
    })?;
    stage.delete_left_interfaces()
}

#[test]
fn a_cluster_that_is_being_deleted_is_made_again_and_finished() -> Result<()> {
    // An AWS of its own: it is slowed down while the cluster goes.
    let aws = LocalAws::start(SCALE_OF_TESTS)?;
    let account = aws.account();
    let stage = Stage::in_account(account)?;
    let created_at = stage.made(&stage.cluster())?;
    empty(&stage)?;
    stage.account.set_scale(1)?;
    until("the cluster can be deleted", PATIENCE, || {
        Ok(stage.account.call("eks", "DeleteCluster", json!({"name": NAME})).is_ok().then_some(()))
    })?;
    let (plan, run) = stage.workspace.plan_file(&[])?;
    let run = run.expect_exit(2)?.expect_text("busy: deleting")?;
    let change = plan.change(CLUSTER).map(|change| change["after_unknown"]["endpoint"].clone());
    ensure(change == Some(json!(true)), || format!("the endpoint is planned: {change:?}\n{}", run.text()))?;
    let mark = stage.account.mark()?;
    let running = stage.workspace.start(&["apply", "-auto-approve"])?;
    until("the apply waits", PATIENCE, || {
        let looks = stage.account.journal_since(mark)?.of("eks:DescribeCluster").len();
        Ok((looks > 6).then_some(()))
    })?;
    stage.account.set_scale(SCALE_OF_TESTS)?;
    running.wait()?.expect_success()?;
    stage.expect_ready()?;
    let cluster = stage.account.call("eks", "DescribeCluster", json!({"name": NAME}))?["cluster"].clone();
    ensure(stage.account.created_at(NAME)? != created_at, || cluster.to_string())?;
    ensure(cluster["tags"].get("terraform-provider-eks/status").is_none(), || cluster.to_string())?;
    ensure(stage.current()?.text("endpoint") == cluster["endpoint"], || cluster.to_string())?;
    stage.expect_empty_plan()?;
    stage.expect_destroyed_completely()
}
