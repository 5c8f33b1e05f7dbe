//! One stage: a ready set over its edges.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    context::{Break, Context},
    progress::{Mark, Progress},
    tasks::Tasks,
    work::{Done, Work},
};
use crate::{
    Observation, PartKey, Step,
    graph::Needs,
    observe::Look,
    plan::{PlannedPart, PlannedStage},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Waiting,
    Running,
    Done,
    /// Failed, or stands on what failed.
    Lost,
}

struct Stage<'s, W> {
    parts: Vec<PlannedPart<W>>,
    places: BTreeMap<PartKey, usize>,
    statuses: Vec<Status>,
    /// Lanes in which a part is under way.
    lanes: BTreeSet<String>,
    /// Parts this stage touched.
    touched: BTreeSet<PartKey>,
    /// Parts an earlier stage of this run left as they are wanted.
    settled: BTreeSet<PartKey>,
    progress: &'s mut Progress,
}

/// Carries out the creates and updates of one stage. A part starts when what it stands on is done; one that
/// fails blocks only what stands on it.
pub(crate) async fn carry_out<W: Send + Sync + 'static>(
    context: &Arc<Context<W>>,
    stage: PlannedStage<W>,
    progress: &mut Progress,
) {
    let mut stage = Stage::new(stage, progress);
    let mut tasks = Tasks::new();
    loop {
        while let Some(index) = stage.next_ready() {
            stage.start(index, context, &mut tasks);
        }
        stage.block(context);
        stage.note_waits(context);
        match tasks.next().await {
            Some((index, result)) => stage.end(index, result, context),
            None => return,
        }
    }
}

impl<'s, W: Send + Sync + 'static> Stage<'s, W> {
    fn new(stage: PlannedStage<W>, progress: &'s mut Progress) -> Self {
        let keys = || stage.parts.iter().map(|planned| planned.part.key().clone());
        let settled = keys().filter(|key| progress.mark(key) == Some(Mark::Done)).collect();
        for key in keys() {
            progress.clear(&key);
        }
        Self {
            places: keys().zip(0..).collect(),
            statuses: vec![Status::Waiting; stage.parts.len()],
            lanes: BTreeSet::new(),
            touched: BTreeSet::new(),
            settled,
            parts: stage.parts,
            progress,
        }
    }

    /// The first part, in the order of the graph, that can start.
    fn next_ready(&self) -> Option<usize> {
        (0..self.parts.len()).find(|index| self.is_ready(*index))
    }

    fn is_ready(&self, index: usize) -> bool {
        let needs = &self.parts[index].needs;
        let done = |key: &PartKey| self.status(key).is_none_or(|status| status == Status::Done);
        self.statuses[index] == Status::Waiting
            && needs.all.iter().all(done)
            && needs.any.iter().all(|members| members.iter().any(done))
            && needs.lane.as_ref().is_none_or(|lane| !self.lanes.contains(lane))
    }

    fn start(&mut self, index: usize, context: &Arc<Context<W>>, tasks: &mut Tasks<Done>) {
        if self.stays_settled(index) {
            self.end(index, Ok(Done::default()), context);
            return;
        }
        let look = self.look(index);
        let planned = &self.parts[index];
        context.end_wait(planned.part.key());
        self.lanes.extend(planned.needs.lane.clone());
        self.statuses[index] = Status::Running;
        let work = Work::new(Arc::clone(context), Arc::clone(&planned.part), &planned.needs);
        tasks.spawn(index, work.carry_out(look));
    }

    /// True when an earlier stage of this run left the part as it is wanted and nothing it needs changed since.
    fn stays_settled(&self, index: usize) -> bool {
        let planned = &self.parts[index];
        planned.step == Step::Keep
            && planned.look.is_none()
            && self.settled.contains(planned.part.key())
            && planned.needs.all.is_disjoint(&self.touched)
    }

    /// The look of the plan, unless something the part stands on is another object by now.
    fn look(&mut self, index: usize) -> Option<Look> {
        let look = self.parts[index].look.take()?;
        let mut needs =
            self.parts[index].needs.all.iter().chain(self.parts[index].needs.any.iter().flatten());
        match look {
            Ok(Observation::Present { .. } | Observation::Busy { .. })
                if needs.any(|need| self.progress.renewed.contains(need)) =>
            {
                None
            }
            look => Some(look),
        }
    }

    fn end(&mut self, index: usize, result: Result<Done, Break>, context: &Context<W>) {
        let planned = &self.parts[index];
        let key = planned.part.key();
        if let Some(lane) = &planned.needs.lane {
            self.lanes.remove(lane);
        }
        // What is halted waits for the same as before.
        if !matches!(result, Err(Break::Halted)) {
            context.end_wait(key);
        }
        match result {
            Ok(done) => {
                self.statuses[index] = Status::Done;
                self.progress.set(key, Mark::Done);
                if done.touched {
                    self.progress.touched.insert(key.clone());
                    self.touched.insert(key.clone());
                }
                if done.renewed {
                    self.progress.renewed.insert(key.clone());
                }
            }
            Err(Break::Failed(action, failure)) => {
                self.statuses[index] = Status::Lost;
                self.progress.fail(key, action, failure);
            }
            // The run is about to end: nothing that waits may start.
            Err(Break::Halted) => {}
        }
    }

    /// Gives up what stands on parts that are lost.
    fn block(&mut self, context: &Context<W>) {
        let lost = |stage: &Self, key: &PartKey| stage.status(key) == Some(Status::Lost);
        let is_blocked = |stage: &Self, index: &usize| {
            let needs = &stage.parts[*index].needs;
            stage.statuses[*index] == Status::Waiting
                && (needs.all.iter().any(|key| lost(stage, key))
                    || needs.any.iter().any(|members| members.iter().all(|key| lost(stage, key))))
        };
        while let Some(index) = (0..self.parts.len()).find(|index| is_blocked(self, index)) {
            let planned = &self.parts[index];
            self.statuses[index] = Status::Lost;
            context.end_wait(planned.part.key());
            self.progress.set(planned.part.key(), Mark::Blocked);
            if planned.may_change || planned.step != Step::Keep {
                self.progress.block(planned.part.key());
            }
        }
    }

    fn note_waits(&self, context: &Context<W>) {
        for (index, planned) in self.parts.iter().enumerate() {
            let is_work = planned.may_change || planned.step != Step::Keep;
            if is_work && self.statuses[index] == Status::Waiting {
                context.note_wait(planned.part.key(), self.waits_for(&planned.needs));
            }
        }
    }

    fn waits_for(&self, needs: &Needs) -> String {
        let is_done = |key: &&PartKey| self.status(key).is_none_or(|status| status == Status::Done);
        let mut awaited: Vec<String> =
            needs.all.iter().filter(|key| !is_done(key)).map(ToString::to_string).collect();
        for members in needs.any.iter().filter(|members| !members.iter().any(|key| is_done(&key))) {
            let names: Vec<&str> = members.iter().map(PartKey::as_str).collect();
            awaited.push(if let [name] = names[..] {
                name.to_owned()
            } else {
                format!("one of {}", names.join(", "))
            });
        }
        if awaited.is_empty() {
            awaited.push("its turn".to_owned());
        }
        format!("waits for {}", awaited.join(", "))
    }

    /// None for parts of other stages: those that come before are done.
    fn status(&self, key: &PartKey) -> Option<Status> {
        self.places.get(key).map(|index| self.statuses[*index])
    }
}
