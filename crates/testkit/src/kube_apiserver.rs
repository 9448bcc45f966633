//! A real Kubernetes API server: the program of `integration-tests/kube-apiserver`, which `make test-kubernetes` builds.
#![expect(clippy::expect_used, clippy::panic, reason = "a test without its server should stop where it is")]
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    fs,
    fs::File,
    io::{BufRead, BufReader, Write, stderr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, Once, PoisonError, Weak},
};
use tempfile::TempDir;

/// Has the path of the program.
const PROGRAM: &str = "BULKHEAD_TEST_KUBE_APISERVER";

/// A server of its own, on loopback and with no objects but those of every new cluster, until it is dropped.
///
/// Its kinds are those of Kubernetes and the Profile. Of the controllers there are three: those that compute the rules
/// of aggregated ClusterRoles, that end namespaces, and that make the ServiceAccount `default` of each namespace.
pub struct KubeApiserver {
    ready: Ready,
    process: Child,
    program: OsString,
    folder: TempDir,
}

/// What the program prints once it answers.
#[derive(Deserialize)]
struct Ready {
    url: String,
    ca: PathBuf,
    token: String,
    kubeconfig: PathBuf,
    users: BTreeMap<String, String>,
}

impl KubeApiserver {
    /// Those who have tokens besides its administrator, with their groups. They have no rights.
    pub const USERS: [(&str, &[&str]); 2] = [("jane@example.com", &["team-a", "team-b"]), ("john@example.com", &[])];

    /// Starts one, which takes some seconds. `None`, and one line that says so, where there is no such program.
    ///
    /// # Panics
    ///
    /// If there is one and it does not start; the message has what it logged.
    pub fn start() -> Option<Self> {
        let Some(program) = env::var_os(PROGRAM) else {
            static SAID: Once = Once::new();
            // Past the capture of the test runner, which shows only what failed.
            SAID.call_once(|| {
                _ = writeln!(stderr(), "skipped: kube-apiserver: no {PROGRAM}; see make test-kubernetes")
            });
            return None;
        };
        let folder = tempfile::Builder::new().prefix("bulkhead-kube-").tempdir().expect("a folder for kube-apiserver");
        let (process, ready) = launch(&program, folder.path(), "0");
        Some(Self { ready, process, program, folder })
    }

    /// Kills it, as an outage would. Its address refuses connections from now on.
    pub fn kill(&mut self) {
        end(&mut self.process);
    }

    /// Starts it again after [`kill`](Self::kill), with what it had stored, at the same address and with the same tokens.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn restart(&mut self) {
        let port = self.ready.url.rsplit(':').next().expect("a URL ends with its port");
        (self.process, self.ready) = launch(&self.program, self.folder.path(), port);
    }

    /// The one that other tests of this process use at the same time, or a new one. Tests that share it keep to
    /// namespaces and names of their own. The last to drop it ends it.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<KubeApiserver>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&started);
        Some(started)
    }

    /// The address, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.ready.url
    }

    /// The file of the authority that signed its certificate, in PEM.
    pub fn ca(&self) -> &Path {
        &self.ready.ca
    }

    /// The token of its administrator, who may do everything.
    pub fn token(&self) -> &str {
        &self.ready.token
    }

    /// The token of one of [`USERS`](Self::USERS).
    ///
    /// # Panics
    ///
    /// If `name` is none of them.
    pub fn user_token(&self, name: &str) -> &str {
        &self.ready.users[name]
    }

    /// A kubeconfig file of its administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.ready.kubeconfig
    }
}

impl Drop for KubeApiserver {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Starts the program, and waits until it is ready.
fn launch(program: &OsStr, folder: &Path, port: &str) -> (Child, Ready) {
    let log = folder.join("log");
    let mut command = Command::new(program);
    command.arg("--data").arg(folder.join("data")).args(["--port", port]);
    for (name, groups) in KubeApiserver::USERS {
        command.arg("--user").arg(format!("{name}={}", groups.join(",")));
    }
    // The program ends when its stdin is closed. That is how it never outlives a test that was killed.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&log).expect("a log"));
    let mut process = command.spawn().unwrap_or_else(|error| panic!("{PROGRAM}={program:?}: {error}"));

    let mut line = String::new();
    let stdout = process.stdout.take().expect("stdout is a pipe");
    _ = BufReader::new(stdout).read_line(&mut line);
    if let Ok(ready) = serde_json::from_str(&line) {
        return (process, ready);
    }
    end(&mut process);
    let log = fs::read_to_string(&log).unwrap_or_default();
    panic!("kube-apiserver did not start; it said {line:?} and logged:\n{log}");
}

/// At once: there is nothing in its folder that anybody will read again.
fn end(process: &mut Child) {
    _ = process.kill();
    _ = process.wait();
}
