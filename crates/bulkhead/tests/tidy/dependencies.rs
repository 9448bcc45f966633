//! Which way dependencies point.
use crate::{root, sources};
use cargo_metadata::{DependencyKind, MetadataCommand};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

/// Every crate with those of ours that it may depend on.
const OURS: &[(&str, &[&str])] = &[
    ("codegen", &[]),
    ("domain", &[]),
    ("spec", &["domain"]),
    ("scheduler", &["domain"]),
    ("engine", &["domain", "spec"]),
    ("launcher", &["domain", "engine", "spec"]),
    ("api", &["domain"]),
    ("access", &["api", "domain"]),
    ("authz", &["access", "api", "domain"]),
    ("store", &["access", "api", "domain"]),
    ("executor", &["access", "api", "domain", "engine", "launcher", "spec", "store"]),
    ("server", &["access", "api", "domain", "scheduler", "spec", "store"]),
    ("fetch", &["domain"]),
    ("gateway", &[]),
    ("testkit", &[]),
    // Like testkit it is no part of what users run: nothing may depend on it.
    ("bench", &["api", "testkit"]),
    (
        "bulkhead",
        &["access", "api", "authz", "domain", "executor", "fetch", "gateway", "scheduler", "server", "spec", "store"],
    ),
];

/// Crates of others that only some of ours may name, by the beginning of their name.
const THEIRS: &[(&str, &[&str])] = &[
    ("diesel", &["store"]),
    ("libsqlite3", &["store"]),
    ("rusqlite", &["bench"]),
    ("mysql_async", &["bench", "store"]),
    ("tokio-postgres", &["bench", "store"]),
    ("kube", &["authz", "bulkhead"]),
    ("k8s-openapi", &["authz"]),
    ("landlock", &["executor"]),
    ("hyper", &["bench", "bulkhead"]),
    ("jsonwebtoken", &["authz"]),
    ("reqwest", &["authz", "bulkhead", "fetch"]),
    ("ring", &["authz"]),
    ("rustls", &["authz", "bulkhead", "fetch", "store"]),
    ("tonic", &["api", "bench", "bulkhead", "codegen", "gateway", "server"]),
    ("axum", &["bench", "bulkhead", "gateway"]),
    ("tokio", &["authz", "bench", "bulkhead", "executor", "fetch", "gateway", "server", "store"]),
    ("opentelemetry", &["bulkhead"]),
    ("prometheus", &["bulkhead"]),
];

/// The dependencies of each crate of ours, other than those of its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let normal = |package: &cargo_metadata::Package| {
        let normal = |d: &&cargo_metadata::Dependency| matches!(d.kind, DependencyKind::Normal);
        package.dependencies.iter().filter(normal).map(|d| d.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

#[test]
fn they_point_one_way() {
    let all = dependencies();
    let listed: BTreeSet<&str> = OURS.iter().map(|(name, _)| *name).collect();
    assert_eq!(all.keys().map(String::as_str).collect::<BTreeSet<_>>(), listed, "list every crate in this test");
    for (name, allowed) in OURS {
        for dependency in all[*name].iter().filter(|dependency| listed.contains(dependency.as_str())) {
            assert!(allowed.contains(&dependency.as_str()), "{name} depends on {dependency}");
        }
    }
}

#[test]
fn frameworks_stay_in_their_crates() {
    for (name, dependencies) in dependencies() {
        for dependency in dependencies {
            for (prefix, allowed) in THEIRS.iter().filter(|(prefix, _)| dependency.starts_with(prefix)) {
                assert!(allowed.contains(&name.as_str()), "{name} depends on {dependency}, of {prefix}");
            }
        }
    }
}

#[test]
fn only_the_edge_names_a_status() {
    for source in sources() {
        let edge = source.path.starts_with("crates/gateway/")
            || source.path.starts_with("crates/api/")
            || source.path.starts_with("crates/codegen/")
            || source.path.starts_with("crates/bench/");
        let code = source.code();
        let imports = code.split(';').any(|item| item.contains("use tonic::") && item.contains("Status"));
        let names = imports || code.contains("tonic::Status") || code.contains("Status::new(");
        assert!(edge || source.is_test() || !names, "{} names tonic::Status", source.path);
    }
}

/// What lets tests forge grants must not be in what users run.
#[test]
fn releases_cannot_forge() {
    let args = ["tree", "--offline", "--edges", "normal,features", "--package", "bulkhead", "--format", "{p} {f}"];
    let tree = Command::new(env!("CARGO")).args(args).current_dir(root()).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    assert!(tree.contains("access v"), "the tree does not show crate access:\n{tree}");
    for line in tree.lines().filter(|line| line.contains("access ")) {
        assert!(!line.contains("testing"), "{line}");
    }
}
