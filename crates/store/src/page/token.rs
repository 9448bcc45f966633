//! Page tokens: opaque, versioned, authenticated.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;

/// The first byte of every token. Another layout gets another number, and old tokens are then refused.
const VERSION: u8 = 1;
/// Bytes of the authentication code at the end.
const TAG: usize = 32;

fn mac(bytes: &[u8], key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(bytes);
    mac
}

/// Writes a token.
pub(crate) fn seal(content: &impl Serialize, key: &[u8]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(crate::columns::text(content).into_bytes());
    let tag = mac(&bytes, key).finalize().into_bytes();
    bytes.extend(tag);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a token that `seal` wrote under the same key.
pub(crate) fn open<T: DeserializeOwned>(token: &str, key: &[u8]) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (content, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
    mac(content, key).verify_slice(tag).ok()?;
    match content.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).ok(),
        _ => None,
    }
}
