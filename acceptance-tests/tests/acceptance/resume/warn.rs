//! `on_failed_create = "warn"`: a failed create is no error, and a postcondition makes the exit code honest.

use acceptance_tests::Result;
use acceptance_tests::configuration::{CLUSTER, Cluster};
use acceptance_tests::failure::ensure;
use serde_json::json;

use crate::stage::{NAME, Stage, on_each_command_line, refuse};

fn warned(stage: &Stage) -> Cluster {
    stage.cluster().with("on_failed_create", json!("warn"))
}

fn dependent() -> String {
    format!("resource \"terraform_data\" \"dependent\" {{\n  input = {CLUSTER}.arn\n}}\n")
}

#[test]
fn bare_it_is_a_success_with_a_warning() -> Result<()> {
    on_each_command_line(|stage| {
        stage.configure_with(&warned(stage), &dependent())?;
        let fault = stage.account.inject(&refuse("eks:CreateNodegroup"))?;
        stage.workspace.apply(&[])?.expect_success()?.expect_text("Warning")?;
        fault.clear()?;
        let created_at = stage.account.created_at(NAME)?;
        stage.expect_incomplete()?;
        let addresses = stage.workspace.state()?.addresses();
        ensure(addresses.len() == 2, || format!("in state: {addresses:?}"))?;
        stage.expect_plan("0 to add, 1 to change, 0 to destroy")?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn with_a_postcondition_the_run_fails_and_dependents_wait() -> Result<()> {
    on_each_command_line(|stage| {
        let condition = "postcondition {\n      condition     = self.status == \"ready\"\n      \
                         error_message = \"The cluster is ${self.status}; run apply again.\"\n    }";
        stage.configure_with(&warned(stage).with_lifecycle(condition), &dependent())?;
        let fault = stage.account.inject(&refuse("eks:CreateNodegroup"))?;
        stage.workspace.apply(&[])?.expect_exit(1)?.expect_text("postcondition failed")?;
        fault.clear()?;
        let created_at = stage.account.created_at(NAME)?;
        stage.expect_incomplete()?;
        stage.expect_plan("1 to add, 1 to change, 0 to destroy")?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn a_refused_cluster_is_an_error_all_the_same() -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&warned(&stage))?;
    let fault = stage.account.inject(&refuse("eks:CreateCluster"))?;
    stage.workspace.apply(&[])?.expect_exit(1)?;
    fault.clear()?;
    stage.apply()?;
    stage.expect_ready()?;
    stage.expect_destroyed_completely()
}

#[test]
fn an_update_that_fails_after_a_warning_is_an_error() -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&warned(&stage))?;
    let fault = stage.account.inject(&refuse("eks:CreateNodegroup"))?;
    stage.apply()?;
    stage.workspace.apply(&[])?.expect_exit(1)?;
    fault.clear()?;
    let created_at = stage.account.created_at(NAME)?;
    stage.apply()?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_resume_may_end_with_a_warning() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        stage.configure(&warned(stage).created_before_destroyed())?;
        let fault = stage.account.inject(&refuse("eks:CreateNodegroup"))?;
        stage.apply()?;
        fault.clear()?;
        stage.expect_same_cluster(&created_at)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}
