//! What is different where a task runs in its image.
mod common;

use common::{Host, Walls};
use executor::podman::{Error, ImageId};
use executor::process::Exit;
use rstest::rstest;

#[rstest]
#[case::fine(&["true"], Exit::Code(0))]
#[case::code(&["sh", "-c", "exit 7"], Exit::Code(7))]
// As of 137 there is no telling a code from a signal (the runtime's convention, which is the shell's).
#[case::crash(&["python3", "-c", "import ctypes; ctypes.string_at(0)"], Exit::Signal(11))]
#[case::option(&["printf", "--", "--"], Exit::Code(0))]
#[case::own_option(&["printf", "--privileged"], Exit::Code(0))]
#[tokio::test]
async fn exit(#[case] argv: &[&str], #[case] expect: Exit) {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let (exit, log) = host.run(host.confinement(argv)).await;
    assert_eq!(exit, expect, "{log}");
}

#[rstest]
#[case::unknown(&["no-such-program"], "no-such-program")]
#[case::folder(&["/usr"], "/usr")]
#[case::nothing(&[], "command is empty")]
#[tokio::test]
async fn not_started(#[case] argv: &[&str], #[case] expect: &str) {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let (exit, _) = host.run(host.confinement(argv)).await;
    let Exit::NotStarted(why) = exit else { panic!("{exit}") };
    assert!(why.contains(expect), "{why}");
}

/// The folders are at their own paths, whatever these are; what is written there is the server's to read and remove.
#[rstest]
#[case("plain")]
#[case("a,b:c \"d\" é")]
#[tokio::test]
async fn folders(#[case] name: &str) {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let folder = host.root.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    let shown = host.root.path().join(format!("{name} to read"));
    std::fs::write(&shown, "shown").unwrap();
    let script = "cat \"$1\" && echo written > \"$2/file\" && mkdir \"$2/within\" && ! echo x > \"$1\"";
    let mut confinement =
        host.confinement(&["sh", "-c", script, "sh", shown.to_str().unwrap(), folder.to_str().unwrap()]);
    confinement.read_write.push(folder.clone());
    confinement.read_only = vec![shown];
    let (exit, log) = host.run(confinement).await;
    assert!(exit.success() && log.starts_with("shown"), "{exit}: {log}");
    assert_eq!(std::fs::read_to_string(folder.join("file")).unwrap(), "written\n");
    host.sandbox.remove(&folder).await.unwrap();
    assert!(!folder.exists());
}

#[rstest]
#[case::own(true, true)]
#[case::none(false, false)]
#[tokio::test]
async fn the_network_is_an_own_one_or_none(#[case] network: bool, #[case] leads_outside: bool) {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "import socket\nprint(len(socket.if_nameindex()) > 1)\ntry: socket.create_connection(('127.0.0.1', {port}), \
         timeout=5)\nexcept OSError: print('alone')"
    );
    let mut confinement = host.confinement(&["python3", "-c", &script]);
    confinement.network = network;
    let (exit, log) = host.run(confinement).await;
    let outside = if leads_outside { "True" } else { "False" };
    assert_eq!((exit, log), (Exit::Code(0), format!("{outside}\nalone\n")));
}

/// Whatever is in it: a container has no line that could end early.
#[tokio::test]
async fn an_environment_arrives_as_it_was() {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let value = " two\nlines, \"quotes\" $HOME \\ é ";
    let mut confinement = host.confinement(&["python3", "-c", "import os; print(repr(os.environ['TOLD']))"]);
    confinement.env.insert("TOLD".into(), value.into());
    let (exit, log) = host.run(confinement).await;
    assert!(exit.success(), "{log}");
    assert_eq!(log.trim(), "' two\\nlines, \"quotes\" $HOME \\\\ é '");
}

#[tokio::test]
async fn what_is_written_to_the_image_counts_and_goes() {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let mut confinement =
        host.confinement(&["sh", "-c", "echo mark > /opt; cat /dev/zero | split -b 1M - /usr/filling"]);
    confinement.limits.disk = Some(8 << 20);
    let (exit, log) = host.run(confinement).await;
    assert_eq!(exit, Exit::DiskFull { limit: 8 << 20 }, "{log}");
    let (exit, log) = host.run(host.confinement(&["sh", "-c", "ls /usr; cat /opt"])).await;
    assert!(!exit.success() && !log.contains("filling"), "{log}");
}

/// Each process starts two more: only control groups hold that.
#[tokio::test]
async fn a_bomb_goes_off_in_its_container_alone() {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let bomb = "import os, time\nfor _ in range(1000000):\n try: os.fork()\n except OSError: time.sleep(0.01)";
    let mut confinement = host.confinement(&["python3", "-c", bomb]);
    confinement.limits.processes = 60;
    confinement.timeout = Some(std::time::Duration::from_secs(5));
    let (exit, log) = host.run(confinement).await;
    assert!(matches!(exit, Exit::TimedOut | Exit::TooManyProcesses { limit: 60 }), "{exit}: {log}");
}

#[tokio::test]
async fn an_image_that_is_not_here_is_named() {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let (podman, here) = host.image.as_ref().unwrap();
    let image = |name| async move { podman.image(name).await };
    assert_eq!(image("python:3.11").await.unwrap(), *here);
    let Err(error @ Error::Pull { .. }) = image("localhost:1/team/none:1").await else { panic!("it was pulled") };
    assert!(error.to_string().starts_with("the image localhost:1/team/none:1 cannot be pulled: "), "{error}");
    assert!(matches!(image("dir:/etc").await, Err(Error::Name { .. })));
    let _: &ImageId = here;
}

/// A server that was killed with its supervisors, as by a host's lack of memory, leaves containers to the next one.
#[tokio::test]
async fn the_next_server_sweeps() {
    let Some(host) = Host::new(Walls::Podman).await else { return };
    let marker = format!("bulkhead-sweep-{}", std::process::id());
    let script = "touch ready; while :; do sleep 1; done";
    let task = host.start(host.confinement(&["sh", "-c", script, &marker])).await;
    while !host.folder.join("ready").exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (podman, _) = host.image.as_ref().unwrap();
    podman.sweep().await.unwrap();
    common::until_processes_with(&marker, 0).await;
    drop(task);
}
