//! One wave of looks at everything the graph wants and everything the ledger knows. Only reads.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt, StreamExt};

use crate::{
    AnyPart, AnySeen, Catalogue, Failure, FailureKind, Identity, Ledger, Observation, Outputs, PartKey,
    Record, RecordState, Settings, Stages, Target, settings::Pauses,
};

/// Looks at once: enough for most clusters, so that a plan waits for one answer, not for one after the other.
const LOOKS_AT_ONCE: usize = 64;

/// What one look answered.
pub(crate) type Look = Result<Observation<AnySeen>, Failure>;

/// What is there for each part of the stages and each record of the ledger.
pub struct Observations<W> {
    seen: BTreeMap<(PartKey, Identity), Observed<W>>,
}

pub(crate) struct Observed<W> {
    /// None for a record of a kind nobody knows any more.
    pub(crate) part: Option<Arc<dyn AnyPart<W>>>,
    pub(crate) look: Look,
    /// False for what is retired.
    current: bool,
}

impl<W> Observations<W> {
    /// The looks that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&PartKey, &Failure)> {
        self.seen.iter().filter_map(|((key, _), observed)| Some((key, observed.look.as_ref().err()?)))
    }

    /// What is there for a part, when the look succeeded. Of a part that is being replaced: what is recorded
    /// as its current object.
    pub fn get(&self, key: &PartKey) -> Option<&Observation<AnySeen>> {
        self.current(key)?.look.as_ref().ok()
    }

    /// What was seen of a part that is present, when it is of the type `S`.
    pub fn seen<S: 'static>(&self, key: &PartKey) -> Option<&S> {
        match self.get(key)? {
            Observation::Present { seen, .. } => seen.get(),
            Observation::Absent | Observation::Busy { .. } => None,
        }
    }

    /// The outputs of a part that is present.
    pub fn outputs(&self, key: &PartKey) -> Option<&Outputs> {
        match self.get(key)? {
            Observation::Present { outputs, .. } => Some(outputs),
            Observation::Absent | Observation::Busy { .. } => None,
        }
    }

    pub(crate) fn of(&self, key: &PartKey, identity: &Identity) -> Option<&Observed<W>> {
        self.seen.get(&(key.clone(), identity.clone()))
    }

    fn current(&self, key: &PartKey) -> Option<&Observed<W>> {
        let of_key =
            |((other, _), observed): &(&(PartKey, Identity), &Observed<W>)| other == key && observed.current;
        self.seen.iter().find(of_key).map(|(_, observed)| observed)
    }
}

/// Looks at all parts of the stages (at the recorded object where there is one) and at all records that no
/// part stands for, at once. Failed looks are kept; those that may pass are tried once more.
pub async fn observe<W: Send + Sync + 'static>(
    world: &Arc<W>,
    catalogue: &dyn Catalogue<W>,
    stages: &Stages<W>,
    ledger: &Ledger,
    settings: &Settings,
) -> Observations<W> {
    let mut sights = BTreeMap::new();
    for part in stages.0.iter().flat_map(|graph| graph.parts()) {
        let record = ledger.get(part.key());
        let sight = Sight {
            part: Some(Arc::clone(part)),
            identity: record.map_or_else(|| part.identity(), |record| record.identity.clone()),
            outputs: record.map(|record| record.outputs.clone()).unwrap_or_default(),
            current: true,
        };
        sights.entry((part.key().clone(), sight.identity.clone())).or_insert(sight);
    }
    for record in &ledger.records {
        let sight = || Sight {
            part: catalogue.recall(record),
            identity: record.identity.clone(),
            outputs: record.outputs.clone(),
            current: record.state != RecordState::Retired,
        };
        sights.entry((record.key.clone(), record.identity.clone())).or_insert_with(sight);
    }
    let looks = sights.into_iter().map(|(place, sight)| async move {
        let look = sight.look(world, &place.0, ledger, settings).await;
        (place, Observed { part: sight.part, look, current: sight.current })
    });
    Observations { seen: futures::stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE).collect().await }
}

struct Sight<W> {
    part: Option<Arc<dyn AnyPart<W>>>,
    identity: Identity,
    outputs: Outputs,
    current: bool,
}

impl<W: Send + Sync + 'static> Sight<W> {
    async fn look(&self, world: &W, key: &PartKey, ledger: &Ledger, settings: &Settings) -> Look {
        let Some(part) = &self.part else { return Err(unknown_kind(key, &self.identity)) };
        let inputs = |input: &crate::Input| ledger.resolve(input);
        let target = Target::new(&self.identity, &self.outputs, &inputs);
        let mut again = true;
        loop {
            let look = AssertUnwindSafe(part.observe(world, &target)).catch_unwind().await;
            let failure = match look {
                Ok(Ok(observation)) => return Ok(observation),
                Ok(Err(failure)) => failure,
                Err(panic) => return Err(panicked(panic.as_ref())),
            };
            if !again || !may_pass(failure.kind) {
                return Err(failure);
            }
            again = false;
            tokio::time::sleep(Pauses::new(settings).next()).await;
        }
    }
}

/// True for failures that another try may not meet.
pub(crate) fn may_pass(kind: FailureKind) -> bool {
    match kind {
        FailureKind::NotYet | FailureKind::Expired | FailureKind::Busy | FailureKind::Unknown => true,
        FailureKind::Conflict | FailureKind::Refused => false,
    }
}

/// The failure of a part whose code panicked.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message");
    Failure::refused(format!("this is a bug: the part panicked: {text}"))
}

/// The failure of a record nobody can act on. It is not forgotten: that would lose the object for good.
pub(crate) fn unknown_kind(key: &PartKey, identity: &Identity) -> Failure {
    Failure::refused(format!(
        "the ledger has {key} ({identity}), a kind of object that is not known here: use the version that made it"
    ))
}

impl Record {
    /// The record of an object that was found, not made, in this run.
    pub(crate) fn found(key: &PartKey, identity: &Identity) -> Self {
        Self {
            key: key.clone(),
            state: RecordState::Made,
            identity: identity.clone(),
            instance: None,
            outputs: Outputs::default(),
            needs: Vec::new(),
            spec: String::new(),
        }
    }
}
