//! A create or update that knows what is there and what to do: what both have in common from there to their
//! last call.

use std::collections::BTreeMap;

use resource_graph::{Ended, Failure, Ledger, PartKey, Plan, Report};
use terraform_plugin::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ProductionClusterResource;
use super::model::ProductionCluster;
use super::private::Private;
use super::report;
use super::run::{Fence, Limits, Run};
use super::state::{Outcome, compose};
use crate::aws::Aws;
use crate::errors;

/// A run with its plan.
pub struct Begun {
    run: Run,
    plan: Plan<Aws>,
    ledger: Ledger,
    generation: String,
    deadline: Instant,
}

impl Begun {
    /// Looks at everything and plans. Nothing has been changed so far, but for the generation of an unfinished
    /// cluster.
    pub async fn new(
        run: Run,
        planned: &ProductionCluster,
        ledger: Ledger,
        generation: String,
        deadline: Instant,
    ) -> Result<Self, Diagnostics> {
        let stages = run.stages(planned, &generation)?;
        let plan = run.plan(&stages, &ledger).await;
        Ok(Self { run, plan, ledger, generation, deadline })
    }

    /// What the plan cannot do, when nothing exists yet: such a run need not begin.
    pub fn errors_before_anything(&self) -> BTreeMap<PartKey, Failure> {
        if self.ledger.is_empty() { self.plan.errors() } else { BTreeMap::new() }
    }

    /// Carries the plan out. `unfinished` is the status until the run has finished.
    pub async fn carry_out(
        self,
        resource: &ProductionClusterResource,
        planned: &ProductionCluster,
        unfinished: &str,
        stop: &CancellationToken,
        checkpoint: &Checkpoint<ProductionCluster>,
    ) -> Ran {
        let Self { run, plan, ledger, generation, deadline } = self;
        resource.memory.recall().worked_on.insert(run.identity.clone());
        let outcome = Outcome { status: unfinished, generation: &generation };
        checkpoint.save(compose(planned, &ledger, &plan.explain(), outcome), Private::of_state(&ledger));
        let fence = run.fence(&generation);
        let limits = Limits { stop: stop.clone(), deadline, fence: Some(fence.clone()) };
        let report = run.carry_out(plan, ledger, limits).await;
        Ran { run, report, fence, generation }
    }
}

/// A run whose plan was carried out, as far as it went.
pub struct Ran {
    run: Run,
    pub report: Report,
    fence: Fence,
    generation: String,
}

impl Ran {
    /// Finishes with the very last call; an error says what is left, and what to do next.
    pub async fn finish(
        &self,
        stop: &CancellationToken,
        connected: &Connected,
        next: &str,
    ) -> Result<(), String> {
        if !self.report.is_complete() {
            return Err(report::detail(&self.report, next));
        }
        let completed = tokio::select! {
            biased;
            completed = self.complete(connected) => completed,
            () = stop.cancelled() => Err(format!("The run was interrupted ({}).", errors::INTERRUPTED.code)),
        };
        completed.map_err(|text| {
            format!(
                "{text}\n\nEverything exists; only the mark of the cluster may still be incomplete.\n\n{next}"
            )
        })
    }

    /// Takes the mark of an unfinished cluster away, while somebody is there to save the result. What the
    /// cluster is by now decides: this run may have made it anew.
    async fn complete(&self, connected: &Connected) -> Result<(), String> {
        let cluster = self.run.cluster().await.map_err(|failure| report::failure(&failure))?;
        let Some(cluster) = cluster else { return Err("The cluster is not there any more.".to_owned()) };
        self.fence.allows(&cluster).map_err(|failure| report::failure(&failure))?;
        if !cluster.is_incomplete() {
            return Ok(());
        }
        if !connected.is_connected() {
            return Err("Terraform is gone.".to_owned());
        }
        self.run.complete(&cluster.arn).await.map_err(|failure| report::failure(&failure))
    }

    /// True when it is the user who ended it.
    pub fn was_interrupted(&self, stop: &CancellationToken) -> bool {
        if self.report.is_complete() { stop.is_cancelled() } else { self.report.ended == Ended::Stopped }
    }

    /// What people should know besides.
    pub fn warnings(&self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for warning in &self.report.warnings {
            diagnostics.warning("About what exists", warning.clone());
        }
        diagnostics
    }

    /// The answer with this status.
    pub fn response(
        &self,
        planned: &ProductionCluster,
        status: &str,
        diagnostics: Diagnostics,
    ) -> ApplyResponse<ProductionCluster> {
        let outcome = Outcome { status, generation: &self.generation };
        ApplyResponse {
            state: Some(compose(planned, &self.report.ledger, &self.report.views, outcome)),
            private: Private::of_state(&self.report.ledger),
            diagnostics,
        }
    }
}
