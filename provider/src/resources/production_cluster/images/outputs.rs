//! What ledgers say about repositories, and what they have to be told.

use std::collections::BTreeSet;

use resource_graph::{Ledger, PartKey, Record};
use terraform_plugin::Map;

use crate::parts::image_repository::{DELETE_IMAGES, KIND, ON_DESTROY, URL};
use crate::resources::production_cluster::known::value;
use crate::resources::production_cluster::model::ProductionCluster;

/// URL of each repository that was made.
pub fn urls(ledger: &Ledger, wanted: impl Fn(&PartKey) -> bool) -> Map<String> {
    let url = |record: &Record| {
        let url = record.outputs.get(URL)?.to_owned();
        let is_wanted = record.key.kind() == KIND && wanted(&record.key);
        is_wanted.then(|| (record.key.name().to_owned(), url))
    };
    ledger.records.iter().filter_map(url).collect()
}

/// True when the next run makes or removes a repository.
pub fn other_urls(
    planned: &ProductionCluster,
    before: &ProductionCluster,
    anew: impl Fn(&PartKey) -> bool,
) -> bool {
    let Some(repositories) = value(&planned.image_repositories) else { return true };
    let names: BTreeSet<String> = repositories.unwrap_or_default().keys().cloned().collect();
    let before = before.repository_urls.known().map(|urls| urls.keys().cloned().collect::<BTreeSet<_>>());
    before.as_ref() != Some(&names) || names.iter().any(|name| anew(&PartKey::new(KIND, name)))
}

/// Tells a ledger that was found again what stands in no object of AWS: which repositories go with their images.
pub fn remind(ledger: &mut Ledger, prior: &ProductionCluster) {
    let repositories = value(&prior.image_repositories).flatten().unwrap_or_default();
    for record in ledger.records.iter_mut().filter(|record| record.key.kind() == KIND) {
        let repository = repositories.known_at(record.key.name());
        if repository.is_some_and(|repository| repository.on_destroy.text() == Some(DELETE_IMAGES)) {
            record.outputs.set(ON_DESTROY, DELETE_IMAGES);
        }
    }
}
