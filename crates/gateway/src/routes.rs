//! Which RPC a method and a path mean, as the `google.api.http` rules say.
use std::{collections::HashMap, sync::Arc};

use http::Method;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};

use crate::{
    Error,
    fields::{FieldPath, is_scalar},
};

/// All routes, by method.
pub(crate) struct Table(HashMap<Method, matchit::Router<Arc<Route>>>);

/// One RPC as one path reaches it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) rpc: MethodDescriptor,
    pub(crate) body: BodyRule,
    /// The fields that the path's parameters fill, in order.
    pub(crate) parameters: Vec<FieldPath>,
}

/// What of the request the HTTP body is.
#[derive(Clone, Debug)]
pub(crate) enum BodyRule {
    None,
    /// A message field, or a string field.
    Field(FieldDescriptor),
    Whole,
}

/// What a method and a path mean.
pub(crate) enum Lookup<'t, 'p> {
    /// A route, and the raw texts of its path parameters.
    Found(&'t Route, Vec<&'p str>),
    /// Nothing, but another method means something on this path.
    OtherMethod,
    Unknown,
}

/// One `google.api.http` rule: where a route is.
pub(crate) struct Rule {
    pub(crate) method: Method,
    /// The path as the `.proto` has it.
    pub(crate) template: String,
    /// The path as the router takes it.
    pattern: String,
    pub(crate) route: Route,
}

impl Table {
    pub(crate) fn new(descriptors: &[u8]) -> Result<Self, Error> {
        let mut table = Self(HashMap::new());
        for Rule { method, template, pattern, route } in rules(&DescriptorPool::decode(descriptors)?)? {
            let rpc = route.rpc.full_name().to_owned();
            let inserted = table.0.entry(method.clone()).or_default().insert(pattern, Arc::new(route));
            inserted.map_err(|source| Error::Route { rpc, method, path: template, source })?;
        }
        Ok(table)
    }

    pub(crate) fn find<'t, 'p>(&'t self, method: &Method, path: &'p str) -> Lookup<'t, 'p> {
        if let Some(hit) = self.0.get(method).and_then(|routes| routes.at(path).ok()) {
            return Lookup::Found(hit.value, hit.params.iter().map(|(_, text)| text).collect());
        }
        if self.0.values().any(|routes| routes.at(path).is_ok()) { Lookup::OtherMethod } else { Lookup::Unknown }
    }
}

/// Every rule of every RPC, in the order of the `.proto`s.
pub(crate) fn rules(pool: &DescriptorPool) -> Result<Vec<Rule>, Error> {
    let http = pool.get_extension_by_name("google.api.http").ok_or(Error::NoAnnotations)?;
    let mut rules = Vec::new();
    for rpc in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let options = rpc.options();
        let Some(rule) = options.has_extension(&http).then(|| options.get_extension(&http)) else { continue };
        let Some(rule) = rule.as_message() else { continue };
        rules.push(Rule::parse(&rpc, rule)?);
        let more = rule.get_field_by_name("additional_bindings");
        for rule in more.iter().filter_map(|rules| rules.as_list()).flatten().filter_map(Value::as_message) {
            rules.push(Rule::parse(&rpc, rule)?);
        }
    }
    Ok(rules)
}

impl Rule {
    fn parse(rpc: &MethodDescriptor, rule: &DynamicMessage) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Rule { rpc: rpc.full_name().to_owned(), reason };
        if rpc.is_client_streaming() {
            let text = "an RPC whose request is a stream has no HTTP form; take its google.api.http rule away";
            return Err(refuse(text.to_owned()));
        }
        if !text(rule, "response_body").is_empty() {
            return Err(refuse("response_body is not supported".to_owned()));
        }
        let verbs = [
            ("get", Method::GET),
            ("put", Method::PUT),
            ("post", Method::POST),
            ("delete", Method::DELETE),
            ("patch", Method::PATCH),
        ];
        let pattern = verbs.into_iter().find(|(verb, _)| !text(rule, verb).is_empty());
        let Some((verb, method)) = pattern else {
            return Err(refuse("the rule needs one of get, put, post, delete and patch".to_owned()));
        };
        let template = text(rule, verb);
        let (pattern, parameters) = parse(&template, &rpc.input()).map_err(refuse)?;
        let body = BodyRule::parse(&text(rule, "body"), &rpc.input()).map_err(refuse)?;
        Ok(Self { method, template, pattern, route: Route { rpc: rpc.clone(), body, parameters } })
    }
}

impl BodyRule {
    fn parse(text: &str, input: &MessageDescriptor) -> Result<Self, String> {
        match text {
            "" => Ok(Self::None),
            "*" => Ok(Self::Whole),
            name => {
                let field = input.get_field_by_name(name).ok_or_else(|| format!("body: no field {name}"))?;
                let fits = !field.is_list() && !field.is_map();
                match field.kind() {
                    Kind::Message(_) | Kind::String if fits => Ok(Self::Field(field)),
                    _ => Err(format!("body: {name} is neither a message nor a string")),
                }
            }
        }
    }
}

/// Turns a path template into a pattern for the router and the fields of its parameters.
///
/// The router's own names are `p0`, `p1` and so on: field paths have dots in them, and two templates may name the
/// parameter in the same place differently.
fn parse(template: &str, input: &MessageDescriptor) -> Result<(String, Vec<FieldPath>), String> {
    let mut pattern = String::new();
    let mut parameters = Vec::new();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| format!("{template}: a brace is not closed"))?;
        let field = FieldPath::resolve(input, name).ok_or_else(|| format!("{template}: no field {name}"))?;
        if field.leaf().is_list() || !is_scalar(&field.leaf().kind()) {
            return Err(format!("{template}: {name} has no form in a path"));
        }
        pattern.push_str(&format!("{literal}{{p{}}}", parameters.len()));
        parameters.push(field);
        rest = after;
    }
    pattern.push_str(rest);
    if !template.starts_with('/') || pattern.contains('*') {
        return Err(format!("{template}: paths begin with a slash, and wildcards are not supported"));
    }
    Ok((pattern, parameters))
}

fn text(rule: &DynamicMessage, field: &str) -> String {
    rule.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
