//! One key of an issuer.
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde_json::Value;

/// The algorithms that tokens may be signed with. Whoever can verify one of these cannot sign with it, so a public key
/// is never a secret of ours.
pub(super) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// A public key, and which algorithms it is for.
#[derive(Clone)]
pub(super) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

impl Key {
    /// Reads a JWK; `None` for one that is of no use here, since issuers publish keys for other ends too.
    pub(super) fn read(jwk: &Value) -> Option<Self> {
        let Jwk { common, algorithm } = serde_json::from_value(jwk.clone()).ok()?;
        let to_sign = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let to_verify = common.key_operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        let (algorithms, decoding) = match &algorithm {
            AlgorithmParameters::RSA(key) => (&ALGORITHMS[..6], DecodingKey::from_rsa_components(&key.n, &key.e)),
            AlgorithmParameters::EllipticCurve(key) => {
                let algorithms = match key.curve {
                    EllipticCurve::P256 => &[Algorithm::ES256][..],
                    EllipticCurve::P384 => &[Algorithm::ES384],
                    _ => &[],
                };
                (algorithms, DecodingKey::from_ec_components(&key.x, &key.y))
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (&[Algorithm::EdDSA][..], DecodingKey::from_ed_components(&key.x))
            }
            _ => return None,
        };
        let named = |algorithm: &Algorithm| common.key_algorithm.is_none_or(|named| named == (*algorithm).into());
        let algorithms: Vec<Algorithm> = algorithms.iter().copied().filter(named).collect();
        let useful = to_sign && to_verify && !algorithms.is_empty();
        useful.then_some(Self { id: common.key_id, algorithms, decoding: decoding.ok()? })
    }

    /// Whether a token with this `kid` and `alg` may be signed with it. One without a `kid` may be with every key.
    pub(super) fn fits(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm) && (id.is_none() || self.id.as_deref() == id)
    }

    pub(super) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}
