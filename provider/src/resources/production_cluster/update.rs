//! Update: carries out what differs, and finishes what a create left unfinished.

use resource_graph::{Ended, Ledger, Owner, Plan, Report};
use terraform_plugin::prelude::*;
use tokio::time::Instant;

use super::ProductionClusterResource;
use super::create::complete;
use super::model::ProductionCluster;
use super::outline::control_plane;
use super::private::Private;
use super::read::rebuilt;
use super::report::{self, headline};
use super::run::{DEFAULT_TIMEOUT, Limits, Run};
use super::state::{DEGRADED, INCOMPLETE, Outcome, READY, compose};
use crate::aws::{Aws, token};
use crate::errors;

const NEXT: &str = "Run terraform apply again: it continues with what is missing.";

pub async fn update(
    resource: &ProductionClusterResource,
    request: UpdateRequest<ProductionCluster>,
) -> ApplyResponse<ProductionCluster> {
    let identity = super::identity_of_model(&request.prior).unwrap_or_default();
    let _turn = resource.memory.turn(&identity).await;
    let recorded = Private::ledger_in(&request.private);
    let begun = tokio::select! {
        biased;
        () = request.stop.cancelled() => Err(refused("The run was interrupted.")),
        begun = begin(resource, &request, recorded.clone()) => begun,
    };
    match begun {
        Ok(begun) => begun.carry_out(resource, &request).await,
        // Nothing was done. The state before is the truth; core accepts it beside an error.
        Err(diagnostics) => ApplyResponse {
            state: Some(request.prior.clone()),
            private: recorded.map(|ledger| Private::of_state(&ledger)).unwrap_or_default(),
            diagnostics,
        },
    }
}

/// An update that knows what is there and what to do.
struct Begun {
    run: Run,
    plan: Plan<Aws>,
    ledger: Ledger,
    generation: String,
    deadline: Instant,
    /// The mark of an unfinished cluster has to go at the end.
    to_complete: bool,
}

async fn begin(
    resource: &ProductionClusterResource,
    request: &UpdateRequest<ProductionCluster>,
    recorded: Option<Ledger>,
) -> Result<Begun, Diagnostics> {
    let (prior, planned) = (&request.prior, &request.planned);
    let limit =
        planned.timeouts.known().map_or(DEFAULT_TIMEOUT, |timeouts| timeouts.update_or(DEFAULT_TIMEOUT));
    let deadline = Instant::now() + limit;
    // The state before knows the account, also where this plan makes the cluster anew.
    let run = Run::on(resource, prior).await?;
    let ledger = match recorded {
        Some(ledger) => ledger,
        None => rebuilt(&run, prior).await.map_err(|text| refused(&text))?,
    };
    let cluster = run.cluster().await.map_err(|failure| refused(&report::failure(&failure)))?;
    let generation = planned.generation.text().map_or_else(token::random, str::to_owned);
    if let Some(cluster) = cluster.as_ref().filter(|_| planned.generation.is_unknown()) {
        let recorded = ledger.get(&control_plane()).and_then(|record| record.instance.as_ref());
        let same = recorded.is_some() && recorded == cluster.record.instance.as_ref();
        if cluster.owner(&run.family.ownership()) != Owner::Ours && !same {
            return Err(refused(&format!(
                "A cluster {} exists, and it is not the one this resource made ({}).",
                run.name,
                errors::FOREIGN.code
            )));
        }
        let taken = run.take_over(&cluster.arn, &generation).await;
        taken.map_err(|failure| refused(&report::failure(&failure)))?;
    }
    let stages = run.stages(planned, &generation)?;
    let plan = run.plan(&stages, &ledger).await;
    // A cluster that is made anew by an update carries the mark of an unfinished one, too; so does one whose
    // making an earlier update did not finish.
    let to_complete = cluster.is_none_or(|cluster| cluster.is_incomplete());
    Ok(Begun { run, plan, ledger, generation, deadline, to_complete })
}

impl Begun {
    async fn carry_out(
        self,
        resource: &ProductionClusterResource,
        request: &UpdateRequest<ProductionCluster>,
    ) -> ApplyResponse<ProductionCluster> {
        let Self { run, plan, ledger, generation, deadline, to_complete } = self;
        let planned = &request.planned;
        resource.memory.recall().worked_on.insert(run.identity.clone());
        let unfinished = request.prior.status.text() == Some(INCOMPLETE);
        let failed_status = if unfinished { INCOMPLETE } else { DEGRADED };
        let outcome = Outcome { status: failed_status, generation: &generation };
        request
            .checkpoint
            .save(compose(planned, &ledger, &plan.explain(), outcome), Private::of_state(&ledger));
        let fence = run.fence(&generation);
        let limits = Limits { stop: request.stop.clone(), deadline, fence: Some(fence.clone()) };
        let report = run.carry_out(plan, ledger, limits).await;
        let finished = if !report.is_complete() {
            Err(report::detail(&report, NEXT))
        } else if to_complete {
            tokio::select! {
                biased;
                completed = complete(&run, &report.ledger, &fence, &request.connected) => completed,
                () = request.stop.cancelled() => Err(format!("The run was interrupted. {NEXT}")),
            }
        } else {
            Ok(())
        };
        respond(planned, &report, finished, failed_status, &generation)
    }
}

fn respond(
    planned: &ProductionCluster,
    report: &Report,
    finished: Result<(), String>,
    failed_status: &str,
    generation: &str,
) -> ApplyResponse<ProductionCluster> {
    let mut diagnostics = Diagnostics::new();
    for warning in &report.warnings {
        diagnostics.warning("About what exists", warning.clone());
    }
    let status = if finished.is_ok() { READY } else { failed_status };
    if let Err(detail) = finished {
        // An update never answers success while unfinished; its errors never taint.
        let summary = match report.ended {
            Ended::Stopped => headline("The update was interrupted", errors::INTERRUPTED),
            _ => headline("The update did not finish", errors::UPDATE_INCOMPLETE),
        };
        diagnostics.error(summary, detail);
    }
    ApplyResponse {
        state: Some(compose(planned, &report.ledger, &report.views, Outcome { status, generation })),
        private: Private::of_state(&report.ledger),
        diagnostics,
    }
}

fn refused(text: &str) -> Diagnostics {
    Diagnostics::from_error(
        headline("The update did not begin", errors::UPDATE_INCOMPLETE),
        format!("{text}\n\nNothing was changed. {NEXT}"),
    )
}
