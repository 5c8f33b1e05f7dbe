//! Starting a provider's binary as Terraform does.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tonic::transport::Channel;

use crate::client::channel::{self, ClientIdentity};
use crate::client::{Client, ClientError};
use crate::serve::handshake::MAGIC_COOKIE;
use crate::wire::plugin::Empty;
use crate::wire::plugin::grpc_controller_client::GrpcControllerClient;

/// How long a provider may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How a provider's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code if it was not a signal.
    Ended(Option<i32>),
    /// It did not end in time and was killed.
    Killed,
}

/// A running provider process.
pub struct Plugin {
    child: Child,
    channel: Channel,
    stderr: Arc<Mutex<Vec<String>>>,
    handshake: String,
}

impl Plugin {
    /// Starts a provider and connects to it. The process has a group of its own, so that interrupts meant for
    /// the caller do not reach it, inherits the environment and gets `environment` on top.
    pub async fn launch<Name: AsRef<OsStr>, Text: AsRef<OsStr>>(
        program: &Path,
        environment: impl IntoIterator<Item = (Name, Text)>,
    ) -> Result<Self, ClientError> {
        let identity = ClientIdentity::generate()?;
        let mut command = Command::new(program);
        command
            .envs(environment)
            .env(MAGIC_COOKIE.0, MAGIC_COOKIE.1)
            .env("PLUGIN_CLIENT_CERT", identity.to_pem())
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("PLUGIN_MIN_PORT", "10000")
            .env("PLUGIN_MAX_PORT", "25000")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let stderr = collect_stderr(&mut child);
        let mut output = child.stdout.take().map(|output| BufReader::new(output).lines());
        let line = match &mut output {
            Some(lines) => lines.next_line().await?.unwrap_or_default(),
            None => String::new(),
        };
        let Some((socket, certificate)) = parse(&line) else {
            if line.is_empty() {
                // The reason is on standard error, which is complete when the process has ended.
                let _ = tokio::time::timeout(GRACE, child.wait()).await;
            }
            let stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
            return Err(ClientError::Handshake { line, stderr });
        };
        let channel = channel::connect(Path::new(&socket), &identity, certificate).await?;
        Ok(Self { child, channel, stderr, handshake: line })
    }

    /// A client; as many as are needed.
    pub fn client(&self) -> Client {
        channel::client(self.channel.clone())
    }

    /// The line that the provider printed.
    pub fn handshake(&self) -> &str {
        &self.handshake
    }

    /// The process; none once it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The lines on standard error so far.
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the provider as Terraform does: asks it, waits two seconds, kills it.
    pub async fn shutdown(self) -> Result<Exit, ClientError> {
        let mut controller = GrpcControllerClient::new(self.channel.clone());
        // A provider that ends at once may cut its own answer off.
        let _ = controller.shutdown(Empty {}).await;
        drop(controller);
        // Terraform closes its connection right after it has asked.
        let Self { mut child, channel, .. } = self;
        drop(channel);
        if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
            return Ok(Exit::Ended(status?.code()));
        }
        child.kill().await?;
        Ok(Exit::Killed)
    }

    /// Closes the connection as a killed Terraform does, and waits for the process to end. Clients that were
    /// handed out have to be dropped before.
    pub async fn disconnect(self) -> Result<Exit, ClientError> {
        let Self { mut child, channel, .. } = self;
        drop(channel);
        Ok(Exit::Ended(child.wait().await?.code()))
    }

    /// Kills the process.
    pub async fn kill(mut self) -> Result<(), ClientError> {
        Ok(self.child.kill().await?)
    }
}

fn collect_stderr(child: &mut Child) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    if let Some(stream) = child.stderr.take() {
        let lines = Arc::clone(&lines);
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
    }
    lines
}

/// The socket and the certificate of a handshake line.
fn parse(line: &str) -> Option<(String, Option<CertificateDer<'static>>)> {
    let fields: Vec<&str> = line.trim().split('|').collect();
    let ["1", "6", "unix", socket, "grpc", rest @ ..] = fields.as_slice() else { return None };
    let certificate = match rest.first() {
        Some(text) if !text.is_empty() => Some(CertificateDer::from(STANDARD_NO_PAD.decode(text).ok()?)),
        _ => None,
    };
    Some(((*socket).to_owned(), certificate))
}
