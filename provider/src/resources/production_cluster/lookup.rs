//! What a plan looks up in AWS about things the configuration names and does not make: subnets, their routes, and
//! the schemas of add-ons. Only for arguments that are new or changed, and only where AWS answers: nothing here is
//! needed for a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use resource_graph::FailureKind;
use terraform_plugin::prelude::*;

use super::ProductionClusterResource;
use super::known::{set, value};
use super::known_addon;
use super::model::{self, NodeGroup, ProductionCluster};
use super::report::wrong;
use super::settings::purpose;
use super::waivers::Waivers;
use crate::aws::Aws;
use crate::aws::routes;
use crate::aws::subnets::{self, Subnet};
use crate::errors;
use crate::parts::addon;
use crate::rules;

/// Longest wait for AWS: a plan does without.
const LIMIT: Duration = Duration::from_secs(20);
/// Addresses that EKS needs in each subnet of the control plane, and those it advises.
///
/// Source: EKS user guide, network-reqs.
const FREE_ADDRESSES: (i32, i32) = (6, 16);
/// Zones in which EKS places no control plane.
///
/// Source: EKS user guide, network-reqs.
const ZONES_WITHOUT_CONTROL_PLANE: [&str; 3] = ["use1-az3", "usw1-az2", "cac1-az3"];

/// Judges what is new or changed.
pub async fn judge(
    resource: &ProductionClusterResource,
    planned: &ProductionCluster,
    prior: Option<&ProductionCluster>,
    diagnostics: &mut Diagnostics,
) {
    let is_new = |same: fn(&ProductionCluster, &ProductionCluster) -> bool| {
        prior.is_none_or(|prior| !same(prior, planned))
    };
    let subnets_are_new = is_new(|old, new| {
        old.subnet_ids == new.subnet_ids
            && old.control_plane_subnet_ids == new.control_plane_subnet_ids
            && old.node_groups == new.node_groups
            && old.waivers == new.waivers
    });
    let addons_are_new =
        is_new(|old, new| old.addons == new.addons && old.kubernetes_version == new.kubernetes_version);
    let Some(region) = planned.region.text().filter(|_| subnets_are_new || addons_are_new) else { return };
    let looked_up = async {
        let Ok(aws) = resource.connection.aws(Some(region)).await else { return Diagnostics::new() };
        let mut found = Diagnostics::new();
        if subnets_are_new {
            judge_subnets(&aws, planned, prior, &mut found).await;
        }
        if addons_are_new {
            judge_addons(&aws, planned, prior, &mut found).await;
        }
        found
    };
    diagnostics.extend(tokio::time::timeout(LIMIT, looked_up).await.unwrap_or_default());
}

/// The subnets of a configuration; none where they are unknown.
struct Named {
    control_plane: Option<BTreeSet<String>>,
    /// Argument that names them.
    control_plane_path: Path,
    groups: Vec<Group>,
}

/// A node group.
struct Group {
    path: Path,
    purpose: &'static str,
    max_size: i32,
    subnet_ids: BTreeSet<String>,
}

impl Named {
    fn of(model: &ProductionCluster) -> Self {
        let paths = ProductionCluster::at(&Path::root());
        let shared = set(&model.subnet_ids).flatten();
        let own = set(&model.control_plane_subnet_ids);
        let group = |(name, group): (&str, &NodeGroup)| {
            let purpose = purpose(group)?;
            let (_, max_size) = purpose.sizes(value(&group.min_size)?, value(&group.max_size)?);
            let own = set(&group.subnet_ids)?;
            let at = NodeGroup::at(&paths.node_groups.key(name));
            let path = if own.is_some() { at.subnet_ids } else { paths.subnet_ids.clone() };
            let max_size = i32::try_from(max_size).unwrap_or(i32::MAX);
            Some(Group { path, purpose: purpose.name, max_size, subnet_ids: own.or(shared.clone())? })
        };
        let groups = model.node_groups.known().into_iter().flat_map(|groups| groups.known());
        Self {
            control_plane_path: match &own {
                Some(Some(_)) => paths.control_plane_subnet_ids.clone(),
                _ => paths.subnet_ids.clone(),
            },
            control_plane: own.and_then(|own| own.or(shared.clone())),
            groups: groups.filter_map(group).collect(),
        }
    }

    fn subnets_of_nodes(&self) -> BTreeSet<String> {
        self.groups.iter().flat_map(|group| group.subnet_ids.iter().cloned()).collect()
    }
}

async fn judge_subnets(
    aws: &Aws,
    model: &ProductionCluster,
    prior: Option<&ProductionCluster>,
    diagnostics: &mut Diagnostics,
) {
    let named = Named::of(model);
    let of_control_plane = named.control_plane.clone().unwrap_or_default();
    let of_groups = named.groups.iter().flat_map(|group| group.subnet_ids.iter().cloned());
    let ids: BTreeSet<String> = of_control_plane.iter().cloned().chain(of_groups).collect();
    if ids.is_empty() {
        return;
    }
    let Ok(subnets) = subnets::describe(aws, &ids).await else { return };
    let missing = |ids: &BTreeSet<String>| -> Vec<String> {
        ids.iter().filter(|id| !subnets.contains_key(*id)).cloned().collect()
    };
    let mut complained = BTreeSet::new();
    let mut complain = |path: &Path, ids: &BTreeSet<String>| {
        let missing = if complained.insert(path.to_string()) { missing(ids) } else { Vec::new() };
        if !missing.is_empty() {
            let text =
                format!("There are no such subnets in {}: {}.", aws.location.region, missing.join(", "));
            wrong(diagnostics, path, text);
        }
    };
    complain(&named.control_plane_path, &of_control_plane);
    for group in &named.groups {
        complain(&group.path, &group.subnet_ids);
    }
    if !missing(&ids).is_empty() {
        return;
    }
    let before = prior.and_then(|prior| Named::of(prior).control_plane).unwrap_or_default();
    judge_control_plane(&named, &before, &subnets, diagnostics);
    judge_groups(model, &named, &subnets, diagnostics);
    let known = prior.map(Named::of).map(|prior| prior.subnets_of_nodes()).unwrap_or_default();
    warn_of_routes(aws, &named, &known, &subnets, diagnostics).await;
}

/// Nodes that reach neither AWS nor its endpoints never join, and the create waits for them in vain. A warning: who
/// routes in another way knows better.
async fn warn_of_routes(
    aws: &Aws,
    named: &Named,
    known: &BTreeSet<String>,
    subnets: &BTreeMap<String, Subnet>,
    diagnostics: &mut Diagnostics,
) {
    let of_nodes = named.subnets_of_nodes();
    let is_new = |id: &str| of_nodes.contains(id) && !known.contains(id);
    let new: BTreeMap<&str, &Subnet> =
        subnets.iter().map(|(id, subnet)| (id.as_str(), subnet)).filter(|(id, _)| is_new(id)).collect();
    let Some(vpc_id) = new.values().map(|subnet| subnet.vpc_id.as_str()).next() else { return };
    let Ok(Some(enclosed)) = routes::enclosed(aws, vpc_id, &new).await else { return };
    let concerned = |group: &&Group| !group.subnet_ids.is_disjoint(&enclosed.subnet_ids);
    let Some(group) = named.groups.iter().find(concerned) else { return };
    let ids: Vec<&str> = enclosed.subnet_ids.iter().map(String::as_str).collect();
    let text = format!(
        "No default route that nodes can use leads out of {}, and {vpc_id} has no endpoints for {}. Nodes that cannot reach \
         these never join the cluster. Route them through a NAT or transit gateway, or add the endpoints.",
        ids.join(", "),
        enclosed.services.join(", "),
    );
    diagnostics.warning_at(&group.path, "Nodes may not reach AWS", text);
}

/// Subnets that the control plane has already are left in peace: nodes fill them, and that must not stop anybody.
fn judge_control_plane(
    named: &Named,
    before: &BTreeSet<String>,
    subnets: &BTreeMap<String, Subnet>,
    diagnostics: &mut Diagnostics,
) {
    let path = &named.control_plane_path;
    let all_vpcs: BTreeSet<&str> = subnets.values().map(|subnet| subnet.vpc_id.as_str()).collect();
    if all_vpcs.len() > 1 {
        let text = "All subnets of a cluster lie in one VPC; these lie in";
        wrong(diagnostics, path, format!("{text} {}.", list(&all_vpcs)));
    }
    let Some(ids) = &named.control_plane else { return };
    let own: Vec<(&String, &Subnet)> = subnets.iter().filter(|(id, _)| ids.contains(*id)).collect();
    let zones: BTreeSet<&str> = own.iter().map(|(_, subnet)| subnet.zone.as_str()).collect();
    if zones.len() < 2 {
        let text = "EKS needs subnets of the control plane in at least two zones; these lie in";
        wrong(diagnostics, path, format!("{text} {}.", list(&zones)));
    }
    for (id, subnet) in own.into_iter().filter(|(id, _)| !before.contains(*id)) {
        if ZONES_WITHOUT_CONTROL_PLANE.contains(&subnet.zone_id.as_str()) {
            let text = format!("EKS places no control plane in the zone of {id} ({}).", subnet.zone_id);
            wrong(diagnostics, path, text);
        }
        let (least, advised) = FREE_ADDRESSES;
        let free = subnet.free_addresses;
        if free < least {
            let text =
                format!("{id} has {free} free addresses; the control plane needs {least} in each subnet.");
            wrong(diagnostics, path, text);
        } else if free < advised {
            let text =
                format!("{id} has {free} free addresses; EKS advises {advised} for updates of the cluster.");
            diagnostics.warning_at(path, "A subnet is nearly full", text);
        }
    }
}

fn judge_groups(
    model: &ProductionCluster,
    named: &Named,
    subnets: &BTreeMap<String, Subnet>,
    diagnostics: &mut Diagnostics,
) {
    let Some(waivers) = Waivers::of(model) else { return };
    let zones = |ids: &BTreeSet<String>| -> BTreeSet<&str> {
        ids.iter().filter_map(|id| subnets.get(id)).map(|subnet| subnet.zone.as_str()).collect()
    };
    let with_purpose = |purpose: &str| -> BTreeSet<&str> {
        let same = named.groups.iter().filter(|group| group.purpose == purpose);
        same.flat_map(|group| zones(&group.subnet_ids)).collect()
    };
    let (mut in_one_zone, mut public) = (BTreeMap::new(), BTreeMap::new());
    for group in &named.groups {
        let of_purpose = with_purpose(group.purpose);
        let broken = rules::single_zone::broken(group.max_size, &zones(&group.subnet_ids), &of_purpose);
        in_one_zone.extend(broken.map(|what| (group.path.to_string(), (group.path.clone(), what))));
        let own = subnets.iter().filter(|(id, _)| group.subnet_ids.contains(*id));
        let gives = own.map(|(id, subnet)| (id.as_str(), subnet.gives_public_addresses));
        let broken = rules::public_nodes::broken(gives);
        public.extend(broken.map(|what| (group.path.to_string(), (group.path.clone(), what))));
    }
    let all_known = model.node_groups.known().is_some_and(|groups| groups.len() == named.groups.len());
    waivers.judge(rules::single_zone::RULE, all_known, in_one_zone.into_values().collect(), diagnostics);
    waivers.judge(rules::public_nodes::RULE, all_known, public.into_values().collect(), diagnostics);
}

fn list(texts: &BTreeSet<&str>) -> String {
    texts.iter().copied().collect::<Vec<_>>().join(", ")
}

async fn judge_addons(
    aws: &Aws,
    model: &ProductionCluster,
    prior: Option<&ProductionCluster>,
    diagnostics: &mut Diagnostics,
) {
    let Some(kubernetes_version) = model.kubernetes_version.text() else { return };
    let before = prior.and_then(|prior| prior.addons.known());
    let version_is_old = prior.is_some_and(|prior| prior.kubernetes_version == model.kubernetes_version);
    for (name, configured) in model.addons.known().into_iter().flat_map(|addons| addons.known()) {
        let is_old = before.and_then(|before| before.known_at(name)) == Some(configured) && version_is_old;
        let needs_look = configured.configuration_values.is_known() || known_addon::of(name).is_none();
        if is_old || !needs_look || configured.enabled.known() == Some(&false) {
            continue;
        }
        let (Some(version), Some(values)) =
            (value(&configured.version), value(&configured.configuration_values))
        else {
            continue;
        };
        let at = model::Addon::at(&ProductionCluster::at(&Path::root()).addons.key(name));
        let values = values.unwrap_or_else(|| "{}".to_owned());
        match addon::problems(aws, name, kubernetes_version, version.as_deref(), &values).await {
            Ok(problems) if problems.is_empty() => {}
            Ok(problems) => {
                let text = format!("The schema of the add-on refuses these values. {}.", problems.join("; "));
                wrong(diagnostics, &at.configuration_values, text);
            }
            // Who may not ask, or gets no answer, learns it from EKS at apply.
            Err(failure)
                if failure.kind == FailureKind::Refused
                    && failure.code != Some(errors::ACCESS_DENIED.code) =>
            {
                let path = if version.is_some() { at.version } else { at.enabled };
                wrong(diagnostics, &path, failure.message);
            }
            Err(_) => {}
        }
    }
}
