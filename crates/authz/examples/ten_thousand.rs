//! How long it takes to take in ten thousand tenants. Run it with `--release`.
use authz::{Options, load};
use std::{fmt::Write, fs, time::Instant};

const TENANTS: usize = 10_000;

fn manifests(number: usize) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "---\n{{apiVersion: kubeflow.org/v1, kind: Profile, metadata: {{name: n{number}}}, spec: {{owner: {{kind: User, \
         name: u{number}}}}}}}\n---\n{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: \
         viewer, namespace: n{number}}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \
         kubeflow-view}}, subjects: [{{kind: User, name: viewer, apiGroup: rbac.authorization.k8s.io}}]}}\n"
    );
    text
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    // Half of them in one file, half in a file each.
    fs::write(folder.path().join("all.yaml"), (0..TENANTS / 2).map(manifests).collect::<String>())?;
    for number in TENANTS / 2..TENANTS {
        fs::write(folder.path().join(format!("{number}.yaml")), manifests(number))?;
    }
    let begin = Instant::now();
    let loaded = load(Options::new(folder.path())).await?;
    println!("{} tenants in {} ms", loaded.rbac.tenants().count(), begin.elapsed().as_millis());
    Ok(())
}
