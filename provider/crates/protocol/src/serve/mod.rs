//! Starting, serving and ending the process.

mod connection;
pub(crate) mod handshake;
mod help;
pub(crate) mod lifetime;
pub(crate) mod listener;
pub(crate) mod logging;

pub(crate) mod panics;
mod plugin_services;
pub(crate) mod server;
pub(crate) mod session;
mod signals;
pub(crate) mod tls;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crate::framework::{AnyProvider, Provider, provider};
use handshake::{Handshake, StartError};
use listener::Listener;
use session::{Lifetime, Session};
use tls::ServerIdentity;

/// How long running work may take to notice that Terraform is gone.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs a provider: its flags, Terraform's handshake, and serving until Terraform is done.
///
/// `make` has to be quick, since Terraform starts several processes per command and waits for each: clients and
/// credentials belong into [`Provider::configure`].
pub fn run<P: Provider>(make: impl FnOnce() -> P) -> ExitCode {
    let provider = provider(make());
    let mut flags = std::env::args().skip(1);
    let outcome = match flags.next().as_deref() {
        None => start(provider, Lifetime::OneCommand),
        Some("--debug" | "-debug") => start(provider, Lifetime::UntilInterrupted),
        Some("--version" | "-version") => {
            print(&format!("terraform-provider-{} {}", provider.name(), provider.version()))
        }
        Some("--help" | "-help" | "-h") => print(&help::text(provider.as_ref())),
        Some(flag) => Err(StartError::UnknownFlag(flag.to_owned(), help::text(provider.as_ref()))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<(), StartError> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()?;
    Ok(())
}

fn start(provider: Arc<dyn AnyProvider>, lifetime: Lifetime) -> Result<(), StartError> {
    let handshake = match lifetime {
        Lifetime::OneCommand => Handshake::from_environment(|name| std::env::var(name).ok())
            .map_err(|error| error.with_help(help::text(provider.as_ref())))?,
        Lifetime::UntilInterrupted => Handshake::for_debugging(|name| std::env::var(name).ok()),
    };
    logging::install(provider.name());
    panics::install_hook(provider.name());
    let listener = Listener::bind(&handshake)?;
    let identity = handshake.client_certificate.as_ref().map(|_| ServerIdentity::generate()).transpose()?;
    let line = match lifetime {
        Lifetime::OneCommand => {
            let certificate = identity.as_ref().map(|identity| &identity.certificate);
            handshake.line((listener.network(), &listener.address()), certificate)
        }
        Lifetime::UntilInterrupted => help::reattach(&provider.address(), &listener),
    };
    // Terraform waits for this line and then needs a moment itself: what else a connection takes is made
    // meanwhile.
    print(&line)?;
    let config =
        identity.zip(handshake.client_certificate).map(|(own, client)| own.config(client)).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(serve(provider, listener, config, lifetime));
    // Work that still runs has had its time, and nobody is left to hear of it.
    runtime.shutdown_background();
    outcome
}

async fn serve(
    provider: Arc<dyn AnyProvider>,
    listener: Listener,
    config: Option<Arc<rustls::ServerConfig>>,
    lifetime: Lifetime,
) -> Result<(), StartError> {
    let session = Arc::new(Session::new(lifetime));
    signals::handle(&session)?;
    lifetime::watch(&session);
    server::serve(provider, Arc::clone(&session), listener.serve()?, config).await?;
    session.lose();
    let _ = tokio::time::timeout(FAREWELL, session.idle()).await;
    Ok(())
}
