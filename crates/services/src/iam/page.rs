//! Lists in parts: `MaxItems`, `Marker`, `IsTruncated`.

use super::errors::IamError;
use super::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// A part of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Where the next part begins.
    pub(super) marker: Option<String>,
}

impl<T> Page<T> {
    /// Whether there is more.
    pub(super) fn is_truncated(&self) -> bool {
        self.marker.is_some()
    }
}

/// The items behind the marker. Each comes with its key; keys rise.
pub(super) fn page<K: AsRef<str>, T>(
    items: impl Iterator<Item = (K, T)>,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<Page<T>, IamError> {
    let max = max_items.unwrap_or(PAGE_ITEMS_DEFAULT);
    if !(1..=PAGE_ITEMS_MAX).contains(&max) {
        let reason = format!(
            "1 validation error detected: Value '{max}' at 'maxItems' failed to satisfy constraint: Member must have \
             value between 1 and {PAGE_ITEMS_MAX}"
        );
        return Err(IamError::Validation { reason });
    }
    let after = marker.map(decode).transpose()?;
    let mut rest = items.skip_while(|(key, _)| after.as_deref().is_some_and(|after| key.as_ref() <= after));
    let mut page = Page {
        items: Vec::new(),
        marker: None,
    };
    let mut last = None;
    for (key, item) in rest.by_ref().take(usize::try_from(max).unwrap_or_default()) {
        page.items.push(item);
        last = Some(BASE64.encode(key.as_ref()));
    }
    page.marker = last.filter(|_| rest.next().is_some());
    Ok(page)
}

fn decode(marker: &str) -> Result<String, IamError> {
    let bytes = BASE64.decode(marker).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| IamError::Validation {
            reason: "Invalid Marker.".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let items = || ["a", "b", "c"].into_iter().map(|name| (name, name));
        let first = page(items(), None, Some(2)).unwrap();
        assert_eq!(
            (first.items.as_slice(), first.is_truncated()),
            (&["a", "b"][..], true)
        );
        let second = page(items(), first.marker.as_deref(), Some(2)).unwrap();
        assert_eq!(
            (second.items.as_slice(), second.is_truncated()),
            (&["c"][..], false)
        );
        assert!(page(items(), Some("%"), None).is_err());
        assert!(page(items(), None, Some(0)).is_err());
    }
}
