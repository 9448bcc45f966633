//! Reads `(bulkhead.access.v1.rule)` and checks that it makes sense for its RPC.
use crate::{
    field::{Shape, access, enum_name, is_list},
    names::camel,
};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MethodDescriptor, ReflectMessage, Value};
use std::collections::BTreeMap;

/// `Scope` has room for this many distinct grants.
const MAX_GRANTS: usize = 6;

/// The rule of one RPC, ready to be written as Rust.
#[derive(Debug)]
pub struct MethodRule {
    pub checks: Vec<CheckDef>,
    /// Distinct (verb, resource, may be absent), in slot order. Without a verb it is no grant, only a slot.
    pub grants: Vec<(String, String, bool)>,
    /// The verb and the resource of the check that reaches several namespaces.
    pub reach: Option<(String, String)>,
}

/// One check.
#[derive(Debug)]
pub struct CheckDef {
    /// A Rust expression over `req` of type `access::Check`; over `id` too, if it is one of several.
    pub expr: String,
    /// A Rust expression over `req` of type `&[String]`: ids, each of which makes a check.
    pub each: Option<String>,
}

/// Every RPC's rule by full name, or every mistake found.
///
/// # Errors
/// One text for each mistake, naming the RPC and its file.
pub fn rules(pool: &DescriptorPool) -> Result<BTreeMap<String, MethodRule>, Vec<String>> {
    let Some(extension) = pool.get_extension_by_name("bulkhead.access.v1.rule") else {
        return Err(vec!["bulkhead/access/v1/access.proto is not part of the build".into()]);
    };
    let (mut found, mut errors) = (BTreeMap::new(), twins(pool));
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let options = method.options();
        let rule = if options.has_extension(&extension) {
            let value = options.get_extension(&extension);
            value.as_message().ok_or("the rule is not a message".to_owned()).and_then(|rule| method_rule(&method, rule))
        } else {
            Err("has no (bulkhead.access.v1.rule)".into())
        };
        match rule {
            Ok(rule) => drop(found.insert(method.full_name().to_owned(), rule)),
            Err(why) => errors.push(format!("rpc {} in {}: {why}", method.full_name(), method.parent_file().name())),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// protox accepts two extensions with one number, and then options read as either.
fn twins(pool: &DescriptorPool) -> Vec<String> {
    let (mut numbers, mut errors) = (BTreeMap::new(), Vec::new());
    for extension in pool.all_extensions() {
        let key = (extension.containing_message().full_name().to_owned(), extension.number());
        let name = extension.full_name().to_owned();
        if let Some(other) = numbers.insert(key, name.clone()) {
            errors.push(format!("extensions {other} and {name} share number {}", extension.number()));
        }
    }
    errors
}

fn method_rule(method: &MethodDescriptor, rule: &DynamicMessage) -> Result<MethodRule, String> {
    let checks = rule.get_field_by_name("checks").ok_or("no checks field")?;
    let checks: Vec<&DynamicMessage> = checks.as_list().into_iter().flatten().filter_map(Value::as_message).collect();
    if checks.is_empty() {
        return Err("has a rule without checks".into());
    }
    let (mut out, mut grants, mut reach) = (Vec::new(), Vec::new(), None);
    for check in &checks {
        let (place, value) = place(check)?;
        if matches!(place.name(), "public" | "authenticated") {
            if !text(check, "verb").is_empty() || !text(check, "resource").is_empty() || checks.len() > 1 {
                return Err(format!("says `{}` beside another condition", place.name()));
            }
            out.push(CheckDef { expr: format!("crate::access::Check::{}", camel(place.name())), each: None });
            continue;
        }
        if place.name() == "wherever" && reach.replace((text(check, "verb"), text(check, "resource"))).is_some() {
            return Err("has two checks that say `wherever`".into());
        }
        out.push(at(method, check, &place, &value, &mut grants)?);
    }
    if grants.len() > MAX_GRANTS {
        return Err(format!("has more than {MAX_GRANTS} grants"));
    }
    Ok(MethodRule { checks: out, grants, reach })
}

fn text(check: &DynamicMessage, name: &str) -> String {
    check.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn place(check: &DynamicMessage) -> Result<(FieldDescriptor, Value), String> {
    let oneof = check.descriptor().oneofs().find(|oneof| oneof.name() == "where").ok_or("no `where` oneof")?;
    let place = oneof.fields().find(|field| check.has_field(field)).ok_or("has a check that does not say where")?;
    let value = check.get_field(&place).into_owned();
    if value.as_bool() == Some(false) {
        return Err(format!("says `{}: false`", place.name()));
    }
    Ok((place, value))
}

/// A check that yields a grant in a place.
fn at(
    method: &MethodDescriptor,
    check: &DynamicMessage,
    place: &FieldDescriptor,
    value: &Value,
    grants: &mut Vec<(String, String, bool)>,
) -> Result<CheckDef, String> {
    let (verb, resource) = (text(check, "verb"), text(check, "resource"));
    let verb_field = text(check, "verb_field");
    if !verb.is_empty() && !verb_field.is_empty() {
        return Err("has a check with both verb and verb_field".into());
    }
    if verb.is_empty() && verb_field.is_empty() || resource.is_empty() {
        return Err("has a check without verb or resource".into());
    }
    let empty = match check.get_field_by_name("when_empty").and_then(|value| value.as_enum_number()) {
        Some(1) => "Skip",
        Some(2) => "Shared",
        Some(3) => "Placed",
        _ => "Refuse",
    };
    let about = match check.get_field_by_name("refers").and_then(|value| value.as_enum_number()) {
        Some(1) => "ServiceAccount",
        Some(2) => "Pipeline",
        _ => "Itself",
    };
    if about != "Itself" && (empty != "Skip" || !matches!(place.name(), "run_field" | "recurring_run_field")) {
        return Err("says `refers` without `when_empty: SKIP`, or of what refers to nothing".into());
    }
    let if_held = check.get_field_by_name("if_held").and_then(|value| value.as_bool()).unwrap_or_default();
    let may = empty == "Skip" || if_held;
    let is_wherever = place.name() == "wherever";
    if is_wherever && (verb.is_empty() || if_held || !matches!(empty, "Skip" | "Refuse")) {
        return Err("says `wherever` of what is not held in a namespace".into());
    }
    let slot = match grants.iter().position(|(v, r, _)| (v, r) == (&verb, &resource)) {
        // What it yields is no grant of one place.
        _ if is_wherever => 0,
        Some(slot) if grants[slot].2 != may => {
            return Err(format!("grants {verb} {resource} both optionally and not"));
        }
        Some(slot) => slot,
        None => {
            grants.push((verb.clone(), resource.clone(), may));
            grants.len() - 1
        }
    };
    let path = value.as_str().unwrap_or_default();
    let may_be_list = matches!(place.name(), "run_field" | "task_field" | "artifact_field");
    let each = match may_be_list && is_list(method, path) {
        true => Some(access(method, path, Shape::Texts)?),
        false => None,
    };
    let rust = |shape| if each.is_some() { Ok("id".to_owned()) } else { access(method, path, shape) };
    let at = match place.name() {
        "cluster" => "Place::Cluster".to_owned(),
        "wherever" => "Place::Wherever".to_owned(),
        "namespace_field" => format!("Place::Namespace({})", rust(Shape::Text)?),
        "experiment_field" => format!("Place::Experiment({})", rust(Shape::Text)?),
        "run_field" => format!("Place::Run({})", rust(Shape::Text)?),
        "pipeline_field" => format!("Place::Pipeline({})", rust(Shape::Text)?),
        "pipeline_version_field" => format!("Place::PipelineVersion({})", rust(Shape::Text)?),
        "recurring_run_field" => format!("Place::RecurringRun({})", rust(Shape::Text)?),
        "task_field" => format!("Place::Task({})", rust(Shape::Text)?),
        "artifact_field" => format!("Place::Artifact({})", rust(Shape::Text)?),
        "recurring_run_references_field" => format!("refs::recurring_run({})", rust(Shape::List)?),
        "references_field" => format!("refs::home({})", rust(Shape::List)?),
        "version_references_field" => format!("refs::pipeline_version({})", rust(Shape::List)?),
        "pipeline_references_field" => format!("refs::pipeline({})", rust(Shape::List)?),
        "reference_key_field" => format!("refs::key({})", rust(Shape::Message)?),
        other => return Err(format!("uses `{other}`, which the generator does not know")),
    };
    let name = match text(check, "name_field") {
        path if path.is_empty() => "None".to_owned(),
        path => format!("Some({})", access(method, &path, Shape::Text)?),
    };
    let resource = camel(&resource);
    let at = |verb: &str| {
        format!(
            "crate::access::Check::At(crate::access::At {{ verb: {verb}, \
             resource: crate::access::Resource::{resource}, place: crate::access::{at}, name: {name}, \
             empty: crate::access::Empty::{empty}, \
             about: crate::access::About::{about}, if_held: {if_held}, slot: {slot} }})"
        )
    };
    let expr = match verb_field.as_str() {
        "" => at(&format!("crate::access::Verb::{}", camel(&verb))),
        field => format!(
            "match crate::access::refs::verb({}) {{ Some(verb) => {}, None => crate::access::Check::Unsaid(\"a verb\") }}",
            enum_name(method, field)?,
            at("verb")
        ),
    };
    Ok(CheckDef { expr, each })
}
