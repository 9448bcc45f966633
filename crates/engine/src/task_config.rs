//! What a component is told about its own pod (`dsl.TaskConfig`): the settings that its pipeline passes through.
use crate::PlannedTask;
use serde_json::{Map, Value, json};

/// The value of an input of type TASK_CONFIG.
///
/// # Errors
/// A message for the user, if a setting depends on an input that has no value.
pub(crate) fn of(task: &PlannedTask, parameters: &Map<String, Value>) -> Result<Value, String> {
    let mut config = Map::new();
    let container = task.container();
    for passed in &task.component.task_config_passthroughs {
        match passed.field.as_str() {
            "ENV" => {
                let env = container.map(|container| container.env.as_slice()).unwrap_or_default();
                config.insert("env".to_owned(), json!(env));
            }
            "RESOURCES" => {
                let resources = container.and_then(|container| container.resources.as_ref());
                let resources = resources.map(|resources| resources.kubernetes(parameters)).transpose()?;
                config.insert("resources".to_owned(), resources.unwrap_or_else(|| json!({})));
            }
            "KUBERNETES_AFFINITY" => config.extend(task.kubernetes.affinity().map(entry("affinity"))),
            "KUBERNETES_TOLERATIONS" | "TOLERATIONS" => {
                config.extend(task.kubernetes.tolerations().map(entry("tolerations")));
            }
            "KUBERNETES_NODE_SELECTOR" | "NODE_SELECTOR" => {
                config.extend(task.kubernetes.node_selector().map(entry("nodeSelector")));
            }
            "KUBERNETES_VOLUMES" | "VOLUMES" => {
                let (volumes, mounts) = task.kubernetes.volumes();
                config.insert("volumes".to_owned(), volumes);
                config.insert("volumeMounts".to_owned(), mounts);
            }
            other => return Err(format!("there is no setting {other:?} to pass through")),
        }
    }
    Ok(Value::Object(config))
}

fn entry(key: &'static str) -> impl Fn(Value) -> (String, Value) {
    move |value| (key.to_owned(), value)
}
