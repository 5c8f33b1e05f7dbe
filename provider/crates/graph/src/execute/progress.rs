//! How far a run has come: what the report is made of.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Action, Failure, PartFailure, PartKey, Record};

/// How the work on a part ended, in the last stage that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It has settled as it is wanted.
    Done,
    Failed,
    Blocked,
}

#[derive(Default)]
pub(crate) struct Progress {
    marks: BTreeMap<PartKey, Mark>,
    /// Parts on which anything was done.
    pub(crate) touched: BTreeSet<PartKey>,
    /// Parts that are other objects than before.
    pub(crate) renewed: BTreeSet<PartKey>,
    pub(crate) failures: Vec<PartFailure>,
    pub(crate) blocked: Vec<PartKey>,
    pub(crate) warnings: Vec<String>,
    /// Records of what was to go and cannot: what they need stays, too.
    pub(crate) kept: Vec<Record>,
}

impl Progress {
    pub(crate) fn new(warnings: Vec<String>) -> Self {
        Self { warnings, ..Self::default() }
    }

    pub(crate) fn mark(&self, key: &PartKey) -> Option<Mark> {
        self.marks.get(key).copied()
    }

    pub(crate) fn clear(&mut self, key: &PartKey) {
        self.marks.remove(key);
    }

    pub(crate) fn set(&mut self, key: &PartKey, mark: Mark) {
        self.marks.insert(key.clone(), mark);
    }

    pub(crate) fn fail(&mut self, key: &PartKey, action: Action, failure: Failure) {
        self.set(key, Mark::Failed);
        self.fail_removal(key, action, failure);
    }

    /// The failure of something that is to go; what takes its place is not concerned.
    pub(crate) fn fail_removal(&mut self, key: &PartKey, action: Action, failure: Failure) {
        tracing::warn!(part = %key, %action, %failure, "failed");
        self.failures.push(PartFailure { key: key.clone(), action, failure });
    }

    /// The failure of something that is to go and that nobody can even try to delete.
    pub(crate) fn keep(&mut self, record: Record, action: Action, failure: Failure) {
        self.fail_removal(&record.key, action, failure);
        self.kept.push(record);
    }

    /// Lists a part that was to be touched and was not.
    pub(crate) fn block(&mut self, key: &PartKey) {
        if !self.blocked.contains(key) {
            self.blocked.push(key.clone());
        }
    }
}
