//! Which programs run, with which flags, in which order.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::api_server::ApiServer;
use super::certificates::{Authority, Issued};
use super::process::{Order, Process};
use super::programs::Programs;
use crate::{Explain, Failure, Result, http, wait};

/// How long a program may take until it can be used.
const PATIENCE: Duration = Duration::from_secs(120);

/// The ports of one control plane, all on loopback.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// The API server.
    pub api_server: u16,
    etcd: u16,
    etcd_peers: u16,
    controller_manager: u16,
    scheduler: u16,
    webhook: u16,
    webhook_metrics: u16,
}

/// A folder with what the programs are given: certificates, kubeconfigs, data.
pub struct Given {
    /// The folder.
    pub folder: PathBuf,
    /// Signs all certificates.
    pub authority: Authority,
    /// The ports.
    pub ports: Ports,
    /// What webhooks on loopback serve with.
    pub webhooks: Issued,
    /// Who may do everything.
    pub administrator: Issued,
    controller_manager: Issued,
    scheduler: Issued,
    api_server: Issued,
    /// What tokens of service accounts are signed with, and checked with.
    service_accounts: (PathBuf, PathBuf),
}

/// The running programs, the last started first.
pub struct ControlPlane {
    processes: Vec<Process>,
}

impl Ports {
    /// Ports that nobody uses now.
    pub fn free() -> Result<Self> {
        // All at once, so that none is given out twice.
        let listeners = (0..7)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .collect::<std::io::Result<Vec<_>>>()
            .explain("free ports")?;
        let numbers: Vec<u16> =
            listeners.iter().filter_map(|listener| Some(listener.local_addr().ok()?.port())).collect();
        let [api_server, etcd, etcd_peers, controller_manager, scheduler, webhook, webhook_metrics] =
            numbers[..]
        else {
            return Err(Failure::new("there are not enough free ports"));
        };
        Ok(Self { api_server, etcd, etcd_peers, controller_manager, scheduler, webhook, webhook_metrics })
    }
}

impl Given {
    /// New certificates in this folder, and free ports.
    pub fn new(folder: &Path) -> Result<Self> {
        let authority = Authority::new(&folder.join("certificates"))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            ports: Ports::free()?,
            webhooks: authority.server("webhooks")?,
            administrator: authority.client("administrator", "administrator", Some("system:masters"))?,
            controller_manager: authority.client(
                "controller-manager",
                "system:kube-controller-manager",
                None,
            )?,
            scheduler: authority.client("scheduler", "system:kube-scheduler", None)?,
            api_server: authority.server("kube-apiserver")?,
            service_accounts: authority.key_pair("service-accounts")?,
            authority,
        })
    }

    /// A kubeconfig for this user of the API server.
    pub fn kubeconfig(&self, name: &str, user: &Issued) -> Result<PathBuf> {
        let user = json!({"client-certificate": user.certificate, "client-key": user.key});
        self.client_of(name, &format!("https://127.0.0.1:{}", self.ports.api_server), user)
    }

    /// The file that the Pod Identity webhook watches.
    pub fn associations(&self) -> PathBuf {
        self.folder.join("associations.json")
    }

    /// A client's configuration: of a user for the API server, of the API server for a webhook.
    fn client_of(&self, name: &str, server: &str, user: Value) -> Result<PathBuf> {
        let path = self.folder.join(format!("{name}.kubeconfig"));
        // JSON is YAML, too.
        let content = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": {"server": server, "certificate-authority": self.authority.path()}}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
            "current-context": "it",
        });
        fs::write(&path, content.to_string()).explain(path.display())?;
        Ok(path)
    }
}

impl ControlPlane {
    /// Starts everything and waits until it can be used. `reviews` is where the API server asks about tokens and
    /// permissions.
    pub fn start(
        programs: &Programs,
        given: &Given,
        reviews: &str,
        region: &str,
        logs: &Path,
    ) -> Result<Self> {
        let mut plane = Self { processes: Vec::new() };
        plane.run(programs, given, logs, "etcd", etcd(given))?;
        let etcd = format!("127.0.0.1:{}", given.ports.etcd);
        plane.wait_for("etcd", || Ok(http::request(&etcd, "GET", "/health", None).ok()))?;
        let arguments = api_server(given, reviews)?;
        plane.run(programs, given, logs, "kube-apiserver", arguments)?;
        let administrator =
            ApiServer::new(given.ports.api_server, given.authority.der(), Some(&given.administrator))?;
        let answers =
            |path: &str| Ok(administrator.get(path).ok().filter(|answer| answer.status == 200).map(drop));
        plane.wait_for("the API server", || answers("/readyz"))?;
        plane.run(programs, given, logs, "kube-controller-manager", controller_manager(given)?)?;
        plane.run(programs, given, logs, "kube-scheduler", scheduler(given)?)?;
        let kubeconfig = given.kubeconfig("administrator", &given.administrator)?;
        plane.run(programs, given, logs, "kwok", kwok(&kubeconfig, &programs.stages()))?;
        let webhook = pod_identity_webhook(given, &kubeconfig, region);
        plane.run(programs, given, logs, "amazon-eks-pod-identity-webhook", webhook)?;
        let serving = ApiServer::new(given.ports.webhook, given.authority.der(), None)?;
        plane.wait_for("the Pod Identity webhook", || {
            Ok(serving.get("/healthz").ok().filter(|answer| answer.status == 200))
        })?;
        administrator.create("/api/v1/nodes", &node("node-1"))?.expect_success()?;
        let webhooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
        administrator.create(webhooks, &webhook_configuration(given))?.expect_success()?;
        // Made by the controller manager; without it no namespace takes pods.
        plane.wait_for("the first service account", || {
            answers("/api/v1/namespaces/default/serviceaccounts/default")
        })?;
        Ok(plane)
    }

    /// The names and the ids of its processes.
    pub fn processes(&self) -> Vec<(&str, u32)> {
        self.processes.iter().map(|process| (process.name(), process.id())).collect()
    }

    fn run(
        &mut self,
        programs: &Programs,
        given: &Given,
        logs: &Path,
        name: &str,
        arguments: Vec<String>,
    ) -> Result<()> {
        // The last program to end is the one with the data: the folder is of no use to any of them then.
        let removed_afterwards = (name == "etcd").then_some(given.folder.as_path());
        let program = programs.path(name)?;
        let process = Process::start(Order { name, program: &program, arguments, logs, removed_afterwards })?;
        self.processes.insert(0, process);
        Ok(())
    }

    fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        wait::until(what, PATIENCE, || {
            self.processes.iter_mut().try_for_each(Process::expect_running)?;
            look()
        })
    }
}

fn flags<const N: usize>(flags: [(&str, String); N]) -> Vec<String> {
    flags.into_iter().map(|(name, value)| format!("--{name}={value}")).collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn etcd(given: &Given) -> Vec<String> {
    let clients = format!("http://127.0.0.1:{}", given.ports.etcd);
    let peers = format!("http://127.0.0.1:{}", given.ports.etcd_peers);
    flags([
        ("data-dir", shown(&given.folder.join("etcd"))),
        // Nothing here outlives the process.
        ("unsafe-no-fsync", "true".to_owned()),
        ("log-level", "warn".to_owned()),
        ("listen-client-urls", clients.clone()),
        ("advertise-client-urls", clients),
        ("listen-peer-urls", peers.clone()),
        ("initial-advertise-peer-urls", peers.clone()),
        ("initial-cluster", format!("default={peers}")),
    ])
}

fn api_server(given: &Given, reviews: &str) -> Result<Vec<String>> {
    let authentication = given.client_of("authentication", &format!("{reviews}/authenticate"), json!({}))?;
    let authorization = given.client_of("authorization", &format!("{reviews}/authorize"), json!({}))?;
    let (text, authority) = (|text: &str| text.to_owned(), shown(&given.authority.path()));
    Ok(flags([
        ("etcd-servers", format!("http://127.0.0.1:{}", given.ports.etcd)),
        ("bind-address", text("127.0.0.1")),
        ("secure-port", given.ports.api_server.to_string()),
        ("advertise-address", text("127.0.0.1")),
        // No endpoint can have a loopback address.
        ("endpoint-reconciler-type", text("none")),
        ("tls-cert-file", shown(&given.api_server.certificate)),
        ("tls-private-key-file", shown(&given.api_server.key)),
        ("client-ca-file", authority.clone()),
        // The controller manager looks for it every ten seconds.
        ("requestheader-client-ca-file", authority),
        ("requestheader-allowed-names", text("front-proxy-client")),
        ("service-account-issuer", text("https://kubernetes.default.svc")),
        ("service-account-key-file", shown(&given.service_accounts.1)),
        ("service-account-signing-key-file", shown(&given.service_accounts.0)),
        ("service-cluster-ip-range", text("10.96.0.0/16")),
        ("authentication-token-webhook-config-file", shown(&authentication)),
        ("authentication-token-webhook-version", text("v1")),
        // What an access entry allows changes at once; what the API server remembers by itself has no flag.
        ("authentication-token-webhook-cache-ttl", text("0s")),
        ("authorization-mode", text("Node,RBAC,Webhook")),
        ("authorization-webhook-config-file", shown(&authorization)),
        ("authorization-webhook-version", text("v1")),
        ("authorization-webhook-cache-authorized-ttl", text("1ms")),
        ("authorization-webhook-cache-unauthorized-ttl", text("1ms")),
        ("allow-privileged", text("true")),
        ("profiling", text("false")),
    ]))
}

fn controller_manager(given: &Given) -> Result<Vec<String>> {
    let kubeconfig = shown(&given.kubeconfig("controller-manager", &given.controller_manager)?);
    Ok(flags([
        ("kubeconfig", kubeconfig.clone()),
        ("authentication-kubeconfig", kubeconfig.clone()),
        ("authorization-kubeconfig", kubeconfig),
        ("bind-address", "127.0.0.1".to_owned()),
        ("secure-port", given.ports.controller_manager.to_string()),
        ("cert-dir", shown(&given.folder.join("controller-manager"))),
        ("leader-elect", "false".to_owned()),
        ("use-service-account-credentials", "true".to_owned()),
        // At the start it asks for a token for each controller; its own limit would make that seconds.
        ("kube-api-qps", "500".to_owned()),
        ("kube-api-burst", "1000".to_owned()),
        ("service-account-private-key-file", shown(&given.service_accounts.0)),
        ("root-ca-file", shown(&given.authority.path())),
        ("profiling", "false".to_owned()),
    ]))
}

fn scheduler(given: &Given) -> Result<Vec<String>> {
    let kubeconfig = shown(&given.kubeconfig("scheduler", &given.scheduler)?);
    Ok(flags([
        ("kubeconfig", kubeconfig.clone()),
        ("authentication-kubeconfig", kubeconfig.clone()),
        ("authorization-kubeconfig", kubeconfig),
        ("bind-address", "127.0.0.1".to_owned()),
        ("secure-port", given.ports.scheduler.to_string()),
        ("cert-dir", shown(&given.folder.join("scheduler"))),
        ("leader-elect", "false".to_owned()),
    ]))
}

fn kwok(kubeconfig: &Path, stages: &[PathBuf]) -> Vec<String> {
    let mut arguments = flags([
        ("kubeconfig", shown(kubeconfig)),
        ("manage-all-nodes", "true".to_owned()),
        ("node-lease-duration-seconds", "40".to_owned()),
        // Its stages come from files; it needs no resources of its own.
        ("enable-crds", String::new()),
    ]);
    arguments.extend(stages.iter().map(|stage| format!("--config={}", stage.display())));
    arguments
}

fn pod_identity_webhook(given: &Given, kubeconfig: &Path, region: &str) -> Vec<String> {
    flags([
        ("in-cluster", "false".to_owned()),
        ("kubeconfig", shown(kubeconfig)),
        ("tls-cert", shown(&given.webhooks.certificate)),
        ("tls-key", shown(&given.webhooks.key)),
        ("port", given.ports.webhook.to_string()),
        ("metrics-port", given.ports.webhook_metrics.to_string()),
        ("aws-default-region", region.to_owned()),
        ("watch-container-credentials-config", shown(&given.associations())),
    ])
}

/// As the webhook's own manifest registers it, but for where it is.
fn webhook_configuration(given: &Given) -> Value {
    use base64::Engine;
    let authority = base64::engine::general_purpose::STANDARD.encode(given.authority.pem());
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "pod-identity-webhook"},
        "webhooks": [{
            "name": "pod-identity-webhook.amazonaws.com",
            "failurePolicy": "Ignore",
            "clientConfig": {
                "url": format!("https://127.0.0.1:{}/mutate", given.ports.webhook), "caBundle": authority
            },
            "objectSelector": {"matchExpressions": [
                {"key": "eks.amazonaws.com/skip-pod-identity-webhook", "operator": "DoesNotExist"}
            ]},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1beta1"],
        }],
    })
}

/// A node without a machine; kwok makes it ready.
pub fn node(name: &str) -> Value {
    let room = json!({"cpu": "64", "memory": "256Gi", "pods": "1000"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"
        }},
        "status": {"allocatable": room, "capacity": room},
    })
}
