//! Create: makes the cluster, or continues one that is unfinished.

use std::collections::BTreeMap;

use resource_graph::{Failure, Owner, PartKey, RecordState, Report};
use terraform_plugin::prelude::*;
use tokio::time::Instant;

use super::begun::{Begun, Ran, Unfinished};
use super::keys::control_plane;
use super::model::ProductionCluster;
use super::private::Private;
use super::report::{self, headline};
use super::run::{DEFAULT_TIMEOUT, Run};
use super::state::{INCOMPLETE, READY};
use super::{ProductionClusterResource, identity_of_model};
use crate::aws::token;
use crate::errors;
use crate::parts::cluster;

const NEXT: &str = "Run terraform apply again: it continues with what exists and deletes nothing, although Terraform \
                    shows a replacement of the tainted resource. Where lifecycle.prevent_destroy blocks that: \
                    terraform untaint ADDRESS, then terraform apply. To remove everything: terraform destroy.";

pub async fn create(
    resource: &ProductionClusterResource,
    request: CreateRequest<ProductionCluster>,
) -> ApplyResponse<ProductionCluster> {
    let identity = identity_of_model(&request.planned).unwrap_or_default();
    if let Some((state, ledger)) = resource.memory.recall().handed_over.get(&identity) {
        request.checkpoint.save(state.clone(), Private::of_state(ledger));
    }
    let interrupted = refused("The run was interrupted.");
    match resource.memory.in_turn(&identity, &request.stop, interrupted, begin(resource, &request)).await {
        Ok((_turn, begun)) => {
            let (planned, stop) = (&request.planned, &request.stop);
            let ran = begun.carry_out(resource, planned, INCOMPLETE, stop, &request.checkpoint).await;
            finish(&ran, &request).await
        }
        // Nothing was done: what a delete of this process handed over is still what there is.
        Err(diagnostics) => {
            let handed = resource.memory.recall().handed_over.get(&identity).cloned();
            match handed {
                Some((state, ledger)) => {
                    ApplyResponse { state: Some(state), private: Private::of_state(&ledger), diagnostics }
                }
                None => ApplyResponse { state: None, private: Vec::new(), diagnostics },
            }
        }
    }
}

async fn begin(
    resource: &ProductionClusterResource,
    request: &CreateRequest<ProductionCluster>,
) -> Result<Begun, Diagnostics> {
    let planned = &request.planned;
    let limit =
        planned.timeouts.known().map_or(DEFAULT_TIMEOUT, |timeouts| timeouts.create_or(DEFAULT_TIMEOUT));
    let deadline = Instant::now() + limit;
    let run = Run::on(resource, planned).await?;
    let found = run.family.find(&run.aws).await.map_err(|failure| refused(&report::failure(&failure)))?;
    let generation = token::random();
    if let Some(cluster) = &found.cluster {
        may_adopt(resource, &run, cluster)?;
        run.take_over(&cluster.arn, &generation)
            .await
            .map_err(|failure| refused(&report::failure(&failure)))?;
    }
    let begun = Begun::new(run, planned, found.ledger(), generation, deadline).await?;
    let errors = begun.errors_before_anything();
    if errors.is_empty() { Ok(begun) } else { Err(not_begun(&errors)) }
}

/// Create adopts only what is marked incomplete.
fn may_adopt(
    resource: &ProductionClusterResource,
    run: &Run,
    cluster: &cluster::Existing,
) -> Result<(), Diagnostics> {
    let name = &run.name;
    match cluster.owner(&run.family.ownership()) {
        Owner::Ours if cluster.is_incomplete() => Ok(()),
        Owner::Ours => {
            // The generation of a state is that of its own run: the run that was to be continued finished it
            // with its very last call, and only the answer was lost.
            let handed = resource.memory.recall().handed_over.get(&run.identity).cloned();
            if handed.is_some_and(|(state, _)| state.generation.text() == cluster.generation()) {
                return Ok(());
            }
            Err(Diagnostics::from_error(
                headline("The cluster exists and is complete", errors::ALREADY_COMPLETE),
                format!(
                    "{name} carries the mark of this configuration and is complete: it belongs to another state, or a \
                     run was cut off before its result was saved. Nothing was changed.\n\nIf nothing is in state: \
                     terraform import ADDRESS {name}@{region}\nIf a tainted object is in state: terraform untaint \
                     ADDRESS, then terraform apply.\nIf this run replaces it under create_before_destroy: a cluster \
                     cannot exist twice; remove create_before_destroy, or destroy the cluster first.\nIf it belongs to \
                     another state: choose another name.",
                    region = run.aws.location.region,
                ),
            ))
        }
        Owner::Other(owner) => Err(foreign(name, &format!("it is owned by {owner}"))),
        Owner::Nobody => Err(foreign(name, "it was not made by this provider")),
    }
}

fn foreign(name: &str, whose: &str) -> Diagnostics {
    Diagnostics::from_error_at(
        &ProductionCluster::at(&Path::root()).name,
        headline("An object of that name belongs to someone else", errors::FOREIGN),
        format!("A cluster {name} exists, and {whose}. Nothing was changed. Choose another name."),
    )
}

fn refused(text: &str) -> Diagnostics {
    Diagnostics::from_error(
        headline("The create did not begin", errors::CREATE_INCOMPLETE),
        format!("{text}\n\nThis run has made nothing. Run terraform apply again."),
    )
}

fn not_begun(errors: &BTreeMap<PartKey, Failure>) -> Diagnostics {
    let texts: Vec<String> =
        errors.iter().map(|(key, failure)| format!("{key}: {}", report::failure(failure))).collect();
    refused(&texts.join("\n\n"))
}

async fn finish(ran: &Ran, request: &CreateRequest<ProductionCluster>) -> ApplyResponse<ProductionCluster> {
    let CreateRequest { planned, stop, connected, .. } = request;
    let mut diagnostics = ran.warnings();
    let Err(unfinished) = ran.finish(stop, connected, NEXT).await else {
        return ran.response(planned, READY, diagnostics);
    };
    if ran.was_interrupted(stop) {
        // Core exits with an error by itself; without one of ours nothing is tainted, and the next plan is an
        // update in place.
        diagnostics.warning(headline("The create was interrupted", errors::INTERRUPTED), unfinished.detail);
    } else {
        fail(&mut diagnostics, planned, &ran.report, unfinished);
    }
    if ran.report.ledger.is_empty() && diagnostics.has_errors() {
        return ApplyResponse { state: None, private: Vec::new(), diagnostics };
    }
    ran.response(planned, INCOMPLETE, diagnostics)
}

/// An error, or with `on_failed_create = "warn"` a warning once AWS has accepted the cluster.
fn fail(diagnostics: &mut Diagnostics, planned: &ProductionCluster, report: &Report, unfinished: Unfinished) {
    let cluster = report.ledger.get(&control_plane());
    let accepted = cluster.is_some_and(|record| record.state != RecordState::Intended);
    let summary = headline("The create did not finish", errors::CREATE_INCOMPLETE);
    // Another run has it now: going on quietly would end with two owners.
    if accepted && !unfinished.taken_over && planned.on_failed_create.text() == Some("warn") {
        diagnostics.warning(summary, unfinished.detail);
    } else {
        diagnostics.error(summary, unfinished.detail);
    }
}
