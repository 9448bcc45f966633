//! JWTs of an issuer that is a real little server.
mod house;
mod rotation;

use super::*;
use access::Proof;
use domain::Code;
use house::{AUDIENCE, House, NOW, Signer, encode, signed};
use serde_json::json;

#[tokio::test]
async fn all_algorithms_with_two_keys() {
    let signers = [
        Signer::rsa("r", "RS256"),
        Signer::rsa("r", "RS384"),
        Signer::rsa("r", "RS512"),
        Signer::rsa("r", "PS256"),
        Signer::rsa("r", "PS384"),
        Signer::rsa("r", "PS512"),
        Signer::es256("p256"),
        Signer::es384("p384"),
        Signer::eddsa("ed"),
    ];
    let house = House::with(&signers.iter().skip(5).collect::<Vec<_>>()).await;
    for signer in &signers {
        let token = signer.token(&house.jane());
        assert_eq!(house.told(&token).await, "jane@example.com [\"ml\"]", "{}", signer.alg);
        // Another signature of the same length.
        let (text, signature) = token.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        let wrong = format!("{text}.{first}{}", &signature[1..]);
        assert!(house.told(&wrong).await.contains("signature is wrong"), "{}", signer.alg);
    }
}

#[tokio::test]
async fn what_is_known_of_a_caller() {
    let signer = Signer::es256("a");
    let house = House::with(&[&signer]).await;
    let claims = house.oidc.claims(&signer.token(&house.jane())).await.unwrap().unwrap();
    assert_eq!((claims.proof, claims.until), (Proof::Oidc, Some(Timestamp::from_seconds(NOW + 3600))));
    assert!(claims.scope.is_all() && claims.extra.is_empty());
}

/// Claims of Jane's token, some of them others; null takes one away.
fn but(house: &House, change: &Value) -> Map<String, Value> {
    let mut claims = house.jane();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => claims.remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
    claims
}

#[tokio::test]
async fn claims() {
    let signer = Signer::es256("a");
    let house = House::with(&[&signer]).await;
    let jane = "jane@example.com [\"ml\"]";
    for (change, expect) in [
        (json!({}), jane),
        // Whom it is for.
        (json!({"aud": "kfp"}), jane),
        (json!({"aud": ["other", AUDIENCE]}), jane),
        (json!({"aud": "other"}), "get one for the audience bulkhead or kfp"),
        (json!({"aud": ["other", "another"]}), "made for somebody else"),
        (json!({"aud": []}), "made for somebody else"),
        (json!({"aud": "bulkhead2"}), "made for somebody else"),
        (json!({"aud": "Bulkhead"}), "made for somebody else"),
        (json!({"aud": ""}), "made for somebody else"),
        (json!({"aud": 1}), "made for somebody else"),
        (json!({"aud": null}), "made for somebody else"),
        // Who made it.
        (json!({"iss": "https://evil.example"}), "not of the issuer"),
        (json!({"iss": format!("{}/", house.issuer)}), "not of the issuer"),
        (json!({"iss": [house.issuer, "https://evil.example"]}), "not of the issuer"),
        (json!({"iss": null}), "can be read"),
        // When. The clocks may be 30 seconds apart.
        (json!({"exp": NOW + 1}), jane),
        (json!({"exp": NOW - 29}), jane),
        (json!({"exp": NOW as f64 - 28.5}), jane),
        (json!({"exp": NOW - 30}), "the token expired at 1970-01-12T13:46:10Z; log in again"),
        (json!({"exp": NOW - 3600}), "expired"),
        (json!({"exp": 0}), "expired"),
        (json!({"exp": -1}), "expired"),
        (json!({"exp": null}), "never ends"),
        (json!({"exp": (NOW + 3600).to_string()}), "`exp` is no number"),
        (json!({"exp": [NOW + 3600]}), "can be read"),
        (json!({"exp": u64::MAX}), jane),
        (json!({"exp": 1e300}), jane),
        (json!({"nbf": NOW - 1}), jane),
        (json!({"nbf": NOW + 30}), jane),
        (json!({"nbf": NOW + 31}), "not good before 1970-01-12T13:47:11Z"),
        (json!({"nbf": "now"}), "`nbf` is no number"),
        (json!({"iat": NOW + 3600}), jane),
        // The user.
        (json!({"email": null}), "no `email` claim"),
        (json!({"email": ""}), "no `email` claim"),
        (json!({"email": " "}), "no `email` claim"),
        (json!({"email": ["jane@example.com"]}), "no `email` claim"),
        (json!({"email": 7}), "no `email` claim"),
        (json!({"email_verified": null}), jane),
        (json!({"email_verified": "true"}), jane),
        (json!({"email_verified": false}), "has not verified"),
        (json!({"email_verified": "false"}), "has not verified"),
        (json!({"email_verified": 0}), "has not verified"),
        // The groups.
        (json!({"groups": null}), "jane@example.com []"),
        (json!({"groups": []}), "jane@example.com []"),
        (json!({"groups": "ml"}), jane),
        (json!({"groups": ["ml", "a,b"]}), "jane@example.com [\"ml\", \"a,b\"]"),
        (json!({"groups": ["ml", 7]}), "`groups` claim is no list of names"),
        (json!({"groups": [""]}), "`groups` claim is no list of names"),
        (json!({"groups": {"ml": true}}), "`groups` claim is no list of names"),
    ] {
        let told = house.told(&signer.token(&but(&house, &change))).await;
        assert!(told.contains(expect), "{change}: {told}");
    }
}

#[tokio::test]
async fn other_claims_and_prefixes() {
    let signer = Signer::es256("a");
    let house = House::changed(&[&signer], |settings| {
        settings.claims = OidcClaims {
            user: "sub".into(),
            user_prefix: "oidc:".into(),
            groups: "roles".into(),
            groups_prefix: "oidc/".into(),
        };
    })
    .await;
    for (change, expect) in [
        (json!({}), "oidc:0001 []"),
        (json!({"roles": ["a", "system:masters"]}), "oidc:0001 [\"oidc/a\", \"oidc/system:masters\"]"),
        (json!({"email_verified": false}), "oidc:0001 []"),
        (json!({"sub": null}), "no `sub` claim"),
    ] {
        let told = house.told(&signer.token(&but(&house, &change))).await;
        assert!(told.contains(expect), "{change}: {told}");
    }
}

#[tokio::test]
async fn signatures_that_prove_nothing() {
    let (rsa, ec, stranger) = (Signer::rsa("rsa", "RS256"), Signer::es256("ec"), Signer::es256("ec"));
    let house = House::with(&[&rsa, &ec]).await;
    let jane = house.jane();
    // The public key as it is published, and its parts, as secrets of HMAC.
    let secrets = [rsa.jwk.to_string().into_bytes(), rsa.jwk["n"].as_str().unwrap().as_bytes().to_vec(), Vec::new()];
    for secret in &secrets {
        for (alg, with) in [("HS256", ::ring::hmac::HMAC_SHA256), ("HS512", ::ring::hmac::HMAC_SHA512)] {
            let key = ::ring::hmac::Key::new(with, secret);
            let sign = |text: &[u8]| ::ring::hmac::sign(&key, text).as_ref().to_vec();
            for kid in ["rsa", "ec", "none"] {
                let told = house.told(&signed(json!({"alg": alg, "kid": kid}), &jane, sign)).await;
                assert!(told.contains("signed with one of RS256"), "{alg} {kid}: {told}");
            }
        }
    }
    let nothing = |_: &[u8]| Vec::new();
    for (name, token, expect) in [
        ("none", signed(json!({"alg": "none"}), &jane, nothing), "signed with one of RS256"),
        ("None", signed(json!({"alg": "None", "kid": "ec"}), &jane, nothing), "signed with one of RS256"),
        ("no algorithm", signed(json!({"kid": "ec"}), &jane, nothing), "signed with one of RS256"),
        ("ES512", ec.token_with(json!({"alg": "ES512", "kid": "ec"}), &jane), "signed with one of RS256"),
        ("no signature", signed(json!({"alg": "ES256", "kid": "ec"}), &jane, nothing), "signature is wrong"),
        ("zeros", signed(json!({"alg": "ES256", "kid": "ec"}), &jane, |_| vec![0; 64]), "signature is wrong"),
        ("another's key of that name", stranger.token(&jane), "signature is wrong"),
        ("the kid of another type", ec.token_with(json!({"alg": "ES256", "kid": "rsa"}), &jane), "does not publish"),
        ("the alg of another type", ec.token_with(json!({"alg": "RS256", "kid": "rsa"}), &jane), "signature is wrong"),
        ("another alg of the type", ec.token_with(json!({"alg": "ES384", "kid": "ec"}), &jane), "does not publish"),
        ("another hash", rsa.token_with(json!({"alg": "RS512", "kid": "rsa"}), &jane), "signature is wrong"),
        (
            "a key of its own",
            {
                let header = json!({"alg": "ES256", "kid": "mine", "jwk": stranger.jwk, "jku": "https://evil.example"});
                stranger.token_with(header, &jane)
            },
            "does not publish",
        ),
        ("critical", ec.token_with(json!({"alg": "ES256", "kid": "ec", "crit": ["exp"]}), &jane), "critical"),
        ("none critical", ec.token_with(json!({"alg": "ES256", "kid": "ec", "crit": []}), &jane), "critical"),
        ("log out", ec.token_with(json!({"alg": "ES256", "kid": "ec", "typ": "logout+jwt"}), &jane), "another type"),
        ("empty", String::new(), "is no JWT"),
        ("no JWT", "abc".into(), "is no JWT"),
        ("two parts", "e30.e30".into(), "is no JWT"),
        ("four parts", format!("{}.e30", ec.token(&jane)), "is no JWT"),
        ("five parts", "a.b.c.d.e".into(), "is no JWT"),
        ("padding", ec.token(&jane) + "=", "can be read"),
        (
            "a list",
            {
                let text = format!("{}.{}", encode(br#"{"alg":"ES256","kid":"ec"}"#), encode(b"[]"));
                format!("{text}.AAAA")
            },
            "signature is wrong",
        ),
    ] {
        let told = house.told(&token).await;
        assert!(told.contains(expect), "{name}: {told}");
    }
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        let token = ec.token_with(json!({"alg": "ES256", "kid": "ec", "typ": typ}), &jane);
        assert!(house.told(&token).await.starts_with("jane"), "{typ}");
    }
}

#[tokio::test]
async fn keys_that_are_for_something_else() {
    let good = Signer::es256("good");
    for (name, key, expect) in [
        ("as it is", Signer::es256("k"), "jane"),
        ("named for its algorithm", Signer::es256("k").but(json!({"alg": "ES256"})), "jane"),
        ("to verify", Signer::es256("k").but(json!({"use": null, "key_ops": ["verify"]})), "jane"),
        ("another algorithm", Signer::es256("k").but(json!({"alg": "ES384"})), "does not publish"),
        ("an unknown algorithm", Signer::es256("k").but(json!({"alg": "X"})), "does not publish"),
        ("to encrypt", Signer::es256("k").but(json!({"use": "enc"})), "does not publish"),
        ("to sign alone", Signer::es256("k").but(json!({"key_ops": ["sign"]})), "does not publish"),
        ("an unknown curve", Signer::es256("k").but(json!({"crv": "P-1"})), "does not publish"),
        ("another curve", Signer::es256("k").but(json!({"crv": "P-384"})), "does not publish"),
        ("an unknown type", Signer::es256("k").but(json!({"kty": "AKP"})), "does not publish"),
        ("a secret", Signer::es256("k").but(json!({"kty": "oct", "k": "AAAA"})), "does not publish"),
        ("no point", Signer::es256("k").but(json!({"x": "AAAA", "y": "AAAA"})), "signature is wrong"),
        ("an empty key", Signer::eddsa("k").but(json!({"x": ""})), "signature is wrong"),
        ("a weak key", Signer::rsa("k", "RS256").but(json!({"n": encode(&[0xff; 128])})), "signature is wrong"),
        ("not base64", Signer::es256("k").but(json!({"x": "%"})), "does not publish"),
    ] {
        let house = House::with(&[&good, &key]).await;
        let told = house.told(&key.token(&house.jane())).await;
        assert!(told.contains(expect), "{name}: {told}");
        assert!(house.told(&good.token(&house.jane())).await.starts_with("jane"), "{name}: the other key is good");
    }
}

#[tokio::test]
async fn tokens_without_a_kid() {
    let (ec, other, rsa) = (Signer::es256("a"), Signer::es256("b"), Signer::rsa("c", "RS256"));
    for (keys, expect) in
        [(&[&ec, &rsa][..], "jane"), (&[&ec, &other], "does not publish"), (&[&rsa], "does not publish")]
    {
        let house = House::with(keys).await;
        let told = house.told(&ec.token_with(json!({"alg": "ES256"}), &house.jane())).await;
        assert!(told.contains(expect), "{told}");
    }
}

#[tokio::test]
async fn which_issuers_can_be() {
    let settings = |issuer: &str, ca: Option<&str>| OidcSettings {
        issuer: issuer.into(),
        ca: ca.map(|pem| pem.as_bytes().to_vec()),
        audiences: vec![AUDIENCE.into()],
        clock_skew: Duration::ZERO,
        claims: OidcClaims::default(),
    };
    let start = |issuer: &str, ca| Oidc::start(settings(issuer, ca), Arc::new(domain::SystemClock)).map(|_| ());
    for (issuer, good) in [
        ("https://issuer.invalid", true),
        ("https://issuer.invalid/realms/a", true),
        ("http://127.0.0.1:1", true),
        ("http://[::1]:1", true),
        ("http://localhost:1", true),
        ("http://issuer.invalid", false),
        ("http://127.0.0.1.issuer.invalid", false),
        ("http://localhost.issuer.invalid", false),
        ("https://issuer.invalid?a=b", false),
        ("https://issuer.invalid#a", false),
        ("https://jane@issuer.invalid", false),
        ("file:///etc/passwd", false),
        ("issuer.invalid", false),
        ("", false),
    ] {
        assert_eq!(start(issuer, None).is_ok(), good, "{issuer}");
    }
    assert!(matches!(start("https://issuer.invalid", Some("no certificate")), Err(OidcError::Authorities)));
}

#[tokio::test]
async fn without_keys_nobody_is_judged() {
    let signer = Signer::es256("a");
    let house = House::with(&[]).await;
    let error = house.oidc.claims(&signer.token(&house.jane())).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
}
