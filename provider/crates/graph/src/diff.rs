//! Compares what is wanted, what is recorded and what is there. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    AnyChange, AnyPart, Failure, Identity, Input, Ledger, Observations, Outputs, PartKey, Plan, Record,
    RecordState, Replacement, Stages, Step, Target,
    decide::{Decision, Found, Removal, decide, decide_removal, found, is_leaving},
    graph::{Node, Source},
    observe::{Look, unknown_kind},
    plan::{PlannedPart, PlannedRemoval, PlannedStage, heir},
    state_text::{self, ABSENT},
};

/// What to do about objects that carry our mark, and that neither the graph nor the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclaimed {
    /// Delete them: our resource is adopting or destroying.
    Delete,
    /// Only say so.
    Report,
}

/// The plan that turns what is there into what is wanted.
///
/// A part without a step of its own may still be touched when something it stands on is made anew: what that
/// will be called is not known yet, and counts as equal until then.
pub fn diff<W: Send + Sync + 'static>(
    stages: &Stages<W>,
    ledger: &Ledger,
    observations: &Observations<W>,
    discovered: &[Record],
    unclaimed: Unclaimed,
) -> Plan<W> {
    let mut diff = Diff {
        ledger,
        observations,
        outputs: ledger
            .records
            .iter()
            .filter(is_current)
            .map(|record| (record.key.clone(), record.outputs.clone()))
            .collect(),
        renewed: BTreeSet::new(),
        occupied: BTreeSet::new(),
        planned: BTreeMap::new(),
        seen: BTreeMap::new(),
    };
    let mut planned = Vec::new();
    for graph in &stages.0 {
        let parts = graph.nodes.iter().map(|node| diff.part(node)).collect();
        planned.push(PlannedStage { parts });
    }
    let (mut removals, mut warnings) = (diff.removals(), Vec::new());
    for record in discovered.iter().filter(|record| diff.is_unclaimed(record)) {
        match unclaimed {
            Unclaimed::Delete => removals.push(diff.discovered(record)),
            Unclaimed::Report => warnings.push(format!(
                "{} ({}) carries our mark, but nothing here claims it",
                record.key, record.identity
            )),
        }
    }
    let claimed = discovered.iter().filter(|record| diff.is_claimed(record)).cloned().collect();
    Plan { stages: planned, claimed, removals, warnings, seen: diff.seen }
}

struct Diff<'d, W> {
    ledger: &'d Ledger,
    observations: &'d Observations<W>,
    /// What is known of each part at the place of the graph the diff has come to.
    outputs: BTreeMap<PartKey, Outputs>,
    /// Parts whose outputs may become others: they are made anew, or stand on such a part.
    renewed: BTreeSet<PartKey>,
    /// Objects that parts of the graph are, or will be.
    occupied: BTreeSet<(PartKey, Identity)>,
    /// What earlier stages do with a part.
    planned: BTreeMap<PartKey, (Arc<dyn AnyPart<W>>, Step)>,
    /// What was seen of parts that are there and ours.
    seen: BTreeMap<PartKey, Outputs>,
}

impl<W: Send + Sync + 'static> Diff<'_, W> {
    fn part(&mut self, node: &Node<W>) -> PlannedPart<W> {
        let key = node.part.key();
        let record = self.ledger.get(key);
        let identity = record.map_or_else(|| node.part.identity(), |record| record.identity.clone());
        let may_change = node.needs.all.iter().any(|need| self.renewed.contains(need));
        let (step, state, look) = match self.planned.get(key) {
            Some((earlier, step)) => self.later(node, record, earlier.as_ref(), step),
            None => self.first(node, record, &identity),
        };
        self.occupied.insert((key.clone(), identity));
        let made_anew = match &step {
            Step::Create | Step::Replace { .. } => true,
            Step::Settle { status: Some(status) } => is_leaving(status),
            _ => false,
        };
        if made_anew {
            self.occupied.insert((key.clone(), node.part.identity()));
            self.outputs.remove(key);
        }
        if made_anew || may_change {
            self.renewed.insert(key.clone());
        }
        self.planned.insert(key.clone(), (node.part.clone(), step.clone()));
        PlannedPart { part: node.part.clone(), needs: node.needs.clone(), step, state, may_change, look }
    }

    /// The step of a part that no earlier stage has.
    fn first(
        &mut self,
        node: &Node<W>,
        record: Option<&Record>,
        identity: &Identity,
    ) -> (Step, String, Option<Look>) {
        let Some(observed) = self.observations.of(node.part.key(), identity) else {
            // Observed with another graph or ledger: the executor looks for itself.
            return (Step::Settle { status: None }, "unknown: not looked at".to_owned(), None);
        };
        let decision = self.decide(node, record, identity, &observed.look);
        let known = record.map(|record| record.outputs.clone()).unwrap_or_default();
        let (step, state) = describe(node.part.as_ref(), record, identity, &known, &decision);
        if let Decision::Replace(_, replacement) = &decision {
            self.occupied.insert((node.part.key().clone(), replacement.identity.clone()));
        }
        if let Some(found) = found(node.part.as_ref(), record, &observed.look) {
            self.outputs.entry(node.part.key().clone()).or_default().merge(found.outputs.clone());
            self.seen.insert(node.part.key().clone(), found.outputs);
        }
        (step, state, Some(observed.look.clone()))
    }

    /// The step of a part that an earlier stage has, too: it is looked at again when its turn comes.
    fn later(
        &self,
        node: &Node<W>,
        record: Option<&Record>,
        earlier: &dyn AnyPart<W>,
        step: &Step,
    ) -> (Step, String, Option<Look>) {
        let state = || node.part.state(&record.map(|record| record.outputs.clone()).unwrap_or_default());
        if node.part.equals(earlier) {
            return (Step::Keep, state(), None);
        }
        let identity = record.map_or_else(|| node.part.identity(), |record| record.identity.clone());
        let observed = self.observations.of(node.part.key(), &identity);
        match (step, observed) {
            (Step::Create | Step::Replace { .. }, _) | (_, None) => {
                (Step::Update { changes: vec![node.part.spec()] }, ABSENT.to_owned(), None)
            }
            (_, Some(observed)) => {
                let decision = self.decide(node, record, &identity, &observed.look);
                let known = record.map(|record| record.outputs.clone()).unwrap_or_default();
                let (step, state) = describe(node.part.as_ref(), record, &identity, &known, &decision);
                (step, state, None)
            }
        }
    }

    fn decide(&self, node: &Node<W>, record: Option<&Record>, identity: &Identity, look: &Look) -> Decision {
        let inputs = |input: &Input| match &input.0 {
            Source::Known(value) => Some(value.clone()),
            Source::Output { part, name } if !self.renewed.contains(part) => {
                self.outputs.get(part)?.get(name).map(str::to_owned)
            }
            Source::Output { .. } => None,
        };
        let known = record.map(|record| record.outputs.clone()).unwrap_or_default();
        decide(node.part.as_ref(), record, look, &Target::new(identity, &known, &inputs))
    }

    /// What is recorded and not wanted any more.
    fn removals(&self) -> Vec<PlannedRemoval<W>> {
        let unwanted = |record: &&Record| {
            let retired = record.state == RecordState::Retired;
            let wanted = self.planned.contains_key(&record.key);
            // A retired object whose name is wanted again is taken back, not deleted.
            (!wanted || retired) && !self.occupied.contains(&(record.key.clone(), record.identity.clone()))
        };
        let wanted = self.wanted();
        let records = self.ledger.records.iter().filter(unwanted);
        records.map(|record| self.removal(record, heir(&wanted, record).is_some())).collect()
    }

    /// What each part is called in the world.
    fn wanted(&self) -> BTreeMap<PartKey, Identity> {
        self.planned.iter().map(|(key, (part, _))| (key.clone(), part.identity())).collect()
    }

    fn removal(&self, record: &Record, has_heir: bool) -> PlannedRemoval<W> {
        let observed = self.observations.of(&record.key, &record.identity);
        let part = observed.and_then(|observed| observed.part.clone());
        let look = observed.map(|observed| observed.look.clone());
        let step = match (&part, &look) {
            (None, Some(_)) => error(&unknown_kind(&record.key, &record.identity)),
            _ if has_heir => Step::Forget { warning: None },
            (_, Some(look)) => describe_removal(&decide_removal(record, look)),
            (_, None) => Step::Delete,
        };
        PlannedRemoval { record: record.clone(), part, step, look }
    }

    fn discovered(&self, record: &Record) -> PlannedRemoval<W> {
        // Beside a current record of its key it can only be what that one replaced.
        let state = if self.planned.contains_key(&record.key) || self.ledger.get(&record.key).is_some() {
            RecordState::Retired
        } else {
            RecordState::Made
        };
        PlannedRemoval {
            record: Record { state, ..record.clone() },
            part: None,
            step: Step::Delete,
            look: None,
        }
    }

    /// True for what a part without a record is: what was discovered knows its edges.
    fn is_claimed(&self, record: &Record) -> bool {
        let is_wanted =
            self.planned.get(&record.key).is_some_and(|(part, _)| part.identity() == record.identity);
        is_wanted && self.ledger.records.iter().all(|other| other.key != record.key)
    }

    fn is_unclaimed(&self, record: &Record) -> bool {
        let place = (record.key.clone(), record.identity.clone());
        self.ledger.of(&record.key, &record.identity).is_none()
            && !self.occupied.contains(&place)
            && heir(&self.wanted(), record).is_none()
    }
}

fn is_current(record: &&Record) -> bool {
    record.state != RecordState::Retired
}

/// The step of a decision, and what `state` of the part shows.
fn describe<W>(
    part: &dyn AnyPart<W>,
    record: Option<&Record>,
    identity: &Identity,
    known: &Outputs,
    decision: &Decision,
) -> (Step, String) {
    let texts = |changes: &[AnyChange]| changes.iter().map(ToString::to_string).collect::<Vec<_>>();
    match decision {
        Decision::Create => (Step::Create, ABSENT.to_owned()),
        Decision::Keep(Found { outputs, .. }) => {
            let mut known = known.clone();
            known.merge(outputs.clone());
            (Step::Keep, part.state(&known))
        }
        Decision::Adopt(_, changes) => {
            let changes = texts(changes);
            let state = state_text::found_with(&changes);
            (Step::Adopt { changes }, state)
        }
        Decision::Update(_, changes) => {
            let changes = texts(changes);
            let state = pending_spec(&part.spec(), record).unwrap_or_else(|| {
                let settled = record.is_some_and(|record| record.state == RecordState::Settled);
                format!("{}: {}", if settled { "drifted" } else { "pending" }, changes.join("; "))
            });
            (Step::Update { changes }, state)
        }
        Decision::Replace(_, Replacement { reason, identity: successor }) => {
            let new_first = successor != identity;
            (Step::Replace { reason: reason.clone(), new_first }, state_text::replace(reason))
        }
        Decision::Await(_, status) => {
            (Step::Settle { status: Some(status.clone()) }, state_text::busy(status))
        }
        Decision::Confirm(_) => {
            let state =
                pending_spec(&part.spec(), record).unwrap_or_else(|| "pending: not settled yet".to_owned());
            (Step::Settle { status: None }, state)
        }
        Decision::Error(problem) => {
            let state = problem.state();
            (Step::Error { state: state.clone(), failure: problem.failure().clone() }, state)
        }
    }
}

/// What `state` shows of a part that was last settled with another configuration.
pub(crate) fn pending_spec(spec: &str, record: Option<&Record>) -> Option<String> {
    let recorded = record.filter(|record| !record.spec.is_empty() && record.spec != spec)?;
    Some(format!("pending: still {}", recorded.spec))
}

fn describe_removal(removal: &Removal) -> Step {
    match removal {
        Removal::Gone => Step::Forget { warning: None },
        Removal::Disown(warning) => Step::Forget { warning: Some(warning.clone()) },
        Removal::Await(_) | Removal::Delete => Step::Delete,
        Removal::Error(failure) => error(failure),
    }
}

fn error(failure: &Failure) -> Step {
    Step::Error { state: format!("unknown: {failure}"), failure: failure.clone() }
}
