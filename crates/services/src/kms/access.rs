//! Which key a request means, and what it asks the policies.
//!
//! The key policy is the root of trust: it is a mandatory source in every question about a key. A key of another
//! account that does not exist is asked about like one whose policy allows nobody, so that strangers learn nothing
//! about which keys exist.

use super::Kms;
use super::algorithms::EncryptionAlgorithm;
use super::errors::KmsError;
use super::external::as_of;
use super::grant::{Grant, Terms};
use super::key::Key;
use super::kind::KeyKind;
use super::multi_region::RegionRole;
use super::policy::DEFAULT_NAME;
use super::reference::{Reference, alias_arn, key_arn};
use super::words::Word;
use bulla_gate::{AccessRequest, Call, IdentityKind, ResourcePolicy};
use bulla_types::AccountId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a name led to.
#[derive(Debug)]
pub struct Sought {
    owner: AccountId,
    /// What the policies are asked about.
    arn: Arc<str>,
    /// The alias that the request used.
    alias: Option<String>,
    /// `None` for a key of another account that does not exist.
    pub(super) key: Option<Arc<Key>>,
    /// Whether the key is a managed one that is not made yet.
    unmade: bool,
    /// Grants on the key to the caller.
    grants: Arc<[bulla_policy::Grant]>,
}

impl Sought {
    /// A key that was found without a name: by a ciphertext. With the caller's grants on it.
    pub(super) fn found(key: Arc<Key>, grants: Arc<[bulla_policy::Grant]>) -> Self {
        Self {
            owner: key.owner,
            arn: Arc::clone(&key.arn),
            alias: None,
            key: Some(key),
            unmade: false,
            grants,
        }
    }

    /// The question whether `action` is allowed on the key, with all condition keys that the key gives.
    pub(super) fn request(&self, kms: &Kms, action: &'static str) -> AccessRequest {
        let policy = self.key.as_ref().map_or(&kms.nobody, |key| &key.policy);
        let mut request = AccessRequest::new(action, Arc::clone(&self.arn), self.owner)
            .with_policy(ResourcePolicy::Mandatory(Arc::clone(policy)))
            .with_grants(Arc::clone(&self.grants));
        if let Some(alias) = &self.alias {
            request = request.with_key("kms:RequestAlias", alias);
        }
        match &self.key {
            Some(key) => with_key_facts(request, key),
            None => request,
        }
    }

    /// As [`Sought::request`], for operations that work across accounts.
    pub(super) fn request_across_accounts(&self, kms: &Kms, action: &'static str) -> AccessRequest {
        self.request(kms, action).across_accounts()
    }

    /// Whether both names led to one key.
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.key.is_some() && self.arn == other.arn
    }

    /// The caller's grants on the key that may be handed on with these terms.
    pub(super) fn grants_that_cover(&self, kms: &Kms, terms: &Terms) -> Arc<[bulla_policy::Grant]> {
        let covers = |grant: &&bulla_policy::Grant| {
            let parent = self.grant(kms, grant.id());
            parent.is_some_and(|parent| terms.are_within(&parent.terms))
        };
        self.grants.iter().filter(covers).cloned().collect()
    }

    /// A grant on the key.
    pub(super) fn grant(&self, kms: &Kms, id: &str) -> Option<Arc<Grant>> {
        let key = self.key.as_ref()?;
        kms.view().grants.get(key.region, key.id, id).cloned()
    }

    /// The managed key as it is to be made, and its alias; `None` when the key is there.
    pub(super) fn unmade(&self) -> Option<(&Arc<Key>, &str)> {
        self.key
            .as_ref()
            .zip(self.alias.as_deref())
            .filter(|_| self.unmade)
    }

    /// The key, which exists once the policies have allowed something on it.
    pub(super) fn into_key(self) -> Result<Arc<Key>, KmsError> {
        if let Some((key, alias)) = self.unmade() {
            let alias = alias_arn(key.region, key.owner, alias);
            return Err(KmsError::AliasNotFound { alias });
        }
        self.key.ok_or(KmsError::KeyNotFound { key: self.arn })
    }
}

impl Kms {
    /// The caller's grants on a key: also those to its role, or to the user who vouches for it.
    pub(super) fn grants_of(&self, call: &Call<'_>, key: &Key) -> Arc<[bulla_policy::Grant]> {
        let identity = call.caller().identity();
        let also = match &identity.kind {
            IdentityKind::FederatedUser {
                user_arn: Some(user_arn),
            } => user_arn,
            IdentityKind::FederatedUser { user_arn: None }
            | IdentityKind::Root
            | IdentityKind::User
            | IdentityKind::AssumedRole
            | IdentityKind::Service => &identity.principal_arn,
        };
        let names = [&*identity.arn, &**also];
        self.view().grants.of_grantee(key.region, key.id, names)
    }

    /// Finds a key by any of its names.
    pub(super) fn seek(&self, call: &Call<'_>, text: &str) -> Result<Sought, KmsError> {
        match Reference::parse(text, "keyId", call.account(), call.region())? {
            Reference::Key(owner, id) => {
                let key = self.view().key(call.region(), id, call.time()).cloned();
                let key = key
                    .filter(|key| key.owner == owner)
                    .map(|key| as_of(key, call.time()));
                let arn = key_arn(call.region(), owner, id);
                if key.is_none() && owner == call.account() {
                    return Err(KmsError::KeyNotFound { key: arn });
                }
                Ok(Sought {
                    owner,
                    arn,
                    alias: None,
                    grants: key
                        .as_ref()
                        .map_or_else(Arc::default, |key| self.grants_of(call, key)),
                    key,
                    unmade: false,
                })
            }
            Reference::Alias(owner, name) => {
                let key = self
                    .view()
                    .alias(owner, call.region(), &name, call.time())
                    .cloned()
                    .map(|key| as_of(key, call.time()));
                let alias = alias_arn(call.region(), owner, &name);
                match key {
                    Some(key) => Ok(Sought {
                        alias: Some(name),
                        ..Sought::found(Arc::clone(&key), self.grants_of(call, &key))
                    }),
                    None if owner == call.account() => match self.unmade(call, &name)? {
                        Some(key) => Ok(Sought {
                            alias: Some(name),
                            unmade: true,
                            ..Sought::found(key, Arc::default())
                        }),
                        None => Err(KmsError::AliasNotFound { alias }),
                    },
                    None => Ok(Sought {
                        owner,
                        arn: alias.into(),
                        alias: Some(name),
                        key: None,
                        unmade: false,
                        grants: Arc::default(),
                    }),
                }
            }
        }
    }

    /// Finds a key by its id or ARN, for operations that take no alias.
    pub(super) fn seek_key(
        &self,
        call: &Call<'_>,
        text: &str,
        member: &'static str,
    ) -> Result<Sought, KmsError> {
        Reference::parse_key(text, member, call.account(), call.region())?;
        self.seek(call, text)
    }
}

/// Condition keys of every request about a key.
///
/// Source: Service Authorization Reference, "Condition keys for AWS Key Management Service" (read 2026-11-21).
fn with_key_facts(request: AccessRequest, key: &Key) -> AccessRequest {
    let mut request = with_key_kind(request, key.kind, key.origin(), key.role());
    if !key.aliases.is_empty() {
        let aliases = key.aliases.iter().map(|alias| alias.name.to_string()).collect();
        request = request.with_keys("kms:ResourceAliases", aliases);
    }
    for (tag, value) in &key.tags {
        request = request.with_key(format!("aws:ResourceTag/{tag}"), value);
    }
    if key.is_aws_managed() {
        request = request.beyond_resource_control();
    }
    request
}

/// Condition keys about the kind of key, of requests that create one and of those about one.
pub(super) fn with_key_kind(
    request: AccessRequest,
    kind: KeyKind,
    origin: &'static str,
    role: Option<RegionRole>,
) -> AccessRequest {
    let request = request
        .with_key("kms:KeySpec", kind.spec().word())
        .with_key("kms:KeyUsage", kind.usage().word())
        .with_key("kms:KeyOrigin", origin)
        .with_key("kms:MultiRegion", role.is_some().to_string());
    match role {
        Some(role) => request.with_key("kms:MultiRegionKeyType", role.word()),
        None => request,
    }
}

/// Condition keys of requests that encrypt or decrypt.
pub(super) fn with_encryption_context(
    request: AccessRequest,
    algorithm: EncryptionAlgorithm,
    context: &BTreeMap<String, String>,
) -> AccessRequest {
    with_encryption_pairs(
        request.with_key("kms:EncryptionAlgorithm", algorithm.word()),
        context,
    )
}

/// Condition keys of an encryption context, or of what a grant demands of one.
pub(super) fn with_encryption_pairs(
    mut request: AccessRequest,
    context: &BTreeMap<String, String>,
) -> AccessRequest {
    if !context.is_empty() {
        request = request.with_keys("kms:EncryptionContextKeys", context.keys().cloned().collect());
    }
    for (key, value) in context {
        request = request.with_key(format!("kms:EncryptionContext:{key}"), value);
    }
    request
}

/// Condition keys of requests that bring tags or take them away.
pub(super) fn with_request_tags<'a>(
    mut request: AccessRequest,
    keys: impl Iterator<Item = &'a String>,
    tags: &BTreeMap<String, String>,
) -> AccessRequest {
    let keys: Vec<String> = keys.cloned().collect();
    if !keys.is_empty() {
        request = request.with_keys("aws:TagKeys", keys);
    }
    for (key, value) in tags {
        request = request.with_key(format!("aws:RequestTag/{key}"), value);
    }
    request
}

/// Refuses a new key policy that would keep its author from replacing it: who locks himself out locks everybody out.
///
/// The question is that of a `PutKeyPolicy` by the same caller on the key as it will be, with all other policies as
/// they are. Source: KMS API Reference, `PutKeyPolicy`, `BypassPolicyLockoutSafetyCheck` (read 2026-11-21).
pub(super) fn check_not_locked_out(call: &Call<'_>, key: &Key) -> Result<(), KmsError> {
    let request = AccessRequest::new("kms:PutKeyPolicy", Arc::clone(&key.arn), key.owner)
        .with_policy(ResourcePolicy::Mandatory(Arc::clone(&key.policy)))
        .with_key("kms:PolicyName", DEFAULT_NAME)
        // A replica is made by a call in another region than that in which its policy will be changed.
        .in_region(key.region);
    if call.would_allow(&with_key_facts(request, key)) {
        return Ok(());
    }
    Err(KmsError::MalformedPolicy {
        reason: "The new key policy will not allow you to update the key policy in the future.".to_owned(),
    })
}
