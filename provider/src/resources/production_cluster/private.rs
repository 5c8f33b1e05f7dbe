//! Private data: the ledger, which is kept with the state, and the marks of a plan, which only the apply of
//! that plan gets.

use resource_graph::Ledger;
use serde::{Deserialize, Serialize};

/// What stands in private data. With a state only the ledger is kept. The private data of an update plan reach
/// the create plan of the same replacement: only `ledger` is read from there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// What was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// What this plan creates, or continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_of: Option<ResumeOf>,
}

/// The identity a create plan is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResumeOf {
    /// It could not be known when the plan was made.
    Unknown,
    /// `<region>/<name>`
    Known(String),
}

impl Private {
    /// Reads private data; what cannot be read is as good as nothing, since the ledger can be found again.
    pub fn parse(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// The ledger in private data, when there is one with anything in it.
    pub fn ledger_in(bytes: &[u8]) -> Option<Ledger> {
        Self::parse(bytes).ledger.filter(|ledger| !ledger.is_empty())
    }

    /// The bytes to keep with a state: the ledger alone.
    pub fn of_state(ledger: &Ledger) -> Vec<u8> {
        Self { ledger: Some(ledger.clone()), ..Self::default() }.bytes()
    }

    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}
