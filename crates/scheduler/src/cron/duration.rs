//! Durations as Go writes them: `1h30m`, `1.5h`, `300ms`.

/// The units, in nanoseconds, longer names first where one begins like another.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS),
    ("m", 60 * NANOS),
    ("h", 3600 * NANOS),
];
/// A second.
const NANOS: u128 = 1_000_000_000;

/// The whole seconds of a duration, at least one. What is wrong is said as the rest of a sentence about it.
pub(super) fn seconds(text: &str) -> Result<i64, &'static str> {
    const SHAPE: &str = "is not numbers with units (ns, us, ms, s, m, h), such as 1h30m";
    if text.starts_with('-') {
        return Err("is negative");
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(1);
    }
    if rest.is_empty() {
        return Err(SHAPE);
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(SHAPE)?;
        let (number, after) = rest.split_at(length);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SHAPE)?;
        total = total.saturating_add(part(number, *nanos).ok_or(SHAPE)?);
        rest = after;
    }
    // Go's durations are 63 bits of nanoseconds.
    if total > i64::MAX as u128 {
        return Err("is longer than 292 years");
    }
    i64::try_from(total / NANOS).map(|seconds| seconds.max(1)).map_err(|_| SHAPE)
}

/// The nanoseconds of a decimal number of units.
fn part(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Ok(0) } else { text.parse::<u128>() };
    // More digits than 18 say nothing: the longest unit has 13.
    let fraction = fraction.get(..18).unwrap_or(fraction);
    if !fraction.bytes().chain(whole.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole = digits(whole).unwrap_or(u128::MAX).saturating_mul(unit);
    Some(whole.saturating_add(digits(fraction).ok()? * unit / scale))
}
