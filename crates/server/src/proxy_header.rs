//! The header of the PROXY protocol, version 2, by which a proxy says who is behind a connection.
//!
//! It is read of peers that the operator named, and of them it is demanded; of others a header is a wrong request like
//! any other. It says an address and nothing more: whether the client's connection was TLS, or came by a VPC endpoint, is
//! believed of our own sockets only.
//!
//! Source: "The PROXY protocol", versions 1 and 2, section 2.2 (haproxy.org, read 2026-11-21).

use std::io::{Error, ErrorKind};
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What every header begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED_BYTES: usize = 16;
/// The longest header that is read after its fixed part, bytes: addresses take 216, the rest are extensions.
const REST_BYTES_MAX: usize = 4096;

/// The client's address, or `None` when the proxy speaks for itself or has none to tell.
///
/// # Errors
/// When the connection does not begin with a header, and those of reading.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<IpAddr>> {
    let mut fixed = [0; FIXED_BYTES];
    stream.read_exact(&mut fixed).await?;
    let (signature, [command, family, high, low]) = split(fixed);
    let length = usize::from(u16::from_be_bytes([high, low]));
    if signature != SIGNATURE || command >> 4 != 2 || length > REST_BYTES_MAX {
        return Err(invalid(
            "the connection of a proxy does not begin with a PROXY header of version 2",
        ));
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match command & 0x0f {
        // The proxy's own connection, a health check.
        0 => Ok(None),
        1 => source(family, &rest),
        _ => Err(invalid("a PROXY header has an unknown command")),
    }
}

fn split(fixed: [u8; FIXED_BYTES]) -> ([u8; 12], [u8; 4]) {
    let [
        s0,
        s1,
        s2,
        s3,
        s4,
        s5,
        s6,
        s7,
        s8,
        s9,
        s10,
        s11,
        command,
        family,
        high,
        low,
    ] = fixed;
    (
        [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11],
        [command, family, high, low],
    )
}

/// The first address of the block: the client's.
fn source(family: u8, rest: &[u8]) -> std::io::Result<Option<IpAddr>> {
    let short = || invalid("a PROXY header is shorter than its addresses");
    match family >> 4 {
        // IPv4: two addresses, two ports.
        1 if rest.len() >= 12 => {
            let octets: [u8; 4] = *rest.first_chunk().ok_or_else(short)?;
            Ok(Some(octets.into()))
        }
        2 if rest.len() >= 36 => {
            let octets: [u8; 16] = *rest.first_chunk().ok_or_else(short)?;
            Ok(Some(IpAddr::from(octets).to_canonical()))
        }
        1 | 2 => Err(short()),
        // Unspecified, or a Unix socket: the receiver goes by the connection itself.
        0 | 3 => Ok(None),
        _ => Err(invalid("a PROXY header has an unknown family of addresses")),
    }
}

fn invalid(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::{REST_BYTES_MAX, SIGNATURE, read};
    use proptest::prelude::*;
    use std::net::IpAddr;

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    fn read_now(mut bytes: &[u8]) -> (std::io::Result<Option<IpAddr>>, usize) {
        let before = bytes.len();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let address = runtime.block_on(read(&mut bytes));
        (address, before - bytes.len())
    }

    #[test]
    fn the_clients_address_is_taken_and_what_follows_the_header_is_left() {
        let v4 = [203, 0, 113, 9, 10, 0, 0, 1, 0x30, 0x39, 0x11, 0xd6];
        let sent = [header(0x21, 0x11, &v4), b"GET / HTTP/1.1".to_vec()].concat();
        let (address, taken) = read_now(&sent);
        assert_eq!(address.unwrap(), Some("203.0.113.9".parse().unwrap()));
        assert_eq!(taken, 28);
    }

    #[test]
    fn an_address_of_version_six_and_extensions_are_understood() {
        let client: IpAddr = "2001:db8::9".parse().unwrap();
        let IpAddr::V6(octets) = client else {
            unreachable!()
        };
        let mut rest = octets.octets().to_vec();
        rest.extend([0; 20]);
        // A VPC endpoint's id as a load balancer of AWS would add it, which is not believed.
        rest.extend(b"\xea\x00\x06\x01vpce-");
        assert_eq!(read_now(&header(0x21, 0x21, &rest)).0.unwrap(), Some(client));
    }

    #[test]
    fn a_proxy_that_speaks_for_itself_has_no_client() {
        assert_eq!(read_now(&header(0x20, 0, &[])).0.unwrap(), None);
        assert_eq!(read_now(&header(0x21, 0x31, &[0; 216])).0.unwrap(), None);
    }

    #[test]
    fn what_is_not_a_whole_header_of_version_two_is_refused() {
        for wrong in [
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n".to_vec(),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            header(0x11, 0x11, &[0; 12]),
            header(0x22, 0x11, &[0; 12]),
            header(0x21, 0x11, &[0; 11]),
            header(0x21, 0x41, &[0; 36]),
            header(0x21, 0x11, &vec![0; REST_BYTES_MAX + 1]),
            header(0x21, 0x11, &[0; 12])[..20].to_vec(),
        ] {
            assert!(read_now(&wrong).0.is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_take_more_than_a_header(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            let sent = [&SIGNATURE[..], &bytes].concat();
            let (_, taken) = read_now(&sent);
            let longest = 16 + sent.get(14..16).map_or(0, |length| usize::from(length[0]) * 256 + usize::from(length[1]));
            prop_assert!(taken <= longest.min(sent.len()).max(16.min(sent.len())));
        }
    }
}
