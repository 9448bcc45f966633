//! Writes the Rust of access rules and handler traits.
use crate::{
    names::{camel, snake},
    rule::MethodRule,
};
use prost_build::{Method, Service};
use std::collections::BTreeMap;

/// One marker type and one `access::Rule` for each RPC.
pub(crate) fn rules(service: &Service, rules: &BTreeMap<String, MethodRule>, buf: &mut String) {
    let module = format!("{}_rpc", snake(&service.name));
    buf.push_str(&format!("/// One type for each RPC of `{}`.\npub mod {module} {{\n", service.proto_name));
    for method in &service.methods {
        let name = camel(&method.proto_name);
        buf.push_str(&format!("/// The RPC `{name}`.\n#[derive(Clone, Copy, Debug)]\npub struct {name};\n"));
    }
    buf.push_str("}\n");
    for method in &service.methods {
        let full = format!("{}.{}.{}", service.package, service.proto_name, method.proto_name);
        let rule = &rules[&full];
        let marker = format!("{module}::{}", camel(&method.proto_name));
        let (kind, checks) = checks(rule);
        buf.push_str(&format!(
            "impl crate::access::Rule for {marker} {{\n\
             const PATH: &'static str = \"/{}.{}/{}\";\n\
             type Request = {};\n\
             type Checks<'a> = {kind};\n\
             #[allow(clippy::all, deprecated, unused_variables)]\n\
             fn checks(req: &Self::Request) -> Self::Checks<'_> {{ {checks} }}\n}}\n",
            service.package, service.proto_name, method.proto_name, method.input_type,
        ));
        for (slot, (verb, resource, may)) in rule.grants.iter().enumerate().filter(|(_, grant)| !grant.0.is_empty()) {
            let kind = if *may { "MayGrant" } else { "Grants" };
            buf.push_str(&format!(
                "impl crate::access::{kind}<crate::access::verb::{}, crate::access::resource::{}> for {marker} {{ \
                 const SLOT: usize = {slot}; }}\n",
                camel(verb),
                camel(resource)
            ));
        }
        if let Some((verb, resource)) = &rule.reach {
            buf.push_str(&format!(
                "impl crate::access::Reaches<crate::access::verb::{}, crate::access::resource::{}> for {marker} {{}}\n",
                camel(verb),
                camel(resource)
            ));
        }
    }
}

/// The type of a rule's checks, and the expression that makes them: an array, unless how many there are is up to the
/// request.
fn checks(rule: &MethodRule) -> (String, String) {
    if rule.checks.iter().all(|check| check.each.is_none()) {
        let all: String = rule.checks.iter().map(|check| format!("{},\n", check.expr)).collect();
        return (format!("[crate::access::Check<'a>; {}]", rule.checks.len()), format!("[\n{all}]"));
    }
    let pushed = rule.checks.iter().map(|check| match &check.each {
        None => format!("checks.push({});\n", check.expr),
        Some(ids) => format!("crate::access::each(&mut checks, {ids}, |id| {});\n", check.expr),
    });
    let pushed: String = pushed.collect();
    ("Vec<crate::access::Check<'a>>".to_owned(), format!("let mut checks = Vec::new();\n{pushed}checks"))
}

/// A handler trait that cannot be reached without admission, and the adapter that admits.
pub(crate) fn handlers(service: &Service, buf: &mut String) {
    let (name, module) = (&service.name, snake(&service.name));
    buf.push_str(&format!(
        "/// What `{name}` does once a call is admitted.\n\
         pub trait {name}Handlers<A: crate::access::Admit>: Send + Sync + 'static {{\n"
    ));
    for method in &service.methods {
        let doc: String = method.comments.leading.iter().map(|line| format!("///{line}\n")).collect();
        buf.push_str(&format!(
            "{doc}fn {}(&self, scope: A::Scope<{}>, req: {}) -> impl ::std::future::Future<Output = \
             ::domain::Result<{}>> + Send;\n",
            method.name,
            marker(&module, method),
            method.input_type,
            output(method, "::futures::stream::BoxStream<'static, ::domain::Result<", ">>")
        ));
    }
    buf.push_str(&format!(
        "}}\n#[::tonic::async_trait]\nimpl<A: crate::access::Admit, T: {name}Handlers<A>> {module}_server::{name} for \
         crate::access::Guarded<A, T> {{\n"
    ));
    for method in &service.methods {
        let mut reply = method.output_type.clone();
        let mut map = "::tonic::Response::new(reply)".to_owned();
        if method.server_streaming {
            let stream = format!("{}Stream", camel(&method.proto_name));
            buf.push_str(&format!("type {stream} = {};\n", output(method, "::tonic::codegen::BoxStream<", ">")));
            reply = format!("Self::{stream}");
            map = "::tonic::Response::new(crate::access::statuses(reply))".to_owned();
        }
        buf.push_str(&format!(
            "async fn {0}(&self, req: ::tonic::Request<{1}>) -> Result<::tonic::Response<{reply}>, ::tonic::Status> {{\n\
             let scope = self.admit::<{2}>(&req).await?;\n\
             let reply = self.handlers.{0}(scope, req.into_inner()).await.map_err(crate::status::from_error)?;\n\
             Ok({map})\n}}\n",
            method.name,
            method.input_type,
            marker(&module, method)
        ));
    }
    buf.push_str("}\n");
}

fn marker(module: &str, method: &Method) -> String {
    format!("{module}_rpc::{}", camel(&method.proto_name))
}

/// The reply's type; `open` and `close` wrap what is streamed.
fn output(method: &Method, open: &str, close: &str) -> String {
    if method.server_streaming { format!("{open}{}{close}", method.output_type) } else { method.output_type.clone() }
}
