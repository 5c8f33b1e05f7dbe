//! Every call of a command times every fault: after each, one more command must lead to the same good end.

mod case;
mod kind;
mod report;
mod scenario;
mod site;
mod world;

pub use case::Case;
pub use kind::Kind;
pub use report::Report;
pub use scenario::Scenario;
pub use site::Site;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::account::Account;
use crate::driver::{Schemas, Terraform};
use crate::local_aws::LocalAws;
use crate::{Explain, Result, cache, provider_binary};

/// Virtual seconds per real second in a sweep.
pub const SCALE_OF_SWEEPS: u32 = 20_000;

/// What is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many cases run at the same time.
    pub jobs: usize,
    /// Only these; empty for all.
    pub scenarios: Vec<Scenario>,
    /// Only these; empty for all.
    pub kinds: Vec<Kind>,
    /// Only this call, `eks:CreateCluster#1`.
    pub call: Option<String>,
    /// At most so many cases, spread over all of them.
    pub sample: Option<usize>,
    /// Whether each case prints a line when it is done.
    pub verbose: bool,
}

/// What all cases share.
pub(crate) struct Bench<'a> {
    clouds: &'a [LocalAws],
    turn: AtomicUsize,
    pub(crate) binary: PathBuf,
    pub(crate) schemas: Arc<Schemas>,
}

impl Bench<'_> {
    /// An account nobody else uses; the local AWSs take turns.
    pub(crate) fn account(&self) -> Result<Account> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let cloud = self.clouds.get(turn % self.clouds.len().max(1));
        cloud.map(LocalAws::account).explain("a sweep needs a local AWS")
    }
}

/// Runs the sweep against these local AWSs, of which there must be one at least.
pub fn run(clouds: &[LocalAws], options: &Options) -> Result<Report> {
    let started = Instant::now();
    let binary = provider_binary::plugin()?.binary.clone();
    let runtime = runtime()?;
    let mut asked = Terraform::new(binary.clone(), Vec::new(), serde_json::json!({}));
    let schemas = runtime.block_on(asked.schemas())?;
    let bench = Bench { clouds, turn: AtomicUsize::new(0), binary, schemas };
    let scenarios =
        if options.scenarios.is_empty() { Scenario::ALL.to_vec() } else { options.scenarios.clone() };
    let cases = sampled(cases(&bench, &scenarios, options)?, options.sample);
    let logs = cache::folder()?.join("logs").join(format!("faults-{}", std::process::id()));
    std::fs::create_dir_all(&logs).explain(logs.display())?;
    let report = Mutex::new(Report::default());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| -> Result<()> {
        let worker = || -> Result<()> {
            let runtime = self::runtime()?;
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = runtime.block_on(case.run(&bench));
                let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                report.add(case, result, &logs)?;
                if options.verbose {
                    println!("{}", report.progress(case, cases.len()));
                }
            }
            Ok(())
        };
        let workers: Vec<_> = (0..options.jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => Err(crate::Failure::new("a worker of the sweep panicked")),
        })
    })?;
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.duration = started.elapsed();
    Ok(report)
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().explain("starting a runtime")
}

/// Every fault at every call that the clean runs of a scenario made.
fn cases(bench: &Bench<'_>, scenarios: &[Scenario], options: &Options) -> Result<Vec<Case>> {
    let kinds = if options.kinds.is_empty() { Kind::ALL.to_vec() } else { options.kinds.clone() };
    let sites = std::thread::scope(|scope| {
        let measure = |scenario: Scenario| move || site::of_clean_runs(bench, scenario);
        let workers: Vec<_> = scenarios.iter().map(|scenario| scope.spawn(measure(*scenario))).collect();
        let joined = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => Err(crate::Failure::new("a clean run panicked")),
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let mut cases = Vec::new();
    for (scenario, sites) in scenarios.iter().zip(sites) {
        for site in sites {
            if options.call.as_ref().is_some_and(|wanted| *wanted != site.name()) {
                continue;
            }
            cases.extend(kinds.iter().map(|kind| Case {
                scenario: *scenario,
                kind: *kind,
                site: site.clone(),
            }));
        }
    }
    Ok(cases)
}

/// At most `count` of them, in equal distances, so that every scenario and every fault has its share.
fn sampled(mut cases: Vec<Case>, count: Option<usize>) -> Vec<Case> {
    let Some(count) = count.filter(|count| *count < cases.len() && *count > 0) else { return cases };
    // Neighbours share scenario and fault, so equal distances give each its share.
    cases.sort_by_key(|case| (case.scenario.name(), case.kind.name()));
    let total = cases.len();
    let chosen: Vec<usize> = (0..count).map(|index| index * total / count).collect();
    let mut index = 0;
    cases.retain(|_| {
        index += 1;
        chosen.binary_search(&(index - 1)).is_ok()
    });
    cases
}
