//! Whatever message there is survives its way through JSON.
use std::{collections::HashMap, path::Path, sync::LazyLock};

use proptest::prelude::*;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value,
    prost::Message as _,
};

use super::{read_message, write};

/// Every message of both API versions, and of the odd service that the other tests call.
static MESSAGES: LazyLock<Vec<MessageDescriptor>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compiler = protox::Compiler::new([root.join("../../proto"), root.join("tests/protos")]).unwrap();
    compiler.include_imports(true).open_files(["echo.proto", "shelf.proto"]).unwrap();
    for version in ["backend/api/v1beta1", "backend/api/v2beta1"] {
        for file in std::fs::read_dir(root.join("../../proto").join(version)).unwrap() {
            compiler.open_file(format!("{version}/{}", file.unwrap().file_name().display())).unwrap();
        }
    }
    let pool = DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap();
    let of_google = |message: &MessageDescriptor| message.package_name().starts_with("google.");
    pool.all_messages().filter(|message| !message.is_map_entry() && !of_google(message)).collect()
});

/// Numbers that decide what a message is. When they are used up everything is 0, which sets nothing more, so messages
/// end, and shorter tapes are simpler messages.
struct Tape(std::vec::IntoIter<u64>);

impl Tape {
    fn next(&mut self) -> u64 {
        self.0.next().unwrap_or_default()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.next()).unwrap() % from.len()].clone()
    }

    fn message(&mut self, message: &MessageDescriptor) -> DynamicMessage {
        let mut made = DynamicMessage::new(message.clone());
        match message.full_name() {
            "google.protobuf.Timestamp" => {
                // The first second of year 1 to the last of 9999, which is what the format can write.
                let seconds = i64::try_from(self.next() % 315_537_897_600).unwrap() - 62_135_596_800;
                made.set_field_by_name("seconds", Value::I64(seconds));
                made.set_field_by_name("nanos", Value::I32(i32::try_from(self.next() % 1_000_000_000).unwrap()));
            }
            "google.protobuf.Value" => self.value(&mut made),
            "google.protobuf.Any" => {
                let inner = message.parent_pool().get_message_by_name("google.rpc.Status").unwrap();
                made.set_field_by_name("type_url", Value::String("type.googleapis.com/google.rpc.Status".to_owned()));
                made.set_field_by_name("value", Value::Bytes(self.message(&inner).encode_to_vec().into()));
            }
            _ => {
                for field in message.fields() {
                    if !self.next().is_multiple_of(3) {
                        made.set_field(&field, self.field(&field));
                    }
                }
            }
        }
        made
    }

    /// A value always is something: JSON has no other.
    fn value(&mut self, made: &mut DynamicMessage) {
        let kinds = ["null_value", "number_value", "string_value", "bool_value", "struct_value", "list_value"];
        let kind = made.descriptor().get_field_by_name(self.pick(&kinds)).unwrap();
        let value = self.field(&kind);
        // JSON has no number for these.
        let finite = value.as_f64().is_none_or(f64::is_finite);
        made.set_field(&kind, if finite { value } else { Value::F64(0.5) });
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        let many = self.next() % 4;
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let value = entry.map_entry_value_field().kind();
                let pairs = (0..many).map(|_| (MapKey::String(self.text()), self.single(&value)));
                Value::Map(pairs.collect::<HashMap<_, _>>())
            }
            kind if field.is_list() => Value::List((0..many).map(|_| self.single(&kind)).collect()),
            kind => self.single(&kind),
        }
    }

    fn single(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Double => Value::F64(f64::from_bits(self.pick(&DOUBLES.map(f64::to_bits)))),
            Kind::Float => Value::F32(self.pick(&[0.0, -1.5, 0.1, 1e30, f32::INFINITY])),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.pick(&[0, 1, -1, i32::MIN, i32::MAX])),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.next().cast_signed()),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.pick(&[0, 1, u32::MAX])),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.next()),
            Kind::Bool => Value::Bool(self.next() % 2 == 1),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes(self.next().to_le_bytes()[..self.pick(&[0, 1, 2, 3, 8])].to_vec().into()),
            Kind::Message(message) => Value::Message(self.message(message)),
            Kind::Enum(names) => {
                let mut numbers: Vec<_> = names.values().map(|value| value.number()).collect();
                // One that a newer client could send.
                numbers.extend((names.full_name() != "google.protobuf.NullValue").then_some(9999));
                Value::EnumNumber(self.pick(&numbers))
            }
        }
    }

    fn text(&mut self) -> String {
        let pieces = ["", "a", "@type", "1", "null", "\"", "\\", "\0", "\u{1f}", "\u{2028}", "é", "😀", "a.b", " "];
        (0..self.next() % 3).map(|_| self.pick(&pieces)).collect()
    }
}

const DOUBLES: [f64; 13] = [
    0.0,
    -0.0,
    1.0,
    -7.0,
    0.1,
    1e15,
    999_999_999_999_999.0,
    1e300,
    f64::MIN_POSITIVE,
    9_007_199_254_740_993.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    5e-324,
];

/// Objects have no order, and maps are written in any.
fn json(message: &DynamicMessage) -> (String, serde_json::Value) {
    let text = String::from_utf8(write(message).unwrap()).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn json_says_everything(which in any::<prop::sample::Index>(), tape in prop::collection::vec(any::<u64>(), 0..120)) {
        let message = Tape(tape.into_iter()).message(which.get(&MESSAGES));
        let (text, first) = json(&message);
        let read = read_message(message.descriptor(), &text).map_err(|status| {
            TestCaseError::fail(format!("{}: {}\n{text}", message.descriptor().full_name(), status.message()))
        })?;
        prop_assert_eq!(json(&read).1, first);
        // What is left out when it is written is what is not there after it was read.
        let sent = DynamicMessage::decode(message.descriptor(), message.encode_to_vec().as_slice()).unwrap();
        prop_assert_eq!(read, sent);
    }
}
