//! The difference as data: one step for each part, in stages, and what is to go.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    sync::Arc,
};

use crate::{AnyPart, Failure, Identity, Outputs, PartKey, Record, graph::Needs, observe::Look};

/// What is to happen with one part. Texts are for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is there: make it.
    Create,
    /// It is there and ours, but not recorded: record it, then carry out the changes.
    Adopt {
        /// What differs.
        changes: Vec<String>,
    },
    /// It is as wanted.
    Keep,
    /// Change it in place.
    Update {
        /// What differs.
        changes: Vec<String>,
    },
    /// Make another one in its place.
    Replace {
        /// Why it cannot be changed in place.
        reason: String,
        /// True when the new one has another name: it is made and has settled before the old one goes.
        new_first: bool,
    },
    /// Wait until it has settled, then look and compare again.
    Settle {
        /// The world's own word for what it does; none when it only has not been seen to settle.
        status: Option<String>,
    },
    /// Delete what is not wanted any more.
    Delete,
    /// Drop the record of what is not there, or not ours, any more.
    Forget {
        /// What people should know about it.
        warning: Option<String>,
    },
    /// Do nothing; what stands on it is blocked.
    Error {
        /// What `state` of the part shows.
        state: String,
        /// Why.
        failure: Failure,
    },
}

impl Step {
    /// True for steps that touch the object.
    fn touches(&self) -> bool {
        match self {
            Self::Create | Self::Adopt { .. } | Self::Update { .. } | Self::Replace { .. } => true,
            Self::Settle { .. } | Self::Delete => true,
            Self::Keep | Self::Forget { .. } | Self::Error { .. } => false,
        }
    }
}

impl Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => formatter.write_str("create"),
            Self::Adopt { changes } if changes.is_empty() => formatter.write_str("adopt"),
            Self::Adopt { changes } => write!(formatter, "adopt, then: {}", changes.join("; ")),
            Self::Keep => formatter.write_str("keep"),
            Self::Update { changes } => write!(formatter, "update: {}", changes.join("; ")),
            Self::Replace { reason, new_first: true } => {
                write!(formatter, "replace, the new one first: {reason}")
            }
            Self::Replace { reason, new_first: false } => write!(formatter, "replace: {reason}"),
            Self::Settle { status: Some(status) } => write!(formatter, "settle: {}", status.to_lowercase()),
            Self::Settle { status: None } => formatter.write_str("settle"),
            Self::Delete => formatter.write_str("delete"),
            Self::Forget { warning: None } => formatter.write_str("forget"),
            Self::Forget { warning: Some(warning) } => write!(formatter, "forget: {warning}"),
            Self::Error { failure, .. } => write!(formatter, "error: {failure}"),
        }
    }
}

/// What people see of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartView {
    /// What was asked for: [`Part::spec`](crate::Part::spec).
    pub spec: String,
    /// What the world decided, or what is wrong.
    pub state: String,
    /// True when a step touches the part, or may: something it stands on is made anew.
    pub touched: bool,
}

/// What the diff answered; carried out by [`Executor`](crate::Executor).
pub struct Plan<W> {
    pub(crate) stages: Vec<PlannedStage<W>>,
    /// What was discovered, is wanted and has no record yet.
    pub(crate) claimed: Vec<Record>,
    /// What is to go, and what is only to be forgotten.
    pub(crate) removals: Vec<PlannedRemoval<W>>,
    pub(crate) warnings: Vec<String>,
    pub(crate) seen: BTreeMap<PartKey, Outputs>,
}

pub(crate) struct PlannedStage<W> {
    pub(crate) parts: Vec<PlannedPart<W>>,
}

pub(crate) struct PlannedPart<W> {
    pub(crate) part: Arc<dyn AnyPart<W>>,
    pub(crate) needs: Needs,
    pub(crate) step: Step,
    pub(crate) state: String,
    /// True when something it stands on is made anew.
    pub(crate) may_change: bool,
    /// None when an earlier stage touches the object: it is looked at when its turn comes.
    pub(crate) look: Option<Look>,
}

pub(crate) struct PlannedRemoval<W> {
    pub(crate) record: Record,
    pub(crate) part: Option<Arc<dyn AnyPart<W>>>,
    pub(crate) step: Step,
    /// None for what was discovered: it is looked at before it is deleted.
    pub(crate) look: Option<Look>,
}

impl<W> Plan<W> {
    /// What each part is called in the world.
    pub(crate) fn wanted(&self) -> BTreeMap<PartKey, Identity> {
        let parts = self.stages.iter().flat_map(|stage| &stage.parts);
        parts.map(|planned| (planned.part.key().clone(), planned.part.identity())).collect()
    }

    /// True when nothing is to be done, not even an error to be reported.
    pub fn is_empty(&self) -> bool {
        self.steps().all(|(_, step)| *step == Step::Keep)
    }

    /// Every step: of the stages in their order, then of what is to go.
    pub fn steps(&self) -> impl Iterator<Item = (&PartKey, &Step)> {
        let parts = self.stages.iter().flat_map(|stage| &stage.parts);
        let wanted = parts.map(|planned| (planned.part.key(), &planned.step));
        wanted.chain(self.removals.iter().map(|removal| (&removal.record.key, &removal.step)))
    }

    /// The steps that are errors, one for each part.
    pub fn errors(&self) -> BTreeMap<PartKey, Failure> {
        let error = |(key, step): (&PartKey, &Step)| match step {
            Step::Error { failure, .. } => Some((key.clone(), failure.clone())),
            _ => None,
        };
        // The first one of a part is its root cause.
        let mut errors = BTreeMap::new();
        for (key, failure) in self.steps().filter_map(error) {
            errors.entry(key).or_insert(failure);
        }
        errors
    }

    /// What people should know: what is forgotten although it exists, and what nobody claims.
    pub fn warnings(&self) -> Vec<String> {
        let forgotten = self.removals.iter().filter_map(|removal| match &removal.step {
            Step::Forget { warning } => warning.clone(),
            _ => None,
        });
        self.warnings.iter().cloned().chain(forgotten).collect()
    }

    /// The outputs, as they were seen, of each part that is there, does not move and is ours: also where it
    /// differs from what is wanted.
    pub fn seen(&self) -> &BTreeMap<PartKey, Outputs> {
        &self.seen
    }

    /// Every part of the stages, as people see it.
    pub fn explain(&self) -> BTreeMap<PartKey, PartView> {
        let mut views = BTreeMap::<PartKey, PartView>::new();
        for planned in self.stages.iter().flat_map(|stage| &stage.parts) {
            let touched = planned.step.touches() || planned.may_change;
            let spec = planned.part.spec();
            match views.get_mut(planned.part.key()) {
                None => {
                    let view = PartView { spec, state: planned.state.clone(), touched };
                    views.insert(planned.part.key().clone(), view);
                }
                Some(view) => {
                    // What the last stage asks for is what was asked for; what an earlier one has to say
                    // about the state comes first.
                    view.spec = spec;
                    if !view.touched && touched {
                        view.state = planned.state.clone();
                    }
                    view.touched |= touched;
                }
            }
        }
        views
    }
}

/// The part that wants the object of a record which another part made: two parts of a kind may change hands.
pub(crate) fn heir<'w>(wanted: &'w BTreeMap<PartKey, Identity>, record: &Record) -> Option<&'w PartKey> {
    let is_heir = |(key, identity): &(&PartKey, &Identity)| {
        **key != record.key && key.kind() == record.key.kind() && **identity == record.identity
    };
    wanted.iter().find(is_heir).map(|(key, _)| key)
}

/// The plan as people read it: one line for each step that is not to keep.
impl<W> Display for Plan<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.stages.iter().enumerate() {
            if self.stages.len() > 1 {
                writeln!(formatter, "stage {}", index + 1)?;
            }
            for planned in stage.parts.iter().filter(|planned| planned.step != Step::Keep) {
                writeln!(formatter, "{}: {}", planned.part.key(), planned.step)?;
            }
        }
        for removal in &self.removals {
            writeln!(formatter, "{} ({}): {}", removal.record.key, removal.record.identity, removal.step)?;
        }
        for warning in &self.warnings {
            writeln!(formatter, "warning: {warning}")?;
        }
        Ok(())
    }
}
