//! Agreement with another implementation over what both read the same way: no `5/10`, no descriptors, no steps of a
//! star in a day.

use croner::parser::{CronParser, Seconds};
use domain::Timestamp;
use jiff::tz::TimeZone;
use proptest::{collection::vec, prelude::*};
use scheduler::Cron;

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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn the_next_is_the_same(text in expression(), seconds in 0i64..4_102_444_800, micros in 0i64..1_000_000) {
        let after = Timestamp(seconds * 1_000_000 + micros);
        let theirs = CronParser::builder().seconds(Seconds::Required).build().parse(&text).unwrap();
        let moment = jiff::Timestamp::from_microsecond(after.0).unwrap().to_zoned(TimeZone::UTC);
        let last = moment.year() + 5;
        let expect = theirs.find_next_occurrence(&moment, false).ok().filter(|next| next.year() <= last);
        let expect = expect.map(|next| Timestamp::from_seconds(next.timestamp().as_second()));
        prop_assert_eq!(Cron::parse(&text).unwrap().next(after), expect, "{} after {}", text, moment);
    }

    /// Whatever comes in, an answer comes out, and it is later.
    #[test]
    fn any_text_is_read_or_refused(text in "[-0-9*?,/@a-z ]{0,24}", micros in any::<i64>()) {
        if let Ok(cron) = Cron::parse(&text) {
            let next = cron.next(Timestamp(micros));
            prop_assert!(next.is_none_or(|next| next.0 > micros && next.0 % 1_000_000 == 0));
        }
    }
}
