//! All services on one listener, until the session ends.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, Stream};
use rustls::ServerConfig;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tonic::transport::{Error, Server};
use tonic_health::ServingStatus;

use crate::framework::AnyProvider;
use crate::rpc::Service;
use crate::serve::connection::Connection;
use crate::serve::listener::Served;
use crate::serve::plugin_services::{Broker, Controller, Output};
use crate::serve::session::Session;
use crate::wire::plugin::grpc_broker_server::GrpcBrokerServer;
use crate::wire::plugin::grpc_controller_server::GrpcControllerServer;
use crate::wire::plugin::grpc_stdio_server::GrpcStdioServer;
use crate::wire::tfplugin6::provider_server::ProviderServer;

/// The largest message that Terraform sends and takes.
pub(crate) const LARGEST_MESSAGE: usize = 256 << 20;

/// How long open calls may take to be answered after the session has ended.
const DRAIN: Duration = Duration::from_secs(1);

/// Serves until the session ends.
pub(crate) async fn serve(
    provider: Arc<dyn AnyProvider>,
    session: Arc<Session>,
    listener: Served,
    tls: Option<Arc<ServerConfig>>,
) -> Result<(), Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("plugin", ServingStatus::Serving).await;
    let service = ProviderServer::new(Service::new(provider, Arc::clone(&session)))
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    let ended = session.ended();
    let (incoming, accepting) = incoming(listener, tls, Arc::clone(&session));
    let server = Server::builder()
        .add_service(health_service)
        .add_service(GrpcControllerServer::new(Controller::new(Arc::clone(&session))))
        .add_service(GrpcStdioServer::new(Output::new(ended.clone())))
        .add_service(GrpcBrokerServer::new(Broker::new(ended.clone())))
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, ended.clone().cancelled_owned());
    let outcome = tokio::select! {
        outcome = server => outcome,
        () = async { ended.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    };
    session.end();
    // The listener removes its socket when it is dropped, which has to happen before the process ends.
    let _ = accepting.await;
    outcome
}

/// Connections as they arrive. Each TLS handshake has its own task, so that a peer that says nothing keeps
/// nobody waiting.
fn incoming(
    listener: Served,
    tls: Option<Arc<ServerConfig>>,
    session: Arc<Session>,
) -> (impl Stream<Item = std::io::Result<Connection>>, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(1);
    let acceptor = tls.map(TlsAcceptor::from);
    let ended = session.ended();
    let accepting = tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                () = ended.cancelled() => break,
                stream = listener.accept() => stream,
            };
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // Such errors (no file descriptors) tend to last for a moment.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (sender, session, acceptor) = (sender.clone(), Arc::clone(&session), acceptor.clone());
            tokio::spawn(async move {
                let connection = match acceptor {
                    Some(acceptor) => match acceptor.accept(stream).await {
                        Ok(stream) => Connection::open(Box::new(stream), session),
                        Err(error) => return tracing::warn!(%error, "a connection was refused"),
                    },
                    None => Connection::open(stream, session),
                };
                let _ = sender.send(Ok(connection)).await;
            });
        }
    });
    let connections = stream::unfold(receiver, |mut receiver| async move {
        let connection = receiver.recv().await?;
        Some((connection, receiver))
    });
    (connections, accepting)
}
