//! The contract of a part, and what its calls answer.
//!
//! Flow: a part is observed, compared, and then created, updated or deleted; after each of these the
//! engine calls [`Part::probe`] until the object is usable (or gone).
//! Guarantees: the engine never calls two mutating methods of one part at once, never creates before
//! everything the part needs has settled, and writes a record before it calls [`Part::create`].
//! Assumptions: identities are deterministic; every method may be called again after a lost answer.
//! Errors: [`Failure`] says what the engine may do about it.

use std::{
    fmt::{self, Debug, Display},
    sync::Arc,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{AnyPart, Failure, Identity, Input, Outputs, Record};

/// Stable name of a part, `<kind>/<name>` such as `node-group/general`, or `<kind>` alone where there
/// is only one. Users see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartKey(String);

impl PartKey {
    /// The key `<kind>/<name>`, or `<kind>` when the name is empty.
    pub fn new(kind: &str, name: &str) -> Self {
        Self(if name.is_empty() { kind.to_owned() } else { format!("{kind}/{name}") })
    }

    /// Reads a key as it stands in a tag or a record.
    pub fn parse(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The kind of object, `node-group`.
    pub fn kind(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(kind, _)| kind)
    }

    /// The name within its kind, `general`.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }

    /// The whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for PartKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whose an observed object is, as its own marks say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// It carries our mark.
    Ours,
    /// It carries no mark.
    Nobody,
    /// It carries another mark.
    Other(String),
}

/// What is there for a part. Whether an object without our mark is foreign is decided by the diff, which
/// also knows the recorded [`instance`](Record::instance).
#[derive(Debug, Clone, PartialEq)]
pub enum Observation<S> {
    /// Nothing is there.
    Absent,
    /// It is there and does not move.
    Present {
        /// What was seen, for [`Part::compare`].
        seen: S,
        /// Whose it is.
        owner: Owner,
        /// What tells this object from one made later under the same name.
        instance: Option<String>,
        /// What only the world can name.
        outputs: Outputs,
    },
    /// It is there and being made, changed or deleted.
    Busy {
        /// The world's own word, such as `CREATING`.
        status: String,
        /// Whose it is.
        owner: Owner,
        /// What tells this object from one made later under the same name.
        instance: Option<String>,
    },
}

/// How a part and what was seen of it compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison<C> {
    /// Nothing to do.
    Same,
    /// Updates that make it right, one call of [`Part::update`] each, in this order.
    Change(Vec<C>),
    /// It cannot be changed into what is wanted.
    Replace(Replacement),
    /// It can neither be changed nor replaced; the reason is shown to people, nothing is touched.
    Impossible(String),
}

/// What takes the place of an object that cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Shown to people.
    pub reason: String,
    /// Names the new object. Other names than the old one has: the new one is made first, and the old one
    /// deleted when it has settled. The same names: the old one is deleted first.
    pub identity: Identity,
}

/// What a create answered.
#[derive(Debug, Clone)]
pub struct Created<S> {
    /// What is there now: compared once the object has settled, so that what the create call could not
    /// take follows as updates.
    pub seen: S,
    /// What tells this object from one made later under the same name.
    pub instance: Option<String>,
    /// What only the world can name, as far as it is known.
    pub outputs: Outputs,
}

/// What the engine waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The object can be used by what stands on it.
    Usable,
    /// The object does not exist any more.
    Gone,
}

/// One look at an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// What was waited for has come; the outputs as they are now (empty when gone).
    Done(Outputs),
    /// Not yet; the world's own word for it.
    Pending(String),
    /// It will not come; the world's own health text. Of what shall go it is believed when two looks in a row say so.
    Failed(String),
}

/// Where a call of a part is aimed: names, what is known of the object, and of those it needs.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// What names the object: the recorded identity when there is one, else [`Part::identity`].
    pub identity: &'a Identity,
    /// What is known of the object itself.
    pub outputs: &'a Outputs,
    pub(crate) inputs: &'a (dyn Fn(&Input) -> Option<String> + Send + Sync),
}

impl<'a> Target<'a> {
    /// A target for direct calls, outside a graph: tests of parts.
    pub fn new(
        identity: &'a Identity,
        outputs: &'a Outputs,
        inputs: &'a (dyn Fn(&Input) -> Option<String> + Send + Sync),
    ) -> Self {
        Self { identity, outputs, inputs }
    }

    /// The value of an input; none while the part it comes from is not made yet.
    pub fn input(&self, input: &Input) -> Option<String> {
        (self.inputs)(input)
    }

    /// The value of an input that must be known by now: in `create`, `update`, `delete` and `probe` what a
    /// part needs has settled.
    pub fn require(&self, input: &Input) -> Result<String, Failure> {
        self.input(input).ok_or_else(|| Failure::refused(format!("{input} is not known yet")))
    }
}

/// One object we want in the world `W`: plain data and this contract.
#[async_trait]
pub trait Part<W: Send + Sync + 'static>: Debug + PartialEq + Send + Sync + 'static {
    /// What an observation holds.
    type Seen: Debug + Clone + Send + Sync + 'static;
    /// One update, in words people understand.
    type Change: Debug + Clone + Display + Send + Sync + 'static;

    /// Stable key.
    fn key(&self) -> PartKey;
    /// Deterministic names. Only used for what is not recorded yet.
    fn identity(&self) -> Identity;
    /// What people read about it; decided by configuration alone.
    fn spec(&self) -> String;
    /// True for things shared with others, which are taken over when they exist without a mark.
    fn adopts_unmarked(&self) -> bool {
        false
    }
    /// Reads, never changes.
    async fn observe(&self, world: &W, target: &Target<'_>) -> Result<Observation<Self::Seen>, Failure>;
    /// Pure. Inputs that are not known yet count as equal.
    fn compare(&self, target: &Target<'_>, seen: &Self::Seen) -> Comparison<Self::Change>;
    /// Makes it; does not wait.
    async fn create(&self, world: &W, target: &Target<'_>) -> Result<Created<Self::Seen>, Failure>;
    /// Carries out one change; does not wait. Answers the outputs that changed.
    async fn update(&self, world: &W, target: &Target<'_>, change: &Self::Change)
    -> Result<Outputs, Failure>;
    /// Deletes it; does not wait. What is already gone is a success.
    async fn delete(&self, world: &W, target: &Target<'_>) -> Result<(), Failure>;
    /// One look at whether it is usable, or gone.
    async fn probe(&self, world: &W, target: &Target<'_>, until: Until) -> Result<Probe, Failure>;
    /// What `state` of the part shows when all is well, such as a version the world chose.
    fn state(&self, outputs: &Outputs) -> String {
        let _ = outputs;
        "ready".to_owned()
    }
}

/// Makes parts from records, and finds records where the ledger is missing.
#[async_trait]
pub trait Catalogue<W>: Send + Sync {
    /// The part a record speaks of: enough to observe, probe and delete it. None for a kind nobody knows
    /// any more.
    fn recall(&self, record: &Record) -> Option<Arc<dyn AnyPart<W>>>;
    /// Everything that carries our mark or hangs below something that does, with the edges a deletion needs.
    async fn discover(&self, world: &W) -> Result<Vec<Record>, Failure>;
}

/// Asked before each stage and by the caller before it finishes: does this run still own the object?
#[async_trait]
pub trait Guard: Send + Sync {
    /// An error stops the run; nothing more is launched.
    async fn check(&self) -> Result<(), Failure>;
}
