//! Amazon Resource Names.

use crate::{AccountId, InvalidName, text_traits};

/// `arn:partition:service:region:account:resource`, split once.
///
/// Region and account may be empty (`arn:aws:s3:::bucket`, `arn:aws:iam::123456789012:user/x`).
/// At most 2,048 bytes. Source: AWS General Reference, "Amazon Resource Names" (read 2026-11-21).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: Box<str>,
    /// Where partition, service, region, account and resource begin.
    starts: [u16; 5],
}

/// Longest accepted ARN, bytes.
const ARN_BYTES_MAX: usize = 2048;

impl Arn {
    /// Parses an ARN of any service.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = InvalidName::new("ARN", "must be arn:partition:service:region:account:resource");
        if text.len() > ARN_BYTES_MAX {
            return Err(invalid);
        }
        let rest = text.strip_prefix("arn:").ok_or_else(|| invalid.clone())?;
        let mut parts = rest.splitn(5, ':');
        let mut starts = [0_u16; 5];
        let mut at = 4;
        for start in &mut starts {
            let part = parts.next().ok_or_else(|| invalid.clone())?;
            *start = u16::try_from(at).map_err(|_| invalid.clone())?;
            at += part.len() + 1;
        }
        let arn = Self {
            text: text.into(),
            starts,
        };
        let whole = !arn.partition().is_empty() && !arn.service().is_empty() && !arn.resource().is_empty();
        if whole { Ok(arn) } else { Err(invalid) }
    }

    /// Builds the ARN of a resource in a region, partition `aws`.
    pub fn new(service: &str, region: &str, account: AccountId, resource: &str) -> Result<Self, InvalidName> {
        Self::parse(&format!("arn:aws:{service}:{region}:{account}:{resource}"))
    }

    fn part(&self, index: usize) -> &str {
        let start = self.starts.get(index).map_or(0, |at| usize::from(*at));
        let end = self
            .starts
            .get(index + 1)
            .map_or(self.text.len(), |at| usize::from(*at) - 1);
        self.text.get(start..end).unwrap_or_default()
    }

    /// `aws`, `aws-cn`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(0)
    }

    /// `sqs`, `kms`, `iam`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(1)
    }

    /// The region's name, or nothing for a global service.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(2)
    }

    /// The account's digits, or nothing.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(3)
    }

    /// The account, where the ARN names one.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        AccountId::parse(self.account()).ok()
    }

    /// What is behind the fifth colon: `queue-name`, `key/1234…`, `user/path/name`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(4)
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

text_traits!(Arn);

#[cfg(test)]
mod tests {
    use super::Arn;
    use proptest::prelude::*;

    #[test]
    fn an_arn_is_split_into_its_parts() {
        let arn = Arn::parse("arn:aws:sqs:eu-west-1:123456789012:orders").unwrap();
        assert_eq!(
            [
                arn.partition(),
                arn.service(),
                arn.region(),
                arn.account(),
                arn.resource()
            ],
            ["aws", "sqs", "eu-west-1", "123456789012", "orders"]
        );
    }

    #[test]
    fn region_and_account_may_be_empty() {
        let arn = Arn::parse("arn:aws:s3:::bucket").unwrap();
        assert_eq!((arn.region(), arn.account(), arn.resource()), ("", "", "bucket"));
        assert_eq!(arn.account_id(), None);
    }

    #[test]
    fn the_resource_keeps_its_colons() {
        let arn = Arn::parse("arn:aws:sns:us-east-1:123456789012:topic:sub:x").unwrap();
        assert_eq!(arn.resource(), "topic:sub:x");
    }

    #[test]
    fn an_incomplete_arn_is_refused() {
        for text in [
            "",
            "arn:",
            "arn:aws:sqs",
            "arn:aws:sqs:r:123456789012:",
            "arn::sqs:r:1:x",
            "https://sqs/1/x",
        ] {
            assert!(Arn::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_keeps_the_text(text in "\\PC{0,80}|arn:[a-z:/0-9ü]{0,60}") {
            if let Ok(arn) = Arn::parse(&text) {
                prop_assert_eq!(arn.as_str(), text.as_str());
                let again = format!("arn:{}:{}:{}:{}:{}", arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource());
                prop_assert_eq!(again, text);
            }
        }
    }
}
