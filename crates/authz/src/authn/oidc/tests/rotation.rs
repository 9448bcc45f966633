//! Keys that come and go, and issuers that are away.
use super::{
    super::Oidc,
    house::{House, Signer, discovery, key_set},
};
use http::StatusCode;
use serde_json::json;
use std::time::Duration;

const JANE: &str = "jane@example.com [\"ml\"]";

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_old_one_ends() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let house = House::with(&[&old]).await;
    assert_eq!(house.told(&old.token(&house.jane())).await, JANE);
    assert_eq!(house.fetches(), 1);
    house.publish(&[&new]);
    house.pass(10);
    assert_eq!(house.told(&new.token(&house.jane())).await, JANE);
    assert_eq!(house.fetches(), 2);
    assert!(house.told(&old.token(&house.jane())).await.contains("does not publish"));
}

#[tokio::test]
async fn verdicts_are_kept_for_half_a_minute() {
    let signer = Signer::eddsa("a");
    let house = House::with(&[&signer]).await;
    let token = signer.token(&house.jane());
    assert_eq!(house.told(&token).await, JANE);
    house.publish(&[&Signer::eddsa("b")]);
    house.pass(10);
    // This has the keys fetched.
    assert!(house.told(&Signer::eddsa("c").token(&house.jane())).await.contains("does not publish"));
    house.pass(19);
    assert_eq!(house.told(&token).await, JANE);
    house.pass(1);
    assert!(house.told(&token).await.contains("does not publish"));
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_in_ten_seconds() {
    let (known, unknown) = (Signer::es256("known"), Signer::es256("unknown"));
    let house = House::with(&[&known]).await;
    assert_eq!(house.told(&known.token(&house.jane())).await, JANE);
    let flood = |from: usize| {
        let tokens: Vec<String> = (from..from + 200)
            .map(|n| unknown.token_with(json!({"alg": "ES256", "kid": format!("{n}")}), &house.jane()))
            .collect();
        let house = &house;
        async move {
            let told = futures::future::join_all(tokens.iter().map(|token| house.told(token))).await;
            assert!(told.iter().all(|told| told.contains("does not publish")), "{told:?}");
        }
    };
    flood(0).await;
    assert_eq!(house.fetches(), 1, "the keys had just been fetched");
    house.pass(10);
    flood(1000).await;
    flood(2000).await;
    assert_eq!(house.fetches(), 2);
    house.pass(10);
    flood(3000).await;
    assert_eq!(house.fetches(), 3);
    assert_eq!(house.told(&known.token(&house.jane())).await, JANE);
}

#[tokio::test]
async fn whoever_goes_away_leaves_the_fetch_to_the_others() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let house = House::with(&[&old]).await;
    assert_eq!(house.told(&old.token(&house.jane())).await, JANE);
    house.publish(&[&new]);
    house.site(|site| site.delay = Duration::from_millis(200));
    house.pass(10);
    let token = new.token(&house.jane());
    let gone = tokio::time::timeout(Duration::from_millis(20), house.told(&token)).await;
    assert!(gone.is_err(), "{gone:?}");
    assert_eq!(house.told(&token).await, JANE);
    assert_eq!(house.fetches(), 2);
}

#[tokio::test]
async fn while_the_issuer_is_away_its_keys_are_good_for_an_hour() {
    let signer = Signer::es256("a");
    let house = House::with(&[&signer]).await;
    let mut claims = house.jane();
    claims.insert("exp".into(), json!(super::NOW + 100_000));
    let token = signer.token(&claims);
    assert_eq!(house.told(&token).await, JANE);
    house.site(|site| site.discovery = Err((StatusCode::SERVICE_UNAVAILABLE, String::new())));
    house.pass(3599);
    assert_eq!(house.told(&token).await, JANE);
    let unknown = Signer::es256("b").token(&claims);
    assert!(house.told(&unknown).await.contains("does not publish"));
    house.pass(31);
    let told = house.told(&token).await;
    assert!(told.starts_with("Unavailable: the keys of the token's issuer cannot be fetched now"), "{told}");
    // It comes back.
    house.site(|site| site.discovery = Ok(discovery(&house.issuer)));
    assert!(house.told(&token).await.starts_with("Unavailable"), "it was asked just now");
    house.pass(10);
    assert_eq!(house.told(&token).await, JANE);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_keys_old() {
    let signer = Signer::es256("a");
    let house = House::with(&[&signer]).await;
    assert_eq!(house.told(&signer.token(&house.jane())).await, JANE);
    house.pass(-100);
    house.site(|site| site.keys = Err((StatusCode::NOT_FOUND, String::new())));
    let mut claims = house.jane();
    claims.insert("groups".into(), json!("ml"));
    assert!(house.told(&signer.token(&claims)).await.starts_with("Unavailable"));
}

#[tokio::test]
async fn what_an_issuer_publishes_is_not_taken_on_trust() {
    let signer = Signer::es256("a");
    type Change = Box<dyn Fn(&House)>;
    let changes: Vec<(&str, Change)> = vec![
        (
            "another issuer",
            Box::new(|house| {
                let other =
                    discovery(&house.issuer).to_string().replace(&format!("\"{}\"", house.issuer), "\"https://other\"");
                house.site(|site| site.discovery = Ok(serde_json::from_str(&other).unwrap()));
            }),
        ),
        (
            "its own name with a slash",
            Box::new(|house| {
                let mut other = discovery(&house.issuer);
                other["issuer"] = json!(format!("{}/", house.issuer));
                house.site(|site| site.discovery = Ok(other));
            }),
        ),
        (
            "keys in plain text elsewhere",
            Box::new(|house| {
                let mut other = discovery(&house.issuer);
                other["jwks_uri"] = json!("http://issuer.invalid/keys");
                house.site(|site| site.discovery = Ok(other));
            }),
        ),
        (
            "keys in a file",
            Box::new(|house| {
                let mut other = discovery(&house.issuer);
                other["jwks_uri"] = json!("file:///dev/null");
                house.site(|site| site.discovery = Ok(other));
            }),
        ),
        ("no keys", Box::new(|house| house.site(|site| site.keys = Ok(json!({"keys": []}))))),
        ("no key set", Box::new(|house| house.site(|site| site.keys = Ok(json!([]))))),
        ("no JSON", Box::new(|house| house.site(|site| site.keys = Err((StatusCode::OK, "<html>".into()))))),
        (
            "an endless answer",
            Box::new(|house| {
                house.site(|site| site.keys = Err((StatusCode::OK, " ".repeat(2 << 20))));
            }),
        ),
        (
            "sent elsewhere",
            Box::new(|house| {
                // That answers the keys, and must not be asked for them.
                house.site(|site| site.discovery = Err((StatusCode::FOUND, String::new())));
            }),
        ),
        (
            "an error",
            Box::new(|house| {
                house.site(|site| site.keys = Err((StatusCode::INTERNAL_SERVER_ERROR, String::new())));
            }),
        ),
    ];
    for (name, change) in changes {
        let house = House::with(&[]).await;
        // The first fetch, which finds no keys.
        assert!(house.told(&signer.token(&house.jane())).await.starts_with("Unavailable"), "{name}");
        house.publish(&[&signer]);
        change(&house);
        house.pass(10);
        let told = house.told(&signer.token(&house.jane())).await;
        assert!(told.starts_with("Unavailable"), "{name}: {told}");
        house.site(|site| (site.discovery, site.keys) = (Ok(discovery(&house.issuer)), Ok(key_set(&[&signer]))));
        house.pass(10);
        assert_eq!(house.told(&signer.token(&house.jane())).await, JANE, "{name}");
    }
}

#[tokio::test]
async fn a_token_says_whose_it_is() {
    let signer = Signer::es256("a");
    let house = House::with(&[&signer]).await;
    let named = |token: &str| Oidc::is_named_by(&house.oidc, token);
    let mut other = house.jane();
    other.insert("iss".into(), json!("https://kubernetes.default.svc"));
    assert!(named(&signer.token(&house.jane())));
    for token in [&signer.token(&other), "", "opaque", "a.b.c"] {
        assert!(!named(token), "{token}");
    }
}
