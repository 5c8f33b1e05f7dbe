//! The other side of the protocol: starting and calling providers as Terraform does, for drivers and tests.

mod channel;
mod in_process;
mod launch;
mod schema_type;

pub use in_process::InProcess;
pub use launch::{Exit, Plugin};
pub use schema_type::value_type;

use crate::wire::tfplugin6::provider_client::ProviderClient;

/// The generated client of the provider service.
pub type Client = ProviderClient<tonic::transport::Channel>;

/// Why a provider could not be started or called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The program could not be started, or its socket could not be reached.
    #[error("the provider could not be started")]
    Io(#[from] std::io::Error),
    /// The program ended or printed something else than the handshake.
    #[error(
        "the provider did not answer with a handshake, but with {line:?}; its standard error was:\n{stderr}"
    )]
    Handshake {
        /// What it printed.
        line: String,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// A certificate could not be made.
    #[error("the client's certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[from] rustls::Error),
    /// The connection failed.
    #[error("the provider could not be reached")]
    Transport(#[from] tonic::transport::Error),
}
