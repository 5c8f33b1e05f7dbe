//! Deletion protection refuses at plan, never a resume.

use acceptance_tests::Result;
use acceptance_tests::configuration::CLUSTER;
use serde_json::json;

use crate::stage::on_each_command_line;

#[test]
fn a_ready_object_is_refused_in_every_plan_that_would_delete_it() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.made(&stage.protected_cluster())?;
        let mark = stage.account.mark()?;
        stage.workspace.plan(&["-destroy"])?.expect_exit(1)?.expect_text("EKS0011")?;
        stage.workspace.destroy(&[])?.expect_exit(1)?.expect_text("EKS0011")?;
        stage.workspace.plan(&["-replace", CLUSTER])?.expect_exit(1)?.expect_text("EKS0011")?;
        stage
            .workspace
            .plan(&["-replace", CLUSTER, "-refresh=false"])?
            .expect_exit(1)?
            .expect_text("EKS0011")?;
        stage.configure_nothing()?;
        stage.workspace.plan(&[])?.expect_exit(1)?.expect_text("EKS0011")?;
        stage.configure(&stage.protected_cluster().with("name", json!("other")))?;
        stage.workspace.plan(&[])?.expect_exit(1)?;
        stage.configure(&stage.protected_cluster())?;
        stage.workspace.run(&["taint", CLUSTER])?.expect_success()?;
        stage.workspace.plan(&[])?.expect_exit(1)?.expect_text("EKS0011")?;
        stage.workspace.run(&["untaint", CLUSTER])?.expect_success()?;
        let changes = stage.account.journal_since(mark)?;
        acceptance_tests::failure::ensure(changes.mutating().is_empty(), || changes.text())?;
        stage.expect_same_cluster(&created_at)?;
        stage.expect_empty_plan()?;
        stage.configure(&stage.cluster())?;
        stage.apply()?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn a_replacement_under_create_before_destroy_is_refused_too() -> Result<()> {
    on_each_command_line(|stage| {
        stage.made(&stage.protected_cluster().created_before_destroyed())?;
        stage.workspace.plan(&["-replace", CLUSTER])?.expect_exit(1)?.expect_text("EKS0011")?;
        stage.configure(&stage.cluster())?;
        stage.apply()?;
        stage.expect_destroyed_completely()
    })
}

#[test]
fn an_incomplete_object_is_resumed_with_protection_on() -> Result<()> {
    on_each_command_line(|stage| {
        let created_at = stage.half_made(&stage.protected_cluster())?;
        stage.workspace.plan(&[])?.expect_exit(2)?.expect_text("othing is deleted")?;
        stage.apply()?;
        stage.expect_resumed(&created_at)?;
        stage.configure(&stage.cluster())?;
        stage.apply()?;
        stage.expect_destroyed_completely()
    })
}
