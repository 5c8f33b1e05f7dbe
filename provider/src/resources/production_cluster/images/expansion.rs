//! The parts for images. They stand beside the cluster: neither waits for the other. Rules that fetch have their mark on
//! the cluster's role.

use resource_graph::{Graph, Handle, PartKey};

use super::outline::{replication_rule, scanning};
use super::settings::Repository;
use crate::aws::Aws;
use crate::parts::iam_role::IamRole;
use crate::parts::image_repository::{self, ImageRepository};
use crate::parts::pull_through_cache_rule::{self, PullThroughCacheRule};
use crate::parts::registry_replication::{Destination, RegistryReplication};
use crate::parts::registry_scanning::RegistryScanning;
use crate::resources::production_cluster::expansion::Expansion;
use crate::resources::production_cluster::keys::cluster_role;

impl Expansion<'_> {
    /// Adds the parts for images.
    pub(in crate::resources::production_cluster) fn images(
        &self,
        graph: &mut Graph<Aws>,
        role: &Handle<IamRole>,
    ) {
        let images = &self.settings.images;
        let names = || images.repositories.keys().cloned().collect();
        let mut repositories = Vec::new();
        for (name, repository) in &images.repositories {
            repositories.push(graph.add(|_| self.image_repository(name, repository)));
        }
        // What the registry says about the repositories is told from what it says about others by their names: it
        // comes after them, and goes before them.
        if images.enhanced_scanning {
            graph.add(|needs| {
                repositories.iter().for_each(|repository| needs.after(repository));
                RegistryScanning {
                    spec: self.spec(&scanning()),
                    repositories: names(),
                    location: self.place.location.clone(),
                }
            });
        }
        if !images.replication.is_empty() {
            let destination = |(region, account): &(String, Option<String>)| Destination {
                region: region.clone(),
                account_id: account.clone().unwrap_or_else(|| self.place.location.account_id.clone()),
            };
            graph.add(|needs| {
                repositories.iter().for_each(|repository| needs.after(repository));
                RegistryReplication {
                    spec: self.spec(&replication_rule()),
                    repositories: names(),
                    destinations: images.replication.iter().map(destination).collect(),
                    location: self.place.location.clone(),
                }
            });
        }
        for (prefix, rule) in &images.pull_through {
            graph.add(|needs| {
                needs.after(role);
                PullThroughCacheRule {
                    spec: self.spec(&PartKey::new(pull_through_cache_rule::KIND, prefix)),
                    prefix: prefix.clone(),
                    upstream: rule.upstream.clone(),
                    credential_arn: rule.credential_arn.clone(),
                    role: self.role_name(&cluster_role()),
                }
            });
        }
    }

    fn image_repository(&self, name: &str, repository: &Repository) -> ImageRepository {
        let key = PartKey::new(image_repository::KIND, name);
        ImageRepository {
            spec: self.spec(&key),
            marks: self.marks(key),
            name: name.to_owned(),
            immutable: repository.immutable,
            scan_on_push: repository.scan_on_push,
            encryption: repository.encryption.clone(),
            limits: repository.limits,
            pull_account_ids: repository.pull_account_ids.clone(),
            delete_images: repository.delete_images,
            location: self.place.location.clone(),
        }
    }
}
