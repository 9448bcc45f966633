//! How tasks end, and that nothing of them is left.
mod common;

use std::time::{Duration, Instant};

use common::{Host, Walls, processes_with, until_processes_with};
use executor::process::Exit;
use rstest::rstest;

const ALL: [Walls; 4] = [Walls::Bwrap, Walls::Landlock, Walls::LandlockAlone, Walls::Podman];

/// Leaves two processes behind that carry `marker` among their arguments: one in another session, with a parent that
/// is gone and deaf to SIGTERM, and one that is an orphan only.
fn daemon(marker: &str, then: &str) -> String {
    let deaf = "trap : TERM; while :; do sleep 1; done";
    format!("(setsid sh -c '{deaf}' {marker} & sh -c '{deaf}' {marker} & echo up); {then}")
}

fn marker(test: &str, walls: Walls) -> String {
    format!("bulkhead-{test}-{walls:?}-{}", std::process::id())
}

#[rstest]
#[case::fine(&["true"], Exit::Code(0))]
#[case::code(&["sh", "-c", "exit 7"], Exit::Code(7))]
#[case::large_code(&["sh", "-c", "exit 137"], Exit::Code(137))]
#[case::killed(&["sh", "-c", "kill -9 $$"], Exit::Signal(9))]
#[case::terminated(&["sh", "-c", "kill -TERM $$"], Exit::Signal(15))]
#[case::pipe(&["sh", "-c", "yes | head -n 1 >/dev/null"], Exit::Code(0))]
#[case::option(&["printf", "--", "--"], Exit::Code(0))]
#[tokio::test]
async fn exit(#[values(ALL[0], ALL[1], ALL[2])] walls: Walls, #[case] argv: &[&str], #[case] expect: Exit) {
    let Some(host) = Host::new(walls).await else { return };
    let (exit, log) = host.run(host.confinement(argv)).await;
    assert_eq!(exit, expect, "{log}");
}

#[rstest]
#[case::unknown(&["no-such-program"], "no program \"no-such-program\" in its PATH (/usr/bin:/bin)")]
#[case::absent(&["/usr/bin/no-such-program"], "no program /usr/bin/no-such-program")]
#[case::folder(&["/usr"], "may not be executed")]
#[case::large(&["true", &"x".repeat(200_000)], "longer than the kernel allows")]
#[case::nothing(&[], "command is empty")]
#[tokio::test]
async fn not_started(#[values(ALL[0], ALL[1], ALL[2])] walls: Walls, #[case] argv: &[&str], #[case] expect: &str) {
    let Some(host) = Host::new(walls).await else { return };
    let (exit, _) = host.run(host.confinement(argv)).await;
    let Exit::NotStarted(why) = exit else { panic!("{exit}") };
    assert!(why.contains(expect), "{why}");
}

#[rstest]
#[tokio::test]
async fn a_folder_that_is_not_shown_cannot_be_entered(#[values(ALL[0], ALL[1])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let mut confinement = host.confinement(&["true"]);
    confinement.cwd = host.root.path().join("nowhere");
    let (exit, _) = host.run(confinement).await;
    let Exit::NotStarted(why) = exit else { panic!("{exit}") };
    assert!(why.contains("cannot be entered"), "{why}");
}

#[rstest]
#[tokio::test]
async fn output_is_logged_and_the_log_has_an_end(#[values(ALL[0], ALL[1], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let (_, log) = host.run(host.confinement(&["sh", "-c", "echo out; echo err >&2; cat"])).await;
    assert_eq!(log, "out\nerr\n");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&host.log).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let mut confinement = host.confinement(&["sh", "-c", "yes | head -c 10000000; exit 3"]);
    confinement.max_log = 1000;
    let (exit, log) = host.run(confinement).await;
    assert_eq!(exit, Exit::Code(3), "it is not held up");
    assert!(log.starts_with("out\nerr\ny\ny\n") && log.ends_with("limit of 1000 bytes.]\n"), "{log}");
    assert!(log.len() < 1100);
}

#[tokio::test]
async fn a_log_that_is_a_link_is_refused() {
    let Some(host) = Host::new(Walls::Landlock).await else { return };
    std::os::unix::fs::symlink(&host.secret, &host.log).unwrap();
    let (exit, _) = host.run(host.confinement(&["echo", "overwritten"])).await;
    assert!(matches!(exit, Exit::NotStarted(_)), "{exit}");
    assert_eq!(std::fs::read_to_string(&host.secret).unwrap(), "the database");
}

#[rstest]
#[tokio::test]
async fn timeout(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let marker = marker("timeout", walls);
    let mut confinement = host.confinement(&["sh", "-c", &daemon(&marker, "sleep 1000")]);
    confinement.timeout = Some(Duration::from_secs(1));
    let before = Instant::now();
    let (exit, _) = host.run(confinement).await;
    assert_eq!(exit, Exit::TimedOut);
    assert!(before.elapsed() < Duration::from_secs(10));
    assert_eq!(processes_with(&marker), 0);
}

#[rstest]
#[tokio::test]
async fn daemons_end_with_their_task(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let marker = marker("daemon", walls);
    let (exit, log) = host.run(host.confinement(&["sh", "-c", &daemon(&marker, "exit 5")])).await;
    assert_eq!((exit, log.as_str()), (Exit::Code(5), "up\n"));
    assert_eq!(processes_with(&marker), 0);
}

/// No test by itself: the test below runs it as a process of its own, to be killed.
#[tokio::test]
async fn a_server() {
    let Ok(walls) = std::env::var("BULKHEAD_TEST_WALLS") else { return };
    let walls = match walls.as_str() {
        "Bwrap" => Walls::Bwrap,
        "Landlock" => Walls::Landlock,
        "Podman" => Walls::Podman,
        _ => Walls::LandlockAlone,
    };
    let host = Host::new(walls).await.unwrap();
    let marker = std::env::var("BULKHEAD_TEST_MARKER").unwrap();
    host.start(host.confinement(&["sh", "-c", &daemon(&marker, "sleep 1000")])).await.wait().await;
}

#[rstest]
#[tokio::test]
async fn nothing_is_left_of_a_server_that_is_killed(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let marker = marker("server", walls);
    let mut server = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_server"])
        .env("BULKHEAD_TEST_WALLS", format!("{walls:?}"))
        .env("BULKHEAD_TEST_MARKER", &marker)
        // What it leaves on disk when it is killed goes with this test's folder.
        .env("BULKHEAD_TEST_FOLDER", host.root.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until_processes_with(&marker, 2).await;
    server.kill().unwrap();
    server.wait().unwrap();
    until_processes_with(&marker, 0).await;
}

#[rstest]
#[tokio::test]
async fn everything_ends_with_the_hold_on_a_task(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let marker = marker("orphan", walls);
    let task = host.start(host.confinement(&["sh", "-c", &daemon(&marker, "sleep 1000")])).await;
    until_processes_with(&marker, 2).await;
    drop(task);
    until_processes_with(&marker, 0).await;
}

#[rstest]
#[tokio::test]
async fn a_task_may_end_in_its_own_way_when_it_is_stopped(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let script = "trap 'echo bye; exit 4' TERM; touch ready; while :; do sleep 0.01; done";
    let mut task = host.start(host.confinement(&["sh", "-c", script])).await;
    until_exists(&host.folder.join("ready")).await;
    task.stop(Duration::from_secs(60)).await;
    assert_eq!(task.wait().await, Exit::Code(4));
    assert_eq!(task.wait().await, Exit::Code(4), "it can be asked again");
    assert!(host.logged().ends_with("bye\n"), "{}", host.logged());
}

#[rstest]
#[tokio::test]
async fn a_task_that_will_not_stop_is_killed(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let script = "trap '' TERM; touch ready; while :; do sleep 0.01; done";
    let mut task = host.start(host.confinement(&["sh", "-c", script])).await;
    until_exists(&host.folder.join("ready")).await;
    task.stop(Duration::from_millis(50)).await;
    assert_eq!(task.wait().await, Exit::Signal(9));
}

/// The order to stop is there before the supervisor has read the one to start, and comes along with it.
#[rstest]
#[tokio::test]
async fn a_task_can_be_stopped_at_once(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let mut task = host.start(host.confinement(&["sleep", "60"])).await;
    task.stop(Duration::from_secs(60)).await;
    let exit = tokio::time::timeout(Duration::from_secs(30), task.wait()).await;
    assert_eq!(exit.expect("the task goes on"), Exit::Signal(15));
}

async fn until_exists(file: &std::path::Path) {
    while !file.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
