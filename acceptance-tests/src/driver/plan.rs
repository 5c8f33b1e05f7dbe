//! Plans, as core makes them.

use super::checks;
use super::proposed;
use super::schema::Block;
use super::session::{Answer, Diagnostic, Session};
use super::state::{Object, State};
use super::value::{Type, Value};
use crate::Result;

/// What a plan does with the current object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    NoOp,
    Create,
    Update,
    DeleteThenCreate,
    CreateThenDelete,
    Delete,
}

impl Action {
    /// Whether the object is replaced.
    pub fn is_replace(self) -> bool {
        matches!(self, Action::DeleteThenCreate | Action::CreateThenDelete)
    }
}

/// The planned change of one object.
#[derive(Debug, Clone)]
pub struct Change {
    pub action: Action,
    pub before: Value,
    pub after: Value,
    pub(super) private: Vec<u8>,
}

/// The plan of a command.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Nothing, when there is neither an object nor a configuration.
    pub current: Option<Change>,
    /// The keys of deposed objects that are to be deleted.
    pub deposed: Vec<String>,
    /// The state after the refresh.
    pub(super) refreshed: State,
}

impl Plan {
    /// Whether applying it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.deposed.is_empty() && self.current.as_ref().is_none_or(|change| change.action == Action::NoOp)
    }
}

/// What planning needs to know about the resource.
pub(super) struct Subject<'a> {
    pub(super) type_name: &'a str,
    pub(super) version: i64,
    pub(super) block: &'a Block,
    pub(super) kind: &'a Type,
    pub(super) plan_destroy: bool,
    pub(super) create_before_destroy: bool,
}

/// Collects diagnostics; a step that failed has no value.
pub(super) type Step<T> = (Option<T>, Vec<Diagnostic>);

fn step<T>(answer: Answer<T>, checked: Vec<String>) -> Step<T> {
    let mut diagnostics = answer.diagnostics;
    diagnostics.extend(checked.into_iter().map(Diagnostic::of_core));
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.is_error);
    (answer.value.filter(|_| !failed), diagnostics)
}

impl Subject<'_> {
    /// UpgradeResourceState.
    pub(super) async fn upgraded(&self, session: &Session, object: &Object) -> Result<Step<Object>> {
        let answer = session.upgrade(self.type_name, self.version, &object.value, self.kind).await?;
        let checked = answer.value.as_ref().map(checks::known).unwrap_or_default();
        let (value, diagnostics) = step(answer, checked);
        Ok((value.map(|value| Object { value, ..object.clone() }), diagnostics))
    }

    /// ReadResource; no object when it is gone.
    pub(super) async fn refreshed(&self, session: &Session, object: &Object) -> Result<Step<Option<Object>>> {
        let answer = session.read(self.type_name, &object.value, &object.private, self.kind).await?;
        let checked = answer.value.as_ref().map(|(value, _)| checks::known(value)).unwrap_or_default();
        let (read, diagnostics) = step(answer, checked);
        let object = read.map(|(value, private)| {
            (!value.is_null()).then_some(Object { value, private, tainted: object.tainted })
        });
        Ok((object, diagnostics))
    }

    /// The plan of a configured object. `first` is the plan it must agree with in the apply process.
    pub(super) async fn change(
        &self,
        session: &Session,
        prior: Option<&Object>,
        config: &Value,
        first: Option<&Change>,
    ) -> Result<Step<Change>> {
        let tainted = prior.is_some_and(|object| object.tainted);
        let known = prior.filter(|object| !object.tainted);
        let before = known.map_or(Value::Null, |object| object.value.clone());
        let private = known.map(|object| object.private.clone()).unwrap_or_default();
        let (validated, mut diagnostics) =
            step(session.validate(self.type_name, config, self.kind).await?, Vec::new());
        if validated.is_none() {
            return Ok((None, diagnostics));
        }
        let (planned, more) = self.planned(session, &before, config, &private).await?;
        diagnostics.extend(more);
        let Some(planned) = planned else { return Ok((None, diagnostics)) };
        let replace = match (self.create_before_destroy, planned.requires_replace && !before.is_null()) {
            (_, false) => None,
            (true, true) => Some(Action::CreateThenDelete),
            (false, true) => Some(Action::DeleteThenCreate),
        };
        let mut change = Change {
            action: match replace {
                Some(action) => action,
                None if before.is_null() => Action::Create,
                None if before == planned.value => Action::NoOp,
                None => Action::Update,
            },
            before: before.clone(),
            after: planned.value,
            private: planned.private,
        };
        if change.action.is_replace() {
            // Core plans the creation again and hands over the private data of the plan it has just got.
            let (again, more) = self.planned(session, &Value::Null, config, &change.private).await?;
            diagnostics.extend(more);
            let Some(again) = again else { return Ok((None, diagnostics)) };
            (change.after, change.private) = (again.value, again.private);
        }
        if let Some(object) = prior.filter(|_| tainted) {
            change.before = object.value.clone();
            change.action =
                if self.create_before_destroy { Action::CreateThenDelete } else { Action::DeleteThenCreate };
        }
        if let Some(first) = first {
            let differences = checks::final_plan(&first.after, &change.after);
            let failed = !differences.is_empty();
            diagnostics.extend(differences.into_iter().map(Diagnostic::of_core));
            if failed {
                return Ok((None, diagnostics));
            }
        }
        Ok((Some(change), diagnostics))
    }

    async fn planned(
        &self,
        session: &Session,
        before: &Value,
        config: &Value,
        private: &[u8],
    ) -> Result<Step<super::session::Planned>> {
        let proposed = proposed::new_state(self.block, before, config);
        let answer = session.plan(self.type_name, [before, &proposed, config], private, self.kind).await?;
        let failed = answer.failed();
        let checked = match answer.value.as_ref().filter(|_| !failed) {
            Some(planned) if planned.value.is_null() => {
                vec!["Provider produced invalid plan: null for a non-null configuration".to_owned()]
            }
            Some(planned) => checks::plan_valid(self.block, before, config, &planned.value),
            None => Vec::new(),
        };
        Ok(step(answer, checked))
    }

    /// The plan of a deletion.
    pub(super) async fn deletion(&self, session: &Session, object: &Object) -> Result<Step<Change>> {
        let before = object.value.clone();
        if !self.plan_destroy {
            let private = object.private.clone();
            return Ok((
                Some(Change { action: Action::Delete, before, after: Value::Null, private }),
                Vec::new(),
            ));
        }
        let null = Value::Null;
        let answer =
            session.plan(self.type_name, [&before, &null, &null], &object.private, self.kind).await?;
        let checked = match &answer.value {
            Some(planned) if !planned.value.is_null() => {
                vec!["Provider produced invalid plan: a destroy plan is not null".to_owned()]
            }
            _ => Vec::new(),
        };
        let (planned, diagnostics) = step(answer, checked);
        let change = planned.map(|planned| Change {
            action: Action::Delete,
            before,
            after: Value::Null,
            private: planned.private,
        });
        Ok((change, diagnostics))
    }
}
