//! `eks_owned_objects`: everything that carries the owner mark of a cluster, also when the cluster itself is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::try_join_all;
use resource_graph::{Failure, Observation, Observations, Record, RecordState, Stages, observe};
use terraform_plugin::prelude::*;

use crate::aws::Aws;
use crate::config::Connection;
use crate::errors;
use crate::parts::{network_interfaces, owners};
use crate::resources::production_cluster::{Family, TYPE};

model! {
    /// What carries an owner mark.
    pub struct OwnedObjects {
        /// Name of the cluster. Without it: all clusters of the region.
        name: String = optional().non_empty(),
        /// Region; the provider's when it is not set.
        region: String = optional().computed(),
        /// What was found, by owner and part. Empty when nothing is left.
        objects: List<OwnedObject> = computed(),
    }

    /// One object in AWS.
    pub struct OwnedObject {
        /// Kind of the part, such as `iam-role`.
        kind: String = computed(),
        /// Key of the part, such as `iam-role/node`, as in `parts` of the resource.
        part: String = computed(),
        /// ARN; where AWS has none, the id; else the name.
        id: String = computed(),
        /// What AWS says about it: `ready`, a version, or what is going on, such as `DELETING`. `retired` for what
        /// a newer object of the same part has taken the place of.
        status: String = computed(),
        /// Whose it is: `eks_production_cluster/<region>/<name>`.
        owner: String = computed(),
    }
}

/// The data source.
pub struct OwnedObjectsDataSource {
    connection: Arc<Connection>,
}

impl OwnedObjectsDataSource {
    /// The data source, on a connection that is configured later.
    pub fn new(connection: Arc<Connection>) -> Self {
        Self { connection }
    }

    async fn objects(&self, aws: &Arc<Aws>, name: Option<&str>) -> Result<Vec<OwnedObject>, Failure> {
        let names: BTreeSet<String> = match name {
            Some(name) => [name.to_owned()].into(),
            None => self.names(aws).await?,
        };
        let families = names.into_iter().map(|name| Family {
            name,
            location: aws.location.clone(),
            iam_role_path: self.connection.iam_role_path(),
        });
        let settings = self.connection.settings();
        let found = families.map(|family| {
            let settings = &settings;
            async move {
                let ledger = family.find(aws).await?.ledger();
                let seen = observe(aws, &family, &Stages(Vec::new()), &ledger, settings).await;
                Ok::<_, Failure>(objects_of(&family, &ledger.records, &seen))
            }
        });
        Ok(try_join_all(found).await?.into_iter().flatten().collect())
    }

    /// Names of the clusters that own something in the region.
    async fn names(&self, aws: &Aws) -> Result<BTreeSet<String>, Failure> {
        let prefix = format!("{TYPE}/{}/", aws.location.region);
        let marks = owners::owners(aws, &self.connection.iam_role_path()).await?;
        Ok(marks.iter().filter_map(|mark| mark.strip_prefix(&prefix)).map(str::to_owned).collect())
    }
}

fn objects_of(family: &Family, records: &[Record], seen: &Observations<Aws>) -> Vec<OwnedObject> {
    let owner = family.ownership().owner().to_owned();
    // Interfaces that nodes leave behind carry no mark of ours.
    let marked = records.iter().filter(|record| record.key.kind() != network_interfaces::KIND);
    let mut objects: Vec<OwnedObject> = marked
        .filter_map(|record| {
            Some(OwnedObject {
                kind: record.key.kind().into(),
                part: record.key.as_str().into(),
                id: id(record).into(),
                status: status(family, record, seen)?.into(),
                owner: owner.clone().into(),
            })
        })
        .collect();
    objects.sort_by(|one, other| (one.part.text(), one.id.text()).cmp(&(other.part.text(), other.id.text())));
    objects
}

fn id(record: &Record) -> &str {
    let known = ["arn", "id", "name"].into_iter().find_map(|name| record.outputs.get(name));
    known.filter(|id| !id.is_empty()).unwrap_or_else(|| record.identity.get("name"))
}

/// None for what has gone between the two looks.
fn status(family: &Family, record: &Record, seen: &Observations<Aws>) -> Option<String> {
    if record.state == RecordState::Retired {
        return Some("retired".to_owned());
    }
    match seen.get(&record.key) {
        Some(Observation::Absent) => None,
        Some(Observation::Busy { status, .. }) => Some(status.clone()),
        Some(Observation::Present { outputs, .. }) => Some(family.state_of(record, outputs)),
        None => Some("unknown".to_owned()),
    }
}

#[async_trait]
impl DataSource for OwnedObjectsDataSource {
    type Model = OwnedObjects;

    fn type_name(&self) -> &'static str {
        "eks_owned_objects"
    }

    fn description(&self) -> &'static str {
        "Everything in AWS that carries the owner mark of an `eks_production_cluster`, also when the cluster itself \
         is gone: for those who look for left-overs.\n\nRead only. A destroyed cluster of which nothing is left has \
         no objects; its encryption key waits for its deletion and does not count."
    }

    async fn read(&self, request: ReadDataRequest<OwnedObjects>) -> ReadDataResponse<OwnedObjects> {
        let config = request.config;
        let aws = match self.connection.aws(config.region.text()).await {
            Ok(aws) => aws,
            Err(unavailable) => {
                return ReadDataResponse { state: None, diagnostics: unavailable.into_diagnostics() };
            }
        };
        let found = tokio::select! {
            biased;
            () = request.stop.cancelled() => Err(Failure::refused("The run was interrupted.")),
            found = self.objects(&aws, config.name.text()) => found,
        };
        match found {
            Ok(objects) => {
                let region = aws.location.region.as_str().into();
                let objects = Field::Known(objects.into_iter().collect());
                let state = OwnedObjects { region, objects, ..config };
                ReadDataResponse { state: Some(state), diagnostics: Diagnostics::new() }
            }
            Err(failure) => {
                let code = failure.code.unwrap_or(errors::AWS_REFUSED.code);
                let title = format!("What is owned could not be found ({code})");
                ReadDataResponse { state: None, diagnostics: Diagnostics::from_error(title, failure.message) }
            }
        }
    }
}
