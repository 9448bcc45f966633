//! A server process, with the folder that it lives in.
use crate::{
    eventually,
    http::{self, Answer},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tempfile::TempDir;

pub(crate) const JANE: &str = "jane@example.com";
pub(crate) const JOHN: &str = "john@example.com";

/// A configuration without tasks, for servers that are to be quick.
pub(crate) const NO_TASKS: &str = "executor: {enabled: false}\n";

/// A folder with the manifests of the tenants jane-doe and john-roe, in which `bulkhead` is called.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::create_dir(place.path("profiles")).unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/profiles");
        for name in ["jane-doe.yaml", "john-roe.yaml"] {
            fs::copy(examples.join(name), place.path("profiles").join(name)).unwrap();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A command with nothing of the test's own environment but what it takes to start a process.
    pub(crate) fn bulkhead(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulkhead"));
        command.args(args).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        command.envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command
    }

    /// What a command writes on standard output, which must succeed.
    #[track_caller]
    pub(crate) fn told(&self, args: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.bulkhead(args).output().unwrap();
        assert!(status.success(), "{args:?}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    /// A `serve` with this configuration, on free ports.
    pub(crate) fn serving(&self, config: &str) -> Command {
        self.write("config.yaml", config);
        let free = "127.0.0.1:0";
        let ports = ["--listen", free, "--admin-listen", free];
        let mut command = self.bulkhead(&["serve", "--config", "config.yaml", "--profiles", "profiles"]);
        command.args(ports);
        command
    }

    pub(crate) fn serve(self, config: &str) -> Server {
        let command = self.serving(config);
        Server::start(Arc::new(self), command)
    }
}

/// A server that is ready. When it is dropped it is told to stop, and must stop well.
pub(crate) struct Server {
    pub(crate) place: Arc<Place>,
    pub(crate) ready: Value,
    child: Child,
    log: PathBuf,
    killed: bool,
    tokens: Mutex<HashMap<String, String>>,
}

impl Server {
    /// What it has said until now.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn start(place: Arc<Place>, mut command: Command) -> Self {
        let log = place.path("log");
        let mut child = command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let status = child.wait().unwrap();
            panic!("the server ended, {status}, before it was ready:\n{}", fs::read_to_string(&log).unwrap());
        }
        let ready = serde_json::from_str(&line).unwrap();
        Self { place, ready, child, log, killed: false, tokens: Mutex::default() }
    }

    /// Ends the server as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.killed = true;
    }

    /// The addresses of the API.
    pub(crate) fn listens(&self) -> Vec<SocketAddr> {
        let all = self.ready["listen"].as_array().unwrap();
        all.iter().map(|address| address.as_str().unwrap().parse().unwrap()).collect()
    }

    pub(crate) fn api(&self) -> SocketAddr {
        self.listens()[0]
    }

    pub(crate) fn admin(&self) -> SocketAddr {
        self.ready["admin"].as_str().unwrap().parse().unwrap()
    }

    /// A token of the user, made once.
    pub(crate) fn token(&self, user: &str) -> String {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || last_line(&self.place.told(&["token", "create", "--user", user]));
        tokens.entry(user.to_owned()).or_insert_with(make).clone()
    }

    /// Calls the API as a user with a token.
    #[track_caller]
    pub(crate) fn call(&self, user: &str, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token(user));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        http::call(self.api(), method, path, &[("authorization", &bearer)], &body)
    }

    /// Calls the API with these headers alone.
    #[track_caller]
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        http::call(self.api(), "GET", path, headers, "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.killed {
            return;
        }
        let id = Pid::from_raw(self.child.id().try_into().unwrap());
        let told = kill(id, Signal::SIGTERM);
        if std::thread::panicking() {
            eprintln!("the log of the server:\n{}", self.log());
            let _ = self.child.wait();
            return;
        }
        told.unwrap();
        let status = eventually("the server has stopped", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

/// A server with all defaults, which the tests that run at the same time share.
pub(crate) fn shared() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Place::new().serve("data_dir: data\n"));
        *shared = Arc::downgrade(&server);
        server
    })
}

pub(crate) fn last_line(text: &str) -> String {
    text.lines().last().unwrap().to_owned()
}
