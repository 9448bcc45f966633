//! What a task that wants all of the host gets of it, and that its neighbour hears nothing of that.
mod common;

use std::time::{Duration, Instant};

use common::{Host, Walls, processes_with};
use executor::process::Exit;
use executor::sandbox::Limits;
use rstest::rstest;

const ALL: [Walls; 5] = [Walls::Bwrap, Walls::Landlock, Walls::LandlockAlone, Walls::Nothing, Walls::Podman];

const MEMORY: u64 = 128 << 20;
const DISK: u64 = 8 << 20;
const PROCESSES: u64 = 40;

const ALLOCATE: &str = "python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'";
/// Many processes that share what they inherit: together they hold less than each for itself.
const SHARE: &str = "python3 -c 'import os, time\nx = b\"x\" * (60 << 20)\nfor _ in range(6):\n  if not os.fork(): \
                     time.sleep(1); os._exit(0)\nfor _ in range(6): os.wait()'";
const DELETED: &str = "exec 3>gone; rm gone; while :; do head -c 1000000 /dev/zero >&3; done";
const MANY_FILES: &str = "i=0; while :; do i=$((i+1)); head -c 300000 /dev/zero > $i || exit 0; done";
const THREADS: &str = "python3 -c 'import threading, time\nfor _ in range(100): threading.Thread(target=time.sleep, \
                       args=(1000,)).start()'";

#[rstest]
#[case::memory(ALLOCATE, Exit::OutOfMemory { limit: Some(MEMORY) })]
#[case::shared_memory(SHARE, Exit::Code(0))]
#[case::one_file("head -c 100000000 /dev/zero > file; exit 0", Exit::DiskFull { limit: DISK })]
#[case::many_files(MANY_FILES, Exit::DiskFull { limit: DISK })]
#[case::deleted_file(DELETED, Exit::DiskFull { limit: DISK })]
#[case::threads(THREADS, Exit::TooManyProcesses { limit: PROCESSES })]
#[case::output("head -c 1000000000 /dev/zero", Exit::Code(0))]
#[tokio::test]
async fn a_task_harms_only_itself(
    #[values(ALL[0], ALL[1], ALL[2], ALL[3], ALL[4])] walls: Walls,
    #[case] script: &str,
    #[case] expect: Exit,
) {
    let (Some(host), Some(beside)) = (Host::new(walls).await, Host::new(walls).await) else { return };
    let mut neighbour = beside.start(beside.confinement(&["sh", "-c", "sleep 0.5; echo well"])).await;
    let marker = format!("bulkhead-limits-{}-{}", host.root.path().display(), std::process::id());
    let mut confinement = host.confinement(&["sh", "-c", script, &marker]);
    confinement.max_log = 10_000;
    confinement.timeout = Some(Duration::from_secs(60));
    confinement.limits = Limits { memory: Some(MEMORY), disk: Some(DISK), processes: PROCESSES, ..Limits::default() };
    let (exit, log) = host.run(confinement).await;
    assert_eq!(exit, expect, "{log}");
    assert!(log.len() < 11_000);
    assert_eq!(processes_with(&marker), 0);
    assert_eq!(neighbour.wait().await, Exit::Code(0));
    assert_eq!(beside.logged(), "well\n");
    let before = Instant::now();
    host.sandbox.remove(&host.folder).await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(10));
}

/// One process that starts others without end.
#[rstest]
#[tokio::test]
async fn a_task_that_forks_without_end_is_put_out(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let mut confinement = host.confinement(&["sh", "-c", "while :; do sleep 1000 & done"]);
    confinement.timeout = Some(Duration::from_secs(60));
    confinement.limits.processes = PROCESSES;
    let before = Instant::now();
    let (exit, log) = host.run(confinement).await;
    assert_eq!(exit, Exit::TooManyProcesses { limit: PROCESSES }, "{log}");
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
}

/// Each process starts others in turn: without a control group that is faster than the supervisor where the server is root
/// (docs/OPERATIONS.md), and would take the process numbers of whoever runs this.
#[rstest]
#[tokio::test]
async fn a_bomb_is_put_out(#[values(ALL[0], ALL[1])] walls: Walls) {
    if std::fs::create_dir("/sys/fs/cgroup/pids/bulkhead-probe").is_err() {
        println!("skipped: this host lets nobody here make a control group below /sys/fs/cgroup/pids");
        return;
    }
    std::fs::remove_dir("/sys/fs/cgroup/pids/bulkhead-probe").unwrap();
    let Some(host) = Host::new(walls).await else { return };
    let bomb = "import os, time\nwhile True:\n try: os.fork()\n except OSError: time.sleep(0.01)";
    let mut confinement = host.confinement(&["python3", "-c", bomb]);
    confinement.timeout = Some(Duration::from_secs(60));
    confinement.limits.processes = PROCESSES;
    let before = Instant::now();
    let (exit, log) = host.run(confinement).await;
    assert_eq!(exit, Exit::TooManyProcesses { limit: PROCESSES }, "{log}");
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    let left = std::fs::read_dir("/sys/fs/cgroup/pids").unwrap().flatten();
    let ours = left.filter(|entry| entry.file_name().to_string_lossy() == format!("bulkhead-{}", std::process::id()));
    assert_eq!(ours.count(), 0);
}

#[rstest]
#[tokio::test]
async fn processors(#[values(ALL[0], ALL[1], ALL[2], ALL[3])] walls: Walls) {
    let Some(host) = Host::new(walls).await else { return };
    let script = "import os\nprint(len(os.sched_getaffinity(0)))\ntry: os.sched_setaffinity(0, range(64))\n\
                  except PermissionError: print('refused')";
    let mut confinement = host.confinement(&["python3", "-c", script]);
    confinement.limits.cpu = Some(0.5);
    let (exit, log) = host.run(confinement).await;
    let expect = if walls == Walls::Nothing { "1\n" } else { "1\nrefused\n" };
    assert_eq!((exit, log.as_str()), (Exit::Code(0), expect));
}

#[rstest]
#[case(Exit::Signal(9), "was ended by signal 9 (SIGKILL)", false)]
#[case(Exit::Signal(64), "was ended by signal 64", false)]
#[case(Exit::DiskFull { limit: 5 }, "wrote more to disk than its limit of 5 bytes and was killed", false)]
#[case(Exit::OutOfMemory { limit: Some(5) }, "used more memory than its limit of 5 bytes and was killed", false)]
#[case(Exit::OutOfMemory { limit: None }, "was killed by the kernel because the host ran out of memory", true)]
#[case(Exit::Lost("gone".into()), "was lost: gone", true)]
fn exits_are_told(#[case] exit: Exit, #[case] text: &str, #[case] infrastructure: bool) {
    assert_eq!((exit.to_string().as_str(), exit.infrastructure()), (text, infrastructure));
}
