//! Expansion, outline and plans, without AWS.

mod arguments;

use std::collections::BTreeMap;
use std::sync::Arc;

use resource_graph::{Identity, Ledger, Outputs, PartKey, Record, RecordState};
use terraform_plugin::prelude::*;

use super::expand::expand;
use super::expansion::Place;
use super::keys;
use super::model::{self, NodeGroup, PartState, ProductionCluster};
use super::outline::outline;
use super::private::{Private, ResumeOf};
use super::settings::Settings;
use super::{ProductionClusterResource, computed, plan, state};
use crate::aws::Location;
use crate::config::{Connection, ProviderBlock};

fn minimal() -> ProductionCluster {
    ProductionCluster {
        name: "prod".into(),
        kubernetes_version: "1.35".into(),
        region: "eu-central-1".into(),
        subnet_ids: Field::Known(["subnet-a", "subnet-b"].map(str::to_owned).into_iter().collect()),
        node_groups: Field::Known([("general", NodeGroup::default())].into_iter().collect()),
        tags_all: Field::Known(Map::default()),
        ..ProductionCluster::default()
    }
}

fn place() -> Place {
    Place {
        location: Location {
            partition: "aws".to_owned(),
            account_id: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
        },
        iam_role_path: "/eks/".to_owned(),
        permissions_boundary: None,
        generation: "g".to_owned(),
    }
}

/// A cluster as state has it after everything went well.
fn ready() -> ProductionCluster {
    let mut state = minimal();
    state.status = "ready".into();
    state.generation = "g".into();
    let parts = outline(&state).expect("everything is known");
    let part = |(key, spec): (PartKey, Option<String>)| {
        (key.as_str().to_owned(), PartState { spec: spec.into(), state: "ready".into() })
    };
    state.parts = Field::Known(parts.into_iter().map(part).collect());
    state
}

async fn resource() -> ProductionClusterResource {
    let connection = Arc::new(Connection::default());
    let block = ProviderBlock { region: "eu-central-1".into(), ..ProviderBlock::default() };
    assert!(!connection.configure(block).await.has_errors());
    ProductionClusterResource::new(connection)
}

async fn planned(
    resource: &ProductionClusterResource,
    prior: Option<&ProductionCluster>,
    config: &ProductionCluster,
) -> (ProductionCluster, PlanResponse) {
    planned_with(resource, prior, config, &Ledger::default()).await
}

/// Where a ledger was kept with the state.
async fn planned_with(
    resource: &ProductionClusterResource,
    prior: Option<&ProductionCluster>,
    config: &ProductionCluster,
    ledger: &Ledger,
) -> (ProductionCluster, PlanResponse) {
    let mut planned = prior.cloned().unwrap_or_default();
    planned.clone_from(config);
    if let Some(prior) = prior {
        planned.status.clone_from(&prior.status);
        planned.generation.clone_from(&prior.generation);
        planned.parts.clone_from(&prior.parts);
        planned.endpoint.clone_from(&prior.endpoint);
        planned.addon_versions.clone_from(&prior.addon_versions);
    }
    let prior_private = Private::of_state(ledger);
    let request =
        PlanRequest { prior, config, planned: &mut planned, prior_private: &prior_private, changed: true };
    let response = plan::plan(resource, request).await;
    (planned, response)
}

fn state_of(planned: &ProductionCluster, key: &str) -> Field<String> {
    planned
        .parts
        .known()
        .and_then(|parts| parts.known_at(key))
        .map(|part| part.state.clone())
        .unwrap_or_default()
}

fn errors(response: &PlanResponse) -> Vec<String> {
    response.diagnostics.iter().map(|diagnostic| diagnostic.summary.clone()).collect()
}

#[test]
fn outline_and_expansion_have_the_same_parts_and_texts() {
    let mut cluster = minimal();
    let variations: [fn(&mut ProductionCluster); 5] = [
        |_| {},
        |cluster| {
            cluster.break_glass = Field::Known(model::BreakGlass {
                principal_arn: "arn:aws:iam::111122223333:role/emergency".into(),
                ..model::BreakGlass::default()
            });
        },
        |cluster| {
            cluster.observability = Field::Known(super::observability::model::Observability {
                container_insights: false.into(),
                ..Default::default()
            });
        },
        |cluster| {
            cluster.encryption = Field::Known(model::Encryption {
                kms_key_arn: "arn:aws:kms:eu-central-1:111122223333:key/1".into(),
                ..model::Encryption::default()
            });
        },
        |cluster| {
            let off = model::Addon { enabled: false.into(), ..model::Addon::default() };
            cluster.addons = Field::Known([("vpc-cni", off.clone()), ("coredns", off)].into_iter().collect());
        },
    ];
    for vary in variations {
        vary(&mut cluster);
        let outline = outline(&cluster).expect("known");
        let graph = expand(&Settings::of(&cluster).expect("known"), &outline, &place());
        let expanded: BTreeMap<_, _> =
            graph.parts().map(|part| (part.key().clone(), Some(part.spec()))).collect();
        assert_eq!(expanded, outline);
    }
}

#[test]
fn expansion_of_the_minimal_cluster() {
    let cluster = minimal();
    let graph = expand(&Settings::of(&cluster).expect("known"), &outline(&cluster).expect("known"), &place());
    let text: Vec<String> =
        graph.parts().map(|part| format!("{}: {} [{}]", part.key(), part.spec(), part.identity())).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn an_unknown_value_makes_only_the_texts_it_decides_unknown() {
    let mut cluster = minimal();
    cluster.subnet_ids = Field::Unknown;
    let group = NodeGroup { max_size: Field::Unknown, ..NodeGroup::default() };
    cluster.node_groups = Field::Known([("general", group)].into_iter().collect());
    let known = outline(&cluster).expect("the keys are known");
    let unknown: Vec<&str> =
        known.iter().filter(|(_, spec)| spec.is_none()).map(|(key, _)| key.as_str()).collect();
    assert_eq!(unknown, ["node-group/general"]);
    cluster.node_groups = Field::Unknown;
    assert_eq!(outline(&cluster), None);
}

#[tokio::test]
async fn a_create_plan_names_what_it_may_resume() {
    let resource = resource().await;
    let (plan, response) = planned(&resource, None, &minimal()).await;
    assert_eq!(errors(&response), Vec::<String>::new());
    assert!(state_of(&plan, "cluster").is_unknown());
    assert_eq!(plan.log_group_name.text(), Some("/aws/eks/prod/cluster"));
    let private = Private::parse(&response.private);
    assert_eq!(private.resume_of, Some(ResumeOf::Known("eu-central-1/prod".to_owned())));
}

#[tokio::test]
async fn an_unknown_name_is_told_to_the_apply() {
    let resource = resource().await;
    let cluster = ProductionCluster { name: Field::Unknown, ..minimal() };
    let (_, response) = planned(&resource, None, &cluster).await;
    assert_eq!(Private::parse(&response.private).resume_of, Some(ResumeOf::Unknown));
}

#[tokio::test]
async fn an_update_touches_only_the_parts_that_differ() {
    let resource = resource().await;
    let mut config = minimal();
    let group = NodeGroup {
        labels: Field::Known([("team", "a")].map(|(k, v)| (k, v.to_owned())).into_iter().collect()),
        ..NodeGroup::default()
    };
    config.node_groups = Field::Known([("general", group)].into_iter().collect());
    let (plan, response) = planned(&resource, Some(&ready()), &config).await;
    assert_eq!(errors(&response), Vec::<String>::new());
    assert!(state_of(&plan, "node-group/general").is_unknown());
    assert_eq!(state_of(&plan, "cluster"), "ready".into());
    assert_eq!(state_of(&plan, "launch-template/general"), "ready".into());
    assert!(plan.status.is_unknown());
    assert_eq!(plan.generation, "g".into());
}

#[tokio::test]
async fn drift_touches_the_part_it_was_seen_at() {
    let resource = resource().await;
    let mut prior = ready();
    set_state(&mut prior, "kms-key/cluster", "drifted: rotation off");
    assert!(plan::is_unsettled(&prior));
    let (plan, _) = planned(&resource, Some(&prior), &minimal()).await;
    assert!(state_of(&plan, "kms-key/cluster").is_unknown());
    assert_eq!(state_of(&plan, "iam-role/node"), "ready".into());
}

/// A ledger with one output of each of these parts.
fn ledger(outputs: &[(PartKey, &str, &str)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (key, name, value) in outputs {
        ledger.put(Record {
            key: key.clone(),
            state: RecordState::Settled,
            identity: Identity::default(),
            instance: None,
            outputs: Outputs::new([(name, value)]),
            needs: Vec::new(),
            spec: String::new(),
        });
    }
    ledger
}

fn addon(name: &str) -> PartKey {
    PartKey::new(crate::parts::addon::KIND, name)
}

fn versions(of: &[(&str, &str)]) -> Field<Map<String>> {
    Field::Known(of.iter().map(|(addon, version)| (*addon, (*version).to_owned())).collect())
}

#[test]
fn a_refresh_shows_what_was_seen_and_keeps_the_rest() {
    let mut state = ready();
    state.platform_version = "eks.1".into();
    state.node_role_arn = "arn:kept".into();
    state.addon_versions = versions(&[("coredns", "v1"), ("vpc-cni", "v1")]);
    let ledger = ledger(&[
        (keys::control_plane(), "platform_version", "eks.2"),
        (keys::node_role(), "arn", "arn:not-seen"),
        (keys::cluster_role(), "arn", "arn:only-recorded"),
        (addon("coredns"), "version", "v2"),
        (addon("vpc-cni"), "version", "v2"),
    ]);
    let seen = [keys::control_plane(), addon("coredns")];
    computed::refresh(&mut state, &ledger, |key| seen.contains(key));
    assert_eq!(state.platform_version, "eks.2".into());
    assert_eq!(state.node_role_arn, "arn:kept".into());
    assert_eq!(state.cluster_role_arn, "arn:only-recorded".into());
    assert_eq!(state.addon_versions, versions(&[("coredns", "v2"), ("vpc-cni", "v1")]));
    let again = state.clone();
    computed::refresh(&mut state, &ledger, |key| seen.contains(key));
    assert_eq!(state, again);
}

#[test]
fn the_users_key_is_shown_instead_of_one_that_was_made() {
    let arn = "arn:aws:kms:eu-central-1:111122223333:key/1";
    let mut planned = minimal();
    computed::renew(&mut planned, None, None, |_| true, true);
    assert!(planned.kms_key_arn.is_unknown() && planned.addon_versions.is_unknown());
    planned.encryption =
        Field::Known(model::Encryption { kms_key_arn: arn.into(), ..model::Encryption::default() });
    computed::renew(&mut planned, None, None, |_| true, true);
    assert_eq!(planned.kms_key_arn, arn.into());
    computed::fill(&mut planned, &ledger(&[(keys::control_plane(), "endpoint", "https://prod")]));
    assert_eq!(planned.endpoint, "https://prod".into());
    assert_eq!((planned.kms_key_arn, planned.arn), (arn.into(), Field::Null));
}

#[tokio::test]
async fn outputs_of_what_may_be_made_anew_are_unknown() {
    let resource = resource().await;
    let mut prior = ProductionCluster { endpoint: "https://prod".into(), ..ready() };
    prior.addon_versions = versions(&[("coredns", "v1")]);
    let anew = ["absent", "busy: deleting", "pending: found, not recorded yet"];
    for (state, unknown) in anew.map(|state| (state, true)).into_iter().chain([("busy: updating", false)]) {
        set_state(&mut prior, "cluster", state);
        let (plan, response) = planned(&resource, Some(&prior), &minimal()).await;
        assert_eq!(errors(&response), Vec::<String>::new());
        assert_eq!(plan.endpoint.is_unknown(), unknown, "{state}");
        assert_eq!(plan.addon_versions, prior.addon_versions, "{state}");
    }
}

#[tokio::test]
async fn what_aws_never_changes_is_refused_or_replaced_as_allowed() {
    let resource = resource().await;
    let mut config = ProductionCluster { name: "other".into(), ..minimal() };
    let (_, response) = planned(&resource, Some(&ready()), &config).await;
    assert_eq!(errors(&response), ["This argument cannot be changed (EKS0012)"]);
    config.allow_replacement = true.into();
    let (_, response) = planned(&resource, Some(&ready()), &config).await;
    assert_eq!(errors(&response), ["Deletion protection is on (EKS0011)"]);
    assert_eq!(response.requires_replace, [ProductionCluster::at(&Path::root()).name]);
    let unprotected = ProductionCluster { deletion_protection: false.into(), ..ready() };
    let waivers = Map::from_iter([("deletion-protection-off", "test".to_owned())]);
    config =
        ProductionCluster { deletion_protection: false.into(), waivers: Field::Known(waivers), ..config };
    let (_, response) = planned(&resource, Some(&unprotected), &config).await;
    assert_eq!(errors(&response), Vec::<String>::new());
}

#[tokio::test]
async fn a_protected_cluster_is_not_replaced_behind_a_null_prior() {
    let resource = resource().await;
    resource.loaded(&ready());
    let (_, response) = planned(&resource, None, &minimal()).await;
    assert_eq!(errors(&response), ["Deletion protection is on (EKS0011)"]);
}

#[tokio::test]
async fn a_degraded_cluster_is_protected_like_a_ready_one() {
    let resource = resource().await;
    let degraded = ProductionCluster { status: "degraded".into(), ..ready() };
    assert!(plan::plan_destroy(&resource, &degraded, b"").diagnostics.has_errors());
    let incomplete = ProductionCluster { status: "incomplete".into(), ..ready() };
    assert!(!plan::plan_destroy(&resource, &incomplete, b"").diagnostics.has_errors());
}

fn set_state(cluster: &mut ProductionCluster, key: &str, state: &str) {
    if let Some(Field::Known(part)) = cluster.parts.known_mut().and_then(|parts| parts.get_mut(key)) {
        part.state = state.into();
    }
}

#[tokio::test]
async fn the_configuration_may_follow_an_upgrade_by_aws() {
    let resource = resource().await;
    let mut prior = ready();
    set_state(&mut prior, "cluster", "impossible: it runs another version");
    let seen = ledger(&[(keys::control_plane(), "kubernetes_version", "1.36")]);
    let (_, response) = planned_with(&resource, Some(&prior), &minimal(), &seen).await;
    assert_eq!(errors(&response), ["AWS upgraded the cluster (EKS0022)"]);
    let other = ProductionCluster { kubernetes_version: "1.37".into(), ..minimal() };
    let (_, response) = planned_with(&resource, Some(&prior), &other, &seen).await;
    let refused = ["This argument cannot be changed (EKS0012)", "AWS upgraded the cluster (EKS0022)"];
    assert_eq!(errors(&response), refused);
    let followed = ProductionCluster { kubernetes_version: "1.36".into(), ..minimal() };
    let (plan, response) = planned_with(&resource, Some(&prior), &followed, &seen).await;
    assert_eq!(errors(&response), Vec::<String>::new());
    assert!(state_of(&plan, "cluster").is_unknown());
    let (_, response) = planned(&resource, Some(&ready()), &followed).await;
    assert_eq!(errors(&response), ["This argument cannot be changed (EKS0012)"], "nothing was seen");
}

#[tokio::test]
async fn the_configuration_may_follow_the_key_that_aws_uses() {
    let resource = resource().await;
    let (used, made) = ("arn:aws:kms:eu-central-1:111122223333:key/1", "arn:made");
    let mut prior = ready();
    set_state(&mut prior, "cluster", "impossible: secrets are encrypted with another key");
    let encryption = model::Encryption { kms_key_arn: used.into(), ..model::Encryption::default() };
    let config = ProductionCluster { encryption: Field::Known(encryption), ..minimal() };
    let seen = |own_key: &str| {
        let key = (keys::encryption_key(), "arn", own_key);
        ledger(&[(keys::control_plane(), "kms_key_arn", used), key])
    };
    let (_, response) = planned_with(&resource, Some(&prior), &minimal(), &seen(made)).await;
    assert_eq!(errors(&response), ["What exists cannot become what is configured (EKS0019)"]);
    let (plan, response) = planned_with(&resource, Some(&prior), &config, &seen(made)).await;
    assert_eq!(errors(&response), Vec::<String>::new());
    assert_eq!(plan.kms_key_arn, used.into());
    let third = model::Encryption { kms_key_arn: "arn:third".into(), ..model::Encryption::default() };
    let replaced = ProductionCluster {
        encryption: Field::Known(third),
        allow_replacement: true.into(),
        deletion_protection: false.into(),
        waivers: Field::Known(Map::from_iter([("deletion-protection-off", "test".to_owned())])),
        ..minimal()
    };
    let unprotected = ProductionCluster { deletion_protection: false.into(), ..prior.clone() };
    let (_, response) = planned_with(&resource, Some(&unprotected), &replaced, &seen(made)).await;
    assert_eq!((errors(&response), response.requires_replace.len()), (Vec::new(), 1));
    // The key that was made would be deleted although the cluster uses it.
    let (_, response) = planned_with(&resource, Some(&ready()), &config, &seen(used)).await;
    assert_eq!(errors(&response), ["This argument cannot be changed (EKS0012)"]);
}

#[tokio::test]
async fn the_configuration_may_follow_the_class_of_the_log_group() {
    let resource = resource().await;
    let mut prior = ready();
    set_state(&mut prior, "log-group/control-plane", "impossible: it has another class");
    let seen = ledger(&[(keys::control_plane_logs(), "class", "INFREQUENT_ACCESS")]);
    let (_, response) = planned_with(&resource, Some(&prior), &minimal(), &seen).await;
    assert_eq!(errors(&response), ["What exists cannot become what is configured (EKS0019)"]);
    let logging = model::Logging { class: "INFREQUENT_ACCESS".into(), ..model::Logging::default() };
    let config = ProductionCluster { logging: Field::Known(logging), ..minimal() };
    let (_, response) = planned_with(&resource, Some(&prior), &config, &seen).await;
    assert_eq!(errors(&response), Vec::<String>::new());
    let failed = "impossible: EKS could not make it";
    set_state(&mut prior, "cluster", failed);
    let (_, response) = planned_with(&resource, Some(&prior), &config, &seen).await;
    assert_eq!(errors(&response), ["What exists cannot become what is configured (EKS0019)"]);
}

#[test]
fn a_run_that_fails_says_so_although_the_status_was_planned() {
    let state = state::compose(
        &ready(),
        &Ledger::default(),
        &BTreeMap::new(),
        state::Outcome { status: state::DEGRADED, generation: "other" },
    );
    assert_eq!((state.status, state.generation), ("degraded".into(), "g".into()));
}

#[tokio::test]
async fn an_unfinished_cluster_is_continued_with_a_warning_and_its_ledger() {
    let resource = resource().await;
    let unfinished = ProductionCluster { status: "incomplete".into(), ..ready() };
    resource.loaded(&unfinished);
    let (_, response) = planned(&resource, None, &minimal()).await;
    assert!(!response.diagnostics.has_errors());
    assert_eq!(errors(&response), ["This replacement continues an unfinished create (EKS0005)"]);
}

#[test]
fn private_data_of_a_state_holds_the_ledger_alone() {
    let plan = Private { resume_of: Some(ResumeOf::Unknown), ..Private::default() };
    assert_eq!(Private::ledger_in(&plan.bytes()), None);
    assert_eq!(Private::ledger_in(b"not json"), None);
}
