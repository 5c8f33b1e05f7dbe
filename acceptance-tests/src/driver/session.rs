//! One provider process and the calls core makes to it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use terraform_plugin::client::Plugin;
use terraform_plugin::wire::tfplugin6 as wire;
use tonic::transport::Channel;
use wire::provider_client::ProviderClient;

use super::codec;
use super::schema::Schemas;
use super::value::{Type, Value};
use crate::processes::{self, Kind, Memory};
use crate::{Explain, Result};

/// What core says about itself. The provider must not tell CLIs apart by it.
const TERRAFORM_VERSION: &str = "1.11.4";

/// A message of the provider, or of core about the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub is_error: bool,
    pub summary: String,
    pub detail: String,
    /// Core itself found the fault: the provider broke the protocol.
    pub is_from_core: bool,
}

impl Diagnostic {
    /// An error core reports about the provider.
    pub(super) fn of_core(summary: impl Into<String>) -> Self {
        Self { is_error: true, summary: summary.into(), detail: String::new(), is_from_core: true }
    }

    fn of_connection(status: &tonic::Status) -> Self {
        let summary = "Plugin did not respond".to_owned();
        Self { is_error: true, summary, detail: status.to_string(), is_from_core: false }
    }

    fn of_provider(message: &wire::Diagnostic) -> Self {
        let is_error = message.severity() == wire::diagnostic::Severity::Error;
        let (summary, detail) = (message.summary.clone(), message.detail.clone());
        Self { is_error, summary, detail, is_from_core: false }
    }
}

/// What a call answered. Without a value the provider process is gone.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    pub value: Option<T>,
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Answer<T> {
    fn new(value: T, diagnostics: &[wire::Diagnostic]) -> Self {
        Self { value: Some(value), diagnostics: diagnostics.iter().map(Diagnostic::of_provider).collect() }
    }

    fn gone(status: &tonic::Status) -> Self {
        Self { value: None, diagnostics: vec![Diagnostic::of_connection(status)] }
    }

    /// Whether there is an error among the diagnostics.
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.is_error)
    }
}

/// A planned change as the provider answers it.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) value: Value,
    pub(super) private: Vec<u8>,
    pub(super) requires_replace: bool,
}

/// A handle on whatever provider process is running now, for Ctrl-C and `kill -9`.
#[derive(Clone, Default)]
pub struct Controls {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    current: Option<(u32, ProviderClient<Channel>)>,
    started: Vec<u32>,
    stopped: bool,
    timings: Vec<(&'static str, Duration)>,
    memory: Option<Memory>,
}

impl Controls {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// What one Ctrl-C does: core asks the provider to stop, and starts nothing any more in this command.
    pub async fn stop(&self) -> Result<()> {
        let current = self.with(|inner| {
            inner.stopped = true;
            inner.current.clone()
        });
        if let Some((_, mut client)) = current {
            client.stop_provider(wire::stop_provider::Request {}).await.explain("StopProvider")?;
        }
        Ok(())
    }

    /// `kill -9` of the provider process that is running now.
    pub fn kill(&self) -> Result<()> {
        match self.with(|inner| inner.current.as_ref().map(|(process, _)| *process)) {
            Some(process) => processes::signal(process, Kind::Kill),
            None => Err(crate::Failure::new("no provider process to kill")),
        }
    }

    /// The ids of all processes that were ever started.
    pub fn started(&self) -> Vec<u32> {
        self.with(|inner| inner.started.clone())
    }

    /// How long each refresh and each plan took, as seen from here.
    pub fn timings(&self) -> Vec<(&'static str, Duration)> {
        self.with(|inner| inner.timings.clone())
    }

    /// What the last process used right before it was ended.
    pub fn memory(&self) -> Option<Memory> {
        self.with(|inner| inner.memory)
    }

    fn took(&self, call: &'static str, since: Instant) {
        self.with(|inner| inner.timings.push((call, since.elapsed())));
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.with(|inner| inner.stopped)
    }

    pub(super) fn begin_command(&self) {
        self.with(|inner| inner.stopped = false);
    }

    fn enter(&self, process: u32, client: &ProviderClient<Channel>) {
        self.with(|inner| {
            inner.started.push(process);
            inner.current = Some((process, client.clone()));
        });
    }

    fn leave(&self) {
        self.with(|inner| {
            let process = inner.current.take().map(|(process, _)| process);
            inner.memory = process.and_then(processes::memory);
        });
    }
}

/// A running provider process.
pub struct Session {
    plugin: Plugin,
    client: ProviderClient<Channel>,
    controls: Controls,
}

impl Session {
    /// Starts a process, as go-plugin does.
    pub async fn start(binary: &Path, environment: &[(String, String)], controls: &Controls) -> Result<Self> {
        let environment = environment.iter().map(|(name, value)| (name, value));
        let plugin = Plugin::launch(binary, environment).await.explain("starting the provider")?;
        let client = plugin.client();
        controls.enter(plugin.pid().explain("the provider has ended at once")?, &client);
        Ok(Self { plugin, client, controls: controls.clone() })
    }

    /// Ends the process as core does. One that was killed has ended already.
    pub async fn end(self) -> Result<()> {
        let Self { plugin, client, controls } = self;
        controls.leave();
        drop(client);
        plugin.shutdown().await.map(drop).explain("ending the provider")
    }

    /// What the provider has written to standard error.
    pub fn log(&self) -> Vec<String> {
        self.plugin.stderr()
    }

    /// GetProviderSchema.
    pub async fn schemas(&self) -> Result<Schemas> {
        let request = wire::get_provider_schema::Request {};
        let response = self.client.clone().get_provider_schema(request).await.explain("GetProviderSchema")?;
        Schemas::read(response.into_inner())
    }

    pub(super) async fn validate_provider(&self, config: &Value, kind: &Type) -> Result<Answer<()>> {
        let request = wire::validate_provider_config::Request { config: Some(dynamic(config, kind)?) };
        Ok(match self.client.clone().validate_provider_config(request).await {
            Ok(response) => Answer::new((), &response.into_inner().diagnostics),
            Err(status) => Answer::gone(&status),
        })
    }

    pub(super) async fn configure(&self, config: &Value, kind: &Type) -> Result<Answer<()>> {
        let request = wire::configure_provider::Request {
            terraform_version: TERRAFORM_VERSION.to_owned(),
            config: Some(dynamic(config, kind)?),
            client_capabilities: Some(capabilities()),
        };
        Ok(match self.client.clone().configure_provider(request).await {
            Ok(response) => Answer::new((), &response.into_inner().diagnostics),
            Err(status) => Answer::gone(&status),
        })
    }

    pub(super) async fn validate(&self, type_name: &str, config: &Value, kind: &Type) -> Result<Answer<()>> {
        let request = wire::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: Some(dynamic(config, kind)?),
            client_capabilities: Some(capabilities()),
        };
        Ok(match self.client.clone().validate_resource_config(request).await {
            Ok(response) => Answer::new((), &response.into_inner().diagnostics),
            Err(status) => Answer::gone(&status),
        })
    }

    pub(super) async fn upgrade(
        &self,
        type_name: &str,
        version: i64,
        value: &Value,
        kind: &Type,
    ) -> Result<Answer<Value>> {
        let json = value.to_json().to_string().into_bytes();
        let request = wire::upgrade_resource_state::Request {
            type_name: type_name.to_owned(),
            version,
            raw_state: Some(wire::RawState { json, flatmap: Default::default() }),
        };
        Ok(match self.client.clone().upgrade_resource_state(request).await {
            Ok(response) => {
                let response = response.into_inner();
                Answer::new(read(response.upgraded_state, kind)?, &response.diagnostics)
            }
            Err(status) => Answer::gone(&status),
        })
    }

    pub(super) async fn read(
        &self,
        type_name: &str,
        value: &Value,
        private: &[u8],
        kind: &Type,
    ) -> Result<Answer<(Value, Vec<u8>)>> {
        let request = wire::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: Some(dynamic(value, kind)?),
            private: private.to_vec(),
            client_capabilities: Some(capabilities()),
            ..Default::default()
        };
        let started = Instant::now();
        Ok(match self.client.clone().read_resource(request).await {
            Ok(response) => {
                self.controls.took("ReadResource", started);
                let response = response.into_inner();
                let value = read(response.new_state, kind)?;
                Answer::new((value, response.private.to_vec()), &response.diagnostics)
            }
            Err(status) => Answer::gone(&status),
        })
    }

    pub(super) async fn plan(
        &self,
        type_name: &str,
        [prior, proposed, config]: [&Value; 3],
        private: &[u8],
        kind: &Type,
    ) -> Result<Answer<Planned>> {
        let request = wire::plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(dynamic(prior, kind)?),
            proposed_new_state: Some(dynamic(proposed, kind)?),
            config: Some(dynamic(config, kind)?),
            prior_private: private.to_vec(),
            client_capabilities: Some(capabilities()),
            ..Default::default()
        };
        let started = Instant::now();
        Ok(match self.client.clone().plan_resource_change(request).await {
            Ok(response) => {
                self.controls.took("PlanResourceChange", started);
                let response = response.into_inner();
                let planned = Planned {
                    value: read(response.planned_state, kind)?,
                    private: response.planned_private.to_vec(),
                    requires_replace: !response.requires_replace.is_empty(),
                };
                Answer::new(planned, &response.diagnostics)
            }
            Err(status) => Answer::gone(&status),
        })
    }

    pub(super) async fn apply(
        &self,
        type_name: &str,
        [prior, planned, config]: [&Value; 3],
        private: &[u8],
        kind: &Type,
    ) -> Result<Answer<(Value, Vec<u8>)>> {
        let request = wire::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(dynamic(prior, kind)?),
            planned_state: Some(dynamic(planned, kind)?),
            config: Some(dynamic(config, kind)?),
            planned_private: private.to_vec(),
            ..Default::default()
        };
        Ok(match self.client.clone().apply_resource_change(request).await {
            Ok(response) => {
                let response = response.into_inner();
                let value = read(response.new_state, kind)?;
                Answer::new((value, response.private.to_vec()), &response.diagnostics)
            }
            Err(status) => Answer::gone(&status),
        })
    }

    pub(super) async fn import(
        &self,
        type_name: &str,
        id: &str,
        kind: &Type,
    ) -> Result<Answer<Vec<(Value, Vec<u8>)>>> {
        let request = wire::import_resource_state::Request {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            client_capabilities: Some(capabilities()),
            ..Default::default()
        };
        Ok(match self.client.clone().import_resource_state(request).await {
            Ok(response) => {
                let response = response.into_inner();
                let objects = response.imported_resources.into_iter();
                let read = objects.map(|object| Ok((read(object.state, kind)?, object.private.to_vec())));
                Answer::new(read.collect::<Result<_>>()?, &response.diagnostics)
            }
            Err(status) => Answer::gone(&status),
        })
    }
}

fn capabilities() -> wire::ClientCapabilities {
    wire::ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() }
}

fn dynamic(value: &Value, kind: &Type) -> Result<wire::DynamicValue> {
    Ok(wire::DynamicValue { msgpack: codec::encode(value, kind)?, json: Default::default() })
}

/// A missing value is null.
fn read(value: Option<wire::DynamicValue>, kind: &Type) -> Result<Value> {
    match value {
        Some(value) if !value.msgpack.is_empty() => codec::decode(&value.msgpack, kind),
        Some(value) if !value.json.is_empty() => {
            Value::from_json(&serde_json::from_slice(&value.json).explain("a value as JSON")?, kind)
        }
        _ => Ok(Value::Null),
    }
}
