//! Names of the domain, parsed once and private inside.
//!
//! A value of one of these types is well-formed: whoever holds a [`QueueName`] need not check it again,
//! and nobody can put an account id where a region belongs. No IO, no async, no policy.

mod account;
mod arn;
mod endpoint;
mod inline;
mod key_id;
mod organization;
mod queue_name;
mod region;
mod request_id;
mod timestamp;

pub use account::AccountId;
pub use arn::Arn;
pub use endpoint::{SubnetId, VpcEndpointId, VpcId};
pub use key_id::KeyId;
pub use organization::{OrganizationId, OrganizationalUnitId, ParentId, RootId};
pub use queue_name::QueueName;
pub use region::Region;
pub use request_id::RequestId;
pub use timestamp::Timestamp;

/// A text that is not what it should name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName {
    what: &'static str,
    rule: &'static str,
}

impl InvalidName {
    pub(crate) const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }

    /// What was expected: `account id`, `region`.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }
}

impl std::fmt::Display for InvalidName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "not a valid {}: {}", self.what, self.rule)
    }
}

impl std::error::Error for InvalidName {}

/// Text form, comparison with text and debug output for a name that has `as_str`.
macro_rules! text_traits {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::InvalidName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    };
}
pub(crate) use text_traits;
