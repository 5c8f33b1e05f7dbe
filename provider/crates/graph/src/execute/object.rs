//! One object and the calls aimed at it: patience with failures that pass, and the waits.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use tokio::time::Instant;

use super::context::{Break, Context, Halted};
use crate::{
    Action, AnyChange, AnyPart, AnySeen, Created, Failure, FailureKind, Identity, Input, Observation,
    Outputs, PartKey, Probe, Target, Until,
    observe::{may_pass, panicked},
    settings::Pauses,
};

/// How a call that changes the world did not succeed.
pub(crate) enum Stumble {
    Halted,
    /// It had no effect.
    Failed(Failure),
    /// The part's own code broke: whether it had its effect is not known.
    Panicked(Failure),
    /// It may have had its effect, or somebody else's call had: look.
    Doubtful(Failure),
}

impl From<Halted> for Stumble {
    fn from(Halted: Halted) -> Self {
        Self::Halted
    }
}

/// How a wait ended, other than well.
pub(crate) enum Unsettled {
    Halted,
    /// The world says it will not come.
    Hopeless(Failure),
    /// Looking failed too often.
    Blind(Failure),
}

impl From<Halted> for Unsettled {
    fn from(Halted: Halted) -> Self {
        Self::Halted
    }
}

impl Unsettled {
    pub(crate) fn during(self, action: Action) -> Break {
        match self {
            Self::Halted => Break::Halted,
            Self::Hopeless(failure) | Self::Blind(failure) => Break::Failed(action, failure),
        }
    }
}

pub(crate) struct Object<W> {
    pub(crate) context: Arc<Context<W>>,
    pub(crate) part: Arc<dyn AnyPart<W>>,
    pub(crate) identity: Identity,
    pub(crate) outputs: Outputs,
}

impl<W: Send + Sync + 'static> Object<W> {
    /// Looks at it. A look that fails in a way that may pass is repeated a few times.
    pub(crate) async fn observe(&self) -> Result<Observation<AnySeen>, Break> {
        let mut pauses = Pauses::new(&self.context.settings);
        let mut bad = 0;
        loop {
            let look = {
                let _permit = self.context.permit().await?;
                let inputs = |input: &Input| self.context.resolve(input);
                self.part.observe(&self.context.world, &self.target(&inputs)).await
            };
            match look {
                Ok(observation) => return Ok(observation),
                Err(failure) => {
                    bad += 1;
                    if !may_pass(failure.kind) || bad >= self.context.settings.bad_polls {
                        return Err(Break::Failed(Action::Observe, failure));
                    }
                }
            }
            self.context.pause(pauses.next()).await?;
        }
    }

    pub(crate) async fn create(&self) -> Result<Created<AnySeen>, Stumble> {
        tracing::info!(part = %self.part.key(), identity = %self.identity, "create");
        let mut patience = Patience::new(&self.context, self.part.key());
        loop {
            let answer = {
                let _permit = self.context.permit().await?;
                self.context.note_change();
                let inputs = |input: &Input| self.context.resolve(input);
                caught(self.part.create(&self.context.world, &self.target(&inputs))).await?
            };
            match answer {
                Ok(created) => {
                    self.context.note_entry();
                    return Ok(created);
                }
                Err(failure) => patience.after(failure).await?,
            }
        }
    }

    pub(crate) async fn update(&self, change: &AnyChange) -> Result<Outputs, Stumble> {
        tracing::info!(part = %self.part.key(), identity = %self.identity, %change, "update");
        let mut patience = Patience::new(&self.context, self.part.key());
        loop {
            let answer = {
                let _permit = self.context.permit().await?;
                self.context.note_change();
                let inputs = |input: &Input| self.context.resolve(input);
                caught(self.part.update(&self.context.world, &self.target(&inputs), change)).await?
            };
            match answer {
                Ok(outputs) => {
                    self.context.note_entry();
                    return Ok(outputs);
                }
                Err(failure) => patience.after(failure).await?,
            }
        }
    }

    pub(crate) async fn delete(&self) -> Result<(), Stumble> {
        tracing::info!(part = %self.part.key(), identity = %self.identity, "delete");
        let mut patience = Patience::new(&self.context, self.part.key());
        loop {
            let answer = {
                let _permit = self.context.permit().await?;
                self.context.note_change();
                let inputs = |input: &Input| self.context.resolve(input);
                caught(self.part.delete(&self.context.world, &self.target(&inputs))).await?
            };
            match answer {
                Ok(()) => {
                    self.context.note_entry();
                    return Ok(());
                }
                Err(failure) => patience.after(failure).await?,
            }
        }
    }

    /// Looks again and again until it is usable, or gone. One bad look never ends a wait.
    pub(crate) async fn wait(&self, until: Until) -> Result<Outputs, Unsettled> {
        let settings = &self.context.settings;
        let mut pauses = Pauses::new(settings);
        let (mut bad, mut not_yet_since) = (0, None);
        let mut has_failed = false;
        loop {
            let look = {
                let _permit = self.context.permit().await?;
                let inputs = |input: &Input| self.context.resolve(input);
                self.part.probe(&self.context.world, &self.target(&inputs), until).await
            };
            if look.is_ok() {
                self.context.note_entry();
            }
            match look {
                Ok(Probe::Done(outputs)) => return Ok(outputs),
                // The first look may still see how an earlier deletion ended.
                Ok(Probe::Failed(text)) if until == Until::Gone && !has_failed => {
                    self.context.note_wait(self.part.key(), text);
                    (bad, not_yet_since, has_failed) = (0, None, true);
                }
                Ok(Probe::Failed(text)) => return Err(Unsettled::Hopeless(Failure::refused(text))),
                Ok(Probe::Pending(status)) => {
                    tracing::debug!(part = %self.part.key(), status, "waiting");
                    self.context.note_wait(self.part.key(), status);
                    (bad, not_yet_since, has_failed) = (0, None, false);
                }
                Err(failure) => {
                    has_failed = false;
                    let is_hopeless = match failure.kind {
                        FailureKind::Busy => false,
                        FailureKind::Expired => self.context.stays_expired(),
                        FailureKind::NotYet => {
                            let since = *not_yet_since.get_or_insert_with(Instant::now);
                            since.elapsed() >= settings.not_yet_limit
                        }
                        FailureKind::Conflict | FailureKind::Refused | FailureKind::Unknown => {
                            bad += 1;
                            bad >= settings.bad_polls
                        }
                    };
                    if is_hopeless {
                        return Err(Unsettled::Blind(failure));
                    }
                    self.context.note_wait(self.part.key(), failure.message);
                }
            }
            self.context.pause(self.context.paced(pauses.next())).await?;
        }
    }

    pub(crate) fn target<'t>(
        &'t self,
        inputs: &'t (dyn Fn(&Input) -> Option<String> + Send + Sync),
    ) -> Target<'t> {
        Target::new(&self.identity, &self.outputs, inputs)
    }
}

async fn caught<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<Result<T, Failure>, Stumble> {
    let answer = AssertUnwindSafe(call).catch_unwind().await;
    answer.map_err(|panic| Stumble::Panicked(panicked(panic.as_ref())))
}

/// Patience with one call: what it does between two tries.
struct Patience<'c, W> {
    context: &'c Context<W>,
    key: &'c PartKey,
    pauses: Pauses,
    not_yet_since: Option<Instant>,
}

impl<'c, W> Patience<'c, W> {
    fn new(context: &'c Context<W>, key: &'c PartKey) -> Self {
        Self { context, key, pauses: Pauses::new(&context.settings), not_yet_since: None }
    }

    /// Returns when the call may be tried again.
    async fn after(&mut self, failure: Failure) -> Result<(), Stumble> {
        match failure.kind {
            FailureKind::Busy => {}
            FailureKind::Expired => {
                if self.context.stays_expired() {
                    return Err(Stumble::Failed(failure));
                }
            }
            FailureKind::NotYet => {
                let since = *self.not_yet_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= self.context.settings.not_yet_limit {
                    return Err(Stumble::Failed(failure));
                }
            }
            FailureKind::Refused => return Err(Stumble::Failed(failure)),
            FailureKind::Conflict | FailureKind::Unknown => return Err(Stumble::Doubtful(failure)),
        }
        tracing::debug!(%failure, "trying again");
        self.context.note_wait(self.key, failure.message);
        Ok(self.context.pause(self.pauses.next()).await?)
    }
}
