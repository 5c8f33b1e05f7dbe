//! Policy documents from actions, in the order of their scopes, none longer than IAM accepts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::scopes::{Scope, scopes, scopes_of_owners};

/// Characters of a managed policy, white space not counted. Source: IAM user guide, reference_iam-quotas.
const LONGEST: usize = 6144;

/// A policy document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policy {
    version: &'static str,
    pub(super) statement: Vec<Statement>,
}

/// One value stands alone, as people write it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Values {
    One(&'static str),
    Several(&'static [&'static str]),
}

/// One statement.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    sid: &'static str,
    effect: &'static str,
    pub(super) action: Vec<String>,
    pub(super) resource: Vec<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<&'static str, BTreeMap<&'static str, Values>>,
}

impl Statement {
    fn new(scope: &Scope) -> Self {
        let mut condition: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (operator, key, values) in scope.conditions {
            let values = match values {
                [one] => Values::One(one),
                several => Values::Several(several),
            };
            condition.entry(*operator).or_default().insert(*key, values);
        }
        let resource = scope.resources.to_vec();
        Self { sid: scope.id, effect: "Allow", action: Vec::new(), resource, condition }
    }
}

impl Policy {
    fn of(statement: Vec<Statement>) -> Self {
        Self { version: "2012-10-17", statement }
    }

    /// Characters as IAM counts them.
    pub(super) fn length(&self) -> usize {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.chars().filter(|letter| !letter.is_whitespace()).count()
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// Documents that allow these actions for one cluster, and nothing else.
pub(super) fn policies(actions: impl IntoIterator<Item = String>) -> Vec<Policy> {
    divided(actions, scopes)
}

/// Documents that allow to look at whose everything is.
pub(super) fn policies_of_owners(actions: impl IntoIterator<Item = String>) -> Vec<Policy> {
    divided(actions, scopes_of_owners)
}

fn divided(
    actions: impl IntoIterator<Item = String>,
    scopes: fn(&str) -> &'static [&'static Scope],
) -> Vec<Policy> {
    let mut statements: Vec<Statement> = Vec::new();
    for action in actions {
        for scope in scopes(&action) {
            let known = statements.iter().position(|statement| statement.sid == scope.id);
            let index = known.unwrap_or_else(|| {
                statements.push(Statement::new(scope));
                statements.len() - 1
            });
            statements[index].action.push(action.clone());
        }
    }
    let mut documents: Vec<Policy> = Vec::new();
    for statement in statements {
        if let Some(last) = documents.last_mut() {
            last.statement.push(statement.clone());
            if last.length() <= LONGEST {
                continue;
            }
            last.statement.pop();
        }
        documents.push(Policy::of(vec![statement]));
    }
    documents
}

#[test]
fn every_document_fits_a_managed_policy_and_loses_nothing() {
    let actions = super::actions::all();
    let documents = policies(actions.clone());
    for document in &documents {
        assert!(document.length() <= LONGEST, "{} characters", document.length());
    }
    let allowed: std::collections::BTreeSet<String> = documents
        .iter()
        .flat_map(|document| document.statement.iter().flat_map(|statement| statement.action.clone()))
        .collect();
    assert_eq!(allowed, actions);
}

#[test]
fn a_policy_that_is_too_long_is_divided_between_statements() {
    let long = (0..400).map(|number| format!("iam:Get{number:020}"));
    let documents = policies(long.chain(["eks:CreateCluster".to_owned()]));
    assert_eq!(documents.len(), 2);
}
