//! The settings of networks: subnets in which VPC endpoints listen, trusted proxies, clients' certificates.

use bulla_policy::Network;
use bulla_services::ec2::{self, Subnet};
use bulla_types::{AccountId, Region, SubnetId, VpcId};
use clap::Args;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Where requests come from besides the server's own addresses.
#[derive(Args, Clone, Debug, Default)]
pub struct NetworkSettings {
    /// Where VPC endpoints may listen: `subnet-0a1b2c3d,vpc=vpc-0a1b2c3d,address=10.0.0.1,ports=8450-8459`, and maybe
    /// `account=` (else any), `region=` (else us-east-1), `cert=FILE,key=FILE` (else the server's); may be repeated.
    #[arg(long, value_name = "SUBNET", env = "BULLA_SUBNET", hide_env_values = true)]
    #[arg(value_delimiter = ';', value_parser = parse_subnet)]
    pub subnet: Vec<SubnetSetting>,

    /// Addresses of proxies (10.0.0.5 or 10.0.0.0/24) whose connections begin with a PROXY protocol header, version
    /// 2, that names the client; nobody else's header is believed; may be repeated.
    #[arg(
        long,
        value_name = "ADDRESS[/BITS]",
        env = "BULLA_PROXY_PROTOCOL_FROM",
        hide_env_values = true
    )]
    #[arg(value_delimiter = ',', value_parser = parse_addresses)]
    pub proxy_protocol_from: Vec<Network>,

    /// Serve only clients with a certificate of one of these authorities, PEM; nothing is answered in the clear then.
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_TLS_CLIENT_CA",
        hide_env_values = true
    )]
    pub tls_client_ca: Option<PathBuf>,

    /// Certificates that those authorities have revoked, PEM; read at start.
    #[arg(
        long,
        value_name = "FILE",
        env = "BULLA_TLS_CLIENT_CRL",
        hide_env_values = true
    )]
    #[arg(requires = "tls_client_ca")]
    pub tls_client_crl: Option<PathBuf>,
}

impl NetworkSettings {
    /// All subnets.
    ///
    /// # Errors
    /// What contradicts what.
    pub fn network(&self) -> Result<ec2::Network, String> {
        ec2::Network::new(self.subnet.iter().map(|setting| setting.subnet.clone()).collect())
    }

    /// Whether a peer is a proxy whose header is believed.
    #[must_use]
    pub fn is_proxy(&self, peer: IpAddr) -> bool {
        self.proxy_protocol_from
            .iter()
            .any(|addresses| addresses.contains(peer))
    }
}

/// A subnet and the certificate of its endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetSetting {
    /// The subnet.
    pub subnet: Subnet,
    /// Certificate chain and private key, PEM, if not the server's.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

fn parse_subnet(text: &str) -> Result<SubnetSetting, String> {
    let (id, members) = text.split_once(',').unwrap_or((text, ""));
    let (mut vpc, mut account, mut address, mut ports) = (None, None, None, None);
    let (mut region, mut cert, mut key) = (None, None, None);
    for member in members.split(',').filter(|member| !member.is_empty()) {
        let (name, value) = member
            .split_once('=')
            .ok_or_else(|| format!("`{member}` has no value"))?;
        let place = match name.trim() {
            "vpc" => &mut vpc,
            "account" => &mut account,
            "address" => &mut address,
            "ports" => &mut ports,
            "region" => &mut region,
            "cert" => &mut cert,
            "key" => &mut key,
            other => return Err(format!("a subnet has no `{other}`")),
        };
        if place.replace(value).is_some() {
            return Err(format!("`{}` is there twice", name.trim()));
        }
    }
    let needed = |name: &str, value: Option<&str>| {
        value
            .map(str::to_owned)
            .ok_or_else(|| format!("`{name}=` is missing"))
    };
    let parsed = |error: bulla_types::InvalidName| error.to_string();
    let address = needed("address", address)?;
    Ok(SubnetSetting {
        subnet: Subnet {
            id: SubnetId::parse(id.trim()).map_err(parsed)?,
            vpc: VpcId::parse(&needed("vpc", vpc)?).map_err(parsed)?,
            account: account.map(AccountId::parse).transpose().map_err(parsed)?,
            region: Region::parse(region.unwrap_or("us-east-1")).map_err(parsed)?,
            address: parse_address(&address)?,
            ports: parse_ports(&needed("ports", ports)?)?,
        },
        certificate: match (cert, key) {
            (Some(cert), Some(key)) => Some((cert.into(), key.into())),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err("`cert=` and `key=` go together".to_owned()),
        },
    })
}

/// One address: an endpoint's must be known, for its certificate and its clients.
fn parse_address(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text
        .parse()
        .map_err(|_| format!("`{text}` is not an IP address"))?;
    if address.is_unspecified() {
        return Err(format!("`{text}` stands for many addresses; name one"));
    }
    Ok(address)
}

/// `8450-8459` or `8450`.
fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => Err(format!("`{text}` is not a range of ports such as 8450-8459")),
    }
}

fn parse_addresses(text: &str) -> Result<Network, String> {
    Network::parse(text).ok_or_else(|| {
        format!("`{text}` is not an address, or an address and a number of bits such as 10.0.0.0/24")
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_addresses, parse_subnet};

    const SUBNET: &str =
        "subnet-0a1b2c3d,vpc=vpc-0a1b2c3d,account=111122223333,address=10.0.0.1,ports=8450-8459";

    #[test]
    fn a_subnet_is_read_with_all_that_is_said_of_it() {
        let setting = parse_subnet(&format!("{SUBNET},region=eu-central-1,cert=/c.pem,key=/k.pem")).unwrap();
        assert_eq!(setting.subnet.region.as_str(), "eu-central-1");
        assert_eq!(setting.subnet.ports, 8450..=8459);
        assert_eq!(setting.certificate.unwrap().1.to_str(), Some("/k.pem"));
    }

    #[test]
    fn a_subnet_that_lacks_or_repeats_or_mistakes_something_is_refused_by_name() {
        for (text, reason) in [
            (SUBNET.replace(",ports=8450-8459", ""), "`ports=` is missing"),
            (
                SUBNET.replace("8450-8459", "8459-8450"),
                "is not a range of ports",
            ),
            (SUBNET.replace("8450", "0"), "is not a range of ports"),
            (format!("{SUBNET},vpc=vpc-0a1b2c3d"), "`vpc` is there twice"),
            (format!("{SUBNET},colour=red"), "a subnet has no `colour`"),
            (format!("{SUBNET},cert=/c.pem"), "`cert=` and `key=` go together"),
            (SUBNET.replace("10.0.0.1", "here"), "`here` is not an IP address"),
            (SUBNET.replace("10.0.0.1", "0.0.0.0"), "stands for many addresses"),
            (SUBNET.replace("subnet-0", "net-0"), "subnet id"),
        ] {
            let refused = parse_subnet(&text).unwrap_err();
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }

    #[test]
    fn what_is_no_range_of_addresses_is_refused() {
        assert!(parse_addresses("10.0.0.0/24").is_ok());
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0/24",
            "10.0.0.0/",
            "::/129",
            "example.com",
        ] {
            assert!(parse_addresses(wrong).is_err(), "{wrong}");
        }
    }
}
