//! Who may hold the capabilities that stand above the gate.
use crate::sources;

/// The files outside of `access` that may name a capability. A new one is a decision, to be made here.
const HOLDERS: &[(&str, &[&str])] = &[
    // Acts without a caller.
    (
        "System",
        &[
            "crates/bulkhead/src/retention.rs",
            "crates/bulkhead/src/run.rs",
            "crates/bulkhead/src/scheduling.rs",
            "crates/bulkhead/src/serve.rs",
            "crates/executor/src/local/mod.rs",
        ],
    ),
    // Mints identities.
    ("Authenticators", &["crates/authz/src/authn.rs", "crates/bulkhead/src/tokens.rs"]),
    // Replaces the rights.
    (
        "PolicyWriter",
        &[
            "crates/authz/src/cluster.rs",
            "crates/authz/src/cluster/apply.rs",
            "crates/authz/src/folder.rs",
            "crates/authz/src/folder/watch.rs",
        ],
    ),
    // Looks objects up whatever their namespace.
    ("Locate", &["crates/store/src/locate.rs"]),
    // Reads whom something acts for out of a row.
    ("Owner::from_row(", &["crates/store/src/recurring_runs.rs"]),
    // Says whether credentials still hold.
    ("Credentials", &["crates/store/src/tokens.rs"]),
    // Reads tokens by their text.
    ("token_by_secret", &["crates/bulkhead/src/wiring.rs", "crates/store/src/tokens.rs"]),
    // Uses of a system grant: what they are for stands beside each.
    (
        "system.grant(",
        &[
            "crates/bulkhead/src/examples.rs",
            "crates/bulkhead/src/retention.rs",
            "crates/bulkhead/src/run.rs",
            "crates/bulkhead/src/serve.rs",
            "crates/executor/src/local/cache.rs",
            "crates/executor/src/local/drive.rs",
            "crates/executor/src/local/import.rs",
            "crates/executor/src/local/sweep.rs",
        ],
    ),
    // Acts on what is for everybody.
    ("system.shared(", &["crates/bulkhead/src/examples.rs"]),
    (
        "system.everywhere(",
        &[
            "crates/bulkhead/src/retention.rs",
            "crates/bulkhead/src/run.rs",
            "crates/bulkhead/src/scheduling.rs",
            "crates/executor/src/local/look_out.rs",
            "crates/executor/src/local/mod.rs",
        ],
    ),
];

/// Whether `text` has `word` as a word of its own.
fn names(text: &str, word: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(inner);
        let after = !word.ends_with('(') && text[at + word.len()..].chars().next().is_some_and(inner);
        !before && !after
    })
}

#[test]
fn capabilities_stay_where_they_are_listed() {
    for (word, holders) in HOLDERS {
        let mut found: Vec<String> = Vec::new();
        for source in sources() {
            let own = source.path.starts_with("crates/access/") || source.is_test();
            if !own && names(&source.code(), word) {
                found.push(source.path);
            }
        }
        found.sort();
        assert_eq!(found, *holders, "{word} is named in other places than are listed");
    }
}

/// A rule says what a call is checked for, and `Grants` what comes of it: written by hand, they could differ. So only
/// the generator writes them.
#[test]
fn rules_come_from_protos() {
    for source in sources().iter().filter(|source| !source.path.starts_with("crates/codegen/") && !source.is_test()) {
        let code = source.code();
        for implementation in code.split("impl").skip(1).filter_map(|rest| rest.split_once(" for ")) {
            let name = implementation.0.trim();
            let name = name.rsplit("::").find(|part| !part.is_empty()).unwrap_or(name);
            let rule = ["Rule", "Grants<", "MayGrant<", "Reaches<"]
                .iter()
                .any(|known| name == *known || (known.ends_with('<') && name.starts_with(known)));
            assert!(!rule, "{} implements {name} by hand", source.path);
        }
    }
}

#[test]
fn handlers_hold_no_capability() {
    for source in sources().iter().filter(|source| source.path.starts_with("crates/server/") && !source.is_test()) {
        for (word, _) in HOLDERS {
            assert!(!names(&source.code(), word), "{} names {word}", source.path);
        }
    }
}
