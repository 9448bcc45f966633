//! The shell preamble in which the SDK wraps lightweight Python components, and the packages that it installs.
//!
//! It would install them anew in every task. Where it is the preamble that kfp 2 writes, word for word but for the
//! packages, it is taken off and the packages are named, so that an environment can be made of them once. Anything
//! else is left as it is.

/// What `pip` is asked for before the task, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Packages {
    pub installs: Vec<PipInstall>,
}

/// One call of `pip install`. The options count for its requirements alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PipInstall {
    /// As they were written, such as `six>=1.16`; no local files.
    pub requirements: Vec<String>,
    /// Only `--no-deps`, `--pre`, `--upgrade`, and `--index-url`, `--extra-index-url` and `--trusted-host`, each of
    /// these followed by its value.
    pub options: Vec<String>,
}

/// The longest preamble that is taken apart, in bytes. A longer one is run as it is.
const MAX_SCRIPT: usize = 64 << 10;
/// Options of `pip install` that only make it less talkative.
const QUIET: [&str; 4] = ["--quiet", "-q", "--no-warn-script-location", "--disable-pip-version-check"];
const FLAGS: [&str; 3] = ["--no-deps", "--pre", "--upgrade"];
const INDEXES: [&str; 2] = ["--index-url", "--extra-index-url"];
const TRUSTED: &str = "--trusted-host";

/// How a component with `use_venv=True` makes an environment. Ours is one anyway.
const VENV: [&str; 4] = [
    "export PIP_DISABLE_PIP_VERSION_CHECK=1",
    "tmp=$(mktemp -d)",
    "python3 -m venv \"$tmp/venv\" --system-site-packages",
    ". \"$tmp/venv/bin/activate\"",
];

/// Splits a command into the packages that its preamble installs and the command that it then runs; none if it has
/// no preamble that is known.
pub(crate) fn split(command: &[String]) -> Option<(Packages, &[String])> {
    let [shell, flag, script, rest @ ..] = command else { return None };
    if shell != "sh" || flag != "-c" || rest.is_empty() {
        return None;
    }
    Some((parse(script)?, rest))
}

fn parse(script: &str) -> Option<Packages> {
    if script.len() > MAX_SCRIPT {
        return None;
    }
    let mut lines = script.trim().lines().map(str::trim);
    if lines.next()? != "if ! [ -x \"$(command -v pip)\" ]; then"
        || !lines.next()?.starts_with("python3 -m ensurepip")
        || lines.next()? != "fi"
    {
        return None;
    }
    let mut calls: Vec<_> = lines.filter(|line| !line.is_empty() && !VENV.contains(line)).collect();
    let last = calls.pop()?.strip_suffix("\"$0\" \"$@\"")?.trim_end().strip_suffix("&&")?;
    // A line that does not go on would be a command of its own.
    if !calls.iter().all(|line| line.ends_with("&&")) {
        return None;
    }
    calls.push(last);
    let calls = calls.join(" ");
    if !is_plain(&calls) {
        return None;
    }
    let words = shlex::split(&calls)?;
    let installs = words.split(|word| word == "&&").map(install).collect::<Option<Vec<_>>>()?;
    Some(Packages { installs })
}

/// Whether a shell would find nothing to expand or obey but `&&` between commands: all else is in single quotes.
fn is_plain(calls: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_=.,:/@%+[]".contains(c);
    calls.split('\'').step_by(2).all(|outside| outside.replace(" && ", "").trim_end_matches(" &&").chars().all(plain))
}

fn install(words: &[String]) -> Option<PipInstall> {
    let words = match words {
        [first, rest @ ..] if first == "PIP_DISABLE_PIP_VERSION_CHECK=1" => rest,
        words => words,
    };
    let mut words = words.iter().map(String::as_str);
    for expected in ["python3", "-m", "pip", "install"] {
        if words.next()? != expected {
            return None;
        }
    }
    let mut install = PipInstall::default();
    while let Some(word) = words.next() {
        if QUIET.contains(&word) {
            continue;
        }
        if FLAGS.contains(&word) {
            install.options.push(word.to_owned());
        } else if INDEXES.contains(&word) || word == TRUSTED {
            let value = words.next()?;
            let url = value.starts_with("https://") || value.starts_with("http://");
            let host = value.starts_with(|c: char| c.is_ascii_alphanumeric()) && !value.contains('/');
            if !(if word == TRUSTED { host } else { url }) {
                return None;
            }
            install.options.extend([word.to_owned(), value.to_owned()]);
        } else if is_requirement(word) {
            install.requirements.push(word.to_owned());
        } else {
            return None;
        }
    }
    Some(install).filter(|install| !install.requirements.is_empty())
}

/// A name with versions, or a package of a remote place: nothing that `pip` would look for on this host.
fn is_requirement(word: &str) -> bool {
    let remote = ["https://", "http://"].iter().any(|scheme| word.contains(scheme));
    let local = word.contains("file:") || (word.contains('/') && !remote);
    let file = [".whl", ".zip", ".tar.gz", ".tgz"].iter().any(|ending| word.ends_with(ending)) && !remote;
    word.starts_with(|c: char| c.is_ascii_alphanumeric()) && !word.contains(char::is_control) && !local && !file
}
