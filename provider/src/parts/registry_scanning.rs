//! Enhanced scanning of our repositories: filters of ours in the one rule of the registry that scans
//! continuously. A registry has one rule of each frequency and one scan type for all.
//!
//! A registry that scans with `BASIC` and has no rules is switched to `ENHANCED`, and back when no rule is left;
//! one with rules of others is never switched.
//!
//! API: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutRegistryScanningConfiguration.html>

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
pub const KIND: &str = "registry-scanning";

/// Filters of ours in the registry's scanning rules.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistryScanning {
    /// What people read about it.
    pub spec: String,
    /// Names of the repositories.
    pub repositories: BTreeSet<String>,
    /// Whose registry it is.
    pub location: Location,
}

/// What was seen of the rules.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Filters of ours that are there.
    present: BTreeSet<String>,
    /// Others rely on basic scanning.
    is_basic_for_others: bool,
}

/// The one update.
#[derive(Debug, Clone)]
pub struct Change;

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "repositories that are scanned")
    }
}

impl RegistryScanning {
    /// The part a record speaks of.
    pub fn recall(record: &Record, location: &Location) -> Self {
        Self {
            spec: record.spec.clone(),
            repositories: registry::recorded(&record.outputs),
            location: location.clone(),
        }
    }

    fn filters(&self) -> BTreeSet<String> {
        self.repositories.iter().map(|name| filter_of(name)).collect()
    }

    /// What may be ours: what is wanted, and what is recorded.
    fn known(&self, target: &Target<'_>) -> BTreeSet<String> {
        self.filters().union(&registry::recorded(target.outputs)).cloned().collect()
    }

    async fn put(&self, aws: &Aws, target: &Target<'_>) -> Result<Outputs, Failure> {
        let (wanted, known) = (self.filters(), self.known(target));
        Document::Scanning.edit(aws, |document| edited(document, &wanted, &known)).await?;
        Ok(registry::outputs(&wanted))
    }
}

#[async_trait]
impl Part<Aws> for RegistryScanning {
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
        let document = Document::Scanning.read(aws).await?;
        let seen = Seen {
            present: present(&document, &self.known(target)),
            is_basic_for_others: is_basic(&document) && !rules(&document).is_empty(),
        };
        if seen.present.is_empty() && !seen.is_basic_for_others {
            return Ok(Observation::Absent);
        }
        let outputs =
            if seen.present.is_empty() { Outputs::default() } else { registry::outputs(&seen.present) };
        Ok(Observation::Present { owner: Owner::Ours, instance: None, outputs, seen })
    }

    fn compare(&self, _target: &Target<'_>, seen: &Seen) -> Comparison<Change> {
        if seen.is_basic_for_others {
            return Comparison::Impossible(basic_for_others());
        }
        if seen.present == self.filters() { Comparison::Same } else { Comparison::Change(vec![Change]) }
    }

    async fn create(&self, aws: &Aws, target: &Target<'_>) -> Result<Created<Seen>, Failure> {
        let outputs = self.put(aws, target).await?;
        let seen = Seen { present: self.filters(), is_basic_for_others: false };
        Ok(Created { seen, instance: None, outputs })
    }

    async fn update(&self, aws: &Aws, target: &Target<'_>, _change: &Change) -> Result<Outputs, Failure> {
        self.put(aws, target).await
    }

    async fn delete(&self, aws: &Aws, target: &Target<'_>) -> Result<(), Failure> {
        let (nothing, known) = (BTreeSet::new(), self.known(target));
        Document::Scanning.edit(aws, |document| edited(document, &nothing, &known)).await
    }

    async fn probe(&self, aws: &Aws, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let document = Document::Scanning.read(aws).await?;
        let present = present(&document, &self.known(target));
        Ok(match until {
            Until::Usable if present == self.filters() => Probe::Done(registry::outputs(&present)),
            Until::Gone if present.is_empty() => Probe::Done(Outputs::default()),
            _ => Probe::Failed("somebody else put the registry's rules at the same time".to_owned()),
        })
    }
}

/// IAM actions this kind calls, and those AWS checks on its behalf.
#[cfg(test)]
pub const CALLS: Calls = Calls {
    kind: KIND,
    calls: &[registry::GET_SCANNING, registry::PUT_SCANNING],
    implied: &[
        ("inspector2:Enable", "ECR user guide, image-scanning-enhanced, required permissions"),
        (
            "inspector2:ListAccountPermissions",
            "ECR user guide, image-scanning-enhanced, required permissions",
        ),
        (
            "iam:CreateServiceLinkedRole",
            "ECR user guide, image-scanning-enhanced: AWSServiceRoleForAmazonInspector2",
        ),
    ],
};

/// The record of our filters, when repositories of these names have any. Nothing else tells them from those of
/// others.
pub async fn discover(aws: &Aws, repositories: &BTreeSet<String>) -> Result<Option<Record>, Failure> {
    if repositories.is_empty() {
        return Ok(None);
    }
    let document = match Document::Scanning.read(aws).await {
        Err(refused) if refused.code == Some(errors::ACCESS_DENIED.code) => return Ok(None),
        answer => answer?,
    };
    let present = present(&document, &repositories.iter().map(|name| filter_of(name)).collect());
    let identity = Identity::new([("registry", &aws.location.account_id)]);
    let outputs = registry::outputs(&present);
    Ok((!present.is_empty()).then(|| super::found(PartKey::new(KIND, ""), identity, None, outputs)))
}

/// A filter takes no two separators side by side, which names of repositories may have.
fn filter_of(repository: &str) -> String {
    let mut filter = String::new();
    let mut separators = String::new();
    for character in repository.chars() {
        if "._-/".contains(character) {
            separators.push(character);
            continue;
        }
        filter.push_str(if separators.len() > 1 { "*" } else { &separators });
        separators.clear();
        filter.push(character);
    }
    filter
}

const CONTINUOUSLY: &str = "CONTINUOUS_SCAN";
const BASIC: &str = "BASIC";

fn is_basic(document: &Value) -> bool {
    document["scanType"].as_str().is_none_or(|scan_type| scan_type == BASIC)
}

fn present(document: &Value, known: &BTreeSet<String>) -> BTreeSet<String> {
    let rules = rules(document);
    let continuous = rules.iter().filter(|rule| rule["scanFrequency"] == CONTINUOUSLY);
    continuous.flat_map(filters).filter(|filter| known.contains(filter)).collect()
}

fn basic_for_others() -> String {
    "the registry scans with BASIC by rules of others, and the scan type holds for all of them; set it to ENHANCED \
     there, or set enhanced_scanning = false"
        .to_owned()
}

/// The document with `wanted` instead of what is `known` as ours; none when it is so.
fn edited(
    document: &Value,
    wanted: &BTreeSet<String>,
    known: &BTreeSet<String>,
) -> Result<Option<Value>, Failure> {
    let mut rules = rules(document);
    if !wanted.is_empty() && is_basic(document) && !rules.is_empty() {
        return Err(Failure::refused(basic_for_others()));
    }
    if present(document, known) == *wanted {
        return Ok(None);
    }
    let position = rules.iter().position(|rule| rule["scanFrequency"] == CONTINUOUSLY);
    let position = position.unwrap_or_else(|| {
        rules.push(json!({ "scanFrequency": CONTINUOUSLY, "repositoryFilters": [] }));
        rules.len() - 1
    });
    let there = filters(&rules[position]);
    let kept = rules[position]["repositoryFilters"].as_array().cloned().unwrap_or_default();
    let is_surplus = |filter: &Value| {
        filter["filter"].as_str().is_some_and(|text| known.contains(text) && !wanted.contains(text))
    };
    let added = wanted.difference(&there).map(|text| json!({ "filter": text, "filterType": "WILDCARD" }));
    let all: Vec<Value> = kept.into_iter().filter(|filter| !is_surplus(filter)).chain(added).collect();
    if all.is_empty() {
        rules.remove(position);
    } else {
        rules[position]["repositoryFilters"] = Value::Array(all);
    }
    let scan_type = if rules.is_empty() { BASIC } else { "ENHANCED" };
    let mut document = document.clone();
    document["scanType"] = json!(scan_type);
    document["rules"] = Value::Array(rules);
    Ok(Some(document))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    fn document(scan_type: &str, rules: Value) -> Value {
        json!({ "scanType": scan_type, "rules": rules })
    }

    #[test]
    fn filters_of_others_stay_as_they_are() {
        let theirs = json!({"filter": "theirs*", "filterType": "WILDCARD", "newer": 1});
        let on_push = json!({"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [theirs]});
        let continuous = json!({"scanFrequency": CONTINUOUSLY, "repositoryFilters": [theirs]});
        let before = document("ENHANCED", json!([on_push, continuous]));
        let ours = names(&["orders", "shop/api"]);
        let after = edited(&before, &ours, &ours).unwrap().expect("a change");
        assert_eq!(after["rules"][0], on_push);
        assert_eq!(after["rules"][1]["repositoryFilters"][0], theirs);
        assert_eq!(present(&after, &ours), ours);
        assert_eq!(edited(&after, &ours, &ours).unwrap(), None);
        assert_eq!(edited(&after, &BTreeSet::new(), &ours).unwrap(), Some(before));
    }

    #[test]
    fn a_registry_without_rules_is_switched_and_switched_back() {
        let (before, ours) = (document(BASIC, json!([])), names(&["orders"]));
        let after = edited(&before, &ours, &ours).unwrap().expect("a change");
        assert_eq!(after["scanType"], "ENHANCED");
        assert_eq!(edited(&after, &BTreeSet::new(), &ours).unwrap(), Some(before));
    }

    #[test]
    fn a_registry_with_basic_rules_of_others_is_not_switched() {
        let on_push = json!({"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": []});
        let before = document(BASIC, json!([on_push]));
        assert!(edited(&before, &names(&["orders"]), &names(&["orders"])).is_err());
        assert_eq!(edited(&before, &BTreeSet::new(), &names(&["orders"])).unwrap(), None);
    }

    #[test]
    fn names_become_filters() {
        assert_eq!(filter_of("shop/api-v1.2"), "shop/api-v1.2");
        assert_eq!(filter_of("shop__api--x"), "shop*api*x");
    }
}
