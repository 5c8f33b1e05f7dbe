use std::sync::Arc;

use async_trait::async_trait;

use super::*;
use crate::framework::{
    ApplyResponse, CreateRequest, DeleteRequest, ReadRequest, ReadResponse, Resource, UpdateRequest, resource,
};
use crate::model::{Field, Map, Model, Set};
use crate::serve::session::Lifetime;

crate::model! {
    /// A thing.
    struct Thing {
        /// Identifier.
        id: String = computed(),
        /// What to do.
        act: String = required(),
        /// Secret.
        secret: String = optional().sensitive(),
        /// Labels.
        labels: Map<String> = optional(),
        /// Texts.
        texts: Set<String> = optional(),
    }
}

struct ThingResource;

impl ThingResource {
    /// Does what the attribute `act` says.
    async fn act(
        planned: Thing,
        stop: tokio_util::sync::CancellationToken,
        checkpoint: crate::framework::Checkpoint<Thing>,
    ) -> ApplyResponse<Thing> {
        let mut state = Thing { id: "id-1".into(), ..planned };
        let mut diagnostics = Diagnostics::new();
        match state.act.text().unwrap_or_default() {
            "panic" => {
                checkpoint.save(Thing { id: Field::Unknown, ..state.clone() }, b"made".to_vec());
                panic!("on request");
            }
            "panic early" => panic!("on request"),
            "ignore stop" => {
                checkpoint.save(state.clone(), b"made".to_vec());
                std::future::pending::<()>().await;
            }
            "stop" => {
                stop.cancelled().await;
                diagnostics.error("Stopped", "As asked.");
            }
            "fail" => {
                state.id = Field::Unknown;
                diagnostics.error("Failed", "As asked.");
            }
            "vanish" => return ApplyResponse::default(),
            "fail and vanish" => {
                diagnostics.error("Failed", "As asked.");
                return ApplyResponse { diagnostics, ..Default::default() };
            }
            "unknown" => state.id = Field::Unknown,
            "change" => {
                state.labels =
                    Field::Known([("b", "2")].into_iter().map(|(k, v)| (k, v.to_owned())).collect());
                state.secret = "revealed".into();
                state.texts = Field::Known(["x".to_owned(), "y".to_owned()].into_iter().collect());
            }
            _ => {}
        }
        ApplyResponse { state: Some(state), private: b"done".to_vec(), diagnostics }
    }
}

#[async_trait]
impl Resource for ThingResource {
    type Model = Thing;

    fn type_name(&self) -> &'static str {
        "test_thing"
    }

    fn description(&self) -> &'static str {
        "A thing."
    }

    async fn read(&self, _request: ReadRequest<Thing>) -> ReadResponse<Thing> {
        ReadResponse::default()
    }

    async fn create(&self, request: CreateRequest<Thing>) -> ApplyResponse<Thing> {
        Self::act(request.planned, request.stop, request.checkpoint).await
    }

    async fn update(&self, request: UpdateRequest<Thing>) -> ApplyResponse<Thing> {
        Self::act(request.planned, request.stop, request.checkpoint).await
    }

    async fn delete(&self, request: DeleteRequest<Thing>) -> ApplyResponse<Thing> {
        match request.prior.act.text() {
            Some("stay") => ApplyResponse { state: Some(request.prior), ..Default::default() },
            Some("panic early") => panic!("on request"),
            _ => ApplyResponse::default(),
        }
    }
}

fn planned(act: &str) -> Thing {
    Thing {
        id: Field::Unknown,
        act: act.into(),
        secret: "hidden".into(),
        labels: Field::Known([("a", "1")].into_iter().map(|(k, v)| (k, v.to_owned())).collect()),
        texts: Field::Known(["x".to_owned()].into_iter().collect()),
    }
}

fn prior() -> Value {
    Thing { id: "id-0".into(), ..planned("before") }.to_value()
}

async fn applied_in(session: &Session, prior: Value, planned: Value) -> Applied {
    let config = planned.clone();
    apply(resource(ThingResource), session, prior, config, planned, b"planned".to_vec()).await
}

async fn applied(prior: Value, planned: Value) -> Applied {
    applied_in(&Session::new(Lifetime::OneCommand), prior, planned).await
}

fn id(applied: &Applied) -> Option<String> {
    assert!(applied.state.is_wholly_known());
    applied.state.member("id").as_str().map(str::to_owned)
}

fn summaries(applied: &Applied) -> Vec<&str> {
    applied.diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect()
}

#[tokio::test]
async fn success_passes() {
    let applied = applied(Value::Null, planned("succeed").to_value()).await;
    assert_eq!(id(&applied).as_deref(), Some("id-1"));
    assert_eq!(applied.private, b"done");
    assert!(applied.diagnostics.is_empty(), "{}", applied.diagnostics);
}

#[tokio::test]
async fn a_panic_answers_the_last_checkpoint() {
    let applied = applied(Value::Null, planned("panic").to_value()).await;
    assert_eq!(applied.state.member("act").as_str(), Some("panic"));
    assert_eq!(id(&applied), None, "what was unknown is null");
    assert_eq!(applied.private, b"made");
    assert_eq!(summaries(&applied), ["The provider failed unexpectedly"]);
    assert!(applied.diagnostics.to_string().contains("on request"));
}

#[tokio::test]
async fn a_panic_before_any_checkpoint_keeps_what_was_there() {
    for planned in [planned("panic early").to_value(), Value::Null] {
        let mut prior = prior();
        if let Value::Object(members) = &mut prior {
            members.insert("act".to_owned(), "panic early".into());
        }
        let applied = applied(prior, planned).await;
        assert_eq!(id(&applied).as_deref(), Some("id-0"));
        assert_eq!(applied.private, b"planned");
        assert_eq!(summaries(&applied), ["The provider failed unexpectedly"]);
    }
    let applied = applied(Value::Null, planned("panic early").to_value()).await;
    assert!(applied.state.is_null() && applied.diagnostics.has_errors());
}

#[tokio::test(start_paused = true)]
async fn work_that_stops_answers_by_itself() {
    let session = Session::new(Lifetime::OneCommand);
    session.stop();
    let applied = applied_in(&session, Value::Null, planned("stop").to_value()).await;
    assert_eq!(summaries(&applied), ["Stopped"]);
    assert_eq!(id(&applied).as_deref(), Some("id-1"));
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_stop_is_answered_for() {
    let session = Session::new(Lifetime::OneCommand);
    let started = tokio::time::Instant::now();
    let work = applied_in(&session, Value::Null, planned("ignore stop").to_value());
    let (applied, ()) = tokio::join!(work, async {
        tokio::task::yield_now().await;
        session.stop();
    });
    assert_eq!(started.elapsed(), PATIENCE, "on the paused clock");
    assert_eq!(summaries(&applied), ["Stopped before the work was finished"]);
    assert_eq!(id(&applied).as_deref(), Some("id-1"));
    assert_eq!(applied.private, b"made");
}

#[tokio::test]
async fn work_outlives_its_call() {
    let session = Arc::new(Session::new(Lifetime::OneCommand));
    let call = applied_in(&session, Value::Null, planned("stop").to_value());
    let mut call = Box::pin(call);
    assert!(futures::poll!(&mut call).is_pending());
    drop(call);
    session.lose();
    session.idle().await;
}

#[tokio::test]
async fn results_that_terraform_would_refuse_are_errors_and_saved() {
    let applied = applied(Value::Null, planned("change").to_value()).await;
    let places: Vec<String> = applied
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.path.clone().unwrap_or_default().to_string())
        .collect();
    assert_eq!(places, ["labels[\"a\"]", "labels[\"b\"]", "secret", "texts"]);
    assert!(!applied.diagnostics.to_string().contains("revealed"));
    assert_eq!(applied.state.member("secret").as_str(), Some("revealed"));
}

#[tokio::test]
async fn unknown_results_are_errors_and_saved_as_null() {
    let applied = applied(Value::Null, planned("unknown").to_value()).await;
    assert_eq!(id(&applied), None);
    assert_eq!(applied.diagnostics.len(), 1);
    assert!(applied.diagnostics.to_string().contains("`id`: the value is still unknown"));
}

#[tokio::test]
async fn after_an_error_nothing_else_is_reported() {
    let failed = applied(Value::Null, planned("fail").to_value()).await;
    assert_eq!(summaries(&failed), ["Failed"]);
    assert_eq!((id(&failed), failed.private.as_slice()), (None, b"done".as_slice()));
}

#[tokio::test]
async fn objects_neither_vanish_nor_stay() {
    for prior in [Value::Null, prior()] {
        let applied = applied(prior.clone(), planned("vanish").to_value()).await;
        assert!(applied.diagnostics.to_string().contains("is not there after"));
        assert_eq!(applied.state, prior);
    }
    let failed = applied(prior(), planned("fail and vanish").to_value()).await;
    assert_eq!((failed.state.clone(), summaries(&failed)), (prior(), vec!["Failed"]));
    let gone = applied(prior(), Value::Null).await;
    assert!(gone.state.is_null() && gone.diagnostics.is_empty());
    let stays = Thing { id: "id-0".into(), ..planned("stay") }.to_value();
    let stayed = applied(stays.clone(), Value::Null).await;
    assert!(stayed.diagnostics.to_string().contains("still there"));
    assert_eq!(stayed.state, stays);
}

#[tokio::test]
async fn debugging_outlives_a_stop() {
    let session = Session::new(Lifetime::UntilInterrupted);
    let (stop, connected) = (session.stop_token(), session.connected());
    session.stop();
    assert!(stop.is_cancelled() && connected.is_connected() && !session.stop_token().is_cancelled());
    session.connection_opened();
    session.connection_closed();
    assert!(!connected.is_connected() && session.connected().is_connected());
}
