//! The `authorization` header (RFC 6750, section 2.1).
use super::Refusal;
use http::{HeaderMap, header::AUTHORIZATION};

/// The longest token, in bytes. A JWT with some hundred groups has less.
const LONGEST: usize = 16 << 10;

/// The secret of the bearer token, if the request has one.
pub(super) fn secret(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let refuse = |why: &str| Err(Refusal::new(why));
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return refuse("it has several `authorization` headers; send one");
    }
    let Ok(value) = value.to_str() else {
        return refuse("its `authorization` header has characters that no token has");
    };
    let (scheme, secret) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return refuse("its `authorization` header has another scheme than Bearer; send `Bearer TOKEN`");
    }
    match secret.trim() {
        "" => refuse("its `authorization` header has no token; send `Bearer TOKEN`"),
        secret if secret.contains([' ', '\t', ',']) => {
            refuse("its `authorization` header has more than a token; send `Bearer TOKEN`")
        }
        secret if secret.len() > LONGEST => Err(Refusal::new(format!(
            "its token has more than {LONGEST} bytes; have it made with fewer claims, such as groups"
        ))),
        secret => Ok(Some(secret)),
    }
}
