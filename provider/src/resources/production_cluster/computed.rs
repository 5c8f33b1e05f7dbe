//! The attributes that show outputs of parts: each with its part and the output's name. What apply fills in,
//! what a refresh shows and what a plan makes unknown is this one table.

use resource_graph::{Ledger, PartKey, Record};
use terraform_plugin::{Field, Map};

use super::controllers::{external_secrets_role, load_balancer_controller_role};
use super::images;
use super::keys::{Outline, cluster_role, control_plane, encryption_key, node_role};
use super::model::ProductionCluster;
use crate::parts::addon;

/// One attribute.
struct Computed {
    attribute: fn(&mut ProductionCluster) -> &mut Field<String>,
    part: fn() -> PartKey,
    output: &'static str,
    /// The argument that decides the attribute where it is set: there is no such part then.
    argument: fn(&ProductionCluster) -> Field<String>,
}

const COMPUTED: [Computed; 11] = [
    of(|model| &mut model.arn, control_plane, "arn"),
    of(|model| &mut model.endpoint, control_plane, "endpoint"),
    of(|model| &mut model.certificate_authority_data, control_plane, "certificate_authority_data"),
    of(|model| &mut model.cluster_security_group_id, control_plane, "cluster_security_group_id"),
    of(|model| &mut model.oidc_issuer_url, control_plane, "oidc_issuer_url"),
    of(|model| &mut model.platform_version, control_plane, "platform_version"),
    of(|model| &mut model.cluster_role_arn, cluster_role, "arn"),
    of(|model| &mut model.node_role_arn, node_role, "arn"),
    of(|model| &mut model.load_balancer_controller_role_arn, load_balancer_controller_role, "arn"),
    of(|model| &mut model.external_secrets_role_arn, external_secrets_role, "arn"),
    Computed { argument: key_of_user, ..of(|model| &mut model.kms_key_arn, encryption_key, "arn") },
];

/// Output of each add-on that `addon_versions` shows.
const ADDON_VERSION: &str = "version";

const fn of(
    attribute: fn(&mut ProductionCluster) -> &mut Field<String>,
    part: fn() -> PartKey,
    output: &'static str,
) -> Computed {
    Computed { attribute, part, output, argument: |_| Field::Null }
}

fn key_of_user(model: &ProductionCluster) -> Field<String> {
    match &model.encryption {
        Field::Known(encryption) => encryption.kms_key_arn.clone(),
        Field::Null => Field::Null,
        Field::Unknown => Field::Unknown,
    }
}

impl Computed {
    fn recorded(&self, ledger: &Ledger) -> Option<String> {
        ledger.get(&(self.part)())?.outputs.get(self.output).map(str::to_owned)
    }
}

/// What a plan left unknown, as it is recorded now.
pub fn fill(state: &mut ProductionCluster, ledger: &Ledger) {
    for computed in &COMPUTED {
        let argument = (computed.argument)(state);
        let attribute = (computed.attribute)(state);
        if attribute.is_unknown() {
            *attribute = if argument.is_null() { computed.recorded(ledger).into() } else { argument };
        }
    }
    if state.addon_versions.is_unknown() {
        state.addon_versions = Field::Known(addon_versions(ledger, |_| true));
    }
    if state.repository_urls.is_unknown() {
        state.repository_urls = Field::Known(images::urls(ledger, |_| true));
    }
}

/// The outputs of the parts that were seen. What was not seen keeps its value; where there is none, it is what
/// was recorded.
pub fn refresh(state: &mut ProductionCluster, ledger: &Ledger, seen: impl Fn(&PartKey) -> bool) {
    for computed in &COMPUTED {
        let argument = (computed.argument)(state);
        let attribute = (computed.attribute)(state);
        if argument.is_known() {
            *attribute = argument;
        } else if (attribute.is_null() || seen(&(computed.part)()))
            && let Some(value) = computed.recorded(ledger)
        {
            *attribute = Field::Known(value);
        }
    }
    match state.repository_urls.known_mut() {
        Some(urls) => urls.extend(images::urls(ledger, &seen)),
        None => state.repository_urls = Field::Known(images::urls(ledger, |_| true)),
    }
    match state.addon_versions.known_mut() {
        Some(versions) => versions.extend(addon_versions(ledger, seen)),
        None => state.addon_versions = Field::Known(addon_versions(ledger, |_| true)),
    }
}

/// Makes unknown what only the next run decides: outputs of parts it makes anew, and what the last run did
/// not reach. A part that the outline does not have shows nothing.
pub fn renew(
    planned: &mut ProductionCluster,
    prior: Option<&ProductionCluster>,
    outline: Option<&Outline>,
    anew: impl Fn(&PartKey) -> bool,
    other_addon_versions: bool,
) {
    let mut before = prior.cloned().unwrap_or_default();
    for computed in &COMPUTED {
        let argument = (computed.argument)(planned);
        let had_argument = !(computed.argument)(&before).is_null();
        let nothing_before = (computed.attribute)(&mut before).is_null();
        let attribute = (computed.attribute)(planned);
        let is_planned = outline.is_none_or(|outline| outline.contains_key(&(computed.part)()));
        if !argument.is_null() {
            *attribute = argument;
        } else if !is_planned {
            *attribute = Field::Null;
        } else if nothing_before || had_argument || anew(&(computed.part)()) {
            *attribute = Field::Unknown;
        }
    }
    if images::other_urls(planned, &before, &anew) {
        planned.repository_urls = Field::Unknown;
    }
    if other_addon_versions || before.addon_versions.is_null() {
        planned.addon_versions = Field::Unknown;
    }
}

/// Version of each add-on that was made.
fn addon_versions(ledger: &Ledger, wanted: impl Fn(&PartKey) -> bool) -> Map<String> {
    let version = |record: &Record| {
        let version = record.outputs.get(ADDON_VERSION)?.to_owned();
        let is_wanted = record.key.kind() == addon::KIND && wanted(&record.key);
        is_wanted.then(|| (record.key.name().to_owned(), version))
    };
    ledger.records.iter().filter_map(version).collect()
}
