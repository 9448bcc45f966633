//! Quantities as Kubernetes writes them: `500m`, `1.5`, `2Gi`, `1e3`.
use crate::ResourceSpec;
use serde_json::{Map, Value, json};

/// What stands behind a number, and how much it is.
const SUFFIXES: [(&str, f64); 15] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// A number of cores.
///
/// # Errors
/// A message for the user, if it is no quantity above 0.
pub fn cpu(text: &str) -> Result<f64, String> {
    quantity(text)
}

/// A number of bytes, rounded up.
///
/// # Errors
/// A message for the user, if it is no quantity above 0.
pub fn memory(text: &str) -> Result<u64, String> {
    quantity(text).map(|bytes| bytes.ceil() as u64)
}

fn quantity(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no quantity such as \"500m\", \"2\" or \"1.5Gi\"");
    let suffix = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix));
    let (number, factor) = match suffix {
        Some((suffix, factor)) => (text.trim_end_matches(suffix), *factor),
        None => (text, 1.0),
    };
    // What `f64` reads beyond this is no quantity: names such as infinity.
    let plain = number.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '+');
    let number: f64 = Some(number).filter(|_| plain).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    let value = number * factor;
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(wrong()) }
}

impl ResourceSpec {
    /// The requests and limits, as a pod has them. Texts win over the deprecated numbers; those that are an input have
    /// its value.
    ///
    /// # Errors
    /// A message for the user, if an input has no value.
    pub fn kubernetes(&self, parameters: &Map<String, Value>) -> Result<Value, String> {
        let part = |cpu: &str, old_cpu: f64, memory: &str, old_memory: f64| -> Result<Map<String, Value>, String> {
            let cpu = resolve(cpu, parameters)?.or((old_cpu > 0.0).then(|| old_cpu.to_string()));
            let memory = resolve(memory, parameters)?.or((old_memory > 0.0).then(|| format!("{old_memory}G")));
            let fields = [("cpu", cpu), ("memory", memory)];
            Ok(fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))).collect())
        };
        let mut limits =
            part(&self.resource_cpu_limit, self.cpu_limit, &self.resource_memory_limit, self.memory_limit)?;
        let requests =
            part(&self.resource_cpu_request, self.cpu_request, &self.resource_memory_request, self.memory_request)?;
        if let Some(accelerator) = &self.accelerator {
            let old = crate::text(&accelerator.count);
            let kind =
                if accelerator.resource_type.is_empty() { &accelerator.r#type } else { &accelerator.resource_type };
            let count = if accelerator.resource_count.is_empty() { &old } else { &accelerator.resource_count };
            limits
                .extend(resolve(kind, parameters)?.zip(resolve(count, parameters)?).map(|(kind, n)| (kind, json!(n))));
        }
        let parts = [("limits", limits), ("requests", requests)].into_iter().filter(|(_, part)| !part.is_empty());
        Ok(Value::Object(parts.map(|(name, part)| (name.to_owned(), Value::Object(part))).collect()))
    }
}

/// A text, or the input that it stands for; none if it is empty.
fn resolve(text: &str, parameters: &Map<String, Value>) -> Result<Option<String>, String> {
    let name = text.strip_prefix("{{$.inputs.parameters['").and_then(|rest| rest.strip_suffix("']}}"));
    match name {
        None => Ok(Some(text.to_owned()).filter(|text| !text.is_empty())),
        Some(name) => parameters
            .get(name)
            .map(|value| Some(crate::text(value)))
            .ok_or_else(|| format!("the input {name:?}, which a resource is made of, has no value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2", 2.0)]
    #[case("500m", 0.5)]
    #[case("1.5", 1.5)]
    #[case("1e3", 1000.0)]
    #[case("1Ki", 1024.0)]
    #[case("1.5Gi", 1_610_612_736.0)]
    #[case("2G", 2e9)]
    #[case("100k", 1e5)]
    fn quantities(#[case] text: &str, #[case] expect: f64) {
        assert_eq!(cpu(text), Ok(expect));
        assert_eq!(memory(text), Ok(expect.ceil() as u64));
    }

    #[rstest]
    #[case("")]
    #[case("0")]
    #[case("-1")]
    #[case("inf")]
    #[case("NaN")]
    #[case("1 Gi")]
    #[case("Gi")]
    #[case("1gb")]
    #[case("1e999")]
    fn no_quantities(#[case] text: &str) {
        assert!(cpu(text).is_err(), "{text}");
    }
}
