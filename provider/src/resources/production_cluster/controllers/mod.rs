//! AWS identities of controllers that run in the cluster and are installed by others: the AWS Load Balancer
//! Controller and External Secrets. Each is a role with a policy of its own, and an association.

mod expansion;
mod load_balancer_policy;

use resource_graph::PartKey;
use terraform_plugin::prelude::*;

use super::known::value;
use super::model::{self, ProductionCluster};
use crate::parts::{iam_role, pod_identity_association};

/// A controller and where it runs by default.
struct Controller {
    /// Name of its role's and association's keys.
    name: &'static str,
    namespace: &'static str,
    service_account: &'static str,
    argument: fn(&ProductionCluster) -> &Field<model::Controller>,
    policy: Policy,
    what: &'static str,
}

/// What a controller may do.
#[derive(Clone, Copy)]
enum Policy {
    /// Change load balancers of the cluster.
    LoadBalancers,
    /// Take the roles that may read secrets.
    ReaderRoles,
}

const CONTROLLERS: [Controller; 2] = [
    Controller {
        name: "load-balancer-controller",
        namespace: "kube-system",
        service_account: "aws-load-balancer-controller",
        argument: |model| &model.load_balancer_controller,
        policy: Policy::LoadBalancers,
        what: "load balancers of this cluster",
    },
    Controller {
        name: "external-secrets",
        namespace: "external-secrets",
        service_account: "external-secrets",
        argument: |model| &model.external_secrets,
        policy: Policy::ReaderRoles,
        what: "roles that may read secrets",
    },
];

/// Where a controller runs whose identity is made.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceAccount {
    controller: &'static str,
    namespace: String,
    name: String,
}

/// Key of the role of the AWS Load Balancer Controller.
pub fn load_balancer_controller_role() -> PartKey {
    PartKey::new(iam_role::KIND, CONTROLLERS[0].name)
}

/// Key of the role of External Secrets.
pub fn external_secrets_role() -> PartKey {
    PartKey::new(iam_role::KIND, CONTROLLERS[1].name)
}

/// The controllers that get an identity; none while one of them is unknown.
pub fn settings(model: &ProductionCluster) -> Option<Vec<ServiceAccount>> {
    let mut accounts = Vec::new();
    for controller in &CONTROLLERS {
        let arguments = value((controller.argument)(model))?.unwrap_or_default();
        if value(&arguments.enabled)?.unwrap_or(false) {
            let namespace = value(&arguments.namespace)?;
            let name = value(&arguments.service_account)?;
            accounts.push(ServiceAccount {
                controller: controller.name,
                namespace: namespace.unwrap_or_else(|| controller.namespace.to_owned()),
                name: name.unwrap_or_else(|| controller.service_account.to_owned()),
            });
        }
    }
    Some(accounts)
}

/// What people read about each role and association, as far as it is known; none while it is not known which
/// there are.
pub fn specs(model: &ProductionCluster) -> Option<Vec<(PartKey, Option<String>)>> {
    let mut specs = Vec::new();
    for controller in &CONTROLLERS {
        let arguments = value((controller.argument)(model))?.unwrap_or_default();
        if !value(&arguments.enabled)?.unwrap_or(false) {
            continue;
        }
        let or = |field: &Field<String>, default: &str| {
            value(field).map(|value| value.unwrap_or_else(|| default.to_owned()))
        };
        let account = or(&arguments.namespace, controller.namespace)
            .zip(or(&arguments.service_account, controller.service_account))
            .map(|(namespace, name)| format!("{namespace}/{name}"));
        let role =
            account.as_ref().map(|account| format!("Pod Identity of {account} for {}", controller.what));
        specs.push((PartKey::new(iam_role::KIND, controller.name), role));
        specs.push((PartKey::new(pod_identity_association::KIND, controller.name), account));
    }
    Some(specs)
}

/// The arguments that identities which exist were made from, by the names of their associations.
pub fn read_back(records: &[resource_graph::Record]) -> (Field<model::Controller>, Field<model::Controller>) {
    let of = |controller: &Controller| -> Field<model::Controller> {
        let key = PartKey::new(pod_identity_association::KIND, controller.name);
        let record = records.iter().find(|record| record.key == key);
        let other = |name: &str, default: &str| {
            let found = record.map(|record| record.identity.get(name).to_owned());
            found.filter(|found| found != default).into()
        };
        record
            .map(|_| model::Controller {
                enabled: true.into(),
                namespace: other("namespace", controller.namespace),
                service_account: other("service_account", controller.service_account),
            })
            .into()
    };
    (of(&CONTROLLERS[0]), of(&CONTROLLERS[1]))
}
