//! The names of recurring runs' objects and of their runs.

use scheduler::{resource_name, run_name};

const ID: &str = "0199c2f4-7a1b-7cde-8f01-23456789abcd";

#[test]
fn of_objects() {
    for (display_name, id, expect) in [
        ("nightly", ID, "nightly9abcd"),
        ("Nightly Report 2", ID, "nightlyreport29abcd"),
        ("daily-report", ID, "daily-report9abcd"),
        ("abcdefghijklmnopqrstuvwxyz0123", ID, "abcdefghijklmnopqrstuvwxy9abcd"),
        ("a b c d e f g h i j k l m n o p q r s t u v w x y z", ID, "abcdefghijklmnopqrstuvwxy9abcd"),
        ("", ID, "job-9abcd"),
        ("每日報告", ID, "job-9abcd"),
        ("_ _", ID, "job-9abcd"),
        ("Übung", ID, "bung9abcd"),
        ("-", ID, "-9abcd"),
        // Hyphens are none of an id's characters, and capitals are small ones.
        ("x", "AB-C-D-E-", "xabcde"),
        ("x", "ab", "xab"),
        ("x", "", "x"),
        ("x", "éab_12", "xab12"),
    ] {
        assert_eq!(resource_name(display_name, id), expect, "{display_name:?} {id:?}");
    }
    assert_eq!(resource_name(&"x".repeat(1 << 20), ID).len(), 30);
}

#[test]
fn of_runs() {
    for (name, index, expect) in [
        ("nightly", 1, "nightly-1-4107336764"),
        ("daily01234", 0, "daily01234-0-161551755"),
        ("daily01234", 1, "daily01234-1-144774136"),
        ("job-01234", i64::MAX, "job-01234-9223372036854775807-1028606192"),
        ("x", -1, "x--1-2968704104"),
        ("", 1, "-1-348981803"),
    ] {
        assert_eq!(run_name(name, index), expect);
    }
}
