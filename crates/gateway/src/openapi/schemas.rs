//! How messages look as JSON, as schemas. `body::write` makes what they describe.
use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{Comments, names::Names};

/// The definition of the gateway's error body, which is `google.rpc.Status` as JSON.
const STATUS: &str = "googleRpcStatus";
const ANY: &str = "protobufAny";

/// The definitions of a document, made as they are referred to, so that none is there without a use.
pub(super) struct Schemas {
    pub(super) comments: Comments,
    names: Names,
    definitions: Map<String, Value>,
}

impl Schemas {
    pub(super) fn new(pool: &DescriptorPool, package: &str) -> Self {
        let messages: Vec<_> = pool.all_messages().filter(|message| message.package_name() == package).collect();
        let enums: Vec<_> = pool.all_enums().filter(|names| names.package_name() == package).collect();
        Self { comments: Comments::new(pool), names: Names::new(&messages, &enums), definitions: Map::new() }
    }

    pub(super) fn finish(self) -> Map<String, Value> {
        self.definitions
    }

    pub(super) fn definition(&mut self, name: &str) -> Option<&mut Value> {
        self.definitions.get_mut(name)
    }

    /// A reference to a definition, which is made unless it is there.
    pub(super) fn refer(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.definitions.contains_key(name) {
            // It must be there before it is made: messages can hold themselves.
            self.definitions.insert(name.to_owned(), Value::Null);
            let made = make(self);
            self.definitions.insert(name.to_owned(), made);
        }
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    /// The body of every refusal.
    pub(super) fn status(&mut self) -> Value {
        self.refer(STATUS, |schemas| {
            json!({
                "type": "object",
                "properties": {
                    "code": { "type": "integer", "format": "int32", "description": "The gRPC code." },
                    "message": { "type": "string" },
                    "details": { "type": "array", "items": schemas.any() },
                },
            })
        })
    }

    fn any(&mut self) -> Value {
        self.refer(ANY, |_| {
            json!({
                "type": "object",
                "properties": { "@type": { "type": "string" } },
                "additionalProperties": {},
            })
        })
    }

    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        match message.full_name() {
            "google.rpc.Status" => self.status(),
            "google.protobuf.Any" => self.any(),
            "google.protobuf.Empty" | "google.protobuf.Struct" => json!({ "type": "object" }),
            "google.protobuf.Value" => json!({}),
            "google.protobuf.ListValue" => json!({ "type": "array", "items": {} }),
            "google.protobuf.Timestamp" => json!({ "type": "string", "format": "date-time" }),
            "google.protobuf.Duration" | "google.protobuf.FieldMask" => json!({ "type": "string" }),
            name => match message.get_field_by_name("value") {
                Some(wrapped) if name.starts_with("google.protobuf.") => self.kind(&wrapped.kind()),
                _ => self.refer(&self.names.of(name), |schemas| schemas.properties(message, &[])),
            },
        }
    }

    /// The object that a message is, without the fields that stand elsewhere in the request.
    pub(super) fn properties(&mut self, message: &MessageDescriptor, without: &[&FieldDescriptor]) -> Value {
        let fields = message.fields().filter(|field| !without.contains(&field));
        let properties: Map<_, _> = fields.map(|field| (field.name().to_owned(), self.field(&field))).collect();
        let object = json!({ "type": "object", "properties": properties });
        described(object, self.comments.of(&message.parent_file(), message.path()))
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        let schema = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                json!({ "type": "object", "additionalProperties": self.kind(&entry.map_entry_value_field().kind()) })
            }
            kind if field.is_list() => json!({ "type": "array", "items": self.kind(&kind) }),
            kind => self.kind(&kind),
        };
        described(schema, self.comment(field))
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Message(message) => self.message(message),
            Kind::Enum(names) => self.refer(&self.names.of(names.full_name()), |schemas| {
                described(choice(names), schemas.comments.of(&names.parent_file(), names.path()))
            }),
            scalar => of_scalar(scalar),
        }
    }

    pub(super) fn comment(&self, field: &FieldDescriptor) -> &str {
        self.comments.of(&field.parent_message().parent_file(), field.path())
    }
}

/// What a field is in a path or a query, where there are no references.
pub(super) fn of_text(kind: &Kind) -> Value {
    match kind {
        Kind::Enum(names) => choice(names),
        scalar => of_scalar(scalar),
    }
}

/// Adds a description, unless it is empty.
pub(super) fn described(mut schema: Value, text: &str) -> Value {
    if !text.is_empty() {
        schema["description"] = text.into();
    }
    schema
}

fn choice(names: &EnumDescriptor) -> Value {
    let values: Vec<_> = names.values().map(|value| value.name().to_owned()).collect();
    json!({ "type": "string", "enum": values, "default": names.default_value().name() })
}

/// 64-bit integers are strings: JavaScript's numbers cannot hold them.
fn of_scalar(kind: &Kind) -> Value {
    let (name, format) = match kind {
        Kind::Double => ("number", "double"),
        Kind::Float => ("number", "float"),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => ("integer", "int32"),
        Kind::Uint32 | Kind::Fixed32 => ("integer", "int64"),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => ("string", "int64"),
        Kind::Uint64 | Kind::Fixed64 => ("string", "uint64"),
        Kind::Bool => return json!({ "type": "boolean" }),
        Kind::Bytes => ("string", "byte"),
        Kind::String | Kind::Enum(_) | Kind::Message(_) => return json!({ "type": "string" }),
    };
    json!({ "type": name, "format": format })
}
