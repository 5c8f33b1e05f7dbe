//! Applies, as core does them: what is saved after each call, whatever it answered.

use super::checks;
use super::plan::{Action, Change, Plan, Subject};
use super::session::{Diagnostic, Session};
use super::state::{Object, State};
use super::value::Value;
use crate::Result;

/// The apply process of one command.
pub(super) struct Apply<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) session: &'a Session,
    pub(super) is_stopped: &'a dyn Fn() -> bool,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Apply<'_> {
    fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.is_error)
    }

    /// Whether the walk goes on: nothing has failed and nobody has pressed Ctrl-C.
    fn goes_on(&self) -> bool {
        !self.failed() && !(self.is_stopped)()
    }

    /// Carries out a plan on a state that has been refreshed.
    pub(super) async fn run(&mut self, plan: &Plan, config: Option<&Value>, state: &mut State) -> Result<()> {
        if let Some(change) = &plan.current {
            match (change.action, config) {
                (Action::NoOp, _) => {}
                (Action::Delete, _) => {
                    return self.delete_everything(change, &plan.deposed, state).await;
                }
                (Action::Create | Action::Update, Some(config)) => self.make(change, config, state).await?,
                (Action::DeleteThenCreate, Some(config)) => {
                    state.current = self.delete(change, state.current.clone()).await?;
                    if state.current.is_none() && self.goes_on() {
                        self.make(change, config, state).await?;
                    }
                }
                (Action::CreateThenDelete, Some(config)) => {
                    let key = state.depose();
                    self.make(change, config, state).await?;
                    if let Some(key) = key {
                        state.restore(&key);
                        if self.goes_on() && state.deposed(&key).is_some() {
                            self.delete_deposed(&key, state).await?;
                        }
                    }
                }
                (_, None) => {}
            }
        }
        for key in &plan.deposed {
            if self.goes_on() {
                self.delete_deposed(key, state).await?;
            }
        }
        Ok(())
    }

    /// A destroy: current and deposed objects at the same time.
    async fn delete_everything(
        &mut self,
        change: &Change,
        deposed: &[String],
        state: &mut State,
    ) -> Result<()> {
        let (subject, session) = (self.subject, self.session);
        let current = delete(subject, session, change.clone(), state.current.clone());
        let others = deposed.iter().filter_map(|key| Some((key.clone(), state.deposed(key)?.clone())));
        let others = others.map(|(key, object)| async move {
            let (object, diagnostics) = plan_and_delete(subject, session, object).await?;
            Ok::<_, crate::Failure>((key, object, diagnostics))
        });
        let (current, others) = futures::future::join(current, futures::future::join_all(others)).await;
        let (object, diagnostics) = current?;
        state.current = object;
        self.diagnostics.extend(diagnostics);
        for other in others {
            let (key, object, diagnostics) = other?;
            state.set_deposed(&key, object);
            self.diagnostics.extend(diagnostics);
        }
        Ok(())
    }

    async fn delete(&mut self, change: &Change, object: Option<Object>) -> Result<Option<Object>> {
        let (object, diagnostics) = delete(self.subject, self.session, change.clone(), object).await?;
        self.diagnostics.extend(diagnostics);
        Ok(object)
    }

    async fn delete_deposed(&mut self, key: &str, state: &mut State) -> Result<()> {
        let Some(object) = state.deposed(key).cloned() else { return Ok(()) };
        let (object, diagnostics) = plan_and_delete(self.subject, self.session, object).await?;
        state.set_deposed(key, object);
        self.diagnostics.extend(diagnostics);
        Ok(())
    }

    /// A create, an update, or the create half of a replacement: planned again, then applied.
    async fn make(&mut self, first: &Change, config: &Value, state: &mut State) -> Result<()> {
        let prior = match &state.current {
            Some(object) => {
                let (object, diagnostics) = self.subject.upgraded(self.session, object).await?;
                self.diagnostics.extend(diagnostics);
                let Some(object) = object else { return Ok(()) };
                Some(object)
            }
            None => None,
        };
        let (change, diagnostics) =
            self.subject.change(self.session, prior.as_ref(), config, Some(first)).await?;
        self.diagnostics.extend(diagnostics);
        let Some(change) = change else { return Ok(()) };
        if change.action == Action::NoOp || (self.is_stopped)() {
            return Ok(());
        }
        let values = [&change.before, &change.after, config];
        let (subject, session) = (self.subject, self.session);
        let answer = session.apply(subject.type_name, values, &change.private, subject.kind).await?;
        let mut diagnostics = answer.diagnostics;
        let errored = |diagnostics: &[Diagnostic]| diagnostics.iter().any(|diagnostic| diagnostic.is_error);
        let (value, private) = answer.value.unwrap_or((Value::Null, Vec::new()));
        if !value.is_wholly_known() {
            diagnostics
                .push(Diagnostic::of_core("Provider returned invalid result object after apply: unknowns"));
        }
        if !errored(&diagnostics) {
            let differences = checks::result(&change.after, &value);
            diagnostics.extend(differences.into_iter().map(Diagnostic::of_core));
        }
        let value = value.with_unknown_as_null();
        let failed = errored(&diagnostics);
        self.diagnostics.extend(diagnostics);
        state.current = match (value.is_null(), failed) {
            // Nothing was answered: what was saved before stands.
            (true, _) => prior,
            (false, true) => {
                let was_tainted = prior.is_some_and(|object| object.tainted);
                Some(Object { value, private, tainted: was_tainted || change.action == Action::Create })
            }
            (false, false) => Some(Object { value, private, tainted: false }),
        };
        Ok(())
    }
}

/// The deletion of a deposed object is planned in the process that applies it.
async fn plan_and_delete(
    subject: &Subject<'_>,
    session: &Session,
    object: Object,
) -> Result<(Option<Object>, Vec<Diagnostic>)> {
    let (upgraded, mut diagnostics) = subject.upgraded(session, &object).await?;
    let Some(upgraded) = upgraded else { return Ok((Some(object), diagnostics)) };
    let (change, more) = subject.deletion(session, &upgraded).await?;
    diagnostics.extend(more);
    let Some(change) = change else { return Ok((Some(object), diagnostics)) };
    let (object, more) = apply_deletion(subject, session, &change, upgraded).await?;
    diagnostics.extend(more);
    Ok((object, diagnostics))
}

/// The deletion of a current object carries the private data of the plan process.
async fn delete(
    subject: &Subject<'_>,
    session: &Session,
    change: Change,
    object: Option<Object>,
) -> Result<(Option<Object>, Vec<Diagnostic>)> {
    let Some(object) = object else { return Ok((None, Vec::new())) };
    let (upgraded, mut diagnostics) = subject.upgraded(session, &object).await?;
    let Some(upgraded) = upgraded else { return Ok((Some(object), diagnostics)) };
    let (object, more) = apply_deletion(subject, session, &change, upgraded).await?;
    diagnostics.extend(more);
    Ok((object, diagnostics))
}

async fn apply_deletion(
    subject: &Subject<'_>,
    session: &Session,
    change: &Change,
    object: Object,
) -> Result<(Option<Object>, Vec<Diagnostic>)> {
    let null = Value::Null;
    let values = [&object.value, &null, &null];
    let answer = session.apply(subject.type_name, values, &change.private, subject.kind).await?;
    let mut diagnostics = answer.diagnostics;
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.is_error);
    let left = match answer.value {
        None => Some(object),
        Some((value, _)) if value.is_null() && failed => Some(object),
        Some((value, _)) if value.is_null() => None,
        Some((value, private)) => {
            if !failed {
                let summary = "Provider returned invalid result object after apply: not null after delete";
                diagnostics.push(Diagnostic::of_core(summary));
            }
            Some(Object { value: value.with_unknown_as_null(), private, tainted: object.tainted })
        }
    };
    Ok((left, diagnostics))
}
