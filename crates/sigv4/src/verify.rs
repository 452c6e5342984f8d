//! Verification: the only maker of [`Verified`].

use std::fmt;

use crate::UNSIGNED_PAYLOAD;
use crate::canonical::{CanonicalRequest, PayloadLine, string_to_sign};
use crate::credential::Credential;
use crate::digest::{hex, parse_hash};
use crate::error::SignatureError;
use crate::key::SigningKey;
use crate::parse::{Form, Presented};
use crate::request::{Payload, ServiceRules};
use crate::time::RequestTime;

/// What a signature is verified with.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// The secret access key; the signing key is derived from it.
    AccessKey(&'a [u8]),
    /// A signing key derived before for the access key id, date, region and service of the request.
    SigningKey(&'a SigningKey),
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Proof that a request was signed with the secret of an access key and arrived as signed. Only
/// [`Presented::verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    credential: Credential<'static>,
    session_token: Option<SessionToken>,
    time: RequestTime,
    form: Form,
}

#[derive(Clone)]
struct SessionToken(String);

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Verified {
    /// The access key id whose secret signed.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// The region that was signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        self.credential.region()
    }

    /// The service that was signed for.
    #[must_use]
    pub fn service(&self) -> &str {
        self.credential.service()
    }

    /// The session token that was signed along. Whether it belongs to the access key is not known here.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.0.as_str())
    }

    /// When the request was signed.
    #[must_use]
    pub fn time(&self) -> RequestTime {
        self.time
    }

    /// Where the signature stood.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }
}

impl Presented<'_> {
    /// The signing key for the scope of this request, to be cached by whoever wants to.
    #[must_use]
    pub fn signing_key(&self, secret_access_key: &[u8]) -> SigningKey {
        let credential = self.credential();
        SigningKey::derive(
            secret_access_key,
            credential.date(),
            credential.region(),
            credential.service(),
        )
    }

    /// Verifies the signature over the request as received, at `now_epoch_seconds` (since 1970-01-01T00:00:00Z).
    ///
    /// All headers whose name begins with `x-amz-` must be signed, not only `host`: AWS documents it for every service
    /// and enforces it for some; here it keeps a change of `x-amz-target` from choosing another operation.
    ///
    /// # Errors
    /// `SignatureDoesNotMatch` when the scope is not `rules.service`'s, the date is not current, `host` or an `x-amz-*`
    /// header is not signed, the body is not the one that `x-amz-content-sha256` names, or the signature differs.
    pub fn verify(
        &self,
        secret: Secret<'_>,
        rules: &ServiceRules<'_>,
        payload: &Payload<'_>,
        now_epoch_seconds: i64,
    ) -> Result<Verified, SignatureError> {
        self.check_scope(rules)?;
        self.check_time(rules, now_epoch_seconds)?;
        let signed_headers: Vec<&[u8]> = self
            .signed_headers
            .as_bytes()
            .split(|byte| *byte == b';')
            .collect();
        self.check_signed_headers(&signed_headers)?;
        let payload = self.signed_payload(rules, payload)?;
        let canonical = CanonicalRequest {
            method: self.method,
            path: self.path,
            path_rule: rules.path,
            query: &self.query,
            query_leaves_out: match self.form {
                Form::Header => None,
                Form::Query { .. } => Some("X-Amz-Signature"),
            },
            headers: &self.headers,
            signed_headers: &signed_headers,
            payload: payload.as_bytes(),
        };
        let Some(canonical) = canonical.write() else {
            return Err(SignatureError::mismatch(format!(
                "{MISMATCH}\n\nA header of the SignedHeaders '{}' is not in the request.",
                self.signed_headers
            )));
        };
        let to_sign = string_to_sign(&canonical, &self.time, self.credential.scope());
        let derived;
        let key = match secret {
            Secret::AccessKey(secret_access_key) => {
                derived = self.signing_key(secret_access_key);
                &derived
            }
            Secret::SigningKey(key) => key,
        };
        if self
            .signature
            .is_some_and(|signature| key.matches(&to_sign, &signature))
        {
            Ok(Verified {
                credential: self.credential.clone().into_owned(),
                session_token: self.session_token().map(|token| SessionToken(token.to_owned())),
                time: self.time,
                form: self.form,
            })
        } else {
            Err(mismatch(&canonical, &to_sign))
        }
    }

    fn check_scope(&self, rules: &ServiceRules<'_>) -> Result<(), SignatureError> {
        let credential = self.credential();
        let mut faults = Vec::new();
        if credential.region().is_empty() {
            faults.push("Credential should be scoped to a valid region. ".to_owned());
        }
        if credential.service() != rules.service {
            faults.push(format!(
                "Credential should be scoped to correct service: '{}'. ",
                rules.service
            ));
        }
        if credential.terminator() != "aws4_request" {
            faults.push(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
                credential.terminator()
            ));
        }
        if credential.date() != self.time.date() {
            faults.push(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{}' != '{}', from '{}'.",
                credential.date(),
                self.time.date(),
                self.time
            ));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(SignatureError::mismatch(faults.concat()))
        }
    }

    fn check_time(&self, rules: &ServiceRules<'_>, now_epoch_seconds: i64) -> Result<(), SignatureError> {
        let now = || RequestTime::from_epoch_seconds(now_epoch_seconds);
        let ago = now_epoch_seconds.saturating_sub(self.time.epoch_seconds());
        let valid_seconds = match self.form {
            Form::Header
            | Form::Query {
                expires_seconds: None,
            } => rules.skew_seconds,
            Form::Query {
                expires_seconds: Some(expires_seconds),
            } => expires_seconds,
        };
        if ago > i64::from(valid_seconds) {
            let now = now();
            let limit = RequestTime::from_epoch_seconds(now.epoch_seconds() - i64::from(valid_seconds));
            return Err(SignatureError::mismatch(format!(
                "Signature expired: {} is now earlier than {limit} ({now} - {})",
                self.time,
                duration(valid_seconds)
            )));
        }
        if ago < -i64::from(rules.skew_seconds) {
            let now = now();
            let limit = RequestTime::from_epoch_seconds(now.epoch_seconds() + i64::from(rules.skew_seconds));
            return Err(SignatureError::mismatch(format!(
                "Signature not yet current: {} is still later than {limit} ({now} + {})",
                self.time,
                duration(rules.skew_seconds)
            )));
        }
        Ok(())
    }

    fn check_signed_headers(&self, signed_headers: &[&[u8]]) -> Result<(), SignatureError> {
        let is_signed = |name: &str| {
            signed_headers
                .iter()
                .any(|signed| signed.eq_ignore_ascii_case(name.as_bytes()))
        };
        if !is_signed("host") {
            return Err(SignatureError::mismatch(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ));
        }
        for (name, _) in &self.headers {
            let prefix = name.as_bytes().get(..6).unwrap_or_default();
            if prefix.eq_ignore_ascii_case(b"x-amz-") && !is_signed(name) {
                return Err(SignatureError::mismatch(format!(
                    "'{name}' must be a 'SignedHeader' in the AWS Authorization."
                )));
            }
        }
        Ok(())
    }

    /// The last line of the canonical request: what the client says about the body, once it is known to be true.
    fn signed_payload(
        &self,
        rules: &ServiceRules<'_>,
        payload: &Payload<'_>,
    ) -> Result<PayloadLine, SignatureError> {
        match self.content_sha256.as_deref() {
            Some(UNSIGNED_PAYLOAD) if rules.unsigned_payload => Ok(PayloadLine::Unsigned),
            Some(claimed) => {
                let hash = payload.hash();
                if parse_hash(claimed.as_bytes()) == Some(hash) {
                    Ok(PayloadLine::of(&hash))
                } else {
                    Err(SignatureError::mismatch(format!(
                        "The provided 'x-amz-content-sha256' header does not match what was computed: '{}' != '{}'.",
                        claimed,
                        hex(&hash)
                    )))
                }
            }
            None => match self.form {
                Form::Query { .. } if rules.unsigned_payload => Ok(PayloadLine::Unsigned),
                Form::Query { .. } | Form::Header => Ok(PayloadLine::of(&payload.hash())),
            },
        }
    }
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your \
    AWS Secret Access Key and signing method. Consult the service documentation for details.";

fn mismatch(canonical: &[u8], to_sign: &[u8]) -> SignatureError {
    SignatureError::mismatch(format!(
        "{MISMATCH}\n\nThe Canonical String for this request should have been\n'{}'\n\n\
         The String-to-Sign should have been\n'{}'\n",
        String::from_utf8_lossy(canonical),
        String::from_utf8_lossy(to_sign)
    ))
}

fn duration(seconds: u32) -> String {
    if seconds.is_multiple_of(60) {
        format!("{} min.", seconds / 60)
    } else {
        format!("{seconds} sec.")
    }
}
