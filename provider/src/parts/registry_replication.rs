//! Replication of our repositories: one rule of ours among those of the registry, told from others by its filters,
//! which all name repositories of ours. Copies in the destinations belong to nobody here and stay.
//!
//! API: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutReplicationConfiguration.html>

use std::collections::BTreeSet;
use std::fmt;

use async_trait::async_trait;
use resource_graph::{
    Comparison, Created, Failure, Identity, Observation, Outputs, Owner, Part, PartKey, Probe, Record,
    Target, Until,
};
use serde_json::{Value, json};

#[cfg(test)]
use super::Calls;
use super::registry::{self, Document, filters, rules};
use crate::aws::{Aws, Location};
use crate::errors;

/// Its key: there is one of it in a cluster.
pub const KIND: &str = "registry-replication";

/// Where copies go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// `eu-west-1`
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
}

/// Our rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistryReplication {
    /// What people read about it.
    pub spec: String,
    /// Names of the repositories.
    pub repositories: BTreeSet<String>,
    /// Where copies go.
    pub destinations: BTreeSet<Destination>,
    /// Whose registry it is.
    pub location: Location,
}

/// What was seen of the rules.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Rules whose filters all name repositories of ours.
    ours: Vec<Value>,
    /// One that is not recorded, and is not what is wanted, was made by somebody else.
    is_foreign: bool,
}

/// The one update.
#[derive(Debug, Clone)]
pub struct Change;

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "replication rule")
    }
}

impl RegistryReplication {
    /// The part a record speaks of.
    pub fn recall(record: &Record, location: &Location) -> Self {
        Self {
            spec: record.spec.clone(),
            repositories: registry::recorded(&record.outputs),
            destinations: BTreeSet::new(),
            location: location.clone(),
        }
    }

    /// What may be ours: what is wanted, and what is recorded.
    fn known(&self, target: &Target<'_>) -> BTreeSet<String> {
        self.repositories.union(&registry::recorded(target.outputs)).cloned().collect()
    }

    fn is_wanted(&self, ours: &[Value]) -> bool {
        matches!(ours, [rule] if filters(rule) == self.repositories && destinations(rule) == self.destinations)
    }

    fn rule(&self) -> Value {
        let filter = |name: &String| json!({ "filter": name, "filterType": "PREFIX_MATCH" });
        let destination = |destination: &Destination| json!({ "region": destination.region, "registryId": destination.account_id });
        json!({
            "destinations": self.destinations.iter().map(destination).collect::<Vec<_>>(),
            "repositoryFilters": self.repositories.iter().map(filter).collect::<Vec<_>>(),
        })
    }

    async fn put(&self, aws: &Aws, target: &Target<'_>) -> Result<Outputs, Failure> {
        let known = self.known(target);
        let edited = |document: &Value| {
            let is_done = self.is_wanted(&of_ours(document, &known));
            Ok((!is_done).then(|| edited(document, Some(&self.rule()), &known)))
        };
        Document::Replication.edit(aws, edited).await?;
        Ok(registry::outputs(&self.repositories))
    }
}

#[async_trait]
impl Part<Aws> for RegistryReplication {
    type Seen = Seen;
    type Change = Change;

    fn key(&self) -> PartKey {
        PartKey::new(KIND, "")
    }

    fn identity(&self) -> Identity {
        Identity::new([("registry", &self.location.account_id)])
    }

    fn spec(&self) -> String {
        self.spec.clone()
    }

    async fn observe(&self, aws: &Aws, target: &Target<'_>) -> Result<Observation<Seen>, Failure> {
        let document = Document::Replication.read(aws).await?;
        let ours = of_ours(&document, &self.known(target));
        if ours.is_empty() {
            return Ok(Observation::Absent);
        }
        let is_foreign = registry::recorded(target.outputs).is_empty() && !self.is_wanted(&ours);
        let outputs = if is_foreign {
            Outputs::default()
        } else {
            registry::outputs(&ours.iter().flat_map(filters).collect())
        };
        let seen = Seen { ours, is_foreign };
        Ok(Observation::Present { owner: Owner::Ours, instance: None, outputs, seen })
    }

    fn compare(&self, _target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        if seen.is_foreign {
            let theirs: Vec<String> = seen.ours.iter().flat_map(filters).collect();
            return Comparison::Impossible(format!(
                "the registry has another replication rule for {}, which this cluster did not make; remove that rule, \
                 or set the same destinations",
                theirs.join(", ")
            ));
        }
        if self.is_wanted(&seen.ours) { Comparison::Same } else { Comparison::Change(vec![Change]) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let outputs = self.put(aws, target).await?;
        Ok(Created { seen: Seen { ours: vec![self.rule()], is_foreign: false }, instance: None, outputs })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, _change: &Change) -> Result<Outputs, Failure> {
        self.put(aws, target).await
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let known = self.known(target);
        let edited = |document: &Value| {
            let is_done = of_ours(document, &known).is_empty();
            Ok((!is_done).then(|| edited(document, None, &known)))
        };
        Document::Replication.edit(aws, edited).await
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let ours = of_ours(&Document::Replication.read(aws).await?, &self.known(target));
        Ok(match until {
            Until::Usable if self.is_wanted(&ours) => Probe::Done(registry::outputs(&self.repositories)),
            Until::Gone if ours.is_empty() => Probe::Done(Outputs::default()),
            _ => Probe::Failed("somebody else put the registry's rules at the same time".to_owned()),
        })
    }
}

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[registry::GET_REPLICATION, registry::PUT_REPLICATION],
    implied: &[(
        "iam:CreateServiceLinkedRole",
        "ECR API reference, PutReplicationConfiguration: AWSServiceRoleForECRReplication",
    )],
};

/// Our rule, for an import.
#[derive(Debug, Clone)]
pub struct Existing {
    /// Its record.
    pub record: Record,
    /// Where copies go.
    pub destinations: BTreeSet<Destination>,
}

/// Our rule, when there is one for repositories of these names. Nothing else tells it from those of others.
pub async fn discover(aws: &Aws, repositories: &BTreeSet<String>) -> Result<Option<Existing>, Failure> {
    if repositories.is_empty() {
        return Ok(None);
    }
    let document = match Document::Replication.read(aws).await {
        Err(refused) if refused.code == Some(errors::ACCESS_DENIED.code) => return Ok(None),
        answer => answer?,
    };
    let ours = of_ours(&document, repositories);
    let identity = Identity::new([("registry", &aws.location.account_id)]);
    let outputs = registry::outputs(&ours.iter().flat_map(filters).collect());
    Ok((!ours.is_empty()).then(|| Existing {
        record: super::found(PartKey::new(KIND, ""), identity, None, outputs),
        destinations: ours.iter().flat_map(destinations).collect(),
    }))
}

fn destinations(rule: &Value) -> BTreeSet<Destination> {
    let text = |destination: &Value, name: &str| destination[name].as_str().unwrap_or_default().to_owned();
    let destination = |destination: &Value| Destination {
        region: text(destination, "region"),
        account_id: text(destination, "registryId"),
    };
    rule["destinations"].as_array().into_iter().flatten().map(destination).collect()
}

/// A rule without filters is about every repository, and nobody's in particular.
fn is_of_ours(rule: &Value, known: &BTreeSet<String>) -> bool {
    let filters = filters(rule);
    !filters.is_empty() && filters.is_subset(known)
}

fn of_ours(document: &Value, known: &BTreeSet<String>) -> Vec<Value> {
    rules(document).into_iter().filter(|rule| is_of_ours(rule, known)).collect()
}

/// The document with this rule in the place of ours, or at the end.
fn edited(document: &Value, wanted: Option<&Value>, known: &BTreeSet<String>) -> Value {
    let mut rules = rules(document);
    let position = rules.iter().position(|rule| is_of_ours(rule, known)).unwrap_or(rules.len());
    rules.retain(|rule| !is_of_ours(rule, known));
    if let Some(wanted) = wanted {
        rules.insert(position, wanted.clone());
    }
    let mut document = document.clone();
    document["rules"] = Value::Array(rules);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_others_stay_as_they_are_and_where_they_are() {
        let rule = |filter: &str, region: &str| {
            json!({
                "destinations": [{"region": region, "registryId": "111122223333"}],
                "repositoryFilters": [{"filter": filter, "filterType": "PREFIX_MATCH"}],
            })
        };
        let everything =
            json!({"destinations": [{"region": "us-east-1", "registryId": "111122223333"}], "newer": true});
        let known: BTreeSet<String> = ["orders".to_owned()].into();
        let before = json!({ "rules": [everything, rule("theirs", "eu-west-1")] });
        let ours = rule("orders", "eu-west-1");
        let after = edited(&before, Some(&ours), &known);
        assert_eq!(after["rules"], json!([everything, rule("theirs", "eu-west-1"), ours]));
        let other = rule("orders", "eu-west-2");
        let changed = edited(&json!({ "rules": [ours, everything] }), Some(&other), &known);
        assert_eq!(changed["rules"], json!([other, everything]));
        assert_eq!(edited(&after, None, &known), before);
    }
}
