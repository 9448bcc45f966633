//! The arguments of `podman create`.
use std::path::Path;

use nix::sys::resource::getrlimit;

use super::{Container, LABEL, Network};
use crate::sandbox::{Confinement, Limits, of_kernel};

/// All arguments, up to and including the task's command.
///
/// What a pipeline's author chose stands where an option expects its value, or after the image, where podman takes no
/// more options.
pub(super) fn create(container: &Container, confinement: &Confinement) -> Result<Vec<String>, String> {
    let Container { engine, name, owner, image, entry_point } = container;
    let mut arguments: Vec<String> = Vec::new();
    let mut add = |option: &str, value: &str| arguments.extend([option.to_owned(), value.to_owned()]);
    if let Some(runtime) = &engine.runtime {
        add("--runtime", runtime);
    }
    arguments.extend(
        // The log is the supervisor's to keep, and to cut.
        ["create", "--quiet", "--pull=never", "--log-driver=none", "--http-proxy=false", "--systemd=false"]
            .into_iter()
            // The folders of tasks belong to whom root is inside.
            .chain(["--user=0:0", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--security-opt=label=disable"])
            .map(str::to_owned),
    );
    let mut add = |option: &str, value: &str| arguments.extend([option.to_owned(), value.to_owned()]);
    add("--name", name);
    add("--label", &format!("{LABEL}={owner}"));
    match (confinement.network, engine.network) {
        (false, _) => add("--network", "none"),
        (true, Network::Host) => add("--network", "host"),
        // Podman knows best: a bridge, slirp4netns or pasta.
        (true, Network::Private) => {}
    }
    add("--security-opt", &format!("seccomp={}", text(&engine.seccomp)?));
    add("--workdir", text(&confinement.cwd)?);
    for (name, value) in &confinement.env {
        add("--env", &format!("{name}={value}"));
    }
    for (paths, access) in [(&confinement.read_only, "true"), (&confinement.read_write, "false")] {
        for path in paths {
            add("--mount", &mount(text(path)?, access));
        }
    }
    for (option, value) in limits(&confinement.limits, |controller| engine.controllers.contains(controller)) {
        add(option, &value);
    }
    // The whole command is a list, of which podman takes the first as the program and the image's arguments for nothing.
    let rest = match confinement.argv.split_first() {
        Some((program, rest)) if !entry_point => {
            let program = serde_json::to_string(&[program]).map_err(|error| error.to_string())?;
            add("--entrypoint", &program);
            rest
        }
        _ => confinement.argv.as_slice(),
    };
    arguments.push(image.0.clone());
    arguments.extend(rest.iter().cloned());
    Ok(arguments)
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("the path {} is not UTF-8", path.display()))
}

/// A mount at the path that it has outside. Podman reads the fields as a line of CSV.
fn mount(path: &str, read_only: &str) -> String {
    let field = |name: &str| format!("\"{name}={}\"", path.replace('"', "\"\""));
    format!("type=bind,{},{},readonly={read_only}", field("source"), field("target"))
}

fn limits(limits: &Limits, has: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
    let mut options = Vec::new();
    if let Some(memory) = limits.memory.filter(|_| has("memory")) {
        // No swap beside it.
        options.extend([("--memory", memory.to_string()), ("--memory-swap", memory.to_string())]);
    }
    if let Some(cores) = limits.cpu.filter(|cores| *cores > 0.0 && has("cpu")) {
        options.push(("--cpus", cores.to_string()));
    }
    if has("pids") {
        options.push(("--pids-limit", limits.processes.to_string()));
    }
    for (name, resource, limit) in of_kernel(limits) {
        // Podman's own default may be more than this process can give.
        let limit = getrlimit(resource).map_or(limit, |(_, hard)| limit.min(hard));
        options.push(("--ulimit", format!("{name}={limit}:{limit}")));
    }
    options
}
