//! Callers by their headers.
mod issuers;
mod secrets;

use super::*;
use access::{Identity, TokenScope};
use domain::{Code, Error, Timestamp};
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue};
use std::sync::atomic::{AtomicI64, Ordering};

struct At(AtomicI64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::Relaxed))
    }
}

/// Tokens whose secrets say what they are.
struct Known;

impl Tokens for Known {
    fn find<'a>(&'a self, secret: &'a str) -> BoxFuture<'a, Result<Option<KnownToken>>> {
        let token = |user: &str, groups: &[&str], expires: Option<i64>, revoked| KnownToken {
            id: "t".into(),
            scope: TokenScope::default(),
            user: user.into(),
            groups: groups.iter().map(|&group| group.into()).collect(),
            expires_at: expires.map(Timestamp::from_seconds),
            revoked,
        };
        let found = match secret {
            "jane" => Ok(Some(token("jane", &["ml"], Some(1001), false))),
            "expired" => Ok(Some(token("jane", &[], Some(1000), false))),
            "revoked" => Ok(Some(token("jane", &[], Some(999), true))),
            "system" => Ok(Some(token("jane", &["system:masters"], None, false))),
            "down" => Err(Error::unavailable("the database is away", "gone")),
            _ => Ok(None),
        };
        Box::pin(async { found })
    }
}

fn at(seconds: i64) -> Arc<At> {
    Arc::new(At(seconds.into()))
}

fn authn(change: impl FnOnce(&mut HeaderSettings)) -> Authn {
    let mut header = HeaderSettings {
        groups_header: Some(HeaderName::from_static("kubeflow-groups")),
        trust: Trust { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Trust::default() },
        ..HeaderSettings::default()
    };
    change(&mut header);
    Authn::new(crate::tests::founded().authenticators, Arc::new(Known), header, at(1000))
}

/// The caller in one line: the user and the groups, or `refused: why`, or `nobody`.
async fn who(authn: &Authn, peer: &str, headers: &[(&'static str, &str)]) -> Result<String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    Ok(match authn.caller(&map, &Peer { address: peer.parse().ok(), ..Peer::default() }).await? {
        Caller::Known(identity) => format!("{identity:?}"),
        Caller::Refused(why) => format!("refused: {why}"),
        Caller::Nobody => "nobody".into(),
    })
}

fn known(user: &str, groups: &[&str]) -> String {
    format!("{:?}", Identity::forge(user, groups))
}

const PROXY: &str = "10.1.2.3";
const STRANGER: &str = "203.0.113.9";
const TOKEN: &str = "authorization";
const USER: &str = "kubeflow-userid";
const GROUPS: &str = "kubeflow-groups";

#[tokio::test]
async fn tokens() {
    let authn = authn(|_| {});
    let jane = known("jane", &["ml"]);
    for (value, expect) in [
        ("Bearer jane", jane.as_str()),
        ("bEARER   jane ", jane.as_str()),
        ("Bearer nosuch", "refused: the token is not known here"),
        ("Bearer JANE", "refused: the token is not known here"),
        ("Bearer revoked", "refused: the token was revoked"),
        ("Bearer expired", "refused: the token expired at 1970-01-01T00:16:40Z"),
        ("Bearer ", "refused: its `authorization` header has no token; send `Bearer TOKEN`"),
        ("", "refused: its `authorization` header has another scheme than Bearer; send `Bearer TOKEN`"),
        ("jane", "refused: its `authorization` header has another scheme than Bearer; send `Bearer TOKEN`"),
        ("Basic amFuZQ==", "refused: its `authorization` header has another scheme than Bearer; send `Bearer TOKEN`"),
        ("Bearer jane jane", "refused: its `authorization` header has more than a token; send `Bearer TOKEN`"),
        ("Bearer jane,Bearer john", "refused: its `authorization` header has more than a token; send `Bearer TOKEN`"),
        ("Bearer jäne", "refused: its `authorization` header has characters that no token has"),
        (
            "Bearer system",
            "refused: group \"system:masters\" begins with `system:`, which only Kubernetes may vouch for",
        ),
    ] {
        assert_eq!(who(&authn, STRANGER, &[(TOKEN, value)]).await.unwrap(), expect, "{value:?}");
    }
    assert_eq!(
        who(&authn, STRANGER, &[(TOKEN, "Bearer jane"), (TOKEN, "Bearer jane")]).await.unwrap(),
        "refused: it has several `authorization` headers; send one"
    );
    assert_eq!(who(&authn, STRANGER, &[(TOKEN, "Bearer down")]).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_token_that_is_known_still_ends() {
    let clock = at(1000);
    let (founded, header) = (crate::tests::founded(), HeaderSettings::default());
    let authn = Authn::new(founded.authenticators, Arc::new(Known), header, clock.clone());
    let authn = authn.with_token_cache(Duration::from_secs(60));
    assert_eq!(who(&authn, STRANGER, &[(TOKEN, "Bearer jane")]).await.unwrap(), known("jane", &["ml"]));
    clock.0.store(1001, Ordering::Relaxed);
    let told = who(&authn, STRANGER, &[(TOKEN, "Bearer jane")]).await.unwrap();
    assert_eq!(told, "refused: the token expired at 1970-01-01T00:16:41Z");
}

#[tokio::test]
async fn no_refusal_repeats_the_secret() {
    let authn = authn(|_| {});
    for value in ["Bearer s3cr3t", "Basic s3cr3t", "s3cr3t", "Bearer s3cr3t x", "Bearer s3cr3t\u{e4}"] {
        let told = who(&authn, STRANGER, &[(TOKEN, value)]).await.unwrap();
        assert!(told.starts_with("refused") && !told.contains("s3cr3t"), "{told}");
    }
}

#[tokio::test]
async fn user_headers() {
    let authn = authn(|_| {});
    let (jane, both) = (known("jane@example.com", &[]), known("jane", &["a b", "c"]));
    for (headers, expect) in [
        (&[][..], "nobody"),
        (&[(USER, "jane@example.com")], jane.as_str()),
        (&[(USER, "jane"), (GROUPS, " a b ,,c,")], both.as_str()),
        (&[(GROUPS, "c")], "nobody"),
        (&[(USER, "")], "refused: its `kubeflow-userid` header names nobody"),
        (
            &[(USER, "jane"), (USER, "jane")],
            "refused: it has several `kubeflow-userid` headers; the proxy must send one and drop the client's",
        ),
        (
            &[(USER, "jane"), (GROUPS, "a"), (GROUPS, "b")],
            "refused: it has several `kubeflow-groups` headers; the proxy must send one and drop the client's",
        ),
        (
            &[(USER, "system:admin")],
            "refused: user \"system:admin\" begins with `system:`, which only Kubernetes may vouch for",
        ),
        (
            &[(USER, "jane"), (GROUPS, "system:masters")],
            "refused: group \"system:masters\" begins with `system:`, which only Kubernetes may vouch for",
        ),
    ] {
        assert_eq!(who(&authn, PROXY, headers).await.unwrap(), expect, "{headers:?}");
        assert_eq!(who(&authn, STRANGER, headers).await.unwrap(), "nobody", "{headers:?}");
    }
}

#[tokio::test]
async fn prefixes() {
    let authn = authn(|settings| {
        settings.user_header = HeaderName::from_static("x-goog-authenticated-user-email");
        settings.user_prefix = "accounts.google.com:".into();
    });
    let jane = known("jane", &[]);
    let wrong = "refused: its `x-goog-authenticated-user-email` header does not begin with \"accounts.google.com:\", \
                 as the proxy's must";
    for (value, expect) in [
        ("accounts.google.com:jane", jane.as_str()),
        ("accounts.google.com:", "refused: its `x-goog-authenticated-user-email` header names nobody"),
        ("accounts.google.com: ", "refused: its `x-goog-authenticated-user-email` header names nobody"),
        ("accounts.example.com:jane", wrong),
        ("jane", wrong),
    ] {
        let told = who(&authn, PROXY, &[("x-goog-authenticated-user-email", value)]).await.unwrap();
        assert_eq!(told, expect, "{value:?}");
    }
    assert_eq!(who(&authn, PROXY, &[(USER, "jane")]).await.unwrap(), "nobody");
}

#[tokio::test]
async fn header_and_token_together() {
    let authn = authn(|_| {});
    let token = (TOKEN, "Bearer jane");
    let (alone, joined) = (known("jane", &["ml"]), known("jane", &["ml", "ops"]));
    let differ = "refused: its token and its user header name different users; send one of them";
    let system = "refused: group \"system:masters\" of its groups header begins with `system:`, which only Kubernetes may \
                  vouch for; the proxy must drop it";
    for (peer, headers, expect) in [
        (PROXY, &[token, (USER, "jane")][..], alone.as_str()),
        (PROXY, &[token, (USER, "jane"), (GROUPS, "ml,ops")], joined.as_str()),
        (PROXY, &[token, (GROUPS, "ops")], alone.as_str()),
        (PROXY, &[token, (USER, "john")], differ),
        (PROXY, &[token, (USER, "jane"), (GROUPS, "system:masters")], system),
        (STRANGER, &[token, (USER, "john"), (GROUPS, "ops")], alone.as_str()),
        (PROXY, &[(TOKEN, "Bearer nosuch"), (USER, "jane")], "refused: the token is not known here"),
    ] {
        assert_eq!(who(&authn, peer, headers).await.unwrap(), expect, "{peer} {headers:?}");
    }
}
