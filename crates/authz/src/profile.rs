//! The Profile of Kubeflow: who owns which namespace.
use k8s_openapi::api::{core::v1::ResourceQuotaSpec, rbac::v1::Subject};
use kube::CustomResource;
use serde::{Deserialize, Serialize};

/// What a Profile asks for. Its name is the namespace's name. Served as v1 and v1beta1 with one shape
/// (CustomResourceDefinition `profiles.kubeflow.org`), whose schema is Kubeflow's to define.
#[derive(Clone, CustomResource, Debug, Deserialize, PartialEq, Serialize)]
#[kube(group = "kubeflow.org", version = "v1", kind = "Profile", plural = "profiles", schema = "disabled")]
#[kube(status = "ProfileStatus", derive = "PartialEq")]
#[serde(rename_all = "camelCase")]
pub struct ProfileSpec {
    /// A user, a group or a service account.
    pub owner: Subject,
    /// Cloud identities, which are the profile controller's business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Vec<Plugin>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_quota_spec: Option<ResourceQuotaSpec>,
}

/// A plugin of the profile controller.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plugin {
    pub kind: Option<String>,
    pub api_version: Option<String>,
    pub spec: Option<serde_json::Value>,
}

/// What the profile controller says of a Profile.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ProfileStatus {
    pub conditions: Option<Vec<Condition>>,
}

/// One thing that the profile controller says.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Condition {
    /// `Successful`, `Failed` or `Unknown`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`; absent means what it says.
    pub status: Option<String>,
    pub message: Option<String>,
}

impl Profile {
    /// Whether the controller refused it. Such a profile must give nobody anything: the namespace may be another's.
    pub fn has_failed(&self) -> bool {
        let conditions = self.status.iter().flat_map(|status| status.conditions.iter().flatten());
        // A condition without a status is taken at its word: nobody writes `Failed` to say that all is well.
        conditions.into_iter().any(|c| c.kind == "Failed" && c.status.as_deref().unwrap_or("True") == "True")
    }
}
