//! A root key in a key service: AWS KMS, or anything that speaks its API, such as another Bulla.
//!
//! The instance key is encrypted and decrypted there, bound by the encryption context to being one and to what its record
//! says. It crosses the network in TLS, so an endpoint without TLS is only taken on this machine. The service is asked
//! at start and at rotation; what it says then decides whether it is worth asking again: a service that is away, throttles or
//! denies may be there later, one that has no such key will not.

use crate::operator_error::OperatorError;
use crate::root_kms_call::{Answer, CallError, call};
use crate::root_kms_credentials::CredentialSource;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bulla_envelope::{
    RootKey, RootKeyDescription, RootKeyError, RootKeyErrorCode, RootKeyId, RootKeyProvider, SecretBytes,
    Wrapped,
};
use bulla_runtime::{Clock, Entropy};
use http::Uri;
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// Which key in which service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KmsPlace {
    /// The key: its ARN, its id, or an alias.
    pub(crate) key: String,
    /// The region that requests are signed for.
    pub(crate) region: String,
    /// Scheme, host and port.
    pub(crate) endpoint: String,
    /// Whom TLS trusts, PEM; without it the certificates of this machine.
    pub(crate) ca_file: Option<PathBuf>,
}

impl KmsPlace {
    /// The place that settings name; what is not said follows from the key's ARN.
    pub(crate) fn new(
        key: &str,
        region: Option<&str>,
        endpoint: Option<&str>,
        ca_file: Option<PathBuf>,
    ) -> Result<Self, OperatorError> {
        let of_arn = key.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
        let Some(region) = region.or(of_arn).filter(|region| !region.is_empty()) else {
            return Err(OperatorError::usage("the region of the root key is not known")
                .why(format!("`{key}` is not an ARN, which would say it"))
                .fix("name it with `--root-kms-region`, or name the key by its ARN"));
        };
        let endpoint = endpoint.map_or_else(
            || format!("https://kms.{region}.amazonaws.com"),
            |endpoint| endpoint.trim_end_matches('/').to_owned(),
        );
        let refused = |why: &str| {
            OperatorError::usage(format!("`{endpoint}` cannot be the root key's endpoint"))
                .why(why)
                .fix("name scheme, host and port, such as https://kms.example.com")
        };
        let uri: Uri = endpoint.parse().map_err(|_| refused("it is not a URL"))?;
        let host = uri.host().unwrap_or_default();
        let is_local = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        match uri.scheme_str() {
            Some("https") if uri.path() == "/" => {}
            Some("http") if uri.path() == "/" && is_local => {}
            Some("http") => {
                return Err(refused("without TLS the key could be read on the way"));
            }
            _ => return Err(refused("it is not scheme, host and port alone")),
        }
        Ok(Self {
            key: key.to_owned(),
            region: region.to_owned(),
            endpoint,
            ca_file,
        })
    }
}

/// The root key in a key service.
pub(crate) struct KmsRootKey {
    place: KmsPlace,
    credentials: CredentialSource,
    clock: Arc<dyn Clock>,
}

impl KmsRootKey {
    pub(crate) fn new(place: KmsPlace, credentials: CredentialSource, clock: Arc<dyn Clock>) -> Self {
        Self {
            place,
            credentials,
            clock,
        }
    }

    /// Asks the service; the answer's field, decoded, and the ARN of the key that it used.
    fn ask(
        &self,
        operation: &str,
        mut input: Value,
        output: &str,
        bound_to: Option<RootKeyId>,
    ) -> Result<(SecretBytes, String), RootKeyError> {
        let body = Zeroizing::new(input.to_string());
        if let Some(Value::String(secret)) = input.get_mut("Plaintext") {
            secret.zeroize();
        }
        let answer = self
            .credentials
            .find()
            .map_err(CallError::Credentials)
            .and_then(|keys| call(&self.place, &keys, operation, &body, self.clock.as_ref()));
        let answer = answer.map_err(|error| self.unreachable(error.to_string()))?;
        match answer {
            Answer::Done(mut fields) => {
                let mut decode = || {
                    let Value::String(text) = fields.get_mut(output)? else {
                        return None;
                    };
                    let bytes = STANDARD.decode(&*text).ok().map(SecretBytes::new);
                    text.zeroize();
                    Some((bytes?, fields.get("KeyId")?.as_str()?.to_owned()))
                };
                decode().ok_or_else(|| self.unreachable("its answer cannot be read".to_owned()))
            }
            Answer::Refused {
                status,
                code,
                message,
            } => Err(self.refused(status, &code, &message, bound_to)),
        }
    }

    fn unreachable(&self, why: String) -> RootKeyError {
        RootKeyError::new(
            RootKeyErrorCode::Unreachable,
            format!(
                "the key service `{}` gives no answer that can be used",
                self.place.endpoint
            ),
            why,
            "look after the service, the way to it, and the credentials for it",
        )
    }

    fn refused(&self, status: u16, code: &str, message: &str, bound_to: Option<RootKeyId>) -> RootKeyError {
        let KmsPlace { key, endpoint, .. } = &self.place;
        let why = format!("{code}: {message}");
        match (code, bound_to) {
            ("IncorrectKeyException", Some(id)) => RootKeyError::wrong_key(&self.describe(), id),
            ("InvalidCiphertextException", Some(_)) => RootKeyError::new(
                RootKeyErrorCode::CannotUnwrap,
                format!("key `{key}` does not decrypt the record of the data folder"),
                why,
                "restore the data folder from a backup, or name the root key that it is bound to",
            ),
            (
                "NotFoundException"
                | "InvalidKeyUsageException"
                | "InvalidArnException"
                | "ValidationException",
                _,
            ) if status < 500 => RootKeyError::new(
                RootKeyErrorCode::KeyService,
                format!("the key service `{endpoint}` has no root key `{key}`"),
                why,
                "name a symmetric encryption key with `--root-kms-key`",
            ),
            // A key that is disabled is enabled again, a permission that lacks is given: all that without this server.
            _ => RootKeyError::new(
                RootKeyErrorCode::Unreachable,
                format!("the key service `{endpoint}` does not use root key `{key}` now"),
                why,
                "look at the key's state, its policy, and the credentials of this server",
            ),
        }
    }

    fn context(aad: &[u8]) -> Value {
        json!({ "bulla:purpose": "instance-key", "bulla:record": STANDARD.encode(aad) })
    }
}

impl RootKey for KmsRootKey {
    fn wrap(&self, plaintext: &[u8], aad: &[u8], _: &dyn Entropy) -> Result<Wrapped, RootKeyError> {
        let input = json!({
            "KeyId": self.place.key,
            "Plaintext": STANDARD.encode(plaintext),
            "EncryptionContext": Self::context(aad),
        });
        let (blob, key) = self.ask("Encrypt", input, "CiphertextBlob", None)?;
        Ok(Wrapped {
            id: RootKeyId::of(&[b"kms", key.as_bytes()]),
            bytes: blob.expose().to_vec(),
        })
    }

    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<SecretBytes, RootKeyError> {
        let input = json!({
            "KeyId": self.place.key,
            "CiphertextBlob": STANDARD.encode(&wrapped.bytes),
            "EncryptionContext": Self::context(aad),
        });
        let (plaintext, _) = self.ask("Decrypt", input, "Plaintext", Some(wrapped.id))?;
        Ok(plaintext)
    }

    fn describe(&self) -> RootKeyDescription {
        RootKeyDescription {
            provider: RootKeyProvider::Kms,
            id: None,
            since_epoch_seconds: None,
            place: format!("key `{}` at `{}`", self.place.key, self.place.endpoint),
        }
    }
}

impl fmt::Debug for KmsRootKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KmsRootKey")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::KmsPlace;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn endpoint(key: &str, region: Option<&str>, endpoint: Option<&str>) -> Result<String, String> {
        KmsPlace::new(key, region, endpoint, None)
            .map(|place| format!("{} {}", place.region, place.endpoint))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_arn_says_region_and_endpoint() {
        let of_aws = "eu-west-1 https://kms.eu-west-1.amazonaws.com".to_owned();
        assert_eq!(endpoint(ARN, None, None), Ok(of_aws));
        assert!(
            endpoint("alias/root", None, None)
                .unwrap_err()
                .contains("--root-kms-region")
        );
        let named = endpoint(
            "alias/root",
            Some("eu-west-1"),
            Some("https://kms.example.com:4566/"),
        );
        assert_eq!(named, Ok("eu-west-1 https://kms.example.com:4566".to_owned()));
    }

    #[test]
    fn an_endpoint_without_tls_is_taken_on_this_machine_only() {
        for local in [
            "http://127.0.0.1:4566",
            "http://[::1]:4566",
            "http://localhost:4566",
        ] {
            assert!(endpoint(ARN, None, Some(local)).is_ok(), "{local}");
        }
        for refused in [
            "http://10.0.0.1:4566",
            "http://kms.example.com",
            "ftp://x",
            "https://x/path",
            "x",
        ] {
            assert!(endpoint(ARN, None, Some(refused)).is_err(), "{refused}");
        }
    }
}
