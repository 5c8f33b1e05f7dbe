//! What is not wanted any more: one object deleted, and many in the reverse order of their records.

use std::sync::Arc;

use super::{
    context::{Break, Context},
    object::{Object, Stumble, Unsettled},
    progress::{Mark, Progress},
    tasks::Tasks,
};
use crate::{
    Action, AnyPart, Observation, Record, RecordState, Until,
    decide::{Removal, decide_removal, is_leaving},
    observe::Look,
    settings::Pauses,
};

/// Deletes with a doubtful answer, after each of which the object is looked at, before the part fails.
const DOUBTS: u32 = 3;

/// How the removal of one object ended.
pub(crate) enum Erased {
    Gone,
    /// It is not ours: it was left alone.
    Disowned(String),
}

/// One object that is to go.
pub(crate) struct Doomed<W> {
    pub(crate) record: Record,
    pub(crate) part: Arc<dyn AnyPart<W>>,
    pub(crate) look: Option<Look>,
}

/// Deletes an object and waits until it is gone. Leaves its record.
pub(crate) async fn erase_object<W: Send + Sync + 'static>(
    context: &Arc<Context<W>>,
    part: &Arc<dyn AnyPart<W>>,
    record: &Record,
    mut look: Option<Look>,
) -> Result<Erased, Break> {
    let object = Object {
        context: Arc::clone(context),
        part: Arc::clone(part),
        identity: record.identity.clone(),
        outputs: record.outputs.clone(),
    };
    let (mut doubts, mut pauses, mut settled) = (0, Pauses::new(&context.settings), false);
    loop {
        let seen = match look.take() {
            Some(look) => look,
            None => Ok(object.observe().await?),
        };
        match decide_removal(record, &seen) {
            Removal::Gone => return Ok(Erased::Gone),
            Removal::Disown(text) => return Ok(Erased::Disowned(text)),
            Removal::Error(failure) => return Err(Break::Failed(Action::Observe, failure)),
            Removal::Await(status) if is_leaving(&status) => {
                object.wait(Until::Gone).await.map_err(|end| end.during(Action::Delete))?;
                return Ok(Erased::Gone);
            }
            Removal::Await(_) if !settled => {
                settled = true;
                match object.wait(Until::Usable).await {
                    // What will never be usable can still be deleted.
                    Ok(_) | Err(Unsettled::Hopeless(_)) => continue,
                    Err(end) => return Err(end.during(Action::Settle)),
                }
            }
            Removal::Await(_) | Removal::Delete => {}
        }
        match object.delete().await {
            Ok(()) => {
                object.wait(Until::Gone).await.map_err(|end| end.during(Action::Delete))?;
                return Ok(Erased::Gone);
            }
            Err(Stumble::Halted) => return Err(Break::Halted),
            Err(Stumble::Failed(failure) | Stumble::Panicked(failure)) => {
                return Err(Break::Failed(Action::Delete, failure));
            }
            Err(Stumble::Doubtful(failure)) => {
                doubts += 1;
                if doubts > DOUBTS {
                    return Err(Break::Failed(Action::Delete, failure));
                }
                context.pause(pauses.next()).await?;
            }
        }
    }
}

async fn remove<W: Send + Sync + 'static>(
    context: Arc<Context<W>>,
    doomed: Doomed<W>,
) -> Result<Erased, Break> {
    {
        let mut ledger = context.ledger();
        match ledger.records.iter_mut().find(|record| is_same_object(record, &doomed.record)) {
            Some(record) if record.state == RecordState::Settled => record.state = RecordState::Made,
            Some(_) => {}
            // What was discovered is recorded first: an interrupted run must not lose it.
            None => ledger.records.push(doomed.record.clone()),
        }
    }
    let absent = matches!(doomed.look, Some(Ok(Observation::Absent)));
    let erased = erase_object(&context, &doomed.part, &doomed.record, doomed.look).await?;
    if !absent {
        tracing::info!(part = %doomed.record.key, "gone");
    }
    context.ledger().remove(&doomed.record.key, &doomed.record.identity);
    Ok(erased)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Waiting,
    Running,
    Gone,
    Failed,
}

/// Deletes objects, each one after everything whose record needs it. What still needs an object and did not
/// succeed keeps it.
pub(crate) async fn remove_all<W: Send + Sync + 'static>(
    context: &Arc<Context<W>>,
    doomed: Vec<Doomed<W>>,
    progress: &mut Progress,
) {
    let records: Vec<Record> = doomed.iter().map(|doomed| doomed.record.clone()).collect();
    let mut doomed: Vec<Option<Doomed<W>>> = doomed.into_iter().map(Some).collect();
    let mut statuses = vec![Status::Waiting; records.len()];
    let mut tasks = Tasks::new();
    loop {
        block(context, &records, &mut statuses, progress);
        let waiting = |index: &usize| statuses[*index] == Status::Waiting;
        let mut ready: Vec<usize> =
            (0..records.len()).filter(waiting).filter(|index| is_free(*index, &records, &statuses)).collect();
        if ready.is_empty() && tasks.is_empty() {
            // Edges of different runs may form a circle; it is opened where it was recorded first.
            ready.extend((0..records.len()).find(waiting));
        }
        for index in ready {
            if let Some(doomed) = doomed[index].take() {
                statuses[index] = Status::Running;
                context.end_wait(&doomed.record.key);
                tasks.spawn(index, remove(Arc::clone(context), doomed));
            }
        }
        note_waits(context, &records, &statuses);
        let Some((index, result)) = tasks.next().await else { return };
        let key = &records[index].key;
        // What is halted waits for the same as before.
        if !matches!(result, Err(Break::Halted)) {
            context.end_wait(key);
        }
        statuses[index] = match result {
            Ok(Erased::Gone) => Status::Gone,
            Ok(Erased::Disowned(warning)) => {
                progress.warnings.push(warning);
                Status::Gone
            }
            Err(Break::Failed(action, failure)) => {
                progress.fail_removal(key, action, failure);
                Status::Failed
            }
            Err(Break::Halted) => return,
        };
    }
}

/// Gives up what something that stays still needs.
fn block<W>(context: &Context<W>, records: &[Record], statuses: &mut [Status], progress: &mut Progress) {
    let broken: Vec<Record> = {
        let ledger = context.ledger();
        let goes = |record: &Record| records.iter().any(|other| is_same_object(record, other));
        let stays = |record: &&Record| {
            matches!(progress.mark(&record.key), Some(Mark::Failed | Mark::Blocked)) && !goes(record)
        };
        ledger.records.iter().filter(stays).chain(&progress.kept).cloned().collect()
    };
    loop {
        let lost = |index: usize, statuses: &[Status]| {
            let key = &records[index].key;
            let needs = |record: &Record| record.key != *key && record.needs.contains(key);
            broken.iter().any(needs)
                || (0..records.len()).any(|other| statuses[other] == Status::Failed && needs(&records[other]))
        };
        let next =
            (0..records.len()).find(|index| statuses[*index] == Status::Waiting && lost(*index, statuses));
        let Some(index) = next else { return };
        statuses[index] = Status::Failed;
        context.end_wait(&records[index].key);
        progress.block(&records[index].key);
    }
}

/// True when everything whose record needs it is gone.
fn is_free(index: usize, records: &[Record], statuses: &[Status]) -> bool {
    holders(index, records, statuses).next().is_none()
}

/// What still needs an object.
fn holders<'r>(
    index: usize,
    records: &'r [Record],
    statuses: &'r [Status],
) -> impl Iterator<Item = &'r Record> {
    let key = &records[index].key;
    let there = records.iter().zip(statuses).filter(|(_, status)| **status != Status::Gone);
    there.map(|(other, _)| other).filter(move |other| other.key != *key && other.needs.contains(key))
}

fn note_waits<W>(context: &Context<W>, records: &[Record], statuses: &[Status]) {
    for index in (0..records.len()).filter(|index| statuses[*index] == Status::Waiting) {
        let first: Vec<&str> = holders(index, records, statuses).map(|record| record.key.as_str()).collect();
        context.note_wait(&records[index].key, format!("waits for the end of {}", first.join(", ")));
    }
}

fn is_same_object(record: &Record, other: &Record) -> bool {
    record.key == other.key && record.identity == other.identity
}
