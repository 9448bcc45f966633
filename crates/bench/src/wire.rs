//! Requests as bytes, over gRPC and REST, each client on a connection of its own as notebooks are.
use anyhow::{Context, bail};
use bytes::{Buf, BufMut, Bytes};
use http::{Method, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use tokio::net::TcpStream;
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

/// How a request goes to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Grpc,
    Rest,
}

/// Where requests go, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: String,
    pub(crate) token: String,
}

/// One request in both its forms.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The path of the RPC, and its message.
    pub(crate) rpc: &'static str,
    pub(crate) message: Bytes,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

pub(crate) const JSON: &str = "application/json";
/// A form with one file in it.
const FORM: &str = "multipart/form-data; boundary=edge";

/// What a server says to a request.
pub(crate) enum Answer {
    Ok(Bytes),
    /// There were too many.
    Limited,
    Other(String),
}

/// One client with its connection.
pub(crate) enum Client {
    Grpc(Box<Grpc<Channel>>, MetadataValue<Ascii>),
    Rest(SendRequest<Full<Bytes>>, Target),
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Grpc => "gRPC",
            Self::Rest => "REST",
        })
    }
}

impl Client {
    pub(crate) async fn connect(target: &Target, protocol: Protocol) -> anyhow::Result<Self> {
        if protocol == Protocol::Grpc {
            let channel = Endpoint::from_shared(format!("http://{}", target.address))?.connect().await?;
            let grpc = Grpc::new(channel).max_decoding_message_size(64 << 20);
            return Ok(Self::Grpc(Box::new(grpc), format!("Bearer {}", target.token).parse()?));
        }
        let stream = TcpStream::connect(&target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self::Rest(sender, target.clone()))
    }

    /// Sends a request and waits for all of the answer.
    ///
    /// # Errors
    /// The connection is gone.
    pub(crate) async fn call(&mut self, call: &Call) -> anyhow::Result<Answer> {
        match self {
            Self::Grpc(grpc, token) => {
                grpc.ready().await?;
                let mut request = tonic::Request::new(call.message.clone());
                request.metadata_mut().insert("authorization", token.clone());
                let path = http::uri::PathAndQuery::from_static(call.rpc);
                Ok(match grpc.unary(request, path, Raw).await {
                    Ok(answer) => Answer::Ok(answer.into_inner()),
                    Err(status) if status.code() == Code::ResourceExhausted => Answer::Limited,
                    Err(status) => Answer::Other(format!("{}: {:?}: {}", call.rpc, status.code(), status.message())),
                })
            }
            Self::Rest(sender, target) => {
                let request = http::Request::builder()
                    .method(&call.method)
                    .uri(&call.path)
                    .header(header::HOST, &target.address)
                    .header(header::AUTHORIZATION, format!("Bearer {}", target.token))
                    .header(header::CONTENT_TYPE, call.content_type)
                    .body(Full::new(call.body.clone()))?;
                sender.ready().await?;
                let answer = sender.send_request(request).await?;
                let status = answer.status();
                let body = answer.into_body().collect().await?.to_bytes();
                Ok(match status.as_u16() {
                    200 => Answer::Ok(body),
                    429 => Answer::Limited,
                    _ => Answer::Other(format!("{} {}: {status}: {}", call.method, call.path, lossy(&body))),
                })
            }
        }
    }

    /// The answer to a request that has to succeed.
    ///
    /// # Errors
    /// It did not.
    pub(crate) async fn ok(&mut self, call: &Call) -> anyhow::Result<Bytes> {
        match self.call(call).await? {
            Answer::Ok(body) => Ok(body),
            Answer::Limited => bail!("{}: too many requests, where there should be no limit", call.rpc),
            Answer::Other(text) => bail!(text),
        }
    }

    /// The JSON of such an answer, over REST.
    ///
    /// # Errors
    /// It did not succeed, or is none.
    pub(crate) async fn json(
        &mut self,
        method: Method,
        path: impl Into<String>,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let body = if method == Method::GET { Bytes::new() } else { body.to_string().into() };
        self.say(method, path.into(), JSON, body).await
    }

    /// The same for a form with a file.
    ///
    /// # Errors
    /// As [`Client::json`].
    pub(crate) async fn upload(&mut self, path: &str, file: &str) -> anyhow::Result<Value> {
        let head = "Content-Disposition: form-data; name=\"uploadfile\"; filename=\"pipeline.yaml\"";
        let body = format!("--edge\r\n{head}\r\n\r\n{file}\r\n--edge--\r\n");
        self.say(Method::POST, path.to_owned(), FORM, body.into()).await
    }

    async fn say(
        &mut self,
        method: Method,
        path: String,
        content_type: &'static str,
        body: Bytes,
    ) -> anyhow::Result<Value> {
        let call = Call { rpc: "", message: Bytes::new(), method, path, content_type, body };
        let answer = self.ok(&call).await?;
        serde_json::from_slice(&answer).with_context(|| format!("{} answered {}", call.path, lossy(&answer)))
    }
}

fn lossy(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

/// Messages that are bytes already, so that the load costs little.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
