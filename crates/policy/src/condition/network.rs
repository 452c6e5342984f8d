//! Address ranges (CIDR notation, RFC 4632 and RFC 4291): of `IpAddress` and `NotIpAddress`, and for whoever else must tell
//! addresses apart as they do.

use std::net::IpAddr;

/// A range of addresses of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `203.0.113.0/24`, `2001:db8::/32` or a single address. Bits after the prefix are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().ok()?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
        };
        (prefix <= longest).then_some(Self { base, prefix })
    }

    /// Whether `address` lies in the range; an IPv4-mapped IPv6 address counts as the IPv4 address it carries.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differing = base.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differing = base.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network)
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn ranges_hold_first_and_last_address_and_no_other() {
        assert!(contains("203.0.113.0/25", "203.0.113.0"));
        assert!(contains("203.0.113.0/25", "203.0.113.127"));
        assert!(!contains("203.0.113.0/25", "203.0.113.128"));
        assert!(contains("0.0.0.0/0", "8.8.8.8"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "2001:db8::1"));
        assert!(contains("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:ffff::1"));
        assert!(!contains("2001:db8:1234:5678::/64", "2001:db8:1234:5679::1"));
        assert!(contains("203.0.113.10", "::ffff:203.0.113.10"));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "10.0.0/8",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "::/129",
            "10.0.0.*",
            "example.com",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
