//! One run against one cluster: what create, update and delete have in common.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use resource_graph::{
    Executor, Failure, Graph, Guard, Ledger, Observations, Plan, Report, Settings as Engine, Stages,
    Unclaimed, diff, observe,
};
use terraform_plugin::Diagnostics;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::expand::expand;
use super::expansion::Place;
use super::family::Family;
use super::model::ProductionCluster;
use super::outline::outline;
use super::report::headline;
use super::settings::Settings;
use super::{Identity, ProductionClusterResource, identity_of};
use crate::aws::Aws;
use crate::aws::ownership::{GENERATION, STATUS, TagChange, Tags};
use crate::errors;
use crate::parts::{self, cluster};

/// How long an operation may take when `timeouts` says nothing.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The cluster a run works on, and the way to it.
pub struct Run {
    pub aws: Arc<Aws>,
    pub family: Family,
    pub identity: Identity,
    pub name: String,
    engine: Engine,
    iam_role_path: String,
    permissions_boundary: Option<String>,
}

impl Run {
    /// The run for the cluster of a model; its region is known by now.
    pub async fn on(
        resource: &ProductionClusterResource,
        model: &ProductionCluster,
    ) -> Result<Self, Diagnostics> {
        let run = Self::at(resource, model.name.text().unwrap_or_default(), model.region.text()).await?;
        let recorded = model.arn.text().and_then(|arn| arn.split(':').nth(4)).unwrap_or_default();
        let account = &run.aws.location.account_id;
        if !recorded.is_empty() && recorded != account {
            return Err(Diagnostics::from_error(
                headline(errors::PROVIDER_CONFIGURATION.title, errors::PROVIDER_CONFIGURATION),
                format!(
                    "The cluster is in account {recorded}, and the credentials belong to {account}. Nothing was done."
                ),
            ));
        }
        Ok(run)
    }

    /// The run for a cluster of that name.
    pub async fn at(
        resource: &ProductionClusterResource,
        name: &str,
        region: Option<&str>,
    ) -> Result<Self, Diagnostics> {
        let connection = &resource.connection;
        let aws = connection.aws(region).await.map_err(crate::config::Unavailable::into_diagnostics)?;
        let family = Family {
            name: name.to_owned(),
            location: aws.location.clone(),
            iam_role_path: connection.iam_role_path(),
        };
        Ok(Self {
            identity: identity_of(&aws.location.region, name),
            name: name.to_owned(),
            engine: connection.settings(),
            iam_role_path: connection.iam_role_path(),
            permissions_boundary: connection.permissions_boundary(),
            family,
            aws,
        })
    }

    /// The graph of a model. Everything in it is known by now.
    pub fn stages(&self, model: &ProductionCluster, generation: &str) -> Result<Stages<Aws>, Diagnostics> {
        let place = Place {
            location: self.aws.location.clone(),
            iam_role_path: self.iam_role_path.clone(),
            permissions_boundary: self.permissions_boundary.clone(),
            generation: generation.to_owned(),
        };
        let known = Settings::of(model).zip(outline(model));
        let (settings, outline) = known.ok_or_else(|| {
            Diagnostics::from_error(
                headline("A value is not known", errors::INVALID_ARGUMENT),
                "An argument of the cluster is still unknown at apply, although Terraform resolves all of them before. \
                 Nothing was done. Run terraform apply again; if that says the same, write the arguments that come \
                 from other resources as values, one by one, and report the one that helped as a bug.",
            )
        })?;
        Ok(expand(&settings, &outline, &place).into())
    }

    /// The cluster that is there, whoever owns it.
    pub async fn cluster(&self) -> Result<Option<cluster::Existing>, Failure> {
        cluster::find(&self.aws, &self.name).await
    }

    /// Looks at everything the stages and the ledger name.
    pub async fn observe(&self, stages: &Stages<Aws>, ledger: &Ledger) -> Observations<Aws> {
        observe(&self.aws, &self.family, stages, ledger, &self.engine).await
    }

    /// Plans against what is there.
    pub async fn plan(&self, stages: &Stages<Aws>, ledger: &Ledger) -> Plan<Aws> {
        let observations = self.observe(stages, ledger).await;
        diff(stages, ledger, &observations, &[], Unclaimed::Delete)
    }

    /// Plans the deletion of everything.
    pub async fn plan_removal(&self, ledger: &Ledger) -> Plan<Aws> {
        self.plan(&Graph::new().into(), ledger).await
    }

    /// Carries a plan out.
    pub async fn carry_out(&self, plan: Plan<Aws>, ledger: Ledger, limits: Limits) -> Report {
        let executor = Executor {
            world: Arc::clone(&self.aws),
            catalogue: Arc::new(self.family.clone()),
            settings: self.engine.clone(),
            stop: limits.stop,
            deadline: Some(limits.deadline),
            guard: limits.fence.map(|fence| Arc::new(fence) as Arc<dyn Guard>),
            checkpoint: Arc::new(Mutex::new(Ledger::default())),
        };
        executor.run(plan, ledger).await
    }

    /// The fence of this run.
    pub fn fence(&self, generation: &str) -> Fence {
        Fence { aws: Arc::clone(&self.aws), name: self.name.clone(), generation: generation.to_owned() }
    }

    /// Writes a new generation on an unfinished cluster: from now on every other run stops at its fence.
    pub async fn take_over(&self, arn: &str, generation: &str) -> Result<(), Failure> {
        let set = Tags::from([(GENERATION.to_owned(), generation.to_owned())]);
        parts::set_tags(&self.aws, arn, &TagChange { set, remove: Vec::new() }).await
    }

    /// The very last call of a create: the cluster is complete.
    pub async fn complete(&self, arn: &str) -> Result<(), Failure> {
        parts::set_tags(&self.aws, arn, &TagChange { set: Tags::new(), remove: vec![STATUS.to_owned()] })
            .await
    }
}

/// What ends a run before it has finished.
pub struct Limits {
    pub stop: CancellationToken,
    pub deadline: Instant,
    pub fence: Option<Fence>,
}

/// Refuses to go on when another run has written its generation on the cluster.
#[derive(Clone)]
pub struct Fence {
    aws: Arc<Aws>,
    name: String,
    generation: String,
}

impl Fence {
    /// The verdict about a cluster as it was seen now.
    pub fn allows(&self, cluster: &cluster::Existing) -> Result<(), Failure> {
        match cluster.generation() {
            Some(other) if other != self.generation => Err(Failure::refused(format!(
                "Another run took over the cluster {}: it carries the generation {other}, this run has {}. This run \
                 stopped, nothing was deleted. If the other run belongs to another state, forget the cluster here: \
                 terraform state rm ADDRESS.",
                self.name, self.generation,
            ))
            .with_code(errors::TAKEN_OVER.code)),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Guard for Fence {
    async fn check(&self) -> Result<(), Failure> {
        match cluster::find(&self.aws, &self.name).await? {
            Some(cluster) => self.allows(&cluster),
            None => Ok(()),
        }
    }
}
