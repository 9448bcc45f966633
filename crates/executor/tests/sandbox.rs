//! What a task can reach, tried by a hostile one in every sandbox that works on this host.
mod common;

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use common::{Host, Walls};
use executor::process::Exit;
use executor::sandbox::{Choice, Kind, detect};
use rstest::rstest;
use serde_json::json;

/// What a container has of its own, or shows read-only.
const CONTAINERS: &[&str] = &[
    "read shadow",
    "list root's home",
    "write to the system",
    "write to the root",
    "see devices",
    "read the first process's memory",
];

const ALL: [Walls; 5] = [Walls::Bwrap, Walls::BwrapAsRoot, Walls::Landlock, Walls::LandlockAlone, Walls::Podman];

#[rstest]
#[tokio::test]
async fn a_hostile_task_gets_nowhere(
    #[values(ALL[0], ALL[1], ALL[2], ALL[3], ALL[4])] walls: Walls,
    #[values(true, false)] network: bool,
) {
    let Some(host) = Host::new(walls).await else { return };
    if walls == Walls::LandlockAlone && !network {
        return; // It refuses: see below.
    }
    let read_only = host.root.path().join("shared");
    std::fs::create_dir(&read_only).unwrap();
    std::fs::write(read_only.join("file"), "shared").unwrap();
    let socket = host.root.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let name = format!("bulkhead-{}-{walls:?}-{network}", std::process::id());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let told = json!({
        "server": std::process::id(), "secret": host.secret, "folder": host.folder, "log": host.log,
        "read_only": read_only, "socket": socket, "abstract": name,
        "own": if walls == Walls::Podman { CONTAINERS } else { &[] },
        "variables": if walls == Walls::Podman { ["HOSTNAME", "TERM", "container"].as_slice() } else { &[] },
    });

    let mut confinement = host.confinement(&["/usr/bin/python3", "-c", include_str!("hostile.py"), &told.to_string()]);
    confinement.read_only = vec![read_only];
    confinement.network = network;
    let (exit, log) = host.run(confinement).await;

    assert_eq!((exit, log.trim()), (Exit::Code(0), "reached {}"));
    assert!(!host.secret.with_extension("new").exists(), "a file was written beside the task's folder");
}

#[rstest]
#[case::with(true, Exit::Code(0))]
#[case::without(false, Exit::Code(1))]
#[tokio::test]
async fn the_network_is_the_hosts_or_none(
    #[values(ALL[0], ALL[1], ALL[2])] walls: Walls,
    #[case] network: bool,
    #[case] expect: Exit,
) {
    let Some(host) = Host::new(walls).await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!("import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5)");
    let mut confinement = host.confinement(&["/usr/bin/python3", "-c", &script]);
    confinement.network = network;
    let (exit, log) = host.run(confinement).await;
    assert_eq!(exit, expect, "{log}");
}

#[tokio::test]
async fn a_task_that_is_to_have_no_network_does_not_run_with_one() {
    let Some(host) = Host::new(Walls::LandlockAlone).await else { return };
    let mut confinement = host.confinement(&["true"]);
    confinement.network = false;
    let (exit, _) = host.run(confinement).await;
    let Exit::NotStarted(why) = exit else { panic!("{exit}") };
    assert!(why.contains("allow unprivileged user namespaces"), "{why}");
}

#[rstest]
#[tokio::test]
async fn what_a_task_wrote_is_removed_whatever_it_is(#[values(ALL[0], ALL[2])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let script = format!(
        "ln -s {} link; ln -s / root; mkdir -p shut/inner; touch -- -rf shut/inner/file; chmod 0 shut/inner shut; \
         i=0; while [ $i -lt 2000 ]; do mkdir d; cd d; i=$((i+1)); done",
        host.secret.display()
    );
    let (exit, log) = host.run(host.confinement(&["sh", "-c", &script])).await;
    assert_eq!(exit, Exit::Code(0), "{log}");

    host.sandbox.remove(&host.folder).await.unwrap();
    assert!(!host.folder.exists());
    assert_eq!(std::fs::read_to_string(&host.secret).unwrap(), "the database");
    host.sandbox.remove(&host.folder).await.unwrap();
}

#[tokio::test]
async fn multi_user_mode_wants_a_sandbox() {
    let exe = std::env::current_exe().unwrap();
    let refused = detect(Choice::None, true, &exe).await.unwrap_err().to_string();
    assert!(refused.contains("single-user") && refused.contains("Install bubblewrap"), "{refused}");
    let alone = detect(Choice::None, false, &exe).await.unwrap();
    assert_eq!(*alone.kind(), Kind::Nothing);

    let broken = std::path::Path::new("/usr/bin/false");
    let refused = detect(Choice::Auto, true, broken).await.unwrap_err().to_string();
    assert!(refused.contains("ended without a report") && refused.contains("Install bubblewrap"), "{refused}");
    let settled = detect(Choice::Auto, false, broken).await.unwrap();
    assert_eq!(*settled.kind(), Kind::Nothing);
}
