//! What requests say, checked.

use super::endpoint::service_name;
use super::errors::Ec2Error;
use super::limits::{CLIENT_TOKEN_CHARS_MAX, SERVICES, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX};
use super::shapes::{Tag, TagSpecification};
use bulla_types::{Region, SubnetId, VpcEndpointId, VpcId};
use std::collections::BTreeMap;

/// What cannot be asked for: a member that is there although nothing would come of it.
pub(super) fn not_built(asked: bool, what: &str) -> Result<(), Ec2Error> {
    if asked {
        return Err(Ec2Error::Unsupported {
            reason: format!("{what} is not built."),
        });
    }
    Ok(())
}

pub(super) fn invalid(reason: impl Into<String>) -> Ec2Error {
    Ec2Error::InvalidParameter {
        reason: reason.into(),
    }
}

fn malformed(code: &'static str, id: &str) -> Ec2Error {
    let id = id.to_owned();
    Ec2Error::Malformed { code, id }
}

/// A VPC's id.
pub(super) fn vpc(text: &str) -> Result<VpcId, Ec2Error> {
    VpcId::parse(text).map_err(|_| malformed("InvalidVpcID.Malformed", text))
}

pub(super) fn subnet(text: &str) -> Result<SubnetId, Ec2Error> {
    SubnetId::parse(text).map_err(|_| malformed("InvalidSubnetID.Malformed", text))
}

pub(super) fn endpoint(text: &str) -> Result<VpcEndpointId, Ec2Error> {
    VpcEndpointId::parse(text).map_err(|_| malformed("InvalidVpcEndpointId.Malformed", text))
}

/// The service that `com.amazonaws.us-east-1.sqs` names.
pub(super) fn service(name: Option<&str>, region: Region) -> Result<&'static str, Ec2Error> {
    let name = name.ok_or(Ec2Error::Missing {
        member: "ServiceName",
    })?;
    let found = SERVICES
        .into_iter()
        .find(|service| service_name(region, service) == name);
    found.ok_or_else(|| Ec2Error::InvalidServiceName {
        service: name.to_owned(),
    })
}

pub(super) fn client_token(token: Option<&str>) -> Result<(), Ec2Error> {
    match token {
        Some(token) if token.is_empty() || token.len() > CLIENT_TOKEN_CHARS_MAX || !token.is_ascii() => {
            Err(invalid(format!(
                "A client token has 1 to {CLIENT_TOKEN_CHARS_MAX} ASCII characters."
            )))
        }
        Some(_) | None => Ok(()),
    }
}

/// The tags for an endpoint.
pub(super) fn tags(specifications: &[TagSpecification]) -> Result<BTreeMap<String, String>, Ec2Error> {
    let mut tags = BTreeMap::new();
    for specification in specifications {
        let kind = specification.resource_type.as_deref().unwrap_or_default();
        if kind != "vpc-endpoint" {
            return Err(invalid(format!(
                "'{kind}' is not a valid taggable resource type for this operation."
            )));
        }
        for tag in &specification.tags {
            let (key, value) = self::tag(tag)?;
            if tags.insert(key.clone(), value).is_some() {
                return Err(invalid(format!("Duplicate tag key '{key}' specified.")));
            }
        }
    }
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("A VPC endpoint has at most {TAGS_MAX} tags.")));
    }
    Ok(tags)
}

fn tag(tag: &Tag) -> Result<(String, String), Ec2Error> {
    let key = tag.key.clone().unwrap_or_default();
    let value = tag.value.clone().unwrap_or_default();
    let lower = key.to_ascii_lowercase();
    if key.is_empty() || key.chars().count() > TAG_KEY_CHARS_MAX {
        return Err(invalid(format!(
            "A tag's key has 1 to {TAG_KEY_CHARS_MAX} characters."
        )));
    }
    if value.chars().count() > TAG_VALUE_CHARS_MAX {
        return Err(invalid(format!(
            "A tag's value has at most {TAG_VALUE_CHARS_MAX} characters."
        )));
    }
    if lower.starts_with("aws:") || lower.starts_with("bulla:") {
        return Err(invalid(format!(
            "Tag keys starting with 'aws:' or 'bulla:' are reserved for internal use: '{key}'."
        )));
    }
    Ok((key, value))
}
