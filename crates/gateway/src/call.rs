//! The gRPC call itself, made in process.
use std::time::Duration;

use bytes::Buf as _;
use http::uri::PathAndQuery;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, ReflectMessage as _};
use tonic::{
    Request, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    service::Routes,
};

use crate::{Error, status::internal};

/// The services, behind a client that calls them without a socket.
pub(crate) struct Caller {
    client: Grpc<Routes>,
    max_message: usize,
}

impl Caller {
    pub(crate) fn new(routes: Routes, max_message: usize) -> Self {
        // The limit of responses is kept by `Dynamic`: tonic's would blame the client with OutOfRange.
        let client =
            Grpc::new(routes.prepare()).max_decoding_message_size(usize::MAX).max_encoding_message_size(max_message);
        Self { client, max_message }
    }

    /// Makes one call, and gives it up after `deadline`. The server side of tonic keeps deadlines in its transport
    /// only, which an in-process call does not pass.
    pub(crate) async fn call(
        &self,
        rpc: &MethodDescriptor,
        mut request: Request<DynamicMessage>,
        deadline: Option<Duration>,
    ) -> Result<DynamicMessage, Status> {
        let Some(deadline) = deadline else { return self.unary(rpc, request).await };
        request.set_timeout(deadline);
        tokio::time::timeout(deadline, self.unary(rpc, request))
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("the call took longer than its Grpc-Timeout")))
    }

    /// Makes one call that is answered with a stream. Once the stream is dropped, the call is over.
    pub(crate) async fn stream(
        &self,
        rpc: &MethodDescriptor,
        request: Request<DynamicMessage>,
    ) -> Result<Streaming<DynamicMessage>, Status> {
        let (mut client, path, codec) = self.prepare(rpc).await?;
        Ok(client.server_streaming(request, path, codec).await?.into_inner())
    }

    async fn unary(&self, rpc: &MethodDescriptor, request: Request<DynamicMessage>) -> Result<DynamicMessage, Status> {
        let (mut client, path, codec) = self.prepare(rpc).await?;
        Ok(client.unary(request, path, codec).await?.into_inner())
    }

    async fn prepare(&self, rpc: &MethodDescriptor) -> Result<(Grpc<Routes>, PathAndQuery, Dynamic), Status> {
        let mut client = self.client.clone();
        match client.ready().await {
            Ok(()) => {}
            Err(never) => match never {},
        }
        let path = path(rpc).map_err(|error| {
            tracing::error!(rpc = rpc.full_name(), %error, "an RPC has no path");
            internal()
        })?;
        Ok((client, path, Dynamic { response: rpc.output(), max_message: self.max_message }))
    }
}

/// An RPC that the gateway knows by its name.
pub(crate) fn rpc(pool: &DescriptorPool, service: &str, name: &str) -> Result<MethodDescriptor, Error> {
    let found = pool.get_service_by_name(service);
    let found = found.and_then(|service| service.methods().find(|method| method.name() == name));
    found.ok_or_else(|| Error::Rule { rpc: format!("{service}.{name}"), reason: "the descriptors lack it".to_owned() })
}

/// `/package.Service/Method`.
fn path(rpc: &MethodDescriptor) -> Result<PathAndQuery, http::uri::InvalidUri> {
    format!("/{}/{}", rpc.parent_service().full_name(), rpc.name()).parse()
}

/// Protobuf for messages that are known by descriptor only: any for requests, this one for responses.
#[derive(Clone)]
struct Dynamic {
    response: MessageDescriptor,
    max_message: usize,
}

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(out).map_err(|error| {
            tracing::error!(message = message.descriptor().full_name(), %error, "a request could not be encoded");
            internal()
        })
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let (size, limit) = (bytes.remaining(), self.max_message);
        if size > limit {
            let text = format!("the response has {size} bytes, more than the {limit} that are allowed; ask for less");
            return Err(Status::resource_exhausted(text));
        }
        DynamicMessage::decode(self.response.clone(), bytes).map(Some).map_err(|error| {
            tracing::error!(message = self.response.full_name(), %error, "a response could not be decoded");
            internal()
        })
    }
}
