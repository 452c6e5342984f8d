//! How large documents of each kind may be.
//!
//! Sources: SQS Developer Guide, "Amazon SQS policy quotas"; KMS API Reference, `PutKeyPolicy`; S3 User Guide, "Bucket
//! policies"; IAM User Guide, "IAM and AWS STS quotas"; Organizations User Guide, "Quotas"; VPC User Guide, endpoint
//! policies. SNS documents no number for topic policies; 30,720 is what it is known to take.

use crate::diagnostic::{Fault, Reason};
use crate::kind::{IdentityOwner, PolicyKind, Vendor};

/// Documents read for evaluation only are bounded by this, whatever they are for.
pub const DOCUMENT_BYTES_MAX: usize = 131_072;

/// What is counted against the size quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeUnit {
    /// Every byte of the text.
    Bytes,
    /// Characters except white space, as IAM counts.
    CharactersWithoutWhiteSpace,
    /// Characters.
    Characters,
}

/// The quotas of one kind of document; `None` where there is none but the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest size, in `unit`.
    pub size_max: usize,
    /// What the size counts.
    pub unit: SizeUnit,
    /// Statements in the document.
    pub statements_max: Option<usize>,
    /// Entries of all `Principal` elements together.
    pub principals_max: Option<usize>,
    /// Condition keys under all operators together.
    pub conditions_max: Option<usize>,
    /// Actions in one statement.
    pub actions_max: Option<usize>,
    /// Whether only tab, line feed, carriage return and U+0020 to U+00FF may stand in the text.
    pub latin_1_only: bool,
}

const fn size(size_max: usize, unit: SizeUnit, latin_1_only: bool) -> Limits {
    Limits {
        size_max,
        unit,
        statements_max: None,
        principals_max: None,
        conditions_max: None,
        actions_max: None,
        latin_1_only,
    }
}

pub(crate) const fn of(kind: PolicyKind) -> Limits {
    let iam = SizeUnit::CharactersWithoutWhiteSpace;
    match kind {
        PolicyKind::Identity(IdentityOwner::Managed) | PolicyKind::Boundary => size(6_144, iam, true),
        PolicyKind::Identity(IdentityOwner::User) | PolicyKind::Trust => size(2_048, iam, true),
        PolicyKind::Identity(IdentityOwner::Group) => size(5_120, iam, true),
        PolicyKind::Identity(IdentityOwner::Role) => size(10_240, iam, true),
        PolicyKind::Session => size(2_048, SizeUnit::Characters, true),
        PolicyKind::ServiceControl | PolicyKind::ResourceControl => size(5_120, SizeUnit::Characters, false),
        PolicyKind::VpcEndpoint => size(20_480, SizeUnit::Characters, false),
        PolicyKind::Resource(Vendor::Kms) => size(32_768, SizeUnit::Bytes, true),
        PolicyKind::Resource(Vendor::S3) => size(20_480, SizeUnit::Bytes, false),
        PolicyKind::Resource(Vendor::Sns) => size(30_720, SizeUnit::Bytes, false),
        PolicyKind::Resource(Vendor::Sqs) => Limits {
            statements_max: Some(20),
            principals_max: Some(50),
            conditions_max: Some(10),
            actions_max: Some(7),
            ..size(8_192, SizeUnit::Bytes, false)
        },
    }
}

impl Limits {
    /// How much of the size quota a text uses, in the quota's unit.
    #[must_use]
    pub fn measure(&self, text: &str) -> usize {
        match self.unit {
            SizeUnit::Bytes => text.len(),
            SizeUnit::Characters => text.chars().count(),
            SizeUnit::CharactersWithoutWhiteSpace => text
                .chars()
                .filter(|character| !character.is_whitespace())
                .count(),
        }
    }

    pub(crate) fn check_text(&self, text: &str, kind: PolicyKind) -> Result<(), Fault> {
        let used = self.measure(text);
        if used > self.size_max {
            let unit = match self.unit {
                SizeUnit::Bytes => "bytes",
                SizeUnit::Characters => "characters",
                SizeUnit::CharactersWithoutWhiteSpace => "characters without white space",
            };
            let noun = kind.noun();
            let message = format!("{noun} has at most {} {unit}, this one {used}", self.size_max);
            return Err(Fault::new(Reason::TooLarge, 0, message));
        }
        let allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{ff}');
        match text
            .char_indices()
            .find(|(_, character)| self.latin_1_only && !allowed(*character))
        {
            None => Ok(()),
            Some((at, character)) => {
                let shown = character.escape_debug();
                let message = format!("`{shown}` is not a character that {} may hold", kind.noun());
                Err(Fault::new(Reason::InvalidCharacter, at, message)
                    .help("only tab, line feed, carriage return and U+0020 to U+00FF are allowed"))
            }
        }
    }
}
