//! Key pairs: how they are made, kept and read. What they do is in `signing`, `oaep` and `agreement`.
//!
//! A pair is kept as PKCS #8 in DER. It is read when it is first used, not at the start: reading thousands of RSA keys
//! takes seconds, and that the bytes are what was stored is known from their wrapping. The library wipes its own copy when it
//! frees it. Randomness of new pairs, of signatures and of padding is the library's own.

use super::kind::{KeyUsage, PairSpec};
use aws_lc_rs::agreement;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{
    KeySize, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
    ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm, RsaKeyPair,
};
use bulla_envelope::SecretBytes;
use std::sync::OnceLock;

/// A private key and its public key.
pub(super) struct KeyPair {
    pair: PairSpec,
    usage: KeyUsage,
    pkcs8: SecretBytes,
    /// `None` inside when the library refuses it.
    read: OnceLock<Option<ReadPair>>,
}

/// A pair as the library wants it.
pub(super) struct ReadPair {
    pub(super) private: Private,
    /// `SubjectPublicKeyInfo`, DER.
    pub(super) public: Vec<u8>,
}

/// A private key, by what it does.
pub(super) enum Private {
    /// Signs.
    Rsa(RsaKeyPair),
    /// Decrypts; with its public key, which encrypts.
    Oaep(OaepPrivateDecryptingKey, OaepPublicEncryptingKey),
    /// Signs.
    Ecdsa(EcdsaKeyPair),
    /// Agrees on secrets.
    Ecdh(agreement::PrivateKey),
    /// Signs.
    Ed25519(Ed25519KeyPair),
    /// Signs.
    MlDsa(PqdsaKeyPair),
}

impl KeyPair {
    /// A new pair of a spec for a usage. Of RSA it takes hundreds of milliseconds: not on a thread that serves others.
    pub(super) fn generate(pair: PairSpec, usage: KeyUsage) -> Result<Self, Unspecified> {
        let pkcs8 = generate_pkcs8(pair)?;
        Ok(Self::new(pair, usage, pkcs8))
    }

    /// The pair with this PKCS #8 in DER.
    pub(super) fn new(pair: PairSpec, usage: KeyUsage, pkcs8: SecretBytes) -> Self {
        Self {
            pair,
            usage,
            pkcs8,
            read: OnceLock::new(),
        }
    }

    /// PKCS #8, DER.
    pub(super) fn pkcs8(&self) -> &SecretBytes {
        &self.pkcs8
    }

    /// PKCS #8, DER; the rest is gone.
    pub(super) fn into_pkcs8(self) -> SecretBytes {
        self.pkcs8
    }

    /// Whether a pair that came from outside is one of its spec. The library checks that its two halves belong together, and of
    /// elliptic curves that they are on the curve.
    pub(super) fn is_sound(&self) -> bool {
        let bits = match self.pair {
            PairSpec::Rsa2048 => 2048,
            PairSpec::Rsa3072 => 3072,
            PairSpec::Rsa4096 => 4096,
            PairSpec::NistP256
            | PairSpec::NistP384
            | PairSpec::NistP521
            | PairSpec::Secp256k1
            | PairSpec::Ed25519
            | PairSpec::MlDsa44
            | PairSpec::MlDsa65
            | PairSpec::MlDsa87 => return self.read().is_some(),
        };
        let of_that_size = |key: PrivateDecryptingKey| key.key_size_bits() == bits;
        PrivateDecryptingKey::from_pkcs8(self.pkcs8.expose()).is_ok_and(of_that_size) && self.read().is_some()
    }

    /// As the library wants it; `None` when it refuses it.
    pub(super) fn read(&self) -> Option<&ReadPair> {
        self.read
            .get_or_init(|| read(self.pair, self.usage, self.pkcs8.expose()).ok())
            .as_ref()
    }
}

impl PartialEq for KeyPair {
    fn eq(&self, other: &Self) -> bool {
        self.pair == other.pair && self.usage == other.usage && self.pkcs8 == other.pkcs8
    }
}

impl Eq for KeyPair {}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("KeyPair")
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}

fn generate_pkcs8(pair: PairSpec) -> Result<SecretBytes, Unspecified> {
    let document = match pair {
        PairSpec::Rsa2048 => return generate_rsa(KeySize::Rsa2048),
        PairSpec::Rsa3072 => return generate_rsa(KeySize::Rsa3072),
        PairSpec::Rsa4096 => return generate_rsa(KeySize::Rsa4096),
        PairSpec::NistP256 | PairSpec::NistP384 | PairSpec::NistP521 | PairSpec::Secp256k1 => {
            EcdsaKeyPair::generate(ecdsa(pair)?)?.to_pkcs8v1()?
        }
        PairSpec::Ed25519 => Ed25519KeyPair::generate()?.to_pkcs8v1()?,
        PairSpec::MlDsa44 | PairSpec::MlDsa65 | PairSpec::MlDsa87 => {
            PqdsaKeyPair::generate(ml_dsa(pair)?)?.to_pkcs8v1()?
        }
    };
    Ok(SecretBytes::new(document.as_ref().to_vec()))
}

fn generate_rsa(size: KeySize) -> Result<SecretBytes, Unspecified> {
    let der: Pkcs8V1Der<'_> = PrivateDecryptingKey::generate(size)?.as_der()?;
    Ok(SecretBytes::new(der.as_ref().to_vec()))
}

fn read(pair: PairSpec, usage: KeyUsage, pkcs8: &[u8]) -> Result<ReadPair, Unspecified> {
    match pair {
        PairSpec::Rsa2048 | PairSpec::Rsa3072 | PairSpec::Rsa4096 => read_rsa(usage, pkcs8),
        PairSpec::NistP256 | PairSpec::NistP384 | PairSpec::NistP521 | PairSpec::Secp256k1 => {
            read_elliptic(pair, usage, pkcs8)
        }
        PairSpec::Ed25519 => {
            let own = Ed25519KeyPair::from_pkcs8(pkcs8)?;
            let public = own.public_key().as_der()?;
            Ok(ReadPair::new(Private::Ed25519(own), &public))
        }
        PairSpec::MlDsa44 | PairSpec::MlDsa65 | PairSpec::MlDsa87 => {
            let own = PqdsaKeyPair::from_pkcs8(ml_dsa(pair)?, pkcs8)?;
            let public = own.public_key().as_der()?;
            Ok(ReadPair::new(Private::MlDsa(own), &public))
        }
    }
}

fn read_rsa(usage: KeyUsage, pkcs8: &[u8]) -> Result<ReadPair, Unspecified> {
    let decrypting = PrivateDecryptingKey::from_pkcs8(pkcs8)?;
    let encrypting: PublicEncryptingKey = decrypting.public_key();
    let public = encrypting.as_der()?;
    let private = match usage {
        KeyUsage::EncryptDecrypt => Private::Oaep(
            OaepPrivateDecryptingKey::new(decrypting)?,
            OaepPublicEncryptingKey::new(encrypting)?,
        ),
        KeyUsage::SignVerify => Private::Rsa(RsaKeyPair::from_pkcs8(pkcs8)?),
        KeyUsage::GenerateVerifyMac | KeyUsage::KeyAgreement => return Err(Unspecified),
    };
    Ok(ReadPair::new(private, &public))
}

fn read_elliptic(pair: PairSpec, usage: KeyUsage, pkcs8: &[u8]) -> Result<ReadPair, Unspecified> {
    let own = EcdsaKeyPair::from_pkcs8(ecdsa(pair)?, pkcs8)?;
    let public = own.public_key().as_der()?;
    let private = match usage {
        KeyUsage::SignVerify => Private::Ecdsa(own),
        KeyUsage::KeyAgreement => {
            Private::Ecdh(agreement::PrivateKey::from_private_key_der(ecdh(pair)?, pkcs8)?)
        }
        KeyUsage::EncryptDecrypt | KeyUsage::GenerateVerifyMac => return Err(Unspecified),
    };
    Ok(ReadPair::new(private, &public))
}

impl ReadPair {
    fn new(private: Private, public: &PublicKeyX509Der<'_>) -> Self {
        Self {
            private,
            public: public.as_ref().to_vec(),
        }
    }
}

fn ecdsa(pair: PairSpec) -> Result<&'static EcdsaSigningAlgorithm, Unspecified> {
    match pair {
        PairSpec::NistP256 => Ok(&ECDSA_P256_SHA256_ASN1_SIGNING),
        PairSpec::NistP384 => Ok(&ECDSA_P384_SHA384_ASN1_SIGNING),
        PairSpec::NistP521 => Ok(&ECDSA_P521_SHA512_ASN1_SIGNING),
        PairSpec::Secp256k1 => Ok(&ECDSA_P256K1_SHA256_ASN1_SIGNING),
        PairSpec::Rsa2048
        | PairSpec::Rsa3072
        | PairSpec::Rsa4096
        | PairSpec::Ed25519
        | PairSpec::MlDsa44
        | PairSpec::MlDsa65
        | PairSpec::MlDsa87 => Err(Unspecified),
    }
}

fn ecdh(pair: PairSpec) -> Result<&'static agreement::Algorithm, Unspecified> {
    match pair {
        PairSpec::NistP256 => Ok(&agreement::ECDH_P256),
        PairSpec::NistP384 => Ok(&agreement::ECDH_P384),
        PairSpec::NistP521 => Ok(&agreement::ECDH_P521),
        PairSpec::Secp256k1
        | PairSpec::Rsa2048
        | PairSpec::Rsa3072
        | PairSpec::Rsa4096
        | PairSpec::Ed25519
        | PairSpec::MlDsa44
        | PairSpec::MlDsa65
        | PairSpec::MlDsa87 => Err(Unspecified),
    }
}

fn ml_dsa(pair: PairSpec) -> Result<&'static PqdsaSigningAlgorithm, Unspecified> {
    match pair {
        PairSpec::MlDsa44 => Ok(&ML_DSA_44_SIGNING),
        PairSpec::MlDsa65 => Ok(&ML_DSA_65_SIGNING),
        PairSpec::MlDsa87 => Ok(&ML_DSA_87_SIGNING),
        PairSpec::Rsa2048
        | PairSpec::Rsa3072
        | PairSpec::Rsa4096
        | PairSpec::NistP256
        | PairSpec::NistP384
        | PairSpec::NistP521
        | PairSpec::Secp256k1
        | PairSpec::Ed25519 => Err(Unspecified),
    }
}
