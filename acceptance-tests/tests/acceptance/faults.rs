//! A sample of the fault sweep: most of it with the driver, some of it with the real CLI.

use acceptance_tests::Result;
use acceptance_tests::failure::ensure;
use acceptance_tests::fault::{Action, Fault};
use acceptance_tests::local_aws::LocalAws;
use acceptance_tests::sweep::{self, Options, SCALE_OF_SWEEPS};

use crate::stage::{NAME, Stage};

#[test]
fn sixty_cases_of_the_sweep() -> Result<()> {
    acceptance_tests::prerequisites::check()?;
    let clouds = LocalAws::several(SCALE_OF_SWEEPS)?;
    let options = Options {
        jobs: 3,
        scenarios: Vec::new(),
        kinds: Vec::new(),
        call: None,
        sample: Some(60),
        verbose: false,
    };
    let report = sweep::run(&clouds, &options)?;
    ensure(report.failed() == 0, || format!("{}\n{}", report.failures().join("\n"), report.table()))?;
    ensure(report.passed() == 60, || report.verdict())
}

/// A fault that hits the first apply; one more apply must be enough.
fn one_more_apply_is_enough(fault: &Fault) -> Result<()> {
    let stage = Stage::new()?;
    stage.configure(&stage.cluster())?;
    let set = stage.account.inject(fault)?;
    stage.workspace.apply(&[])?;
    ensure(set.fired()? > 0, || format!("the fault did not fire: {fault:?}"))?;
    set.clear()?;
    stage.apply()?;
    let created_at = stage.account.created_at(NAME)?;
    stage.expect_resumed(&created_at)?;
    stage.expect_destroyed_completely()
}

#[test]
fn a_lost_answer_to_create_cluster() -> Result<()> {
    one_more_apply_is_enough(&Fault::new(Action::ResetAfter).at("eks:CreateCluster"))
}

#[test]
fn a_lost_answer_to_create_key() -> Result<()> {
    one_more_apply_is_enough(&Fault::new(Action::ResetAfter).at("kms:CreateKey"))
}

#[test]
fn a_lost_answer_to_create_role() -> Result<()> {
    one_more_apply_is_enough(&Fault::new(Action::ResetAfter).at("iam:CreateRole").times(2))
}

#[test]
fn credentials_that_expire() -> Result<()> {
    one_more_apply_is_enough(&Fault::new(Action::ExpiredToken).occurrence(40).until_cleared())
}

#[test]
fn server_errors_without_end() -> Result<()> {
    one_more_apply_is_enough(&Fault::new(Action::InternalError).at("eks:*").occurrence(8).until_cleared())
}

#[test]
fn throttled_node_groups() -> Result<()> {
    one_more_apply_is_enough(&Fault::new(Action::Throttle).at("eks:CreateNodegroup").times(2))
}

#[test]
fn stale_reads() -> Result<()> {
    one_more_apply_is_enough(&Fault::new(Action::StaleRead).at("*:Describe*").times(5))
}

#[test]
fn stalled_answers() -> Result<()> {
    one_more_apply_is_enough(&Fault::new(Action::Stall).at("eks:CreateAddon").times(2))
}
