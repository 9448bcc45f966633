//! What a recurring run's parameters may say of the run that is made: `[[ScheduledTime]]` and the like.
mod layout;

use domain::Timestamp;
use jiff::{
    Timestamp as Moment, Zoned,
    fmt::strtime::{BrokenDownTime, Config, PosixCustom},
    tz::TimeZone,
};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// How times are written where a macro names no layout.
const DEFAULT: &str = "20060102150405";

/// What the macros of one run stand for. Times are written in UTC.
///
/// | macro | value |
/// |---|---|
/// | `[[RunUUID]]` | the id of the run |
/// | `[[Index]]` | how many runs the recurring run had made, with this one |
/// | `[[ScheduledTime]]`, `[[CurrentTime]]` | when the run was due, and when it was made: `YYYYMMDDhhmmss` |
/// | `[[ScheduledTime.LAYOUT]]`, `[[CurrentTime.LAYOUT]]` | the same by a layout of Go: `2006-01-02` |
/// | `{{$.scheduledTime.strftime('FORMAT')}}`, `{{$.currentTime.strftime('FORMAT')}}` | the same by `strftime`: `%Y-%m-%d` |
#[derive(Clone, Copy, Debug)]
pub struct Macros<'a> {
    /// The id of the run.
    pub run_id: &'a str,
    /// When the run was due.
    pub scheduled_at: Timestamp,
    /// When the run is made.
    pub now: Timestamp,
    /// How many runs the recurring run had made, with this one; `[[Index]]` stays if it is none.
    pub index: Option<i64>,
}

impl Macros<'_> {
    /// Expands the strings among the parameters, and leaves alone what lies deeper.
    pub fn expand_all(&self, parameters: &mut Map<String, Value>) {
        for value in parameters.values_mut() {
            if let Value::String(text) = value
                && let Cow::Owned(expanded) = self.expand(text)
            {
                *text = expanded;
            }
        }
    }

    /// Puts values in the places of macros. What only looks like one stays as it is, and values are not expanded again.
    ///
    /// The time that it takes grows with the length of the text, whatever is in it.
    pub fn expand<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut expanded = String::new();
        let (mut at, mut copied) = (0, 0);
        while let Some(opening) = text[at..].find(['[', '{']) {
            at += opening;
            match self.read(&text[at..]) {
                Some((length, value)) => {
                    expanded.push_str(&text[copied..at]);
                    expanded.push_str(&value);
                    at += length;
                    copied = at;
                }
                None => at += 1,
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        expanded.push_str(&text[copied..]);
        Cow::Owned(expanded)
    }

    /// The length and the value of the macro that a text begins with.
    fn read(&self, text: &str) -> Option<(usize, String)> {
        match text.strip_prefix("[[") {
            Some(rest) => self.brackets(rest).map(|(length, value)| ("[[".len() + length, value)),
            None => self.braces(text.strip_prefix("{{$.")?).map(|(length, value)| ("{{$.".len() + length, value)),
        }
    }

    /// Reads `NAME]]` or `NAME.LAYOUT]]`.
    fn brackets(&self, text: &str) -> Option<(usize, String)> {
        // Another opening ends it too, so that many of them are not each searched through to the end.
        let end = text.as_bytes().windows(2).position(|pair| pair == b"]]" || pair == b"[[")?;
        let name = text[end..].starts_with("]]").then(|| &text[..end])?;
        let value = match name {
            "RunUUID" => self.run_id.to_owned(),
            "Index" => self.index?.to_string(),
            _ => {
                let (name, layout) = name.split_once('.').unwrap_or((name, DEFAULT));
                let time = match name {
                    "ScheduledTime" => self.scheduled_at,
                    "CurrentTime" => self.now,
                    _ => return None,
                };
                layout::format(layout, &utc(time)?).filter(|_| !layout.is_empty())?
            }
        };
        Some((end + "]]".len(), value))
    }

    /// Reads `NAME.strftime('FORMAT')}}`, with either quotes.
    fn braces(&self, text: &str) -> Option<(usize, String)> {
        let (time, rest) = match text.strip_prefix("scheduledTime.strftime(") {
            Some(rest) => (self.scheduled_at, rest),
            None => (self.now, text.strip_prefix("currentTime.strftime(")?),
        };
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        // The next opening has a quote as well, so that many of them are not each searched through to the end.
        let (format, rest) = rest[1..].split_once(quote)?;
        let rest = rest.strip_prefix(")}}")?;
        let value = strftime(format, &utc(time)?).filter(|_| !format.is_empty())?;
        Some((text.len() - rest.len(), value))
    }
}

/// The time by a format, unless that is wrong. Names are those of the C locale.
fn strftime(format: &str, time: &Zoned) -> Option<String> {
    let mut text = String::new();
    let config = Config::new().custom(PosixCustom::new());
    BrokenDownTime::from(time).format_with_config(&config, format, &mut text).ok().map(|()| text)
}

fn utc(time: Timestamp) -> Option<Zoned> {
    Moment::from_microsecond(time.0).ok().map(|moment| moment.to_zoned(TimeZone::UTC))
}
