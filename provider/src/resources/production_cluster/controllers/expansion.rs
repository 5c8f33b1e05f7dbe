//! The identities of controllers in a graph.

use resource_graph::{Graph, Handle, Input, PartKey};

use super::super::expansion::Expansion;
use super::super::keys::ROLE_STEM;
use super::{CONTROLLERS, Policy, ServiceAccount, load_balancer_policy};
use crate::aws::Aws;
use crate::aws::policy_document::PolicyDocument;
use crate::parts::cluster::Cluster;
use crate::parts::iam_role::{self, IamRole};
use crate::parts::pod_identity_association::{self, PodIdentityAssociation};

impl Expansion<'_> {
    /// The identities of all controllers.
    pub fn controllers(&self, graph: &mut Graph<Aws>, cluster: &Handle<Cluster>) {
        for account in &self.settings.controllers {
            let Some(controller) = CONTROLLERS.iter().find(|known| known.name == account.controller) else {
                continue;
            };
            let role = graph.add(|_| {
                let key = PartKey::new(iam_role::KIND, controller.name);
                let role = self.pod_identity_role(key, &account.namespace, &account.name);
                let policy = match controller.policy {
                    Policy::LoadBalancers => {
                        load_balancer_policy::of(&self.settings.name, &self.place.location)
                    }
                    Policy::ReaderRoles => reader_roles(self),
                };
                IamRole { inline_policies: [(controller.name.to_owned(), policy)].into(), ..role }
            });
            graph.add(|needs| {
                let cluster = needs.output(cluster, Cluster::NAME);
                self.association(controller.name, account, cluster, needs.output(&role, IamRole::ARN))
            });
        }
    }

    fn association(
        &self,
        name: &str,
        account: &ServiceAccount,
        cluster: Input,
        role_arn: Input,
    ) -> PodIdentityAssociation {
        let key = PartKey::new(pod_identity_association::KIND, name);
        PodIdentityAssociation {
            spec: self.spec(&key),
            marks: self.marks(key),
            cluster,
            cluster_name: self.settings.name.clone(),
            namespace: account.namespace.clone(),
            service_account: account.name.clone(),
            role_arn,
        }
    }
}

/// The operator itself can read nothing: it takes a role for each set of secrets, of those that belong to the
/// cluster by their name.
fn reader_roles(expansion: &Expansion<'_>) -> PolicyDocument {
    let location = &expansion.place.location;
    let stem: String = expansion.settings.name.chars().take(ROLE_STEM).collect();
    let roles = location.role_arn(&format!("{}{stem}-*", expansion.place.iam_role_path));
    PolicyDocument::new(vec![serde_json::json!({
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Resource": roles,
    })])
}
