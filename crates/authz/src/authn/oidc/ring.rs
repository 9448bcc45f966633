//! Verifies signatures with `ring`, the cryptography of all our TLS, so that no second one comes in. It can verify with
//! public keys and nothing else: there is no code for shared secrets here, nor for signing.
use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result, new_error},
    signature::{Error, Verifier},
};
use ring::{
    rsa::PublicKeyComponents,
    signature::{self, RsaParameters, UnparsedPublicKey, VerificationAlgorithm},
};

/// The cryptography of `jsonwebtoken`, for the whole process.
pub(super) fn install() {
    static PROVIDER: CryptoProvider =
        CryptoProvider { signer_factory: sign, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };
    // It fails if it is there already.
    let _ = PROVIDER.install_default();
}

struct Public {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    /// Of at least 2048 bits, as the parameters have it.
    Rsa(&'static RsaParameters, PublicKeyComponents<Vec<u8>>),
    Other(UnparsedPublicKey<Vec<u8>>),
}

fn sign(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(new_error(ErrorKind::UnsupportedAlgorithm))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let rsa = |parameters: &'static RsaParameters| match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            Ok(Key::Rsa(parameters, PublicKeyComponents { n: n.clone(), e: e.clone() }))
        }
        DecodingKeyKind::SecretOrDer(_) => Err(new_error(ErrorKind::InvalidKeyFormat)),
    };
    let other = |algorithm: &'static dyn VerificationAlgorithm| {
        Ok(Key::Other(UnparsedPublicKey::new(algorithm, key.try_get_as_bytes()?.to_vec())))
    };
    if algorithm.family() != key.family() {
        return Err(new_error(ErrorKind::InvalidKeyFormat));
    }
    let key = match algorithm {
        Algorithm::RS256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => other(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => other(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => other(&signature::ED25519),
        _ => Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    }?;
    Ok(Box::new(Public { algorithm: *algorithm, key }))
}

impl Verifier<Vec<u8>> for Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match &self.key {
            Key::Rsa(parameters, key) => key.verify(parameters, message, signature),
            Key::Other(key) => key.verify(message, signature),
        };
        verified.map_err(|_| Error::new())
    }
}

impl JwtVerifier for Public {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
