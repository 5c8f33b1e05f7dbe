//! The calls a fault can hit: those that every clean run of the command makes.

use std::collections::BTreeMap;

use super::world::World;
use super::{Bench, Scenario, runtime};
use crate::Result;
use crate::journal::Journal;

/// How many calls of one reading operation are tried: the first ones, since waiting repeats the same call.
const READS: usize = 2;

/// One call of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// `eks:CreateCluster`.
    pub action: String,
    /// Counted from one among the calls of this operation.
    pub occurrence: usize,
}

impl Site {
    /// As it is given on the command line, `eks:CreateCluster#1`.
    pub fn name(&self) -> String {
        format!("{}#{}", self.action, self.occurrence)
    }
}

/// Runs the command twice without a fault; what both runs did is what a third will do, too.
pub(super) fn of_clean_runs(bench: &Bench<'_>, scenario: Scenario) -> Result<Vec<Site>> {
    let runtime = runtime()?;
    let first = runtime.block_on(World::clean_journal(bench, scenario))?;
    let second = runtime.block_on(World::clean_journal(bench, scenario))?;
    Ok(common(&first, &second))
}

fn common(first: &Journal, second: &Journal) -> Vec<Site> {
    let mut sites = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for call in &first.calls {
        let action = call.action();
        let occurrence = seen.entry(action.clone()).and_modify(|count| *count += 1).or_insert(1);
        let limit = if call.mutating { usize::MAX } else { READS };
        if *occurrence <= limit.min(second.of(&action).len()) {
            sites.push(Site { action, occurrence: *occurrence });
        }
    }
    sites
}
