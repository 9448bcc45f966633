//! Before the process: folders, arguments and environment.
use crate::{
    Error, Packages, TaskContext, executor_input,
    folders::{Folders, text},
    pip,
    placeholder::{MAX_TOTAL, Placeholders},
};
use serde_json::Value;
use spec::ContainerSpec;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// All that is needed to start the process of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// Not empty, unless for an entry point. The first is looked for on the `PATH` of the environment that the packages
    /// are in.
    pub argv: Vec<String>,
    /// Whether `argv` is the arguments of the image's own entry point.
    pub entry_point: bool,
    /// All of the environment but `PATH`. The pipeline's author chose some of it: it is for the task alone, not for
    /// programs that run around it.
    pub env: BTreeMap<String, String>,
    pub cwd: PathBuf,
    /// What has to be installed first.
    pub packages: Option<Packages>,
    /// Files and folders of other tasks that this one may read.
    pub inputs: Vec<PathBuf>,
    /// The image that the pipeline names, for a runner that has images.
    pub image: String,
    /// What the process may use, as the pipeline says.
    pub resources: Resources,
    /// What the task is told.
    pub executor_input: Value,
}

/// The resources that a pipeline allows a task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resources {
    /// In cores.
    pub cpu: Option<f64>,
    /// In bytes.
    pub memory: Option<u64>,
}

/// Makes the folders of an attempt and works out how to start it.
///
/// # Errors
/// `Task` if the command cannot be made of what the pipeline says, `Io` if the folders cannot be made.
pub fn stage(ctx: &TaskContext<'_>) -> Result<Launch, Error> {
    let container = ctx.container;
    let parameters = executor_input::parameters(ctx);
    let executor_input = executor_input::build(ctx, &parameters)?;
    let text = executor_input.to_string();
    let placeholders = Placeholders { ctx, parameters: &parameters, executor_input: &text };

    let split = if ctx.in_image { None } else { pip::split(&container.command) };
    let (packages, command) = match split {
        Some((packages, command)) => (Some(packages), command),
        None => (None, container.command.as_slice()),
    };
    let mut argv = Vec::new();
    let mut total = 0;
    for argument in command.iter().chain(&container.args) {
        argv.extend(placeholders.arguments(argument)?.into_iter().inspect(|argument| total += argument.len() + 9));
        check_total(total)?;
    }
    let entry_point = ctx.in_image && command.is_empty();
    if !entry_point && argv.first().is_none_or(String::is_empty) {
        return Err(Error::task(
            "the component has no command; the entry point of an image is not known here, so give the command",
        ));
    }
    if argv.iter().any(|argument| argument.contains('\0')) {
        return Err(Error::task("an argument contains a zero byte, which no process can be given"));
    }
    let env = environment(ctx)?;
    check_total(total + env.iter().map(|(name, value)| name.len() + value.len() + 10).sum::<usize>())?;

    let image = placeholders.one(&container.image).map_err(|error| error.at("image"))?;
    let resources = resources(&placeholders, container)?;
    Folders(ctx.dir).make()?;
    let cwd = Folders(ctx.dir).work();
    Ok(Launch { argv, entry_point, env, cwd, packages, inputs: input_paths(ctx)?, image, resources, executor_input })
}

/// The limits of the container: the text fields, which may be inputs, else the deprecated numbers.
fn resources(placeholders: &Placeholders<'_>, container: &ContainerSpec) -> Result<Resources, Error> {
    let applies = placeholders.ctx.task.component.applies("RESOURCES");
    let Some(wanted) = container.resources.as_ref().filter(|_| applies) else { return Ok(Resources::default()) };
    let text = |field: &'static str, text: &str| -> Result<Option<String>, Error> {
        let text = placeholders.one(text).map_err(|error| error.at(field))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    };
    let cpu = match text("resources.resourceCpuLimit", &wanted.resource_cpu_limit)? {
        Some(text) => Some(spec::cpu(&text).map_err(|why| Error::task(why).at("resources.resourceCpuLimit"))?),
        None => Some(wanted.cpu_limit).filter(|cores| *cores > 0.0),
    };
    let memory = match text("resources.resourceMemoryLimit", &wanted.resource_memory_limit)? {
        Some(text) => Some(spec::memory(&text).map_err(|why| Error::task(why).at("resources.resourceMemoryLimit"))?),
        // In gigabytes.
        None => Some((wanted.memory_limit * 1e9) as u64).filter(|bytes| *bytes > 0),
    };
    Ok(Resources { cpu, memory })
}

fn check_total(bytes: usize) -> Result<(), Error> {
    if bytes <= MAX_TOTAL {
        return Ok(());
    }
    Err(Error::task(format!("the command has more than {MAX_TOTAL} bytes: pass large values as artifacts")))
}

/// What the pipeline says, and over it what every task gets.
fn environment(ctx: &TaskContext<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut env = BTreeMap::new();
    // The component may want to see its settings without having them.
    let own = if ctx.task.component.applies("ENV") { ctx.container.env.as_slice() } else { &[] };
    for variable in own {
        if variable.name.is_empty() || variable.name.contains(['=', '\0']) || variable.value.contains('\0') {
            return Err(Error::task(format!("env: {:?} cannot be a variable of a process", variable.name)));
        }
        env.insert(variable.name.clone(), variable.value.clone());
    }
    let folders = Folders(ctx.dir);
    env.extend([
        ("HOME".to_owned(), text(&folders.home())?),
        ("KFP_POD_NAME".to_owned(), format!("{}-{}-{}", ctx.run.run_id, ctx.task.name, ctx.attempt)),
        ("KFP_POD_UID".to_owned(), format!("{}-{}", ctx.run.run_id, ctx.task.name)),
        ("KFP_RETRY_INDEX".to_owned(), ctx.attempt.to_string()),
        ("KFP_RUN_ID".to_owned(), ctx.run.run_id.clone()),
        ("PYTHONUNBUFFERED".to_owned(), "1".to_owned()),
        ("TMPDIR".to_owned(), text(&folders.tmp())?),
        // Without it, kfp imports what only its compiler needs.
        ("_KFP_RUNTIME".to_owned(), "true".to_owned()),
    ]);
    Ok(env)
}

/// The input artifacts that are on this host. One that its task did not write is not there; a link is not followed.
fn input_paths(ctx: &TaskContext<'_>) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for (name, artifact) in ctx.inputs.artifacts.iter().flat_map(|(name, list)| list.iter().map(move |a| (name, a))) {
        let path = PathBuf::from(&artifact.uri);
        // What is in the workspace is there for the task anyway.
        if !path.is_absolute() || ctx.workspace.is_some_and(|workspace| path.starts_with(workspace)) {
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() || found.is_dir() => paths.push(path),
            Ok(_) => return Err(Error::task(format!("input artifact {name:?} is neither a file nor a folder"))),
            Err(_) => {}
        }
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}
