//! The provider, the CLI or both are killed. Nothing they would have said is saved.

use std::time::Duration;

use acceptance_tests::Result;
use acceptance_tests::configuration::CLUSTER;
use acceptance_tests::failure::ensure;
use acceptance_tests::wait;
use serde_json::json;

use crate::stage::{NAME, Stage, on_each_command_line};

const APPLY: [&str; 2] = ["apply", "-auto-approve"];
/// The last call of a create: it takes the mark away.
const LAST_CALL: &str = "eks:UntagResource";
/// A call in the middle of a create.
const MIDDLE: &str = "eks:CreateNodegroup";

fn is_saved(stage: &Stage) -> Result<bool> {
    Ok(!stage.workspace.state()?.instances(CLUSTER).is_empty())
}

#[test]
fn killed_in_the_first_create_the_next_apply_continues() -> Result<()> {
    on_each_command_line(|stage| {
        stage.configure(&stage.cluster())?;
        stage.kill_at(&APPLY, MIDDLE)?;
        ensure(!is_saved(stage)?, || "something was saved".to_owned())?;
        let created_at = stage.account.created_at(NAME)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn killed_after_the_last_call_import_takes_it() -> Result<()> {
    on_each_command_line(|stage| {
        stage.configure(&stage.cluster())?;
        stage.kill_at(&APPLY, LAST_CALL)?;
        let created_at = stage.account.created_at(NAME)?;
        stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("EKS0008")?.expect_text("import")?;
        stage.workspace.run(&["import", CLUSTER, NAME])?.expect_success()?;
        stage.expect_ready()?;
        stage.expect_same_cluster(&created_at)?;
        // Arguments that AWS does not know show once, and change nothing there.
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn killed_after_the_last_call_an_import_block_takes_it() -> Result<()> {
    on_each_command_line(|stage| {
        stage.configure(&stage.cluster())?;
        stage.kill_at(&APPLY, LAST_CALL)?;
        let created_at = stage.account.created_at(NAME)?;
        let import = format!("import {{\n  to = {CLUSTER}\n  id = \"{NAME}\"\n}}\n");
        stage.configure_with(&stage.cluster(), &import)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.configure(&stage.cluster())?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn killed_in_a_resumed_create_the_next_apply_continues() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster())?;
        stage.kill_at(&APPLY, MIDDLE)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn killed_in_a_resumed_create_before_destroy_destroy_leaves_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        stage.half_made(&stage.cluster().created_before_destroyed())?;
        stage.kill_at(&APPLY, MIDDLE)?;
        stage.expect_tainted()?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn killed_in_a_resumed_create_before_destroy_the_next_apply_continues() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        stage.kill_at(&APPLY, MIDDLE)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn killed_after_the_last_call_of_a_resume_untaint_takes_it() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        stage.kill_at(&APPLY, LAST_CALL)?;
        stage.expect_tainted()?;
        stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("untaint")?;
        // The state says unfinished, AWS says complete: whose it is cannot be told, so nothing is deleted.
        stage.workspace.destroy(&[])?.expect_exit(1)?.expect_text("untaint")?.expect_text("state rm")?;
        stage.expect_same_cluster(&created_at)?;
        stage.workspace.run(&["untaint", CLUSTER])?.expect_success()?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn a_killed_command_line_leaves_no_provider_behind() -> Result<()> {
    on_each_command_line(|stage| {
        stage.configure(&stage.cluster())?;
        let held = stage.start_until(&APPLY, MIDDLE)?;
        let created_at = stage.account.created_at(NAME)?;
        held.running.kill_command_line()?;
        stage.workspace.expect_no_provider_left()?;
        held.fault.clear()?;
        held.running.wait()?;
        stage.workspace.remove_lock()?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn both_killed_in_a_resumed_create() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        let held = stage.start_until(&APPLY, MIDDLE)?;
        held.running.kill_everything()?;
        held.fault.clear()?;
        held.running.wait()?;
        stage.workspace.remove_lock()?;
        stage.expect_tainted()?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn killed_in_an_update_the_next_apply_finishes_it() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.made(&stage.cluster())?;
        let groups = json!({"general": {}, "more": {"min_size": 1, "max_size": 2}});
        stage.configure(&stage.cluster().with("node_groups", groups))?;
        stage.kill_at(&APPLY, MIDDLE)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn killed_in_a_destroy_the_next_destroy_leaves_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        stage.made(&stage.cluster())?;
        stage.kill_at(&["destroy", "-auto-approve"], "eks:DeleteCluster")?;
        ensure(is_saved(stage)?, || "the state was lost".to_owned())?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn two_providers_at_once_do_not_both_own_the_cluster() -> Result<()> {
    on_each_command_line(|first| {
        // The first run hangs in the middle while a second one, with a state of its own, takes over.
        first.configure(&first.cluster())?;
        let held = first.start_until(&APPLY, MIDDLE)?;
        let second = first.beside()?;
        second.configure(&second.cluster())?;
        let mut other = second.workspace.start(&APPLY)?;
        let journal = || first.account.journal();
        wait::until("the second run adopts the cluster", Duration::from_secs(60), || {
            Ok((journal()?.succeeded("eks:TagResource") > 0 || other.has_ended()?).then_some(()))
        })?;
        let other = other.wait()?.expect_success()?;
        held.fault.clear()?;
        held.running.wait()?.expect_exit(1)?.expect_text("EKS0010")?;
        second.expect_ready()?;
        ensure(other.exit_code == 0, || other.text())?;
        // What the first run saved must not harm the second one's cluster.
        first.workspace.destroy(&[])?.expect_exit(1)?;
        second.expect_empty_plan()?;
        second.expect_destroyed_completely()
    })
}
