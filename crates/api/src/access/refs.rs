//! Reads v1 `resource_references`: a list of kinds and ids, in any order, any of which may be absent.
use super::{Place, Verb};
use crate::v1::{ResourceKey, ResourceReference, ResourceType};

/// The id that the list gives for a kind of object. The first one counts.
pub fn id(refs: &[ResourceReference], kind: ResourceType) -> Option<&str> {
    refs.iter().filter_map(|r| r.key.as_ref()).find(|key| key.r#type() == kind).map(|key| key.id.as_str())
}

/// Its experiment, else its namespace.
pub fn home(refs: &[ResourceReference]) -> Place<'_> {
    match id(refs, ResourceType::Experiment) {
        Some(id) => Place::Experiment(id),
        None => Place::Namespace(id(refs, ResourceType::Namespace).unwrap_or_default()),
    }
}

/// Its pipeline version.
pub fn pipeline_version(refs: &[ResourceReference]) -> Place<'_> {
    Place::PipelineVersion(id(refs, ResourceType::PipelineVersion).unwrap_or_default())
}

/// Its pipeline.
pub fn pipeline(refs: &[ResourceReference]) -> Place<'_> {
    Place::Pipeline(id(refs, ResourceType::Pipeline).unwrap_or_default())
}

/// Its job.
pub fn recurring_run(refs: &[ResourceReference]) -> Place<'_> {
    Place::RecurringRun(id(refs, ResourceType::Job).unwrap_or_default())
}

/// The verb that the name of an enum's value stands for.
pub fn verb(name: &str) -> Option<Verb> {
    Verb::parse(&name.to_ascii_lowercase())
}

/// A single key, as list requests carry it: an experiment or a namespace.
pub fn key(key: Option<&ResourceKey>) -> Place<'_> {
    let Some(key) = key else { return Place::Namespace("") };
    match key.r#type() {
        ResourceType::Experiment => Place::Experiment(&key.id),
        ResourceType::Namespace => Place::Namespace(&key.id),
        ResourceType::UnknownResourceType if key.id.is_empty() => Place::Namespace(""),
        other => Place::Unsupported(other.as_str_name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(kind: ResourceType, id: &str) -> ResourceReference {
        let key = Some(ResourceKey { r#type: kind as i32, id: id.into() });
        ResourceReference { key, ..Default::default() }
    }

    #[test]
    fn an_experiment_wins_over_a_namespace() {
        let (e, n) = (reference(ResourceType::Experiment, "e"), reference(ResourceType::Namespace, "n"));
        assert_eq!(home(&[]), Place::Namespace(""));
        assert_eq!(home(std::slice::from_ref(&n)), Place::Namespace("n"));
        assert_eq!(home(&[n, e]), Place::Experiment("e"));
    }

    #[test]
    fn keys() {
        let key_of = |kind: ResourceType, id: &str| Some(ResourceKey { r#type: kind as i32, id: id.into() });
        assert_eq!(key(None), Place::Namespace(""));
        assert_eq!(key(key_of(ResourceType::Namespace, "n").as_ref()), Place::Namespace("n"));
        assert_eq!(key(key_of(ResourceType::Job, "n").as_ref()), Place::Unsupported("JOB"));
        assert_eq!(
            key(key_of(ResourceType::UnknownResourceType, "n").as_ref()),
            Place::Unsupported("UNKNOWN_RESOURCE_TYPE")
        );
    }
}
