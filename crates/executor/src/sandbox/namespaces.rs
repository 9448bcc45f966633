//! Namespaces for a sandbox without bwrap, where the kernel gives them.
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

/// Moves this process into mount and IPC namespaces of its own, its future children into a PID namespace, and both,
/// when they are to have no network, into an empty one. The server may be privileged enough; else a user namespace
/// makes it so.
///
/// # Errors
///
/// The kernel gives none, and this process is where it was.
pub(super) fn enter(network: bool) -> io::Result<()> {
    let mut wanted = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNS;
    if !network {
        wanted |= CloneFlags::CLONE_NEWNET;
    }
    if unshare(wanted).is_ok() {
        return Ok(());
    }
    let (user, group) = (geteuid(), getegid());
    unshare(wanted | CloneFlags::CLONE_NEWUSER)?;
    // Without these the task would be nobody to its own files. Each id stays what it was.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

/// Makes everything read-only but these folders.
///
/// Landlock decides who may open a file, and has no say in its mode, owner and times, which a user may change of all
/// their files: those of the server, and of the system when the server is root.
pub(super) fn write_only_to<'a>(folders: impl Iterator<Item = &'a Path> + Clone) -> io::Result<()> {
    let nothing: Option<&str> = None;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)?;
    for folder in folders.clone() {
        mount(Some(folder), folder, nothing, MsFlags::MS_BIND | MsFlags::MS_REC, nothing)?;
    }
    set_mount(Path::new("/"), libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID, 0)?;
    for folder in folders {
        set_mount(folder, 0, libc::MOUNT_ATTR_RDONLY)?;
    }
    Ok(())
}

/// Sets and clears attributes of a mount and of all below it.
fn set_mount(at: &Path, set: u64, clear: u64) -> io::Result<()> {
    let path = CString::new(at.as_os_str().as_bytes())?;
    let attributes = libc::mount_attr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    // SAFETY: the kernel reads the path and the attributes, which live until the call returns.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
