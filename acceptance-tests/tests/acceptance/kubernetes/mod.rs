//! A real Kubernetes API server stands for a cluster. One control plane for all tests, a namespace for each.

mod access;
mod control_plane;
mod lifetime;
mod pod_identity;

use std::time::Duration;

use acceptance_tests::kubernetes::{ApiServer, BearerToken, Bed, Cluster};
use acceptance_tests::{Result, wait};
use serde_json::json;

/// How long something in the cluster may take to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a test plays: a cluster in an account of its own, and a namespace of its own.
struct Place {
    bed: &'static Bed<'static>,
    cluster: Cluster,
    administrator: ApiServer,
    namespace: String,
}

impl Place {
    fn new() -> Result<Self> {
        let bed = Bed::shared()?;
        let account = bed.local_aws().account();
        let namespace = format!("test-{}", account.id());
        let cluster = Cluster::made(bed, account, crate::stage::NAME)?;
        let administrator = bed.administrator()?;
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        administrator.create("/api/v1/namespaces", &object)?.expect_success()?;
        let place = Self { bed, cluster, administrator, namespace };
        // Made by the controller manager; without it no pod is admitted.
        let first = place.path("v1", "serviceaccounts/default");
        wait::until("the namespace's service account", PATIENCE, || {
            Ok((place.administrator.get(&first)?.status == 200).then_some(()))
        })?;
        Ok(place)
    }

    /// A path in the namespace: of the core group (`v1`) or of another one (`apps/v1`).
    fn path(&self, group: &str, rest: &str) -> String {
        let root = if group.contains('/') { "apis" } else { "api" };
        format!("/{root}/{group}/namespaces/{}/{rest}", self.namespace)
    }

    /// The API server as a role sees it, by a token of a new session.
    fn holder(&self, role: &str) -> Result<ApiServer> {
        let token = BearerToken::of_role(&self.cluster.account, &self.cluster.name, role)?;
        self.bed.holder_of(&token.encoded()?)
    }
}
