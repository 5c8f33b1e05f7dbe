//! What a plan of a full cluster asks AWS: little, nothing twice, and everything at once.

use std::collections::{BTreeMap, BTreeSet};

use acceptance_tests::configuration::Cluster;
use acceptance_tests::failure::ensure;
use acceptance_tests::fault::{Action, Fault};
use acceptance_tests::journal::{Call, Journal};
use acceptance_tests::timeline::{full_cluster, repeated};
use acceptance_tests::{Result, wait};
use serde_json::json;

use crate::stage::{PATIENCE, Stage};

/// The full cluster, with images.
fn cluster(stage: &Stage) -> Result<Cluster> {
    let cluster = full_cluster(&stage.account)?;
    stage.account.set_baseline()?;
    let rules = json!({"public": {"upstream": "public.ecr.aws"}, "quay": {"upstream": "quay.io"}});
    let cluster = cluster.with("image_repositories", json!({"api": {}}));
    Ok(cluster.with("image_registry", json!({"pull_through": rules})))
}

/// How often each operation was called.
fn counts(journal: &Journal) -> BTreeMap<String, usize> {
    journal.calls.iter().fold(BTreeMap::new(), |mut counts, call| {
        *counts.entry(call.action()).or_default() += 1;
        counts
    })
}

#[test]
fn a_plan_asks_little_nothing_twice_and_everything_at_once() -> Result<()> {
    let stage = Stage::new()?;
    let cluster = cluster(&stage)?;
    stage.made(&cluster)?;
    let mark = stage.account.mark()?;
    stage.expect_empty_plan()?;
    let journal = stage.account.journal_since(mark)?;
    let counts = counts(&journal);
    ensure(repeated(&journal) == 0, || format!("asked twice:\n{}", journal.text()))?;
    // Observability and images come on top: CloudWatch and ECR tell tags of one object at a time.
    let is_more = |call: &&Call| {
        let resource = call.resource.as_deref().unwrap_or_default();
        let of_images = call.service == "ecr" || call.operation == "ListRoleTags";
        of_images || call.service == "monitoring" || resource.contains("/aws/containerinsights/")
    };
    let more = journal.calls.iter().filter(is_more).count();
    ensure(journal.calls.len() - more <= 45 && more <= 13 + 7, || {
        format!(
            "{} reads, {more} of them for more than the budget is about: {counts:#?}",
            journal.calls.len()
        )
    })?;

    // No look is answered before all of them have come: only whose account it is has to be known before.
    let looks: Vec<&str> =
        journal.calls.iter().map(|call| call.service.as_str()).filter(|service| *service != "sts").collect();
    for service in looks.iter().collect::<BTreeSet<_>>() {
        stage.account.inject(&Fault::new(Action::HoldBefore).at(&format!("{service}:*")).until_cleared())?;
    }
    let mark = stage.account.mark()?;
    let running = stage.workspace.start(&["plan", "-detailed-exitcode"])?;
    let all_came = wait::until("all looks", PATIENCE, || {
        let journal = stage.account.journal_since(mark)?;
        let waiting = journal.calls.iter().filter(|call| call.outcome.is_none()).count();
        Ok((waiting == looks.len()).then_some(()))
    });
    stage.account.clear_faults()?;
    let ended = running.wait()?;
    all_came.map_err(|failure| {
        let text = stage.account.journal_since(mark).map(|journal| journal.text()).unwrap_or_default();
        acceptance_tests::Failure::new(format!("{failure}; of {} these had come:\n{text}", looks.len()))
    })?;
    ended.expect_exit(0)?;
    stage.expect_destroyed_completely()
}
