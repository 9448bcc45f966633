//! Manifests against what they grant, and broken ones against what a person is told.
mod errors;
mod grants;
mod property;

use super::{
    expand::{Facts, expand},
    objects::Objects,
    read,
};
use std::path::Path;

/// What the files give together; each must be good.
#[track_caller]
fn facts(files: &[&str]) -> Facts {
    let objects: Vec<Objects> = files
        .iter()
        .map(|text| {
            let problems = |problems: Vec<crate::Problem>| crate::problem::lines(&problems);
            read(Path::new("test.yaml"), text).map_err(problems).unwrap_or_else(|problems| panic!("{problems}"))
        })
        .collect();
    expand(objects.iter())
}

const JANE: &str = "
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: jane-doe}
spec: {owner: {kind: User, name: jane@example.com}}
";
