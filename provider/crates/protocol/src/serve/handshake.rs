//! What Terraform says through the environment, and the line that answers it.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Not a secret: it tells a plugin that Terraform started it, and not a person.
pub(crate) const MAGIC_COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// The version of the plugin library's own protocol, and Terraform's.
const CORE_VERSION: u32 = 1;
const PROTOCOL_VERSION: u32 = 6;

/// Why the process cannot serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("{0}")]
    NotFromTerraform(String),
    #[error("unknown flag {0}\n\n{1}")]
    UnknownFlag(String, String),
    #[error(
        "this provider speaks version {PROTOCOL_VERSION} of Terraform's plugin protocol, but Terraform offers \
         {0}: Terraform 1.0 or later is needed"
    )]
    Protocol(String),
    #[error("PLUGIN_CLIENT_CERT holds no certificate: {0}")]
    ClientCertificate(String),
    #[error("the certificate for Terraform could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the plugin could not listen: {0}")]
    Io(#[from] std::io::Error),
    #[error("the plugin could not serve: {0}")]
    Serve(#[from] tonic::transport::Error),
}

impl StartError {
    /// Fills in what a person should read who started the binary by hand.
    pub(crate) fn with_help(self, help: String) -> Self {
        match self {
            Self::NotFromTerraform(_) => Self::NotFromTerraform(help),
            other => other,
        }
    }
}

/// What Terraform asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handshake {
    /// The only certificate that may connect; none without TLS.
    pub(crate) client_certificate: Option<CertificateDer<'static>>,
    /// Where to put the socket.
    pub(crate) socket_directory: Option<PathBuf>,
    /// The ports to choose from, where there are no sockets.
    #[cfg_attr(unix, expect(dead_code, reason = "only systems without sockets listen on ports"))]
    pub(crate) ports: (u16, u16),
    /// Whether Terraform asked if several connections may share one, and so expects an answer.
    asked_to_multiplex: bool,
}

impl Handshake {
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, StartError> {
        if variable(MAGIC_COOKIE.0).as_deref() != Some(MAGIC_COOKIE.1) {
            return Err(StartError::NotFromTerraform("this program is started by Terraform".to_owned()));
        }
        if let Some(offered) = variable("PLUGIN_PROTOCOL_VERSIONS")
            && !offered.split(',').any(|version| version.trim().parse() == Ok(PROTOCOL_VERSION))
        {
            return Err(StartError::Protocol(offered));
        }
        let client_certificate = match variable("PLUGIN_CLIENT_CERT").filter(|text| !text.is_empty()) {
            Some(text) if variable("TF_DISABLE_PLUGIN_TLS").is_none_or(|value| value.is_empty()) => Some(
                CertificateDer::from_pem_slice(text.as_bytes())
                    .map_err(|error| StartError::ClientCertificate(error.to_string()))?,
            ),
            _ => None,
        };
        let asked_to_multiplex = variable("PLUGIN_MULTIPLEX_GRPC").is_some_and(|value| !value.is_empty());
        Ok(Self { client_certificate, asked_to_multiplex, ..Self::for_debugging(variable) })
    }

    /// Without TLS, as Terraform expects of processes that it did not start.
    pub(crate) fn for_debugging(variable: impl Fn(&str) -> Option<String>) -> Self {
        let port = |name, otherwise| variable(name).and_then(|port| port.parse().ok()).unwrap_or(otherwise);
        Self {
            client_certificate: None,
            socket_directory: variable("PLUGIN_UNIX_SOCKET_DIR")
                .filter(|directory| !directory.is_empty())
                .map(PathBuf::from),
            ports: (port("PLUGIN_MIN_PORT", 10_000), port("PLUGIN_MAX_PORT", 25_000)),
            asked_to_multiplex: false,
        }
    }

    /// The line that Terraform reads from standard output.
    pub(crate) fn line(
        &self,
        (network, address): (&str, &str),
        certificate: Option<&CertificateDer<'_>>,
    ) -> String {
        let certificate =
            certificate.map(|certificate| STANDARD_NO_PAD.encode(certificate)).unwrap_or_default();
        let mut line = format!("{CORE_VERSION}|{PROTOCOL_VERSION}|{network}|{address}|grpc|{certificate}");
        if self.asked_to_multiplex {
            // Only those who ask understand a seventh field.
            line.push_str("|false");
        }
        line
    }
}

#[cfg(test)]
mod tests;
