//! Attempts of tasks in folders that go away.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
use engine::{Inputs, Plan, PlannedTask, Rules, RunContext};
use launcher::{RunInfo, TaskContext};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// One attempt.
pub(crate) struct Attempt {
    home: TempDir,
    run: RunInfo,
    task: Arc<PlannedTask>,
    pub(crate) inputs: Inputs,
}

impl Attempt {
    /// Of a container with these outputs, and inputs of several types.
    pub(crate) fn with_outputs(container: Value, parameters: Value, outputs: Value) -> Self {
        let document = json!({
            "pipelineInfo": {"name": "p"},
            "schemaVersion": "2.1.0",
            "deploymentSpec": {"executors": {"e": {"container": container}}},
            "components": {"c": {
                "executorLabel": "e",
                "inputDefinitions": {
                    "parameters": {
                        "s": {"parameterType": "STRING", "isOptional": true},
                        "o": {"parameterType": "STRING", "isOptional": true},
                        "d": {"parameterType": "NUMBER_INTEGER", "defaultValue": 2.0},
                        "l": {"parameterType": "LIST", "isOptional": true},
                    },
                    "artifacts": {"a": {"isOptional": true}, "b": {"isOptional": true}},
                },
                "outputDefinitions": outputs,
            }},
            "root": {"dag": {"tasks": {"t": {"componentRef": {"name": "c"}}}}},
        });
        Self::of(&spec::Package::from_json(&document).unwrap(), "t", parameters)
    }

    /// Of a task of a package.
    pub(crate) fn of(package: &spec::Package, task: &str, parameters: Value) -> Self {
        let plan = Plan::new(package, &serde_json::Map::new(), RunContext::default(), Rules::default()).unwrap();
        Self {
            home: TempDir::new().unwrap(),
            run: RunInfo { run_id: "run-1".into(), run_name: "my run".into(), ..RunInfo::default() },
            task: plan.root().task(task).unwrap().clone(),
            inputs: Inputs { parameters: parameters.as_object().cloned().unwrap(), ..Inputs::default() },
        }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.home.path().join("attempt")
    }

    pub(crate) fn file(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir().join(path)
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&TaskContext<'_>) -> T) -> T {
        act(&TaskContext {
            run: &self.run,
            task: &self.task,
            container: self.task.container().unwrap(),
            attempt: 1,
            inputs: &self.inputs,
            dir: &self.dir(),
            in_image: false,
            workspace: None,
        })
    }
}
