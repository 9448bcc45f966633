//! Who judges which token, and what a header beside it may add.
use super::*;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use std::time::Duration;

/// Nobody listens there, so whatever is shown to this issuer is `Unavailable`.
const ISSUER: &str = "http://127.0.0.1:1";
const ACCOUNT: &str = "system:serviceaccount:jane-doe:default-editor";

fn oidc() -> Oidc {
    let settings = OidcSettings {
        issuer: ISSUER.into(),
        ca: None,
        audiences: vec!["bulkhead".into()],
        clock_skew: Duration::ZERO,
        claims: OidcClaims::default(),
    };
    Oidc::start(settings, at(1000)).unwrap()
}

/// An API server that knows every token that is not of ours, as the service account; in its errors it repeats them.
fn token_review() -> TokenReview {
    let service = tower::service_fn(|request: Request<Body>| async move {
        let question = request.into_body().collect().await.unwrap().to_bytes();
        let question: Value = serde_json::from_slice(&question).unwrap();
        let token = question["spec"]["token"].as_str().unwrap();
        assert!(!token.starts_with("bhk_"), "a token of ours is shown to Kubernetes: {token}");
        let user = json!({"username": ACCOUNT, "groups": ["system:serviceaccounts"]});
        let status = if token.contains("bad") {
            json!({"error": format!("invalid token {token}")})
        } else {
            json!({"authenticated": true, "audiences": ["kfp"], "user": user})
        };
        let answer = json!({"spec": question["spec"], "status": status}).to_string();
        Ok::<_, std::convert::Infallible>(
            Response::builder().status(201).body(Body::from(answer.into_bytes())).unwrap(),
        )
    });
    let settings = TokenReviewSettings { audiences: vec!["kfp".into()], cache: Duration::from_secs(10) };
    TokenReview::new(kube::Client::new(service, "default"), settings, at(1000))
}

pub(super) fn with_issuers(with_oidc: bool, with_review: bool) -> Authn {
    let mut authn = authn(|_| {});
    if with_oidc {
        authn = authn.with_oidc(oidc());
    }
    if with_review {
        authn = authn.with_token_review(token_review());
    }
    authn
}

/// A JWT that says it is of this issuer.
fn jwt(issuer: Value) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(json!({"alg": "RS256"})), part(json!({"iss": issuer})), "AAAA")
}

#[tokio::test]
async fn each_token_is_judged_by_one() {
    let account = known(ACCOUNT, &["system:serviceaccounts"]);
    let (ours, other, odd) = (jwt(json!(ISSUER)), jwt(json!("https://kubernetes.default.svc")), jwt(json!([ISSUER])));
    let unknown = "refused: the token is not known here";
    let neither = "refused: the token is neither one of Bulkhead's own nor a JWT of the issuer that is trusted here, \
                   http://127.0.0.1:1";
    let away = "Unavailable";
    for (token, none, oidc, review, both) in [
        // A token of ours, known or not, is shown to nobody.
        ("bhk_nosuch", unknown, unknown, unknown, unknown),
        ("bhk_e30.e30.AAAA", unknown, unknown, unknown, unknown),
        (&ours, unknown, away, &account, away),
        (&other, unknown, neither, &account, &account),
        (&odd, unknown, neither, &account, &account),
        ("opaque", unknown, neither, &account, &account),
        ("BHK_nosuch", unknown, neither, &account, &account),
    ] {
        for (with_oidc, with_review, expect) in
            [(false, false, none), (true, false, oidc), (false, true, review), (true, true, both)]
        {
            let authn = with_issuers(with_oidc, with_review);
            let told = who(&authn, STRANGER, &[(TOKEN, &format!("Bearer {token}"))]).await;
            let told = told.unwrap_or_else(|error| format!("{:?}", error.code()));
            assert_eq!(told, expect, "{token}, oidc: {with_oidc}, token review: {with_review}");
        }
    }
}

#[tokio::test]
async fn a_header_beside_a_token_of_kubernetes() {
    let authn = with_issuers(true, true);
    let token = (TOKEN, "Bearer opaque");
    let differ = "refused: its token and its user header name different users; send one of them";
    for (peer, headers, expect) in [
        (PROXY, &[token][..], known(ACCOUNT, &["system:serviceaccounts"])),
        (PROXY, &[token, (USER, ACCOUNT)], known(ACCOUNT, &["system:serviceaccounts"])),
        (PROXY, &[token, (USER, ACCOUNT), (GROUPS, "ml")], known(ACCOUNT, &["system:serviceaccounts", "ml"])),
        (PROXY, &[token, (USER, "jane")], differ.to_owned()),
        (STRANGER, &[token, (USER, "jane"), (GROUPS, "ml")], known(ACCOUNT, &["system:serviceaccounts"])),
        (
            PROXY,
            &[token, (USER, ACCOUNT), (GROUPS, "system:serviceaccounts")],
            known(ACCOUNT, &["system:serviceaccounts"]),
        ),
        (
            PROXY,
            &[token, (USER, ACCOUNT), (GROUPS, "system:masters")],
            "refused: group \"system:masters\" of its groups header begins with `system:`, which only Kubernetes may \
             vouch for; the proxy must drop it"
                .to_owned(),
        ),
        // Without the token the header alone cannot be a service account's.
        (
            PROXY,
            &[(USER, ACCOUNT)],
            format!("refused: user \"{ACCOUNT}\" begins with `system:`, which only Kubernetes may vouch for"),
        ),
    ] {
        assert_eq!(who(&authn, peer, headers).await.unwrap(), expect, "{peer} {headers:?}");
    }
}

#[tokio::test]
async fn a_huge_token_is_shown_to_nobody() {
    for (length, expect) in [(16 << 10, "system:"), ((16 << 10) + 1, "refused: its token has more than 16384 bytes")] {
        let token = format!("Bearer {}", "a".repeat(length));
        let told = who(&with_issuers(true, true), STRANGER, &[(TOKEN, &token)]).await.unwrap();
        assert!(told.starts_with(expect), "{told}");
    }
}
