//! The REST API as OpenAPI 2 documents, one for each API version, made from the descriptors as grpc-gateway's generator
//! makes them, so that client generators come to the names of KFP's own clients.
mod beside;
mod comments;
mod names;
mod operation;
mod schemas;
mod serve;

use std::collections::HashMap;

use http::Method;
use prost_reflect::{DescriptorPool, ServiceDescriptor};
use serde_json::{Map, Value, json};

pub use self::serve::router;
use self::{comments::Comments, schemas::Schemas};
use crate::{Error, routes};

/// How the security definition is called by which generated clients find their token.
const BEARER: &str = "Bearer";

/// The document of the services of `package`, under the name of an API version.
///
/// # Errors
/// When the descriptors are unreadable, or have a rule that cannot be served as it stands.
pub fn document(descriptors: &[u8], package: &str, version: &str) -> Result<Value, Error> {
    let pool = DescriptorPool::decode(descriptors)?;
    let mut draft = Draft { schemas: Schemas::new(&pool, package), paths: Map::new(), tags: Map::new() };
    let mut bindings = HashMap::<String, usize>::new();
    for rule in routes::rules(&pool)?.iter().filter(|rule| rule.route.rpc.parent_service().package_name() == package) {
        let rpc = &rule.route.rpc;
        let nth = bindings.entry(rpc.full_name().to_owned()).or_default();
        *nth += 1;
        let operation = operation::of_rule(&mut draft.schemas, rule, *nth);
        draft.add(&rule.method, &rule.template, operation);
        draft.tag(rpc.parent_service());
    }
    beside::add(&mut draft, &pool, package);
    Ok(draft.finish(version))
}

/// A document while it is written.
struct Draft {
    schemas: Schemas,
    paths: Map<String, Value>,
    tags: Map<String, Value>,
}

impl Draft {
    fn add(&mut self, method: &Method, path: &str, operation: Value) {
        let operations = self.paths.entry(path).or_insert_with(|| json!({}));
        operations[method.as_str().to_ascii_lowercase()] = operation;
    }

    /// Describes a service under its own name.
    fn tag(&mut self, service: &ServiceDescriptor) {
        let comment = self.schemas.comments.of(&service.parent_file(), service.path());
        self.tags.insert(service.name().to_owned(), comment.into());
    }

    fn finish(self, version: &str) -> Value {
        let tags = self.tags.into_iter().map(|(name, description)| json!({ "name": name, "description": description }));
        json!({
            "swagger": "2.0",
            "info": {
                "title": "Kubeflow Pipelines API",
                "version": version,
                "description": "The REST API of Bulkhead, which is that of Kubeflow Pipelines.",
            },
            "tags": tags.collect::<Vec<_>>(),
            "basePath": "/",
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": self.paths,
            "definitions": self.schemas.finish(),
            "securityDefinitions": {
                BEARER: {
                    "type": "apiKey",
                    "name": "authorization",
                    "in": "header",
                    "description": "Bearer, a space, and a token.",
                },
            },
            "security": [{ BEARER: [] }],
        })
    }
}
