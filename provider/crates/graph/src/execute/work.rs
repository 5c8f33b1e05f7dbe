//! The work on one part that is wanted: look, decide, act, until it has settled.

use std::sync::Arc;

use super::{
    context::{Break, Context},
    object::{Object, Stumble},
    removal::{Erased, erase_object},
};
use crate::{
    Action, AnyChange, AnyPart, AnySeen, Comparison, Failure, Identity, Input, Ledger, Observation, PartKey,
    Record, RecordState, Replacement, Until,
    decide::{Decision, Found, Problem, decide, is_leaving},
    graph::Needs,
    observe::Look,
    settings::Pauses,
};

/// Calls with a doubtful answer, after each of which the object is looked at, before the part fails.
const DOUBTS: u32 = 3;

/// What was done with a part that settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Anything at all was done.
    pub(crate) touched: bool,
    /// It is another object than before.
    pub(crate) renewed: bool,
}

/// An object that cannot be changed into what is wanted.
struct Replaced {
    identity: Identity,
    /// It has settled once; one that never did may have a predecessor that is still in use.
    in_use: bool,
}

pub(crate) struct Work<W> {
    context: Arc<Context<W>>,
    part: Arc<dyn AnyPart<W>>,
    needs: Vec<PartKey>,
    /// The object the work is about: the recorded one, or the one that takes its place.
    identity: Identity,
    /// What a new object is called.
    successor: Identity,
    /// What the ledger says of that object.
    record: Option<Record>,
    /// The object that cannot be changed, whose place it takes.
    replaces: Option<Replaced>,
    /// The object it takes the place of, while that one still counts.
    predecessor: Option<Record>,
    /// The records of the part before create was called.
    before: Option<Vec<Record>>,
    pauses: Pauses,
    doubts: u32,
    usable: bool,
    replaced: bool,
    done: Done,
}

impl<W: Send + Sync + 'static> Work<W> {
    pub(crate) fn new(context: Arc<Context<W>>, part: Arc<dyn AnyPart<W>>, needs: &Needs) -> Self {
        let record = context.ledger().get(part.key()).cloned();
        let identity = record.as_ref().map_or_else(|| part.identity(), |record| record.identity.clone());
        let pauses = Pauses::new(&context.settings);
        Self {
            needs: recorded_needs(needs),
            identity,
            successor: part.identity(),
            record,
            replaces: None,
            predecessor: None,
            before: None,
            pauses,
            doubts: 0,
            usable: false,
            replaced: false,
            done: Done::default(),
            context,
            part,
        }
    }

    /// Works until the part has settled. The look is the one of the plan, where that still holds.
    pub(crate) async fn carry_out(mut self, mut look: Option<Look>) -> Result<Done, Break> {
        loop {
            let seen = match look.take() {
                Some(look) => look,
                None => Ok(self.object().observe().await?),
            };
            look = match self.decide(&seen) {
                Decision::Keep(found) => return Ok(self.finish(found)),
                Decision::Error(problem) => {
                    if matches!(problem, Problem::Foreign { .. }) {
                        self.withdraw();
                    }
                    let action = if seen.is_err() { Action::Observe } else { Action::Compare };
                    return Err(Break::Failed(action, problem.failure().clone()));
                }
                Decision::Create if self.identity != self.successor => {
                    self.turn_to_successor(None);
                    None
                }
                Decision::Create => {
                    if self.create().await? {
                        return Ok(self.finish(Found::default()));
                    }
                    None
                }
                Decision::Await(_, status) if is_leaving(&status) => {
                    self.object().wait(Until::Gone).await.map_err(|end| end.during(Action::Delete))?;
                    Some(Ok(Observation::Absent))
                }
                Decision::Await(found, _) => {
                    if self.usable {
                        // The two ways to look at it disagree for a while.
                        let pause = self.pauses.next();
                        self.context.pause(pause).await?;
                    }
                    self.record_found(found);
                    self.settle().await?;
                    None
                }
                Decision::Confirm(found) => {
                    if !self.usable {
                        self.done.touched = true;
                        self.settle().await?;
                    }
                    return Ok(self.finish(found));
                }
                Decision::Adopt(found, changes) | Decision::Update(found, changes) => {
                    self.record_found(found);
                    if self.apply(changes).await? {
                        return Ok(self.finish(Found::default()));
                    }
                    None
                }
                Decision::Replace(found, Replacement { identity, .. })
                    if self.replaces.is_none() && self.identity != identity =>
                {
                    let in_use = self.record.as_ref().is_some_and(|record| !record.spec.is_empty());
                    self.replaces = Some(Replaced { identity: self.identity.clone(), in_use });
                    self.successor = identity;
                    let record = self.record.clone().unwrap_or_else(|| self.blank());
                    self.turn_to_successor(Some(with(record, found)));
                    None
                }
                Decision::Replace(found, Replacement { reason, .. }) => {
                    let look = if self.turn_back() { None } else { Some((found, seen)) };
                    Some(Ok(self.delete_first(look, reason).await?))
                }
            };
        }
    }

    fn decide(&self, look: &Look) -> Decision {
        let object = self.object();
        let inputs = |input: &Input| self.context.resolve(input);
        decide(self.part.as_ref(), self.record.as_ref(), look, &object.target(&inputs))
    }

    /// Makes it, and makes it right. False when its answer is doubtful: look again.
    async fn create(&mut self) -> Result<bool, Break> {
        if self.before.is_none() {
            let ledger = self.context.ledger();
            let of_part = ledger.records.iter().filter(|record| record.key == *self.part.key());
            self.before = Some(of_part.cloned().collect());
        }
        let intended = Record { state: RecordState::Intended, ..self.blank() };
        self.write(intended);
        self.usable = false;
        let created = match self.object().create().await {
            Ok(created) => created,
            Err(Stumble::Failed(failure)) => {
                // Nothing was made, so nothing is recorded, unless an earlier call may have made it.
                if self.doubts == 0 {
                    self.withdraw();
                }
                return Err(Break::Failed(Action::Create, failure));
            }
            Err(stumble) => return self.doubt(stumble, Action::Create).await,
        };
        self.done = Done { touched: true, renewed: true };
        let mut made = Record { instance: created.instance, ..self.blank() };
        made.outputs.merge(created.outputs);
        self.write(made);
        self.settle().await?;
        let comparison = {
            let object = self.object();
            let inputs = |input: &Input| self.context.resolve(input);
            self.part.compare(&object.target(&inputs), &created.seen)
        };
        match comparison {
            Comparison::Same => Ok(true),
            Comparison::Change(changes) => self.apply(changes).await,
            Comparison::Replace(Replacement { reason, .. }) | Comparison::Impossible(reason) => {
                let text = format!("it was made, but is not what was asked for: {reason}");
                Err(Break::Failed(Action::Compare, Failure::refused(text)))
            }
        }
    }

    /// Carries out changes, one after another, each settled. False when an answer is doubtful: look again.
    async fn apply(&mut self, changes: Vec<AnyChange>) -> Result<bool, Break> {
        self.done.touched = true;
        for change in changes {
            self.usable = false;
            match self.object().update(&change).await {
                Ok(outputs) => self.learn(Found { instance: None, outputs }),
                Err(Stumble::Failed(failure)) => return Err(Break::Failed(Action::Update, failure)),
                Err(stumble) => return self.doubt(stumble, Action::Update).await,
            }
            self.settle().await?;
        }
        if !self.usable {
            self.settle().await?;
        }
        Ok(true)
    }

    async fn delete_first(
        &mut self,
        look: Option<(Found, Look)>,
        reason: String,
    ) -> Result<Observation<AnySeen>, Break> {
        if self.replaced {
            let text = format!("it was replaced, and should be replaced again: {reason}");
            return Err(Break::Failed(Action::Compare, Failure::refused(text)));
        }
        self.replaced = true;
        let (found, look) = look.unzip();
        self.record_found(found.unwrap_or_default());
        let record = self.record.take().unwrap_or_else(|| self.blank());
        if let Erased::Disowned(text) = erase_object(&self.context, &self.part, &record, look).await? {
            return Err(Break::Failed(Action::Delete, Failure::refused(text)));
        }
        Ok(Observation::Absent)
    }

    async fn settle(&mut self) -> Result<(), Break> {
        let outputs = self.object().wait(Until::Usable).await.map_err(|end| end.during(Action::Settle))?;
        self.usable = true;
        self.learn(Found { instance: None, outputs });
        Ok(())
    }

    /// After a doubtful answer: a pause, then another look, a few times.
    async fn doubt(&mut self, stumble: Stumble, action: Action) -> Result<bool, Break> {
        match stumble {
            Stumble::Halted => Err(Break::Halted),
            Stumble::Failed(failure) | Stumble::Panicked(failure) => Err(Break::Failed(action, failure)),
            Stumble::Doubtful(failure) => {
                self.doubts += 1;
                self.done.touched = true;
                if self.doubts > DOUBTS {
                    return Err(Break::Failed(action, failure));
                }
                let pause = self.pauses.next();
                self.context.pause(pause).await?;
                Ok(false)
            }
        }
    }

    /// Goes on with the object that takes the place. Its look comes first: it may be there already.
    fn turn_to_successor(&mut self, predecessor: Option<Record>) {
        self.identity = self.successor.clone();
        self.predecessor = predecessor;
        self.record = self.context.ledger().of(self.part.key(), &self.identity).cloned();
        self.usable = false;
    }

    /// Neither the object nor the one whose name it should take can be changed. The one in use stays until the
    /// other was made anew. True when the work is about the first one again.
    fn turn_back(&mut self) -> bool {
        let Some(Replaced { identity, in_use: false }) = self.replaces.take() else { return false };
        self.record = self.context.ledger().of(self.part.key(), &identity).cloned();
        self.predecessor = None;
        self.successor.clone_from(&identity);
        self.identity = identity;
        true
    }

    /// Records what was found, as not finished.
    fn record_found(&mut self, found: Found) {
        let mut record = self.record.clone().unwrap_or_else(|| self.blank());
        // Until the last change has settled it may stand on what it needed and on what it is to need.
        add_needs(&mut record, &self.needs);
        self.done.touched = true;
        self.done.renewed |= self.record.as_ref().is_none_or(|record| record.instance != found.instance);
        self.write(Record { state: RecordState::Made, ..with(record, found) });
    }

    /// Records what became known of the object.
    fn learn(&mut self, found: Found) {
        let record = self.record.clone().unwrap_or_else(|| self.blank());
        self.write(with(record, found));
    }

    /// Records that the part has settled as it is wanted now.
    fn finish(mut self, found: Found) -> Done {
        if self.done.touched {
            tracing::info!(part = %self.part.key(), "settled");
        }
        let record = self.record.clone().unwrap_or_else(|| self.blank());
        let (needs, spec) = (self.needs.clone(), self.part.spec());
        self.write(Record { state: RecordState::Settled, needs, spec, ..with(record, found) });
        self.done
    }

    /// A new record of the object. What it needs counts from its first call on, so that it is deleted first.
    fn blank(&self) -> Record {
        Record { needs: self.needs.clone(), ..Record::found(self.part.key(), &self.identity) }
    }

    fn write(&mut self, record: Record) {
        self.record = Some(record.clone());
        let mut ledger = self.context.ledger();
        if let Some(predecessor) = self.predecessor.take() {
            let of_predecessor =
                |other: &&mut Record| other.key == predecessor.key && other.identity == predecessor.identity;
            match ledger.records.iter_mut().find(of_predecessor) {
                Some(other) => other.state = RecordState::Retired,
                None => ledger.records.push(Record { state: RecordState::Retired, ..predecessor }),
            }
        }
        take_back(&mut ledger, &record);
        ledger.put(record);
    }

    /// Makes the ledger say of this part what it said before create was called in vain.
    fn withdraw(&mut self) {
        let Some(before) = self.before.take() else { return };
        let mut ledger = self.context.ledger();
        ledger.records.retain(|record| record.key != *self.part.key());
        // What was looked for under this name is not there, or not ours: it has no record any more.
        ledger.records.extend(before.into_iter().filter(|record| record.identity != self.identity));
    }

    fn object(&self) -> Object<W> {
        Object {
            context: Arc::clone(&self.context),
            part: Arc::clone(&self.part),
            identity: self.identity.clone(),
            outputs: self.record.as_ref().map(|record| record.outputs.clone()).unwrap_or_default(),
        }
    }
}

/// The keys of all parts that a part needs, in every way.
pub(crate) fn recorded_needs(needs: &Needs) -> Vec<PartKey> {
    let mut keys = needs.all.clone();
    keys.extend(needs.any.iter().flatten().cloned());
    keys.into_iter().collect()
}

/// Adds to what a record needs.
pub(crate) fn add_needs(record: &mut Record, needs: &[PartKey]) {
    for need in needs {
        if !record.needs.contains(need) {
            record.needs.push(need.clone());
        }
    }
}

fn with(mut record: Record, found: Found) -> Record {
    record.outputs.merge(found.outputs);
    record.instance = found.instance.or(record.instance);
    record
}

/// An object that was retired and is wanted again is current from now on.
fn take_back(ledger: &mut Ledger, record: &Record) {
    let is_retired = |other: &Record| {
        other.key == record.key && other.identity == record.identity && other.state == RecordState::Retired
    };
    ledger.records.retain(|other| !is_retired(other));
}
