//! A filter as words.
use domain::{Error, Result};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A name, or a word of the language.
    Name(String),
    /// A name between back quotes.
    Quoted(String),
    Text(String),
    Int(i64),
    Double(f64),
    Sign(&'static str),
}

/// Signs, those of two letters first.
const SIGNS: [&str; 11] = ["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "."];

/// The words of a text, each with the place where it begins.
pub(super) fn words(text: &str) -> Result<Vec<(usize, Word)>> {
    let (mut words, mut rest) = (Vec::new(), text);
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(words) };
        let bad = |why: &str| Error::invalid(format!("{why} at {at}"));
        let (word, used) = match first {
            '\'' | '"' => {
                let (value, used) = quoted(rest, first).ok_or_else(|| bad("a text does not end"))?;
                (Word::Text(value), used)
            }
            '`' => {
                let (value, used) = quoted(rest, first).ok_or_else(|| bad("a name does not end"))?;
                (Word::Quoted(value), used)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let used = name.len();
                (Word::Name(name), used)
            }
            c if c.is_ascii_digit() || c == '-' || c == '+' => {
                let (word, used) = number(rest).ok_or_else(|| bad("what is no number"))?;
                (word, used)
            }
            other => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let sign = sign.ok_or_else(|| bad(&format!("{other:?} means nothing")))?;
                (Word::Sign(sign), sign.len())
            }
        };
        words.push((at, word));
        rest = &rest[used..];
    }
}

/// What is between the quote at the beginning and the next one, and how long both are together. A backslash takes its
/// meaning from what follows.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let (mut value, mut chars) = (String::new(), text.char_indices().skip(1));
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((value, at + c.len_utf8())),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

fn number(text: &str) -> Option<(Word, usize)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut used = usize::from(text.starts_with(['-', '+']));
    used += digits(&text[used..]);
    let mut whole = true;
    if text[used..].starts_with('.') {
        whole = false;
        used += 1 + digits(&text[used + 1..]);
    }
    if text[used..].starts_with(['e', 'E']) {
        whole = false;
        used += 1 + usize::from(text[used + 1..].starts_with(['-', '+']));
        used += digits(&text[used..]);
    }
    let written = &text[..used];
    let word = if whole { Word::Int(written.parse().ok()?) } else { Word::Double(written.parse().ok()?) };
    Some((word, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_kinds() {
        let found: Vec<Word> = words("a_1 <= -2.5e1 AND `b c`='it''s' !=\"x\\\"y\"(7)")
            .unwrap()
            .into_iter()
            .map(|(_, word)| word)
            .collect();
        let name = |text: &str| Word::Name(text.into());
        let text = |text: &str| Word::Text(text.into());
        let expect = [
            name("a_1"),
            Word::Sign("<="),
            Word::Double(-25.0),
            name("AND"),
            Word::Quoted("b c".into()),
            Word::Sign("="),
            text("it"),
            text("s"),
            Word::Sign("!="),
            text("x\"y"),
            Word::Sign("("),
            Word::Int(7),
            Word::Sign(")"),
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, expect) in [
            ("a = 'x", "a text does not end at 4"),
            ("a # 1", "'#' means nothing at 2"),
            ("a = -", "what is no number at 4"),
        ] {
            assert_eq!(words(text).unwrap_err().message(), expect);
        }
        assert!(words("99999999999999999999").is_err());
    }
}
