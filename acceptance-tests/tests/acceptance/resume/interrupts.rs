//! Ctrl-C, and the polite request to end.

use acceptance_tests::Result;
use acceptance_tests::configuration::CLUSTER;
use acceptance_tests::failure::ensure;
use acceptance_tests::run::Run;
use serde_json::json;

use crate::stage::{NAME, Stage, on_each_command_line};

const APPLY: [&str; 2] = ["apply", "-auto-approve"];
const MIDDLE: &str = "eks:CreateNodegroup";

/// Ctrl-C while a call hangs: the command must end although the call never gets an answer.
fn interrupted(stage: &Stage, arguments: &[&str], call: &str) -> Result<Run> {
    let held = stage.start_until(arguments, call)?;
    held.running.interrupt()?;
    let run = held.running.wait()?.expect_exit(1)?;
    held.fault.clear()?;
    stage.workspace.expect_no_provider_left()?;
    Ok(run)
}

#[test]
fn a_create_that_is_interrupted_is_saved_without_a_taint() -> Result<()> {
    on_each_command_line(|stage| {
        let dependent =
            format!("resource \"terraform_data\" \"dependent\" {{\n  input = {CLUSTER}.arn\n}}\n");
        stage.configure_with(&stage.cluster(), &dependent)?;
        interrupted(stage, &APPLY, MIDDLE)?;
        let created_at = stage.account.created_at(NAME)?;
        stage.expect_incomplete()?;
        let addresses = stage.workspace.state()?.addresses();
        ensure(addresses == [CLUSTER], || format!("in state: {addresses:?}"))?;
        stage.expect_plan("1 to add, 1 to change, 0 to destroy")?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn destroy_after_an_interrupted_create_leaves_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        stage.configure(&stage.cluster())?;
        interrupted(stage, &APPLY, "eks:CreateCluster")?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn a_second_interrupt_loses_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        stage.configure(&stage.cluster())?;
        let held = stage.start_until(&APPLY, MIDDLE)?;
        held.running.interrupt()?;
        held.running.interrupt()?;
        held.running.wait()?.expect_exit(1)?;
        held.fault.clear()?;
        stage.workspace.expect_no_provider_left()?;
        stage.workspace.remove_lock()?;
        let created_at = stage.account.created_at(NAME)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn the_request_to_end_is_an_interrupt() -> Result<()> {
    on_each_command_line(|stage| {
        stage.configure(&stage.cluster())?;
        let held = stage.start_until(&APPLY, MIDDLE)?;
        held.running.terminate()?;
        held.running.wait()?.expect_exit(1)?;
        held.fault.clear()?;
        stage.expect_incomplete()?;
        stage.workspace.expect_no_provider_left()?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn an_interrupted_update_is_told_truthfully_and_finished_later() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.made(&stage.cluster())?;
        let groups = json!({"general": {"min_size": 4}});
        stage.configure(&stage.cluster().with("node_groups", groups))?;
        interrupted(stage, &APPLY, "eks:UpdateNodegroupConfig")?;
        let current = stage.current()?;
        ensure(!current.tainted && current.status() == "degraded", || format!("{current:?}"))?;
        stage.expect_plan("0 to add, 1 to change, 0 to destroy")?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn a_resume_that_is_interrupted_goes_on_in_place() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster())?;
        interrupted(stage, &APPLY, MIDDLE)?;
        stage.expect_incomplete()?;
        stage.expect_plan("0 to add, 1 to change, 0 to destroy")?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn a_resume_that_is_interrupted_under_create_before_destroy_hands_over_later() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        interrupted(stage, &APPLY, MIDDLE)?;
        let state = stage.workspace.state()?;
        ensure(state.deposed(CLUSTER).len() == 1, || format!("{:?}", state.instances(CLUSTER)))?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn an_update_that_fails_after_an_interrupted_resume_deletes_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        interrupted(stage, &APPLY, MIDDLE)?;
        let fault = stage.account.inject(&crate::stage::refuse("eks:CreateAddon"))?;
        stage.workspace.apply(&[])?.expect_exit(1)?;
        fault.clear()?;
        stage.expect_same_cluster(&created_at)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn an_interrupted_destroy_goes_on_later() -> Result<()> {
    on_each_command_line(|stage| {
        stage.made(&stage.cluster())?;
        interrupted(stage, &["destroy", "-auto-approve"], "eks:DeleteNodegroup")?;
        stage.current()?;
        stage.expect_destroyed_completely()
    })
}
