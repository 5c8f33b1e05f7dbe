//! `cargo faults`: every call of every scenario times every fault. Ends with `N passed, N failed`.

use std::process::ExitCode;

use acceptance_tests::local_aws::LocalAws;
use acceptance_tests::sweep::{self, Kind, Options, Scenario};
use acceptance_tests::{Failure, Result, prerequisites};

const USAGE: &str = "usage: cargo faults [OPTION …]
  --scenario NAME   only this scenario (may be repeated)
  --fault NAME      only this fault (may be repeated)
  --call NAME       only this call, such as eks:CreateCluster#1
  --sample N        at most N cases, spread over all of them (default: 450; 0: all)
  --jobs N          so many at the same time (default: 6)
  --quiet           no line per case";

fn main() -> ExitCode {
    match sweep() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(2)
        }
    }
}

fn sweep() -> Result<bool> {
    let options = options(std::env::args().skip(1).filter(|argument| argument != "--"))?;
    prerequisites::check()?;
    let clouds = LocalAws::several(sweep::SCALE_OF_SWEEPS)?;
    let report = sweep::run(&clouds, &options)?;
    let violations = clouds.iter().map(LocalAws::violations).collect::<Result<Vec<_>>>()?.concat();
    for violation in &violations {
        println!("The local AWS broke AWS's model: {violation}");
    }
    for failure in report.failures() {
        println!("\nFAILED {failure}");
    }
    println!("\n{}\n\n{}", report.table(), report.verdict());
    Ok(report.failed() == 0 && report.passed() > 0 && violations.is_empty())
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options {
        jobs: 6,
        scenarios: Vec::new(),
        kinds: Vec::new(),
        call: None,
        sample: Some(450),
        verbose: true,
    };
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().ok_or_else(|| Failure::new(format!("{argument} needs a value\n{USAGE}")));
        let unknown =
            |what: &str, name: &str| Failure::new(format!("there is no {what} named {name}\n{USAGE}"));
        match argument.as_str() {
            "--scenario" => {
                let name = value()?;
                let found = Scenario::ALL.into_iter().find(|scenario| scenario.name() == name);
                options.scenarios.push(found.ok_or_else(|| unknown("scenario", &name))?);
            }
            "--fault" => {
                let name = value()?;
                let found = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                options.kinds.push(found.ok_or_else(|| unknown("fault", &name))?);
            }
            "--call" => options.call = Some(value()?),
            "--sample" => options.sample = number(&value()?)?.into(),
            "--jobs" => options.jobs = number(&value()?)?,
            "--quiet" => options.verbose = false,
            _ => return Err(Failure::new(USAGE)),
        }
    }
    options.sample = options.sample.filter(|count| *count > 0);
    Ok(options)
}

fn number(text: &str) -> Result<usize> {
    text.parse().map_err(|_| Failure::new(format!("{text} is no number\n{USAGE}")))
}
