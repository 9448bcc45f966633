//! How zones are named, and where.
use domain::Code;
use scheduler::{Cron, Zone};

#[test]
fn names() {
    for (name, expect) in [
        ("", "UTC"),
        ("UTC", "UTC"),
        ("utc", "UTC"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/BERLIN", "Europe/Berlin"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("EST5EDT", "EST5EDT"),
    ] {
        assert_eq!(Zone::parse(name).unwrap().name(), expect);
    }
    assert_eq!(Zone::parse("").unwrap(), Zone::utc());
    assert_eq!(Zone::parse("Asia/Taipei").unwrap(), Zone::parse("asia/taipei").unwrap());
    assert_ne!(Zone::parse("Asia/Taipei").unwrap(), Zone::utc());
    let long = "x".repeat(100_000);
    for name in ["Mars/Olympus", "Local", "Etc/Unknown", "+02:00", "UTC ", "../../etc/passwd", "Europe/Berlin\n", &long]
    {
        let error = Zone::parse(name).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{name:?}");
        assert!(error.message().contains("give an IANA name, such as Europe/Berlin"), "{}", error.message());
        assert!(error.message().len() < 1000);
    }
}

#[test]
fn an_expression_may_name_its_zone() {
    for (text, zone, cron) in [
        ("CRON_TZ=Europe/Berlin 0 0 9 * * *", Some("Europe/Berlin"), "0 0 9 * * *"),
        ("TZ=Asia/Taipei @daily", Some("Asia/Taipei"), "@daily"),
        ("  TZ=UTC\t 0 0 9 * * *", Some("UTC"), "0 0 9 * * *"),
        ("TZ= 0 0 9 * * *", Some(""), "0 0 9 * * *"),
        ("TZ=UTC", Some("UTC"), ""),
        ("0 0 9 * * *", None, "0 0 9 * * *"),
        (" 0 0 9 * * *", None, " 0 0 9 * * *"),
        ("", None, ""),
        ("tz=UTC 0 0 9 * * *", None, "tz=UTC 0 0 9 * * *"),
        ("0 0 9 * * * TZ=UTC", None, "0 0 9 * * * TZ=UTC"),
    ] {
        assert_eq!(Cron::split_zone(text), (zone, cron), "{text:?}");
    }
}
