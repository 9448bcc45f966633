//! Landlock: what of the file system the task may open, and that it can signal nothing outside.
use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::Confinement;
use super::system::{DEVICES, PROGRAMS, SETTINGS};

/// The newest version whose rights are understood here. On older kernels those that they lack are left out.
const NEWEST: ABI = ABI::V9;

/// The version of the kernel, 0 when it has no Landlock or has it switched off.
pub(super) fn version() -> i64 {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the call takes no attributes and changes nothing.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) }.max(0)
}

/// Since this version tasks cannot signal, or connect to abstract sockets of, processes outside.
pub(super) const SCOPES: i64 = 6;

/// Since this version they cannot connect to Unix sockets in the file system either.
pub(super) const SOCKETS: i64 = 9;

/// Shuts this process, and what it starts, off from everything that is not listed here or in the confinement.
pub(super) fn restrict(confinement: &Confinement) -> Result<(), String> {
    let status = ruleset(confinement).and_then(RulesetCreated::restrict_self);
    match status.map_err(|error| format!("Landlock refused its rules: {error}"))?.ruleset {
        RulesetStatus::NotEnforced => Err("the kernel has no Landlock, or has it switched off".to_owned()),
        _ => Ok(()),
    }
}

/// Only the part that bwrap's namespaces leave open when the network is the host's: its abstract sockets.
pub(super) fn restrict_scope() -> Result<(), String> {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort).scope(Scope::from_all(NEWEST));
    let restricted = ruleset.and_then(Ruleset::create).and_then(RulesetCreated::restrict_self);
    restricted.map(drop).map_err(|error| format!("Landlock refused its scope: {error}"))
}

fn ruleset(confinement: &Confinement) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::from_read(NEWEST);
    let all = AccessFs::from_all(NEWEST);
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(PROGRAMS.iter().chain(&SETTINGS), read))?
        .add_rules(path_beneath_rules(DEVICES, device))?
        .add_rules(path_beneath_rules(&confinement.read_only, read))?
        .add_rules(path_beneath_rules(&confinement.read_write, all))
}
