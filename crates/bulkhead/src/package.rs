//! Pipelines on the command line: reading one and its parameters, `bulkhead validate`, and runs as JSON.
use crate::progress;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use server::MAX_PACKAGE;
use spec::{Package, ParameterType, PipelineSpec};
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Args, Debug)]
pub(crate) struct ValidateArgs {
    /// The pipeline; `-` for standard input.
    pipeline: PathBuf,
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    #[default]
    Plain,
    Json,
}

/// Checks a pipeline as the server does when it is uploaded and run. The exit code is 0 if it is good, else 1.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn validate(args: &ValidateArgs) -> anyhow::Result<ExitCode> {
    let text = text(&args.pipeline)?;
    let checked = Package::parse(&text).and_then(|package| {
        spec::runnable(&package.pipeline)?;
        Ok(package.pipeline.pipeline_info.name)
    });
    match (&checked, args.output) {
        (Ok(name), Output::Plain) => println!("{}: it can be run", progress::visible(name)),
        (Err(error), Output::Plain) => println!("{}", progress::visible_lines(error.message())),
        (Ok(name), Output::Json) => println!("{}", json!({"valid": true, "name": name})),
        (Err(error), Output::Json) => println!("{}", json!({"valid": false, "error": error.message()})),
    }
    Ok(if checked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads a pipeline that is to be run.
///
/// # Errors
/// If it cannot be read, or cannot be run.
pub(crate) fn read(path: &Path) -> anyhow::Result<Package> {
    let package = Package::parse(&text(path)?)?;
    spec::runnable(&package.pipeline)?;
    Ok(package)
}

fn text(path: &Path) -> anyhow::Result<String> {
    let from: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin()),
        false => Box::new(fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?),
    };
    let mut text = String::new();
    from.take(MAX_PACKAGE as u64 + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    if text.len() > MAX_PACKAGE {
        bail!("a pipeline has at most {MAX_PACKAGE} bytes");
    }
    Ok(text)
}

/// Parameters as `NAME=VALUE`: text for STRING, JSON for all other types.
///
/// # Errors
/// If one is neither.
pub(crate) fn parameters(pipeline: &PipelineSpec, given: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut parameters = Map::new();
    for parameter in given {
        let (name, value) = parameter.split_once('=').with_context(|| format!("{parameter:?} is no NAME=VALUE"))?;
        let definition = pipeline.root.input_definitions.parameters.get(name);
        let value = match definition.map(|definition| definition.parameter_type) {
            Some(ParameterType::String) | None => Value::from(value),
            Some(wanted) => serde_json::from_str(value)
                .with_context(|| format!("parameter {name:?}: {value:?} is not the JSON of a {wanted}"))?,
        };
        parameters.insert(name.to_owned(), value);
    }
    Ok(parameters)
}
