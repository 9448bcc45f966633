//! Python environments, from packages that the tests make themselves: nothing comes from a network.
mod common;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Host, Walls};
use executor::process::Exit;
use executor::python::{BuildSettings, Environments, Error, Request};
use rstest::rstest;

/// Whether there is a way to take the network away, which none of these packages needs.
fn can_do_without_network(walls: Walls) -> bool {
    walls != Walls::LandlockAlone
}

struct Packages {
    host: Host,
    /// What a build with a network could reach.
    _listener: TcpListener,
    network: bool,
    /// The folder of a namespace.
    folder: PathBuf,
    settings: BuildSettings,
}

#[expect(clippy::unwrap_used, reason = "these functions are parts of tests")]
impl Packages {
    async fn new(walls: Walls) -> Option<Self> {
        let host = Host::new(walls).await?;
        let wheels = host.root.path().join("wheels");
        std::fs::create_dir(&wheels).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let made = Command::new("python3")
            .args(["-c", include_str!("packages.py")])
            .arg(&wheels)
            .arg(&host.secret)
            .arg(port)
            .status();
        assert!(made.unwrap().success());
        let variables = [("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", wheels.to_str().unwrap())];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let folder = host.root.path().join("envs");
        Some(Self {
            settings: BuildSettings { variables, read_only: vec![wheels] },
            folder,
            host,
            _listener: listener,
            network: !can_do_without_network(walls),
        })
    }

    fn asked<'a>(&self, folder: &'a Path, installs: &'a [Vec<String>]) -> Request<'a> {
        Request { folder, installs, network: self.network }
    }

    async fn environments(&self) -> Environments {
        Environments::new(self.host.sandbox.clone(), self.settings.clone()).await
    }

    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        // Keys are digests: they may come before or after other names.
        names.sort_unstable_by_key(|name| (name == "cache", name.clone()));
        names
    }
}

fn installs(installs: &[&str]) -> Vec<Vec<String>> {
    installs.iter().map(|install| install.split(' ').map(str::to_owned).collect()).collect()
}

#[rstest]
#[tokio::test]
async fn what_nobody_uses_is_collected(#[values(Walls::Bwrap, Walls::Landlock)] walls: Walls) {
    let Some(packages) = Packages::new(walls).await else { return };
    let (environments, folder) = (packages.environments().await, packages.folder.as_path());
    environments.collect(folder, Duration::ZERO).await.unwrap();
    let wanted = installs(&["greeting --no-deps"]);
    let used = environments.ready(packages.asked(folder, &wanted)).await.unwrap().unwrap();
    environments.collect(folder, Duration::ZERO).await.unwrap();
    assert!(used.path.is_dir(), "it is in use");
    drop(used);
    environments.collect(folder, Duration::from_secs(3600)).await.unwrap();
    assert_eq!(packages.left().len(), 3, "it was used just now");
    environments.collect(folder, Duration::ZERO).await.unwrap();
    assert_eq!(packages.left(), ["cache"]);
    environments.ready(packages.asked(folder, &wanted)).await.unwrap().unwrap();
}

#[rstest]
#[tokio::test]
async fn an_environment_is_built_once_and_cannot_be_changed(
    #[values(Walls::Bwrap, Walls::Landlock, Walls::LandlockAlone)] walls: Walls,
) {
    let Some(packages) = Packages::new(walls).await else { return };
    let (one, other) = (packages.environments().await, packages.environments().await);
    let wanted = installs(&["--quiet --no-warn-script-location nosy==1.0", "greeting --no-deps"]);

    let folder = packages.folder.as_path();
    let (first, second, third) = tokio::join!(
        one.ready(packages.asked(folder, &wanted)),
        one.ready(packages.asked(folder, &wanted)),
        other.ready(packages.asked(folder, &wanted))
    );
    let environment = first.unwrap().unwrap();
    assert_eq!(second.unwrap().as_ref(), Some(&environment));
    assert_eq!(third.unwrap().as_ref(), Some(&environment));
    assert_eq!(std::fs::read_to_string(folder.join("cache/builds")).unwrap(), "build\n");
    let key = environment.path.file_name().unwrap().to_str().unwrap();
    assert_eq!(packages.left(), [key, &format!("{key}.complete"), "cache"]);

    let before = Instant::now();
    assert_eq!(one.ready(packages.asked(folder, &wanted)).await.unwrap(), Some(environment.clone()));
    assert!(before.elapsed() < Duration::from_millis(100));

    let script = "import greeting, nosy; print(greeting.words, nosy.tried, flush=True); open(greeting.__file__, 'a')";
    let mut confinement = packages.host.confinement(&["python3", "-c", script]);
    confinement.env.insert("PATH".into(), format!("{}:/usr/bin:/bin", environment.bin.display()));
    confinement.read_only = environment.read_only;
    let (exit, log) = packages.host.run(confinement).await;
    assert_eq!(exit, Exit::Code(1), "{log}");
    let connected = if packages.network { "reached" } else { "denied" };
    assert!(log.starts_with(&format!("good day ['denied', '{connected}']\n")), "{log}");
    assert!(log.contains("Read-only file system") || log.contains("Permission denied"), "{log}");
    assert!(!packages.host.secret.with_extension("new").exists());
}

#[rstest]
#[tokio::test]
async fn a_failed_build_names_its_packages_and_leaves_nothing(#[values(Walls::Bwrap, Walls::Landlock)] walls: Walls) {
    let Some(packages) = Packages::new(walls).await else { return };
    let environments = packages.environments().await;
    let wanted = installs(&["greeting", "no-such-package==9 --index-url https://me:secret@localhost:1/simple"]);
    let (one, other) = tokio::join!(
        environments.ready(packages.asked(&packages.folder, &wanted)),
        environments.ready(packages.asked(&packages.folder, &wanted))
    );
    let error = one.unwrap_err();
    let Error::Install { packages: named, tail, .. } = &error else { panic!("{error}") };
    assert_eq!(named, "greeting, no-such-package==9");
    assert!(tail.contains("no-such-package"), "{tail}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(other.unwrap_err().to_string(), error.to_string(), "they waited for the same build");
    assert_eq!(packages.left(), ["cache"]);
}

#[tokio::test]
async fn what_a_killed_server_left_is_built_again() {
    let Some(packages) = Packages::new(Walls::Landlock).await else { return };
    let environments = packages.environments().await;
    let wanted = installs(&["greeting"]);
    let environment = environments.ready(packages.asked(&packages.folder, &wanted)).await.unwrap().unwrap();
    std::fs::remove_file(with_suffix(&environment.path, ".complete")).unwrap();
    std::fs::remove_file(environment.bin.join("python")).unwrap();
    std::fs::write(with_suffix(&environment.path, ".lock"), "").unwrap();

    let again = environments.ready(packages.asked(&packages.folder, &wanted)).await.unwrap().unwrap();
    assert_eq!(again, environment);
    assert!(again.bin.join("python").exists());
}

#[tokio::test]
async fn nothing_to_install_is_no_environment_and_strange_arguments_are_refused() {
    let Some(packages) = Packages::new(Walls::Landlock).await else { return };
    let environments = packages.environments().await;
    assert_eq!(environments.ready(packages.asked(&packages.folder, &[])).await.unwrap(), None);
    assert_eq!(environments.ready(packages.asked(&packages.folder, &installs(&["--quiet"]))).await.unwrap(), None);
    let error =
        environments.ready(packages.asked(&packages.folder, &installs(&["greeting --target=/etc"]))).await.unwrap_err();
    assert!(error.to_string().contains("--target=/etc"), "{error}");
    assert!(!packages.folder.exists());
    let python = environments.interpreter().unwrap();
    assert!(python.executable.is_absolute() && python.version.contains("3."), "{python:?}");
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}
