//! `cargo measure`: how quick and how large the provider is. Prints numbers, asserts nothing.
//! `cargo measure -- --timeline`: how long a cluster takes, part by part; also writes `docs/guides/timeline.md`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use acceptance_tests::account::Account;
use acceptance_tests::configuration::{Cluster, Provider, SERVICES};
use acceptance_tests::driver::Terraform;
use acceptance_tests::journal::Journal;
use acceptance_tests::local_aws::LocalAws;
use acceptance_tests::processes::{self, Memory};
use acceptance_tests::provider_binary::{self, Profile};
use acceptance_tests::recording::Recording;
use acceptance_tests::timeline::{self, Reads};
use acceptance_tests::{Explain, Failure, Result, cache, prerequisites};
use serde_json::{Map, Value, json};

const STARTS: usize = 30;
const PLANS: usize = 15;
/// A certificate of the kind Terraform makes for each process. The provider pins it; its key is never used.
const CLIENT_CERTIFICATE: &str = include_str!("../../cases/client-certificate.pem");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--").collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => measure(),
        ["--timeline"] => draw(),
        _ => Err(Failure::new("usage: cargo measure [-- --timeline]")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    prerequisites::check()?;
    let binary = provider_binary::build(Profile::Release)?;
    let size = std::fs::metadata(&binary).explain(binary.display())?.len();
    let mut rows = vec![("release binary".to_owned(), format!("{:.1} MB", size as f64 / 1e6))];
    let starts = (0..STARTS).map(|_| handshake(&binary)).collect::<Result<Vec<_>>>()?;
    let resident =
        |memory: Option<Memory>| memory.map_or("?".to_owned(), |memory| megabytes(memory.resident));
    rows.push(("start to handshake".to_owned(), spread(starts.iter().map(|(time, _)| *time).collect())));
    rows.push(("memory when idle".to_owned(), resident(starts.last().and_then(|(_, memory)| *memory))));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().explain("a runtime")?;
    runtime.block_on(commands(&binary, &mut rows))?;
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        println!("{name:<width$}  {value}");
    }
    Ok(())
}

/// Prints what create and destroy wait for and what a plan reads, and draws it.
fn draw() -> Result<()> {
    prerequisites::check()?;
    let binary = provider_binary::build(Profile::Release)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().explain("a runtime")?;
    let measured = runtime.block_on(timeline::measured(&binary))?;
    for (name, timeline) in [("create", &measured.create), ("destroy", &measured.destroy)] {
        let (total, by_aws) = (timeline.total, timeline.by_aws());
        println!("{name}: {total:.1} s, {by_aws:.1} s by AWS, {:.1} s between", total - by_aws);
        for (seconds, between) in timeline.pauses() {
            println!("  {seconds:>5.1} s  {between}");
        }
    }
    let Reads { all, waves, repeated } = measured.plan;
    println!("plan: {all} reads in {waves} waves, {repeated} of them asked again");
    let path = cache::repository().join("docs").join("guides").join("timeline.md");
    let page = timeline::page(&[("Create", &measured.create), ("Destroy", &measured.destroy)]);
    std::fs::write(&path, page).explain(path.display())
}

/// From the start of the process to its handshake line, and its memory then.
fn handshake(binary: &Path) -> Result<(Duration, Option<Memory>)> {
    let started = Instant::now();
    let mut command = Command::new(binary);
    command.env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
    command.env("PLUGIN_CLIENT_CERT", CLIENT_CERTIFICATE).env("PLUGIN_PROTOCOL_VERSIONS", "5,6");
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .explain("the provider")?;
    let output = process.stdout.take().explain("the provider has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).explain("the handshake")?;
    let took = started.elapsed();
    let memory = processes::memory(process.id());
    process.kill().explain("ending the provider")?;
    process.wait().explain("ending the provider")?;
    Ok((took, memory))
}

async fn commands(binary: &Path, rows: &mut Vec<(String, String)>) -> Result<()> {
    let local_aws = LocalAws::start(20_000)?;
    let account = local_aws.account();
    let network = account.network()?;
    let recording = Recording::start(local_aws.address())?;
    let cluster = Cluster::unprotected("prod", &network.subnet_ids).object();
    let mut direct = terraform(binary, &account, &account.url(), &cluster);
    let mut recorded = terraform(binary, &account, &recording.url(), &cluster);

    let mark = account.mark()?;
    direct.apply().await?.expect_success("apply")?;
    rows.push(("AWS calls of the first apply".to_owned(), calls(&account.journal_since(mark)?)));
    recorded.state = direct.state.clone();
    recorded.plan().await?.expect_success("plan")?;
    let mark = account.mark()?;
    recorded.plan().await?.expect_success("plan")?;
    rows.push(("AWS calls of a plan without changes".to_owned(), calls(&account.journal_since(mark)?)));
    recording.play();
    let before = recorded.controls().timings().len();
    let mut whole = Vec::new();
    for _ in 0..PLANS {
        let started = Instant::now();
        recorded.plan().await?.expect_success("plan")?;
        whole.push(started.elapsed());
    }
    let timings = recorded.controls().timings().split_off(before);
    let of = |call: &str| timings.iter().filter(|(name, _)| *name == call).map(|(_, time)| *time).collect();
    rows.push(("refresh of one cluster, recorded answers".to_owned(), spread(of("ReadResource"))));
    rows.push(("plan of one cluster".to_owned(), spread(of("PlanResourceChange"))));
    rows.push(("both, from start to end of the process".to_owned(), spread(whole)));
    rows.push(("requests without a recorded answer".to_owned(), recording.missed().to_string()));
    if let Some(memory) = recorded.controls().memory() {
        let text = format!("{}, at most {}", megabytes(memory.resident), megabytes(memory.peak));
        rows.push(("memory after a plan".to_owned(), text));
    }
    let mark = account.mark()?;
    direct.destroy().await?.expect_success("destroy")?;
    rows.push(("AWS calls of destroy".to_owned(), calls(&account.journal_since(mark)?)));
    Ok(())
}

fn terraform(binary: &Path, account: &Account, url: &str, cluster: &Value) -> Terraform {
    let endpoints: Map<String, Value> =
        SERVICES.iter().map(|name| ((*name).to_owned(), json!(url))).collect();
    let provider = Provider::of(account).with("endpoints", Value::Object(endpoints));
    let provider = provider.with("poll_interval", json!("20ms"));
    let environment = vec![("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned())];
    let mut terraform = Terraform::new(binary.to_path_buf(), environment, provider.object());
    terraform.configure(Some(cluster.clone()));
    terraform
}

fn calls(journal: &Journal) -> String {
    let changing = journal.mutating().len();
    let mut services: std::collections::BTreeMap<&str, usize> = Default::default();
    for call in &journal.calls {
        *services.entry(&call.service).or_default() += 1;
    }
    let services: Vec<String> = services.iter().map(|(name, count)| format!("{name} {count}")).collect();
    format!("{} ({changing} changing; {})", journal.calls.len(), services.join(", "))
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let milliseconds = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let median = milliseconds(times.get(times.len() / 2));
    let (least, most) = (milliseconds(times.first()), milliseconds(times.last()));
    format!("{median:.1} ms (median of {}; {least:.1} to {most:.1})", times.len())
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn megabytes(kibibytes: u64) -> String {
    format!("{:.1} MB", kibibytes as f64 * 1024.0 / 1e6)
}
