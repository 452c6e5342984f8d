//! `ListAliases`: the aliases of the caller's account in the region, or of one of its keys, in order of name.

use crate::kms::Kms;
use crate::kms::errors::KmsError;
use crate::kms::key::Key;
use crate::kms::limits::ALIASES_PAGE;
use crate::kms::reference::{Reference, alias_arn, key_arn};
use crate::kms::{alias, managed, validate};
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_types::{KeyId, Timestamp};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ListAliases;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ListAliasesRequest")]
pub(crate) struct ListAliasesInput {
    /// Only aliases of this key of the caller's account: key id or key ARN.
    pub(crate) key_id: Option<String>,
    /// 1 to 100, 50 if absent.
    pub(crate) limit: Option<i32>,
    /// `NextMarker` of the page before.
    pub(crate) marker: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ListAliasesResponse")]
pub(crate) struct ListAliasesOutput {
    pub(crate) aliases: Vec<AliasListEntry>,
    pub(crate) next_marker: Option<String>,
    pub(crate) truncated: bool,
}

/// An alias in a list.
#[derive(Debug, Shape)]
pub(crate) struct AliasListEntry {
    pub(crate) alias_name: String,
    pub(crate) alias_arn: String,
    /// Nothing when an AWS managed key has not been made yet.
    pub(crate) target_key_id: Option<String>,
    pub(crate) creation_date: Option<Timestamp>,
    pub(crate) last_updated_date: Option<Timestamp>,
}

/// How many, and of which key.
#[derive(Debug)]
pub(crate) struct AliasesPage {
    limit: usize,
    key: Option<KeyId>,
}

impl Operation for ListAliases {
    const NAME: &'static str = "ListAliases";
    type Service = Kms;
    type Input = ListAliasesInput;
    type Output = ListAliasesOutput;
    type Error = KmsError;
    type Target = AliasesPage;

    async fn resolve(_: &Kms, call: &Call<'_>, input: ListAliasesInput) -> Result<Resolved<Self>, KmsError> {
        let limit = validate::page(input.limit, ALIASES_PAGE)?;
        validate::marker(input.marker.as_deref())?;
        if input
            .marker
            .as_deref()
            .is_some_and(|marker| alias::check_name(marker).is_err())
        {
            return Err(KmsError::InvalidMarker);
        }
        let mut key = None;
        if let Some(text) = &input.key_id {
            let (owner, id) = Reference::parse_key(text, "keyId", call.account(), call.region())?;
            if owner != call.account() {
                return Err(KmsError::KeyNotFound {
                    key: key_arn(call.region(), owner, id),
                });
            }
            key = Some(id);
        }
        let access = Access::one(AccessRequest::new("kms:ListAliases", "*", call.account()));
        Ok(Resolved {
            input,
            target: AliasesPage { limit, key },
            access,
        })
    }

    async fn execute(
        kms: &Kms,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ListAliasesOutput, KmsError> {
        let (input, page) = granted.into_parts();
        let (account, region, now) = (call.account(), call.region(), call.time());
        let view = kms.view();
        if let Some(id) = page.key {
            let key = view.key(region, id, now).filter(|key| key.owner == account);
            key.ok_or_else(|| KmsError::KeyNotFound {
                key: key_arn(region, account, id),
            })?;
        }
        let after = input.marker.as_deref();
        let mut aliases: Vec<AliasListEntry> = view
            .aliases_of(account, region, after, now)
            .filter(|(_, key)| page.key.is_none_or(|id| key.id == id))
            .take(page.limit.saturating_add(1))
            .map(|(name, key)| entry(name, key))
            .collect();
        if page.key.is_none() {
            let is_unmade = |name: &String| view.alias(account, region, name, now).is_none();
            let behind = |name: &String| after.is_none_or(|after| **name > *after);
            let unmade = managed::aliases().filter(|name| behind(name) && is_unmade(name));
            aliases.extend(unmade.map(|name| AliasListEntry {
                alias_arn: alias_arn(region, account, &name),
                alias_name: name,
                target_key_id: None,
                creation_date: None,
                last_updated_date: None,
            }));
            aliases.sort_by(|one, other| one.alias_name.cmp(&other.alias_name));
        }
        let truncated = aliases.len() > page.limit;
        aliases.truncate(page.limit);
        let next_marker = aliases
            .last()
            .filter(|_| truncated)
            .map(|last| last.alias_name.clone());
        Ok(ListAliasesOutput {
            aliases,
            next_marker,
            truncated,
        })
    }
}

fn entry(name: &str, key: &Key) -> AliasListEntry {
    let alias = key.aliases.iter().find(|alias| &*alias.name == name);
    AliasListEntry {
        alias_name: name.to_owned(),
        alias_arn: alias_arn(key.region, key.owner, name),
        target_key_id: Some(key.id.as_str().to_owned()),
        creation_date: alias.map(|alias| alias.created),
        last_updated_date: alias.map(|alias| alias.updated),
    }
}
