//! Lists in parts: `MaxResults`, `NextToken`.

use super::errors::OrganizationsError;
use super::limits::PAGE_ITEMS_MAX;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// The items behind the token, and the token of those that follow. Each item comes with its key; keys rise.
pub(super) fn page<T>(
    items: impl Iterator<Item = (String, T)>,
    token: Option<&str>,
    max_results: Option<i32>,
) -> Result<(Vec<T>, Option<String>), OrganizationsError> {
    let max = max_results.unwrap_or(PAGE_ITEMS_MAX);
    if !(1..=PAGE_ITEMS_MAX).contains(&max) {
        let reason =
            format!("You provided a value for MaxResults that is not between 1 and {PAGE_ITEMS_MAX}.");
        return Err(OrganizationsError::InvalidInput { reason });
    }
    let after = token.map(decode).transpose()?;
    let mut rest = items.skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after));
    let (mut page, mut last) = (Vec::new(), None);
    for (key, item) in rest.by_ref().take(usize::try_from(max).unwrap_or_default()) {
        page.push(item);
        last = Some(BASE64.encode(key));
    }
    Ok((page, last.filter(|_| rest.next().is_some())))
}

fn decode(token: &str) -> Result<String, OrganizationsError> {
    let bytes = BASE64.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| OrganizationsError::InvalidInput {
            reason: "You provided a NextToken that no call of this operation gave.".to_owned(),
        })
}
