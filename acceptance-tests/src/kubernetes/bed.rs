//! A control plane that stands for clusters of a local AWS: their endpoint, who gets in, which pods get an identity.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::api_server::ApiServer;
use super::control_plane::{ControlPlane, Given};
use super::programs::Programs;
use crate::account::{Account, REGION};
use crate::local_aws::LocalAws;
use crate::{Explain, Failure, Result, cache, http};

/// Another process may take a port between the choice and the start.
const ATTEMPTS: usize = 3;

/// A running control plane. It ends when this is dropped, and when the process that holds it dies.
pub struct Bed<'aws> {
    control_plane: ControlPlane,
    registration: Registration<'aws>,
    given: Given,
    /// Where its programs write what they log.
    pub logs: PathBuf,
}

/// What the local AWS knows of a bed, from its start to its end.
struct Registration<'aws> {
    local_aws: &'aws LocalAws,
    id: String,
    /// Where the API server asks about tokens and permissions.
    reviews: String,
}

impl Bed<'static> {
    /// The one of this test process, started at the first use, with the local AWS it belongs to.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<std::result::Result<Bed<'static>, String>> = OnceLock::new();
        let started = SHARED
            .get_or_init(|| LocalAws::shared().and_then(Bed::start).map_err(|failure| failure.to_string()));
        started.as_ref().map_err(Failure::new)
    }
}

impl<'aws> Bed<'aws> {
    /// Starts one, with programs that are built if they are not built yet.
    pub fn start(local_aws: &'aws LocalAws) -> Result<Self> {
        let programs = Programs::built()?;
        let mut attempt = Self::start_once(local_aws, &programs);
        for _ in 1..ATTEMPTS {
            match &attempt {
                Err(failure) if failure.to_string().contains("address already in use") => {
                    attempt = Self::start_once(local_aws, &programs);
                }
                _ => break,
            }
        }
        attempt
    }

    fn start_once(local_aws: &'aws LocalAws, programs: &Programs) -> Result<Self> {
        static STARTED: AtomicU64 = AtomicU64::new(1);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let logs = cache::folder()?.join("logs").join(format!("kubernetes-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&logs).explain(logs.display())?;
        let folder = tempfile::Builder::new().prefix("kubernetes-").tempdir().explain("a folder")?;
        let given = Given::new(folder.path())?;
        let registration = Registration::new(local_aws, &given)?;
        let control_plane = ControlPlane::start(programs, &given, &registration.reviews, REGION, &logs)?;
        // From now on it is removed when etcd ends: that also happens when this process is killed.
        let _ = folder.keep();
        Ok(Self { control_plane, registration, given, logs })
    }

    /// The local AWS it belongs to: only clusters in its accounts can be attached.
    pub fn local_aws(&self) -> &'aws LocalAws {
        self.registration.local_aws
    }

    /// From now on it stands for this cluster, which may be made later.
    pub fn attach(&self, account: &Account, cluster: &str) -> Result<()> {
        account
            .post(
                "kubernetes",
                json!({"region": account.region(), "cluster": cluster, "bed": self.registration.id}),
            )
            .map(drop)
    }

    /// The API server as one sees it who may do everything.
    pub fn administrator(&self) -> Result<ApiServer> {
        ApiServer::new(
            self.given.ports.api_server,
            self.given.authority.der(),
            Some(&self.given.administrator),
        )
    }

    /// The API server as the holder of a token sees it.
    pub fn holder_of(&self, token: &str) -> Result<ApiServer> {
        let nobody = ApiServer::new(self.given.ports.api_server, self.given.authority.der(), None)?;
        Ok(nobody.with_token(token))
    }

    /// The certificate that everything of it is signed by, as a text.
    pub fn certificate_authority(&self) -> String {
        self.given.authority.pem()
    }

    /// A kubeconfig for one who may do everything.
    pub fn kubeconfig(&self) -> Result<PathBuf> {
        self.given.kubeconfig("administrator", &self.given.administrator)
    }

    /// The names and the ids of its processes.
    pub fn processes(&self) -> Vec<(&str, u32)> {
        self.control_plane.processes()
    }
}

impl<'aws> Registration<'aws> {
    fn new(local_aws: &'aws LocalAws, given: &Given) -> Result<Self> {
        let order = json!({
            "endpoint": format!("https://127.0.0.1:{}", given.ports.api_server),
            "certificate_authority": STANDARD.encode(given.authority.pem()),
            "serving_certificate": given.webhooks.certificate,
            "serving_key": given.webhooks.key,
            "associations": given.associations(),
        });
        let answer = http::request(local_aws.address(), "POST", "/_local/kubernetes/beds", Some(&order))?;
        let member = |name: &str| {
            let found = answer[name].as_str().map(str::to_owned);
            found.explain(format_args!("the answer to /_local/kubernetes/beds has no {name}"))
        };
        Ok(Self { local_aws, id: member("id")?, reviews: member("url")? })
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let target = format!("/_local/kubernetes/beds?id={}", self.id);
        // A local AWS that is gone has forgotten it, too.
        let _ = http::request(self.local_aws.address(), "DELETE", &target, None);
    }
}
