//! Names of images. Podman also takes names of files and of other places for them, which are none of a tenant's business.
use super::Error;

/// What podman, before a colon, takes for a place where images are (containers-transports(5)).
const PLACES: [&str; 9] =
    ["containers-storage", "dir", "docker-archive", "docker-daemon", "oci", "oci-archive", "ostree", "sif", "tarball"];

/// The longest name, in bytes.
const LONGEST: usize = 1024;

/// Passes `[registry[:port]/]path[:tag][@digest]`, as the OCI distribution has it, without `docker://`.
pub(super) fn check(image: &str) -> Result<&str, Error> {
    let name = image.trim().trim_start_matches("docker://");
    let refused = |why| Error::Name { image: image.chars().take(100).collect(), why };
    if name.is_empty() {
        return Err(refused("it is empty"));
    }
    if name.len() > LONGEST {
        return Err(refused("it is too long"));
    }
    if PLACES.iter().any(|place| name.strip_prefix(place).is_some_and(|rest| rest.starts_with(':'))) {
        return Err(refused("it names a place other than a registry"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let segment = |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !name.chars().all(plain) || !name.split(['/', ':', '@']).all(segment) {
        return Err(refused("wanted is [registry/]path[:tag][@digest]"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("python", "python")]
    #[case("python:3.11-slim", "python:3.11-slim")]
    #[case("docker://ghcr.io/a/b", "ghcr.io/a/b")]
    #[case(" localhost:5000/team/Image_x:v1.2 ", "localhost:5000/team/Image_x:v1.2")]
    #[case("quay.io/a/b@sha256:0123456789abcdef", "quay.io/a/b@sha256:0123456789abcdef")]
    #[case("oci-image:1", "oci-image:1")]
    fn names_of_images_pass(#[case] image: &str, #[case] expect: &str) {
        assert_eq!(check(image).unwrap(), expect);
    }

    #[rstest::rstest]
    #[case("")]
    #[case("  ")]
    #[case("--privileged")]
    #[case("-v=/:/host")]
    #[case("dir:/etc")]
    #[case("dir:1/etc")]
    #[case("oci:latest")]
    #[case("docker-archive:/var/lib/secret.tar")]
    #[case("containers-storage:python")]
    #[case("/etc/passwd")]
    #[case("../image")]
    #[case("a/../b")]
    #[case("a b")]
    #[case("a\nb")]
    #[case("a\0b")]
    #[case("http://registry/a")]
    #[case("a::b")]
    #[case("é")]
    #[case(&"a".repeat(2000))]
    fn anything_else_is_refused(#[case] image: &str) {
        assert!(matches!(check(image), Err(Error::Name { .. })), "{image:?} passed");
    }
}
