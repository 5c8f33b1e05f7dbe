//! Delete: for real, unless the object is handed over to a create that continues it.
//!
//! Core taints what a failed create returned and plans its replacement. Whether a delete is the first half of
//! such a replacement, the rest of one, or meant, has to be told from what this process knows.

use resource_graph::{Ended, Failure, Ledger, Plan, Record, RecordState};
use terraform_plugin::prelude::*;
use tokio::time::Instant;

use super::images;
use super::keys::control_plane;
use super::memory::Identity;
use super::model::ProductionCluster;
use super::private::{Private, ResumeOf};
use super::report::{self, headline};
use super::run::{DEFAULT_TIMEOUT, Limits, Run};
use super::state::INCOMPLETE;
use super::{ProductionClusterResource, TYPE, identity_of_model};
use crate::aws::Aws;
use crate::errors;
use crate::parts::cluster::LIFT_PROTECTION;
use crate::parts::log_group::{self, ON_DESTROY, RETAIN};

const NEXT: &str = "Run terraform destroy again: it continues with what is left.";

pub async fn delete(
    resource: &ProductionClusterResource,
    request: DeleteRequest<ProductionCluster>,
) -> ApplyResponse<ProductionCluster> {
    let identity = identity_of_model(&request.prior).unwrap_or_default();
    let private = Private::parse(&request.private);
    let recorded = private.ledger.clone().filter(|ledger| !ledger.is_empty());
    let begin = begin(resource, &request, &identity, private, recorded.clone());
    match resource.memory.in_turn(&identity, &request.stop, interrupted(&identity), begin).await {
        Ok((_, Begun::HandedOver(response))) => *response,
        Ok((_turn, Begun::Removal(removal))) => removal.carry_out(&request).await,
        Err(diagnostics) => kept(&request.prior, recorded.as_ref(), diagnostics),
    }
}

/// The object is still there. Only the ledger goes back: the marks of a plan are nobody else's.
fn kept(
    prior: &ProductionCluster,
    ledger: Option<&Ledger>,
    diagnostics: Diagnostics,
) -> ApplyResponse<ProductionCluster> {
    let private = ledger.map(Private::of_state).unwrap_or_default();
    ApplyResponse { state: Some(prior.clone()), private, diagnostics }
}

/// What a delete turned out to be.
enum Begun {
    HandedOver(Box<ApplyResponse<ProductionCluster>>),
    Removal(Box<Removal>),
}

fn interrupted(identity: &Identity) -> Diagnostics {
    Diagnostics::from_error(
        headline("The run was interrupted", errors::INTERRUPTED),
        format!("Nothing was deleted; {identity} is as it was."),
    )
}

async fn begin(
    resource: &ProductionClusterResource,
    request: &DeleteRequest<ProductionCluster>,
    identity: &Identity,
    private: Private,
    recorded: Option<Ledger>,
) -> Result<Begun, Diagnostics> {
    let prior = &request.prior;
    let incomplete = prior.status.text() == Some(INCOMPLETE);
    match &private.resume_of {
        Some(ResumeOf::Unknown) => {
            return Err(Diagnostics::from_error(
                headline("The identity of the object is not known", errors::UNKNOWN_IDENTITY),
                format!(
                    "When this replacement was planned, name or region of the new cluster was not known, so that it \
                     cannot be told whether {identity} continues or goes. Nothing was deleted. Apply again when both \
                     are known."
                ),
            ));
        }
        Some(ResumeOf::Known(resumed)) if resumed == identity && incomplete => {
            if request.stop.is_cancelled() {
                return Err(interrupted(identity));
            }
            return Ok(hand_over(
                resource,
                prior,
                identity,
                recorded,
                "the create that follows continues it",
            ));
        }
        _ => {}
    }
    if resource.memory.recall().worked_on.contains(identity) {
        return Ok(hand_over(resource, prior, identity, recorded, "this run has just finished it"));
    }
    let run = Run::on(resource, prior).await?;
    let cluster = run.cluster().await.map_err(|failure| not_begun(identity, &failure))?;
    let mine = prior.generation.text().unwrap_or_default();
    let finished_by_other = cluster.as_ref().is_some_and(|cluster| {
        !cluster.is_incomplete() && cluster.generation().is_some_and(|generation| generation != mine)
    });
    if finished_by_other {
        let deposed = (identity.clone(), mine.to_owned());
        if resource.memory.recall().planned_destroys.contains(&deposed) {
            return Ok(hand_over(resource, prior, identity, recorded, "another run has finished it"));
        }
        return Err(Diagnostics::from_error(
            headline("Another run took over", errors::TAKEN_OVER),
            format!(
                "{identity} has another generation in AWS than in this state, and is complete there: a run was cut \
                 off before its result was saved, or another state owns it now. Nothing was deleted.\n\nIf it is \
                 yours: terraform untaint ADDRESS, terraform apply, then terraform destroy.\nIf it is not: terraform \
                 state rm ADDRESS."
            ),
        ));
    }
    if !incomplete && prior.deletion_protection.known() != Some(&false) {
        return Err(Diagnostics::from_error(
            headline("Deletion protection is on", errors::DELETION_PROTECTED),
            format!("{identity} is finished and protected. Apply deletion_protection = false first."),
        ));
    }
    removal(run, prior, recorded).await.map(|removal| Begun::Removal(Box::new(removal)))
}

/// A delete that knows what is there and what to do.
struct Removal {
    run: Run,
    plan: Plan<Aws>,
    ledger: Ledger,
    deadline: Instant,
}

/// Everything that is recorded or carries our mark.
async fn removal(
    run: Run,
    prior: &ProductionCluster,
    recorded: Option<Ledger>,
) -> Result<Removal, Diagnostics> {
    let limit =
        prior.timeouts.known().map_or(DEFAULT_TIMEOUT, |timeouts| timeouts.delete_or(DEFAULT_TIMEOUT));
    let deadline = Instant::now() + limit;
    let found = run.family.find(&run.aws).await.map_err(|failure| not_begun(&run.identity, &failure))?;
    let mut ledger = recorded.unwrap_or_default();
    for record in found.records {
        let is_same = |other: &&mut Record| other.key == record.key && other.identity == record.identity;
        match ledger.records.iter_mut().find(is_same) {
            // The process ended before it heard what it had made.
            Some(intended) if intended.state == RecordState::Intended => {
                (intended.instance, intended.outputs) = (record.instance, record.outputs);
            }
            Some(_) => {}
            None => ledger.records.push(record),
        }
    }
    if prior.status.text() == Some(INCOMPLETE) {
        for record in ledger.records.iter_mut().filter(|record| record.key == control_plane()) {
            record.outputs.set(LIFT_PROTECTION, "true");
        }
    }
    // What a ledger that was found again cannot know.
    let retained = prior.logging.known().is_some_and(|logging| logging.on_destroy.text() == Some(RETAIN));
    for record in ledger.records.iter_mut().filter(|record| retained && record.key.kind() == log_group::KIND)
    {
        record.outputs.set(ON_DESTROY, RETAIN);
    }
    images::remind(&mut ledger, prior);
    let plan = run.plan_removal(&ledger).await;
    Ok(Removal { run, plan, ledger, deadline })
}

impl Removal {
    async fn carry_out(self, request: &DeleteRequest<ProductionCluster>) -> ApplyResponse<ProductionCluster> {
        let Self { run, plan, ledger, deadline } = self;
        request.checkpoint.save(request.prior.clone(), Private::of_state(&ledger));
        let limits = Limits { stop: request.stop.clone(), deadline, fence: None };
        let report = run.carry_out(plan, ledger, limits).await;
        let mut diagnostics = Diagnostics::new();
        for warning in &report.warnings {
            diagnostics.warning("About what exists", warning.clone());
        }
        if report.is_complete() {
            return ApplyResponse { state: None, private: Vec::new(), diagnostics };
        }
        let summary = match report.ended {
            Ended::Stopped => headline("The destroy was interrupted", errors::INTERRUPTED),
            _ => headline("The destroy did not finish", errors::DELETE_INCOMPLETE),
        };
        diagnostics.error(summary, report::detail(&report, NEXT));
        kept(&request.prior, Some(&report.ledger), diagnostics)
    }
}

fn not_begun(identity: &Identity, failure: &Failure) -> Diagnostics {
    Diagnostics::from_error(
        headline("The destroy did not begin", errors::DELETE_INCOMPLETE),
        format!("{}\n\nNothing of {identity} was deleted. {NEXT}", report::failure(failure)),
    )
}

/// Deletes nothing. The text names the object: core adds no address to it, and counts it as destroyed.
fn hand_over(
    resource: &ProductionClusterResource,
    prior: &ProductionCluster,
    identity: &Identity,
    recorded: Option<Ledger>,
    why: &str,
) -> Begun {
    let kept = (prior.clone(), recorded.unwrap_or_default());
    resource.memory.recall().handed_over.insert(identity.clone(), kept);
    let mut diagnostics = Diagnostics::new();
    diagnostics.warning(
        "Nothing was deleted",
        format!("{TYPE} {identity} stays: {why}. Terraform counts it as destroyed all the same."),
    );
    Begun::HandedOver(Box::new(ApplyResponse { state: None, private: Vec::new(), diagnostics }))
}
