//! The driver must do what the CLI does, else what it proves is about nothing.

use acceptance_tests::configuration::{CLUSTER, Cluster};
use acceptance_tests::driver::Terraform;
use acceptance_tests::journal::Journal;
use acceptance_tests::{Explain, Result, provider_binary};

use crate::stage::{Stage, refuse};

/// What a step left behind.
#[derive(Debug, PartialEq)]
struct After {
    step: &'static str,
    failed: bool,
    /// Whether the current object is tainted, and its status.
    current: Option<(bool, String)>,
    deposed: usize,
    /// The changing calls, without their order: parts are made side by side.
    changes: Vec<String>,
}

/// The steps of the story, and whether node groups are refused in them.
const STORY: [(&str, bool); 5] =
    [("apply", true), ("apply", true), ("apply", false), ("apply", false), ("destroy", false)];

fn changes(journal: &Journal) -> Vec<String> {
    let mut actions: Vec<String> = journal.mutating().into_iter().map(|call| call.action()).collect();
    actions.sort();
    actions
}

fn with_the_command_line(configured: impl Fn(&Stage) -> Cluster) -> Result<Vec<After>> {
    let stage = Stage::new()?;
    stage.configure(&configured(&stage))?;
    let step = |(step, refused): (&'static str, bool)| {
        let mark = stage.account.mark()?;
        if refused {
            stage.account.inject(&refuse("eks:CreateNodegroup"))?;
        }
        let run = stage.workspace.run(&[step, "-auto-approve"])?;
        stage.account.clear_faults()?;
        let state = stage.workspace.state()?;
        let current = state.current(CLUSTER).map(|object| (object.tainted, object.status().to_owned()));
        let changes = changes(&stage.account.journal_since(mark)?);
        let (failed, deposed) = (run.exit_code != 0, state.deposed(CLUSTER).len());
        Ok(After { step, failed, current, deposed, changes })
    };
    STORY.into_iter().map(step).collect()
}

fn with_the_driver(
    configured: impl Fn(&Stage) -> Cluster,
    create_before_destroy: bool,
) -> Result<Vec<After>> {
    let stage = Stage::new()?;
    let binary = provider_binary::plugin()?.binary.clone();
    let mut terraform = Terraform::new(binary, Vec::new(), stage.provider.object());
    terraform.set_create_before_destroy(create_before_destroy);
    terraform.configure(Some(configured(&stage).object()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.explain("starting a runtime")?;
    let step = |(step, refused): (&'static str, bool)| {
        let mark = stage.account.mark()?;
        if refused {
            stage.account.inject(&refuse("eks:CreateNodegroup"))?;
        }
        let outcome = match step {
            "destroy" => runtime.block_on(terraform.destroy())?,
            _ => runtime.block_on(terraform.apply())?,
        };
        stage.account.clear_faults()?;
        let text =
            |object: &acceptance_tests::driver::Object| object.value.member("status").text().to_owned();
        let current = terraform.state.current.as_ref().map(|object| (object.tainted, text(object)));
        let changes = changes(&stage.account.journal_since(mark)?);
        Ok(After { step, failed: outcome.failed(), current, deposed: terraform.state.deposed.len(), changes })
    };
    STORY.into_iter().map(step).collect()
}

#[test]
fn the_same_story_leaves_the_same_behind() -> Result<()> {
    assert_eq!(with_the_command_line(Stage::cluster)?, with_the_driver(Stage::cluster, false)?);
    Ok(())
}

#[test]
fn the_same_story_with_create_before_destroy_leaves_the_same_behind() -> Result<()> {
    let configured = |stage: &Stage| stage.cluster().created_before_destroyed();
    assert_eq!(with_the_command_line(configured)?, with_the_driver(configured, true)?);
    Ok(())
}
