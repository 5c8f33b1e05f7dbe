//! What is wrong with the arguments about images, as far as they are known.

use terraform_plugin::prelude::*;

use super::model::{ImagePullThrough, ImageRegistry, ImageRepository};
use super::settings::replication;
use crate::resources::production_cluster::known::value;
use crate::resources::production_cluster::model::ProductionCluster;
use crate::resources::production_cluster::report::wrong;

/// Most filters of a rule of the registry.
const MOST_FILTERS: usize = 100;
/// Hosts that give images to everybody.
const OPEN: [&str; 3] = ["public.ecr.aws", "registry.k8s.io", "quay.io"];

/// Everything that can be said without AWS.
pub fn check(config: &ProductionCluster, diagnostics: &mut Diagnostics) {
    let paths = ProductionCluster::at(&Path::root());
    for (name, repository) in config.image_repositories.known().into_iter().flat_map(|all| all.known()) {
        let at = ImageRepository::at(&paths.image_repositories.key(name));
        if repository.kms.known() == Some(&false) && repository.kms_key_arn.is_known() {
            let text = "Without KMS there is no key; remove kms_key_arn, or kms = false.";
            wrong(diagnostics, &at.kms_key_arn, text.to_owned());
        }
    }
    let Some(registry) = config.image_registry.known() else { return };
    let at = ImageRegistry::at(&paths.image_registry);
    let repositories = value(&config.image_repositories).map(|all| all.unwrap_or_default().len());
    let need_repositories = |path: &Path, diagnostics: &mut Diagnostics| match repositories {
        Some(0) => {
            let text = "This is about the cluster's own repositories; name them in image_repositories.";
            wrong(diagnostics, path, text.to_owned());
        }
        Some(count) if count > MOST_FILTERS => {
            let text =
                format!("A rule of the registry names at most {MOST_FILTERS} repositories, not {count}.");
            wrong(diagnostics, path, text);
        }
        _ => {}
    };
    if registry.enhanced_scanning.known() == Some(&true) {
        need_repositories(&at.enhanced_scanning, diagnostics);
    }
    if registry.replication.is_known() {
        need_repositories(&at.replication, diagnostics);
    }
    let own_region = config.region.text();
    let destinations = replication(registry).unwrap_or_default();
    if destinations.iter().any(|(region, account)| account.is_none() && Some(region.as_str()) == own_region) {
        let text = "A registry is not copied to itself: name another region, or another account.";
        wrong(diagnostics, &at.replication, text.to_owned());
    }
    for (prefix, rule) in registry.pull_through.known().into_iter().flat_map(|rules| rules.known()) {
        let Some(host) = rule.upstream.text() else { continue };
        let at = ImagePullThrough::at(&at.pull_through.key(prefix));
        let is_open = OPEN.contains(&host);
        if is_open && rule.credential_arn.is_known() {
            let text = format!("{host} takes no credentials; remove credential_arn.");
            wrong(diagnostics, &at.credential_arn, text);
        }
        if !is_open && !host.contains(".dkr.ecr.") && rule.credential_arn.is_null() {
            let text = format!("{host} needs credential_arn: a secret with the credentials for it.");
            wrong(diagnostics, &at.credential_arn, text);
        }
    }
}
