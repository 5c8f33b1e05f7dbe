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

/// Why a run has not finished.
pub struct Unfinished {
    /// What is left, and what to do next.
    pub detail: String,
    /// Another run has the cluster now.
    pub taken_over: bool,
}

impl Ran {
    /// Finishes with the very last call.
    pub async fn finish(
        &self,
        stop: &CancellationToken,
        connected: &Connected,
        next: &str,
    ) -> Result<(), Unfinished> {
        if !self.report.is_complete() {
            let taken_over = matches!(self.report.ended, Ended::GuardRefused(_));
            return Err(Unfinished { detail: report::detail(&self.report, next), taken_over });
        }
        let completed = tokio::select! {
            biased;
            completed = self.complete(connected) => completed,
            () = stop.cancelled() => {
                Err(Failure::refused("The run was interrupted.").with_code(errors::INTERRUPTED.code))
            }
        };
        completed.map_err(|failure| Unfinished {
            detail: format!(
                "{}\n\nEverything exists; only the mark of the cluster may still be incomplete.\n\n{next}",
                report::failure(&failure)
            ),
            taken_over: failure.code == Some(errors::TAKEN_OVER.code),
        })
    }

    /// Takes the mark of an unfinished cluster away, while somebody is there to save the result. What the
    /// cluster is by now decides: this run may have made it anew.
    async fn complete(&self, connected: &Connected) -> Result<(), Failure> {
        let Some(cluster) = self.run.cluster().await? else {
            return Err(Failure::refused("The cluster is not there any more."));
        };
        self.fence.allows(&cluster)?;
        if !cluster.is_incomplete() {
            return Ok(());
        }
        if !connected.is_connected() {
            return Err(Failure::refused("Terraform is gone."));
        }
        self.run.complete(&cluster.arn).await
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
