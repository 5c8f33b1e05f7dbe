//! What came out of a sweep.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::case::{Broken, Case};
use super::{Kind, Scenario};
use crate::{Explain, Result};

/// Counts per scenario and fault, and what failed.
#[derive(Debug, Default)]
pub struct Report {
    counts: BTreeMap<(Scenario, Kind), (usize, usize)>,
    failures: Vec<String>,
    pub(super) duration: Duration,
}

impl Report {
    pub(super) fn add(
        &mut self,
        case: &Case,
        result: std::result::Result<(), Broken>,
        logs: &Path,
    ) -> Result<()> {
        let (passed, failed) = self.counts.entry((case.scenario, case.kind)).or_default();
        match result {
            Ok(()) => *passed += 1,
            Err(broken) => {
                *failed += 1;
                let log = write_log(case, &broken, logs)?;
                let reason = broken.reason.replace('\n', "\n    ");
                self.failures.push(format!("{}\n    log: {}\n    {reason}", case.command(), log.display()));
            }
        }
        Ok(())
    }

    /// One line about a case that has just ended.
    pub(super) fn progress(&self, case: &Case, total: usize) -> String {
        let done = self.passed() + self.failed();
        let failed = match self.failed() {
            0 => String::new(),
            count => format!(", {count} failed"),
        };
        format!("{done}/{total}{failed}: {} {} {}", case.scenario.name(), case.kind.name(), case.site.name())
    }

    /// How many cases came to the good end.
    pub fn passed(&self) -> usize {
        self.counts.values().map(|(passed, _)| passed).sum()
    }

    /// How many did not.
    pub fn failed(&self) -> usize {
        self.counts.values().map(|(_, failed)| failed).sum()
    }

    /// What failed, each with how to repeat it and where its log is.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Runs per scenario and fault, and how many of them failed.
    pub fn table(&self) -> String {
        let kinds: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| self.counts.keys().any(|(_, known)| known == kind)).collect();
        let mut text = format!("{:<24}", "");
        kinds.iter().for_each(|kind| text.push_str(&format!("{:>18}", kind.name())));
        for scenario in Scenario::ALL {
            if !self.counts.keys().any(|(known, _)| *known == scenario) {
                continue;
            }
            text.push_str(&format!("\n{:<24}", scenario.name()));
            for kind in &kinds {
                let cell = match self.counts.get(&(scenario, *kind)) {
                    None => "-".to_owned(),
                    Some((passed, 0)) => passed.to_string(),
                    Some((passed, failed)) => format!("{} ({failed} failed)", passed + failed),
                };
                text.push_str(&format!("{cell:>18}"));
            }
        }
        text
    }

    /// `N passed, N failed in N s`.
    pub fn verdict(&self) -> String {
        format!("{} passed, {} failed in {} s", self.passed(), self.failed(), self.duration.as_secs())
    }
}

fn write_log(case: &Case, broken: &Broken, logs: &Path) -> Result<PathBuf> {
    let name = format!("{}-{}-{}.log", case.scenario.name(), case.kind.name(), case.site.name());
    let path = logs.join(name.replace([':', '#', '*', '/'], "-"));
    let text = format!("{}\n\n{}\n\n{}", case.command(), broken.reason, broken.log);
    std::fs::write(&path, text).explain(path.display())?;
    Ok(path)
}
