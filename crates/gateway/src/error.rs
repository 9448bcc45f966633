//! Why a gateway could not be built. All of these are mistakes in a `.proto`, found at start.

/// A mistake in the descriptors; the text names the RPC.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no `FileDescriptorSet`, or it does not hold together.
    #[error("the descriptors are unreadable")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// Without the extension no rule can be found; the set was probably written by something that drops options.
    #[error("the descriptors lack the extension google.api.http: encode them together with their imports and options")]
    NoAnnotations,
    /// The rule asks for something that the gateway does not do.
    #[error("{rpc}: {reason}")]
    Rule { rpc: String, reason: String },
    /// Two rules want the same requests, or the router does not know such a path; the source says which.
    #[error("{rpc}: {method} {path} is already taken by another rule, or is no path for a route")]
    Route { rpc: String, method: http::Method, path: String, source: matchit::InsertError },
}
