//! State from a plan and what the engine reports.

use std::collections::BTreeMap;

use resource_graph::{Ledger, PartKey, PartView};
use terraform_plugin::{Field, Map};

use super::model::{PartState, ProductionCluster};
use super::outline::{cluster_role, control_plane, encryption_key, node_role};
use crate::parts::addon;

/// Values of `status`.
pub const READY: &str = "ready";
/// Until the create has finished.
pub const INCOMPLETE: &str = "incomplete";
/// After an update that did not finish.
pub const DEGRADED: &str = "degraded";

/// How a run left the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    pub status: &'a str,
    pub generation: &'a str,
}

/// The planned values, with what was unknown filled in from the ledger. Known planned values stay: core
/// compares them.
pub fn compose(
    planned: &ProductionCluster,
    ledger: &Ledger,
    views: &BTreeMap<PartKey, PartView>,
    outcome: Outcome<'_>,
) -> ProductionCluster {
    let mut state = planned.clone();
    let output = |key: &PartKey, name: &str| {
        ledger.get(key).and_then(|record| record.outputs.get(name)).map(str::to_owned)
    };
    let cluster = control_plane();
    let own_key = output(&encryption_key(), "arn");
    let key_of_user = planned.encryption.known().and_then(|encryption| encryption.kms_key_arn.text());
    fill(&mut state.arn, output(&cluster, "arn"));
    fill(&mut state.endpoint, output(&cluster, "endpoint"));
    fill(&mut state.certificate_authority_data, output(&cluster, "certificate_authority_data"));
    fill(&mut state.cluster_security_group_id, output(&cluster, "cluster_security_group_id"));
    fill(&mut state.oidc_issuer_url, output(&cluster, "oidc_issuer_url"));
    fill(&mut state.platform_version, output(&cluster, "platform_version"));
    fill(&mut state.kms_key_arn, key_of_user.map(str::to_owned).or(own_key));
    fill(&mut state.cluster_role_arn, output(&cluster_role(), "arn"));
    fill(&mut state.node_role_arn, output(&node_role(), "arn"));
    fill(&mut state.addon_versions, Some(addon_versions(ledger)));
    fill(&mut state.status, Some(outcome.status.to_owned()));
    fill(&mut state.generation, Some(outcome.generation.to_owned()));
    fill(&mut state.region, None);
    fill(&mut state.log_group_name, None);
    fill(&mut state.tags_all, None);
    state.parts = parts(&planned.parts, views);
    state
}

/// Parts as the engine sees them, where the plan does not say otherwise.
fn parts(planned: &Field<Map<PartState>>, views: &BTreeMap<PartKey, PartView>) -> Field<Map<PartState>> {
    let planned = planned.known();
    let part = |(key, view): (&PartKey, &PartView)| {
        let mut part = planned
            .and_then(|planned| planned.known_at(key.as_str()))
            .cloned()
            .unwrap_or(PartState { spec: Field::Unknown, state: Field::Unknown });
        fill(&mut part.spec, Some(view.spec.clone()));
        fill(&mut part.state, Some(view.state.clone()));
        (key.as_str().to_owned(), part)
    };
    Field::Known(views.iter().map(part).collect())
}

/// Version of each add-on that was made.
fn addon_versions(ledger: &Ledger) -> Map<String> {
    let version = |record: &resource_graph::Record| {
        let version = record.outputs.get("version")?.to_owned();
        (record.key.kind() == addon::KIND).then(|| (record.key.name().to_owned(), version))
    };
    ledger.records.iter().filter_map(version).collect()
}

fn fill<T>(field: &mut Field<T>, value: Option<T>) {
    if field.is_unknown() {
        *field = value.into();
    }
}

/// True when the text of a part says that all is well: AWS's own words (`ready`, a version) rather than a
/// verdict (`absent`, `drifted: …`).
pub fn is_settled(state: &str) -> bool {
    state != "absent" && !state.contains(':')
}
