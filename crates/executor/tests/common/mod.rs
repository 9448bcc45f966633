//! A host with a secret, the sandboxes that work on it, and tasks that run in them.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "these functions are parts of tests")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use executor::podman::{ImageId, Podman, Settings};
use executor::process::{Exit, Task};
use executor::sandbox::{Choice, Confinement, Kind, Sandbox, detect};
use tempfile::TempDir;

/// Makes a test program its own supervisor, as the server's binary is: this runs before `main`, on the only thread.
#[used]
#[unsafe(link_section = ".init_array")]
static SUPERVISE: extern "C" fn() = {
    extern "C" fn supervise() {
        if std::env::args_os().nth(1).is_some_and(|argument| argument == "supervise") {
            let code = executor::process::supervise();
            std::process::exit(i32::from(code != ExitCode::SUCCESS));
        }
    }
    supervise
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Walls {
    Bwrap,
    /// As root on a host without user namespaces.
    BwrapAsRoot,
    Landlock,
    /// On a host that gives no namespaces.
    LandlockAlone,
    /// A container of podman's.
    Podman,
    /// For one user's own code.
    Nothing,
}

/// A folder with a secret beside the folder of a task.
pub(crate) struct Host {
    pub(crate) root: TempDir,
    pub(crate) secret: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) sandbox: Sandbox,
    /// What tasks run in instead.
    pub(crate) image: Option<(Podman, ImageId)>,
}

impl Host {
    /// Nothing, and a line that says so, where these walls do not exist.
    pub(crate) async fn new(walls: Walls) -> Option<Self> {
        // Not in /tmp, of which bwrap gives tasks one of their own.
        let folder = std::env::var("BULKHEAD_TEST_FOLDER").unwrap_or(env!("CARGO_TARGET_TMPDIR").to_owned());
        let root = tempfile::tempdir_in(folder).unwrap();
        let Some(sandbox) = sandbox(walls, root.path()).await else {
            println!("skipped: {walls:?} is not to be had on this host");
            return None;
        };
        let image = if walls == Walls::Podman { Some(image(root.path()).await?) } else { None };
        let secret = root.path().join("secret");
        std::fs::write(&secret, "the database").unwrap();
        let folder = root.path().join("task");
        std::fs::create_dir(&folder).unwrap();
        let log = root.path().join("log");
        Some(Self { root, secret, folder, log, sandbox, image })
    }

    pub(crate) fn confinement(&self, argv: &[&str]) -> Confinement {
        let argv = argv.iter().map(ToString::to_string).collect();
        let mut confinement = Confinement::new(argv, self.folder.clone(), self.log.clone());
        confinement.env = BTreeMap::from([
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), self.folder.display().to_string()),
        ]);
        confinement.read_write = vec![self.folder.clone()];
        confinement
    }

    pub(crate) async fn start(&self, confinement: Confinement) -> Task {
        match &self.image {
            Some((podman, image)) => podman.start(confinement, image.clone(), false).await.unwrap(),
            None => self.sandbox.start(confinement).await.unwrap(),
        }
    }

    /// Runs a task to its end: how it ended, and what it wrote.
    pub(crate) async fn run(&self, confinement: Confinement) -> (Exit, String) {
        let exit = self.start(confinement).await.wait().await;
        (exit, self.logged())
    }

    pub(crate) fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

async fn sandbox(walls: Walls, root: &Path) -> Option<Sandbox> {
    let exe = std::env::current_exe().unwrap();
    match walls {
        Walls::Bwrap => detect(Choice::Bwrap, true, &exe).await.ok(),
        Walls::Nothing | Walls::Podman => detect(Choice::None, false, &exe).await.ok(),
        Walls::Landlock => detect(Choice::Landlock, true, &exe).await.ok(),
        Walls::BwrapAsRoot => {
            let supervisor = wrapper(
                root,
                &exe,
                "unshare --user --map-root-user --mount sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec \"$@\"' sh",
            );
            let sandbox = detect(Choice::Bwrap, true, &supervisor).await.ok()?;
            matches!(sandbox.kind(), Kind::Bwrap { user_namespace: false, .. }).then_some(sandbox)
        }
        Walls::LandlockAlone => {
            let supervisor = wrapper(
                root,
                &exe,
                "bwrap --dev-bind / / --unshare-user --uid 1000 --gid 1000 --disable-userns --cap-drop ALL --",
            );
            detect(Choice::Landlock, true, &supervisor).await.ok()
        }
    }
}

/// The image of integration-tests/harness, and a podman that has it.
async fn image(root: &Path) -> Option<(Podman, ImageId)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integration-tests");
    let mut making = tokio::process::Command::new("python3");
    let made = making.args(["-m", "harness.images"]).current_dir(tests).output().await.unwrap();
    if !made.status.success() {
        println!("{}", String::from_utf8_lossy(&made.stderr).trim());
        return None;
    }
    let told: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let text = |key: &str| told[key].as_str().unwrap().to_owned();
    let program =
        script(root, "podman", &format!("export CONTAINERS_STORAGE_CONF='{}'\nexec podman \"$@\"\n", text("storage")));
    let settings = Settings {
        program: Some(program),
        runtime: Some(text("runtime")),
        folder: root.to_owned(),
        ..Settings::default()
    };
    let podman = Podman::detect(settings, &std::env::current_exe().unwrap()).await.unwrap();
    let image = podman.image(&text("image")).await.unwrap();
    Some((podman, image))
}

/// A supervisor that is started by something that takes rights away first.
fn wrapper(root: &Path, exe: &Path, by: &str) -> PathBuf {
    script(root, "supervisor", &format!("PATH=/usr/bin:/bin exec {by} '{}' supervise\n", exe.display()))
}

fn script(root: &Path, name: &str, content: &str) -> PathBuf {
    let script = root.join(name);
    std::fs::write(&script, format!("#!/bin/sh\n{content}")).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    script
}

/// Processes of the host that have this text among their arguments.
pub(crate) fn processes_with(text: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let matching = entries.filter(|entry| {
        let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).split('\0').any(|argument| argument == text)
    });
    matching.count()
}

/// Waits until there are as many.
pub(crate) async fn until_processes_with(text: &str, count: usize) {
    for _ in 0..1000 {
        if processes_with(text) == count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{} processes have {text:?} among their arguments, not {count}", processes_with(text));
}
