//! Credentials in URLs, kept out of what people read.

/// Whether a URL in the text carries a user or a password.
pub(super) fn has_credentials(text: &str) -> bool {
    credentials(text).is_some()
}

/// The text with `***` for the user and password of each URL.
pub(super) fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, end)) = credentials(rest) {
        redacted.push_str(&rest[..start]);
        redacted.push_str("***");
        rest = &rest[end..];
    }
    redacted + rest
}

/// Where the first ones are: after `//`, up to the last `@` of what may be the authority.
fn credentials(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(slashes) = text[from..].find("//") {
        let start = from + slashes + 2;
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>');
        let authority = text[start..].split(ends).next().unwrap_or_default();
        match authority.rfind('@') {
            Some(at) if at > 0 && !authority.starts_with("***@") => return Some((start, start + at)),
            Some(_) => from = start + authority.len(),
            None => from = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("plain text // with @ signs", "plain text // with @ signs")]
    #[case("https://host/simple", "https://host/simple")]
    #[case("https://host/path@v1", "https://host/path@v1")]
    #[case(
        "Looking in https://me:secret@host/simple, https://t0ken@other",
        "Looking in https://***@host/simple, https://***@other"
    )]
    #[case("git+https://me:p@ss@host/x", "git+https://***@host/x")]
    #[case("'https://a:b@host'//'https://c:d@host'", "'https://***@host'//'https://***@host'")]
    #[case("https://***@host https://a:b@host", "https://***@host https://***@host")]
    fn urls(#[case] text: &str, #[case] expect: &str) {
        assert_eq!(redact(text), expect);
        assert_eq!(has_credentials(text), text != expect);
    }

    /// Tenants choose the text: no length of it may be too much for the stack.
    #[test]
    fn a_text_of_nothing_but_slashes() {
        let text = format!("x@https://h{}", "//@".repeat(200_000));
        assert_eq!(redact(&text).len(), text.len());
    }
}
