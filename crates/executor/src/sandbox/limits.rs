//! The limits of the kernel on a task.
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::Limits;

/// Sets them for this process and its children, as far as they are below those in force. No memory is dumped to disk.
pub(super) fn set(limits: &Limits) -> nix::Result<()> {
    for (resource, limit) in [
        (Resource::RLIMIT_NPROC, limits.processes),
        (Resource::RLIMIT_FSIZE, limits.file_size),
        (Resource::RLIMIT_NOFILE, limits.open_files),
        (Resource::RLIMIT_CORE, 0),
    ] {
        let (_, hard) = getrlimit(resource)?;
        let limit = limit.min(hard);
        setrlimit(resource, limit, limit)?;
    }
    Ok(())
}
