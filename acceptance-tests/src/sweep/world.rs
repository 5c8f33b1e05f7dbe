//! One account with one cluster in it, and the commands of a scenario.

use std::fmt::Write;

use serde_json::json;

use super::scenario::NAME;
use super::{Bench, Scenario};
use crate::account::{Account, Network};
use crate::configuration::Provider;
use crate::driver::{Outcome, Terraform};
use crate::failure::ensure;
use crate::fault::{Action, Fault};
use crate::journal::Journal;
use crate::{Failure, Result, processes};

/// A scenario while it runs.
pub(super) struct World {
    scenario: Scenario,
    pub(super) account: Account,
    network: Network,
    pub(super) terraform: Terraform,
    /// What has happened, for the log of a failed case.
    pub(super) log: String,
}

impl World {
    /// An empty account.
    pub(super) fn new(bench: &Bench<'_>, scenario: Scenario) -> Result<Self> {
        let account = bench.account()?;
        let network = account.network()?;
        scenario.lay_ground(&account)?;
        account.set_baseline()?;
        let provider =
            Provider::of(&account).with("max_retries", json!(2)).with("poll_interval", json!("20ms"));
        let environment = [("AWS_EC2_METADATA_DISABLED", "true"), ("NO_PROXY", "127.0.0.1")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let terraform = Terraform::new(bench.binary.clone(), environment, provider.object());
        let mut terraform = terraform.with_schemas(bench.schemas.clone());
        terraform.set_create_before_destroy(scenario == Scenario::CreateBeforeDestroy);
        Ok(Self { scenario, account, network, terraform, log: String::new() })
    }

    /// The calls of the command under test when nothing goes wrong.
    pub(super) async fn clean_journal(bench: &Bench<'_>, scenario: Scenario) -> Result<Journal> {
        let mut world = Self::new(bench, scenario)?;
        let result = async {
            world.prepare().await?;
            let mark = world.account.mark()?;
            world.command().await?.expect_success("the command without a fault")?;
            world.account.journal_since(mark)
        };
        let result = result.await;
        world.account.reset()?;
        result.map_err(|failure| {
            Failure::new(format!("clean run of {}: {failure}\n{}", scenario.name(), world.log))
        })
    }

    /// What happened before the command under test.
    pub(super) async fn prepare(&mut self) -> Result<()> {
        self.use_configuration(false);
        if self.scenario.begins_with_failure() {
            let fault = Fault::new(Action::AccessDenied).at("eks:CreateNodegroup").until_cleared();
            let fault = self.account.inject(&fault)?;
            let outcome = self.apply("the create that fails").await?;
            ensure(outcome.failed(), || "the create that must fail succeeded".to_owned())?;
            let is_tainted = self.terraform.state.current.as_ref().is_some_and(|object| object.tainted);
            ensure(is_tainted, || "a failed create did not leave a tainted object".to_owned())?;
            fault.clear()?;
        }
        if self.scenario.begins_with_cluster() {
            let before = self.scenario.configuration_before(&self.account, &self.network);
            self.terraform.configure(Some(before.object()));
            self.apply("the create").await?.expect_success("the create before")?;
            self.use_configuration(false);
        }
        Ok(())
    }

    /// The command under test.
    pub(super) async fn command(&mut self) -> Result<Outcome> {
        if self.scenario.destroys() {
            self.destroy("the destroy").await
        } else {
            self.apply("the apply").await
        }
    }

    /// The one command that must lead to the good end, and the checks of that end.
    pub(super) async fn recover(&mut self) -> Result<()> {
        if self.scenario.destroys() {
            self.destroy("the destroy afterwards").await?.expect_success("the destroy afterwards")?;
            return self.expect_nothing_left();
        }
        let created_at = self.created_at()?;
        self.use_configuration(true);
        let outcome = self.apply("the apply afterwards").await?;
        if outcome.failed() {
            self.take_back(&outcome).await?;
        }
        self.expect_good_end(created_at).await?;
        self.destroy("the destroy at the end").await?.expect_success("the destroy at the end")?;
        self.expect_nothing_left()
    }

    /// A run that was cut off after its very last call leaves a complete cluster that no state knows as complete.
    async fn take_back(&mut self, outcome: &Outcome) -> Result<()> {
        let text = outcome.text();
        let is_cut_off = self.is_complete_in_aws()?;
        ensure(is_cut_off, || format!("the apply afterwards failed:\n{text}"))?;
        if self.terraform.state.current.is_some() {
            ensure(text.contains("untaint"), || format!("the error does not name untaint:\n{text}"))?;
            self.terraform.untaint();
        } else {
            ensure(text.contains("import"), || format!("the error does not name import:\n{text}"))?;
            let outcome = self.terraform.import(NAME).await?;
            self.note("import", &outcome);
            outcome.expect_success("import")?;
        }
        self.apply("the apply after taking back")
            .await?
            .expect_success("the apply after taking back")
            .map(drop)
    }

    async fn expect_good_end(&mut self, created_at: Option<String>) -> Result<()> {
        let plan = self.terraform.plan().await?;
        self.note("the plan at the end", &plan);
        ensure(plan.is_empty_plan(), || {
            let change = plan.plan.as_ref().and_then(|plan| plan.current.as_ref());
            let differences =
                change.map(|change| change.before.differences(&change.after)).unwrap_or_default();
            format!("the plan at the end is not empty: {differences:?}\n{}", plan.text())
        })?;
        let state = &self.terraform.state;
        let is_good = state.deposed.is_empty()
            && state
                .current
                .as_ref()
                .is_some_and(|object| !object.tainted && object.value.member("status").text() == "ready");
        ensure(is_good, || format!("the state at the end is not good: {:#}", state.to_json()))?;
        let journal = self.account.journal()?;
        let deletions = journal.of("eks:DeleteCluster").len();
        ensure(deletions == 0, || format!("{deletions} calls to delete the cluster before the destroy"))?;
        ensure(journal.succeeded("eks:CreateCluster") > 0 || created_at.is_some(), || {
            "the cluster was never created".to_owned()
        })?;
        let now = self.created_at()?;
        ensure(now.is_some() && (created_at.is_none() || created_at == now), || {
            format!("the cluster is another one: created at {created_at:?}, now {now:?}")
        })
    }

    fn expect_nothing_left(&self) -> Result<()> {
        ensure(self.terraform.state.is_empty(), || {
            format!("state is left: {:#}", self.terraform.state.to_json())
        })?;
        let leaks = self.account.leaks()?;
        ensure(leaks.is_empty(), || format!("left in AWS:\n  {}", leaks.join("\n  ")))?;
        let running = processes::still_running(&self.terraform.controls().started());
        ensure(running.is_empty(), || format!("provider processes are left: {running:?}"))
    }

    fn use_configuration(&mut self, afterwards: bool) {
        let cluster = match afterwards {
            false => self.scenario.configuration(&self.account, &self.network),
            true => self.scenario.configuration_afterwards(&self.account, &self.network),
        };
        self.terraform.configure(Some(cluster.object()));
    }

    async fn apply(&mut self, what: &str) -> Result<Outcome> {
        let outcome = self.terraform.apply().await?;
        self.note(what, &outcome);
        protocol_kept(what, outcome)
    }

    async fn destroy(&mut self, what: &str) -> Result<Outcome> {
        let outcome = self.terraform.destroy().await?;
        self.note(what, &outcome);
        protocol_kept(what, outcome)
    }

    fn created_at(&self) -> Result<Option<String>> {
        if self.account.clusters()?.is_empty() {
            return Ok(None);
        }
        self.account.created_at(NAME).map(Some)
    }

    fn is_complete_in_aws(&self) -> Result<bool> {
        if self.account.clusters()?.is_empty() {
            return Ok(false);
        }
        let answer = self.account.call("eks", "DescribeCluster", json!({"name": NAME}))?;
        Ok(answer["cluster"]["tags"]["terraform-provider-eks/status"].is_null())
    }

    fn note(&mut self, what: &str, outcome: &Outcome) {
        let verdict = if outcome.failed() { "failed" } else { "succeeded" };
        let action = outcome.plan.as_ref().and_then(|plan| plan.current.as_ref()).map(|change| change.action);
        let state = self.terraform.state.to_json();
        // Writing to a text cannot fail.
        let _ =
            writeln!(self.log, "== {what}: {action:?}, {verdict}\n{}\nstate: {state:#}\n", outcome.text());
    }
}

/// No command, however disturbed, may break the protocol.
fn protocol_kept(what: &str, outcome: Outcome) -> Result<Outcome> {
    let errors = outcome.protocol_errors();
    ensure(errors.is_empty(), || format!("{what}: {}", errors.join("\n")))?;
    Ok(outcome)
}
