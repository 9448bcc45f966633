//! What manifests and platform settings may have.
#![expect(clippy::expect_used, reason = "tests may panic")]
mod accepted;
mod labels;
mod platform;
mod touches;
mod unknown;
mod workflow;

use domain::{Code, Error, Result};
use serde_json::{Map, Value, json};
use spec::{Allowance, Policy, Template, Touches};
use std::{fs, path::PathBuf};

/// The policy of an installation that allows these.
fn allowing(allow: &[Allowance]) -> Policy {
    Policy {
        allow: allow.iter().copied().collect(),
        default_service_account: "default-editor".into(),
        ..Policy::default()
    }
}

fn all() -> Policy {
    allowing(Allowance::ALL)
}

/// All but one.
fn all_but(one: Allowance) -> Policy {
    let mut policy = all();
    policy.allow.remove(&one);
    policy
}

fn check(policy: &Policy, document: &Value) -> Result<Touches> {
    match document.get("platforms") {
        Some(_) => policy.check_platform(document),
        None => policy.check(&Template::from_json(document)?),
    }
}

/// Sets what is at a path such as `spec.templates[0].name`, making the way to it.
fn set(document: &mut Value, path: &str, value: Value) {
    let mut at = document;
    for step in path.split('.').flat_map(|step| step.split_inclusive('[')) {
        at = match step.trim_end_matches('[').strip_suffix(']') {
            Some(index) => {
                let index: usize = index.parse().expect("an index");
                if !at.is_array() {
                    *at = json!([]);
                }
                let list = at.as_array_mut().expect("a list");
                list.resize(list.len().max(index + 1), json!({}));
                &mut list[index]
            }
            None => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                &mut at[step.trim_end_matches('[')]
            }
        };
    }
    *at = value;
}

/// A refusal that begins with the path.
#[track_caller]
fn assert_refused(refused: Result<Touches>, path: &str, words: &str) {
    let error: Error = refused.expect_err(path);
    let text = error.message();
    assert_eq!(error.code(), Code::InvalidArgument, "{text}");
    assert!(text.starts_with(&format!("{path}: ")) && text.contains(words), "{text:?} lacks {path:?} or {words:?}");
}

/// What takes an allowance: refused without it, whatever else is allowed, and taken with it.
#[track_caller]
fn check_guarded(base: &Value, path: &str, value: Value, at: &str, allowance: Allowance) {
    let mut document = base.clone();
    set(&mut document, path, value);
    for policy in [Policy::default(), allowing(&[]), all_but(allowance)] {
        assert_refused(check(&policy, &document), at, &format!("\"{allowance}\" in policy.allow"));
    }
    check(&all(), &document).expect(path);
}

/// What nothing can allow.
#[track_caller]
fn check_never(base: &Value, path: &str, value: Value, at: &str) {
    let mut document = base.clone();
    set(&mut document, path, value);
    for policy in [allowing(&[]), all()] {
        assert_refused(check(&policy, &document), at, "");
    }
}

#[track_caller]
fn check_taken(base: &Value, path: &str, value: Value) {
    let mut document = base.clone();
    set(&mut document, path, value);
    check(&allowing(&[]), &document).expect(path);
}

/// The files of a folder of `tests/fixtures`, and what is in them.
fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let files = fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path());
    let named = files.map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("text"))
    });
    named.collect()
}

/// A manifest with a template of each kind.
fn manifest() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "train-"},
        "spec": {
            "entrypoint": "train",
            "templates": [
                {"name": "train", "dag": {"tasks": [{"name": "step", "template": "step"}]}},
                {"name": "again", "steps": [[{"name": "step", "template": "step"}]]},
                {"name": "step", "container": {"image": "alpine", "command": ["true"]}},
            ],
        },
    })
}
