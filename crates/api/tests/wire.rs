//! The wire is KFP's: every RPC, route, field, number, type and enum value that KFP 2.17 has is in our protos, the same,
//! and what is there besides is ours and numbered so that it cannot collide.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
};
use std::collections::BTreeSet;

/// KFP's own.
const TABLE: &str = include_str!("wire.txt");
const PACKAGES: [&str; 2] = ["api", "kubeflow.pipelines.backend.api.v2beta1"];
/// Fields of our own in messages of KFP begin here.
const OURS: u32 = 15_000;

#[test]
fn protos_have_the_wire_of_kfp() {
    let table: BTreeSet<String> = TABLE.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    assert!(table.len() > 600, "the table has {} lines only", table.len());
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let protos = lines(&pool);
    let missing: Vec<_> = table.difference(&protos).collect();
    let more: Vec<_> = protos.difference(&table).collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "KFP has and we lack: {missing:#?}\nwe have and KFP lacks: {more:#?}"
    );
}

#[test]
fn fields_of_our_own_are_few_and_far() {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let ours: BTreeSet<String> = kfp(&pool)
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter(|field| field.number() >= OURS)
        .map(|field| format!("{} {}", field.name(), field.number()))
        .collect();
    let expect = ["clear_tags 15000", "created_by 15000", "run_id 15000", "time_zone 15000"];
    assert_eq!(ours.iter().map(String::as_str).collect::<Vec<_>>(), expect);
}

fn kfp(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.all_messages().filter(|message| PACKAGES.contains(&message.package_name()) && !message.is_map_entry())
}

fn lines(pool: &DescriptorPool) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for message in kfp(pool) {
        let name = message.full_name();
        let fields = message.fields().filter(|field| field.number() < OURS);
        lines.extend(fields.map(|field| format!("{name} {} {}: {}", field.number(), field.name(), of_field(&field))));
    }
    for item in pool.all_enums().filter(|item| PACKAGES.contains(&item.package_name())) {
        lines.extend(item.values().map(|value| format!("{} {}={}", item.full_name(), value.name(), value.number())));
    }
    for service in pool.services().filter(|service| PACKAGES.contains(&service.package_name())) {
        lines.extend(service.methods().map(|rpc| of_rpc(pool, &rpc)));
    }
    lines.into_iter().map(|line: String| line.replace("kubeflow.pipelines.backend.api.v2beta1.", "v2beta1.")).collect()
}

/// A name as a message of the same package would write it.
fn relative(package: &str, name: &str) -> String {
    name.strip_prefix(&format!("{package}.")).unwrap_or(name).to_owned()
}

fn of_field(field: &FieldDescriptor) -> String {
    let message = field.parent_message();
    let package = message.package_name();
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { panic!("a map is a message") };
        let value = of_kind(package, &entry.map_entry_value_field().kind());
        return format!("map<{}, {value}>", of_kind(package, &entry.map_entry_key_field().kind()));
    }
    let kind = of_kind(package, &field.kind());
    match (field.cardinality(), field.containing_oneof()) {
        (Cardinality::Repeated, _) => format!("{kind} repeated"),
        (_, Some(oneof)) if oneof.is_synthetic() => format!("{kind} optional"),
        (_, Some(oneof)) => format!("{kind} oneof {}", oneof.name()),
        _ => kind,
    }
}

fn of_kind(package: &str, kind: &Kind) -> String {
    let of_enum = |item: &EnumDescriptor| format!("enum {}", relative(package, item.full_name()));
    match kind {
        Kind::Message(message) => relative(package, message.full_name()),
        Kind::Enum(item) => of_enum(item),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

fn of_rpc(pool: &DescriptorPool, rpc: &MethodDescriptor) -> String {
    let (service, package) = (rpc.parent_service(), rpc.parent_file().package_name().to_owned());
    let options = rpc.options();
    let http = options.get_extension(&pool.get_extension_by_name("google.api.http").unwrap());
    let text = |name: &str| {
        let field = http.as_message().unwrap().get_field_by_name(name);
        field.and_then(|value| value.as_str().map(str::to_owned)).filter(|text| !text.is_empty())
    };
    let verbs = ["get", "post", "put", "patch", "delete"];
    let (verb, path) = verbs.into_iter().find_map(|verb| Some((verb, text(verb)?))).unwrap();
    let body = text("body").map(|body| format!(" body={body}")).unwrap_or_default();
    assert!(!rpc.is_server_streaming() && !rpc.is_client_streaming(), "{} streams", rpc.full_name());
    format!(
        "{}.{}({}) {} {} {path}{body}",
        service.full_name(),
        rpc.name(),
        relative(&package, rpc.input().full_name()),
        relative(&package, rpc.output().full_name()),
        verb.to_uppercase(),
    )
}
