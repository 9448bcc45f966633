//! The parts of the host that every task may read: programs, libraries, and what these need of `/etc`.
use std::path::Path;

/// Folders of programs and libraries. On most systems all but the first are links into it.
pub(super) const PROGRAMS: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"];

/// Names, certificates and settings that belong to everybody. Of folders that also hold keys (`/etc/ssl/private`,
/// `/etc/pki/tls/private`) only the public parts: a task of a server that is root could read the rest. Landlock says of a
/// file that is not listed that it is forbidden, not absent, and few programs are prepared for that: hence those that
/// name the distribution.
pub(super) const SETTINGS: [&str; 32] = [
    "/etc/alpine-release",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/lsb-release",
    "/etc/mime.types",
    "/etc/networks",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/redhat-release",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/static/ssl/certs",
    "/etc/timezone",
];

/// Devices that hold nothing.
pub(super) const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Whether every sandbox shows this path already.
pub(crate) fn shows(path: &Path) -> bool {
    PROGRAMS.iter().any(|folder| path.starts_with(folder))
}
