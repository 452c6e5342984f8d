//! Kinds of keys: what the material is, and what it may be used for. A key has one usage, for ever.
//!
//! Source: KMS Developer Guide, "Key type reference"; KMS API Reference, `CreateKey` (read 2026-11-21).

use super::algorithms::{AgreementAlgorithm, EncryptionAlgorithm, MacAlgorithm, SigningAlgorithm};
use super::errors::KmsError;
use super::words::Word;

/// What the material of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeySpec {
    /// 256 random bits, for AES-256-GCM.
    SymmetricDefault,
    /// 224 random bits, for HMAC with SHA-224.
    Hmac224,
    /// 256 random bits, for HMAC with SHA-256.
    Hmac256,
    /// 384 random bits, for HMAC with SHA-384.
    Hmac384,
    /// 512 random bits, for HMAC with SHA-512.
    Hmac512,
    /// A key pair.
    Pair(PairSpec),
}

/// What kind of key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairSpec {
    /// RSA with a modulus of 2,048 bits.
    Rsa2048,
    /// RSA with a modulus of 3,072 bits.
    Rsa3072,
    /// RSA with a modulus of 4,096 bits.
    Rsa4096,
    /// The curve secp256r1.
    NistP256,
    /// The curve secp384r1.
    NistP384,
    /// The curve secp521r1.
    NistP521,
    /// The curve of Bitcoin.
    Secp256k1,
    /// Ed25519, RFC 8032.
    Ed25519,
    /// ML-DSA-44, FIPS 204.
    MlDsa44,
    /// ML-DSA-65, FIPS 204.
    MlDsa65,
    /// ML-DSA-87, FIPS 204.
    MlDsa87,
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyUsage {
    /// Encrypting and decrypting.
    EncryptDecrypt,
    /// Signing and verifying.
    SignVerify,
    /// Making and checking message authentication codes.
    GenerateVerifyMac,
    /// Deriving secrets that are shared with another key pair's owner.
    KeyAgreement,
}

impl Word for KeySpec {
    const ALL: &'static [Self] = &[
        Self::SymmetricDefault,
        Self::Hmac224,
        Self::Hmac256,
        Self::Hmac384,
        Self::Hmac512,
        Self::Pair(PairSpec::Rsa2048),
        Self::Pair(PairSpec::Rsa3072),
        Self::Pair(PairSpec::Rsa4096),
        Self::Pair(PairSpec::NistP256),
        Self::Pair(PairSpec::NistP384),
        Self::Pair(PairSpec::NistP521),
        Self::Pair(PairSpec::Secp256k1),
        Self::Pair(PairSpec::Ed25519),
        Self::Pair(PairSpec::MlDsa44),
        Self::Pair(PairSpec::MlDsa65),
        Self::Pair(PairSpec::MlDsa87),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::SymmetricDefault => "SYMMETRIC_DEFAULT",
            Self::Hmac224 => "HMAC_224",
            Self::Hmac256 => "HMAC_256",
            Self::Hmac384 => "HMAC_384",
            Self::Hmac512 => "HMAC_512",
            Self::Pair(pair) => pair.word(),
        }
    }
}

impl Word for PairSpec {
    const ALL: &'static [Self] = &[
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::NistP256,
        Self::NistP384,
        Self::NistP521,
        Self::Secp256k1,
        Self::Ed25519,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA_2048",
            Self::Rsa3072 => "RSA_3072",
            Self::Rsa4096 => "RSA_4096",
            Self::NistP256 => "ECC_NIST_P256",
            Self::NistP384 => "ECC_NIST_P384",
            Self::NistP521 => "ECC_NIST_P521",
            Self::Secp256k1 => "ECC_SECG_P256K1",
            Self::Ed25519 => "ECC_NIST_EDWARDS25519",
            Self::MlDsa44 => "ML_DSA_44",
            Self::MlDsa65 => "ML_DSA_65",
            Self::MlDsa87 => "ML_DSA_87",
        }
    }
}

impl Word for KeyUsage {
    const ALL: &'static [Self] = &[
        Self::SignVerify,
        Self::EncryptDecrypt,
        Self::GenerateVerifyMac,
        Self::KeyAgreement,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::EncryptDecrypt => "ENCRYPT_DECRYPT",
            Self::SignVerify => "SIGN_VERIFY",
            Self::GenerateVerifyMac => "GENERATE_VERIFY_MAC",
            Self::KeyAgreement => "KEY_AGREEMENT",
        }
    }
}

/// Specs that the model has and Bulla has not.
const SPECS_NOT_BUILT: &[&str] = &["SM2", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"];

/// A spec in a request; one that is not built says so.
pub(super) fn built<W: Word>(text: &str, member: &str) -> Result<W, KmsError> {
    if SPECS_NOT_BUILT.contains(&text) {
        return Err(KmsError::Unsupported {
            reason: format!("Keys of the spec {text} are not built"),
        });
    }
    W::parse(text, member)
}

/// A spec and a usage that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyKind {
    spec: KeySpec,
    usage: KeyUsage,
}

impl KeyKind {
    /// The kind of key that `CreateKey` makes when it is not told otherwise.
    pub(super) const SYMMETRIC: Self = Self {
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
    };

    /// `None` when keys of the spec have no such usage.
    pub(super) fn new(spec: KeySpec, usage: KeyUsage) -> Option<Self> {
        usages(spec).contains(&usage).then_some(Self { spec, usage })
    }

    /// What the material is.
    pub(super) fn spec(self) -> KeySpec {
        self.spec
    }

    /// What it is for.
    pub(super) fn usage(self) -> KeyUsage {
        self.usage
    }

    /// Whether it encrypts under a symmetric key: the only kind that makes data keys and is rotated.
    pub(super) fn is_symmetric(self) -> bool {
        self == Self::SYMMETRIC
    }

    /// Of a key pair, what kind.
    pub(super) fn pair(self) -> Option<PairSpec> {
        match self.spec {
            KeySpec::Pair(pair) => Some(pair),
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => None,
        }
    }

    /// What it encrypts with; nothing when it is for something else.
    pub(super) fn encryption_algorithms(self) -> &'static [EncryptionAlgorithm] {
        match self.usage {
            KeyUsage::EncryptDecrypt if self.is_symmetric() => &[EncryptionAlgorithm::SymmetricDefault],
            KeyUsage::EncryptDecrypt => EncryptionAlgorithm::RSA,
            KeyUsage::SignVerify | KeyUsage::GenerateVerifyMac | KeyUsage::KeyAgreement => &[],
        }
    }

    /// What it signs with; nothing when it is for something else.
    pub(super) fn signing_algorithms(self) -> &'static [SigningAlgorithm] {
        let (KeyUsage::SignVerify, Some(pair)) = (self.usage, self.pair()) else {
            return &[];
        };
        match pair {
            PairSpec::Rsa2048 | PairSpec::Rsa3072 | PairSpec::Rsa4096 => SigningAlgorithm::RSA,
            PairSpec::NistP256 | PairSpec::Secp256k1 => &[SigningAlgorithm::EcdsaSha256],
            PairSpec::NistP384 => &[SigningAlgorithm::EcdsaSha384],
            PairSpec::NistP521 => &[SigningAlgorithm::EcdsaSha512],
            PairSpec::Ed25519 => &[SigningAlgorithm::Ed25519Sha512],
            PairSpec::MlDsa44 | PairSpec::MlDsa65 | PairSpec::MlDsa87 => &[SigningAlgorithm::MlDsaShake256],
        }
    }

    /// How long an HMAC key of this kind is, bytes; `None` of other kinds.
    pub(super) fn mac_key_bytes(self) -> Option<usize> {
        match self.spec {
            KeySpec::Hmac224 => Some(28),
            KeySpec::Hmac256 => Some(32),
            KeySpec::Hmac384 => Some(48),
            KeySpec::Hmac512 => Some(64),
            KeySpec::SymmetricDefault | KeySpec::Pair(_) => None,
        }
    }

    /// What it makes message authentication codes with; nothing when it is for something else.
    pub(super) fn mac_algorithms(self) -> &'static [MacAlgorithm] {
        match self.spec {
            KeySpec::Hmac224 => &[MacAlgorithm::HmacSha224],
            KeySpec::Hmac256 => &[MacAlgorithm::HmacSha256],
            KeySpec::Hmac384 => &[MacAlgorithm::HmacSha384],
            KeySpec::Hmac512 => &[MacAlgorithm::HmacSha512],
            KeySpec::SymmetricDefault | KeySpec::Pair(_) => &[],
        }
    }

    /// What it agrees on secrets with; nothing when it is for something else.
    pub(super) fn agreement_algorithms(self) -> &'static [AgreementAlgorithm] {
        match self.usage {
            KeyUsage::KeyAgreement => &[AgreementAlgorithm::Ecdh],
            KeyUsage::EncryptDecrypt | KeyUsage::SignVerify | KeyUsage::GenerateVerifyMac => &[],
        }
    }
}

impl PairSpec {
    /// Whether it is RSA, of whatever size.
    pub(super) fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }
}

fn usages(spec: KeySpec) -> &'static [KeyUsage] {
    match spec {
        KeySpec::SymmetricDefault => &[KeyUsage::EncryptDecrypt],
        KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => {
            &[KeyUsage::GenerateVerifyMac]
        }
        KeySpec::Pair(pair) => match pair {
            PairSpec::Rsa2048 | PairSpec::Rsa3072 | PairSpec::Rsa4096 => {
                &[KeyUsage::EncryptDecrypt, KeyUsage::SignVerify]
            }
            PairSpec::NistP256 | PairSpec::NistP384 | PairSpec::NistP521 => {
                &[KeyUsage::SignVerify, KeyUsage::KeyAgreement]
            }
            PairSpec::Secp256k1
            | PairSpec::Ed25519
            | PairSpec::MlDsa44
            | PairSpec::MlDsa65
            | PairSpec::MlDsa87 => &[KeyUsage::SignVerify],
        },
    }
}
