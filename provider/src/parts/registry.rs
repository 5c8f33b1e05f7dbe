//! What all repositories of an account and region share: two documents, each put as a whole, without a condition
//! and without marks. Only our own entries in them are added, changed or removed.
//!
//! The documents are read and written as they are, not as the SDK knows them: a member that is newer than the SDK
//! would be lost from the rules of others.
//!
//! API: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutReplicationConfiguration.html>

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecr::config::ConfigBag;
use aws_sdk_ecr::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecr::config::{Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use resource_graph::{Failure, FailureKind, Outputs};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::aws::error::{Operation, failure};

/// Puts of this process take turns: clusters of one configuration are made side by side.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// Puts of other processes may take ours away; so often it is put again.
const TRIES: u32 = 5;

/// One of the documents.
#[derive(Debug, Clone, Copy)]
pub enum Document {
    /// `{ "scanType", "rules": [{ "scanFrequency", "repositoryFilters" }] }`
    Scanning,
    /// `{ "rules": [{ "destinations", "repositoryFilters" }] }`
    Replication,
}

pub const GET_SCANNING: Operation = Operation::new("ECR", "GetRegistryScanningConfiguration");
pub const PUT_SCANNING: Operation = Operation::new("ECR", "PutRegistryScanningConfiguration");
pub const GET_REPLICATION: Operation = Operation::new("ECR", "DescribeRegistry");
pub const PUT_REPLICATION: Operation = Operation::new("ECR", "PutReplicationConfiguration");

impl Document {
    /// The document as it is.
    pub async fn read(self, aws: &Aws) -> Result<Value, Failure> {
        let answer = Answer::default();
        let kept = answer.clone();
        match self {
            Self::Scanning => {
                let call = aws.ecr.get_registry_scanning_configuration().customize().interceptor(answer);
                call.send().await.map_err(|error| failure(GET_SCANNING, &error))?;
                kept.member("scanningConfiguration")
            }
            Self::Replication => {
                let call = aws.ecr.describe_registry().customize().interceptor(answer);
                call.send().await.map_err(|error| failure(GET_REPLICATION, &error))?;
                kept.member("replicationConfiguration")
            }
        }
    }

    async fn put(self, aws: &Aws, document: &Value) -> Result<(), Failure> {
        match self {
            Self::Scanning => {
                let call = aws.ecr.put_registry_scanning_configuration().customize();
                let call = call.mutate_request(with_body(document));
                call.send().await.map(drop).map_err(|error| failure(PUT_SCANNING, &error))
            }
            Self::Replication => {
                let call = aws.ecr.put_replication_configuration().customize();
                let call = call.mutate_request(with_body(&json!({ "replicationConfiguration": document })));
                call.send().await.map(drop).map_err(|error| failure(PUT_REPLICATION, &error))
            }
        }
    }

    /// Changes the document until it is as it should be: read right before the put, and read again after it.
    /// `edited` answers none when nothing is left to change.
    pub async fn edit(
        self,
        aws: &Aws,
        edited: impl Fn(&Value) -> Result<Option<Value>, Failure> + Send,
    ) -> Result<(), Failure> {
        let _turn = TURN.lock().await;
        for _ in 0..TRIES {
            let Some(wanted) = edited(&self.read(aws).await?)? else { return Ok(()) };
            self.put(aws, &wanted).await?;
        }
        Err(Failure::new(
            FailureKind::NotYet,
            "somebody else changes the settings of the registry at the same time",
        ))
    }
}

/// The body of an answer as it came.
#[derive(Debug, Clone, Default)]
struct Answer(Arc<Mutex<Vec<u8>>>);

impl Answer {
    fn member(&self, name: &str) -> Result<Value, Failure> {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answer: Value = serde_json::from_slice(&body)
            .map_err(|error| Failure::refused(format!("ECR answered what cannot be read: {error}")))?;
        Ok(answer[name].take())
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Answer {
    fn name(&self) -> &'static str {
        "Answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default().to_vec();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body;
        Ok(())
    }
}

fn with_body(document: &Value) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
    let text = document.to_string();
    move |request| {
        request.headers_mut().insert("content-length", text.len().to_string());
        *request.body_mut() = SdkBody::from(text.as_str());
    }
}

/// The rules of a document.
pub fn rules(document: &Value) -> Vec<Value> {
    document["rules"].as_array().cloned().unwrap_or_default()
}

/// The texts of a rule's filters.
pub fn filters(rule: &Value) -> BTreeSet<String> {
    let filters = rule["repositoryFilters"].as_array().into_iter().flatten();
    filters.filter_map(|filter| filter["filter"].as_str().map(str::to_owned)).collect()
}

/// Output: the filters of ours that are there. Names of repositories have no comma.
const FILTERS: &str = "filters";

/// The filters that are recorded as ours.
pub fn recorded(outputs: &Outputs) -> BTreeSet<String> {
    let text = outputs.get(FILTERS).unwrap_or_default();
    text.split(',').filter(|filter| !filter.is_empty()).map(str::to_owned).collect()
}

/// What is recorded of filters of ours.
pub fn outputs(filters: &BTreeSet<String>) -> Outputs {
    let texts: Vec<&str> = filters.iter().map(String::as_str).collect();
    Outputs::new([(FILTERS, &texts.join(","))])
}
