//! gRPC over a real connection.
use std::net::SocketAddr;
use tonic::{
    Request,
    transport::{Channel, Endpoint},
};

pub(crate) async fn channel(to: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{to}")).unwrap().connect().await.unwrap()
}

/// A request with metadata.
pub(crate) fn with<T>(metadata: &[(&'static str, &str)], message: T) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in metadata {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// A request with a token.
pub(crate) fn bearing<T>(token: &str, message: T) -> Request<T> {
    with(&[("authorization", &format!("Bearer {token}"))], message)
}
