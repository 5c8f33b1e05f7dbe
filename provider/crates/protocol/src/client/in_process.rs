//! A provider served in this very process, over the same socket and TLS as a real one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use crate::client::channel::{self, ClientIdentity};
use crate::client::{Client, ClientError};
use crate::framework::AnyProvider;
use crate::serve::handshake::Handshake;
use crate::serve::lifetime;
use crate::serve::listener::Listener;
use crate::serve::server;
use crate::serve::session::{Lifetime, Session};
use crate::serve::tls::ServerIdentity;

/// A provider served in this process. As with a real one, it stops when its last client is gone.
pub struct InProcess {
    channel: Channel,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
    session: Arc<Session>,
    socket: PathBuf,
    certificate: CertificateDer<'static>,
}

impl InProcess {
    /// Serves a provider and connects to it.
    pub async fn start(provider: Arc<dyn AnyProvider>) -> Result<Self, ClientError> {
        let identity = ClientIdentity::generate()?;
        let server_identity = ServerIdentity::generate()?;
        let tls = server_identity.config(identity.certificate.clone())?;
        let listener = Listener::bind(&Handshake::default())?;
        let socket = listener.path();
        let session = Arc::new(Session::new(Lifetime::OneCommand));
        lifetime::watch(&session);
        let server =
            tokio::spawn(server::serve(provider, Arc::clone(&session), listener.serve()?, Some(tls)));
        let certificate = server_identity.certificate;
        let channel = channel::connect(&socket, &identity, Some(certificate.clone())).await?;
        Ok(Self { channel, server, session, socket, certificate })
    }

    /// A client; as many as are needed.
    pub fn client(&self) -> Client {
        channel::client(self.channel.clone())
    }

    /// The socket that the provider listens on.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Connects once more, with a certificate that the provider does not know: it has to refuse.
    pub async fn connect_as_stranger(&self) -> Result<Client, ClientError> {
        let identity = ClientIdentity::generate()?;
        let channel = channel::connect(&self.socket, &identity, Some(self.certificate.clone())).await?;
        Ok(channel::client(channel))
    }

    /// Closes the connection as a killed Terraform does, and waits until the provider has stopped. Clients
    /// that were handed out have to be dropped before.
    pub async fn disconnect(self) {
        let Self { channel, server, session, .. } = self;
        drop(channel);
        let _ = server.await;
        session.idle().await;
    }
}
