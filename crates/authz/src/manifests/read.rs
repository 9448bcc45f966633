//! One file of manifests: which objects it has, and what is wrong with them.
use super::{
    objects::{Key, Objects, Profile, Role, RoleBinding, RoleRef},
    selector::Selector,
    subject::{RBAC, subject},
    tree::{Node, Wrong},
};
use crate::problem::{Place, Problem};
use access::PolicyRule;
use domain::Namespace;
use k8s_openapi::{api::rbac::v1, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde_saphyr::UserMessageFormatter;
use std::{collections::HashMap, path::Path};

/// The API group of profiles.
const KUBEFLOW: &str = "kubeflow.org";

/// The objects of a file.
///
/// # Errors
/// Everything that is wrong: the first error of syntax, or the first error of each object.
pub(crate) fn read(path: &Path, text: &str) -> Result<Objects, Vec<Problem>> {
    let documents = Node::documents(text).map_err(|error| vec![syntax(path, &error)])?;
    let mut file = File { path, objects: Objects::default(), problems: Vec::new(), seen: HashMap::new() };
    for (index, document) in documents.iter().enumerate() {
        file.object(&format!("document {}", index + 1), document);
    }
    if file.problems.is_empty() { Ok(file.objects) } else { Err(file.problems) }
}

fn syntax(path: &Path, error: &serde_saphyr::Error) -> Problem {
    let place = error.location().map(|at| Place { line: at.line(), column: at.column() });
    let mut what = format!("this is not YAML: {}", error.render_with_formatter(&UserMessageFormatter));
    // The place stands before the text already.
    if let Some(Place { line, column }) = place
        && let Some(short) = what.strip_suffix(&format!(" at line {line}, column {column}"))
    {
        what.truncate(short.len());
    }
    Problem { path: path.to_owned(), place, what }
}

struct File<'a> {
    path: &'a Path,
    objects: Objects,
    problems: Vec<Problem>,
    seen: HashMap<Key, Place>,
}

impl File<'_> {
    /// Adds one object, or the problem with it. `label` says to a person which one is meant.
    fn object(&mut self, label: &str, node: &Node) {
        let (Some(version), Some(kind)) = (node.text("apiVersion"), node.text("kind")) else {
            let what = "every object has a text `apiVersion` and a text `kind`, and one of them is missing";
            return self.wrong(label, node, &Wrong::new("", what));
        };
        if (version, kind) == ("v1", "List") {
            let Some(items) = node.list("items") else {
                return self.wrong(label, node, &Wrong::new("/items", "a List has a list of `items`"));
            };
            for (index, item) in items.iter().enumerate() {
                self.object(&format!("{label}, items[{index}]"), item);
            }
            return;
        }
        let name = node.seek("/metadata").text("name").unwrap_or_default();
        let label = format!("{label}, {kind} {name:?}");
        let (group, _) = version.split_once('/').unwrap_or_default();
        let added = match (group, kind) {
            (KUBEFLOW, "Profile") => self.profile(version, node),
            (RBAC, "Role") => self.role(node),
            (RBAC, "ClusterRole") => self.cluster_role(node),
            (RBAC, "RoleBinding") => self.role_binding(node),
            (RBAC, "ClusterRoleBinding") => self.cluster_role_binding(node),
            (KUBEFLOW | RBAC, _) => Err(Wrong::new(
                "/kind",
                format!(
                    "{version} {kind} is not understood: of these API groups, Profile, Role, ClusterRole, \
                     RoleBinding and ClusterRoleBinding are. Move it to another folder"
                ),
            )),
            _ => {
                tracing::info!(path = %self.path.display(), "ignored {version} {kind} {name:?}: it grants nothing here");
                Ok(())
            }
        };
        if let Err(wrong) = added {
            self.wrong(&label, node, &wrong);
        }
    }

    fn wrong(&mut self, label: &str, node: &Node, wrong: &Wrong) {
        let place = Some(node.seek(&wrong.at).place);
        self.problems.push(Problem { path: self.path.to_owned(), place, what: format!("{label}: {}", wrong.what) });
    }

    fn profile(&mut self, version: &str, node: &Node) -> Result<(), Wrong> {
        if !matches!(version, "kubeflow.org/v1" | "kubeflow.org/v1beta1") {
            let what = format!("a Profile is of kubeflow.org/v1 or kubeflow.org/v1beta1, not of {version}");
            return Err(Wrong::new("/apiVersion", what));
        }
        let profile: crate::Profile = node.typed()?;
        let name = self.claim("Profile", None, &profile.metadata, node)?;
        let namespace = Namespace::parse(&name).map_err(|error| Wrong::new("/metadata/name", error.message()))?;
        let owner = subject(&profile.spec.owner).map_err(within("/spec/owner"))?;
        self.objects.profiles.push(Profile { namespace, owner, failed: profile.has_failed() });
        Ok(())
    }

    fn role(&mut self, node: &Node) -> Result<(), Wrong> {
        let role: v1::Role = node.typed()?;
        let namespace = namespace(&role.metadata)?;
        let name = self.claim("Role", Some(&namespace), &role.metadata, node)?;
        let rules = rules(role.rules)?;
        let labels = role.metadata.labels.unwrap_or_default();
        self.objects.roles.push(Role { namespace: Some(namespace), name, labels, rules, aggregates: None });
        Ok(())
    }

    fn cluster_role(&mut self, node: &Node) -> Result<(), Wrong> {
        let role: v1::ClusterRole = node.typed()?;
        let name = self.claim("ClusterRole", None, &role.metadata, node)?;
        let rules = rules(role.rules)?;
        let aggregates = role.aggregation_rule.map(|rule| {
            let selectors = rule.cluster_role_selectors.unwrap_or_default();
            let parse = |(index, selector)| {
                let at = format!("/aggregationRule/clusterRoleSelectors/{index}");
                Selector::parse(selector).map_err(|what| Wrong::new(at, what))
            };
            selectors.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()
        });
        let aggregates = aggregates.transpose()?;
        let labels = role.metadata.labels.unwrap_or_default();
        self.objects.roles.push(Role { namespace: None, name, labels, rules, aggregates });
        Ok(())
    }

    fn role_binding(&mut self, node: &Node) -> Result<(), Wrong> {
        let binding: v1::RoleBinding = node.typed()?;
        let namespace = namespace(&binding.metadata)?;
        let name = self.claim("RoleBinding", Some(&namespace), &binding.metadata, node)?;
        let role = role_ref(&binding.role_ref)?;
        let subjects = subjects(binding.subjects)?;
        self.objects.bindings.push(RoleBinding { namespace: Some(namespace), name, subjects, role });
        Ok(())
    }

    fn cluster_role_binding(&mut self, node: &Node) -> Result<(), Wrong> {
        let binding: v1::ClusterRoleBinding = node.typed()?;
        let name = self.claim("ClusterRoleBinding", None, &binding.metadata, node)?;
        let role = role_ref(&binding.role_ref)?;
        if matches!(role, RoleRef::Role(_)) {
            return Err(Wrong::new("/roleRef/kind", "a ClusterRoleBinding binds a ClusterRole, not a Role"));
        }
        let subjects = subjects(binding.subjects)?;
        self.objects.bindings.push(RoleBinding { namespace: None, name, subjects, role });
        Ok(())
    }

    /// The object's name, which must be the first of its kind and place in this file.
    fn claim(
        &mut self,
        kind: &'static str,
        namespace: Option<&Namespace>,
        metadata: &ObjectMeta,
        node: &Node,
    ) -> Result<String, Wrong> {
        let name = metadata.name.clone().unwrap_or_default();
        if name.is_empty() {
            return Err(Wrong::new("/metadata", "`metadata.name` is missing"));
        }
        // Kubernetes allows no more in the name of any object (apimachinery, "path segment name").
        if name.contains(['/', '%']) || matches!(name.as_str(), "." | "..") {
            return Err(Wrong::new(
                "/metadata/name",
                format!("{name:?} cannot be a name: it has '/' or '%', or is dots"),
            ));
        }
        // Whoever writes one there believes that the object reaches no further.
        if namespace.is_none() && metadata.namespace.is_some() {
            let what = format!("a {kind} is of the whole cluster and has no namespace; remove it");
            return Err(Wrong::new("/metadata/namespace", what));
        }
        let key = Key { kind, namespace: namespace.cloned(), name: name.clone() };
        if let Some(Place { line, .. }) = self.seen.insert(key.clone(), node.place) {
            return Err(Wrong::new("", format!("it is in this file before, at line {line}; keep one")));
        }
        self.objects.keys.push((key, node.place));
        Ok(name)
    }
}

fn namespace(metadata: &ObjectMeta) -> Result<Namespace, Wrong> {
    let Some(namespace) = &metadata.namespace else {
        return Err(Wrong::new("/metadata", "`metadata.namespace` is missing: say in which namespace it holds"));
    };
    Namespace::parse(namespace).map_err(|error| Wrong::new("/metadata/namespace", error.message()))
}

fn rules(rules: Option<Vec<v1::PolicyRule>>) -> Result<Vec<PolicyRule>, Wrong> {
    let check = |(index, rule): (usize, v1::PolicyRule)| {
        let rule = (
            rule.non_resource_urls.unwrap_or_default(),
            PolicyRule {
                api_groups: rule.api_groups.unwrap_or_default(),
                resources: rule.resources.unwrap_or_default(),
                verbs: rule.verbs,
                resource_names: rule.resource_names.unwrap_or_default(),
            },
        );
        let missing = match &rule {
            (_, rule) if rule.verbs.is_empty() => "verbs",
            (urls, _) if !urls.is_empty() => return Ok(rule.1),
            (_, rule) if rule.api_groups.is_empty() => "apiGroups",
            (_, rule) if rule.resources.is_empty() => "resources",
            _ => return Ok(rule.1),
        };
        Err(Wrong::new(format!("/rules/{index}"), format!("the rule lacks `{missing}`")))
    };
    rules.into_iter().flatten().enumerate().map(check).collect()
}

fn subjects(subjects: Option<Vec<v1::Subject>>) -> Result<Vec<access::Subject>, Wrong> {
    let check = |(index, named)| subject(&named).map_err(within(&format!("/subjects/{index}")));
    subjects.into_iter().flatten().enumerate().map(check).collect()
}

fn role_ref(role: &v1::RoleRef) -> Result<RoleRef, Wrong> {
    let v1::RoleRef { api_group, kind, name } = role;
    if let Some(group) = api_group.as_deref().filter(|group| !group.is_empty() && *group != RBAC) {
        return Err(Wrong::new("/roleRef/apiGroup", format!("roles are of {RBAC}, not of {group:?}")));
    }
    match kind.as_str() {
        _ if name.is_empty() => Err(Wrong::new("/roleRef", "`roleRef.name` is missing")),
        "Role" => Ok(RoleRef::Role(name.clone())),
        "ClusterRole" => Ok(RoleRef::ClusterRole(name.clone())),
        _ => Err(Wrong::new("/roleRef/kind", format!("role kind {kind:?} is unknown: it is Role or ClusterRole"))),
    }
}

/// Puts what was said of a part into the words of the whole.
fn within(at: &str) -> impl Fn(Wrong) -> Wrong {
    move |wrong| Wrong { at: format!("{at}{}", wrong.at), ..wrong }
}
