//! Mutual TLS over a socket, with both certificates pinned.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::client::{Client, ClientError};
use crate::serve::listener::Transport;
use crate::serve::server::LARGEST_MESSAGE;
use crate::serve::tls::{APPLICATION_PROTOCOL, crypto, self_signed};

/// The client's certificate and key, of the kind that Terraform makes for each process.
pub(super) struct ClientIdentity {
    pub(super) certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl ClientIdentity {
    pub(super) fn generate() -> Result<Self, rcgen::Error> {
        let (certificate, key) = self_signed(&rcgen::PKCS_ECDSA_P521_SHA512)?;
        Ok(Self { certificate, key })
    }

    /// The certificate as the environment variable holds it.
    pub(super) fn to_pem(&self) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.certificate);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (position, letter) in text.chars().enumerate() {
            if position > 0 && position % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
        pem
    }

    fn config(&self, server: CertificateDer<'static>) -> Result<ClientConfig, Error> {
        let crypto = crypto();
        let verifier = PinnedServer { certificate: server, crypto: Arc::clone(&crypto) };
        let mut config = ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(vec![self.certificate.clone()], self.key.clone_key())?;
        config.alpn_protocols = vec![APPLICATION_PROTOCOL.to_vec()];
        Ok(config)
    }
}

/// Connects to a provider's socket; without a server certificate in the clear.
pub(super) async fn connect(
    socket: &Path,
    identity: &ClientIdentity,
    server: Option<CertificateDer<'static>>,
) -> Result<Channel, ClientError> {
    let config = server.map(|server| identity.config(server)).transpose()?.map(Arc::new);
    let socket: PathBuf = socket.to_owned();
    // The address is a formality: the connector decides where to go.
    let endpoint = Endpoint::from_static("http://localhost");
    let connector = service_fn(move |_| {
        let (socket, config) = (socket.clone(), config.clone());
        async move {
            let stream = UnixStream::connect(&socket).await?;
            let stream: Box<dyn Transport> = match config {
                Some(config) => {
                    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                    Box::new(TlsConnector::from(config).connect(name, stream).await?)
                }
                None => Box::new(stream),
            };
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    });
    Ok(endpoint.connect_with_connector(connector).await?)
}

/// A client on the channel, for messages as large as Terraform's.
pub(super) fn client(channel: Channel) -> Client {
    Client::new(channel).max_decoding_message_size(LARGEST_MESSAGE).max_encoding_message_size(LARGEST_MESSAGE)
}

/// Accepts the certificate of the handshake and no other.
#[derive(Debug)]
struct PinnedServer {
    certificate: CertificateDer<'static>,
    crypto: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}
