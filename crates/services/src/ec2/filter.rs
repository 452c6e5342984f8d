//! Filters of `DescribeVpcEndpoints`: an endpoint is shown when each filter has a value that fits it.

use super::endpoint::Endpoint;
use super::errors::Ec2Error;
use super::limits::{FILTER_BYTES_MAX, FILTER_VALUES_MAX};
use super::shapes::{Filter, VpcEndpoint};
use super::validate::invalid;

/// What a filter looks at.
enum Field {
    IpAddressType,
    ServiceName,
    ServiceRegion,
    Tag(String),
    TagKey,
    Id,
    State,
    Type,
    Vpc,
}

/// Filters that are understood.
pub(super) struct Filters(Vec<(Field, Vec<String>)>);

impl Filters {
    /// # Errors
    /// [`Ec2Error::InvalidParameter`] for a filter that does not exist: ignoring it would show too much.
    pub(super) fn parse(filters: Vec<Filter>) -> Result<Self, Ec2Error> {
        let count: usize = filters.iter().map(|filter| filter.values.len()).sum();
        if count > FILTER_VALUES_MAX {
            return Err(invalid(format!(
                "A request has at most {FILTER_VALUES_MAX} filter values."
            )));
        }
        let parsed = filters.into_iter().map(|filter| {
            let name = filter.name.unwrap_or_default();
            let is_long = |text: &String| text.len() > FILTER_BYTES_MAX;
            if is_long(&name) || filter.values.iter().any(is_long) {
                return Err(invalid(format!(
                    "Names and values of filters have at most {FILTER_BYTES_MAX} bytes."
                )));
            }
            let field = field(&name).ok_or_else(|| invalid(format!("The filter '{name}' is invalid")))?;
            Ok((field, filter.values))
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn admit(&self, endpoint: &Endpoint) -> bool {
        let shown = VpcEndpoint::from(endpoint);
        self.0.iter().all(|(field, values)| {
            let fits = |text: &str| {
                values
                    .iter()
                    .any(|value| matches(value.as_bytes(), text.as_bytes()))
            };
            match field {
                Field::IpAddressType => fits(&shown.ip_address_type),
                Field::ServiceName => fits(&shown.service_name),
                Field::ServiceRegion => fits(&shown.service_region),
                Field::Tag(key) => endpoint.tags.get(key).is_some_and(|value| fits(value)),
                Field::TagKey => endpoint.tags.keys().any(|key| fits(key)),
                Field::Id => fits(&shown.vpc_endpoint_id),
                Field::State => fits(&shown.state),
                Field::Type => fits(&shown.vpc_endpoint_type),
                Field::Vpc => fits(&shown.vpc_id),
            }
        })
    }
}

fn field(name: &str) -> Option<Field> {
    Some(match name {
        "ip-address-type" => Field::IpAddressType,
        "service-name" => Field::ServiceName,
        "service-region" => Field::ServiceRegion,
        "tag-key" => Field::TagKey,
        "vpc-endpoint-id" => Field::Id,
        "vpc-endpoint-state" => Field::State,
        "vpc-endpoint-type" => Field::Type,
        "vpc-id" => Field::Vpc,
        _ => Field::Tag(name.strip_prefix("tag:")?.to_owned()),
    })
}

/// `*` stands for any characters, `?` for one, `\` takes the meaning from what follows.
///
/// Source: EC2 User Guide, "Filter your resources", "Wildcards" (read 2026-11-21).
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // Where to go on when a `*` must stand for one more character: only the last one ever needs to.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', rest)) = pattern.split_first() {
            retry = Some((rest, text));
            pattern = rest;
            continue;
        }
        match (one(pattern), text.split_first()) {
            (None, None) => return pattern.is_empty(),
            (Some((wanted, rest)), Some((byte, shorter))) if wanted.is_none_or(|wanted| wanted == *byte) => {
                (pattern, text) = (rest, shorter);
            }
            (_, _) => {
                let Some((after_star, [_, shorter @ ..])) = retry else {
                    return false;
                };
                retry = Some((after_star, shorter));
                (pattern, text) = (after_star, shorter);
            }
        }
    }
}

/// What the pattern wants next, `None` for any character, and the rest of it.
fn one(pattern: &[u8]) -> Option<(Option<u8>, &[u8])> {
    match pattern {
        [] | [b'\\'] => None,
        [b'?', rest @ ..] => Some((None, rest)),
        [b'\\', escaped, rest @ ..] => Some((Some(*escaped), rest)),
        [byte, rest @ ..] => Some((Some(*byte), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_stand_for_characters_and_a_backslash_takes_that_away() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*.sqs", "com.amazonaws.us-east-1.sqs", true),
            ("vpce-?", "vpce-1", true),
            ("vpce-?", "vpce-12", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-", false),
            ("\\", "", false),
            (&"*a".repeat(40), &"a".repeat(39), false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
