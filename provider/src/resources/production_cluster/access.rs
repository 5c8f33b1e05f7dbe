//! Who may do what in the cluster: the entries that the arguments describe, and back.

use std::collections::{BTreeMap, BTreeSet};

use terraform_plugin::prelude::*;

use super::known::{set, value};
use super::model::{self, AccessEntry, AccessEntryPaths, BreakGlass, ProductionCluster};
use super::preset::{self, BREAK_GLASS, BREAK_GLASS_USER};
use super::report::wrong;
use crate::parts::access_entry::{Existing, Namespaces, STANDARD};

/// An access policy: one of EKS's own by its name, or any by its ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    Named(&'static str),
    Arn(String),
}

/// An access entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub principal_arn: String,
    pub entry_type: String,
    pub username: Option<String>,
    pub kubernetes_groups: BTreeSet<String>,
    pub policies: BTreeMap<Policy, Namespaces>,
}

/// All entries by name, the one for emergencies among them; none while anything in them is unknown.
pub fn entries(model: &ProductionCluster) -> Option<BTreeMap<String, Entry>> {
    let configured = value(&model.access_entries)?.unwrap_or_default();
    let mut entries = BTreeMap::new();
    for (name, field) in configured.iter() {
        entries.insert(name.clone(), entry(&value(field)?.unwrap_or_default())?);
    }
    if let Some(break_glass) = value(&model.break_glass)? {
        let entry = Entry {
            principal_arn: value(&break_glass.principal_arn)?.unwrap_or_default(),
            entry_type: STANDARD.to_owned(),
            username: Some(BREAK_GLASS_USER.to_owned()),
            kubernetes_groups: BTreeSet::new(),
            policies: [(Policy::Named(preset::policy_of("admin")), Namespaces::new())].into(),
        };
        entries.insert(BREAK_GLASS.to_owned(), entry);
    }
    Some(entries)
}

fn entry(entry: &model::AccessEntry) -> Option<Entry> {
    let mut policies = policies(&entry.policies)?;
    if let Some(preset) = value(&entry.preset)? {
        policies
            .insert(Policy::Named(preset::policy_of(&preset)), set(&entry.namespaces)?.unwrap_or_default());
    }
    Some(Entry {
        principal_arn: value(&entry.principal_arn)?.unwrap_or_default(),
        entry_type: value(&entry.r#type)?.unwrap_or_else(|| STANDARD.to_owned()),
        username: None,
        kubernetes_groups: set(&entry.kubernetes_groups)?.unwrap_or_default(),
        policies,
    })
}

fn policies(field: &Field<Set<model::AccessPolicy>>) -> Option<BTreeMap<Policy, Namespaces>> {
    let policy = |policy: &Field<model::AccessPolicy>| {
        let policy = value(policy)?.unwrap_or_default();
        let arn = value(&policy.arn)?.unwrap_or_default();
        Some((Policy::Arn(arn), set(&policy.namespaces)?.unwrap_or_default()))
    };
    value(field)?.unwrap_or_default().iter().map(policy).collect()
}

/// What people read about each entry, as far as it is known; none while their names are not.
pub fn specs(model: &ProductionCluster) -> Option<Vec<(String, Option<String>)>> {
    let configured: Map<model::AccessEntry> = value(&model.access_entries)?.unwrap_or_default();
    let spec = |(name, field): (&String, &Field<model::AccessEntry>)| {
        (name.clone(), value(field).and_then(|entry| spec(&entry.unwrap_or_default())))
    };
    let mut specs: Vec<_> = configured.iter().map(spec).collect();
    if let Some(break_glass) = value(&model.break_glass)? {
        let principal = value(&break_glass.principal_arn).flatten();
        specs.push((BREAK_GLASS.to_owned(), principal.map(|arn| format!("admin for {arn}, in emergencies"))));
    }
    Some(specs)
}

fn spec(entry: &model::AccessEntry) -> Option<String> {
    let mut what = Vec::new();
    if let Some(preset) = value(&entry.preset)? {
        let namespaces = set(&entry.namespaces)?.unwrap_or_default();
        let listed = namespaces.into_iter().collect::<Vec<_>>().join(", ");
        what.push(if listed.is_empty() { preset } else { format!("{preset} in {listed}") });
    }
    for policy in policies(&entry.policies)?.into_keys() {
        if let Policy::Arn(arn) = policy {
            what.push(arn.rsplit('/').next().unwrap_or_default().to_owned());
        }
    }
    let groups = set(&entry.kubernetes_groups)?.unwrap_or_default();
    if !groups.is_empty() {
        what.push(format!("groups {}", groups.into_iter().collect::<Vec<_>>().join(", ")));
    }
    let entry_type = value(&entry.r#type)?.filter(|entry_type| entry_type != STANDARD);
    what.extend(entry_type);
    Some(format!("{} for {}", what.join(", "), value(&entry.principal_arn)??))
}

/// What is wrong with the entries, as far as they are known.
pub fn check(config: &ProductionCluster, diagnostics: &mut Diagnostics) {
    let paths = ProductionCluster::at(&Path::root());
    let is_empty =
        value(&config.access_entries).map(|entries| entries.is_none_or(|entries| entries.is_empty()));
    if is_empty == Some(true) && config.break_glass.is_null() {
        diagnostics.warning_at(
            &paths.access_entries,
            "Nobody can use the cluster's API",
            "Who creates a cluster gets no access by that. Add an entry to access_entries, or break_glass.",
        );
    }
    let mut principals = BTreeMap::<String, String>::new();
    let mut claim = |principal: &Field<String>, name: &str, path: &Path, diagnostics: &mut Diagnostics| {
        let Some(arn) = principal.text() else { return };
        if let Some(other) = principals.insert(arn.to_owned(), name.to_owned()) {
            let text = format!("{other} has the same principal; EKS keeps one entry for each.");
            wrong(diagnostics, path, text);
        }
    };
    for (name, field) in config.access_entries.known().into_iter().flat_map(|entries| entries.iter()) {
        let at = AccessEntry::at(&paths.access_entries.key(name));
        let Some(entry) = field.known() else {
            if field.is_null() {
                let text = "An entry needs a principal; leave out the key to have no entry.";
                wrong(diagnostics, &at.principal_arn, text.to_owned());
            }
            continue;
        };
        check_entry(entry, &at, diagnostics);
        claim(&entry.principal_arn, name, &at.principal_arn, diagnostics);
    }
    if let Some(break_glass) = config.break_glass.known() {
        let at = BreakGlass::at(&paths.break_glass);
        claim(&break_glass.principal_arn, BREAK_GLASS, &at.principal_arn, diagnostics);
    }
}

fn check_entry(entry: &AccessEntry, at: &AccessEntryPaths, diagnostics: &mut Diagnostics) {
    let preset = value(&entry.preset);
    match preset.as_ref().map(|preset| preset.as_deref()) {
        Some(Some("admin")) if entry.namespaces.is_known() => {
            let text = "The preset admin holds in the whole cluster; remove namespaces, or choose operator.";
            wrong(diagnostics, &at.namespaces, text.to_owned());
        }
        Some(Some("developer")) if entry.namespaces.is_null() => {
            let text =
                "The preset developer needs namespaces: those whose workloads and secrets it may change.";
            wrong(diagnostics, &at.namespaces, text.to_owned());
        }
        Some(None) if entry.namespaces.is_known() => {
            let text = "namespaces says where the preset holds; set preset, or give namespaces to a policy.";
            wrong(diagnostics, &at.namespaces, text.to_owned());
        }
        _ => {}
    }
    if let Some(policies) = policies(&entry.policies) {
        let given = value(&entry.policies).flatten().map_or(0, |policies| policies.len());
        let of_preset = preset.flatten().map(|preset| preset::policy_of(&preset));
        let repeats_preset = |policy: &Policy| match (policy, of_preset) {
            (Policy::Arn(arn), Some(name)) => arn.ends_with(&format!(":cluster-access-policy/{name}")),
            _ => false,
        };
        if policies.len() < given || policies.keys().any(repeats_preset) {
            let text = "EKS keeps each policy once for an entry: name it once, with all its namespaces, and do not \
                        repeat the one of the preset.";
            wrong(diagnostics, &at.policies, text.to_owned());
        }
    }
    if let Some(groups) = set(&entry.kubernetes_groups).flatten()
        && let Some(group) = groups.iter().find(|group| group.starts_with("system:"))
    {
        let text =
            format!("EKS keeps groups that begin with system: to itself, such as {group}; use a preset.");
        wrong(diagnostics, &at.kubernetes_groups, text);
    }
    let Some(entry_type) = value(&entry.r#type) else { return };
    let is_for_nodes = entry_type.is_some_and(|entry_type| entry_type != STANDARD);
    let gives = [entry.preset.is_null(), entry.policies.is_null(), entry.kubernetes_groups.is_null()];
    let is_user = entry.principal_arn.text().is_some_and(|arn| arn.contains(":user/"));
    if is_for_nodes && is_user {
        wrong(diagnostics, &at.principal_arn, "An entry for nodes needs a role.".to_owned());
    }
    if is_for_nodes && gives.contains(&false) {
        let text = "Entries for nodes take neither a preset nor policies nor groups.";
        wrong(diagnostics, &at.r#type, text.to_owned());
    }
    if !is_for_nodes && !gives.contains(&false) {
        let text = "The entry gives nothing: set preset, policies or kubernetes_groups.";
        wrong(diagnostics, &at.preset, text.to_owned());
    }
}

/// The arguments that entries which exist were made from.
pub fn read_back(existing: &[Existing]) -> (Field<Map<AccessEntry>>, Field<BreakGlass>) {
    let is_break_glass = |entry: &&Existing| entry.record.key.name() == BREAK_GLASS;
    let principal = |entry: &Existing| Field::Known(entry.record.identity.get("principal").to_owned());
    let break_glass = existing.iter().find(is_break_glass);
    let entry = |entry: &Existing| {
        let arguments = AccessEntry { principal_arn: principal(entry), ..arguments(entry) };
        (entry.record.key.name().to_owned(), arguments)
    };
    let entries: Map<AccessEntry> =
        existing.iter().filter(|entry| !is_break_glass(entry)).map(entry).collect();
    (
        (!entries.is_empty()).then_some(entries).into(),
        break_glass
            .map(|entry| BreakGlass { principal_arn: principal(entry), ..BreakGlass::default() })
            .into(),
    )
}

fn arguments(entry: &Existing) -> AccessEntry {
    let texts = |texts: &BTreeSet<String>| {
        (!texts.is_empty()).then(|| texts.iter().cloned().collect::<Set<String>>()).into()
    };
    let preset_of = |arn: &str| {
        preset::NAMES
            .iter()
            .find(|preset| arn.ends_with(&format!(":cluster-access-policy/{}", preset::policy_of(preset))))
    };
    let preset = entry.policies.iter().find_map(|(arn, scope)| Some((arn, *preset_of(arn)?, scope)));
    let other =
        entry.policies.iter().filter(|(arn, _)| preset.is_none_or(|(of_preset, _, _)| of_preset != *arn));
    let policy = |(arn, scope): (&String, &Namespaces)| model::AccessPolicy {
        arn: arn.as_str().into(),
        namespaces: texts(scope),
    };
    let policies: Vec<model::AccessPolicy> = other.map(policy).collect();
    AccessEntry {
        principal_arn: Field::Null,
        preset: preset.map(|(_, preset, _)| preset.to_owned()).into(),
        namespaces: preset.map_or(Field::Null, |(_, _, scope)| texts(scope)),
        policies: (!policies.is_empty())
            .then(|| policies.into_iter().collect::<Set<model::AccessPolicy>>())
            .into(),
        kubernetes_groups: texts(&entry.kubernetes_groups),
        r#type: (entry.entry_type != STANDARD).then(|| entry.entry_type.clone()).into(),
    }
}
