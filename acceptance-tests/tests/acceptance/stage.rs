//! An account, a workspace and a cluster called `prod`: where every test plays.

use acceptance_tests::account::{Account, Network};
use acceptance_tests::command_line::CommandLine;
use acceptance_tests::configuration::{CLUSTER, Cluster, Provider};
use acceptance_tests::failure::ensure;
use acceptance_tests::fault::{Action, Fault};
use acceptance_tests::local_aws::LocalAws;
use acceptance_tests::run::{Run, Running};
use acceptance_tests::state_file::Instance;
use acceptance_tests::workspace::{Installation, Workspace};
use acceptance_tests::{Explain, Failure, Result};
use serde_json::json;
use std::time::Duration;

/// The name of the cluster.
pub(crate) const NAME: &str = "prod";

/// How long a call may take to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where a test plays.
pub(crate) struct Stage {
    pub(crate) account: Account,
    pub(crate) network: Network,
    pub(crate) workspace: Workspace,
    pub(crate) provider: Provider,
}

/// Plays the same on every CLI of this machine, side by side, and names those it fails on.
pub(crate) fn on_each_command_line(play: impl Fn(&Stage) -> Result<()> + Sync) -> Result<()> {
    let command_lines = CommandLine::all()?;
    let play = &play;
    let failures: Vec<String> = std::thread::scope(|scope| {
        let start = |command_line: &CommandLine| {
            let command_line = command_line.clone();
            let name = command_line.name.clone();
            (name, scope.spawn(move || Stage::on(&command_line).and_then(|stage| play(&stage))))
        };
        let running: Vec<_> = command_lines.iter().map(start).collect();
        let ended = running.into_iter().map(|(name, thread)| match thread.join() {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(format!("on {name}: {failure}")),
            Err(_) => Some(format!("on {name}: panicked")),
        });
        ended.flatten().collect()
    });
    if failures.is_empty() { Ok(()) } else { Err(Failure::new(failures.join("\n\n"))) }
}

impl Stage {
    /// With the `terraform` on the path.
    pub(crate) fn new() -> Result<Self> {
        Self::on(&CommandLine::terraform())
    }

    /// With this CLI.
    pub(crate) fn on(command_line: &CommandLine) -> Result<Self> {
        Self::with(command_line, LocalAws::shared()?.account())
    }

    /// In an account of another local AWS.
    pub(crate) fn in_account(account: Account) -> Result<Self> {
        Self::with(&CommandLine::terraform(), account)
    }

    fn with(command_line: &CommandLine, account: Account) -> Result<Self> {
        let network = account.network()?;
        account.set_baseline()?;
        let workspace = Workspace::new(command_line, Installation::Override)?;
        let provider = Provider::of(&account);
        Ok(Self { account, network, workspace, provider })
    }

    /// Another workspace in the same account.
    pub(crate) fn beside(&self) -> Result<Self> {
        let workspace = Workspace::new(&CommandLine::terraform(), Installation::Override)?;
        let (account, network, provider) =
            (self.account.clone(), self.network.clone(), self.provider.clone());
        Ok(Self { account, network, workspace, provider })
    }

    /// A cluster that `destroy` deletes.
    pub(crate) fn cluster(&self) -> Cluster {
        Cluster::unprotected(NAME, &self.network.subnet_ids)
    }

    /// A cluster as users get it.
    pub(crate) fn protected_cluster(&self) -> Cluster {
        Cluster::minimal(NAME, &self.network.subnet_ids)
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, cluster: &Cluster) -> Result<()> {
        self.configure_with(cluster, "")
    }

    /// Writes the configuration with more blocks.
    pub(crate) fn configure_with(&self, cluster: &Cluster, more: &str) -> Result<()> {
        self.workspace.configure(&[self.provider.block(), cluster.block(), more.to_owned()])
    }

    /// Writes a configuration without the cluster.
    pub(crate) fn configure_nothing(&self) -> Result<()> {
        self.workspace.configure(&[self.provider.block()])
    }

    /// Applies and expects success.
    pub(crate) fn apply(&self) -> Result<Run> {
        self.workspace.apply(&[])?.expect_success()
    }

    /// An apply that may not make node groups: exit code 1, a tainted object.
    pub(crate) fn apply_that_fails(&self) -> Result<Run> {
        let fault = self.account.inject(&refuse("eks:CreateNodegroup"))?;
        let run = self.workspace.apply(&[])?.expect_exit(1)?;
        ensure(fault.fired()? > 0, || format!("nothing was refused\n{}", run.text()))?;
        fault.clear()?;
        Ok(run)
    }

    /// A failed first create: saved, tainted, incomplete.
    pub(crate) fn half_made(&self, cluster: &Cluster) -> Result<String> {
        self.configure(cluster)?;
        self.apply_that_fails()?;
        self.expect_tainted()?;
        self.account.created_at(NAME)
    }

    /// Deletes the interfaces that nodes leave behind: they would keep the security group of a cluster alive that
    /// is deleted behind our back.
    pub(crate) fn delete_left_interfaces(&self) -> Result<()> {
        let filters = json!([{"Name": "status", "Values": ["available"]}]);
        let left = self.account.call("ec2", "DescribeNetworkInterfaces", json!({"Filters": filters}))?;
        for interface in left["NetworkInterfaces"].as_array().into_iter().flatten() {
            let parameters = json!({"NetworkInterfaceId": interface["NetworkInterfaceId"]});
            self.account.call("ec2", "DeleteNetworkInterface", parameters)?;
        }
        Ok(())
    }

    /// The state is lost, and an import fits the configuration.
    pub(crate) fn expect_import_to_fit(&self) -> Result<()> {
        self.workspace.run(&["state", "rm", CLUSTER])?.expect_success()?;
        self.workspace.run(&["import", CLUSTER, NAME])?.expect_success()?;
        let (plan, run) = self.workspace.plan_file(&[])?;
        let touched = plan.touched(CLUSTER);
        // Reasons of waivers are nowhere in AWS.
        let expected = |name: &String| name == "waivers" || name == "status";
        ensure(touched.iter().all(expected), || format!("{touched:?}\n{}", run.text()))?;
        self.apply()?;
        self.expect_empty_plan()
    }

    /// A complete cluster.
    pub(crate) fn made(&self, cluster: &Cluster) -> Result<String> {
        self.configure(cluster)?;
        self.apply()?;
        self.expect_ready()?;
        self.account.created_at(NAME)
    }

    /// Starts a command and answers while a call of it is in flight, after its effect.
    pub(crate) fn start_until(&self, arguments: &[&str], call: &str) -> Result<Held> {
        let fault = self.account.inject(&Fault::new(Action::Hold).at(call))?;
        let running = self.workspace.start(arguments)?;
        if !fault.fired_within(PATIENCE)? {
            running.kill_everything()?;
            let run = running.wait()?;
            return Err(Failure::new(format!("{call} was not called\n{}", run.text())));
        }
        Ok(Held { fault, running })
    }

    /// Kills the provider of a command while a call of it is in flight, after its effect.
    pub(crate) fn kill_at(&self, arguments: &[&str], call: &str) -> Result<Run> {
        let held = self.start_until(arguments, call)?;
        held.running.kill_provider()?;
        held.fault.clear()?;
        held.running.wait()?.expect_exit(1)
    }

    /// The one current object; it must be there.
    pub(crate) fn current(&self) -> Result<Instance> {
        self.workspace.state()?.current(CLUSTER).explain("the cluster is not in the state")
    }

    /// The current object is tainted and incomplete.
    pub(crate) fn expect_tainted(&self) -> Result<Instance> {
        let current = self.current()?;
        ensure(current.tainted && current.status() == "incomplete", || {
            format!("not tainted and incomplete: {current:?}")
        })?;
        Ok(current)
    }

    /// The current object is not tainted, and incomplete.
    pub(crate) fn expect_incomplete(&self) -> Result<Instance> {
        let current = self.current()?;
        let is_right = !current.tainted && current.status() == "incomplete";
        ensure(is_right, || format!("not untainted and incomplete: {current:?}"))?;
        Ok(current)
    }

    /// The one object is ready, and nothing is deposed.
    pub(crate) fn expect_ready(&self) -> Result<Instance> {
        let state = self.workspace.state()?;
        let current = self.current()?;
        let is_right = !current.tainted && current.status() == "ready" && state.deposed(CLUSTER).is_empty();
        ensure(is_right, || format!("not one ready object: {:?}", state.instances(CLUSTER)))?;
        Ok(current)
    }

    /// Neither the plan nor a refresh finds anything.
    pub(crate) fn expect_empty_plan(&self) -> Result<()> {
        self.workspace.plan(&[])?.expect_exit(0).map(drop)
    }

    /// The next plan does this, as the CLI says it: `0 to add, 1 to change, 0 to destroy`.
    pub(crate) fn expect_plan(&self, summary: &str) -> Result<Run> {
        self.workspace.plan(&[])?.expect_exit(2)?.expect_text(&format!("Plan: {summary}."))
    }

    /// Nobody has tried to delete the cluster, and it is still the one it was.
    pub(crate) fn expect_same_cluster(&self, created_at: &str) -> Result<()> {
        let deletions = self.account.journal()?.of("eks:DeleteCluster").len();
        ensure(deletions == 0, || format!("{deletions} calls to delete the cluster"))?;
        let now = self.account.created_at(NAME)?;
        ensure(now == created_at, || format!("another cluster: made at {created_at}, now {now}"))
    }

    /// Ready, the same cluster, nothing to plan: what every resume must lead to.
    pub(crate) fn expect_resumed(&self, created_at: &str) -> Result<()> {
        self.expect_ready()?;
        self.expect_same_cluster(created_at)?;
        self.expect_empty_plan()
    }

    /// Destroys, and nothing is left anywhere.
    pub(crate) fn expect_destroyed_completely(&self) -> Result<()> {
        let run = self.workspace.destroy(&[])?.expect_success()?;
        let state = self.workspace.state()?;
        ensure(state.instances(CLUSTER).is_empty(), || format!("state is left\n{}", run.text()))?;
        self.expect_nothing_in_aws()?;
        self.workspace.expect_no_provider_left()
    }

    /// The account holds what it held before.
    pub(crate) fn expect_nothing_in_aws(&self) -> Result<()> {
        let leaks = self.account.leaks()?;
        ensure(leaks.is_empty(), || format!("left in AWS:\n  {}", leaks.join("\n  ")))
    }
}

/// A command that runs while one call of its provider gets no answer.
pub(crate) struct Held {
    pub(crate) fault: acceptance_tests::account::SetFault,
    pub(crate) running: Running,
}

/// The operation is not allowed until the fault is cleared: not tried again, so commands end quickly.
pub(crate) fn refuse(action: &str) -> Fault {
    Fault::new(Action::AccessDenied).at(action).until_cleared()
}
