//! What is said about arguments without AWS.

use terraform_plugin::prelude::*;

use super::minimal;
use crate::resources::production_cluster::model::{self, AccessEntry, NodeGroup, ProductionCluster};
use crate::resources::production_cluster::validate;

#[test]
fn rules_and_arguments_are_judged_with_their_paths() {
    let access = model::EndpointAccess {
        public: true.into(),
        public_cidrs: Field::Known(["0.0.0.0/0".to_owned()].into_iter().collect()),
        ..model::EndpointAccess::default()
    };
    let group = NodeGroup { min_size: 5.into(), max_size: 4.into(), ..NodeGroup::default() };
    let cluster = ProductionCluster {
        endpoint_access: Field::Known(access),
        deletion_protection: false.into(),
        node_groups: Field::Known([("general", group)].into_iter().collect()),
        logging: Field::Known(model::Logging { retention_days: 100.into(), ..model::Logging::default() }),
        ..minimal()
    };
    let mut diagnostics = Diagnostics::new();
    validate::check(&cluster, &mut diagnostics);
    let paths: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.path.as_ref().map(ToString::to_string).unwrap_or_default())
        .collect();
    assert_eq!(
        paths,
        [
            "logging.retention_days",
            "node_groups[\"general\"].max_size",
            "access_entries",
            "endpoint_access.public_cidrs",
            "deletion_protection",
            "logging.retention_days",
        ]
    );
}

#[test]
fn core_dns_needs_a_group_that_may_have_a_node() {
    let group = |min: Field<i64>, effect: Field<String>| {
        let taint = model::Taint { key: "a".into(), value: Field::Null, effect: effect.clone() };
        let taints = (!effect.is_null()).then(|| Set::from_iter([taint]));
        NodeGroup { min_size: min, taints: taints.into(), ..NodeGroup::default() }
    };
    let addon = |enabled: Field<bool>| {
        let coredns = model::Addon { enabled, ..model::Addon::default() };
        Field::Known(Map::from_iter([("coredns", coredns)]))
    };
    let (none, repels) = (Field::<String>::Null, Field::<String>::from("NO_SCHEDULE"));
    let prefers = Field::<String>::from("PREFER_NO_SCHEDULE");
    let rows = [
        (vec![group(0.into(), none.clone())], Field::Null, true),
        (vec![group(0.into(), prefers)], Field::Null, true),
        (vec![group(0.into(), none.clone()), group(3.into(), repels.clone())], Field::Null, true),
        (vec![group(0.into(), Field::Unknown)], Field::Null, true),
        (vec![group(3.into(), repels.clone())], Field::Null, true),
        (vec![group(0.into(), none.clone()), group(1.into(), none.clone())], Field::Null, false),
        (vec![group(0.into(), none.clone()), group(Field::Null, none.clone())], Field::Null, false),
        (vec![group(Field::Unknown, none.clone())], Field::Null, false),
        (vec![group(3.into(), Field::Unknown)], Field::Null, false),
        (vec![group(0.into(), none.clone())], addon(false.into()), false),
        (vec![group(0.into(), none.clone())], addon(Field::Unknown), false),
        (vec![group(0.into(), none.clone())], addon(true.into()), true),
        (vec![group(0.into(), none)], Field::Unknown, false),
    ];
    for (number, (groups, addons, is_wrong)) in rows.into_iter().enumerate() {
        let groups = groups.into_iter().zip('a'..).map(|(group, name)| (name.to_string(), group)).collect();
        let cluster = ProductionCluster { node_groups: Field::Known(groups), addons, ..minimal() };
        let mut diagnostics = Diagnostics::new();
        validate::check(&cluster, &mut diagnostics);
        validate::check_create(&cluster, &mut diagnostics);
        assert_eq!(diagnostics.has_errors(), is_wrong, "row {number}: {diagnostics}");
    }
}

#[test]
fn an_entry_that_is_null_lacks_its_principal() {
    let entries: Map<AccessEntry> = [("ops".to_owned(), Field::Null)].into_iter().collect();
    let cluster = ProductionCluster { access_entries: Field::Known(entries), ..minimal() };
    let mut diagnostics = Diagnostics::new();
    validate::check(&cluster, &mut diagnostics);
    let paths = diagnostics.iter().filter_map(|diagnostic| diagnostic.path.as_ref().map(ToString::to_string));
    assert_eq!(paths.collect::<Vec<_>>(), ["access_entries[\"ops\"].principal_arn"]);
}
