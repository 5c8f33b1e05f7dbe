//! Two states that both mean the same cluster. Only one may own it.

use acceptance_tests::Result;
use acceptance_tests::configuration::CLUSTER;
use acceptance_tests::failure::ensure;

use crate::stage::{NAME, on_each_command_line};

#[test]
fn the_state_that_lost_cannot_destroy_the_others_cluster() -> Result<()> {
    on_each_command_line(|first| {
        let created_at = first.half_made(&first.cluster())?;
        let second = first.beside()?;
        second.configure(&second.cluster())?;
        second.apply()?;
        second.expect_ready()?;
        // The first state still holds it as tainted and unfinished; in AWS it is complete with another generation.
        let run = first.workspace.destroy(&[])?.expect_exit(1)?;
        run.expect_text("EKS0010")?.expect_text("untaint")?.expect_text("state rm")?;
        first.workspace.apply(&[])?.expect_exit(1)?;
        first.expect_same_cluster(&created_at)?;
        second.expect_empty_plan()?;
        second.expect_destroyed_completely()
    })
}

#[test]
fn taking_over_is_an_explicit_act() -> Result<()> {
    on_each_command_line(|first| {
        first.half_made(&first.cluster())?;
        let second = first.beside()?;
        second.configure(&second.cluster())?;
        second.apply()?;
        first.workspace.run(&["untaint", CLUSTER])?.expect_success()?;
        first.apply()?;
        first.expect_ready()?;
        first.expect_empty_plan()?;
        let clusters = first.account.clusters()?;
        ensure(clusters == [NAME], || format!("clusters: {clusters:?}"))?;
        first.expect_destroyed_completely()
    })
}
