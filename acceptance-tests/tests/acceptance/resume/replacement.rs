//! The same stories with `create_before_destroy`.

use acceptance_tests::Result;
use acceptance_tests::configuration::CLUSTER;
use acceptance_tests::failure::ensure;

use crate::stage::{NAME, Stage, on_each_command_line};

/// What is in the state: the current object, and how many deposed ones.
fn deposed(stage: &Stage) -> Result<usize> {
    Ok(stage.workspace.state()?.deposed(CLUSTER).len())
}

#[test]
fn the_next_apply_continues_and_deletes_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        // The CLI says "destroyed"; the warning says what really happened.
        stage.apply()?.expect_text("1 added, 0 changed, 1 destroyed")?.expect_text(NAME)?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn it_may_fail_again() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        stage.apply_that_fails()?;
        stage.expect_tainted()?;
        ensure(deposed(stage)? == 1, || "the first object is not deposed".to_owned())?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn destroy_after_two_failures_leaves_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        stage.half_made(&stage.cluster().created_before_destroyed())?;
        stage.apply_that_fails()?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn untaint_after_two_failures_updates_and_hands_over() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.cluster().created_before_destroyed())?;
        stage.apply_that_fails()?;
        stage.workspace.run(&["untaint", CLUSTER])?.expect_success()?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn a_complete_object_cannot_exist_twice() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.made(&stage.cluster().created_before_destroyed())?;
        stage.workspace.apply(&["-replace", CLUSTER])?.expect_exit(1)?.expect_text("cannot exist twice")?;
        stage.expect_ready()?;
        stage.expect_same_cluster(&created_at)?;
        stage.expect_empty_plan()?;
        stage.expect_destroyed_completely()
    })
}

/// The resume succeeds, a dependent fails: the deposed object stays in the state beside the ready one.
fn with_a_deposed_object_left_over(stage: &Stage) -> Result<String> {
    let cluster = stage.cluster().created_before_destroyed();
    let dependent = |command: &str| {
        format!(
            "resource \"terraform_data\" \"dependent\" {{\n  triggers_replace = [\"{command}\", {CLUSTER}.generation]\n  \
             provisioner \"local-exec\" {{\n    command = \"{command}\"\n  }}\n}}\n"
        )
    };
    stage.half_made(&cluster)?;
    let created_at = stage.account.created_at(NAME)?;
    stage.configure_with(&cluster, &dependent("exit 1"))?;
    stage.workspace.apply(&[])?.expect_exit(1)?;
    ensure(deposed(stage)? == 1, || "no deposed object was left over".to_owned())?;
    ensure(stage.current()?.status() == "ready", || "the resume did not finish".to_owned())?;
    stage.configure_with(&cluster, &dependent("exit 0"))?;
    Ok(created_at)
}

#[test]
fn a_deposed_object_that_was_left_over_is_handed_over() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = with_a_deposed_object_left_over(stage)?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn destroy_with_a_deposed_object_left_over_leaves_nothing() -> Result<()> {
    on_each_command_line(|stage| {
        with_a_deposed_object_left_over(stage)?;
        stage.expect_destroyed_completely()
    })
}
