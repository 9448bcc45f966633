//! Constants of a pipeline: text with placeholders that stand for facts of the run and for other inputs.
use crate::{Plan, PlannedTask};
use serde_json::{Map, Value};
use std::cell::Cell;

/// How far constants may refer to constants.
const DEPTH: usize = 5;
/// How many bytes may be put into the constants of a task: a few of them that contain each other many times would
/// grow beyond all bounds.
const MAX_BYTES: usize = 8 << 20;

/// Resolves the placeholders in the strings of a constant. Only what the author of the pipeline wrote is looked at:
/// what is put in stays as it is, whatever it looks like.
///
/// # Errors
/// A message for the user, if another input that a placeholder names has no value.
pub(crate) struct Constants<'a> {
    plan: &'a Plan,
    task: &'a PlannedTask,
    /// The values of inputs that are not constants.
    values: &'a Map<String, Value>,
    /// Bytes that were taken out and put in so far.
    spent: Cell<usize>,
}

impl<'a> Constants<'a> {
    /// Those of a task, whose other inputs have these values.
    pub(crate) fn new(plan: &'a Plan, task: &'a PlannedTask, values: &'a Map<String, Value>) -> Self {
        Self { plan, task, values, spent: Cell::default() }
    }

    /// The value of a constant.
    pub(crate) fn resolve(&self, constant: &Value) -> Result<Value, String> {
        self.value(constant, 0)
    }

    /// The input that a text is the placeholder of, if it is nothing else.
    pub(crate) fn input_alone(&self, text: &str) -> Option<&Value> {
        self.values.get(input_name(text)?)
    }

    fn value(&self, constant: &Value, depth: usize) -> Result<Value, String> {
        Ok(match constant {
            Value::String(text) => Value::String(self.text(text, depth)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item, depth)).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(key, item)| Ok((key.clone(), self.value(item, depth)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => other.clone(),
        })
    }

    fn text(&self, text: &str, depth: usize) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("{{$") {
            let Some(length) = rest[start..].find("}}") else { break };
            let placeholder = &rest[start..start + length + 2];
            out += &rest[..start];
            // Upstream counts a placeholder of the run only where it is the whole text.
            let verbatim = self.plan.rules.strict_kfp && placeholder.len() < text.len() && is_of_run(placeholder);
            let value = if verbatim { None } else { self.placeholder(placeholder, depth)? };
            let value = value.unwrap_or_else(|| placeholder.to_owned());
            self.spent.set(self.spent.get() + placeholder.len() + value.len());
            if self.spent.get() > MAX_BYTES {
                return Err(format!("its placeholders take more than {MAX_BYTES} bytes"));
            }
            out += &value;
            rest = &rest[start + placeholder.len()..];
        }
        Ok(out + rest)
    }

    /// What a placeholder stands for; none if it is not one of ours and stays as it is.
    fn placeholder(&self, placeholder: &str, depth: usize) -> Result<Option<String>, String> {
        let context = &self.plan.context;
        Ok(Some(match placeholder {
            "{{$.pipeline_job_name}}" => context.run_name.clone(),
            "{{$.pipeline_job_resource_name}}" => self.plan.resource_name(),
            "{{$.pipeline_job_uuid}}" | "{{$.pipeline_task_uuid}}" => context.run_id.clone(),
            "{{$.pipeline_task_name}}" => self.task.name.clone(),
            "{{$.pipeline_job_create_time_utc}}" => context.created_at.to_string(),
            "{{$.pipeline_job_schedule_time_utc}}" => context.scheduled_at.to_string(),
            "{{$.pipeline_root}}" if !self.plan.rules.strict_kfp => context.pipeline_root.clone(),
            "{{$.workspace_path}}" if !context.workspace.is_empty() => context.workspace.clone(),
            other => match input_name(other) {
                Some(name) => return self.input(name, depth),
                None => return Ok(None),
            },
        }))
    }

    fn input(&self, name: &str, depth: usize) -> Result<Option<String>, String> {
        if let Some(value) = self.values.get(name) {
            return Ok(Some(spec::text(value)));
        }
        let Some(input) = self.task.inputs.parameters.get(name) else { return Ok(None) };
        let Some(constant) = input.runtime_value.as_ref().and_then(|value| value.constant.as_ref()) else {
            return Err(format!("it contains the input {name:?}, which has no value"));
        };
        if depth == DEPTH {
            return Err(format!("it contains constants more than {DEPTH} levels deep"));
        }
        self.value(constant, depth + 1).map(|value| Some(spec::text(&value)))
    }
}

fn is_of_run(placeholder: &str) -> bool {
    placeholder.starts_with("{{$.pipeline_")
}

/// The name in `{{$.inputs.parameters['name']}}`, with either kind of quotes.
fn input_name(placeholder: &str) -> Option<&str> {
    let inner = placeholder.strip_prefix("{{$.inputs.parameters[")?.strip_suffix("]}}")?;
    ['\'', '"'].into_iter().find_map(|quote| inner.strip_prefix(quote)?.strip_suffix(quote))
}
