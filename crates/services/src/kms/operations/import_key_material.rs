//! `ImportKeyMaterial`: material from outside, the first time or the same again.

use crate::kms::access::Sought;
use crate::kms::errors::KmsError;
use crate::kms::external::{DOES_NOT_EXPIRE, EXPIRES, External};
use crate::kms::import::{self, ImportToken};
use crate::kms::key::{Key, KeyState, Material};
use crate::kms::limits::{
    IMPORT_TOKEN_BYTES_MAX, IMPORT_VALID_DAYS_MAX, IMPORTED_MATERIAL_BYTES_MAX,
    MATERIAL_DESCRIPTION_CHARS_MAX,
};
use crate::kms::secret::Secret;
use crate::kms::validate::{blob_length, length, one_of, violation};
use crate::kms::{Kms, current};
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_types::Timestamp;
use bulla_wire::{Blob, Shape};
use std::sync::Arc;
use std::time::Duration;

/// The operation.
#[derive(Debug)]
pub(crate) struct ImportKeyMaterial;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ImportKeyMaterialRequest")]
pub(crate) struct ImportKeyMaterialInput {
    /// Key id or key ARN.
    pub(crate) key_id: String,
    /// Of `GetParametersForImport`, at most 24 hours old.
    pub(crate) import_token: Blob,
    /// The material, encrypted under the public key of the same answer.
    pub(crate) encrypted_key_material: Blob,
    /// At most 365 days from now; required if the material expires, else refused.
    pub(crate) valid_to: Option<Timestamp>,
    /// `KEY_MATERIAL_EXPIRES`, also if absent, or `KEY_MATERIAL_DOES_NOT_EXPIRE`.
    pub(crate) expiration_model: Option<String>,
    /// `NEW_KEY_MATERIAL` the first time, then `EXISTING_KEY_MATERIAL`: further material is not built. Of symmetric keys only.
    pub(crate) import_type: Option<String>,
    /// Kept when absent. Of symmetric keys only.
    pub(crate) key_material_description: Option<String>,
    /// What the material must be. Of symmetric keys only.
    pub(crate) key_material_id: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ImportKeyMaterialResponse")]
pub(crate) struct ImportKeyMaterialOutput {
    /// Key ARN.
    pub(crate) key_id: String,
    /// Of symmetric keys.
    pub(crate) key_material_id: Option<String>,
}

const NEW: &str = "NEW_KEY_MATERIAL";
const EXISTING: &str = "EXISTING_KEY_MATERIAL";
const DAY: Duration = Duration::from_hours(24);

impl Operation for ImportKeyMaterial {
    const NAME: &'static str = "ImportKeyMaterial";
    type Service = Kms;
    type Input = ImportKeyMaterialInput;
    type Output = ImportKeyMaterialOutput;
    type Error = KmsError;
    type Target = Sought;

    async fn resolve(
        kms: &Kms,
        call: &Call<'_>,
        input: ImportKeyMaterialInput,
    ) -> Result<Resolved<Self>, KmsError> {
        blob_length(&input.import_token.0, "importToken", IMPORT_TOKEN_BYTES_MAX)?;
        blob_length(
            &input.encrypted_key_material.0,
            "encryptedKeyMaterial",
            IMPORTED_MATERIAL_BYTES_MAX,
        )?;
        check_members(&input)?;
        let expires = check_expiry(&input, call.time())?;
        let target = kms.seek_key(call, &input.key_id, "keyId")?;
        let mut request = target.request(kms, "kms:ImportKeyMaterial").with_key(
            "kms:ExpirationModel",
            expires.map_or(DOES_NOT_EXPIRE, |_| EXPIRES),
        );
        if let Some(at) = expires {
            request = request.with_key("kms:ValidTo", at.as_seconds().to_string());
        }
        Ok(Resolved {
            input,
            target,
            access: Access::one(request),
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ImportKeyMaterialOutput, KmsError> {
        let (input, target) = granted.into_parts();
        let (key, now) = (target.into_key()?, call.time());
        key.check_external()?;
        key.check_not_pending()?;
        let token = ImportToken::open(&input.import_token.0, &key, &kms.wrapping, now)?;
        let material = token.unwrap(&input.encrypted_key_material.0)?;
        let secret = import::secret(key.kind, material)?;
        let id = kms.imported_id(&key, &secret)?;
        kms.write(call, |view| {
            let key = current(view, &key, now)?;
            key.check_not_pending()?;
            check_type(&key, &input)?;
            check_same(&key, &id, &input)?;
            let answer = ImportKeyMaterialOutput {
                key_id: key.arn.to_string(),
                key_material_id: key.kind.is_symmetric().then(|| id.to_string()),
            };
            Ok((vec![with_material(key, id, secret, input, now)], answer))
        })
        .await
    }
}

/// The key with its material. One that is disabled stays so: whoever may import need not be allowed to enable.
fn with_material(
    mut key: Key,
    id: Arc<str>,
    secret: Secret,
    input: ImportKeyMaterialInput,
    now: Timestamp,
) -> Key {
    let first = key.material.id.is_empty();
    key.material = Arc::new(Material {
        version: key.material.version,
        id,
        made: key.material.made,
        created: if first { now } else { key.material.created },
        secret,
    });
    key.state = match key.state {
        KeyState::PendingImport => KeyState::Enabled,
        KeyState::Enabled
        | KeyState::Disabled
        | KeyState::PendingDeletion(_)
        | KeyState::PendingReplicaDeletion(_) => key.state,
    };
    let former = key.external.take().and_then(|external| external.description);
    key.external = Some(External {
        expires: input.valid_to,
        description: input.key_material_description.or(former),
    });
    key
}

fn check_members(input: &ImportKeyMaterialInput) -> Result<(), KmsError> {
    if let Some(text) = &input.import_type {
        one_of(text, "importType", &[NEW, EXISTING])?;
    }
    if let Some(text) = &input.key_material_description {
        length(text, "keyMaterialDescription", 0, MATERIAL_DESCRIPTION_CHARS_MAX)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":/_.-".contains(c);
        if !text.chars().all(allowed) {
            let constraint = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_\\s.-]+$";
            return Err(violation(text, "keyMaterialDescription", constraint));
        }
    }
    if input.key_material_id.is_some() && input.import_type.as_deref() == Some(NEW) {
        return Err(KmsError::Validation {
            reason: format!("KeyMaterialId cannot be used with ImportType {NEW}."),
        });
    }
    Ok(())
}

/// When the material expires; `None`: never.
fn check_expiry(input: &ImportKeyMaterialInput, now: Timestamp) -> Result<Option<Timestamp>, KmsError> {
    let model = input.expiration_model.as_deref().unwrap_or(EXPIRES);
    one_of(model, "expirationModel", &[EXPIRES, DOES_NOT_EXPIRE])?;
    let reason = match input.valid_to {
        None if model == DOES_NOT_EXPIRE => return Ok(None),
        None => "ValidTo is required if the key material expires.".to_owned(),
        Some(_) if model == DOES_NOT_EXPIRE => {
            "ValidTo must be absent if the key material does not expire.".to_owned()
        }
        Some(at) if at <= now => "ValidTo must be in the future.".to_owned(),
        Some(at) if at > now.after(DAY.saturating_mul(IMPORT_VALID_DAYS_MAX)) => {
            format!("ValidTo must be at most {IMPORT_VALID_DAYS_MAX} days from now.")
        }
        Some(at) => return Ok(Some(at)),
    };
    Err(KmsError::Validation { reason })
}

/// Refuses what is only for symmetric keys, and further material.
fn check_type(key: &Key, input: &ImportKeyMaterialInput) -> Result<(), KmsError> {
    let symmetric_only = input.import_type.is_some()
        || input.key_material_description.is_some()
        || input.key_material_id.is_some();
    if symmetric_only && !key.kind.is_symmetric() {
        return Err(KmsError::Unsupported {
            reason:
                "ImportType, KeyMaterialDescription and KeyMaterialId are for symmetric encryption keys only."
                    .to_owned(),
        });
    }
    let first = key.material.id.is_empty();
    match input.import_type.as_deref() {
        Some(NEW) if !first => Err(KmsError::Unsupported {
            reason: format!("{} has its key material; further material is not built.", key.arn),
        }),
        Some(EXISTING) if first => Err(KmsError::IncorrectKeyMaterial {
            reason: format!("{} never had key material; the ImportType is {NEW}.", key.arn),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Refuses other material than the key had before, and than the request says.
fn check_same(key: &Key, id: &Arc<str>, input: &ImportKeyMaterialInput) -> Result<(), KmsError> {
    let before = Some(&*key.material.id).filter(|id| !id.is_empty());
    let named = input.key_material_id.as_deref();
    if before.into_iter().chain(named).all(|expected| expected == &**id) {
        return Ok(());
    }
    Err(KmsError::IncorrectKeyMaterial {
        reason: format!(
            "The key material is not that which was imported into {} before.",
            key.arn
        ),
    })
}
