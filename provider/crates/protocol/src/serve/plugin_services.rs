//! The services that every plugin serves beside its own: shutting down, output, and further connections.

use std::sync::Arc;

use futures::stream;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use crate::serve::session::Session;
use crate::wire::plugin::grpc_broker_server::GrpcBroker;
use crate::wire::plugin::grpc_controller_server::GrpcController;
use crate::wire::plugin::grpc_stdio_server::GrpcStdio;
use crate::wire::plugin::{ConnInfo, Empty, StdioData};

/// Ends the process when Terraform is done with it.
pub(super) struct Controller {
    session: Arc<Session>,
}

impl Controller {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.session.stop();
        self.session.end();
        Ok(Response::new(Empty {}))
    }
}

/// Would carry what the plugin prints. It prints nothing, but the stream stays open: it keeps the connection
/// from looking idle, and idle connections are closed.
pub(super) struct Output {
    ended: CancellationToken,
}

impl Output {
    pub(super) fn new(ended: CancellationToken) -> Self {
        Self { ended }
    }
}

#[tonic::async_trait]
impl GrpcStdio for Output {
    async fn stream_stdio(&self, _request: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        let silence = stream::unfold(self.ended.clone(), |ended| async move {
            ended.cancelled().await;
            None
        });
        Ok(Response::new(Box::pin(silence)))
    }
}

/// Would arrange further connections. Terraform opens the stream and asks for none.
pub(super) struct Broker {
    ended: CancellationToken,
}

impl Broker {
    pub(super) fn new(ended: CancellationToken) -> Self {
        Self { ended }
    }
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        let state = (self.ended.clone(), request.into_inner());
        let silence = stream::unfold(state, |(ended, mut requests)| async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = async { while let Ok(Some(_)) = requests.message().await {} } => {}
            }
            None
        });
        Ok(Response::new(Box::pin(silence)))
    }
}
