//! `cargo demo`: a whole cluster's life with the real Terraform against the local AWS, in about a minute.
//! `cargo demo --keep` stops while the cluster is there, for playing on.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use acceptance_tests::account::Account;
use acceptance_tests::command_line::CommandLine;
use acceptance_tests::configuration::{CLUSTER, Provider};
use acceptance_tests::failure::ensure;
use acceptance_tests::local_aws::LocalAws;
use acceptance_tests::plan_file::PlanFile;
use acceptance_tests::workspace::{Installation, Workspace};
use acceptance_tests::{Explain, Failure, Result, cache, prerequisites, provider_binary};
use serde_json::{Value, json};

/// The example that is played.
const EXAMPLE: &str = "examples/complete-cluster";
/// Where the demo changes its variables; read after `demo.auto.tfvars.json`.
const CHANGES: &str = "demo_changes.auto.tfvars.json";
/// Virtual seconds per real second: the ten minutes of a cluster take some seconds, so that one can watch.
const SCALE: u32 = 200;

fn main() -> ExitCode {
    let started = Instant::now();
    match demo() {
        Ok(()) => {
            println!("\nThe demo took {} s.", started.elapsed().as_secs());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("\nThe demo failed: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--").collect();
    let keep = match arguments.as_slice() {
        [] => false,
        [only] if only == "--keep" => true,
        _ => return Err(Failure::new("usage: cargo demo [--keep]")),
    };
    prerequisites::check()?;
    title("Building the provider");
    provider_binary::plugin()?;
    title("Starting the local AWS");
    let local_aws = if keep { LocalAws::start_detached(SCALE)? } else { LocalAws::start(SCALE)? };
    let account = local_aws.account();
    let workspace = Workspace::new(&CommandLine::terraform(), Installation::Mirror)?;
    prepare(&workspace, &account)?;
    println!("It listens on {}; the configuration is in {}", local_aws.url(), workspace.path().display());

    title("terraform init");
    succeeds(&workspace, &["init"])?;
    title("terraform plan: what a complete cluster will be, before anything is made");
    succeeds(&workspace, &["plan", "-out=create.plan"])?;
    title("terraform apply");
    succeeds(&workspace, &["apply", "create.plan"])?;
    title("What AWS holds now");
    println!("{}", account.summary()?);
    title("terraform plan again: nothing to do");
    expect(&workspace, &["plan", "-detailed-exitcode"], 0, "the plan after the apply is not empty")?;
    if keep {
        return keep_running(local_aws, workspace);
    }
    change_one_thing(&workspace)?;
    take_it_down(&workspace, &account)
}

/// Copies the example and points it at the local AWS.
fn prepare(workspace: &Workspace, account: &Account) -> Result<()> {
    copy(&cache::repository().join(EXAMPLE), workspace.path())?;
    let network = account.network()?;
    account.set_baseline()?;
    let variables = json!({"region": account.region(), "name": "demo", "subnet_ids": network.subnet_ids});
    workspace.write("demo.auto.tfvars.json", &variables.to_string())?;
    // An override file changes single arguments of the provider block and leaves the others.
    workspace.write("demo_override.tf", &Provider::of(account).with("poll_interval", json!("500ms")).block())
}

/// Copies the configuration in a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from).explain(from.display())? {
        let path = entry.explain(from.display())?.path();
        if path.extension().is_some_and(|extension| extension == "tf") {
            std::fs::copy(&path, to.join(path.file_name().unwrap_or_default())).explain(path.display())?;
        }
    }
    Ok(())
}

/// More nodes for builds: the plan must show that group and nothing else.
fn change_one_thing(workspace: &Workspace) -> Result<()> {
    title("One argument changes: the plan shows what that means, and nothing else");
    set(workspace, json!({"build_nodes": 6}))?;
    expect(workspace, &["plan", "-detailed-exitcode", "-out=change.plan"], 2, "the change is not planned")?;
    let shown = workspace.run(&["show", "-json", "change.plan"])?.expect_success()?;
    let plan = PlanFile::parse(&shown.stdout)?;
    let touched = (plan.changed_addresses(), plan.touched(CLUSTER));
    let wanted = ["node_groups", "parts.node-group/build", "status"];
    ensure(touched.0 == [CLUSTER] && touched.1 == wanted, || format!("the plan touches {touched:?}"))?;
    succeeds(workspace, &["apply", "change.plan"])?;
    expect(workspace, &["plan", "-detailed-exitcode"], 0, "the plan after the change is not empty")
}

fn take_it_down(workspace: &Workspace, account: &Account) -> Result<()> {
    title("terraform destroy: refused while deletion protection is on");
    expect(workspace, &["plan", "-destroy"], 1, "a protected cluster can be destroyed")?;
    title("Protection is switched off, on record");
    let waivers = json!({"deletion-protection-off": "the demo ends"});
    set(workspace, json!({"build_nodes": 6, "deletion_protection": false, "waivers": waivers}))?;
    succeeds(workspace, &["apply", "-auto-approve"])?;
    title("terraform destroy");
    succeeds(workspace, &["destroy", "-auto-approve"])?;
    title("What AWS holds now");
    println!("{}", account.summary()?);
    let leaks = account.leaks()?;
    ensure(leaks.is_empty(), || format!("left in AWS:\n  {}", leaks.join("\n  ")))?;
    println!("Nothing of the cluster is left.");
    workspace.expect_no_provider_left()
}

/// Sets variables of the example.
fn set(workspace: &Workspace, variables: Value) -> Result<()> {
    workspace.write(CHANGES, &variables.to_string())
}

fn keep_running(local_aws: LocalAws, workspace: Workspace) -> Result<()> {
    let process = local_aws.process_id();
    local_aws.leave_running();
    let environment = workspace.environment().to_vec();
    let folder = workspace.keep();
    title("Play on");
    let mut command = format!("cd {}", folder.display());
    for (name, value) in &environment {
        command.push_str(&format!(" && export {name}={value}"));
    }
    println!("{command} && terraform plan\n");
    println!("To end: kill {process}; rm -r {}", folder.display());
    Ok(())
}

fn succeeds(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    expect(workspace, arguments, 0, "it did not succeed")
}

fn expect(workspace: &Workspace, arguments: &[&str], code: i32, otherwise: &str) -> Result<()> {
    println!("$ terraform {}", arguments.join(" "));
    let found = workspace.run_visibly(arguments)?;
    ensure(found == code, || format!("terraform {}: exit code {found}: {otherwise}", arguments.join(" ")))
}

fn title(text: &str) {
    println!("\n── {text} ──\n");
}
