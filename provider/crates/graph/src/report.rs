//! What happened when a plan was carried out.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

use crate::{Failure, Ledger, PartKey, PartView};

/// What happened; always complete, however the run ended.
#[derive(Debug, Clone)]
pub struct Report {
    /// Everything that exists, or may exist, because of us.
    pub ledger: Ledger,
    /// Every part of the stages, as people see it after the run.
    pub views: BTreeMap<PartKey, PartView>,
    /// What failed, root causes only.
    pub failures: Vec<PartFailure>,
    /// What was not done because something it stands on failed.
    pub blocked: Vec<PartKey>,
    /// What people should know.
    pub warnings: Vec<String>,
    /// How the run ended.
    pub ended: Ended,
    /// True when at least one call that changes the world was launched.
    pub changed: bool,
    /// What each part still waited for when the run ended early: the world's last word, or the parts that come
    /// before it.
    pub waits: BTreeMap<PartKey, String>,
}

impl Report {
    /// True when everything that was planned has been done.
    pub fn is_complete(&self) -> bool {
        self.ended == Ended::Finished && self.failures.is_empty() && self.blocked.is_empty()
    }
}

/// One part that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFailure {
    /// The part.
    pub key: PartKey,
    /// What was being done.
    pub action: Action,
    /// What went wrong.
    pub failure: Failure,
}

/// What the engine does with one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Looking at it.
    Observe,
    /// Comparing it with what is wanted.
    Compare,
    /// Making it.
    Create,
    /// Changing it.
    Update,
    /// Waiting until it can be used.
    Settle,
    /// Deleting it, or waiting until it is gone.
    Delete,
}

impl Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Observe => "observe",
            Self::Compare => "compare",
            Self::Create => "create",
            Self::Update => "update",
            Self::Settle => "settle",
            Self::Delete => "delete",
        })
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Everything that could be done was done.
    Finished,
    /// It was asked to stop.
    Stopped,
    /// Its time was over.
    DeadlineReached,
    /// The guard said that this run does not own the object any more.
    GuardRefused(Failure),
}
