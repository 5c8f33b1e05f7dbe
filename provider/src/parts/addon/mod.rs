//! EKS add-on, with its Pod Identity associations made by the same call.
//!
//! The version is resolved once, when the add-on is made, and stays until it is configured otherwise.
//!
//! API: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAddon.html>

mod schema;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use aws_sdk_eks::types as eks;
use resource_graph::{
    Comparison, Created, Failure, Identity, Input, Observation, Outputs, Part, PartKey, Probe, Record,
    Replacement, Target, Until,
};
use serde_json::Value;

#[cfg(test)]
use super::Calls;
use super::{health, update};
use crate::aws::error::{Operation, failure, is_absent};
use crate::aws::ownership::{Marks, Ownership, TagChange, Tags, from_map};
use crate::aws::{Aws, token};

/// Kind of its keys.
pub const KIND: &str = "addon";

/// An add-on.
#[derive(Debug, Clone, PartialEq)]
pub struct Addon {
    /// Key, owner and tags.
    pub marks: Marks,
    /// What people read about it.
    pub spec: String,
    /// Name of the cluster.
    pub cluster: Input,
    /// Name of the cluster, as part of the identity.
    pub cluster_name: String,
    /// `vpc-cni`
    pub name: String,
    /// Kubernetes of the cluster, which decides the default version.
    pub kubernetes_version: String,
    /// The version the user pinned; none for AWS's default at the time of creation.
    pub version: Option<String>,
    /// JSON after the add-on's own schema, in order of preference: the first that fits the schema of the version
    /// that is installed. None at all for the add-on's own defaults.
    pub configuration_values: Vec<String>,
    /// What happens to what is there already: `NONE`, `OVERWRITE` or `PRESERVE`.
    pub resolve_conflicts: String,
    /// Roles of its service accounts, which trust `pods.eks.amazonaws.com`; the namespace is the add-on's.
    pub pod_identities: BTreeMap<String, Input>,
}

/// An add-on that exists.
#[derive(Debug, Clone)]
pub struct Existing {
    pub record: Record,
    pub configuration_values: Option<String>,
    /// Roles by service account.
    pub identities: BTreeMap<String, String>,
}

/// What was seen of an add-on.
#[derive(Debug, Clone)]
pub struct Seen {
    addon: eks::Addon,
    /// Roles by service account.
    identities: BTreeMap<String, String>,
}

/// One update of an add-on.
#[derive(Debug, Clone)]
pub enum Change {
    /// Version, configuration or identity; AWS takes them in one call.
    Configuration(Vec<&'static str>),
    /// Other tags.
    Tags(TagChange),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(fields) => formatter.write_str(&fields.join(", ")),
            Self::Tags(change) => write!(formatter, "{change}"),
        }
    }
}

impl Addon {
    /// The part a record speaks of.
    pub fn recall(record: &Record, ownership: &Ownership) -> Self {
        let cluster_name = record.identity.get("cluster").to_owned();
        Self {
            marks: Marks { key: record.key.clone(), ownership: ownership.clone(), tags: Tags::new() },
            spec: record.spec.clone(),
            cluster: Input::known(&cluster_name),
            cluster_name,
            name: record.identity.get("name").to_owned(),
            kubernetes_version: String::new(),
            version: None,
            configuration_values: Vec::new(),
            resolve_conflicts: "NONE".to_owned(),
            pod_identities: BTreeMap::new(),
        }
    }

    fn associations(&self, target: &Target<'_>) -> Result<Vec<eks::AddonPodIdentityAssociations>, Failure> {
        let association = |(service_account, role_arn): (&String, &Input)| {
            let association = eks::AddonPodIdentityAssociations::builder()
                .service_account(service_account)
                .role_arn(target.require(role_arn)?);
            association.build().map_err(|error| Failure::refused(error.to_string()))
        };
        self.pod_identities.iter().map(association).collect()
    }

    /// The values to send; asks for the schema only where there is a choice.
    async fn values(&self, aws: &Aws, version: &str) -> Result<Option<&str>, Failure> {
        let [preferred, others @ ..] = self.configuration_values.as_slice() else { return Ok(None) };
        if others.is_empty() {
            return Ok(Some(preferred));
        }
        let schema = schema::of(aws, &self.name, version).await?;
        let fitting = self.configuration_values.iter().find(|values| schema.problems(values).is_empty());
        Ok(fitting.map(String::as_str))
    }

    fn conflicts(&self) -> eks::ResolveConflicts {
        eks::ResolveConflicts::from(self.resolve_conflicts.as_str())
    }
}

#[async_trait]
impl Part<Aws> for Addon {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        self.marks.key.clone()
    }

    fn identity(&self) -> Identity {
        Identity::new([("cluster", &self.cluster_name), ("name", &self.name)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let cluster = target.identity.get("cluster");
        let recorded = target.outputs.get(ASSOCIATIONS).unwrap_or_default();
        let (addon, recorded) =
            tokio::try_join!(describe(aws, target), associations(aws, cluster, recorded.split(',')))?;
        let Some(addon) = addon else { return Ok(Observation::Absent) };
        let owner = self.marks.ownership.of(&from_map(addon.tags()));
        let instance = instance(&addon);
        Ok(match addon.status() {
            Some(
                status @ (eks::AddonStatus::Creating
                | eks::AddonStatus::Updating
                | eks::AddonStatus::Deleting),
            ) => Observation::Busy { status: status.as_str().to_owned(), owner, instance },
            _ => {
                let identities = identities(aws, cluster, &addon, recorded).await?;
                let outputs = outputs(&addon);
                Observation::Present { owner, instance, outputs, seen: Seen { addon, identities } }
            }
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        let addon = &seen.addon;
        if matches!(addon.status(), Some(eks::AddonStatus::CreateFailed | eks::AddonStatus::DeleteFailed)) {
            return Comparison::Replace(Replacement { reason: health(addon), identity: self.identity() });
        }
        let mut fields = Vec::new();
        let version = addon.addon_version();
        let wanted = self.version.as_deref().or(target.outputs.get("version"));
        if wanted.is_some() && wanted != version {
            fields.push("version");
        }
        if addon.status() == Some(&eks::AddonStatus::UpdateFailed) {
            fields.push("last update failed");
        }
        let seen_values = parsed(addon.configuration_values());
        let mut wanted = self.configuration_values.iter().map(|text| parsed(Some(text)));
        let same = match self.configuration_values.as_slice() {
            [] => seen_values.is_none(),
            _ => wanted.any(|wanted| wanted == seen_values),
        };
        if !same {
            fields.push("configuration values");
        }
        let has_role = |(account, role): (&String, &Input)| {
            let role = target.input(role);
            seen.identities.get(account).is_some_and(|seen| role.as_ref().is_none_or(|role| role == seen))
        };
        if seen.identities.len() != self.pod_identities.len() || !self.pod_identities.iter().all(has_role) {
            fields.push("Pod Identity association");
        }
        let mut changes = Vec::new();
        if !fields.is_empty() {
            changes.push(Change::Configuration(fields));
        }
        changes.extend(TagChange::between(&from_map(addon.tags()), &self.marks.tags()).map(Change::Tags));
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let version = match &self.version {
            Some(version) => version.clone(),
            None => default_version(aws, &self.name, &self.kubernetes_version).await?,
        };
        let associations = self.associations(target)?;
        let identities =
            associations.iter().map(|a| (a.service_account().to_owned(), a.role_arn().to_owned())).collect();
        let answer = aws
            .eks
            .create_addon()
            .cluster_name(target.require(&self.cluster)?)
            .addon_name(&self.name)
            .addon_version(&version)
            .resolve_conflicts(self.conflicts())
            .set_configuration_values(self.values(aws, &version).await?.map(str::to_owned))
            .set_pod_identity_associations((!associations.is_empty()).then_some(associations))
            .set_tags(Some(self.marks.tags().into_iter().collect()))
            .client_request_token(token::random())
            .send()
            .await
            .map_err(|error| failure(CREATE, &error))?;
        let addon = answer.addon.ok_or_else(|| Failure::refused("EKS CreateAddon answered no add-on"))?;
        Ok(Created { instance: instance(&addon), outputs: outputs(&addon), seen: Seen { addon, identities } })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let Change::Configuration(_) = change else {
            let Change::Tags(change) = change else { return Ok(Outputs::default()) };
            let arn = target.outputs.get("arn").unwrap_or_default();
            return super::set_tags(aws, arn, change).await.map(|()| Outputs::default());
        };
        let version = self.version.as_deref().or(target.outputs.get("version")).unwrap_or_default();
        let values = self.values(aws, version).await?.unwrap_or(NO_VALUES);
        let call = aws
            .eks
            .update_addon()
            .cluster_name(target.identity.get("cluster"))
            .addon_name(&self.name)
            .set_addon_version((!version.is_empty()).then(|| version.to_owned()))
            .resolve_conflicts(self.conflicts())
            .configuration_values(values)
            .set_pod_identity_associations(Some(self.associations(target)?))
            .client_request_token(token::random());
        let answer = call.send().await.map_err(|error| failure(UPDATE, &error))?;
        Ok(update::started(aws, answer.update()))
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let (cluster, name) = (target.identity.get("cluster"), target.identity.get("name"));
        super::gone(DELETE, aws.eks.delete_addon().cluster_name(cluster).addon_name(name).send().await)
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let (cluster, name) = (target.identity.get("cluster"), target.identity.get("name"));
        if until == Until::Usable
            && let Some(unfinished) =
                update::probe(aws, target, cluster, Some(update::Of::Addon(name))).await?
        {
            return Ok(unfinished);
        }
        let Some(addon) = describe(aws, target).await? else {
            return match until {
                Until::Gone => Ok(Probe::Done(Outputs::default())),
                Until::Usable => Err(super::not_visible_yet()),
            };
        };
        let status = addon.status().map_or("UNKNOWN", eks::AddonStatus::as_str).to_owned();
        Ok(match (until, addon.status()) {
            (Until::Usable, Some(eks::AddonStatus::Active)) => Probe::Done(outputs(&addon)),
            (Until::Usable, Some(eks::AddonStatus::CreateFailed | eks::AddonStatus::UpdateFailed))
            | (Until::Gone, Some(eks::AddonStatus::DeleteFailed)) => Probe::Failed(health(&addon)),
            // Degraded passes when the nodes it waits for have come: the deadline ends the wait, not a guess.
            (Until::Usable, Some(eks::AddonStatus::Degraded)) => Probe::Pending(health(&addon)),
            _ => Probe::Pending(status),
        })
    }

    fn state(&self, outputs: &Outputs) -> String {
        outputs.get("version").unwrap_or("ready").to_owned()
    }
}

/// Output: ids of its Pod Identity associations, joined by commas.
const ASSOCIATIONS: &str = "associations";
/// An empty object configures nothing: that is how values are taken back.
const NO_VALUES: &str = "{}";

const DESCRIBE: Operation = Operation::new("EKS", "DescribeAddon");
const LIST: Operation = Operation::new("EKS", "ListAddons");
const DESCRIBE_VERSIONS: Operation = Operation::new("EKS", "DescribeAddonVersions");
const DESCRIBE_ASSOCIATION: Operation = Operation::new("EKS", "DescribePodIdentityAssociation");
const CREATE: Operation = Operation::new("EKS", "CreateAddon");
const UPDATE: Operation = Operation::new("EKS", "UpdateAddon");
const DELETE: Operation = Operation::new("EKS", "DeleteAddon");

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[
        DESCRIBE,
        LIST,
        DESCRIBE_VERSIONS,
        schema::DESCRIBE,
        DESCRIBE_ASSOCIATION,
        CREATE,
        UPDATE,
        DELETE,
        update::DESCRIBE,
        super::TAG,
        super::UNTAG,
    ],
    implied: &[
        ("iam:PassRole", "EKS user guide, add-ons-iam: the caller passes the role of the association"),
        ("eks:CreatePodIdentityAssociation", "EKS user guide, update-addon-role"),
        ("eks:DeletePodIdentityAssociation", "EKS user guide, update-addon-role"),
    ],
};

/// Add-ons of a cluster that carry the owner mark, with what is there.
pub async fn discover(aws: &Aws, cluster: &str, ownership: &Ownership) -> Result<Vec<Existing>, Failure> {
    let mut names = Vec::new();
    let mut pages = aws.eks.list_addons().cluster_name(cluster).into_paginator().items().send();
    while let Some(name) = pages.next().await {
        match name {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failure(LIST, &error)),
            Ok(name) => names.push(name),
        }
    }
    let mut found = Vec::new();
    for name in names {
        let identity = Identity::new([("cluster", cluster), ("name", &name)]);
        let outputs_so_far = Outputs::default();
        let target = Target::new(&identity, &outputs_so_far, &|_| None);
        let Some(addon) = describe(aws, &target).await? else { continue };
        if let Some(key) = super::part_of(ownership, &from_map(addon.tags()), KIND) {
            let record = super::found(key, identity.clone(), instance(&addon), outputs(&addon));
            let identities = identities(aws, cluster, &addon, Identities::new()).await?;
            found.push(Existing { record, configuration_values: addon.configuration_values, identities });
        }
    }
    Ok(found)
}

async fn describe(aws: &Aws, target: &Target<'_>) -> Result<Option<eks::Addon>, Failure> {
    let (cluster, name) = (target.identity.get("cluster"), target.identity.get("name"));
    match aws.eks.describe_addon().cluster_name(cluster).addon_name(name).send().await {
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(DESCRIBE, &error)),
        Ok(answer) => Ok(answer.addon),
    }
}

/// Service account and role of associations, by their ids.
type Identities = BTreeMap<String, (String, String)>;

/// The associations of an add-on: those that were asked for already, and the others.
async fn identities(
    aws: &Aws,
    cluster: &str,
    addon: &eks::Addon,
    mut known: Identities,
) -> Result<BTreeMap<String, String>, Failure> {
    let ids: Vec<&str> = association_ids(addon).collect();
    let others = ids.iter().copied().filter(|id| !known.contains_key(*id));
    let others = associations(aws, cluster, others).await?;
    known.extend(others);
    Ok(ids.into_iter().filter_map(|id| known.remove(id)).collect())
}

/// Those of these associations that are there.
async fn associations(
    aws: &Aws,
    cluster: &str,
    ids: impl Iterator<Item = &str> + Send,
) -> Result<Identities, Failure> {
    let asked: Vec<_> = ids
        .filter(|id| !id.is_empty())
        .map(|id| async move {
            let call = aws.eks.describe_pod_identity_association().cluster_name(cluster).association_id(id);
            let association = match call.send().await {
                Err(error) if is_absent(&error) => None,
                Err(error) => return Err(failure(DESCRIBE_ASSOCIATION, &error)),
                Ok(answer) => answer.association,
            };
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            Ok(association.map(|association| {
                (id.to_owned(), (text(association.service_account()), text(association.role_arn())))
            }))
        })
        .collect();
    Ok(futures::future::try_join_all(asked).await?.into_iter().flatten().collect())
}

fn association_ids(addon: &eks::Addon) -> impl Iterator<Item = &str> {
    addon.pod_identity_associations().iter().map(|arn| arn.rsplit('/').next().unwrap_or_default())
}

/// What is wrong with configuration values of an add-on, after its own schema; `version` is the pinned one.
///
/// # Errors
/// The schema cannot be asked for.
pub async fn problems(
    aws: &Aws,
    name: &str,
    kubernetes_version: &str,
    version: Option<&str>,
    values: &str,
) -> Result<Vec<String>, Failure> {
    let version = match version {
        Some(version) => version.to_owned(),
        None => default_version(aws, name, kubernetes_version).await?,
    };
    Ok(schema::of(aws, name, &version).await?.problems(values))
}

/// Configuration values as data; none when they configure nothing.
pub fn parsed(text: Option<&str>) -> Option<Value> {
    let value = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    value.filter(|value| value.as_object().is_none_or(|members| !members.is_empty()))
}

/// AWS's default version of an add-on for a version of Kubernetes.
async fn default_version(aws: &Aws, name: &str, kubernetes_version: &str) -> Result<String, Failure> {
    let call = aws.eks.describe_addon_versions().addon_name(name).kubernetes_version(kubernetes_version);
    let answer = call.send().await.map_err(|error| failure(DESCRIBE_VERSIONS, &error))?;
    let versions = answer.addons().iter().flat_map(|addon| addon.addon_versions());
    let default =
        |version: &&eks::AddonVersionInfo| version.compatibilities().iter().any(|c| c.default_version());
    versions
        .clone()
        .find(default)
        .or(versions.clone().next())
        .and_then(|v| v.addon_version())
        .map(str::to_owned)
        .ok_or_else(|| {
            Failure::refused(format!(
                "EKS offers no version of the add-on {name} for Kubernetes {kubernetes_version}"
            ))
        })
}

fn instance(addon: &eks::Addon) -> Option<String> {
    addon.addon_arn().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned)
}

fn outputs(addon: &eks::Addon) -> Outputs {
    Outputs::new([
        ("arn", addon.addon_arn().unwrap_or_default()),
        ("version", addon.addon_version().unwrap_or_default()),
        (ASSOCIATIONS, &association_ids(addon).collect::<Vec<_>>().join(",")),
    ])
}

fn health(addon: &eks::Addon) -> String {
    let status = addon.status().map_or("UNKNOWN", eks::AddonStatus::as_str);
    health::text(status, addon.health().map(|health| health.issues()).unwrap_or_default())
}
