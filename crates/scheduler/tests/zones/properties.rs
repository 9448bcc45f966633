//! What holds in any zone, about the changes of its clocks.
use domain::Timestamp;
use jiff::{
    SignedDuration, Timestamp as Moment,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use proptest::prelude::*;
use scheduler::{Cron, Zone};

/// The clocks of a place were never set back again before they had caught up. The search relies on it: a time that was
/// passed is looked for no further than one segment back.
#[test]
fn clocks_catch_up_before_they_are_set_back_again() {
    let rules = TimeZoneDatabase::bundled();
    let end: Moment = "2200-01-01T00:00:00Z".parse().unwrap();
    let mut count = 0;
    for name in rules.available() {
        let zone = rules.get(name.as_str()).unwrap();
        let mut reached = None;
        for transition in zone.following(Moment::MIN).take_while(|transition| transition.timestamp() < end) {
            let before = zone.to_datetime(transition.timestamp() - SignedDuration::from_nanos(1));
            assert!(reached.is_none_or(|reached| reached <= before), "{name} at {}", transition.timestamp());
            reached = Some(before);
            count += 1;
        }
    }
    assert!(count > 10_000, "{count}");
}

/// The moments of a slot, by what jiff says of a local time.
fn moments(zone: &TimeZone, slot: Timestamp, star: bool) -> Vec<i64> {
    let local = TimeZone::UTC.to_datetime(Moment::from_microsecond(slot.0).unwrap());
    let moments = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => vec![offset.to_timestamp(local).unwrap()],
        AmbiguousOffset::Gap { .. } if star => vec![],
        AmbiguousOffset::Gap { after, .. } => {
            let early = after.to_timestamp(local).unwrap();
            vec![zone.following(early).next().unwrap().timestamp()]
        }
        AmbiguousOffset::Fold { before, after } => {
            let both = vec![before.to_timestamp(local).unwrap(), after.to_timestamp(local).unwrap()];
            both.into_iter().take(if star { 2 } else { 1 }).collect()
        }
    };
    moments.into_iter().map(Moment::as_second).collect()
}

const ZONES: &[&str] = &[
    "Africa/Casablanca",
    "America/New_York",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
];

/// A day and a half on both sides of a change of clocks, and a zone.
fn around_a_change() -> impl Strategy<Value = (&'static str, i64)> {
    (prop::sample::select(ZONES), 0i64..2_200_000_000, -130_000i64..130_000).prop_map(|(name, since, aside)| {
        let zone = TimeZoneDatabase::bundled().get(name).unwrap();
        let since = Moment::from_second(since).unwrap();
        let change = zone.following(since).next().map_or(since, |transition| transition.timestamp());
        (name, change.as_second() + aside)
    })
}

fn expression() -> impl Strategy<Value = String> {
    let second = prop::sample::select(vec!["0", "30", "0,59"]);
    let minute = prop::sample::select(vec!["0", "30", "*/20", "59", "1,15,45"]);
    let hour = prop::sample::select(vec!["*", "*/2", "?", "0", "1", "2", "3", "0-23", "1-3", "22/1", "0,2", "1,23"]);
    let days = prop::sample::select(vec!["* * *", "* * SUN", "1,8,29 * *", "*/2 * *", "* 3,10,11 *", "30,31 * FRI"]);
    (second, minute, hour, days).prop_map(|(second, minute, hour, days)| format!("{second} {minute} {hour} {days}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// The next in a zone is the earliest of the moments of all slots that clocks could show.
    #[test]
    fn the_next_is_the_earliest_moment_of_a_slot((name, after) in around_a_change(), text in expression()) {
        let (cron, zone) = (Cron::parse(&text).unwrap(), Zone::parse(name).unwrap());
        let rules = TimeZoneDatabase::bundled().get(name).unwrap();
        let star = text.split(' ').nth(2).unwrap().contains(['*', '?']);
        let offset = |moment: i64| i64::from(rules.to_offset(Moment::from_second(moment).unwrap()).seconds());
        let found = cron.next(Timestamp::from_seconds(after), &zone);
        // Local times of two days around, which is more than any change of clocks.
        let mut slot = Timestamp::from_seconds(after + offset(after) - 100_000);
        let mut expect: Option<i64> = None;
        while let Some(next) = cron.next(slot, &Zone::utc()) {
            slot = next;
            expect = moments(&rules, slot, star).into_iter().filter(|moment| *moment > after).chain(expect).min();
            if expect.is_some_and(|expect| slot.seconds() > expect + offset(expect) + 100_000) {
                break;
            }
        }
        prop_assert_eq!(found, expect.map(Timestamp::from_seconds), "{} after {} in {}", text, after, name);
    }

    #[test]
    fn what_comes_next_is_itself_the_first((name, after) in around_a_change(), text in expression()) {
        let (cron, zone) = (Cron::parse(&text).unwrap(), Zone::parse(name).unwrap());
        let next = cron.next(Timestamp::from_seconds(after), &zone).unwrap();
        prop_assert_eq!(cron.next(Timestamp::from_seconds(next.seconds() - 1), &zone), Some(next));
        prop_assert_eq!(cron.first(next, &zone), Some(next));
        prop_assert_eq!(cron.latest(Timestamp::from_seconds(after), next, &zone), Some(next));
    }

    #[test]
    fn a_later_moment_has_no_earlier_next((name, after) in around_a_change(), by in 0i64..200_000, text in expression()) {
        let (cron, zone) = (Cron::parse(&text).unwrap(), Zone::parse(name).unwrap());
        let [next, later] = [after, after + by].map(|after| cron.next(Timestamp::from_seconds(after), &zone).unwrap());
        prop_assert!(next <= later);
    }

    #[test]
    fn the_latest_is_what_walking_finds((name, after) in around_a_change(), by in -1i64..200_000, text in expression()) {
        let (cron, zone) = (Cron::parse(&text).unwrap(), Zone::parse(name).unwrap());
        let (after, until) = (Timestamp::from_seconds(after), Timestamp::from_seconds(after + by));
        let walk = std::iter::successors(cron.next(after, &zone), |moment| {
            cron.next(*moment, &zone).inspect(|next| assert!(next > moment, "{text} after {moment} in {name}"))
        });
        let last = walk.take_while(|moment| *moment <= until).last();
        prop_assert_eq!(cron.latest(after, until, &zone), last);
    }
}
