//! The names that upstream's objects in Kubernetes would have, which clients see as the names of runs.

/// The longest part of a display name that is kept.
const LONGEST: usize = 25;
/// How many characters Kubernetes adds to a name that it makes.
const SUFFIX: usize = 5;

/// The name of a recurring run's object: what is left of its display name, and the end of its id where Kubernetes has
/// random characters, so that replicas agree.
pub fn resource_name(display_name: &str, id: &str) -> String {
    let mut name: String = plain(display_name).take(LONGEST).collect();
    if name.is_empty() {
        name.push_str("job-");
    }
    let id: Vec<char> = plain(id).filter(|c| *c != '-').collect();
    name.extend(&id[id.len().saturating_sub(SUFFIX)..]);
    name
}

/// What Kubernetes allows in names.
fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase).filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
}

/// The name of the run that a recurring run makes at one time, from the name of its object and how many it has made.
pub fn run_name(resource_name: &str, index: i64) -> String {
    let name = format!("{resource_name}-{index}");
    let hash = fnv1a(name.as_bytes());
    format!("{name}-{hash}")
}

/// Fowler, Noll and Vo's hash of 32 bits.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
