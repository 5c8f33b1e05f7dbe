//! The decision about one object: one exhaustive match over what is recorded and what is there.
//! The diff asks it to plan, the executor asks it again when it is the part's turn.

use crate::{
    AnyChange, AnyPart, AnySeen, Comparison, Failure, Identity, Observation, Outputs, Owner, PartKey, Record,
    RecordState, Replacement, Target, observe::Look,
};

/// What to do about an object that is wanted.
#[derive(Debug)]
pub(crate) enum Decision {
    Create,
    Adopt(Found, Vec<AnyChange>),
    Keep(Found),
    Update(Found, Vec<AnyChange>),
    Replace(Found, Replacement),
    /// It moves: wait, look and decide again.
    Await(Found, String),
    /// It is as wanted, but nobody has seen it settle.
    Confirm(Found),
    Error(Problem),
}

/// What to do about an object that is not wanted any more.
#[derive(Debug)]
pub(crate) enum Removal {
    /// It is gone already.
    Gone,
    /// It is not ours any more.
    Disown(String),
    /// It moves: wait first.
    Await(String),
    Delete,
    Error(Failure),
}

/// What an observation tells of the object itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) instance: Option<String>,
    pub(crate) outputs: Outputs,
}

/// Why nothing is done about a part.
#[derive(Debug, Clone)]
pub(crate) enum Problem {
    Unknown(Failure),
    Foreign { owner: Option<String>, failure: Failure },
    Impossible(Failure),
}

impl Problem {
    pub(crate) fn failure(&self) -> &Failure {
        match self {
            Self::Unknown(failure) | Self::Foreign { failure, .. } | Self::Impossible(failure) => failure,
        }
    }

    /// What `state` of the part shows.
    pub(crate) fn state(&self) -> String {
        match self {
            Self::Unknown(failure) => format!("unknown: {failure}"),
            Self::Foreign { owner: Some(owner), .. } => format!("foreign: owned by {owner}"),
            Self::Foreign { owner: None, .. } => "foreign: not marked as ours".to_owned(),
            Self::Impossible(failure) => format!("impossible: {failure}"),
        }
    }
}

/// How far the ledger vouches for the object that was looked at.
#[derive(Clone, Copy)]
enum Recorded {
    No,
    Made,
    Settled,
}

enum Claim {
    Ours,
    Foreign(Option<String>),
}

enum Sight {
    Unseen(Failure),
    Absent,
    Foreign(Option<String>),
    Busy(Found, String),
    Present(Found, Comparison<AnyChange>),
}

/// Decides about an object that `part` wants. The record is that of the object that was looked at.
pub(crate) fn decide<W>(
    part: &dyn AnyPart<W>,
    record: Option<&Record>,
    look: &Look,
    target: &Target<'_>,
) -> Decision {
    let sight = sight(part, record, look, target);
    let recorded = match (record, &sight) {
        // Somebody carrying our mark, which is a run of ours that was lost, made another one since.
        (Some(record), Sight::Busy(found, _) | Sight::Present(found, _)) if made_again(record, found) => {
            Recorded::No
        }
        (Some(record), _) => match record.state {
            RecordState::Intended => Recorded::No,
            RecordState::Made | RecordState::Retired => Recorded::Made,
            RecordState::Settled => Recorded::Settled,
        },
        (None, _) => Recorded::No,
    };
    match (recorded, sight) {
        (_, Sight::Unseen(failure)) => Decision::Error(Problem::Unknown(failure)),
        (_, Sight::Absent) => Decision::Create,
        (Recorded::No, Sight::Foreign(owner)) => {
            let failure = taken(part.key(), target.identity, owner.as_deref());
            Decision::Error(Problem::Foreign { owner, failure })
        }
        (Recorded::Made | Recorded::Settled, Sight::Foreign(owner)) => {
            let failure = lost(part.key(), target.identity, owner.as_deref());
            Decision::Error(Problem::Foreign { owner, failure })
        }
        (_, Sight::Busy(found, status)) => Decision::Await(found, status),
        (_, Sight::Present(_, Comparison::Impossible(reason))) => {
            Decision::Error(Problem::Impossible(Failure::refused(reason)))
        }
        (_, Sight::Present(found, Comparison::Replace(replacement))) => Decision::Replace(found, replacement),
        (Recorded::No, Sight::Present(found, Comparison::Same)) => Decision::Adopt(found, Vec::new()),
        (Recorded::No, Sight::Present(found, Comparison::Change(changes))) => Decision::Adopt(found, changes),
        (Recorded::Made, Sight::Present(found, Comparison::Same)) => Decision::Confirm(found),
        (Recorded::Settled, Sight::Present(found, Comparison::Same)) => Decision::Keep(found),
        (Recorded::Made | Recorded::Settled, Sight::Present(found, Comparison::Change(changes))) => {
            Decision::Update(found, changes)
        }
    }
}

/// Decides about a recorded object that is not wanted any more.
pub(crate) fn decide_removal(record: &Record, look: &Look) -> Removal {
    let (owner, instance, status) = match look {
        Err(failure) => return Removal::Error(failure.clone()),
        Ok(Observation::Absent) => return Removal::Gone,
        Ok(Observation::Present { owner, instance, .. }) => (owner, instance, None),
        Ok(Observation::Busy { owner, instance, status }) => (owner, instance, Some(status)),
    };
    // What is shared with others is deleted only by its mark or as the very object that was recorded.
    match claim(owner, instance.as_deref(), Some(record), false) {
        Claim::Foreign(owner) => {
            let owner =
                owner.map_or_else(|| "not marked as ours".to_owned(), |owner| format!("owned by {owner}"));
            Removal::Disown(format!(
                "{} ({}) is {owner} now: it was left alone and is not managed any more",
                record.key, record.identity
            ))
        }
        Claim::Ours => status.map_or(Removal::Delete, |status| Removal::Await(status.clone())),
    }
}

/// What a look tells of an object that is there, does not move and is ours.
pub(crate) fn found<W>(part: &dyn AnyPart<W>, record: Option<&Record>, look: &Look) -> Option<Found> {
    let Ok(Observation::Present { owner, instance, outputs, .. }) = look else { return None };
    match claim(owner, instance.as_deref(), record, part.adopts_unmarked()) {
        Claim::Ours => Some(Found { instance: instance.clone(), outputs: outputs.clone() }),
        Claim::Foreign(_) => None,
    }
}

/// True for a word of the world that means the object is going away.
pub(crate) fn is_leaving(status: &str) -> bool {
    status.to_ascii_uppercase().contains("DELETING")
}

fn sight<W>(part: &dyn AnyPart<W>, record: Option<&Record>, look: &Look, target: &Target<'_>) -> Sight {
    let observation = match look {
        Ok(observation) => observation,
        Err(failure) => return Sight::Unseen(failure.clone()),
    };
    let (owner, instance) = match observation {
        Observation::Absent => return Sight::Absent,
        Observation::Present { owner, instance, .. } | Observation::Busy { owner, instance, .. } => {
            (owner, instance)
        }
    };
    match claim(owner, instance.as_deref(), record, part.adopts_unmarked()) {
        Claim::Foreign(owner) => Sight::Foreign(owner),
        Claim::Ours => ours(part, observation, target),
    }
}

fn ours<W>(part: &dyn AnyPart<W>, observation: &Observation<AnySeen>, target: &Target<'_>) -> Sight {
    match observation {
        Observation::Absent => Sight::Absent,
        Observation::Busy { status, instance, .. } => {
            Sight::Busy(Found { instance: instance.clone(), outputs: Outputs::default() }, status.clone())
        }
        Observation::Present { seen, instance, outputs, .. } => {
            let found = Found { instance: instance.clone(), outputs: outputs.clone() };
            let mut known = target.outputs.clone();
            known.merge(outputs.clone());
            let target = Target { outputs: &known, ..*target };
            Sight::Present(found, part.compare(&target, seen))
        }
    }
}

fn claim(owner: &Owner, instance: Option<&str>, record: Option<&Record>, adopts_unmarked: bool) -> Claim {
    match owner {
        Owner::Ours => Claim::Ours,
        Owner::Other(owner) => Claim::Foreign(Some(owner.clone())),
        Owner::Nobody => {
            let recorded = record.and_then(|record| record.instance.as_deref());
            // The very object that was recorded: only its mark was removed, and comparing restores it.
            let same_object = instance.is_some() && instance == recorded;
            if same_object || adopts_unmarked { Claim::Ours } else { Claim::Foreign(None) }
        }
    }
}

fn made_again(record: &Record, found: &Found) -> bool {
    matches!((&record.instance, &found.instance), (Some(recorded), Some(found)) if recorded != found)
}

fn taken(key: &PartKey, identity: &Identity, owner: Option<&str>) -> Failure {
    let owner = owner.map_or_else(
        || "exists already and is not marked as ours".to_owned(),
        |owner| format!("exists already and is owned by {owner}"),
    );
    Failure::refused(format!("{key} ({identity}) {owner}: choose another name, or import what it belongs to"))
}

fn lost(key: &PartKey, identity: &Identity, owner: Option<&str>) -> Failure {
    let owner =
        owner.map_or_else(|| "is not marked as ours".to_owned(), |owner| format!("is owned by {owner}"));
    Failure::refused(format!(
        "{key} ({identity}) {owner}, although it is recorded: somebody else made it again or took it over; it was left alone"
    ))
}
