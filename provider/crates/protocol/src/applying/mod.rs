//! Carrying out changes: in a task of its own, so that neither a lost connection nor a panic loses what exists.

mod result;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::Instrument as _;

use crate::diagnostics::Diagnostics;
use crate::framework::{AnyResource, Applied, ApplyInput, Change, Progress};
use crate::serve::panics;
use crate::serve::session::Session;
use crate::value::Value;

pub(crate) use result::check_known;

/// How long work may take to answer by itself after Terraform asked it to stop. Terraform ends at once when it
/// is interrupted a second time, and saves only what it has by then.
const PATIENCE: Duration = Duration::from_millis(400);

/// Creates, updates or deletes, whatever the values ask for.
pub(crate) async fn apply(
    resource: Arc<dyn AnyResource>,
    session: &Session,
    prior: Value,
    config: Value,
    planned: Value,
    private: Vec<u8>,
) -> Applied {
    let change = match (prior.is_null(), planned.is_null()) {
        (true, true) => return Applied::default(),
        (true, false) => Change::Create { config, planned: planned.clone() },
        (false, false) => Change::Update { prior: prior.clone(), config, planned: planned.clone() },
        (false, true) => Change::Delete { prior: prior.clone() },
    };
    let progress = Progress::default();
    let stop = session.stop_token();
    let input = ApplyInput {
        change,
        private: private.clone(),
        stop: stop.clone(),
        connected: session.connected(),
        progress: progress.clone(),
    };
    let (sender, receiver) = oneshot::channel();
    let worker = Arc::clone(&resource);
    let work = async move {
        let outcome = panics::catch(worker.apply(input)).await;
        // Nobody listens any more when Terraform is gone; the work is done all the same.
        let _ = sender.send(outcome);
    };
    session.spawn(work.in_current_span());

    let left = |summary: &str, detail: String| {
        let (state, private) = progress.last().unwrap_or((prior.clone(), private.clone()));
        Applied { state, private, diagnostics: Diagnostics::from_error(summary, detail) }
    };
    let applied = tokio::select! {
        biased;
        outcome = receiver => match outcome {
            Ok(Ok(applied)) => applied,
            Ok(Err(panic)) => left(
                "The provider failed unexpectedly",
                format!(
                    "{panic}\n\nWhat was made before is saved in the state. This is a bug in the provider; \
                     please report it."
                ),
            ),
            Err(_) => left("The provider failed unexpectedly", "The work ended without a result.".to_owned()),
        },
        () = async { stop.cancelled().await; tokio::time::sleep(PATIENCE).await } => left(
            "Stopped before the work was finished",
            "Terraform asked to stop while a call was under way. What is known to exist is saved in the state; \
             apply again to continue."
                .to_owned(),
        ),
    };
    result::check(resource.schema(), &prior, &planned, applied)
}

#[cfg(test)]
mod tests;
