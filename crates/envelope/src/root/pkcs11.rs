//! A root key inside a token behind PKCS#11: a hardware security module, a smart card, or `SoftHSM` for tests.
//!
//! The key is made in the token, is sensitive and not extractable, and never leaves it: wrapping and unwrapping are AES-GCM
//! inside the token (PKCS#11 3.0, 2.12.3 `CKM_AES_GCM`). A key under that name which the token would give away is refused.
//!
//! What must stay true:
//! - A wrong PIN is told as such and never tried again by itself: a token locks after a few.
//! - The module is loaded, the session logged in, for one operation only, and by one thread at a time: a module belongs to
//!   the whole process.
//! - Nonces are random; a root key wraps once for each binding, far fewer than the 2^32 times that NIST SP 800-38D (8.3)
//!   allows.
//!
//! What is wrapped is `01` (the format), 12 bytes of nonce, and what the token gave: ciphertext and 16 bytes of tag. The
//! key's name is made of its label and `CKA_ID`, so that a copy of the token, with another serial number, serves as well.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bulla_runtime::Entropy;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;

use super::{
    RootKey, RootKeyDescription, RootKeyError, RootKeyErrorCode, RootKeyId, RootKeyProvider, Wrapped,
};
use crate::secret::{KEY_BYTES, SecretBytes};

const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
const KEY_ID_BYTES: usize = 16;
const _: () = assert!(KEY_BYTES == 32, "the number stands in the templates");

/// Held while a module is loaded.
static MODULE: Mutex<()> = Mutex::new(());

/// Which key in which token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pkcs11Place {
    /// The module of the token's maker, a shared library. It is loaded into this process.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the key.
    pub key: String,
}

/// The root key in a token.
pub struct Pkcs11RootKey {
    place: Pkcs11Place,
    pin: SecretBytes,
}

impl Pkcs11RootKey {
    /// The root key at that place. Nothing is asked of the token yet.
    #[must_use]
    pub fn new(place: Pkcs11Place, pin: SecretBytes) -> Self {
        Self { place, pin }
    }

    /// Works with the token as its user.
    fn logged_in<T>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, RootKeyError>,
    ) -> Result<T, RootKeyError> {
        let _alone = MODULE.lock().unwrap_or_else(PoisonError::into_inner);
        let module = Pkcs11::new(&self.place.module).map_err(|error| self.unloadable(&error))?;
        let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        module
            .initialize(arguments)
            .map_err(|error| self.failed(&error))?;
        let done = self.session(&module).and_then(|session| work(&session));
        // What was done is done; a module that does not end well is loaded anew next time.
        drop(module.finalize());
        done
    }

    fn session(&self, module: &Pkcs11) -> Result<Session, RootKeyError> {
        let slot = self.slot(module)?;
        let session = module
            .open_rw_session(slot)
            .map_err(|error| self.failed(&error))?;
        let pin = RawAuthPin::new(Box::new(self.pin.expose().to_vec()));
        match session.login_with_raw(UserType::User, &pin) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn slot(&self, module: &Pkcs11) -> Result<Slot, RootKeyError> {
        let slots = module
            .get_slots_with_token()
            .map_err(|error| self.failed(&error))?;
        let mut named = slots.into_iter().filter(|slot| {
            module
                .get_token_info(*slot)
                .is_ok_and(|token| token.label().trim_end() == self.place.token)
        });
        match (named.next(), named.next()) {
            (Some(slot), None) => Ok(slot),
            (Some(_), Some(_)) => Err(self.refused(
                format!("two tokens have the label `{}`", self.place.token),
                "which of them has the root key cannot be told",
                "give the tokens labels of their own",
            )),
            (None, _) => Err(RootKeyError::new(
                RootKeyErrorCode::Unreachable,
                format!("there is no token `{}` now", self.place.token),
                format!(
                    "module `{}` shows no token with that label",
                    self.place.module.display()
                ),
                "connect the token, or name another with `--root-pkcs11-token`",
            )),
        }
    }

    /// The keys with the label, and their names.
    fn keys(&self, session: &Session) -> Result<Vec<(RootKeyId, ObjectHandle)>, RootKeyError> {
        let label = self.place.key.as_bytes();
        let wanted = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Label(label.to_vec()),
        ];
        let found = session
            .find_objects(&wanted)
            .map_err(|error| self.failed(&error))?;
        let named = |key: ObjectHandle| {
            let attributes = session.get_attributes(key, &[AttributeType::Id])?;
            let id = attributes.iter().find_map(|attribute| {
                let Attribute::Id(id) = attribute else {
                    return None;
                };
                Some(id.as_slice())
            });
            let id = id.unwrap_or_default();
            Ok((RootKeyId::of(&[b"pkcs11", label, id]), key))
        };
        found
            .into_iter()
            .map(|key| named(key).map_err(|error: Error| self.failed(&error)))
            .collect()
    }

    /// Refuses a key that the token would give away, or that is not for AES-256.
    fn check(&self, session: &Session, key: ObjectHandle) -> Result<(), RootKeyError> {
        let wanted = [
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
        ];
        let types: Vec<AttributeType> = wanted.iter().map(Attribute::attribute_type).collect();
        let found = session
            .get_attributes(key, &types)
            .map_err(|error| self.failed(&error))?;
        if wanted.iter().all(|attribute| found.contains(attribute)) {
            return Ok(());
        }
        Err(self.refused(
            format!(
                "key `{}` in token `{}` is no root key",
                self.place.key, self.place.token
            ),
            "it is not an AES key of 256 bits that is sensitive and cannot be extracted",
            "name another key with `--root-pkcs11-key`; one that does not exist is made",
        ))
    }

    fn make(
        &self,
        session: &Session,
        entropy: &dyn Entropy,
    ) -> Result<(RootKeyId, ObjectHandle), RootKeyError> {
        let mut id = [0; KEY_ID_BYTES];
        entropy.fill(&mut id);
        let label = self.place.key.as_bytes();
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Label(label.to_vec()),
            Attribute::Id(id.to_vec()),
        ];
        let key = session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .map_err(|error| self.failed(&error))?;
        Ok((RootKeyId::of(&[b"pkcs11", label, &id]), key))
    }

    fn wrap_in(
        &self,
        session: &Session,
        plaintext: &[u8],
        aad: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Wrapped, RootKeyError> {
        let keys = self.keys(session)?;
        let (id, key) = match keys.as_slice() {
            [] => self.make(session, entropy)?,
            [one] => *one,
            [_, ..] => {
                return Err(self.refused(
                    format!(
                        "two keys in token `{}` have the label `{}`",
                        self.place.token, self.place.key
                    ),
                    "which of them is meant cannot be told",
                    "name another key with `--root-pkcs11-key`; one that does not exist is made",
                ));
            }
        };
        self.check(session, key)?;
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&nonce);
        let sealed = GcmParams::new(&mut nonce, aad, 128.into())
            .and_then(|parameters| session.encrypt(&Mechanism::AesGcm(parameters), key, plaintext))
            .map_err(|error| self.failed(&error))?;
        bytes.extend_from_slice(&sealed);
        Ok(Wrapped { id, bytes })
    }

    fn unwrap_in(
        &self,
        session: &Session,
        wrapped: &Wrapped,
        aad: &[u8],
    ) -> Result<SecretBytes, RootKeyError> {
        let keys = self.keys(session)?;
        let Some((_, key)) = keys.iter().find(|(id, _)| *id == wrapped.id) else {
            let given = keys.first().map_or_else(
                || self.describe(),
                |(id, _)| RootKeyDescription {
                    id: Some(*id),
                    ..self.describe()
                },
            );
            return Err(RootKeyError::wrong_key(&given, wrapped.id));
        };
        self.check(session, *key)?;
        let Some((mut nonce, sealed)) = wrapped
            .bytes
            .strip_prefix(&[FORMAT])
            .and_then(|rest| rest.split_first_chunk::<NONCE_BYTES>())
            .map(|(nonce, sealed)| (*nonce, sealed))
        else {
            return Err(RootKeyError::binding_damaged());
        };
        GcmParams::new(&mut nonce, aad, 128.into())
            .and_then(|parameters| session.decrypt(&Mechanism::AesGcm(parameters), *key, sealed))
            .map(SecretBytes::new)
            .map_err(|error| {
                // Tokens tell a tag that does not fit in several ways.
                let refused = || RootKeyError::cannot_unwrap(wrapped.id, crate::seal::OpenError::Refused);
                let Error::Pkcs11(reason, Function::Decrypt) = &error else {
                    return self.failed(&error);
                };
                if matches!(
                    reason,
                    RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange
                ) {
                    return refused();
                }
                if !matches!(reason, RvError::GeneralError | RvError::FunctionFailed) {
                    return self.failed(&error);
                }
                // A token that has gone away says the same: then it does not know its key any more.
                let known = session.get_attributes(*key, &[AttributeType::KeyType]);
                known.map_or_else(|gone| self.failed(&gone), |_| refused())
            })
    }

    fn refused(&self, what: String, why: &str, fix: &str) -> RootKeyError {
        let module = self.place.module.display();
        RootKeyError::new(
            RootKeyErrorCode::Token,
            what,
            why,
            format!("{fix} (module `{module}`)"),
        )
    }

    fn unloadable(&self, error: &Error) -> RootKeyError {
        RootKeyError::new(
            RootKeyErrorCode::Token,
            format!(
                "the PKCS#11 module `{}` cannot be loaded",
                self.place.module.display()
            ),
            error.to_string(),
            "name the shared library of the token's maker with `--root-pkcs11-module`",
        )
    }

    /// What a call of the module says.
    fn failed(&self, error: &Error) -> RootKeyError {
        let token = &self.place.token;
        let Error::Pkcs11(reason, _) = error else {
            return self.refused(
                format!("token `{token}` cannot be used"),
                &error.to_string(),
                "look into the module's log",
            );
        };
        let pin_is_refused = matches!(
            reason,
            RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired
                | RvError::PinLocked
                | RvError::UserPinNotInitialized
        );
        let is_unfit = matches!(
            reason,
            RvError::MechanismInvalid
                | RvError::MechanismParamInvalid
                | RvError::KeyFunctionNotPermitted
                | RvError::KeyTypeInconsistent
                | RvError::FunctionNotSupported
                | RvError::TemplateInconsistent
                | RvError::AttributeTypeInvalid
                | RvError::AttributeValueInvalid
                | RvError::TokenWriteProtected
                | RvError::SessionReadOnly
        );
        if pin_is_refused {
            return self.refused(
                format!("token `{token}` refuses the PIN"),
                &error.to_string(),
                "give the right PIN; it was tried once and is not tried again by itself",
            );
        }
        if is_unfit {
            return self.refused(
                format!("token `{token}` does not do what a root key needs"),
                &error.to_string(),
                "it must make AES keys of 256 bits and encrypt with CKM_AES_GCM under a given nonce",
            );
        }
        RootKeyError::new(
            RootKeyErrorCode::Unreachable,
            format!("token `{token}` cannot be used now"),
            error.to_string(),
            "look after the token, its connection and the configuration of its module",
        )
    }
}

impl RootKey for Pkcs11RootKey {
    fn wrap(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Wrapped, RootKeyError> {
        self.logged_in(|session| self.wrap_in(session, plaintext, aad, entropy))
    }

    fn unwrap(&self, wrapped: &Wrapped, aad: &[u8]) -> Result<SecretBytes, RootKeyError> {
        self.logged_in(|session| self.unwrap_in(session, wrapped, aad))
    }

    fn describe(&self) -> RootKeyDescription {
        RootKeyDescription {
            provider: RootKeyProvider::Pkcs11,
            id: None,
            since_epoch_seconds: None,
            place: format!("key `{}` in token `{}`", self.place.key, self.place.token),
        }
    }
}

impl fmt::Debug for Pkcs11RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11RootKey")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
