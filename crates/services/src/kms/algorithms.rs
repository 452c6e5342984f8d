//! Algorithms that requests name. Which kind of key has which is said in `kind`.

use super::errors::KmsError;
use super::words::Word;
use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};

/// What encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EncryptionAlgorithm {
    /// AES-256-GCM with an encryption context.
    SymmetricDefault,
    /// RSA-OAEP with SHA-1 and MGF1 with SHA-1.
    RsaesOaepSha1,
    /// RSA-OAEP with SHA-256 and MGF1 with SHA-256.
    RsaesOaepSha256,
    /// SM2; no kind of key has it.
    Sm2Pke,
}

/// What signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SigningAlgorithm {
    /// RSA-PSS with SHA-256; the salt is as long as the digest.
    RsassaPssSha256,
    /// RSA-PSS with SHA-384; the salt is as long as the digest.
    RsassaPssSha384,
    /// RSA-PSS with SHA-512; the salt is as long as the digest.
    RsassaPssSha512,
    /// RSA with the padding of PKCS #1 v1.5 and SHA-256.
    RsassaPkcs1Sha256,
    /// RSA with the padding of PKCS #1 v1.5 and SHA-384.
    RsassaPkcs1Sha384,
    /// RSA with the padding of PKCS #1 v1.5 and SHA-512.
    RsassaPkcs1Sha512,
    /// ECDSA with SHA-256; signatures are DER.
    EcdsaSha256,
    /// ECDSA with SHA-384; signatures are DER.
    EcdsaSha384,
    /// ECDSA with SHA-512; signatures are DER.
    EcdsaSha512,
    /// SM2; no kind of key has it.
    Sm2Dsa,
    /// Pure ML-DSA with an empty context.
    MlDsaShake256,
    /// Pure Ed25519.
    Ed25519Sha512,
    /// Ed25519ph; no kind of key has it: the library does not make it.
    Ed25519PhSha512,
}

/// What makes message authentication codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MacAlgorithm {
    /// HMAC with SHA-224.
    HmacSha224,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}

/// What two owners of key pairs agree on a secret with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AgreementAlgorithm {
    /// Elliptic curve Diffie-Hellman with cofactor (which is 1); the secret is the x-coordinate.
    Ecdh,
}

/// What the message of a request to sign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageType {
    /// What is to be signed.
    Raw,
    /// Its digest.
    Digest,
    /// The message representative of ML-DSA.
    ExternalMu,
}

impl EncryptionAlgorithm {
    /// What RSA keys encrypt with.
    pub(super) const RSA: &'static [Self] = &[Self::RsaesOaepSha1, Self::RsaesOaepSha256];

    /// That of a request; symmetric if it does not say.
    pub(super) fn of_request(text: Option<&str>) -> Result<Self, KmsError> {
        text.map_or(Ok(Self::SymmetricDefault), |text| {
            Self::parse(text, "encryptionAlgorithm")
        })
    }
}

impl SigningAlgorithm {
    /// What RSA keys sign with.
    pub(super) const RSA: &'static [Self] = &[
        Self::RsassaPkcs1Sha256,
        Self::RsassaPkcs1Sha384,
        Self::RsassaPkcs1Sha512,
        Self::RsassaPssSha256,
        Self::RsassaPssSha384,
        Self::RsassaPssSha512,
    ];

    /// The digest that it signs; `None` of those that sign the message itself.
    pub(super) fn digest(self) -> Option<&'static digest::Algorithm> {
        match self {
            Self::RsassaPssSha256 | Self::RsassaPkcs1Sha256 | Self::EcdsaSha256 => Some(&SHA256),
            Self::RsassaPssSha384 | Self::RsassaPkcs1Sha384 | Self::EcdsaSha384 => Some(&SHA384),
            Self::RsassaPssSha512 | Self::RsassaPkcs1Sha512 | Self::EcdsaSha512 => Some(&SHA512),
            Self::Sm2Dsa | Self::MlDsaShake256 | Self::Ed25519Sha512 | Self::Ed25519PhSha512 => None,
        }
    }
}

impl Word for EncryptionAlgorithm {
    const ALL: &'static [Self] = &[
        Self::SymmetricDefault,
        Self::RsaesOaepSha1,
        Self::RsaesOaepSha256,
        Self::Sm2Pke,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::SymmetricDefault => "SYMMETRIC_DEFAULT",
            Self::RsaesOaepSha1 => "RSAES_OAEP_SHA_1",
            Self::RsaesOaepSha256 => "RSAES_OAEP_SHA_256",
            Self::Sm2Pke => "SM2PKE",
        }
    }
}

impl Word for SigningAlgorithm {
    const ALL: &'static [Self] = &[
        Self::RsassaPssSha256,
        Self::RsassaPssSha384,
        Self::RsassaPssSha512,
        Self::RsassaPkcs1Sha256,
        Self::RsassaPkcs1Sha384,
        Self::RsassaPkcs1Sha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::Sm2Dsa,
        Self::MlDsaShake256,
        Self::Ed25519Sha512,
        Self::Ed25519PhSha512,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::RsassaPssSha256 => "RSASSA_PSS_SHA_256",
            Self::RsassaPssSha384 => "RSASSA_PSS_SHA_384",
            Self::RsassaPssSha512 => "RSASSA_PSS_SHA_512",
            Self::RsassaPkcs1Sha256 => "RSASSA_PKCS1_V1_5_SHA_256",
            Self::RsassaPkcs1Sha384 => "RSASSA_PKCS1_V1_5_SHA_384",
            Self::RsassaPkcs1Sha512 => "RSASSA_PKCS1_V1_5_SHA_512",
            Self::EcdsaSha256 => "ECDSA_SHA_256",
            Self::EcdsaSha384 => "ECDSA_SHA_384",
            Self::EcdsaSha512 => "ECDSA_SHA_512",
            Self::Sm2Dsa => "SM2DSA",
            Self::MlDsaShake256 => "ML_DSA_SHAKE_256",
            Self::Ed25519Sha512 => "ED25519_SHA_512",
            Self::Ed25519PhSha512 => "ED25519_PH_SHA_512",
        }
    }
}

impl Word for MacAlgorithm {
    const ALL: &'static [Self] = &[
        Self::HmacSha224,
        Self::HmacSha256,
        Self::HmacSha384,
        Self::HmacSha512,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::HmacSha224 => "HMAC_SHA_224",
            Self::HmacSha256 => "HMAC_SHA_256",
            Self::HmacSha384 => "HMAC_SHA_384",
            Self::HmacSha512 => "HMAC_SHA_512",
        }
    }
}

impl Word for AgreementAlgorithm {
    const ALL: &'static [Self] = &[Self::Ecdh];

    fn word(self) -> &'static str {
        match self {
            Self::Ecdh => "ECDH",
        }
    }
}

impl Word for MessageType {
    const ALL: &'static [Self] = &[Self::Raw, Self::Digest, Self::ExternalMu];

    fn word(self) -> &'static str {
        match self {
            Self::Raw => "RAW",
            Self::Digest => "DIGEST",
            Self::ExternalMu => "EXTERNAL_MU",
        }
    }
}
