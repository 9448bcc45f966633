//! Layouts of Go: a format is written as a certain moment would look, Monday 2 January 2006, 15:04:05 at 7 hours west.
use super::strftime;
use jiff::Zoned;
use std::fmt::Write;

/// The parts of that moment, as formats of `strftime` in UTC. Longer ones come first where one begins like another.
const PARTS: &[(&str, &str)] = &[
    ("2006", "%Y"),
    ("_2006", "_%Y"),
    ("January", "%B"),
    ("Jan", "%b"),
    ("01", "%m"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("002", "%j"),
    ("02", "%d"),
    ("__2", "%_j"),
    ("_2", "%e"),
    ("2", "%-d"),
    ("15", "%H"),
    ("1", "%-m"),
    ("03", "%I"),
    ("3", "%-I"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("04", "%M"),
    ("4", "%-M"),
    ("05", "%S"),
    ("5", "%-S"),
    ("MST", "%Z"),
    ("-070000", "+000000"),
    ("-07:00:00", "+00:00:00"),
    ("-0700", "+0000"),
    ("-07:00", "+00:00"),
    ("-07", "+00"),
    ("Z070000", "Z"),
    ("Z07:00:00", "Z"),
    ("Z0700", "Z"),
    ("Z07:00", "Z"),
    ("Z07", "Z"),
];

/// The time by a layout, a moment in UTC; what is no part of the layout's moment stays as it is.
pub(super) fn format(layout: &str, time: &Zoned) -> Option<String> {
    let mut format = String::with_capacity(layout.len());
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        if let Some((part, shown)) = PARTS.iter().find(|(part, _)| begins(rest, part)) {
            format.push_str(shown);
            rest = &rest[part.len()..];
        } else if rest.starts_with("06") {
            // `%y` knows the years from 1969 to 2068 alone.
            write!(format, "{:02}", time.year().rem_euclid(100)).ok()?;
            rest = &rest[2..];
        } else if let Some(length) = fraction(rest) {
            write_fraction(&mut format, &rest[..length], time.subsec_nanosecond());
            rest = &rest[length..];
        } else {
            format.push(c);
            if c == '%' {
                format.push('%');
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    strftime(&format, time)
}

/// Whether a layout begins with a part. `Jan` and `Mon` are none within a word such as `Month`.
fn begins(layout: &str, part: &str) -> bool {
    match layout.strip_prefix(part) {
        Some(rest) if matches!(part, "Jan" | "Mon") => !rest.starts_with(|c: char| c.is_ascii_lowercase()),
        rest => rest.is_some(),
    }
}

/// The length of the fraction of a second that a layout begins with: a point or a comma, and zeros or nines.
fn fraction(layout: &str) -> Option<usize> {
    let digits = layout.strip_prefix(['.', ','])?;
    let digit = digits.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let rest = digits.trim_start_matches(digit);
    (!rest.starts_with(|c: char| c.is_ascii_digit())).then(|| layout.len() - rest.len())
}

/// Writes as many digits as a part of a layout has, nine at most. Nines leave out the zeros at the end.
fn write_fraction(format: &mut String, part: &str, nanoseconds: i32) {
    let (separator, nines) = (&part[..1], part.ends_with('9'));
    let digits = format!("{nanoseconds:09}");
    let digits = digits.get(..part.len() - 1).unwrap_or(&digits);
    let digits = if nines { digits.trim_end_matches('0') } else { digits };
    if !digits.is_empty() {
        format.push_str(separator);
        format.push_str(digits);
    }
}
