//! Node groups that do not become healthy.

use acceptance_tests::Result;
use acceptance_tests::failure::ensure;
use serde_json::json;

use crate::stage::{NAME, Stage, on_each_command_line};

#[test]
fn one_of_two_fails_and_the_other_carries_the_add_ons() -> Result<()> {
    on_each_command_line(|stage| {
        let groups = json!({"good": {}, "bad": {"min_size": 1, "max_size": 2}});
        let cluster = stage.cluster().with("node_groups", groups);
        let issues = json!([{
            "code": "AsgInstanceLaunchFailures",
            "message": "You've reached your quota for maximum vCPUs",
            "resourceIds": ["asg-1"],
        }]);
        stage.configure(&cluster)?;
        // Every node group whose name begins with the key of the bad one fails.
        stage.account.script(&format!("nodegroup/{NAME}/bad"), "fail", issues)?;
        let run = stage.workspace.apply(&[])?.expect_exit(1)?;
        let run = run.expect_text("node-group/bad")?.expect_text("AsgInstanceLaunchFailures")?;
        // One broken group blocks neither the other nor the add-ons, and is the only thing reported.
        run.expect_no_text("addon/coredns failed")?;
        let failed = stage.expect_tainted()?;
        for part in ["node-group/good", "addon/coredns"] {
            ensure(failed.part_state(part) != "absent", || {
                format!("{part}: {:?}", failed.attributes["parts"])
            })?;
        }
        let created_at = stage.account.created_at(NAME)?;
        stage.account.clear_scripts()?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn a_group_that_fails_beside_a_running_cluster_is_an_update_that_failed() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let groups = json!({"general": {}, "bad": {"min_size": 1, "max_size": 2}});
    stage.configure(&stage.cluster().with("node_groups", groups))?;
    let issues =
        json!([{"code": "NodeCreationFailure", "message": "Instances failed to join", "resourceIds": []}]);
    stage.account.script(&format!("nodegroup/{NAME}/bad"), "fail", issues)?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("NodeCreationFailure")?;
    let current = stage.current()?;
    ensure(!current.tainted && current.status() == "degraded", || format!("{current:?}"))?;
    stage.account.clear_scripts()?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_degraded_group_is_shown() -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&stage.cluster())?;
    let issues = json!([{"code": "IamNodeRoleNotFound", "message": "the role is gone", "resourceIds": []}]);
    stage.account.script(&format!("nodegroup/{NAME}/general"), "degrade", issues)?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("IamNodeRoleNotFound")?;
    stage.account.clear_scripts()?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_update_that_ends_badly_is_an_error_and_the_next_apply_tries_it_again() -> Result<()> {
    let stage = Stage::new()?;
    let created_at = stage.made(&stage.cluster())?;
    let issues =
        json!([{"code": "NodeCreationFailure", "message": "Instances failed to join", "resourceIds": []}]);
    stage.account.script(&format!("nodegroup/{NAME}/general"), "fail", issues)?;
    let groups = json!({"general": {"disk_gib": 60}});
    stage.configure(&stage.cluster().with("node_groups", groups))?;
    stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("NodeCreationFailure")?;
    stage.account.clear_scripts()?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}
