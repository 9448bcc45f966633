//! Schedules in time zones: what clocks that are set forward or back do to them.
#![expect(clippy::unwrap_used, reason = "functions beside the tests unwrap too")]
mod changes;
mod names;
mod properties;

use domain::Timestamp;
use scheduler::{Cron, Zone};

/// Reads RFC 3339 in any offset.
fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|| panic!("{text} is not a time"))
}

#[test]
fn the_first_may_be_the_start_itself() {
    let new_york = Zone::parse("America/New_York").unwrap();
    for (cron, start, expect) in [
        ("0 0 9 * * *", "2026-01-01T09:00:00-05", "2026-01-01T09:00:00-05"),
        ("0 0 9 * * *", "2026-01-01T09:00:00.000001-05", "2026-01-02T09:00:00-05"),
        ("0 0 9 * * *", "2026-01-01T08:59:59.999999-05", "2026-01-01T09:00:00-05"),
        ("0 30 2 * * *", "2026-03-08T03:00:00-04", "2026-03-08T03:00:00-04"),
        ("0 30 1 * * *", "2026-11-01T01:30:00-05", "2026-11-02T01:30:00-05"),
        ("@hourly", "2026-11-01T01:00:00-05", "2026-11-01T01:00:00-05"),
        ("@every 90m", "2026-01-01T09:00:00-05", "2026-01-01T10:30:00-05"),
    ] {
        let first = Cron::parse(cron).unwrap().first(at(start), &new_york);
        assert_eq!(first, Some(at(expect)), "{cron:?} from {start}");
    }
}

#[test]
fn the_latest_is_found_over_any_time() {
    let new_york = Zone::parse("America/New_York").unwrap();
    for (cron, after, until, expect) in [
        ("0 0 9 * * *", "2026-01-01T09:00:00-05", "2026-06-01T12:00:00-04", Some("2026-06-01T09:00:00-04")),
        ("0 0 9 * * *", "2026-01-01T09:00:00-05", "2026-01-02T09:00:00-05", Some("2026-01-02T09:00:00-05")),
        ("0 0 9 * * *", "2026-01-01T09:00:00-05", "2026-01-02T08:59:59.9-05", None),
        ("0 0 9 * * *", "2026-01-01T09:00:00-05", "2025-01-01T09:00:00-05", None),
        ("* * * * * *", "1971-01-01T00:00:00Z", "2026-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")),
        ("* * * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", Some("2026-01-01T00:00:01Z")),
        ("* * * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z", Some("2026-01-01T00:00:02Z")),
        ("0 30 2 * * *", "2026-01-01T00:00:00-05", "2026-03-08T03:00:00-04", Some("2026-03-08T03:00:00-04")),
        ("0 30 1 * * *", "2026-01-01T00:00:00-05", "2026-11-01T01:45:00-05", Some("2026-11-01T01:30:00-04")),
        ("0 30 * * * *", "2026-01-01T00:00:00-05", "2026-11-01T01:45:00-05", Some("2026-11-01T01:30:00-05")),
        // Eight years lie between the two, which is more than `next` looks ahead.
        ("0 0 0 29 2 *", "2001-01-01T00:00:00Z", "2110-01-01T00:00:00Z", Some("2108-02-29T00:00:00-05")),
        ("0 0 0 29 2 *", "2001-01-01T00:00:00Z", "2104-01-01T00:00:00Z", Some("2096-02-29T00:00:00-05")),
        ("0 0 0 31 2 *", "2001-01-01T00:00:00Z", "2110-01-01T00:00:00Z", None),
        ("@every 1h", "2026-01-01T00:30:00Z", "2026-01-02T00:00:00Z", Some("2026-01-01T23:30:00Z")),
        ("@every 1h", "2026-01-01T00:30:00Z", "2026-01-01T01:30:00Z", Some("2026-01-01T01:30:00Z")),
        ("@every 1h", "2026-01-01T00:30:00Z", "2026-01-01T01:29:59Z", None),
        ("@every 1s", "1971-01-01T00:00:00Z", "2026-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")),
        ("@every 1h", "2026-01-01T00:30:00Z", "2025-01-01T00:00:00Z", None),
    ] {
        let latest = Cron::parse(cron).unwrap().latest(at(after), at(until), &new_york);
        assert_eq!(latest, expect.map(at), "{cron:?} in ({after}, {until}]");
    }
}
