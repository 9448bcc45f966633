//! Cron expressions rule by rule: what comes next, and what is refused.

use domain::Timestamp;
use scheduler::{Cron, Zone};

/// Reads `2026-01-01T00:00:00`, in UTC.
fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}Z")).unwrap_or_else(|| panic!("{text} is not a time"))
}

/// Each row is an expression, a moment, and what comes next; `-` is never.
fn check(rows: &[(&str, &str, &str)]) {
    for (cron, after, expect) in rows {
        let next = Cron::parse(cron).unwrap_or_else(|error| panic!("{error}")).next(at(after), &Zone::utc());
        let next = next.map_or("-".to_owned(), |next| next.to_string().trim_end_matches('Z').to_owned());
        assert_eq!(next, *expect, "{cron:?} after {after}");
    }
}

/// A Thursday.
const NEW_YEAR: &str = "2026-01-01T00:00:00";

#[test]
fn seconds_come_first() {
    check(&[
        ("0 * * * * *", NEW_YEAR, "2026-01-01T00:01:00"),
        ("0 30 * * * *", NEW_YEAR, "2026-01-01T00:30:00"),
        ("0 0 9 * * *", NEW_YEAR, "2026-01-01T09:00:00"),
        ("15 30 9 * * *", NEW_YEAR, "2026-01-01T09:30:15"),
        ("0 0 0 15 * *", NEW_YEAR, "2026-01-15T00:00:00"),
        ("0 0 0 1 7 *", NEW_YEAR, "2026-07-01T00:00:00"),
        ("* * * * * *", NEW_YEAR, "2026-01-01T00:00:01"),
        ("59 59 23 31 12 *", NEW_YEAR, "2026-12-31T23:59:59"),
        // Without a day of the week, any is meant.
        ("*/5 * * * *", NEW_YEAR, "2026-01-01T00:00:05"),
        ("0 9 * * *", NEW_YEAR, "2026-01-01T00:09:00"),
        ("0 0 9 * *", NEW_YEAR, "2026-01-01T09:00:00"),
        ("0 0 0 1 2", NEW_YEAR, "2026-02-01T00:00:00"),
        ("  0\t0  9 * *  ", NEW_YEAR, "2026-01-01T09:00:00"),
    ]);
}

#[test]
fn lists_ranges_and_steps() {
    check(&[
        ("10,20,40 * * * * *", "2026-01-01T00:00:20", "2026-01-01T00:00:40"),
        ("40,10,20 * * * * *", "2026-01-01T00:00:40", "2026-01-01T00:01:10"),
        ("10,,20, * * * * *", "2026-01-01T00:00:10", "2026-01-01T00:00:20"),
        ("5-7 * * * * *", "2026-01-01T00:00:06", "2026-01-01T00:00:07"),
        ("5-7 * * * * *", "2026-01-01T00:00:07", "2026-01-01T00:01:05"),
        ("5-5 * * * * *", NEW_YEAR, "2026-01-01T00:00:05"),
        ("*/20 * * * * *", "2026-01-01T00:00:40", "2026-01-01T00:01:00"),
        ("?/20 * * * * *", "2026-01-01T00:00:20", "2026-01-01T00:00:40"),
        ("*/7 * * * * *", "2026-01-01T00:00:56", "2026-01-01T00:01:00"),
        ("10-20/4 * * * * *", "2026-01-01T00:00:14", "2026-01-01T00:00:18"),
        ("10-20/4 * * * * *", "2026-01-01T00:00:18", "2026-01-01T00:01:10"),
        ("5/10 * * * * *", "2026-01-01T00:00:45", "2026-01-01T00:00:55"),
        ("5/10 * * * * *", "2026-01-01T00:00:55", "2026-01-01T00:01:05"),
        ("58/1 * * * * *", "2026-01-01T00:00:58", "2026-01-01T00:00:59"),
        ("30/100 * * * * *", NEW_YEAR, "2026-01-01T00:00:30"),
        ("1-3,50/5 * * * * *", "2026-01-01T00:00:03", "2026-01-01T00:00:50"),
        ("0 0 8-18/2 * * *", "2026-01-01T16:00:00", "2026-01-01T18:00:00"),
        ("0 0 0 */10 * *", NEW_YEAR, "2026-01-11T00:00:00"),
        ("0 0 0 1 */3 *", NEW_YEAR, "2026-04-01T00:00:00"),
        ("05 +7 * * * *", NEW_YEAR, "2026-01-01T00:07:05"),
    ]);
}

#[test]
fn names_in_either_case() {
    check(&[
        ("0 0 0 1 JAN *", NEW_YEAR, "2027-01-01T00:00:00"),
        ("0 0 0 1 feb *", NEW_YEAR, "2026-02-01T00:00:00"),
        ("0 0 0 1 Nov-DEC *", NEW_YEAR, "2026-11-01T00:00:00"),
        ("0 0 0 1 oct/2 *", "2026-10-01T00:00:00", "2026-12-01T00:00:00"),
        ("0 0 0 * * SUN", NEW_YEAR, "2026-01-04T00:00:00"),
        ("0 0 0 * * 0", NEW_YEAR, "2026-01-04T00:00:00"),
        ("0 0 0 * * mon", NEW_YEAR, "2026-01-05T00:00:00"),
        ("0 0 0 * * 6", NEW_YEAR, "2026-01-03T00:00:00"),
        ("0 0 0 * * Sat", NEW_YEAR, "2026-01-03T00:00:00"),
        ("0 0 9 * * MON-FRI", "2026-01-02T09:00:00", "2026-01-05T09:00:00"),
        ("0 0 9 * * mon,wed", "2026-01-05T09:00:00", "2026-01-07T09:00:00"),
        ("0 0 9 * * 5,SUN", NEW_YEAR, "2026-01-02T09:00:00"),
    ]);
}

#[test]
fn either_day_matches_unless_one_is_a_star() {
    check(&[
        // The 13th, or a Friday.
        ("0 0 0 13 * FRI", NEW_YEAR, "2026-01-02T00:00:00"),
        ("0 0 0 13 * FRI", "2026-01-09T00:00:00", "2026-01-13T00:00:00"),
        ("0 0 0 13 * *", "2026-01-09T00:00:00", "2026-01-13T00:00:00"),
        ("0 0 0 13 * ?", "2026-01-13T00:00:00", "2026-02-13T00:00:00"),
        ("0 0 0 * * FRI", "2026-01-09T00:00:00", "2026-01-16T00:00:00"),
        ("0 0 0 ? * FRI", "2026-01-09T00:00:00", "2026-01-16T00:00:00"),
        // A step of a star counts as one: both must match.
        ("0 0 0 */2 * FRI", NEW_YEAR, "2026-01-09T00:00:00"),
        ("0 0 0 13 * */5", NEW_YEAR, "2026-02-13T00:00:00"),
        ("0 0 0 *,13 * FRI", NEW_YEAR, "2026-01-02T00:00:00"),
        // All values without a star are a restriction.
        ("0 0 0 13 * 0-6", NEW_YEAR, "2026-01-02T00:00:00"),
        ("0 0 0 1-31 * FRI", NEW_YEAR, "2026-01-02T00:00:00"),
        ("0 0 0 1/1 * FRI", "2026-01-02T00:00:00", "2026-01-03T00:00:00"),
        // The month holds for both.
        ("0 0 0 13 FEB FRI", NEW_YEAR, "2026-02-06T00:00:00"),
    ]);
}

#[test]
fn the_next_is_after_and_on_a_whole_second() {
    check(&[
        ("0 0 9 * * *", "2026-01-01T09:00:00", "2026-01-02T09:00:00"),
        ("0 0 9 * * *", "2026-01-01T08:59:59.999999", "2026-01-01T09:00:00"),
        ("0 0 9 * * *", "2026-01-01T09:00:00.000001", "2026-01-02T09:00:00"),
        ("* * * * * *", "2026-01-01T00:00:00.5", "2026-01-01T00:00:01"),
        ("0 59 * * * *", "2026-01-01T23:59:00", "2026-01-02T00:59:00"),
        ("30 59 23 * * *", "2026-01-01T23:59:29", "2026-01-01T23:59:30"),
        ("0,30 10,20 3,4 * * *", "2026-01-01T03:10:30", "2026-01-01T03:20:00"),
        ("0,30 10,20 3,4 * * *", "2026-01-01T03:20:30", "2026-01-01T04:10:00"),
        ("0,30 10,20 3,4 * * *", "2026-01-01T04:20:30", "2026-01-02T03:10:00"),
        ("0,30 10,20 3,4 * * *", "2026-01-01T03:15:59", "2026-01-01T03:20:00"),
        ("* * * * * *", "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
        ("0 0 0 31 * *", "2026-01-31T00:00:00", "2026-03-31T00:00:00"),
        ("0 0 0 * * *", "1969-12-30T12:00:00", "1969-12-31T00:00:00"),
    ]);
}

#[test]
fn the_search_ends_after_five_years() {
    check(&[
        ("0 0 0 29 2 *", "2024-02-29T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 29 2 *", "2095-01-01T00:00:00", "2096-02-29T00:00:00"),
        // 2100 is no leap year, and 2104 is too far.
        ("0 0 0 29 2 *", "2096-02-29T00:00:00", "-"),
        ("0 0 0 29 2 *", "2099-01-01T00:00:00", "2104-02-29T00:00:00"),
        ("0 0 0 29 2 *", "2098-12-31T23:59:58", "-"),
        ("0 0 0 31 2 *", NEW_YEAR, "-"),
        ("0 0 0 30 FEB *", NEW_YEAR, "-"),
        ("0 0 0 31 4,6,9,11 *", NEW_YEAR, "-"),
        ("0 0 0 31 2 MON", NEW_YEAR, "2026-02-02T00:00:00"),
        ("0 0 0 1 1 *", "9999-06-01T00:00:00", "-"),
        ("@every 8760h", "9999-06-01T00:00:00", "-"),
    ]);
}

#[test]
fn descriptors() {
    check(&[
        ("@yearly", NEW_YEAR, "2027-01-01T00:00:00"),
        ("@annually", "2026-06-01T00:00:00", "2027-01-01T00:00:00"),
        ("@monthly", NEW_YEAR, "2026-02-01T00:00:00"),
        ("@weekly", NEW_YEAR, "2026-01-04T00:00:00"),
        ("@daily", NEW_YEAR, "2026-01-02T00:00:00"),
        ("@midnight", "2026-01-01T00:00:01", "2026-01-02T00:00:00"),
        ("@hourly", NEW_YEAR, "2026-01-01T01:00:00"),
        ("@every 1h30m", NEW_YEAR, "2026-01-01T01:30:00"),
        ("@every 1h30m", "2026-01-01T00:00:00.75", "2026-01-01T01:30:00"),
        ("@every 1.5h", NEW_YEAR, "2026-01-01T01:30:00"),
        ("@every 300ms", NEW_YEAR, "2026-01-01T00:00:01"),
        ("@every 0", NEW_YEAR, "2026-01-01T00:00:01"),
        ("@every 2500ms", NEW_YEAR, "2026-01-01T00:00:02"),
        ("@every 1999999us", NEW_YEAR, "2026-01-01T00:00:01"),
        ("@every 3000000µs", NEW_YEAR, "2026-01-01T00:00:03"),
        ("@every 4000000000ns", NEW_YEAR, "2026-01-01T00:00:04"),
        ("@every +.5m", NEW_YEAR, "2026-01-01T00:00:30"),
        ("@every 1.m", NEW_YEAR, "2026-01-01T00:01:00"),
        ("@every 1m1h1s", NEW_YEAR, "2026-01-01T01:01:01"),
        ("@every 2562047h", NEW_YEAR, "2318-04-12T23:00:00"),
    ]);
}

/// What is read differently from most other programs.
#[test]
fn unlike_other_crons() {
    check(&[
        // Five fields begin with seconds, and any day of the week will do.
        ("*/5 * * * *", "2026-01-03T10:00:58", "2026-01-03T10:01:00"),
        ("30 4 * * *", NEW_YEAR, "2026-01-01T00:04:30"),
        ("0 30 4 * *", "2026-01-01T04:30:00", "2026-01-02T04:30:00"),
        ("0 0 0 1 JAN", NEW_YEAR, "2027-01-01T00:00:00"),
        // A step after one number runs to the end of the field, and not over it.
        ("0 5/10 * * * *", "2026-01-01T00:55:00", "2026-01-01T01:05:00"),
        ("0 0 20/2 * * *", "2026-01-01T22:00:00", "2026-01-02T20:00:00"),
        ("0 0 0 25/3 * *", "2026-01-31T00:00:00", "2026-02-25T00:00:00"),
        ("0 0 0 25/3 * *", "2026-02-25T00:00:00", "2026-02-28T00:00:00"),
        ("0 0 0 1 9/2 *", "2026-09-01T00:00:00", "2026-11-01T00:00:00"),
        ("0 0 0 * * 4/2", "2026-01-01T00:00:00", "2026-01-03T00:00:00"),
        ("0 0 0 * * thu/2", "2026-01-03T00:00:00", "2026-01-08T00:00:00"),
        // Steps begin at the first number of a field, which for days and months is 1.
        ("0 0 0 */15 * *", "2026-01-01T00:00:00", "2026-01-16T00:00:00"),
        ("0 0 0 */15 * *", "2026-01-16T00:00:00", "2026-01-31T00:00:00"),
        ("0 0 0 */15 * *", "2026-01-31T00:00:00", "2026-02-01T00:00:00"),
        ("0 0 0 1 */5 *", "2026-06-01T00:00:00", "2026-11-01T00:00:00"),
        ("0 0 0 * * */4", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        // `?` is a star in any field.
        ("? ? ? ? ? ?", NEW_YEAR, "2026-01-01T00:00:01"),
        ("0 0 12 ? * ?", NEW_YEAR, "2026-01-01T12:00:00"),
        ("0 0 12 ? ? MON", NEW_YEAR, "2026-01-05T12:00:00"),
        ("0 0 12 13 * ?/1", NEW_YEAR, "2026-01-13T12:00:00"),
    ]);
}

#[test]
fn over_the_ends_of_months_and_years() {
    check(&[
        ("59 59 23 * * *", "2026-02-28T23:59:59", "2026-03-01T23:59:59"),
        ("59 59 23 * * *", "2028-02-28T23:59:59", "2028-02-29T23:59:59"),
        ("0 0 0 30 * *", "2026-01-30T00:00:00", "2026-03-30T00:00:00"),
        ("0 0 0 29-31 2 *", "2027-02-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 1 * *", "2026-12-15T00:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 * * FRI", "2026-12-31T00:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 * 3 MON", "2026-03-30T00:00:00", "2027-03-01T00:00:00"),
        ("0 0 0 31 12 *", "2026-12-31T00:00:00", "2027-12-31T00:00:00"),
        ("0 0 0 1,31 * *", "2026-04-01T00:00:00", "2026-05-01T00:00:00"),
        // Days one by one of a week that two months share.
        ("0 0 0 1/1 * MON", "2026-01-31T12:00:00", "2026-02-01T00:00:00"),
        ("0 0 0 5 2 SUN", "2026-01-31T12:00:00", "2026-02-01T00:00:00"),
        ("0 0 0 5 2 SUN", "2026-02-01T00:00:00", "2026-02-05T00:00:00"),
        // A leap day that is a Sunday.
        ("0 0 0 29 2 */7", "2027-01-01T00:00:00", "2032-02-29T00:00:00"),
        ("0 0 0 29 2 */7", "2026-12-31T23:59:58", "-"),
        ("0 0 0 29 2 */2", "2027-01-01T00:00:00", "2028-02-29T00:00:00"),
    ]);
}

#[test]
fn the_shortest_gap() {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    for (cron, expect) in [
        ("* * * * * *", Some(1)),
        ("*/5 * * * *", Some(5)),
        // From :56 to the next minute.
        ("*/7 * * * * *", Some(4)),
        ("0,59 * * * * *", Some(1)),
        ("0,59 0 * * * *", Some(59)),
        ("10,20,40 * * * * *", Some(10)),
        ("0 * * * * *", Some(MINUTE)),
        ("0 0,59 * * * *", Some(MINUTE)),
        ("30 0,59 * * * *", Some(MINUTE)),
        ("0,30 0,59 * * * *", Some(30)),
        ("0,50 0,59 * * * *", Some(10)),
        ("@hourly", Some(HOUR)),
        ("0 */45 * * * *", Some(15 * MINUTE)),
        ("0 */45 */2 * * *", Some(45 * MINUTE)),
        ("@daily", Some(DAY)),
        ("0 0 9,17 * * *", Some(8 * HOUR)),
        ("0 0 1,23 * * *", Some(2 * HOUR)),
        // Not over midnight, as no day matches after another.
        ("0 0 1,23 1 * *", Some(22 * HOUR)),
        ("0 0 1,23 */2 * *", Some(2 * HOUR)),
        ("0 0 9 */2 * *", Some(DAY)),
        ("0 59,0 23,0 * * *", Some(MINUTE)),
        ("@weekly", Some(7 * DAY)),
        ("0 0 0 * * MON,WED", Some(2 * DAY)),
        ("0 0 0 * * SAT,SUN", Some(DAY)),
        ("0 0 0 1,15 * *", Some(14 * DAY)),
        ("@monthly", Some(28 * DAY)),
        ("0 0 0 31 * *", Some(31 * DAY)),
        ("0 0 0 1 1,3 *", Some(59 * DAY)),
        ("@yearly", Some(365 * DAY)),
        // The first of a month may be the day before or after a Monday.
        ("0 0 0 1 * MON", Some(DAY)),
        ("0 0 0 29 2 *", Some((4 * 365 + 1) * DAY)),
        // Leap days that are Sundays.
        ("0 0 0 29 2 */7", Some((28 * 365 + 7) * DAY)),
        ("0 0 0 31 2 *", None),
        ("* * * 31 4,6 *", None),
        ("@every 90s", Some(90)),
        ("@every 1ms", Some(1)),
    ] {
        assert_eq!(Cron::parse(cron).unwrap().shortest_gap(), expect, "{cron:?}");
    }
}

#[test]
fn mistakes_are_named() {
    for (cron, words) in [
        ("", "it has 0 fields where 5 or 6 are wanted"),
        ("   ", "it has 0 fields"),
        ("* * * *", "it has 4 fields"),
        ("* * * * * * *", "it has 7 fields"),
        ("0 0 0 * * 7", "day of week \"7\": 7 is not between 0 and 6"),
        ("0 0 0 * * 5-7", "day of week \"5-7\": 7 is not between 0 and 6"),
        ("60 * * * * *", "second \"60\": 60 is not between 0 and 59"),
        ("* 60 * * * *", "minute \"60\": 60 is not between 0 and 59"),
        ("* * 24 * * *", "hour \"24\": 24 is not between 0 and 23"),
        ("* * * 0 * *", "day of month \"0\": 0 is not between 1 and 31"),
        ("* * * 32 * *", "day of month \"32\": 32 is not between 1 and 31"),
        ("* * * * 0 *", "month \"0\": 0 is not between 1 and 12"),
        ("* * * * 13 *", "month \"13\": 13 is not between 1 and 12"),
        ("* * * * january *", "month \"january\": \"january\" is not a number"),
        ("* * * jan * *", "day of month \"jan\": \"jan\" is not a number"),
        ("0 0 0 L * *", "day of month \"L\": \"L\" is not a number"),
        ("0 0 0 15W * *", "day of month \"15W\""),
        ("0 0 0 * * 5#2", "day of week \"5#2\""),
        ("0 0 0 * * 5L", "day of week \"5L\""),
        ("30-10 * * * * *", "second \"30-10\": the range goes down, from 30 to 10"),
        ("* * * * * fri-mon", "day of week \"fri-mon\": the range goes down, from 5 to 1"),
        ("1-2-3 * * * * *", "it has more than one hyphen"),
        ("-5 * * * * *", "\"\" is not a number"),
        ("*-5 * * * * *", "\"*\" is not a number"),
        ("5-* * * * * *", "\"*\" is not a number"),
        ("*/0 * * * * *", "second \"*/0\": the step must be at least 1"),
        ("*/x * * * * *", "\"x\" is not a number"),
        ("*/ * * * * *", "\"\" is not a number"),
        ("/5 * * * * *", "\"\" is not a number"),
        ("*/5/5 * * * * *", "it has more than one slash"),
        ("60/5 * * * * *", "60 is not between 0 and 59"),
        (", * * * * *", "second \",\": it has no value"),
        ("1,x * * * * *", "second \"x\": \"x\" is not a number"),
        ("1.5 * * * * *", "\"1.5\" is not a number"),
        ("99999999999999999999 * * * * *", "is not a number"),
        ("@reboot", "there are the descriptors @yearly"),
        ("@Daily", "there are the descriptors"),
        (" @daily", "it has 1 fields"),
        ("@every", "there are the descriptors"),
        ("@every ", "the duration \"\" is not numbers with units"),
        ("@every  1h", "the duration \" 1h\" is not numbers with units"),
        ("@every 5", "is not numbers with units"),
        ("@every h", "is not numbers with units"),
        ("@every .h", "is not numbers with units"),
        ("@every 1d", "is not numbers with units"),
        ("@every 1.5.5h", "is not numbers with units"),
        ("@every 1h 30m", "is not numbers with units"),
        ("@every -1h", "the duration \"-1h\" is negative"),
        ("@every 2562048h", "is longer than 292 years"),
        ("@every 99999999999999999999999999999999999999999999h", "is longer than 292 years"),
        ("TZ=UTC 0 0 * * * *", "it has 7 fields"),
    ] {
        let error = Cron::parse(cron).unwrap_err();
        assert_eq!(error.code(), domain::Code::InvalidArgument);
        assert!(error.message().contains(words), "{} lacks {words:?}", error.message());
    }
}
