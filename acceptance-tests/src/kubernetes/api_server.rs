//! Requests to the API server: one connection each, JSON in, JSON out.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::certificates::Issued;
use crate::{Explain, Failure, Result};

/// How long an answer may take; an admission webhook that hangs is given up after ten seconds.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// What this client calls itself where fields are owned.
pub const FIELD_MANAGER: &str = "acceptance-tests";

/// An API server as one user sees it.
#[derive(Clone)]
pub struct ApiServer {
    port: u16,
    tls: Arc<ClientConfig>,
    bearer: Option<String>,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The object, or null where the answer is no JSON.
    pub body: Value,
    /// The answer as it came.
    pub text: String,
}

impl ApiServer {
    /// For the holder of a client certificate; without one, for anybody.
    pub fn new(port: u16, authority: CertificateDer<'static>, user: Option<&Issued>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(authority).explain("the authority's certificate")?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.explain("TLS versions")?.with_root_certificates(roots);
        let tls = match user.map(Issued::chain_and_key) {
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain, key).explain("the client's certificate")?
            }
            None => builder.with_no_client_auth(),
        };
        Ok(Self { port, tls: Arc::new(tls), bearer: None })
    }

    /// For the holder of a token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..self.clone() }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Reads an object, a list or a plain text.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, None)
    }

    /// Creates an object.
    pub fn create(&self, path: &str, object: &Value) -> Result<Answer> {
        self.send("POST", path, Some(("application/json", object)))
    }

    /// Server-side apply.
    pub fn apply(&self, path: &str, object: &Value) -> Result<Answer> {
        let path = format!("{path}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict");
        self.send("PATCH", &path, Some(("application/apply-patch+yaml", object)))
    }

    /// Deletes an object.
    pub fn delete(&self, path: &str) -> Result<Answer> {
        self.send("DELETE", path, None)
    }

    fn send(&self, method: &str, path: &str, body: Option<(&str, &Value)>) -> Result<Answer> {
        let what = format!("{method} {}{path}", self.url());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().explain(&what)?;
        let answer = async {
            match tokio::time::timeout(LONGEST_ANSWER, self.exchange(method, path, body)).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure::new(format!("no answer within {} s", LONGEST_ANSWER.as_secs()))),
            }
        };
        runtime.block_on(answer).explain(what)
    }

    async fn exchange(&self, method: &str, path: &str, body: Option<(&str, &Value)>) -> Result<Answer> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.explain("connecting")?;
        stream.set_nodelay(true).explain("connecting")?;
        let name = ServerName::try_from("127.0.0.1").explain("the server's name")?;
        let stream = TlsConnector::from(self.tls.clone()).connect(name, stream).await.explain("TLS")?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.explain("HTTP")?;
        // It ends with the sender.
        let connection = tokio::spawn(connection);
        let mut request =
            Request::builder().method(method).uri(path).header("host", format!("127.0.0.1:{}", self.port));
        if let Some(token) = &self.bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let content = match body {
            Some((kind, object)) => {
                request = request.header("content-type", kind);
                Bytes::from(object.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(content)).explain("the request")?;
        let answer = sender.send_request(request).await.explain("sending")?;
        let status = answer.status().as_u16();
        let content = answer.into_body().collect().await.explain("reading the answer")?.to_bytes();
        drop(sender);
        connection.abort();
        let text = String::from_utf8_lossy(&content).into_owned();
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or_default(), text })
    }
}

impl Answer {
    /// The object of an answer that says yes.
    pub fn expect_success(self) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(Failure::new(format!("HTTP {}: {}", self.status, self.text)))
    }

    /// This very status, else a failure with the whole answer.
    pub fn expect_status(self, status: u16) -> Result<Value> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(Failure::new(format!("HTTP {} instead of {status}: {}", self.status, self.text)))
    }
}
