//! Macros in the parameters of recurring runs.

use domain::Timestamp;
use proptest::prelude::*;
use scheduler::Macros;
use serde_json::json;
use std::borrow::Cow;

/// Due on a Friday at 07:05:09, and made 2 days and 13 hours later, on a Sunday evening.
fn macros() -> Macros<'static> {
    let at = |text| Timestamp::parse(text).unwrap_or_default();
    Macros {
        run_id: "0199c2f4-7a1b",
        scheduled_at: at("2026-03-06T07:05:09Z"),
        now: at("2026-03-08T20:15:30.120045Z"),
        index: Some(17),
    }
}

/// Each row is a text, and what it becomes.
fn check(rows: &[(&str, &str)]) {
    for (text, expect) in rows {
        assert_eq!(macros().expand(text), *expect, "{text:?}");
    }
}

/// These stay as they are, and are not copied.
fn check_stay(rows: &[&str]) {
    for text in rows {
        assert!(matches!(macros().expand(text), Cow::Borrowed(same) if same == *text), "{text:?}");
    }
}

#[test]
fn all_there_are() {
    check(&[
        ("[[RunUUID]]", "0199c2f4-7a1b"),
        ("[[Index]]", "17"),
        ("[[ScheduledTime]]", "20260306070509"),
        ("[[CurrentTime]]", "20260308201530"),
        ("[[ScheduledTime.2006-01-02]]", "2026-03-06"),
        ("[[CurrentTime.15:04]]", "20:15"),
        ("{{$.scheduledTime.strftime('%Y-%m-%d')}}", "2026-03-06"),
        ("{{$.currentTime.strftime('%H:%M')}}", "20:15"),
        ("{{$.scheduledTime.strftime(\"%Y\")}}", "2026"),
        ("{{$.currentTime.strftime(\"it's %H\")}}", "it's 20"),
    ]);
}

#[test]
fn anywhere_and_more_than_once() {
    check(&[
        ("s3://b/[[ScheduledTime.2006/01/02]]/[[Index]].csv", "s3://b/2026/03/06/17.csv"),
        ("[[Index]][[Index]]", "1717"),
        ("[[Index]]{{$.scheduledTime.strftime('%d')}}[[RunUUID]]", "17060199c2f4-7a1b"),
        ("[[[Index]]]", "[17]"),
        ("[[[[Index]]]]", "[[17]]"),
        ("[[x [[Index]]", "[[x 17"),
        ("[[ScheduledTime.[[Index]]", "[[ScheduledTime.17"),
        ("[[ScheduledTime.2006[01]]]", "2026[03]"),
        ("{{[[Index]]}}", "{{17}}"),
        ("日[[Index]]本", "日17本"),
        ("{{$.scheduledTime.strftime('[[Index]]')}}", "[[Index]]"),
        ("[[Unknown]] [[Index]]", "[[Unknown]] 17"),
        ("{{$.pipeline_job_name}} [[Index]]", "{{$.pipeline_job_name}} 17"),
    ]);
}

#[test]
fn what_only_looks_like_one_stays() {
    check_stay(&[
        "",
        "plain",
        "[[",
        "]]",
        "[[]]",
        "[[Index",
        "[[Index]",
        "[Index]",
        "[[ Index ]]",
        "[[index]]",
        "[[Index.2006]]",
        "[[RunUUID.x]]",
        "[[ScheduledTime.]]",
        "[[ScheduledTimes]]",
        "[[ScheduledTime 2006]]",
        "[[scheduledTime]]",
        "{{$.scheduledTime}}",
        "{{$.scheduledTime.strftime()}}",
        "{{$.scheduledTime.strftime('')}}",
        "{{$.scheduledTime.strftime('%Y)}}",
        "{{$.scheduledTime.strftime('%Y')}",
        "{{$.scheduledTime.strftime('%Y\")}}",
        "{{$.scheduledTime.strftime(%Y)}}",
        "{{$.scheduledTime.strftime('%Y' )}}",
        "{{ $.scheduledTime.strftime('%Y') }}",
        "{{$.ScheduledTime.strftime('%Y')}}",
        "{{$.inputs.parameters['n']}}",
        "{{$}}",
        // No such directives.
        "{{$.scheduledTime.strftime('%!')}}",
        "{{$.scheduledTime.strftime('%')}}",
        "{{$.scheduledTime.strftime('%Y %J')}}",
    ]);
}

#[test]
fn without_an_index() {
    let macros = Macros { index: None, ..macros() };
    assert_eq!(macros.expand("[[Index]] [[RunUUID]]"), "[[Index]] 0199c2f4-7a1b");
    assert!(matches!(macros.expand("[[Index]]"), Cow::Borrowed("[[Index]]")));
}

/// Each part of Go's reference moment.
#[test]
fn layouts_of_go() {
    for (layout, scheduled, now) in [
        ("2006", "2026", "2026"),
        ("06", "26", "26"),
        ("_2006", "_2026", "_2026"),
        ("January", "March", "March"),
        ("Jan", "Mar", "Mar"),
        ("01", "03", "03"),
        ("1", "3", "3"),
        ("Monday", "Friday", "Sunday"),
        ("Mon", "Fri", "Sun"),
        ("02", "06", "08"),
        ("_2", " 6", " 8"),
        ("2", "6", "8"),
        ("002", "065", "067"),
        ("__2", " 65", " 67"),
        ("15", "07", "20"),
        ("03", "07", "08"),
        ("3", "7", "8"),
        ("04", "05", "15"),
        ("4", "5", "15"),
        ("05", "09", "30"),
        ("5", "9", "30"),
        ("PM", "AM", "PM"),
        ("pm", "am", "pm"),
        ("MST", "UTC", "UTC"),
        ("-0700", "+0000", "+0000"),
        ("-07:00", "+00:00", "+00:00"),
        ("-07", "+00", "+00"),
        ("-070000", "+000000", "+000000"),
        ("-07:00:00", "+00:00:00", "+00:00:00"),
        ("Z0700", "Z", "Z"),
        ("Z07:00", "Z", "Z"),
        ("Z07", "Z", "Z"),
        ("Z070000", "Z", "Z"),
        ("Z07:00:00", "Z", "Z"),
        ("05.000", "09.000", "30.120"),
        ("05,000", "09,000", "30,120"),
        ("05.999", "09", "30.12"),
        ("05,999", "09", "30,12"),
        ("05.0", "09.0", "30.1"),
        ("05.000000", "09.000000", "30.120045"),
        ("05.999999999", "09", "30.120045"),
        ("05.000000000", "09.000000000", "30.120045000"),
        ("05.000000000000", "09.000000000", "30.120045000"),
        // A digit after them makes them none.
        ("05.0001", "09.0003", "30.0003"),
        ("05.9990", "09.9990", "30.9990"),
        // In full.
        ("20060102150405", "20260306070509", "20260308201530"),
        ("2006-01-02T15:04:05Z07:00", "2026-03-06T07:05:09Z", "2026-03-08T20:15:30Z"),
        ("Mon, 02 Jan 2006 15:04:05 MST", "Fri, 06 Mar 2026 07:05:09 UTC", "Sun, 08 Mar 2026 20:15:30 UTC"),
        ("Monday, 02-Jan-06 15:04:05 MST", "Friday, 06-Mar-26 07:05:09 UTC", "Sunday, 08-Mar-26 20:15:30 UTC"),
        ("Mon Jan _2 15:04:05 2006", "Fri Mar  6 07:05:09 2026", "Sun Mar  8 20:15:30 2026"),
        ("3:04PM", "7:05AM", "8:15PM"),
        ("Jan _2 15:04:05.000", "Mar  6 07:05:09.000", "Mar  8 20:15:30.120"),
        ("2006-01-02T15:04:05.999999999Z07:00", "2026-03-06T07:05:09Z", "2026-03-08T20:15:30.120045Z"),
        // Words that begin like a part, and what is no part at all.
        ("Month", "Month", "Month"),
        ("Janet", "Janet", "Janet"),
        ("Mon.", "Fri.", "Sun."),
        ("MONDAY", "MONDAY", "MONDAY"),
        ("year/month", "year/month", "year/month"),
        ("%Y-%m %%", "%Y-%m %%", "%Y-%m %%"),
        ("00", "00", "00"),
        ("07", "07", "07"),
        ("日 2006 本", "日 2026 本", "日 2026 本"),
        ("Z", "Z", "Z"),
        ("_", "_", "_"),
        (".", ".", "."),
    ] {
        let text = format!("[[ScheduledTime.{layout}]]|[[CurrentTime.{layout}]]");
        assert_eq!(macros().expand(&text), format!("{scheduled}|{now}"), "{layout:?}");
    }
}

#[test]
fn formats_of_strftime() {
    for (format, expect) in [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-03-06T07:05:09Z"),
        ("%y %b %B %a %A", "26 Mar March Fri Friday"),
        ("%e %-d %j %p %I", " 6 6 065 AM 07"),
        ("%s", "1772780709"),
        ("%Z %z", "UTC +0000"),
        ("%F %T %D %R", "2026-03-06 07:05:09 03/06/26 07:05"),
        ("%c", "Fri Mar  6 07:05:09 2026"),
        ("%%", "%"),
        ("日 %Y", "日 2026"),
        ("no directive", "no directive"),
    ] {
        assert_eq!(macros().expand(&format!("{{{{$.scheduledTime.strftime('{format}')}}}}")), expect, "{format:?}");
    }
}

#[test]
fn other_years() {
    for (time, expect) in [
        ("1969-12-31T23:59:59Z", "1969 69"),
        ("2070-01-01T00:00:00Z", "2070 70"),
        ("0999-01-01T00:00:00Z", "0999 99"),
        ("9999-12-30T00:00:00Z", "9999 99"),
    ] {
        let macros = Macros { scheduled_at: Timestamp::parse(time).unwrap(), ..macros() };
        assert_eq!(macros.expand("[[ScheduledTime.2006 06]]"), expect);
    }
    // No calendar has such a year.
    let macros = Macros { scheduled_at: Timestamp(i64::MAX), ..macros() };
    assert_eq!(macros.expand("[[ScheduledTime]]"), "[[ScheduledTime]]");
}

#[test]
fn of_parameters_only_strings() {
    let mut parameters = json!({
        "a": "[[Index]]",
        "b": "b",
        "c": 1,
        "d": {"e": "[[Index]]"},
        "f": ["[[Index]]"],
        "[[Index]]": null,
    });
    macros().expand_all(parameters.as_object_mut().unwrap());
    assert_eq!(
        parameters,
        json!({"a": "17", "b": "b", "c": 1, "d": {"e": "[[Index]]"}, "f": ["[[Index]]"], "[[Index]]": null})
    );
}

/// Values are not read again: nobody can make an id that expands.
#[test]
fn values_are_not_expanded() {
    let macros = Macros { run_id: "[[Index]]", ..macros() };
    assert_eq!(macros.expand("[[RunUUID]]"), "[[Index]]");
    assert_eq!(macros.expand("[[RunUUID]]]]"), "[[Index]]]]");
}

/// Texts of a size that would take hours if each opening were searched through to the end.
#[test]
fn hostile_texts_take_no_longer() {
    for text in [
        "[[",
        "[[ScheduledTime.",
        "[[ScheduledTime.]",
        "{{$.",
        "{{$.scheduledTime.strftime('",
        "{{$.scheduledTime.strftime(\"",
        "{{$.scheduledTime.strftime('{{$.scheduledTime.strftime(\"",
        "{{$.scheduledTime.strftime('%Y')",
        "{{$.scheduledTime.strftime('%",
        "[[ScheduledTime.0",
    ] {
        let long = text.repeat((1 << 19) / text.len());
        assert!(matches!(macros().expand(&long), Cow::Borrowed(_)), "{text:?}");
    }
    for (layout, expect) in [(".0", ".0"), (".", "."), ("Jan", "Mar"), ("%", "%"), ("_", "_"), ("1", "3")] {
        let long = format!("[[ScheduledTime.{}]]", format!("{layout} ").repeat(1 << 14));
        assert_eq!(macros().expand(&long), format!("{expect} ").repeat(1 << 14));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// Whatever comes in, something comes out; and it is the same if there is nothing that opens a macro.
    #[test]
    fn any_text_is_expanded(text in "(\\[\\[|\\]\\]|ScheduledTime|\\.|,|[0-9%_Z-]|Index|\\{\\{\\$\\.currentTime\\.strftime\\('|'\\)\\}\\}|\\PC){0,12}") {
        let expanded = macros().expand(&text);
        prop_assert!(expanded == text || text.contains("[[") || text.contains("{{$."));
    }
}
