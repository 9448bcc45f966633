//! A filter of system calls, for what neither namespaces nor Landlock keep from a task.
//!
//! It refuses what a task has no business with and what has often been a way out of sandboxes: new namespaces and
//! mounts, tracing, key rings, io_uring, BPF, and socket families beyond those of the Internet. Without namespaces it
//! also keeps from tasks what the kernel lets a user do to all of their processes and files, and so to the server and
//! its data: to change limits, priorities and affinities, which is refused, and modes, which is ignored.
use libc::{c_long, sock_filter};
use serde_json::{Value, json};

/// The instruction set that this program is built for, as the kernel names it; foreign ones have other call numbers.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "x86_64")]
const OCI_ARCHITECTURE: &str = "SCMP_ARCH_X86_64";
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;
#[cfg(target_arch = "aarch64")]
const OCI_ARCHITECTURE: &str = "SCMP_ARCH_AARCH64";
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the filter of system calls is written for x86-64 and AArch64");

/// What the filter depends on, beside the call itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter {
    /// Whether tasks may make Unix sockets.
    pub(super) unix_sockets: bool,
    /// Whether the processes that tasks can name, and the files that they can change, are their own.
    pub(super) namespaces: bool,
    /// Whether tasks may choose their processors.
    pub(super) affinity: bool,
}

/// All namespaces that `clone` and `unshare` know by a flag.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// The families of sockets that tasks may make, beside those of Unix. Netlink is how the C library finds out about the
/// network; the rest of the families are for the host's own use.
const FAMILIES: [i32; 3] = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Answered as if the kernel had not heard of them, which programs are prepared for. `clone3` has its flags where a
/// filter cannot look; the C library falls back to `clone`.
const UNKNOWN: [(&str, c_long); 4] = [
    ("clone3", libc::SYS_clone3),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("io_uring_enter", libc::SYS_io_uring_enter),
    ("io_uring_register", libc::SYS_io_uring_register),
];

const REFUSED: [(&str, c_long); 22] = [
    ("add_key", libc::SYS_add_key),
    ("bpf", libc::SYS_bpf),
    ("chroot", libc::SYS_chroot),
    ("fsconfig", libc::SYS_fsconfig),
    ("fsmount", libc::SYS_fsmount),
    ("fsopen", libc::SYS_fsopen),
    ("fspick", libc::SYS_fspick),
    ("kcmp", libc::SYS_kcmp),
    ("keyctl", libc::SYS_keyctl),
    ("mount", libc::SYS_mount),
    ("mount_setattr", libc::SYS_mount_setattr),
    ("move_mount", libc::SYS_move_mount),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("open_tree", libc::SYS_open_tree),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("pivot_root", libc::SYS_pivot_root),
    ("ptrace", libc::SYS_ptrace),
    ("request_key", libc::SYS_request_key),
    ("setns", libc::SYS_setns),
    ("umount2", libc::SYS_umount2),
    ("userfaultfd", libc::SYS_userfaultfd),
    ("vhangup", libc::SYS_vhangup),
];

/// Changes of mode are answered as done, though they are not: Landlock has no say in them, and too many programs give up
/// when one fails that they could do without. A new file has the mode that it is made with.
const MODES: [c_long; 3] = [libc::SYS_fchmod, libc::SYS_fchmodat, FCHMODAT2];
const FCHMODAT2: c_long = 452;

const OWNERS: [c_long; 2] = [libc::SYS_fchown, libc::SYS_fchownat];

/// Access lists are among them, which are modes by another name.
const ATTRIBUTES: [c_long; 8] = [
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_setxattr,
    SETXATTRAT,
    REMOVEXATTRAT,
];
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;

/// The same by the names that only x86-64 has.
#[cfg(target_arch = "x86_64")]
const LEGACY: ([c_long; 1], [c_long; 2]) = ([libc::SYS_chmod], [libc::SYS_chown, libc::SYS_lchown]);
#[cfg(not(target_arch = "x86_64"))]
const LEGACY: ([c_long; 0], [c_long; 0]) = ([], []);

/// Calls that reach into the process which their first argument names; 0 is the caller itself.
const ON_OTHERS: [c_long; 5] = [
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
];

/// The same, named by a kind in the first argument (0, or 1 for `ioprio_set`, is a process) and a number in the second.
const ON_OTHERS_BY_KIND: [(c_long, u32); 2] = [(libc::SYS_setpriority, 0), (libc::SYS_ioprio_set, 1)];

/// Filters the calls of this process and of what it starts, for good. Wants no-new-privileges to be set.
pub(super) fn restrict(filter: Filter) -> std::io::Result<()> {
    let mut program = program(filter);
    let length = u16::try_from(program.len()).map_err(std::io::Error::other)?;
    let program = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    // SAFETY: the kernel copies the program, which lives until the call returns, and checks it.
    let done = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// The same for a container, whose processes and files are its own, as the OCI runtime specification has it.
pub(crate) fn profile() -> Value {
    let rule = |names: &[&str], errno: i32, arguments: Value| json!({"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": errno, "args": arguments});
    let names = |calls: &[(&'static str, c_long)]| calls.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let mut rules =
        vec![rule(&names(&UNKNOWN), libc::ENOSYS, json!([])), rule(&names(&REFUSED), libc::EPERM, json!([]))];
    // One comparison of an argument is all that a rule may have.
    for flag in NAMESPACES {
        let set = json!([{"index": 0, "value": flag, "valueTwo": flag, "op": "SCMP_CMP_MASKED_EQ"}]);
        rules.push(rule(&["clone", "unshare"], libc::EPERM, set));
    }
    let socket =
        |family: i32, op: &str| rule(&["socket"], libc::EAFNOSUPPORT, json!([{"index": 0, "value": family, "op": op}]));
    let others = (0..AF_MAX).filter(|family| *family != libc::AF_UNIX && !FAMILIES.contains(family));
    rules.extend(others.map(|family| socket(family, "SCMP_CMP_EQ")));
    rules.push(socket(AF_MAX, "SCMP_CMP_GE"));
    json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": [OCI_ARCHITECTURE], "syscalls": rules})
}

/// One more than the last family that the kernel knows, or a later one.
const AF_MAX: i32 = 64;

fn program(filter: Filter) -> Vec<sock_filter> {
    let mut program = vec![load(4), jump(libc::BPF_JEQ, ARCHITECTURE, 1, 0), refuse(libc::EPERM), load(0)];
    // The x32 calls of x86-64 have this bit, and numbers of their own. No call of another architecture has it.
    program.extend([jump(libc::BPF_JSET, 0x4000_0000, 0, 1), refuse(libc::ENOSYS)]);
    for (_, call) in UNKNOWN {
        on(call, &[refuse(libc::ENOSYS)], &mut program);
    }
    for (_, call) in REFUSED {
        on(call, &[refuse(libc::EPERM)], &mut program);
    }
    let namespaces = NAMESPACES.into_iter().fold(0, std::ops::BitOr::bitor).cast_unsigned();
    for call in [libc::SYS_clone, libc::SYS_unshare] {
        let body = [argument(0), jump(libc::BPF_JSET, namespaces, 0, 1), refuse(libc::EPERM), allow()];
        on(call, &body, &mut program);
    }
    if !filter.affinity {
        on(libc::SYS_sched_setaffinity, &[refuse(libc::EPERM)], &mut program);
    }
    on(libc::SYS_socket, &families(filter.unix_sockets), &mut program);
    if !filter.namespaces {
        for call in MODES.into_iter().chain(LEGACY.0) {
            on(call, &[refuse(0)], &mut program);
        }
        for call in OWNERS.into_iter().chain(LEGACY.1) {
            on(call, &[refuse(libc::EPERM)], &mut program);
        }
        for call in ATTRIBUTES {
            on(call, &[refuse(libc::EOPNOTSUPP)], &mut program);
        }
        for call in ON_OTHERS {
            let body = [argument(0), jump(libc::BPF_JEQ, 0, 1, 0), refuse(libc::EPERM), allow()];
            on(call, &body, &mut program);
        }
        for (call, process) in ON_OTHERS_BY_KIND {
            let body = [
                argument(0),
                jump(libc::BPF_JEQ, process, 0, 2),
                argument(1),
                jump(libc::BPF_JEQ, 0, 1, 0),
                refuse(libc::EPERM),
                allow(),
            ];
            on(call, &body, &mut program);
        }
    }
    program.push(allow());
    program
}

fn families(unix: bool) -> Vec<sock_filter> {
    let mut body = vec![argument(0)];
    for family in FAMILIES.into_iter().chain(unix.then_some(libc::AF_UNIX)) {
        body.extend([jump(libc::BPF_JEQ, family.cast_unsigned(), 0, 1), allow()]);
    }
    body.push(refuse(libc::EAFNOSUPPORT));
    body
}

/// `body`, which always returns, for this call alone. The number of the call is what is loaded, here and after.
fn on(call: c_long, body: &[sock_filter], program: &mut Vec<sock_filter>) {
    program.push(jump(libc::BPF_JEQ, call as u32, 0, body.len() as u8));
    program.extend_from_slice(body);
}

fn load(offset: u32) -> sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

/// The lower half of an argument: all that are looked at here are ints or flags. Little-endian, as both architectures.
fn argument(index: u32) -> sock_filter {
    load(16 + 8 * index)
}

fn jump(test: u32, value: u32, yes: u8, no: u8) -> sock_filter {
    instruction(libc::BPF_JMP | test | libc::BPF_K, value, yes, no)
}

fn refuse(errno: i32) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno.cast_unsigned(), 0, 0)
}

fn allow() -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}
