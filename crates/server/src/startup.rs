//! What the operator reads at start, on standard output.

use crate::config::ServeSettings;
use crate::tls::Tls;
use bulla_types::AccountId;
use std::fmt::Write;
use std::net::SocketAddr;
use zeroize::Zeroizing;

/// What the first start made; told once and never again.
pub(crate) struct FirstStart {
    /// The organization's id.
    pub(crate) organization: String,
    /// The management account.
    pub(crate) account: AccountId,
    /// The root access key's id.
    pub(crate) access_key_id: String,
    /// The root access key's secret.
    pub(crate) secret_access_key: Zeroizing<String>,
}

/// The message before the server accepts, without a final newline.
pub(crate) fn message(
    settings: &ServeSettings,
    addresses: &[SocketAddr],
    tls: &Tls,
    root_key: &str,
    keyring: &str,
    first: Option<&FirstStart>,
) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    // Writing to a string does not fail.
    let _ = write(&mut text, settings, addresses, tls, [root_key, keyring], first);
    text
}

/// The one line that says the server accepts connections.
pub(crate) fn ready(addresses: &[SocketAddr]) -> String {
    let urls: Vec<String> = addresses
        .iter()
        .flat_map(|address| [format!("https://{address}"), format!("http://{address}")])
        .collect();
    format!("bulla is ready on {}", urls.join(" and "))
}

/// The one line that says the server accepts connections and has to refuse requests.
pub(crate) fn waiting(addresses: &[SocketAddr]) -> String {
    ready(addresses).replacen("bulla is ready on", "bulla waits for its root key on", 1)
}

/// What the first start made, when it was told before that the root key is waited for.
pub(crate) fn late_first_start(first: &FirstStart) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n\
         # This is the root access key of account {}. It is not shown again.",
        first.access_key_id,
        first.secret_access_key.as_str(),
        first.account
    ))
}

fn write(
    text: &mut String,
    settings: &ServeSettings,
    addresses: &[SocketAddr],
    tls: &Tls,
    [root_key, keyring]: [&str; 2],
    first: Option<&FirstStart>,
) -> std::fmt::Result {
    writeln!(text, "bulla {}", env!("CARGO_PKG_VERSION"))?;
    if settings.open {
        writeln!(
            text,
            "  OPEN MODE  every access key is accepted and no signature is checked; for local tests only"
        )?;
    }
    let data = if settings.ephemeral {
        "in memory, gone at exit".to_owned()
    } else {
        absolute(&settings.data)
    };
    writeln!(text, "  data       {data}")?;
    writeln!(text, "  root key   {root_key}")?;
    writeln!(text, "  keyring    {keyring}")?;
    writeln!(text, "  TLS        {}", certificate(settings, tls))?;
    if let Some(first) = first {
        writeln!(
            text,
            "  made       organization {}, management account {}",
            first.organization, first.account
        )?;
    }
    writeln!(text)?;
    exports(text, settings, addresses, tls, first)
}

fn certificate(settings: &ServeSettings, tls: &Tls) -> String {
    match (&settings.tls_cert, &tls.ca_path) {
        (Some(path), _) => format!("certificate {}", absolute(path)),
        (None, Some(ca)) => format!("development CA {}", ca.display()),
        (None, None) => "development CA in memory; see /_bulla/ca.pem".to_owned(),
    }
}

fn exports(
    text: &mut String,
    settings: &ServeSettings,
    addresses: &[SocketAddr],
    tls: &Tls,
    first: Option<&FirstStart>,
) -> std::fmt::Result {
    let Some(address) = addresses.first() else {
        return Ok(());
    };
    let authority = local_authority(*address);
    // Without a file to trust, only plain HTTP works from here.
    let trusted = tls.ca_path.is_some() || tls.ca_pem.is_none();
    let scheme = if trusted { "https" } else { "http" };
    let endpoint = settings
        .public_url
        .clone()
        .unwrap_or_else(|| format!("{scheme}://{authority}"));
    writeln!(text, "export AWS_ENDPOINT_URL={endpoint}")?;
    if let Some(ca) = &tls.ca_path {
        writeln!(
            text,
            "export AWS_CA_BUNDLE={}",
            shell_word(&ca.display().to_string())
        )?;
    }
    // Version 1 of the AWS CLI reads the second name only.
    writeln!(
        text,
        "export AWS_REGION={0} AWS_DEFAULT_REGION={0}",
        settings.region
    )?;
    if let Some(first) = first {
        writeln!(text, "export AWS_ACCESS_KEY_ID={}", first.access_key_id)?;
        writeln!(
            text,
            "export AWS_SECRET_ACCESS_KEY={}",
            first.secret_access_key.as_str()
        )?;
        writeln!(
            text,
            "# This is the root access key of account {}. It is not shown again.",
            first.account
        )?;
    } else if settings.open {
        writeln!(
            text,
            "export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY=any",
            settings.open_account
        )?;
    }
    writeln!(
        text,
        "# Version 1 of the AWS CLI needs `--endpoint-url $AWS_ENDPOINT_URL` with sqs commands; it ignores the variable there."
    )
}

/// An address as a client of this machine writes it.
fn local_authority(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

fn absolute(path: &std::path::Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

/// A value as a POSIX shell reads it back.
fn shell_word(text: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'+' | b':');
    if text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{ready, shell_word};

    #[test]
    fn the_ready_line_names_every_address_twice() {
        let addresses = ["127.0.0.1:4566".parse().unwrap()];
        assert_eq!(
            ready(&addresses),
            "bulla is ready on https://127.0.0.1:4566 and http://127.0.0.1:4566"
        );
    }

    #[test]
    fn a_path_with_a_space_survives_the_shell() {
        assert_eq!(shell_word("/a/b.pem"), "/a/b.pem");
        assert_eq!(shell_word("/my data/it's"), "'/my data/it'\\''s'");
    }
}
