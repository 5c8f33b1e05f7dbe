//! Settings, outline, expansion, checks and plans of images, without AWS.

use std::collections::BTreeMap;

use resource_graph::{Graph, Identity, Ledger, Outputs, PartKey, Record, RecordState};
use terraform_plugin::prelude::*;

use super::model::{ImagePullThrough, ImageRegistry, ImageReplication, ImageRepository};
use super::{fixed_arguments, other_urls, remind, specs, urls};
use crate::aws::{Aws, Location};
use crate::parts::image_repository::{ENCRYPTION, KIND, ON_DESTROY, URL};
use crate::resources::production_cluster::expand::expand;
use crate::resources::production_cluster::expansion::Place;
use crate::resources::production_cluster::model::{NodeGroup, ProductionCluster};
use crate::resources::production_cluster::outline::outline;
use crate::resources::production_cluster::settings::Settings;

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1";

fn with(repositories: &[(&str, ImageRepository)], registry: Option<ImageRegistry>) -> ProductionCluster {
    ProductionCluster {
        name: "prod".into(),
        kubernetes_version: "1.35".into(),
        region: "eu-central-1".into(),
        subnet_ids: Field::Known(["subnet-a", "subnet-b"].map(str::to_owned).into_iter().collect()),
        node_groups: Field::Known([("general", NodeGroup::default())].into_iter().collect()),
        tags_all: Field::Known(Map::default()),
        image_repositories: Field::Known(repositories.iter().cloned().collect()),
        image_registry: registry.into(),
        ..ProductionCluster::default()
    }
}

fn repository() -> ImageRepository {
    ImageRepository::default()
}

fn everything() -> ProductionCluster {
    let replication = ImageReplication { region: "eu-west-1".into(), account_id: Field::Null };
    let public = ImagePullThrough { upstream: "public.ecr.aws".into(), credential_arn: Field::Null };
    let registry = ImageRegistry {
        enhanced_scanning: true.into(),
        replication: Field::Known([replication].into_iter().collect()),
        pull_through: Field::Known([("public", public)].into_iter().collect()),
    };
    let plain = ImageRepository {
        immutable: false.into(),
        kms: false.into(),
        keep_images: 0.into(),
        on_destroy: "delete".into(),
        ..repository()
    };
    with(&[("orders", repository()), ("shop/api", plain)], Some(registry))
}

fn graph(cluster: &ProductionCluster) -> Graph<Aws> {
    let place = Place {
        location: Location {
            partition: "aws".to_owned(),
            account_id: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
        },
        iam_role_path: "/eks/".to_owned(),
        permissions_boundary: None,
        generation: "g".to_owned(),
    };
    expand(&Settings::of(cluster).expect("known"), &outline(cluster).expect("known"), &place)
}

fn texts(checked: &ProductionCluster) -> Vec<String> {
    let mut diagnostics = Diagnostics::new();
    super::check(checked, &mut diagnostics);
    diagnostics.iter().map(|diagnostic| diagnostic.detail.clone()).collect()
}

fn recorded(name: &str, outputs: &[(&str, &str)]) -> Record {
    let mut all = Outputs::default();
    for (output, value) in outputs {
        all.set(output, *value);
    }
    Record {
        key: PartKey::new(KIND, name),
        state: RecordState::Settled,
        identity: Identity::new([("name", name)]),
        instance: None,
        outputs: all,
        needs: Vec::new(),
        spec: String::new(),
    }
}

#[test]
fn expansion_of_images() {
    let cluster = everything();
    let keys: Vec<PartKey> = specs(&cluster).expect("known").into_iter().map(|(key, _)| key).collect();
    let graph = graph(&cluster);
    let parts = graph.parts().filter(|part| keys.contains(part.key()));
    let text: Vec<String> =
        parts.map(|part| format!("{}: {} [{}]", part.key(), part.spec(), part.identity())).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn outline_and_expansion_have_the_same_parts_and_texts() {
    for cluster in [everything(), with(&[], None), with(&[("orders", repository())], None)] {
        let graph = graph(&cluster);
        let expanded: BTreeMap<_, _> =
            graph.parts().map(|part| (part.key().clone(), Some(part.spec()))).collect();
        assert_eq!(expanded, outline(&cluster).expect("known"));
    }
}

#[test]
fn an_unknown_value_makes_only_the_texts_it_decides_unknown() {
    let unknown = ImageRepository { keep_images: Field::Unknown, ..repository() };
    let mut cluster = with(&[("orders", unknown), ("shop", repository())], None);
    let known = specs(&cluster).expect("the keys are known");
    let unknown: Vec<&str> =
        known.iter().filter(|(_, spec)| spec.is_none()).map(|(key, _)| key.as_str()).collect();
    assert_eq!(unknown, ["image-repository/orders"]);
    cluster.image_registry = Field::Unknown;
    assert_eq!(specs(&cluster), None);
}

#[test]
fn what_cannot_be_is_said_before_anything_is_done() {
    assert_eq!(texts(&everything()), Vec::<String>::new());
    let wrong = ImageRepository { kms: false.into(), kms_key_arn: KEY.into(), ..repository() };
    assert!(texts(&with(&[("orders", wrong)], None))[0].contains("there is no key"));
    let scanning = ImageRegistry { enhanced_scanning: true.into(), ..ImageRegistry::default() };
    assert!(texts(&with(&[], Some(scanning)))[0].contains("image_repositories"));
    let here = ImageReplication { region: "eu-central-1".into(), account_id: Field::Null };
    let replication = Field::Known([here].into_iter().collect());
    let registry = ImageRegistry { replication, ..ImageRegistry::default() };
    assert!(texts(&with(&[("orders", repository())], Some(registry)))[0].contains("not copied to itself"));
    let hub = ImagePullThrough { upstream: "registry-1.docker.io".into(), credential_arn: Field::Null };
    let pull_through = Field::Known([("hub", hub)].into_iter().collect());
    let registry = ImageRegistry { pull_through, ..ImageRegistry::default() };
    assert!(texts(&with(&[], Some(registry)))[0].contains("needs credential_arn"));
}

#[test]
fn encryption_follows_what_is_there_and_changes_for_nothing_else() {
    let of = |repository: ImageRepository| with(&[("orders", repository)], None);
    let judged = |prior: &ProductionCluster, planned: &ProductionCluster, there: &str| {
        let ledger = Ledger { records: vec![recorded("orders", &[(ENCRYPTION, there)])] };
        let arguments = fixed_arguments(prior, planned, &ledger);
        let [argument] = &arguments[..] else { panic!("one argument") };
        (argument.changes() && !argument.follows(), argument.path.to_string())
    };
    let plain = of(ImageRepository { kms: false.into(), ..repository() });
    let own = of(ImageRepository { kms_key_arn: KEY.into(), ..repository() });
    let kms = of(repository());
    assert_eq!(judged(&kms, &plain, KEY), (true, "image_repositories[\"orders\"].kms".to_owned()));
    assert!(!judged(&kms, &own, KEY).0);
    assert!(!judged(&own, &kms, KEY).0);
    assert!(judged(&kms, &own, "arn:aws:kms:eu-central-1:111122223333:key/2").0);
    assert!(!judged(&kms, &plain, "AES256").0);
    assert!(judged(&with(&[], None), &kms, "AES256").0, "what could not be taken over last time");
    assert!(fixed_arguments(&with(&[], None), &kms, &Ledger::default()).is_empty());
}

#[test]
fn urls_are_unknown_while_repositories_come_and_go() {
    let ledger = Ledger { records: vec![recorded("orders", &[(URL, "host/orders")])] };
    let mut before = with(&[("orders", repository())], None);
    before.repository_urls = Field::Known(urls(&ledger, |_| true));
    assert!(!other_urls(&before, &before, |_| false));
    assert!(other_urls(&before, &before, |_| true));
    assert!(other_urls(&with(&[("shop", repository())], None), &before, |_| false));
}

#[test]
fn a_ledger_that_was_found_again_hears_which_repositories_go_with_their_images() {
    let delete = ImageRepository { on_destroy: "delete".into(), ..repository() };
    let prior = with(&[("orders", delete), ("shop", repository())], None);
    let mut ledger = Ledger { records: vec![recorded("orders", &[]), recorded("shop", &[])] };
    remind(&mut ledger, &prior);
    let told: Vec<Option<&str>> =
        ledger.records.iter().map(|record| record.outputs.get(ON_DESTROY)).collect();
    assert_eq!(told, [Some("delete"), None]);
}
