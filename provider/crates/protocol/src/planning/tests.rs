use std::sync::Arc;

use async_trait::async_trait;

use super::*;
use crate::framework::{
    ApplyResponse, CreateRequest, DeleteRequest, DestroyPlan, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, Resource, UpdateRequest, resource,
};
use crate::model::{Field, List, Map, Model, Timeouts};

crate::model! {
    /// A pool.
    struct Pool paths PoolPaths {
        /// Size.
        size: String = required(),
        /// Count.
        count: i64 = optional().default(3).at_least(1),
        /// Image.
        image: String = optional().computed(),
        /// Zone.
        zone: String = optional().requires_replace(),
    }

    /// A thing.
    struct Thing paths ThingPaths {
        /// Identifier.
        id: String = computed().use_prior(),
        /// Status.
        status: String = computed(),
        /// Name.
        name: String = required().requires_replace().length(1, 10),
        /// Region.
        region: String = optional().computed().requires_replace(),
        /// Flag.
        flag: bool = optional().default(true),
        /// Secret.
        secret: String = optional().write_only(),
        /// Pools.
        pools: Map<Pool> = optional(),
        /// Ordered pools.
        ordered: List<Pool> = optional(),
        timeouts: Timeouts = block(),
    }
}

/// What the resource's own plan does.
#[derive(Clone, Copy)]
enum Own {
    Nothing,
    Unsettled,
    ChangeName,
    AddPool,
    UnknownPool,
    Replace,
}

struct ThingResource(Own);

#[async_trait]
impl Resource for ThingResource {
    type Model = Thing;

    fn type_name(&self) -> &'static str {
        "test_thing"
    }

    fn description(&self) -> &'static str {
        "A thing."
    }

    async fn read(&self, _request: ReadRequest<Thing>) -> ReadResponse<Thing> {
        ReadResponse::default()
    }

    fn unsettled(&self, _prior: &Thing, private: &[u8]) -> bool {
        matches!(self.0, Own::Unsettled) && private == b"ledger"
    }

    async fn plan(&self, request: PlanRequest<'_, Thing>) -> PlanResponse {
        let planned = request.planned;
        let mut response = PlanResponse { private: request.prior_private.to_vec(), ..Default::default() };
        match self.0 {
            Own::Nothing | Own::Unsettled => {}
            Own::ChangeName => planned.name = "other".into(),
            Own::AddPool => {
                planned.pools.known_mut().unwrap().insert("extra".to_owned(), Field::Known(Pool::default()));
            }
            Own::UnknownPool => {
                planned.pools.known_mut().unwrap().insert("a".to_owned(), Field::Unknown);
            }
            Own::Replace => {
                let at = Thing::at(&Path::root());
                response.requires_replace = vec![at.status, at.name.clone(), at.name];
            }
        }
        response
    }

    async fn plan_destroy(&self, _prior: &Thing, prior_private: &[u8]) -> DestroyPlan {
        DestroyPlan { private: [b"destroy ", prior_private].concat(), ..Default::default() }
    }

    async fn create(&self, _request: CreateRequest<Thing>) -> ApplyResponse<Thing> {
        ApplyResponse::default()
    }

    async fn update(&self, _request: UpdateRequest<Thing>) -> ApplyResponse<Thing> {
        ApplyResponse::default()
    }

    async fn delete(&self, _request: DeleteRequest<Thing>) -> ApplyResponse<Thing> {
        ApplyResponse::default()
    }
}

fn pool() -> Pool {
    Pool { size: "s".into(), ..Pool::default() }
}

fn config() -> Thing {
    Thing {
        name: "one".into(),
        secret: "hidden".into(),
        pools: Field::Known([("a", pool())].into_iter().collect()),
        ordered: Field::Known([pool()].into_iter().collect()),
        ..Thing::default()
    }
}

/// The state after `config` was applied.
fn prior() -> Thing {
    let made = Pool { count: 3.into(), image: "img".into(), ..pool() };
    Thing {
        id: "id-1".into(),
        status: "ready".into(),
        region: "r".into(),
        flag: true.into(),
        secret: Field::Null,
        pools: Field::Known([("a", made.clone())].into_iter().collect()),
        ordered: Field::Known([made].into_iter().collect()),
        ..config()
    }
}

/// What Terraform proposes: the configuration, and the prior value of what is computed and not configured.
fn proposed(config: &Thing, prior: Option<&Thing>) -> Thing {
    let Some(prior) = prior else { return config.clone() };
    let keep = |config: &Pool, prior: Option<&Pool>| Pool {
        count: config.count.or(prior.map_or(Field::Null, |prior| prior.count)),
        image: config.image.clone().or(prior.map_or(Field::Null, |prior| prior.image.clone())),
        ..config.clone()
    };
    let pools = config.pools.known().unwrap().known();
    let ordered = config.ordered.known().unwrap().known().enumerate();
    let old: &Map<Pool> = prior.pools.known().unwrap();
    let old_ordered: &List<Pool> = prior.ordered.known().unwrap();
    Thing {
        id: prior.id.clone(),
        status: prior.status.clone(),
        region: config.region.clone().or(prior.region.clone()),
        flag: config.flag.or(prior.flag),
        pools: Field::Known(pools.map(|(key, pool)| (key, keep(pool, old.known_at(key)))).collect()),
        ordered: Field::Known(
            ordered.map(|(index, pool)| keep(pool, old_ordered.get(index).and_then(Field::known))).collect(),
        ),
        ..config.clone()
    }
}

async fn planned(own: Own, config: &Thing, prior: Option<&Thing>) -> Plan {
    let input = PlanInput {
        config: config.to_value(),
        prior: prior.map_or(Value::Null, Model::to_value),
        proposed: proposed(config, prior).to_value(),
        prior_private: b"ledger".to_vec(),
    };
    let resource: Arc<dyn AnyResource> = resource(ThingResource(own));
    plan(resource.as_ref(), input).await
}

fn thing(plan: &Plan) -> Thing {
    assert!(!plan.diagnostics.has_errors(), "{}", plan.diagnostics);
    Thing::from_value(&plan.planned, &Path::root()).unwrap()
}

fn paths(plan: &Plan) -> Vec<String> {
    plan.requires_replace.iter().map(ToString::to_string).collect()
}

fn error_places(plan: &Plan) -> Vec<String> {
    plan.diagnostics
        .iter()
        .map(|diagnostic| diagnostic.path.clone().unwrap_or_default().to_string())
        .collect()
}

#[tokio::test]
async fn a_create_has_defaults_and_unknowns() {
    let plan = planned(Own::Nothing, &config(), None).await;
    let unknown = Pool { count: 3.into(), image: Field::Unknown, ..pool() };
    let expected = Thing {
        id: Field::Unknown,
        status: Field::Unknown,
        region: Field::Unknown,
        flag: true.into(),
        secret: Field::Null,
        pools: Field::Known([("a", unknown.clone())].into_iter().collect()),
        ordered: Field::Known([unknown].into_iter().collect()),
        ..config()
    };
    assert_eq!(thing(&plan), expected);
    assert!(plan.requires_replace.is_empty());
}

#[tokio::test]
async fn nothing_changes_when_nothing_differs() {
    let plan = planned(Own::Nothing, &config(), Some(&prior())).await;
    assert_eq!(thing(&plan), prior());
    assert_eq!(plan.private, b"ledger");
}

#[tokio::test]
async fn what_is_unsettled_changes_although_nothing_differs() {
    let plan = planned(Own::Unsettled, &config(), Some(&prior())).await;
    let thing = thing(&plan);
    assert!(thing.status.is_unknown() && thing.region.is_unknown());
    assert_eq!(thing.id, prior().id);
}

#[tokio::test]
async fn a_change_keeps_what_keeps_its_prior_value() {
    let mut config = config();
    config.flag = false.into();
    let plan = planned(Own::Nothing, &config, Some(&prior())).await;
    let thing = thing(&plan);
    assert_eq!((thing.id, thing.flag), (prior().id, false.into()));
    assert!(thing.status.is_unknown());
    assert!(plan.requires_replace.is_empty(), "what the provider decides replaces nothing");
}

#[tokio::test]
async fn configured_changes_replace() {
    let mut config = config();
    config.name = Field::Unknown;
    config.region = "elsewhere".into();
    config.ordered.known_mut().unwrap()[0].known_mut().unwrap().zone = "z".into();
    config.pools.known_mut().unwrap().insert("b".to_owned(), Pool { zone: "z".into(), ..pool() }.into());
    let plan = planned(Own::Nothing, &config, Some(&prior())).await;
    thing(&plan);
    assert_eq!(paths(&plan), ["name", "ordered[0].zone", "region"], "new elements replace nothing");
}

#[tokio::test]
async fn replacements_are_sorted_and_unique() {
    let plan = planned(Own::Replace, &config(), Some(&prior())).await;
    assert_eq!(paths(&plan), ["name", "status"]);
}

#[tokio::test]
async fn unknown_collections_stay_unknown() {
    let unknown = Thing { pools: Field::Unknown, ordered: Field::Unknown, ..config() };
    let plan = planned(Own::Nothing, &unknown, None).await;
    let thing = thing(&plan);
    assert!(thing.pools.is_unknown() && thing.ordered.is_unknown());
}

#[tokio::test]
async fn configurations_are_validated_again() {
    let mut config = config();
    config.name = "much too long".into();
    config.pools.known_mut().unwrap().insert("b".to_owned(), Pool { count: 0.into(), ..pool() }.into());
    let plan = planned(Own::Nothing, &config, None).await;
    assert_eq!(error_places(&plan), ["name", "pools[\"b\"].count"]);
}

#[tokio::test]
async fn plans_that_terraform_would_refuse_are_errors_with_their_place() {
    let cases =
        [(Own::ChangeName, "name"), (Own::AddPool, "pools[\"extra\"]"), (Own::UnknownPool, "pools[\"a\"]")];
    for (own, place) in cases {
        for prior in [None, Some(&prior())] {
            assert_eq!(error_places(&planned(own, &config(), prior).await), [place]);
        }
    }
}

#[tokio::test]
async fn a_deletion_stays_null() {
    let input = PlanInput {
        config: Value::Null,
        prior: prior().to_value(),
        proposed: Value::Null,
        prior_private: b"ledger".to_vec(),
    };
    let plan = plan(resource(ThingResource(Own::Nothing)).as_ref(), input).await;
    assert!(plan.planned.is_null());
    assert_eq!(plan.private, b"destroy ledger");
}
