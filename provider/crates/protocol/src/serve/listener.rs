//! Where Terraform connects to: a socket only its user can reach, or a local port where there are no sockets.

use std::io;
#[cfg(not(unix))]
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::serve::handshake::Handshake;

/// A byte stream to Terraform.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// An open socket or port. Whoever connects waits until it is served, so that its address can be told before
/// there is a runtime.
pub(crate) struct Listener {
    #[cfg(unix)]
    socket: std::os::unix::net::UnixListener,
    #[cfg(unix)]
    directory: tempfile::TempDir,
    #[cfg(not(unix))]
    port: std::net::TcpListener,
}

/// An open socket or port that is served.
pub(crate) struct Served {
    #[cfg(unix)]
    socket: tokio::net::UnixListener,
    /// Removed when nobody may connect any more.
    #[cfg(unix)]
    _directory: tempfile::TempDir,
    #[cfg(not(unix))]
    port: tokio::net::TcpListener,
}

/// The name of the socket in its directory; short, since paths of sockets may have about 100 bytes.
#[cfg(unix)]
const SOCKET: &str = "plugin";

#[cfg(unix)]
impl Listener {
    /// Listens in a new directory that only this user may enter.
    pub(crate) fn bind(handshake: &Handshake) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        let mut builder = tempfile::Builder::new();
        builder.prefix("terraform-plugin-").permissions(std::fs::Permissions::from_mode(0o700));
        let directory = match &handshake.socket_directory {
            Some(parent) => builder.tempdir_in(parent)?,
            None => builder.tempdir()?,
        };
        let socket = std::os::unix::net::UnixListener::bind(directory.path().join(SOCKET))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, directory })
    }

    /// Within a runtime.
    pub(crate) fn serve(self) -> io::Result<Served> {
        let socket = tokio::net::UnixListener::from_std(self.socket)?;
        Ok(Served { socket, _directory: self.directory })
    }

    pub(crate) fn network(&self) -> &'static str {
        "unix"
    }

    pub(crate) fn address(&self) -> String {
        self.path().display().to_string()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join(SOCKET)
    }
}

#[cfg(unix)]
impl Served {
    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Transport>> {
        let (stream, _) = self.socket.accept().await?;
        Ok(Box::new(stream))
    }
}

#[cfg(not(unix))]
impl Listener {
    /// Listens on the first free port that Terraform allows.
    pub(crate) fn bind(handshake: &Handshake) -> io::Result<Self> {
        let (first, last) = handshake.ports;
        let mut outcome = Err(io::Error::other("no port is free"));
        for port in first..=last {
            outcome = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)));
            if outcome.is_ok() {
                break;
            }
        }
        let port = outcome?;
        port.set_nonblocking(true)?;
        Ok(Self { port })
    }

    /// Within a runtime.
    pub(crate) fn serve(self) -> io::Result<Served> {
        Ok(Served { port: tokio::net::TcpListener::from_std(self.port)? })
    }

    pub(crate) fn network(&self) -> &'static str {
        "tcp"
    }

    pub(crate) fn address(&self) -> String {
        self.port.local_addr().map(|address| address.to_string()).unwrap_or_default()
    }
}

#[cfg(not(unix))]
impl Served {
    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Transport>> {
        let (stream, _) = self.port.accept().await?;
        // Small messages go back and forth; waiting to fill packets would make each of them wait.
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
