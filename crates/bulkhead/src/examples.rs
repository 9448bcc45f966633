//! `bulkhead examples`: loads pipelines of our own as shared ones, beside a running server or without one.
use crate::{config, database::Place, run, telemetry};
use access::Grant;
use anyhow::Context;
use api::access::{resource::Pipelines, verb::Create};
use clap::Args;
use domain::{Code, Namespace, NewPipeline, NewVersion};
use spec::Template;
use store::Store;

/// The pipelines: name, display name, text.
const EXAMPLES: [(&str, &str, &str); 3] = [
    ("example-hello", "Example: hello", include_str!("../../../docs/examples/pipelines/hello.yaml")),
    ("example-word-count", "Example: word count", include_str!("../../../docs/examples/pipelines/word-count.yaml")),
    ("example-flaky", "Example: retries", include_str!("../../../docs/examples/pipelines/flaky.yaml")),
];
const PURPOSE: &str = "load the example pipelines";

#[derive(Args, Debug)]
pub(crate) struct ExamplesArgs {
    #[command(flatten)]
    place: Place,
    /// The server is in single-user mode, where nothing is shared: load them for that user.
    #[arg(long)]
    single_user: bool,
}

/// Loads what is not there yet, and says what it did.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn run(args: ExamplesArgs) -> anyhow::Result<()> {
    telemetry::start_log(&config::Log { level: "warn,audit=debug".to_owned(), ..config::Log::default() })?;
    let store = args.place.made().await?;
    let grant = grant(&store, args.single_user)?;
    for (name, display_name, text) in EXAMPLES {
        match load(&store, &grant, name, display_name, text).await {
            Ok(()) => println!("{name}: loaded"),
            Err(error) if error.code() == Code::AlreadyExists => println!("{name}: there already, left as it is"),
            Err(error) => return Err(error).with_context(|| name.to_owned()),
        }
    }
    Ok(())
}

fn grant(store: &Store, single_user: bool) -> anyhow::Result<Grant<Create, Pipelines>> {
    let system = run::system(store)?;
    Ok(match single_user {
        true => system.grant(PURPOSE, &Namespace::single_user()),
        false => system.shared(PURPOSE),
    })
}

async fn load(
    store: &Store,
    grant: &Grant<Create, Pipelines>,
    name: &str,
    display_name: &str,
    text: &str,
) -> domain::Result<()> {
    let template = Template::parse(text)?;
    let description = match &template {
        Template::V2(package) => package.pipeline.pipeline_info.description.clone(),
        Template::V1(_) => String::new(),
    };
    let version = NewVersion {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        description: description.clone(),
        spec: template.canonical()?,
        ..NewVersion::default()
    };
    let new = NewPipeline {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        description,
        ..NewPipeline::default()
    };
    store.create_pipeline(grant, new, Some(version)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_run_as_it_is() {
        for (name, _, text) in EXAMPLES {
            let package = Template::parse(text).and_then(Template::into_package).unwrap();
            package.check_name().unwrap();
            spec::runnable(&package.pipeline).unwrap();
            spec::check_parameters(&package.pipeline, &Default::default()).unwrap();
            assert!(!package.pipeline.pipeline_info.description.is_empty(), "{name}");
        }
    }
}
