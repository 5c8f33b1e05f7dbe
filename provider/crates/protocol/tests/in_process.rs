//! Calls over mutual TLS to a provider in this process, as Terraform makes them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use terraform_plugin::client::{InProcess, value_type};
use terraform_plugin::model::Model;
use terraform_plugin::prelude::*;
use terraform_plugin::value::{Type, Value};
use terraform_plugin::wire::tfplugin6::{self, DynamicValue};
use terraform_plugin::{AnyResource, codec, schema_of};
use tokio::sync::Notify;
use tonic::Code;

model! {
    /// A thing.
    pub struct Thing {
        /// Identifier.
        id: String = computed().use_prior(),
        /// What to do.
        act: String = required().one_of(&["make", "wait", "panic"]),
        timeouts: Timeouts = block(),
    }

    /// The provider block.
    pub struct Config {
        /// Text.
        text: String = optional(),
    }
}

/// What the resource did.
#[derive(Default)]
struct Record {
    began: Notify,
    events: Mutex<Vec<String>>,
}

impl Record {
    fn add(&self, event: impl Into<String>) {
        self.events.lock().unwrap().push(event.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

struct ThingResource(Arc<Record>);

#[async_trait]
impl Resource for ThingResource {
    type Model = Thing;

    fn type_name(&self) -> &'static str {
        "test_thing"
    }

    fn description(&self) -> &'static str {
        "A thing."
    }

    fn version(&self) -> i64 {
        2
    }

    fn upgrade(&self, version: i64, mut state: serde_json::Value) -> Result<serde_json::Value, Diagnostics> {
        self.0.add(format!("upgrade {version}"));
        state["act"] = "make".into();
        Ok(state)
    }

    fn loaded(&self, state: &Thing) {
        self.0.add(format!("loaded {}", state.id.text().unwrap_or("nothing")));
    }

    fn validate(&self, config: &Thing, _diagnostics: &mut Diagnostics) {
        assert!(config.act.text() != Some("panic"), "validation failed on request");
    }

    async fn read(&self, request: ReadRequest<Thing>) -> ReadResponse<Thing> {
        let state = Some(request.state).filter(|state| state.id.text() != Some("gone"));
        ReadResponse { state, private: request.private, ..Default::default() }
    }

    async fn create(&self, request: CreateRequest<Thing>) -> ApplyResponse<Thing> {
        if request.planned.act.text() == Some("wait") {
            self.0.began.notify_one();
            request.stop.cancelled().await;
            self.0.add(format!("stopped, connected: {}", request.connected.is_connected()));
        }
        let state = Thing { id: "id-1".into(), ..request.planned };
        ApplyResponse { state: Some(state), private: request.private, ..Default::default() }
    }

    async fn update(&self, request: UpdateRequest<Thing>) -> ApplyResponse<Thing> {
        ApplyResponse { state: Some(request.planned), ..Default::default() }
    }

    async fn delete(&self, _request: DeleteRequest<Thing>) -> ApplyResponse<Thing> {
        ApplyResponse::default()
    }

    async fn import(&self, id: &str) -> Result<Imported<Thing>, Diagnostics> {
        if id == "missing" {
            return Err(Diagnostics::from_error("Not found", "There is no such thing."));
        }
        let state = Thing { id: id.into(), act: "make".into(), ..Default::default() };
        Ok(Imported { state, private: b"imported".to_vec(), ..Default::default() })
    }
}

struct Shout;

impl Function for Shout {
    fn name(&self) -> &'static str {
        "shout"
    }

    fn summary(&self) -> &'static str {
        "Shouts"
    }

    fn description(&self) -> &'static str {
        "Makes text louder."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("text", Type::String, "What to shout.")]
    }

    fn variadic_parameter(&self) -> Option<Parameter> {
        Some(Parameter::new("more", Type::String, "What else to shout."))
    }

    fn return_type(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let words: Vec<&str> = arguments.iter().filter_map(Value::as_str).collect();
        if words.contains(&"") {
            return Err(FunctionError::at(0, "Nothing to shout."));
        }
        Ok(words.join(" ").to_uppercase().into())
    }
}

struct TestProvider(Arc<Record>);

#[async_trait]
impl Provider for TestProvider {
    type Config = Config;

    fn name(&self) -> &'static str {
        "test"
    }

    fn version(&self) -> &'static str {
        "1.2.3"
    }

    fn description(&self) -> &'static str {
        "For tests."
    }

    fn resources(&self) -> Vec<Arc<dyn AnyResource>> {
        vec![resource(ThingResource(Arc::clone(&self.0)))]
    }

    fn functions(&self) -> Vec<Arc<dyn Function>> {
        vec![Arc::new(Shout)]
    }

    async fn configure(&self, config: Config, terraform_version: &str) -> Diagnostics {
        self.0.add(format!("configured {:?} by {terraform_version}", config.text.text()));
        Diagnostics::new()
    }
}

async fn start() -> (InProcess, Arc<Record>) {
    let record = Arc::new(Record::default());
    let provider = terraform_plugin::provider(TestProvider(Arc::clone(&record)));
    (InProcess::start(provider).await.unwrap(), record)
}

fn kind() -> Type {
    schema_of::<Thing>(2, "").value_type()
}

fn encoded(thing: &Thing) -> Option<DynamicValue> {
    Some(codec::encode(&thing.to_value(), &kind()))
}

fn null() -> Option<DynamicValue> {
    Some(codec::encode(&Value::Null, &kind()))
}

fn decoded(value: Option<DynamicValue>) -> Thing {
    let value = codec::decode(value.as_ref(), &kind()).unwrap();
    Thing::from_value(&value, &Path::root()).unwrap()
}

fn thing(act: &str) -> Thing {
    Thing { act: act.into(), ..Thing::default() }
}

fn type_name() -> String {
    "test_thing".to_owned()
}

fn create(planned: &Thing) -> tfplugin6::apply_resource_change::Request {
    tfplugin6::apply_resource_change::Request {
        type_name: type_name(),
        prior_state: null(),
        planned_state: encoded(planned),
        config: encoded(planned),
        planned_private: b"private".to_vec(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_resource_from_schema_to_state() {
    let (plugin, record) = start().await;
    let mut client = plugin.client();

    let schema =
        client.get_provider_schema(tfplugin6::get_provider_schema::Request {}).await.unwrap().into_inner();
    let resource_schema = &schema.resource_schemas["test_thing"];
    assert_eq!(value_type(resource_schema).unwrap(), kind());
    assert_eq!(resource_schema.version, 2);
    let capabilities = schema.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional);

    let config = Config { text: "x".into() };
    let config_type = schema_of::<Config>(0, "").value_type();
    let request = tfplugin6::configure_provider::Request {
        terraform_version: "1.11.4".to_owned(),
        config: Some(codec::encode(&config.to_value(), &config_type)),
        ..Default::default()
    };
    assert!(client.configure_provider(request).await.unwrap().into_inner().diagnostics.is_empty());
    assert_eq!(record.take(), ["configured Some(\"x\") by 1.11.4"]);

    let request = tfplugin6::plan_resource_change::Request {
        type_name: type_name(),
        prior_state: null(),
        proposed_new_state: encoded(&thing("make")),
        config: encoded(&thing("make")),
        ..Default::default()
    };
    let plan = client.plan_resource_change(request).await.unwrap().into_inner();
    assert!(plan.diagnostics.is_empty(), "{:?}", plan.diagnostics);
    let planned = decoded(plan.planned_state);
    assert!(planned.id.is_unknown());

    let applied = client.apply_resource_change(create(&planned)).await.unwrap().into_inner();
    assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
    assert_eq!(decoded(applied.new_state), Thing { id: "id-1".into(), ..thing("make") });
    assert_eq!(applied.private, b"private");
    drop(client);
    plugin.disconnect().await;
}

#[tokio::test]
async fn states_are_upgraded_loaded_and_read() {
    let (plugin, record) = start().await;
    let mut client = plugin.client();
    let upgrade = |version, json: &str| tfplugin6::upgrade_resource_state::Request {
        type_name: type_name(),
        version,
        raw_state: Some(tfplugin6::RawState { json: json.as_bytes().to_vec(), ..Default::default() }),
    };
    let request = upgrade(2, r#"{"id":"a","act":"make","gone":true}"#);
    let state = client.upgrade_resource_state(request).await.unwrap().into_inner();
    assert_eq!(decoded(state.upgraded_state), Thing { id: "a".into(), ..thing("make") });
    let request = upgrade(1, r#"{"id":"b"}"#);
    let state = client.upgrade_resource_state(request).await.unwrap().into_inner();
    assert_eq!(decoded(state.upgraded_state), Thing { id: "b".into(), ..thing("make") });
    assert_eq!(record.take(), ["loaded a", "upgrade 1", "loaded b"]);

    for (id, exists) in [("a", true), ("gone", false)] {
        let request = tfplugin6::read_resource::Request {
            type_name: type_name(),
            current_state: encoded(&Thing { id: id.into(), ..thing("make") }),
            private: b"ledger".to_vec(),
            ..Default::default()
        };
        let read = client.read_resource(request).await.unwrap().into_inner();
        assert_eq!(read.new_state != null(), exists);
        assert_eq!(read.private, b"ledger");
    }

    let import = |id: &str| tfplugin6::import_resource_state::Request {
        type_name: type_name(),
        id: id.to_owned(),
        ..Default::default()
    };
    let imported = client.import_resource_state(import("x")).await.unwrap().into_inner();
    assert_eq!(imported.imported_resources[0].private, b"imported");
    let missing = client.import_resource_state(import("missing")).await.unwrap().into_inner();
    assert_eq!(missing.diagnostics[0].summary, "Not found");
}

#[tokio::test]
async fn validation_names_the_attribute_and_survives_panics() {
    let (plugin, _) = start().await;
    let mut client = plugin.client();
    let mut validate = async |act: &str| {
        let request = tfplugin6::validate_resource_config::Request {
            type_name: type_name(),
            config: encoded(&thing(act)),
            ..Default::default()
        };
        client.validate_resource_config(request).await.unwrap().into_inner().diagnostics
    };
    assert!(validate("make").await.is_empty());
    let refused = validate("dance").await;
    let steps = &refused[0].attribute.as_ref().unwrap().steps;
    assert_eq!(steps.len(), 1);
    let panicked = validate("panic").await;
    assert!(panicked[0].detail.contains("validation failed on request"), "{panicked:?}");
    assert!(validate("make").await.is_empty(), "the connection is still there");
}

#[tokio::test]
async fn functions_are_called() {
    let (plugin, _) = start().await;
    let mut client = plugin.client();
    let text = |text: &str| codec::encode(&text.into(), &Type::String);
    let mut call = async |name: &str, arguments: Vec<DynamicValue>| {
        let request = tfplugin6::call_function::Request { name: name.to_owned(), arguments };
        client.call_function(request).await.unwrap().into_inner()
    };
    let answer = call("shout", vec![text("a"), text("b")]).await;
    assert_eq!(codec::decode(answer.result.as_ref(), &Type::String).unwrap(), "A B".into());
    assert_eq!(call("shout", vec![text("")]).await.error.unwrap().function_argument, Some(0));
    assert!(call("shout", vec![]).await.error.is_some());
    assert!(call("whisper", vec![]).await.error.is_some());
}

#[tokio::test]
async fn unserved_calls_and_unknown_types_are_answered() {
    let (plugin, _) = start().await;
    let mut client = plugin.client();
    let request = tfplugin6::get_resource_identity_schemas::Request {};
    let status = client.get_resource_identity_schemas(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let request = tfplugin6::validate_resource_config::Request {
        type_name: "test_other".to_owned(),
        ..Default::default()
    };
    let answer = client.validate_resource_config(request).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics[0].summary, "Unknown resource type");
}

#[tokio::test]
async fn strangers_are_refused() {
    let (plugin, _) = start().await;
    // Under TLS 1.3 the client learns of the refusal with its first call.
    let refused = match plugin.connect_as_stranger().await {
        Ok(mut client) => client.get_metadata(tfplugin6::get_metadata::Request {}).await.is_err(),
        Err(_) => true,
    };
    assert!(refused);
    let mut client = plugin.client();
    assert!(client.get_metadata(tfplugin6::get_metadata::Request {}).await.is_ok());
}

#[tokio::test]
async fn stopping_cancels_running_work_which_answers() {
    let (plugin, record) = start().await;
    let mut client = plugin.client();
    let work = tokio::spawn(async move { client.apply_resource_change(create(&thing("wait"))).await });
    record.began.notified().await;
    plugin.client().stop_provider(tfplugin6::stop_provider::Request {}).await.unwrap();
    let applied = work.await.unwrap().unwrap().into_inner();
    assert_eq!(decoded(applied.new_state).id, "id-1".into());
    assert_eq!(record.take(), ["stopped, connected: true"]);
}

#[tokio::test]
async fn a_lost_connection_stops_running_work_which_goes_on_to_its_end() {
    let (plugin, record) = start().await;
    let mut client = plugin.client();
    let work = tokio::spawn(async move { client.apply_resource_change(create(&thing("wait"))).await });
    record.began.notified().await;
    work.abort();
    assert!(work.await.unwrap_err().is_cancelled());
    plugin.disconnect().await;
    assert_eq!(record.take(), ["stopped, connected: false"]);
}
