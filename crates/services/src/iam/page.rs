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
    page_within(items, marker, max_items, usize::MAX, |_| 0)
}

/// Such a page of items that have bytes: it ends with the item that reaches `bytes_max`, so it has one at least.
pub(super) fn page_within<K: AsRef<str>, T>(
    items: impl Iterator<Item = (K, T)>,
    marker: Option<&str>,
    max_items: Option<i32>,
    bytes_max: usize,
    bytes_of: impl Fn(&T) -> usize,
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
    let mut bytes = 0_usize;
    for (key, item) in rest.by_ref().take(usize::try_from(max).unwrap_or_default()) {
        bytes = bytes.saturating_add(bytes_of(&item));
        page.items.push(item);
        last = Some(BASE64.encode(key.as_ref()));
        if bytes >= bytes_max {
            break;
        }
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
    use super::{page, page_within};

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

    #[test]
    fn a_page_ends_with_the_item_that_fills_it() {
        let items = || [("a", 2), ("b", 3), ("c", 9)].into_iter();
        let told = |marker: Option<&str>| page_within(items(), marker, None, 5, |bytes| *bytes).unwrap();
        let first = told(None);
        assert_eq!(
            (first.items.as_slice(), first.is_truncated()),
            (&[2, 3][..], true)
        );
        let second = told(first.marker.as_deref());
        assert_eq!(
            (second.items.as_slice(), second.is_truncated()),
            (&[9][..], false)
        );
    }
}
