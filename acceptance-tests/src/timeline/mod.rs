//! When each part was made or deleted, in virtual time, from the journal and the durations of the local AWS.

mod measured;
mod page;

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::{Call, Journal};

pub use measured::{Measured, full_cluster, measured};
pub use page::page;

/// What AWS works on after a call, and how long: the operation, the name of its duration.
const WORK: [(&str, &str); 8] = [
    ("iam:CreateRole", "iam_propagation"),
    ("kms:CreateKey", "kms_propagation"),
    ("eks:CreateCluster", "cluster_create"),
    ("eks:CreateNodegroup", "nodegroup_create"),
    ("eks:CreateAddon", "addon_create"),
    ("eks:DeleteAddon", "addon_delete"),
    ("eks:DeleteNodegroup", "nodegroup_delete"),
    ("eks:DeleteCluster", "cluster_delete"),
];

/// How much earlier than the end of what it waited for a call may have come: the journal has when a call came,
/// not when it took effect.
const TOLERANCE: f64 = 2.0;

/// One object that is made or deleted. Virtual seconds from the first call of the command.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// `eks:CreateCluster prod`
    pub name: String,
    /// The call.
    pub start: f64,
    /// When AWS was done.
    pub end: f64,
}

impl Bar {
    /// How long AWS worked.
    pub fn length(&self) -> f64 {
        self.end - self.start
    }
}

/// One command.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// What AWS worked on, in the order of the calls.
    pub bars: Vec<Bar>,
    /// From the first call to the last one.
    pub total: f64,
}

impl Timeline {
    /// Of the calls of one command.
    pub fn of(journal: &Journal, durations: &BTreeMap<String, f64>) -> Self {
        let start = journal.calls.first().map_or(0.0, |call| call.virtual_time);
        let total = journal.calls.last().map_or(0.0, |call| call.virtual_time - start);
        let bar = |call: &Call| {
            let (_, duration) = WORK.iter().find(|(action, _)| *action == call.action())?;
            let name = format!("{} {}", call.action(), call.resource.as_deref().unwrap_or_default());
            let start = call.virtual_time - start;
            Some(Bar { name, start, end: start + durations.get(*duration)? })
        };
        let succeeded = journal.calls.iter().filter(|call| call.succeeded());
        Self { bars: succeeded.filter_map(bar).collect(), total }
    }

    /// What the command waited for one after another, from its end back to its beginning.
    pub fn critical_path(&self) -> Vec<&Bar> {
        let mut path: Vec<&Bar> = Vec::new();
        let mut until = self.total;
        let before = |until: f64| {
            // Also what takes no time must lead back towards the beginning.
            let ended = self.bars.iter().filter(|bar| bar.start < until && bar.end <= until + TOLERANCE);
            ended.max_by(|one, other| one.end.total_cmp(&other.end))
        };
        while let Some(bar) = before(until) {
            path.push(bar);
            until = bar.start;
        }
        path.reverse();
        path
    }

    /// The seconds AWS worked along the critical path.
    pub fn by_aws(&self) -> f64 {
        self.critical_path().iter().map(|bar| bar.length()).sum()
    }

    /// The pauses between what stands on the critical path, each with what came before and after.
    pub fn pauses(&self) -> Vec<(f64, String)> {
        let path = self.critical_path();
        let mut pauses = Vec::new();
        let mut since = (0.0, "the first call");
        for bar in &path {
            pauses.push((bar.start - since.0, format!("{} → {}", since.1, bar.name)));
            since = (bar.end, &bar.name);
        }
        pauses.push((self.total - since.0, format!("{} → the last call", since.1)));
        pauses
    }
}

/// The reads of one plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    pub all: usize,
    /// How many had to be answered one after another.
    pub waves: usize,
    /// How many asked what had been asked before.
    pub repeated: usize,
}

impl Reads {
    /// Of the calls of a plan in which every answer took so many real seconds.
    pub fn of(journal: &Journal, answer: f64) -> Self {
        let mut starts: Vec<f64> = journal.calls.iter().map(|call| call.time).collect();
        starts.sort_by(f64::total_cmp);
        let (mut waves, mut free) = (0, f64::MIN);
        for start in starts {
            if start >= free {
                waves += 1;
                free = start + answer;
            }
        }
        Self { all: journal.calls.len(), waves, repeated: repeated(journal) }
    }
}

/// How many calls asked what had been asked before.
pub fn repeated(journal: &Journal) -> usize {
    let asked: BTreeSet<&str> = journal.calls.iter().map(|call| call.request.as_str()).collect();
    journal.calls.len() - asked.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, start: f64, end: f64) -> Bar {
        Bar { name: name.to_owned(), start, end }
    }

    #[test]
    fn the_critical_path_is_what_each_step_waited_for() {
        let bars = vec![
            bar("role", 1.0, 11.0),
            bar("key", 1.0, 8.0),
            bar("cluster", 12.0, 612.0),
            bar("nodes", 615.0, 795.0),
            bar("addon", 613.0, 658.0),
        ];
        let timeline = Timeline { bars, total: 800.0 };
        let names: Vec<&str> = timeline.critical_path().iter().map(|bar| bar.name.as_str()).collect();
        assert_eq!(names, ["role", "cluster", "nodes"]);
        assert!((timeline.by_aws() - 790.0).abs() < 1e-9);
        let lost: f64 = timeline.pauses().iter().map(|(seconds, _)| seconds).sum();
        assert!((lost - 10.0).abs() < 1e-9);
    }
}
