//! Update: carries out what differs, and finishes what a create left unfinished.

use resource_graph::{Ledger, Owner};
use terraform_plugin::prelude::*;
use tokio::time::Instant;

use super::ProductionClusterResource;
use super::begun::{Begun, Ran};
use super::keys::control_plane;
use super::model::ProductionCluster;
use super::private::Private;
use super::read::rebuilt;
use super::report::{self, headline};
use super::run::{DEFAULT_TIMEOUT, Run};
use super::state::{DEGRADED, INCOMPLETE, READY};
use crate::aws::token;
use crate::errors;

const NEXT: &str = "Run terraform apply again: it continues with what is missing.";

pub async fn update(
    resource: &ProductionClusterResource,
    request: UpdateRequest<ProductionCluster>,
) -> ApplyResponse<ProductionCluster> {
    let identity = super::identity_of_model(&request.prior).unwrap_or_default();
    let recorded = Private::ledger_in(&request.private);
    let begin = begin(resource, &request, recorded.clone());
    let interrupted = refused("The run was interrupted.");
    match resource.memory.in_turn(&identity, &request.stop, interrupted, begin).await {
        Ok((_turn, begun)) => {
            let (planned, stop) = (&request.planned, &request.stop);
            let was_incomplete = request.prior.status.text() == Some(INCOMPLETE);
            let failed = if was_incomplete { INCOMPLETE } else { DEGRADED };
            let ran = begun.carry_out(resource, planned, failed, stop, &request.checkpoint).await;
            finish(&ran, &request, failed).await
        }
        // Nothing was done. The state before is the truth; core accepts it beside an error.
        Err(diagnostics) => ApplyResponse {
            state: Some(request.prior.clone()),
            private: recorded.map(|ledger| Private::of_state(&ledger)).unwrap_or_default(),
            diagnostics,
        },
    }
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
    Begun::new(run, planned, ledger, generation, deadline).await
}

async fn finish(
    ran: &Ran,
    request: &UpdateRequest<ProductionCluster>,
    failed: &str,
) -> ApplyResponse<ProductionCluster> {
    let UpdateRequest { planned, stop, connected, .. } = request;
    let mut diagnostics = ran.warnings();
    let Err(unfinished) = ran.finish(stop, connected, NEXT).await else {
        return ran.response(planned, READY, diagnostics);
    };
    // An update never answers success while unfinished; its errors never taint.
    let summary = if ran.was_interrupted(stop) {
        headline("The update was interrupted", errors::INTERRUPTED)
    } else {
        headline("The update did not finish", errors::UPDATE_INCOMPLETE)
    };
    diagnostics.error(summary, unfinished.detail);
    ran.response(planned, failed, diagnostics)
}

fn refused(text: &str) -> Diagnostics {
    Diagnostics::from_error(
        headline("The update did not begin", errors::UPDATE_INCOMPLETE),
        format!("{text}\n\nNothing was changed. {NEXT}"),
    )
}
