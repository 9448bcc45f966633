//! The inner service, without generated code: messages pass as bytes.
use std::{
    collections::HashMap,
    convert::Infallible,
    future::{Future, pending},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message as _;
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, NamedService, UnaryService},
};
use tower::Service;

/// What a layer outside of the gateway says about the caller.
#[derive(Clone)]
pub(crate) struct Identity(pub(crate) &'static str);

#[derive(Clone)]
pub(crate) struct Echo;

/// One call of the method of that name.
struct Call(String);

/// `gateway.test.FailRequest`.
#[derive(Clone, PartialEq, prost::Message)]
struct FailRequest {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(bytes = "vec", tag = "3")]
    details: Vec<u8>,
}

/// `gateway.test.CreateThingRequest`, as far as it can be nested.
#[derive(Clone, PartialEq, prost::Message)]
struct CreateThingRequest {
    #[prost(message, tag = "1")]
    thing: Option<Thing>,
}

/// `gateway.test.Thing`, as far as it can be nested.
#[derive(Clone, PartialEq, prost::Message)]
struct Thing {
    #[prost(message, tag = "9")]
    spec: Option<prost_types::Struct>,
    #[prost(map = "string, message", tag = "10")]
    parameters: HashMap<String, prost_types::Value>,
    #[prost(message, repeated, tag = "13")]
    things: Vec<Thing>,
    #[prost(message, optional, boxed, tag = "18")]
    thing: Option<Box<Thing>>,
}

/// `gateway.test.SeenResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct SeenResponse {
    #[prost(map = "string, string", tag = "1")]
    metadata: HashMap<String, String>,
    #[prost(string, tag = "2")]
    identity: String,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Raw;

pub(crate) type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl NamedService for Echo {
    const NAME: &'static str = "gateway.test.EchoService";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
        Box::pin(async move { Ok(Grpc::new(Raw).unary(Call(method), request).await) })
    }
}

impl UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = Answer<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let method = std::mem::take(&mut self.0);
        Box::pin(async move {
            match method.as_str() {
                // Generated services decode before anything else, and refuse deep nesting in their own way.
                "CreateThing" => match CreateThingRequest::decode(request.get_ref().clone()) {
                    Ok(_) => Ok(Response::new(request.into_inner())),
                    Err(error) => Err(Status::internal(error.to_string())),
                },
                "Fail" => Err(fail(request.get_ref())),
                "Seen" => Ok(Response::new(seen(&request))),
                "Hang" => pending().await,
                _ => Ok(Response::new(request.into_inner())),
            }
        })
    }
}

fn fail(request: &Bytes) -> Status {
    let request = FailRequest::decode(request.clone()).unwrap();
    Status::with_details(Code::from_i32(request.code), request.message, request.details.into())
}

fn seen(request: &Request<Bytes>) -> Bytes {
    let headers = request.metadata().clone().into_headers();
    let metadata = headers
        .keys()
        .map(|name| {
            let values: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
            (name.to_string(), values.join("|"))
        })
        .collect();
    let identity = request.extensions().get::<Identity>().map_or("", |identity| identity.0).to_owned();
    SeenResponse { metadata, identity }.encode_to_vec().into()
}

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining())))
    }
}
