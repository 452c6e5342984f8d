//! Queue URLs: `scheme://host[:port]/account/name`, under whatever host the client used.

use super::errors::SqsError;
use super::queue::{Queue, QueueKey};
use bulla_gate::Call;
use bulla_types::{AccountId, QueueName, Region};

/// The queue that a URL names. The host is not looked at; the region is that of the signature.
pub(crate) fn parse(url: &str, region: Region) -> Result<QueueKey, SqsError> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url.trim_start_matches('/'),
    };
    let invalid = || SqsError::InvalidAddress(url.to_owned());
    let mut parts = path.trim_end_matches('/').split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(account), Some(name), None) => {
            let account = AccountId::parse(account).map_err(|_| invalid())?;
            let name = QueueName::parse(name).map_err(|_| SqsError::QueueDoesNotExist)?;
            Ok(QueueKey {
                account,
                region,
                name,
            })
        }
        _ => Err(invalid()),
    }
}

impl Queue {
    /// The queue's URL under the host that the client used.
    pub(crate) fn url(&self, call: &Call<'_>) -> String {
        format!("{}/{}/{}", call.endpoint(), self.key.account, self.key.name)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use bulla_types::Region;

    fn name(url: &str) -> Option<String> {
        parse(url, Region::parse("us-east-1").unwrap())
            .ok()
            .map(|key| format!("{}/{}", key.account, key.name))
    }

    #[test]
    fn a_queue_url_under_any_host_names_its_queue() {
        for host in [
            "https://localhost:4566",
            "http://127.0.0.1",
            "https://sqs.us-east-1.amazonaws.com",
        ] {
            let url = format!("{host}/123456789012/orders");
            assert_eq!(name(&url).as_deref(), Some("123456789012/orders"), "{url}");
        }
    }

    #[test]
    fn a_text_that_is_no_queue_url_is_refused() {
        for url in [
            "",
            "orders",
            "https://host",
            "https://host/orders",
            "https://host/1/orders",
            "https://h/123456789012/a/b",
        ] {
            assert_eq!(name(url), None, "{url}");
        }
    }
}
