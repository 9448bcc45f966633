//! Agreement with another implementation over what both read the same way: no `5/10`, no descriptors, no steps of a
//! star in a day. And what holds between moments of any expression.
#![expect(clippy::unwrap_used, reason = "tests may panic, and so may what they call")]

use croner::parser::{CronParser, Seconds};
use domain::Timestamp;
use jiff::{Timestamp as Moment, tz::TimeZone};
use proptest::{collection::vec, prelude::*};
use scheduler::{Cron, Zone};

/// A list of values, ranges and stepped ranges.
fn list(min: u8, max: u8) -> impl Strategy<Value = String> {
    let value = (min..=max).prop_map(|value| value.to_string());
    let range = (min..=max, min..=max, prop::option::of(1u8..20)).prop_map(|(one, two, step)| {
        let step = step.map(|step| format!("/{step}")).unwrap_or_default();
        format!("{}-{}{step}", one.min(two), one.max(two))
    });
    vec(prop_oneof![2 => value, 1 => range], 1..4).prop_map(|ranges| ranges.join(","))
}

/// The same, or a star.
fn day(min: u8, max: u8) -> impl Strategy<Value = String> {
    prop_oneof![Just("*".to_owned()), Just("?".to_owned()), list(min, max)]
}

/// The same, or a star with a step.
fn field(min: u8, max: u8) -> impl Strategy<Value = String> {
    prop_oneof![Just("*".to_owned()), (1u8..20).prop_map(|step| format!("*/{step}")), list(min, max)]
}

fn month() -> impl Strategy<Value = String> {
    prop_oneof![4 => field(1, 12), 1 => prop::sample::select(vec!["JAN", "Feb", "mar-May", "DEC"]).prop_map(str::to_owned)]
}

fn weekday() -> impl Strategy<Value = String> {
    prop_oneof![4 => day(0, 6), 1 => prop::sample::select(vec!["SUN", "Mon", "tue-Thu", "SAT"]).prop_map(str::to_owned)]
}

fn expression() -> impl Strategy<Value = String> {
    (field(0, 59), field(0, 59), field(0, 23), day(1, 31), month(), weekday())
        .prop_map(|(s, m, h, d, month, w)| format!("{s} {m} {h} {d} {month} {w}"))
}

/// Microseconds in the calendar, at its ends, and far from it.
fn micros() -> impl Strategy<Value = i64> {
    let [min, max] = [Moment::MIN, Moment::MAX].map(Moment::as_microsecond);
    let day = 86_400_000_000;
    prop_oneof![any::<i64>(), min..=max, min - day..min + day, max - day..=max + day]
}

fn any_time_is_answered(cron: &Cron, micros: i64, until: i64) {
    for zone in ["UTC", "America/New_York", "Pacific/Apia"] {
        let zone = Zone::parse(zone).unwrap();
        let (after, until) = (Timestamp(micros), Timestamp(until));
        let next = cron.next(after, &zone);
        assert!(next.is_none_or(|next| next > after && next.0 % 1_000_000 == 0));
        assert!(cron.first(after, &zone).is_none_or(|first| first >= after));
        assert!(cron.latest(after, until, &zone).is_none_or(|latest| after < latest && latest <= until));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn the_next_is_the_same(text in expression(), seconds in 0i64..4_102_444_800, micros in 0i64..1_000_000) {
        let after = Timestamp(seconds * 1_000_000 + micros);
        let theirs = CronParser::builder().seconds(Seconds::Required).build().parse(&text).unwrap();
        let moment = Moment::from_microsecond(after.0).unwrap().to_zoned(TimeZone::UTC);
        let last = moment.year() + 5;
        let expect = theirs.find_next_occurrence(&moment, false).ok().filter(|next| next.year() <= last);
        let expect = expect.map(|next| Timestamp::from_seconds(next.timestamp().as_second()));
        prop_assert_eq!(Cron::parse(&text).unwrap().next(after, &Zone::utc()), expect, "{} after {}", text, moment);
    }

    /// Whatever comes in, an answer comes out, and it is later. Other times than those of the calendar are no moments.
    #[test]
    fn any_text_is_read_or_refused(text in "[-0-9*?,/@a-z ]{0,24}", micros in micros(), until in micros()) {
        if let Ok(cron) = Cron::parse(&text) {
            any_time_is_answered(&cron, micros, until);
        }
    }

    #[test]
    fn a_later_moment_has_no_earlier_next(text in expression(), seconds in 0i64..4_102_444_800, by in 0i64..100_000_000) {
        let cron = Cron::parse(&text).unwrap();
        let [next, later] = [seconds, seconds + by].map(|at| cron.next(Timestamp::from_seconds(at), &Zone::utc()));
        prop_assert!(next.is_none_or(|next| next.seconds() > seconds));
        prop_assert!(next.zip(later).is_none_or(|(next, later)| next <= later));
    }

    /// Between a moment and some of those that follow it.
    #[test]
    fn the_latest_is_what_walking_finds(text in expression(), seconds in 0i64..4_102_444_800, steps in 0usize..50, more in 0i64..100) {
        let (cron, after) = (Cron::parse(&text).unwrap(), Timestamp::from_seconds(seconds));
        let walked = walk(&cron, after).take(steps).last();
        let until = Timestamp::from_seconds(walked.unwrap_or(after).seconds() + more);
        let expect = walk(&cron, after).take_while(|moment| *moment <= until).last();
        prop_assert_eq!(cron.latest(after, until, &Zone::utc()), expect, "{} in ({}, {}]", text, after, until);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_time_has_an_answer(text in expression(), micros in micros(), until in micros()) {
        any_time_is_answered(&Cron::parse(&text).unwrap(), micros, until);
    }

    /// No gap that is seen is shorter.
    #[test]
    fn the_shortest_gap_is_not_longer_than_any(text in expression(), seconds in 0i64..4_102_444_800) {
        let (cron, after) = (Cron::parse(&text).unwrap(), Timestamp::from_seconds(seconds));
        let moments: Vec<i64> = walk(&cron, after).take(200).map(Timestamp::seconds).collect();
        let seen = moments.windows(2).map(|two| two[1] - two[0]).min();
        let shortest = cron.shortest_gap();
        prop_assert!(seen.is_none_or(|seen| shortest.is_some_and(|shortest| shortest <= seen)), "{text}: {shortest:?}, {seen:?}");
        prop_assert!(shortest.is_some() || moments.is_empty(), "{text}");
    }

    /// Where the moments of a day are few, a walk of years sees the shortest gap itself.
    #[test]
    fn the_shortest_gap_is_seen(
        (second, minute, hour) in (0u8..60, 0u8..60, prop::sample::select(vec!["3", "0,23", "*/8"])),
        (day, month) in (list(1, 28), field(1, 12)),
    ) {
        let text = format!("{second} {minute} {hour} {day} {month} *");
        let cron = Cron::parse(&text).unwrap();
        let after = Timestamp::parse("2023-01-01T00:00:00Z").unwrap();
        let until = Timestamp::parse("2028-01-02T00:00:00Z").unwrap();
        let moments: Vec<i64> = walk(&cron, after).take_while(|moment| *moment < until).map(Timestamp::seconds).collect();
        prop_assert_eq!(cron.shortest_gap(), moments.windows(2).map(|two| two[1] - two[0]).min(), "{}", text);
    }
}

fn walk(cron: &Cron, after: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(cron.next(after, &Zone::utc()), |moment| cron.next(*moment, &Zone::utc()))
}
