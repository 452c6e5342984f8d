//! The quotas of Organizations.
//!
//! Source: Organizations User Guide, "Quotas for AWS Organizations"; shapes of its API (read 2026-11-21).

/// Characters of an account's name.
pub(super) const ACCOUNT_NAME_CHARS_MAX: usize = 50;
/// Accounts of an organization: what AWS raises the quota to, because nobody can ask for more here.
pub(super) const ACCOUNTS_MAX: usize = 10_000;
/// Policies of one type attached to a root, unit or account.
pub(super) const ATTACHED_MAX: usize = 5;
/// Control policies of an organization, of both types together.
pub(super) const POLICIES_MAX: usize = 2_000;
/// Characters of a control policy's description.
pub(super) const POLICY_DESCRIPTION_CHARS_MAX: usize = 512;
/// Characters of a control policy's name.
pub(super) const POLICY_NAME_CHARS_MAX: usize = 128;
/// Requests for accounts that are remembered; the oldest finished one makes room. AWS remembers them for 90 days.
pub(super) const CREATIONS_MAX: usize = 1_000;
/// Characters of an email address.
pub(super) const EMAIL_CHARS_MAX: usize = 64;
/// Characters of an email address.
pub(super) const EMAIL_CHARS_MIN: usize = 6;
/// Items of a page, also where the request does not say.
pub(super) const PAGE_ITEMS_MAX: i32 = 20;
/// Levels of units below the root.
pub(super) const UNIT_DEPTH_MAX: usize = 5;
/// Characters of a unit's name.
pub(super) const UNIT_NAME_CHARS_MAX: usize = 128;
/// Units of an organization.
pub(super) const UNITS_MAX: usize = 2_000;
