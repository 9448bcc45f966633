//! A gate for tests that need what comes with one.
use access::{Founded, Ports, Rbac, Settings};
use domain::Namespace;

pub(crate) fn founded() -> Founded {
    let server_namespace = Namespace::parse("kubeflow").unwrap();
    let settings = Settings { server_namespace, default_service_account: "default-editor".into() };
    access::found(settings, Rbac::default(), Ports::idle())
}
