"""RBAC as docs/ACCESS.md has it, written down naively and a second time: the manifests, bindings one after another."""
from dataclasses import dataclass, field
from pathlib import Path

import yaml

# The place of what is shared, and of what is of no namespace.
SHARED, CLUSTER = "(shared)", "(cluster)"
# Whose rights on pipelines decide who writes what is shared.
SERVER_NAMESPACE = "kubeflow"
DEFAULT_SERVICE_ACCOUNT = "default-editor"
PIPELINES, KUBEFLOW = "pipelines.kubeflow.org", "kubeflow.org"
GROUPS = {"viewers": KUBEFLOW, "serviceaccounts": ""}

# "Shipped roles" in docs/ACCESS.md: what view has, and what edit adds.
VIEW = {
    "experiments": "get list", "runs": "get list readArtifact", "pipelines": "get list", "pipelineversions": "get list",
    "jobs": "get list", "visualizations": "create", "viewers": "create delete get",
}
EDIT = {
    "experiments": "archive create delete unarchive",
    "runs": "archive create delete reportMetrics retry terminate unarchive",
    "pipelines": "create delete update", "pipelineversions": "create delete update",
    "jobs": "create delete disable enable",
}


def rules(table: dict) -> list:
    return [{"apiGroups": [GROUPS.get(resource, PIPELINES)], "resources": [resource], "verbs": verbs.split()}
            for resource, verbs in table.items()]


SHIPPED = {
    "kubeflow-view": rules(VIEW), "kubeflow-pipelines-view": rules(VIEW),
    "kubeflow-edit": rules(VIEW) + rules(EDIT), "kubeflow-pipelines-edit": rules(VIEW) + rules(EDIT),
    "kubeflow-admin": rules(VIEW) + rules(EDIT),
}


@dataclass(frozen=True)
class Binding:
    # None for one that holds everywhere.
    namespace: str | None
    subjects: tuple
    rules: tuple


@dataclass
class Rbac:
    """The tenants with their owners, and all bindings, of a folder of manifests."""
    tenants: dict = field(default_factory=dict)
    bindings: list = field(default_factory=list)

    def allows(self, caller, verb: str, resource: str, place: str, name: str) -> bool:
        """Whether bindings and the caller's credentials give it, there and to an object of that name."""
        if caller.verbs and verb not in caller.verbs or not self.reaches(caller, verb, place):
            return False
        if place == SHARED and verb in ("get", "list"):
            return True
        if place not in (SHARED, CLUSTER) and place not in self.tenants:
            return False
        namespace = {SHARED: SERVER_NAMESPACE, CLUSTER: None}.get(place, place)
        return any(
            any(matches(rule, verb, resource, name) for rule in binding.rules)
            for binding in self.bindings
            if binding.namespace in (None, namespace) and any(is_subject(caller, it) for it in binding.subjects))

    def reaches(self, caller, verb: str, place: str) -> bool:
        """Whether a token for some namespaces is good for a place. What is shared is read with any, and written by way
        of the server's namespace; the cluster is beyond them all.
        """
        if not caller.namespaces or place == SHARED and verb in ("get", "list"):
            return True
        return {SHARED: SERVER_NAMESPACE}.get(place, place) in caller.namespaces

    def owned_by(self, caller) -> list:
        return [namespace for namespace, owner in self.tenants.items() if is_subject(caller, owner)]


def is_subject(caller, subject: tuple) -> bool:
    kind, name = subject
    return name == caller.user if kind == "User" else name in (*caller.groups, "system:authenticated")


def matches(rule: dict, verb: str, resource: str, name: str) -> bool:
    def has(key, value):
        return any(each in ("*", value) for each in rule.get(key, []))

    names = rule.get("resourceNames")
    return has("verbs", verb) and has("apiGroups", GROUPS.get(resource, PIPELINES)) and has("resources", resource) \
        and (not names or name in names)


def read(folder: Path) -> Rbac:
    manifests = [manifest for file in sorted(folder.glob("*.yaml"))
                 for manifest in yaml.safe_load_all(file.read_text()) if manifest]

    def of_kind(*kinds):
        return [manifest for manifest in manifests if manifest["kind"] in kinds]

    roles = {("ClusterRole", None, name): given for name, given in SHIPPED.items()}
    for role in of_kind("Role", "ClusterRole"):
        roles[role["kind"], role["metadata"].get("namespace"), role["metadata"]["name"]] = role["rules"]
    rbac = Rbac()
    for profile in of_kind("Profile"):
        conditions = {condition["type"] for condition in profile.get("status", {}).get("conditions", [])}
        if "Failed" not in conditions:
            namespace, owner = profile["metadata"]["name"], subject(profile["spec"]["owner"])
            rbac.tenants[namespace] = owner
            rbac.bindings.append(Binding(namespace, (owner,), tuple(SHIPPED["kubeflow-admin"])))
    for binding in of_kind("RoleBinding", "ClusterRoleBinding"):
        namespace, ref = binding["metadata"].get("namespace"), binding["roleRef"]
        given = roles.get((ref["kind"], namespace if ref["kind"] == "Role" else None, ref["name"]), [])
        subjects = tuple(map(subject, binding.get("subjects", [])))
        rbac.bindings.append(Binding(namespace, subjects, tuple(given)))
    return rbac


def subject(given: dict) -> tuple:
    if given["kind"] == "ServiceAccount":
        return "User", f"system:serviceaccount:{given['namespace']}:{given['name']}"
    return given["kind"], given["name"]
