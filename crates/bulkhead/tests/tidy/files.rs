//! What every source file looks like.
use crate::{root, sources};
use std::fs;

/// The most lines of a file. There are no generated files in the tree; tables may be named here.
const MAX_LINES: usize = 600;
const TABLES: [&str; 0] = [];

#[test]
fn every_file_says_what_it_is() {
    // A compile-fail case is a program of its own and says so in its first line all the same.
    let silent: Vec<_> = sources().into_iter().filter(|source| !source.text.starts_with("//!")).collect();
    assert!(silent.is_empty(), "no `//!` at the top of {:?}", silent.iter().map(|s| &s.path).collect::<Vec<_>>());
}

#[test]
fn no_file_is_too_long() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= MAX_LINES || TABLES.contains(&source.path.as_str()), "{} has {lines} lines", source.path);
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
    ];
    for source in sources() {
        for mark in marks {
            assert!(!source.text.contains(mark), "{} contains {mark}", source.path);
        }
    }
}

/// clippy refuses `unwrap` and `expect` outside of tests; this keeps exceptions from being silent.
#[test]
fn every_exception_to_a_lint_has_a_reason() {
    for source in sources() {
        // The generator writes an attribute into code that nobody edits.
        if source.path == "crates/codegen/src/emit.rs" {
            continue;
        }
        for (at, _) in ["expect", "allow"]
            .iter()
            .flat_map(|name| source.text.match_indices(&format!("#[{name}(")).collect::<Vec<_>>())
        {
            let attribute = &source.text[at..][..source.text[at..].find(")]").unwrap_or(0)];
            assert!(attribute.contains("reason ="), "{}: {attribute} gives no reason", source.path);
        }
    }
}

#[test]
fn every_crate_keeps_the_lints_of_the_workspace() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
    }
}
