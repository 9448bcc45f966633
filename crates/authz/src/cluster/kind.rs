//! The kinds of objects that say who may what.
use std::fmt;

/// A kind of the API, which is watched by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Kind {
    Profile,
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
}

impl Kind {
    pub(super) const ALL: &[Kind] =
        &[Kind::Profile, Kind::Role, Kind::ClusterRole, Kind::RoleBinding, Kind::ClusterRoleBinding];

    /// Where the API has all objects of the kind, whatever their namespace.
    pub(super) fn path(self) -> &'static str {
        match self {
            Kind::Profile => "/apis/kubeflow.org/v1/profiles",
            Kind::Role => "/apis/rbac.authorization.k8s.io/v1/roles",
            Kind::ClusterRole => "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            Kind::RoleBinding => "/apis/rbac.authorization.k8s.io/v1/rolebindings",
            Kind::ClusterRoleBinding => "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        }
    }

    /// The resource, as a rule of RBAC names it.
    pub(super) fn resource(self) -> &'static str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// Whether its objects are in namespaces.
    pub(super) fn is_namespaced(self) -> bool {
        matches!(self, Kind::Role | Kind::RoleBinding)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
