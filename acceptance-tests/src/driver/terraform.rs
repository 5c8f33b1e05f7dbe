//! The commands a user runs, on one resource.

use std::path::PathBuf;
use std::sync::Arc;

use super::apply::Apply;
use super::plan::{Action, Change, Plan, Subject};
use super::schema::{Block, Schemas};
use super::session::{Controls, Diagnostic, Session};
use super::state::{Object, State};
use super::value::{Type, Value};
use crate::configuration::CLUSTER_TYPE;
use crate::{Explain, Failure, Result};

/// A resource, its configuration and its state.
pub struct Terraform {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    provider: serde_json::Value,
    type_name: String,
    config: Option<serde_json::Value>,
    create_before_destroy: bool,
    schemas: Option<Arc<Schemas>>,
    controls: Controls,
    /// What is saved.
    pub state: State,
}

/// What a command printed and planned.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub diagnostics: Vec<Diagnostic>,
    /// The plan, when planning succeeded.
    pub plan: Option<Plan>,
    /// Ctrl-C was pressed: the command fails whatever the provider answered.
    pub interrupted: bool,
}

impl Outcome {
    /// Whether the exit code would be 1.
    pub fn failed(&self) -> bool {
        self.interrupted || self.errors().next().is_some()
    }

    /// The errors.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.is_error)
    }

    /// Where the provider broke the protocol.
    pub fn protocol_errors(&self) -> Vec<String> {
        let own = self.errors().filter(|diagnostic| diagnostic.is_from_core);
        own.map(|diagnostic| diagnostic.summary.clone()).collect()
    }

    /// Whether the plan succeeded and is empty.
    pub fn is_empty_plan(&self) -> bool {
        !self.failed() && self.plan.as_ref().is_some_and(Plan::is_empty)
    }

    /// The diagnostics as text.
    pub fn text(&self) -> String {
        let line = |diagnostic: &Diagnostic| {
            let severity = if diagnostic.is_error { "Error" } else { "Warning" };
            format!("{severity}: {}\n{}", diagnostic.summary, diagnostic.detail)
        };
        self.diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Fails unless the command succeeded.
    pub fn expect_success(self, command: &str) -> Result<Self> {
        if self.failed() {
            return Err(Failure::new(format!("{command} failed:\n{}", self.text())));
        }
        Ok(self)
    }
}

/// The schema parts a command works with.
struct Prepared {
    schemas: Arc<Schemas>,
    version: i64,
    block: Block,
    kind: Type,
    provider_kind: Type,
    provider: Value,
    config: Option<Value>,
}

impl Terraform {
    /// A cluster that is neither configured nor saved.
    pub fn new(binary: PathBuf, environment: Vec<(String, String)>, provider: serde_json::Value) -> Self {
        Self {
            binary,
            environment,
            provider,
            type_name: CLUSTER_TYPE.to_owned(),
            config: None,
            create_before_destroy: false,
            schemas: None,
            controls: Controls::default(),
            state: State::default(),
        }
    }

    /// Another resource type.
    pub fn of_type(mut self, type_name: &str) -> Self {
        self.type_name = type_name.to_owned();
        self
    }

    /// Saves asking for the schema, which every command would do again.
    pub fn with_schemas(mut self, schemas: Arc<Schemas>) -> Self {
        self.schemas = Some(schemas);
        self
    }

    /// Sets `lifecycle { create_before_destroy = … }`.
    pub fn set_create_before_destroy(&mut self, value: bool) {
        self.create_before_destroy = value;
    }

    /// Sets the configuration; none removes the resource from it.
    pub fn configure(&mut self, config: Option<serde_json::Value>) {
        self.config = config;
    }

    /// Ctrl-C and `kill -9` for whatever runs now.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }

    /// The schemas of the provider, asked for in a process of their own.
    pub async fn schemas(&mut self) -> Result<Arc<Schemas>> {
        if let Some(schemas) = &self.schemas {
            return Ok(Arc::clone(schemas));
        }
        let session = self.start().await?;
        let schemas = session.schemas().await;
        session.end().await?;
        let schemas = Arc::new(schemas?);
        self.schemas = Some(Arc::clone(&schemas));
        Ok(schemas)
    }

    async fn start(&self) -> Result<Session> {
        Session::start(&self.binary, &self.environment, &self.controls).await
    }

    async fn prepare(&mut self) -> Result<Prepared> {
        let schemas = self.schemas().await?;
        let (version, block) = schemas.resource(&self.type_name)?.clone();
        let (kind, provider_kind) = (block.value_type(), schemas.provider.value_type());
        let provider = Value::from_json(&self.provider, &provider_kind).explain("the provider block")?;
        let config =
            self.config.as_ref().map(|config| Value::from_json(config, &kind).explain("the resource"));
        let config = config.transpose()?;
        self.controls.begin_command();
        Ok(Prepared { schemas, version, block, kind, provider_kind, provider, config })
    }

    fn subject<'a>(&'a self, prepared: &'a Prepared) -> Subject<'a> {
        Subject {
            type_name: &self.type_name,
            version: prepared.version,
            block: &prepared.block,
            kind: &prepared.kind,
            plan_destroy: prepared.schemas.plan_destroy,
            create_before_destroy: self.create_before_destroy,
        }
    }

    /// Runs `work` in a configured process of its own.
    async fn in_process<T: Default>(
        &self,
        prepared: &Prepared,
        outcome: &mut Outcome,
        work: impl AsyncFnOnce(&Session, &mut Outcome) -> Result<T>,
    ) -> Result<T> {
        let session = self.start().await?;
        let result = async {
            let configured = session.configure(&prepared.provider, &prepared.provider_kind).await?;
            let failed = configured.failed();
            outcome.diagnostics.extend(configured.diagnostics);
            if failed { Ok(T::default()) } else { work(&session, outcome).await }
        };
        let result = result.await;
        session.end().await?;
        outcome.interrupted = self.controls.is_stopped();
        result
    }

    /// `terraform plan`: refresh and plan share one process; nothing is saved.
    pub async fn plan(&mut self) -> Result<Outcome> {
        let prepared = self.prepare().await?;
        let mut outcome = Outcome::default();
        self.plan_into(&prepared, &mut outcome).await?;
        Ok(outcome)
    }

    async fn plan_into(&self, prepared: &Prepared, outcome: &mut Outcome) -> Result<()> {
        let subject = self.subject(prepared);
        let planned = self.in_process(prepared, outcome, async |session, outcome| {
            let validated = session.validate_provider(&prepared.provider, &prepared.provider_kind).await?;
            let failed = validated.failed();
            outcome.diagnostics.extend(validated.diagnostics);
            if failed {
                return Ok(None);
            }
            self.refresh_and_plan(&subject, session, prepared.config.as_ref(), outcome).await
        });
        outcome.plan = planned.await?;
        if outcome.failed() {
            outcome.plan = None;
        }
        Ok(())
    }

    async fn refresh_and_plan(
        &self,
        subject: &Subject<'_>,
        session: &Session,
        config: Option<&Value>,
        outcome: &mut Outcome,
    ) -> Result<Option<Plan>> {
        let Some(refreshed) = self.refresh(subject, session, outcome).await? else { return Ok(None) };
        let mut plan = Plan { current: None, deposed: Vec::new(), refreshed };
        let (change, diagnostics) = match (&plan.refreshed.current, config) {
            (prior, Some(config)) => subject.change(session, prior.as_ref(), config, None).await?,
            (Some(object), None) => subject.deletion(session, object).await?,
            (None, None) => (None, Vec::new()),
        };
        plan.current = change;
        outcome.diagnostics.extend(diagnostics);
        for (key, object) in &plan.refreshed.deposed {
            let (change, diagnostics) = subject.deletion(session, object).await?;
            outcome.diagnostics.extend(diagnostics);
            plan.deposed.extend(change.map(|_| key.clone()));
        }
        Ok(Some(plan))
    }

    /// UpgradeResourceState and ReadResource of everything saved.
    async fn refresh(
        &self,
        subject: &Subject<'_>,
        session: &Session,
        outcome: &mut Outcome,
    ) -> Result<Option<State>> {
        let mut state = self.state.clone();
        if let Some(object) = &self.state.current {
            let Some(object) = refresh_one(subject, session, object, outcome).await? else { return Ok(None) };
            state.current = object;
        }
        for (key, object) in &self.state.deposed {
            let Some(object) = refresh_one(subject, session, object, outcome).await? else { return Ok(None) };
            state.set_deposed(key, object);
        }
        Ok(Some(state))
    }

    /// `terraform apply`: plans in one process, plans again and applies in another.
    pub async fn apply(&mut self) -> Result<Outcome> {
        let prepared = self.prepare().await?;
        let mut outcome = Outcome::default();
        self.plan_into(&prepared, &mut outcome).await?;
        self.carry_out(&prepared, &mut outcome).await?;
        Ok(outcome)
    }

    async fn carry_out(&mut self, prepared: &Prepared, outcome: &mut Outcome) -> Result<()> {
        let Some(plan) = outcome.plan.clone() else { return Ok(()) };
        let mut state = plan.refreshed.clone();
        if !plan.is_empty() {
            let subject = self.subject(prepared);
            let controls = self.controls.clone();
            // Whatever happens to the process, what has been answered until then is saved.
            let saved = &mut state;
            let applied = self.in_process(prepared, outcome, async |session, outcome| {
                let is_stopped = || controls.is_stopped();
                let mut apply =
                    Apply { subject: &subject, session, is_stopped: &is_stopped, diagnostics: Vec::new() };
                let result = apply.run(&plan, prepared.config.as_ref(), saved).await;
                outcome.diagnostics.append(&mut apply.diagnostics);
                result
            });
            applied.await?;
        }
        self.state = state;
        Ok(())
    }

    /// `terraform destroy`: an ordinary plan that refreshes, a destroy plan and the apply, three processes.
    pub async fn destroy(&mut self) -> Result<Outcome> {
        let prepared = self.prepare().await?;
        let mut outcome = Outcome::default();
        if self.state.is_empty() {
            return Ok(outcome);
        }
        self.plan_into(&prepared, &mut outcome).await?;
        let Some(refreshed) = outcome.plan.take().map(|plan| plan.refreshed) else { return Ok(outcome) };
        let subject = self.subject(&prepared);
        let planned = self.in_process(&prepared, &mut outcome, async |session, outcome| {
            plan_destroy(&subject, session, refreshed, outcome).await
        });
        outcome.plan = planned.await?;
        if outcome.failed() {
            outcome.plan = None;
        }
        let without_config = Prepared { config: None, ..prepared };
        self.carry_out(&without_config, &mut outcome).await?;
        Ok(outcome)
    }

    /// `terraform import`: import, then a refresh, in one process.
    pub async fn import(&mut self, id: &str) -> Result<Outcome> {
        let prepared = self.prepare().await?;
        let mut outcome = Outcome::default();
        if self.state.current.is_some() {
            outcome.diagnostics.push(Diagnostic {
                is_error: true,
                summary: "Resource already managed by Terraform".to_owned(),
                detail: String::new(),
                is_from_core: false,
            });
            return Ok(outcome);
        }
        let subject = self.subject(&prepared);
        let imported = self.in_process(&prepared, &mut outcome, async |session, outcome| {
            let answer = session.import(&self.type_name, id, &prepared.kind).await?;
            outcome.diagnostics.extend(answer.diagnostics);
            let Some((value, private)) = answer.value.and_then(|objects| objects.into_iter().next()) else {
                return Ok(None);
            };
            let object = Object { value, private, tainted: false };
            let (object, diagnostics) = subject.refreshed(session, &object).await?;
            outcome.diagnostics.extend(diagnostics);
            Ok(object.flatten())
        });
        let object = imported.await?;
        if object.is_none() && !outcome.failed() {
            outcome.diagnostics.push(Diagnostic::of_core("Cannot import non-existent remote object"));
        }
        if !outcome.failed() {
            self.state.current = object;
        }
        Ok(outcome)
    }

    /// `terraform untaint`.
    pub fn untaint(&mut self) {
        if let Some(object) = &mut self.state.current {
            object.tainted = false;
        }
    }

    /// `terraform taint`.
    pub fn taint(&mut self) {
        if let Some(object) = &mut self.state.current {
            object.tainted = true;
        }
    }
}

/// No state when the object could not be read; no object when it is gone.
async fn refresh_one(
    subject: &Subject<'_>,
    session: &Session,
    object: &Object,
    outcome: &mut Outcome,
) -> Result<Option<Option<Object>>> {
    let (upgraded, diagnostics) = subject.upgraded(session, object).await?;
    outcome.diagnostics.extend(diagnostics);
    let Some(upgraded) = upgraded else { return Ok(None) };
    let (refreshed, diagnostics) = subject.refreshed(session, &upgraded).await?;
    outcome.diagnostics.extend(diagnostics);
    Ok(refreshed)
}

async fn plan_destroy(
    subject: &Subject<'_>,
    session: &Session,
    refreshed: State,
    outcome: &mut Outcome,
) -> Result<Option<Plan>> {
    let mut plan = Plan { current: None, deposed: Vec::new(), refreshed };
    let nothing =
        Change { action: Action::NoOp, before: Value::Null, after: Value::Null, private: Vec::new() };
    plan.current = Some(nothing);
    if let Some(object) = &plan.refreshed.current {
        let (upgraded, diagnostics) = subject.upgraded(session, object).await?;
        outcome.diagnostics.extend(diagnostics);
        let Some(upgraded) = upgraded else { return Ok(None) };
        let (change, diagnostics) = subject.deletion(session, &upgraded).await?;
        outcome.diagnostics.extend(diagnostics);
        plan.current = change;
    }
    for (key, object) in &plan.refreshed.deposed {
        let (change, diagnostics) = subject.deletion(session, object).await?;
        outcome.diagnostics.extend(diagnostics);
        plan.deposed.extend(change.map(|_| key.clone()));
    }
    Ok(Some(plan))
}
