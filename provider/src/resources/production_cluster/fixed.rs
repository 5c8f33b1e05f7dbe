//! What AWS fixes when it makes the cluster. A change of it is refused, or destroys the cluster where that is
//! allowed; but the configuration may always follow what AWS has.

use resource_graph::{Ledger, PartKey};
use terraform_plugin::prelude::*;

use super::defaults;
use super::identity_of_model;
use super::images;
use super::keys::{control_plane, control_plane_logs, encryption_key};
use super::known::value;
use super::model::{Encryption, KubernetesNetwork, Logging, ProductionCluster};
use super::outline::outline;
use super::protection;
use super::report::headline;
use crate::errors::{self, ErrorCode};
use crate::parts::image_repository;

/// One argument that AWS fixes, and what AWS has.
pub(super) struct Fixed {
    pub(super) path: Path,
    pub(super) part: PartKey,
    pub(super) prior: Option<Option<String>>,
    /// None while it is unknown.
    pub(super) planned: Option<Option<String>>,
    /// The planned value with its default in its place, where that is known.
    pub(super) wanted: Option<String>,
    /// What was seen in AWS last.
    pub(super) there: Option<String>,
    /// Following would take what AWS uses out of the configuration, and delete it.
    pub(super) deletes_it: bool,
    /// The error when AWS has something else.
    pub(super) code: ErrorCode,
}

impl Fixed {
    pub(super) fn changes(&self) -> bool {
        self.planned.is_some() && self.prior != self.planned
    }

    pub(super) fn follows(&self) -> bool {
        !self.deletes_it && self.wanted.is_some() && self.wanted == self.there
    }

    fn contradicts(&self) -> bool {
        self.wanted.is_some() && self.there.is_some() && self.wanted != self.there
    }
}

/// The arguments that name an object AWS keeps, with what is recorded of it.
fn fixed(prior: &ProductionCluster, planned: &ProductionCluster, ledger: &Ledger) -> [Fixed; 5] {
    let paths = ProductionCluster::at(&Path::root());
    let seen = |key: &PartKey, output: &str| {
        ledger.get(key).and_then(|record| record.outputs.get(output)).map(str::to_owned)
    };
    let version = |model: &ProductionCluster| value(&model.kubernetes_version);
    let key = |model: &ProductionCluster| value(&value(&model.encryption)?.unwrap_or_default().kms_key_arn);
    let class = |model: &ProductionCluster| {
        let class = value(&value(&model.logging)?.unwrap_or_default().class)?;
        Some(Some(class.unwrap_or_else(|| defaults::LOG_CLASS.to_owned())))
    };
    let own_key = || seen(&encryption_key(), "arn");
    let network = |model: &ProductionCluster| Some(value(&model.kubernetes_network)?.unwrap_or_default());
    // Without an argument EKS has chosen: whatever it chose is right.
    let of_network = |path: Path, argument: fn(&KubernetesNetwork) -> &Field<String>, output: &str| {
        let there = seen(&control_plane(), output);
        let planned = network(planned).and_then(|network| value(argument(&network)));
        Fixed {
            path,
            part: control_plane(),
            prior: network(prior).and_then(|network| value(argument(&network))),
            wanted: planned.clone().and_then(|chosen| chosen.or_else(|| there.clone())),
            planned,
            there,
            deletes_it: false,
            code: errors::IMPOSSIBLE,
        }
    };
    let network_paths = KubernetesNetwork::at(&paths.kubernetes_network);
    [
        Fixed {
            path: paths.kubernetes_version.clone(),
            part: control_plane(),
            prior: version(prior),
            planned: version(planned),
            wanted: version(planned).flatten(),
            there: seen(&control_plane(), "kubernetes_version"),
            deletes_it: false,
            code: errors::UPGRADED_BY_AWS,
        },
        Fixed {
            path: Encryption::at(&paths.encryption).kms_key_arn,
            part: control_plane(),
            prior: key(prior),
            planned: key(planned),
            wanted: key(planned).and_then(|arn| arn.or_else(own_key)),
            there: seen(&control_plane(), "kms_key_arn"),
            // The key that was made goes as soon as a key of the user's is configured.
            deletes_it: key(planned).flatten().is_some_and(|arn| Some(arn) == own_key()),
            code: errors::IMPOSSIBLE,
        },
        Fixed {
            path: Logging::at(&paths.logging).class,
            part: control_plane_logs(),
            prior: class(prior),
            planned: class(planned),
            wanted: class(planned).flatten(),
            there: seen(&control_plane_logs(), "class"),
            deletes_it: false,
            code: errors::IMPOSSIBLE,
        },
        of_network(network_paths.ip_family, |network| &network.ip_family, "ip_family"),
        of_network(
            network_paths.service_ipv4_cidr,
            |network| &network.service_ipv4_cidr,
            "service_ipv4_cidr",
        ),
    ]
}

/// Judges a plan of an update.
pub fn judge(
    prior: &ProductionCluster,
    planned: &ProductionCluster,
    ledger: &Ledger,
    response: &mut PlanResponse,
) {
    let paths = ProductionCluster::at(&Path::root());
    let mut fixed: Vec<Fixed> = fixed(prior, planned, ledger).into();
    fixed.extend(images::fixed_arguments(prior, planned, ledger));
    let refused = |fixed: &&Fixed| fixed.changes() && !fixed.follows();
    let differs = |old: &Field<String>, new: &Field<String>| !new.is_unknown() && old != new;
    let mut changed = Vec::new();
    changed.extend(differs(&prior.name, &planned.name).then(|| paths.name.clone()));
    changed.extend(differs(&prior.region, &planned.region).then(|| paths.region.clone()));
    let is_version = |fixed: &&Fixed| fixed.path == paths.kubernetes_version;
    let is_of_images = |fixed: &&Fixed| fixed.part.kind() == image_repository::KIND;
    changed.extend(
        fixed
            .iter()
            .filter(|fixed| !is_version(fixed) && !is_of_images(fixed))
            .filter(refused)
            .map(|fixed| fixed.path.clone()),
    );
    if planned.allow_replacement.known() == Some(&true) {
        response.requires_replace.extend(changed);
    } else {
        for path in changed {
            response.diagnostics.error_at(
                &path,
                headline("This argument cannot be changed", errors::IMMUTABLE),
                "AWS never changes it, so the cluster would be destroyed and another one made. Set it back; or, if \
                 that is what you want, set allow_replacement = true.",
            );
        }
    }
    for encryption in fixed.iter().filter(is_of_images).filter(refused) {
        response.diagnostics.error_at(
            &encryption.path,
            headline("This argument cannot be changed", errors::IMMUTABLE),
            format!(
                "AWS never changes how a repository is encrypted{}. Set it back; or take the repository out of \
                 image_repositories, delete it with its images yourself where it stays, and name it again.",
                encryption.there.as_ref().map(|there| format!(": {there}")).unwrap_or_default()
            ),
        );
    }
    if let Some(version) = fixed.iter().filter(is_version).find(refused) {
        response.diagnostics.error_at(
            &version.path,
            headline("This argument cannot be changed", errors::IMMUTABLE),
            "Upgrades of Kubernetes are not supported by this version of the provider. Set kubernetes_version back.",
        );
    }
    if !response.requires_replace.is_empty()
        && protection::is_on(prior)
        && let Some(identity) = identity_of_model(prior)
    {
        protection::refuse(&mut response.diagnostics, &identity, "replaces");
    }
    explain_impossible(prior, planned, &fixed, response);
}

/// Parts that neither update nor replacement can mend: said in the plan, before anything is done.
fn explain_impossible(
    prior: &ProductionCluster,
    planned: &ProductionCluster,
    fixed: &[Fixed],
    response: &mut PlanResponse,
) {
    let paths = ProductionCluster::at(&Path::root());
    let wanted = outline(planned);
    for (key, part) in prior.parts.known().into_iter().flat_map(|parts| parts.known()) {
        // What is not wanted any more, and is not ours, is left alone.
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains_key(&PartKey::parse(key))) {
            continue;
        }
        let state = part.state.text().unwrap_or_default();
        if let Some(reason) = state.strip_prefix("impossible: ") {
            let of_part = || fixed.iter().filter(|fixed| fixed.part.as_str() == key);
            let (path, code) = match of_part().find(|fixed| fixed.contradicts()) {
                // What is replaced need not become what is configured.
                _ if !response.requires_replace.is_empty() => continue,
                Some(fixed) => (fixed.path.clone(), fixed.code),
                // This plan takes the contradiction away.
                None if of_part().any(|fixed| fixed.changes() && fixed.follows()) => continue,
                None if images::is_other_rule(prior, planned, &PartKey::parse(key)) => continue,
                None => (paths.parts.key(key), errors::IMPOSSIBLE),
            };
            response.diagnostics.error_at(&path, headline(code.title, code), format!("{key}: {reason}."));
        } else if let Some(owner) = state.strip_prefix("foreign: ") {
            response.diagnostics.error_at(
                &paths.parts.key(key),
                headline("An object of that name belongs to someone else", errors::FOREIGN),
                format!(
                    "{key} exists, but is not the object this cluster made ({owner}): someone deleted ours and made \
                     another one. It is neither changed nor deleted. Remove it and apply again, or give it the tag \
                     terraform-provider-eks/owner of this cluster to take it over."
                ),
            );
        }
    }
}
