//! What is decided of a schedule at a moment, and at which moments one is due.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop at once")]

use domain::{
    Code, Executes, ExperimentId, Fault, Namespace, Outcome, PipelineId, RecurringRun, RecurringRunId, Schedule,
    Timestamp, Trigger,
};
use scheduler::{Decision, MOST_COUNTED, Span, Timing, decide, refuse};

/// A moment of the first day of 2026: `09:30:00`, with a part of a second if there is one.
fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-01-01T{text}Z")).unwrap_or_else(|| panic!("{text} is not a time"))
}

fn times(text: &str) -> Option<Timestamp> {
    (text != "-").then(|| at(text))
}

fn periodic(interval_seconds: i64, start: &str, end: &str) -> Trigger {
    Trigger::Periodic { interval_seconds, start: times(start), end: times(end) }
}

fn cron(cron: &str, start: &str, end: &str) -> Trigger {
    Trigger::Cron { cron: cron.to_owned(), zone: String::new(), start: times(start), end: times(end) }
}

fn text(time: Option<Timestamp>) -> String {
    let time =
        time.map(|time| time.precise().trim_start_matches("2026-01-01T").trim_end_matches(".000000Z").to_owned());
    time.unwrap_or_else(|| "-".to_owned())
}

/// A trigger of something that was created at 09:00:00.25, what was decided on last, and what comes next.
#[test]
fn moments_follow_from_the_trigger() {
    let hourly = || cron("0 0 * * * *", "-", "-");
    let rows = [
        (Trigger::Once, "-", "09:00:00.250000Z"),
        (Trigger::Once, "09:00:00.25", "-"),
        (periodic(60, "-", "-"), "-", "09:01:00"),
        (periodic(60, "-", "-"), "09:01:00", "09:02:00"),
        // What was decided on off the grid, as when somebody has changed a clock, leads back to it.
        (periodic(60, "-", "-"), "09:01:30", "09:02:00"),
        (periodic(60, "10:00:07", "-"), "-", "10:00:07"),
        (periodic(60, "10:00:07", "-"), "10:00:07", "10:01:07"),
        (periodic(60, "08:00:00", "-"), "-", "08:00:00"),
        (periodic(60, "08:00:00", "-"), "08:00:00", "08:01:00"),
        (periodic(60, "-", "09:02:00"), "09:01:00", "09:02:00"),
        (periodic(60, "-", "09:02:00"), "09:02:00", "-"),
        (periodic(60, "-", "09:00:30"), "-", "-"),
        (periodic(i64::MAX, "-", "-"), "-", "-"),
        (hourly(), "-", "10:00:00"),
        (hourly(), "10:00:00", "11:00:00"),
        // A start may be a moment itself, and one that has passed is one all the same.
        (cron("0 0 * * * *", "12:00:00", "-"), "-", "12:00:00"),
        (cron("0 0 * * * *", "12:00:01", "-"), "-", "13:00:00"),
        (cron("0 0 * * * *", "07:30:00", "-"), "-", "08:00:00"),
        // Nothing is due before it, whatever was decided on.
        (cron("0 0 * * * *", "12:30:00", "-"), "10:00:00", "13:00:00"),
        (cron("@every 90m", "12:00:00", "-"), "10:00:00", "13:30:00"),
        (cron("0 0 * * * *", "-", "11:00:00"), "10:00:00", "11:00:00"),
        (cron("0 0 * * * *", "-", "10:59:59"), "10:00:00", "-"),
        (cron("@every 90m", "-", "-"), "-", "10:30:00"),
        (cron("@every 90m", "12:00:00", "-"), "-", "13:30:00"),
        (cron("@every 90m", "-", "-"), "10:30:00", "12:00:00"),
    ];
    for (trigger, last, next) in rows {
        let timing = Timing::of(&trigger, at("09:00:00.25")).unwrap();
        assert_eq!(text(timing.next(times(last))), next, "{trigger:?} after {last}");
    }
}

#[test]
fn moments_that_have_come_are_counted() {
    let span = |trigger: &Trigger, last: &str, now: &str| {
        let timing = Timing::of(trigger, at("09:00:00.25")).unwrap();
        let span = timing.span(times(last), at(now));
        span.map(|Span { from, until, moments }| (text(Some(from)), text(Some(until)), moments))
    };
    let expect = |from: &str, until: &str, moments| Some((from.to_owned(), until.to_owned(), moments));
    let minutely = [periodic(60, "-", "-"), cron("0 * * * * *", "-", "-"), cron("@every 1m", "-", "-")];
    for trigger in &minutely {
        assert_eq!(span(trigger, "-", "09:00:59"), None);
        assert_eq!(span(trigger, "-", "09:01:00"), expect("09:01:00", "09:01:00", 1));
        assert_eq!(span(trigger, "09:01:00", "09:05:59"), expect("09:02:00", "09:05:00", 4));
        assert_eq!(span(trigger, "10:00:00", "09:05:59"), None, "a clock was set back");
    }
    assert_eq!(span(&periodic(60, "-", "09:03:30"), "-", "12:00:00"), expect("09:01:00", "09:03:00", 3));
    let secondly = cron("* * * * * *", "-", "-");
    assert_eq!(span(&secondly, "-", "23:00:00"), expect("09:00:01", "23:00:00", MOST_COUNTED));
    assert_eq!(span(&periodic(1, "-", "-"), "-", "23:00:00"), expect("09:00:01", "23:00:00", MOST_COUNTED));
    assert_eq!(span(&Trigger::Once, "-", "23:00:00"), expect("09:00:00.250000Z", "09:00:00.250000Z", 1));
}

/// Every minute from 09:01:00 on.
fn schedule(last: &str, active: i64, catchup: bool) -> Schedule {
    Schedule {
        recurring_run: RecurringRun {
            id: RecurringRunId::from_text("id"),
            namespace: Namespace::parse("a").unwrap(),
            experiment_id: ExperimentId::from_text("e"),
            name: "r".into(),
            description: String::new(),
            service_account: String::new(),
            executes: Executes::Latest(PipelineId::from_text("p")),
            parameters: Default::default(),
            pipeline_root: String::new(),
            trigger: periodic(60, "-", "-"),
            max_concurrency: 2,
            catchup,
            enabled: true,
            created_at: at("09:00:00"),
            updated_at: at("09:00:00"),
            created_by: "jane".into(),
            fault: None,
        },
        next_at: None,
        last_at: times(last),
        fired: 0,
        active,
        waiting: false,
        revision: 0,
    }
}

#[test]
fn what_is_due_is_decided() {
    // The last moment, runs that go on, whether there is catch-up, now; and what is decided: to rest, to wait, or to fire
    // what, after how many were missed, and what comes next.
    let rows = [
        ("-", 0, true, "09:00:59", "rest until 09:01:00"),
        ("-", 0, true, "09:01:00", "fire 09:01:00, missed 0, next 09:02:00"),
        ("09:01:00", 0, true, "09:01:59", "rest until 09:02:00"),
        ("09:01:00", 1, true, "09:02:00", "fire 09:02:00, missed 0, next 09:03:00"),
        ("09:01:00", 2, true, "09:02:00", "wait"),
        ("09:01:00", 3, false, "09:02:00", "wait"),
        ("09:01:00", 2, true, "09:01:59", "rest until 09:02:00"),
        ("09:01:00", 0, true, "09:05:30", "fire 09:02:00, missed 0, next 09:03:00"),
        ("09:01:00", 0, false, "09:05:30", "fire 09:05:00, missed 3, next 09:06:00"),
        ("09:01:00", 0, false, "09:02:59", "fire 09:02:00, missed 0, next 09:03:00"),
        ("-", 0, false, "09:03:00", "fire 09:03:00, missed 2, next 09:04:00"),
        // The clock was ahead, and is not any more.
        ("11:00:00", 0, true, "09:05:00", "rest until 11:01:00"),
    ];
    for (last, active, catchup, now, expect) in rows {
        let decided = match decide(&schedule(last, active, catchup), at(now)).unwrap() {
            Decision::Rest(next) => format!("rest until {}", text(next)),
            Decision::Wait => "wait".to_owned(),
            Decision::Fire { at, passed, next } => {
                let missed = passed.as_ref().map_or(0, |passed| passed.moments);
                assert!(passed.is_none_or(|passed| passed.outcome == Outcome::Missed && passed.until < at));
                format!("fire {}, missed {missed}, next {}", text(Some(at)), text(next))
            }
        };
        assert_eq!(decided, expect, "after {last}, {active} active, catch-up {catchup}, at {now}");
    }
}

#[test]
fn why_moments_were_missed_is_said() {
    let why = |schedule: &Schedule| match decide(schedule, at("09:05:00")).unwrap() {
        Decision::Fire { passed, .. } => passed.unwrap().reason,
        other => panic!("{other:?}"),
    };
    let mut it = schedule("09:01:00", 0, false);
    assert_eq!(why(&it), "it was over before it could be seen to, and without catch-up only the last one counts");
    it.waiting = true;
    assert_eq!(why(&it), "as many of its runs went on as may at one time, 2");
    let message = "quota active_runs of namespace a is used up".to_owned();
    it.recurring_run.fault =
        Some(Fault { code: Code::ResourceExhausted, message: message.clone(), since: at("09:02:00") });
    assert_eq!(why(&it), message);
}

#[test]
fn a_refusal_is_of_all_moments_that_have_come() {
    let (passed, next) = refuse(&schedule("09:01:00", 0, true), at("09:04:10"), "jane may not".into()).unwrap();
    let passed = passed.unwrap();
    assert_eq!((passed.from, passed.until, passed.moments), (at("09:02:00"), at("09:04:00"), 3));
    assert_eq!(
        (passed.outcome, passed.reason.as_str(), next),
        (Outcome::Refused, "jane may not", Some(at("09:05:00")))
    );
    let mut once = schedule("-", 0, true);
    once.recurring_run.trigger = Trigger::Once;
    let (passed, next) = refuse(&once, at("09:04:10"), String::new()).unwrap();
    assert_eq!((passed.unwrap().moments, next), (1, None));
}
