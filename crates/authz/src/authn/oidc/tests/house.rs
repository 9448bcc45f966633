//! An issuer on loopback that serves what a test wants it to, and keys to sign with.
use super::super::{Oidc, OidcClaims, OidcSettings};
use axum::{Router, extract::State, routing::get};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::{Clock, Timestamp};
use http::{StatusCode, header::LOCATION};
use ring::{
    rand::SystemRandom,
    rsa::{KeyPair as Rsa, PublicKeyComponents},
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding},
};
use serde_json::{Map, Value, json};
use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

pub(super) const NOW: i64 = 1_000_000;
pub(super) const AUDIENCE: &str = "bulkhead";

/// A clock that a test sets, in seconds.
#[derive(Clone)]
struct At(Arc<AtomicI64>);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(SeqCst))
    }
}

/// What the issuer answers.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) discovery: Result<Value, (StatusCode, String)>,
    pub(super) keys: Result<Value, (StatusCode, String)>,
    /// How long it takes.
    pub(super) delay: Duration,
}

#[derive(Clone)]
struct Served {
    site: Arc<Mutex<Site>>,
    fetches: Arc<AtomicUsize>,
}

pub(super) struct House {
    pub(super) oidc: Oidc,
    pub(super) issuer: String,
    served: Served,
    clock: At,
}

impl House {
    /// A server that publishes these keys.
    pub(super) async fn with(keys: &[&Signer]) -> Self {
        Self::changed(keys, |_| ()).await
    }

    pub(super) async fn changed(keys: &[&Signer], change: impl FnOnce(&mut OidcSettings)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let site = Site { discovery: Ok(discovery(&issuer)), keys: Ok(key_set(keys)), delay: Duration::ZERO };
        let served = Served { site: Arc::new(Mutex::new(site)), fetches: Arc::default() };
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(|State(it): State<Served>| async move { it.discovery().await }),
            )
            .route("/keys", get(|State(it): State<Served>| async move { it.keys().await }))
            .route("/elsewhere", get(|State(it): State<Served>| async move { it.keys().await }))
            .with_state(served.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut settings = OidcSettings {
            issuer: issuer.clone(),
            ca: None,
            audiences: vec![AUDIENCE.into(), "kfp".into()],
            clock_skew: Duration::from_secs(30),
            claims: OidcClaims::default(),
        };
        change(&mut settings);
        let clock = At(Arc::new(AtomicI64::new(NOW)));
        let oidc = Oidc::start(settings, Arc::new(clock.clone())).unwrap();
        Self { oidc, issuer, served, clock }
    }

    pub(super) fn site(&self, change: impl FnOnce(&mut Site)) {
        change(&mut self.served.site.lock().unwrap());
    }

    pub(super) fn publish(&self, keys: &[&Signer]) {
        self.site(|site| site.keys = Ok(key_set(keys)));
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, SeqCst);
    }

    /// How often keys were asked for.
    pub(super) fn fetches(&self) -> usize {
        self.served.fetches.load(SeqCst)
    }

    /// The claims of an ordinary token of Jane's.
    pub(super) fn jane(&self) -> Map<String, Value> {
        let claims = json!({
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "0001",
            "exp": NOW + 3600,
            "iat": NOW,
            "email": "jane@example.com",
            "email_verified": true,
            "groups": ["ml"],
        });
        claims.as_object().unwrap().clone()
    }

    /// The user and the groups, or the refusal, or the failure; never anything of the token.
    pub(super) async fn told(&self, token: &str) -> String {
        let told = match self.oidc.claims(token).await {
            Ok(Ok(claims)) => format!("{} {:?}", claims.user, claims.groups),
            Ok(Err(refusal)) => format!("{refusal:?}"),
            Err(error) => format!("{:?}: {error} {error:?}", error.code()),
        };
        let repeated = token.split('.').find(|part| part.len() > 7 && told.contains(part));
        assert_eq!(repeated, None, "{told}");
        told
    }
}

impl Served {
    async fn discovery(self) -> Answer {
        let site = self.site.lock().unwrap().clone();
        tokio::time::sleep(site.delay).await;
        answer(site.discovery)
    }

    async fn keys(self) -> Answer {
        self.fetches.fetch_add(1, SeqCst);
        answer(self.site.lock().unwrap().keys.clone())
    }
}

type Answer = (StatusCode, [(http::HeaderName, &'static str); 1], String);

fn answer(with: Result<Value, (StatusCode, String)>) -> Answer {
    let (status, body) = with.map_or_else(|error| error, |json| (StatusCode::OK, json.to_string()));
    (status, [(LOCATION, "/elsewhere")], body)
}

pub(super) fn discovery(issuer: &str) -> Value {
    json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys"), "authorization_endpoint": "https://a/b"})
}

pub(super) fn key_set(keys: &[&Signer]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk.clone()).collect::<Vec<_>>()})
}

/// A key pair of an issuer: its JWK, and how to sign.
pub(super) struct Signer {
    pub(super) jwk: Value,
    pub(super) alg: &'static str,
    sign: Box<Sign>,
}

type Sign = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

impl Signer {
    pub(super) fn es256(kid: &str) -> Self {
        Self::ec(kid, "ES256", "P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub(super) fn es384(kid: &str) -> Self {
        Self::ec(kid, "ES384", "P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    fn ec(kid: &str, alg: &'static str, curve: &str, with: &'static signature::EcdsaSigningAlgorithm) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(with, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(with, document.as_ref(), &random).unwrap();
        let (x, y) = {
            let point = &pair.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            (encode(x), encode(y))
        };
        let jwk = json!({"kty": "EC", "kid": kid, "use": "sig", "crv": curve, "x": x, "y": y});
        Self { jwk, alg, sign: Box::new(move |text| pair.sign(&random, text).unwrap().as_ref().to_vec()) }
    }

    pub(super) fn eddsa(kid: &str) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let jwk = json!({"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": encode(pair.public_key().as_ref())});
        Self { jwk, alg: "EdDSA", sign: Box::new(move |text| pair.sign(text).as_ref().to_vec()) }
    }

    /// An RSA key of 2048 bits, the same for all tests: to make one takes too long.
    pub(super) fn rsa(kid: &str, alg: &'static str) -> Self {
        static PAIR: OnceLock<Rsa> = OnceLock::new();
        let pair = PAIR.get_or_init(|| {
            let document = STANDARD.decode(include_str!("rsa_key_of_tests.pk8.base64").trim()).unwrap();
            Rsa::from_pkcs8(&document).unwrap()
        });
        let with: &'static dyn RsaEncoding = match alg {
            "RS256" => &signature::RSA_PKCS1_SHA256,
            "RS384" => &signature::RSA_PKCS1_SHA384,
            "RS512" => &signature::RSA_PKCS1_SHA512,
            "PS256" => &signature::RSA_PSS_SHA256,
            "PS384" => &signature::RSA_PSS_SHA384,
            _ => &signature::RSA_PSS_SHA512,
        };
        let sign = move |text: &[u8]| {
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(with, &SystemRandom::new(), text, &mut signature).unwrap();
            signature
        };
        let PublicKeyComponents::<Vec<u8>> { n, e } = pair.public().into();
        let jwk = json!({"kty": "RSA", "kid": kid, "use": "sig", "n": encode(&n), "e": encode(&e)});
        Self { jwk, alg, sign: Box::new(sign) }
    }

    /// The same key with other members of its JWK; null takes one away.
    pub(super) fn but(mut self, members: Value) -> Self {
        for (name, value) in members.as_object().unwrap() {
            match value {
                Value::Null => self.jwk.as_object_mut().unwrap().remove(name),
                value => self.jwk.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        self
    }

    pub(super) fn token(&self, claims: &Map<String, Value>) -> String {
        self.token_with(json!({"alg": self.alg, "typ": "JWT", "kid": self.jwk["kid"]}), claims)
    }

    pub(super) fn token_with(&self, header: Value, claims: &Map<String, Value>) -> String {
        signed(header, claims, &self.sign)
    }
}

/// A token with a signature that is made by anything.
pub(super) fn signed(header: Value, claims: &Map<String, Value>, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let claims = serde_json::to_string(claims).unwrap();
    let text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.as_bytes()));
    let signature = encode(&sign(text.as_bytes()));
    format!("{text}.{signature}")
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
