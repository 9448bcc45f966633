//! What a token says of itself before anybody has verified it: enough to choose who is to verify it, and to believe
//! in it for a shorter time. Nothing else may go by this.
use domain::Timestamp;
use jsonwebtoken::dangerous::insecure_decode_claims;
use serde::Deserialize;
use serde_json::Value;

/// Claims of a JWT whose signature nobody has looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Unverified {
    iss: Value,
    exp: Value,
}

impl Unverified {
    /// The claims of the token; none if it is no JWT.
    pub(super) fn of(token: &str) -> Self {
        insecure_decode_claims(token).unwrap_or_default()
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.iss.as_str()
    }

    pub(super) fn expires(&self) -> Option<Timestamp> {
        moment(&self.exp)
    }
}

/// A `NumericDate` (RFC 7519, section 2): seconds, perhaps with a fraction, which is left out.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    // One beyond the range becomes the end of the range.
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64));
    seconds.map(Timestamp::from_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_jwt_says_nothing() {
        for token in ["", "bhk_abc", "a.b", "a.b.c", "..", "e30.W10.x", "e30.bnVsbA.x", "e30.e30.x.y"] {
            let claims = Unverified::of(token);
            assert_eq!((claims.issuer(), claims.expires()), (None, None), "{token}");
        }
    }

    #[test]
    fn moments() {
        for (value, expect) in [
            (json!(1_700_000_000), Some(1_700_000_000)),
            (json!(1_700_000_000.9), Some(1_700_000_000)),
            (json!(-1), Some(-1)),
            (json!(u64::MAX), Some(i64::MAX / 1_000_000)),
            (json!("1700000000"), None),
            (json!(null), None),
            (json!([1]), None),
        ] {
            assert_eq!(moment(&value).map(|at| at.0.div_euclid(1_000_000)), expect, "{value}");
        }
    }
}
