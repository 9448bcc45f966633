//! The header `x-forwarded-client-cert`, in which an Envoy proxy tells of the client certificate that it has verified.
//!
//! Each proxy on the way appends an element, so the last one is of the proxy that speaks to us, and all before it are
//! whatever its client has sent. The syntax is that of Envoy's documentation ("HTTP header manipulation"): elements
//! with commas between them, `key=value` pairs with semicolons between them, and values in double quotes where they
//! contain one of `,;=`. It is read strictly from the beginning: what a client has sent must not be able to shift where
//! the last element begins, so text that is not exactly of this form proves nothing.
use http::HeaderMap;
use std::borrow::Cow;

const HEADER: &str = "x-forwarded-client-cert";

/// The URI of the client's certificate by the last element of the last header line; `None` if it has none or several,
/// or if the line is malformed.
pub(super) fn uri(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let line = headers.get_all(HEADER).iter().next_back()?;
    let mut rest = std::str::from_utf8(line.as_bytes()).ok()?;
    loop {
        let (uris, after) = element(rest)?;
        match (after.strip_prefix(','), <[_; 1]>::try_from(uris)) {
            (Some(next), _) => rest = next,
            (None, Ok([uri])) => return (!uri.is_empty()).then_some(uri),
            (None, Err(_)) => return None,
        }
    }
}

/// The values of `URI` in the element at the beginning of the text, and what comes after: nothing, or a comma and more.
fn element(text: &str) -> Option<(Vec<Cow<'_, str>>, &str)> {
    let mut rest = text.trim_start_matches(BLANK);
    let mut uris = Vec::new();
    loop {
        let (key, after) = rest.split_once('=')?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return None;
        }
        let (value, after) = value(after)?;
        if key.eq_ignore_ascii_case("uri") {
            uris.push(value);
        }
        match after.strip_prefix(';') {
            Some(next) => rest = next,
            None => {
                let after = after.trim_start_matches(BLANK);
                return (after.is_empty() || after.starts_with(',')).then_some((uris, after));
            }
        }
    }
}

/// What may stand around an element: header lines are often joined with a blank.
const BLANK: [char; 2] = [' ', '\t'];

/// The value at the beginning of the text, without its quotes, and what comes after.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return (!value.contains(['"', '\\', '='])).then_some((value.into(), after));
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => value.push(chars.next()?),
            other => value.push(other),
        }
    }
    let after = chars.as_str();
    (after.is_empty() || after.starts_with([',', ';', ' ', '\t'])).then_some((value.into(), after))
}

#[cfg(test)]
mod tests;
