//! Signatures: nothing made up verifies, what was signed does, and what was changed afterwards does not.
#![no_main]

use bulla_sigv4::{Payload, Presented, RequestHead, Secret, ServiceRules, Signer};

const SECRET: &str = "secret";
const NOW: i64 = 1_795_239_000;

#[derive(Clone)]
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Lines: method, path, query, headers until an empty line; then the body.
    fn parse(data: &'a [u8]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n")?;
        let body = &data[end + 2..];
        let mut lines = data[..end].split(|byte| *byte == b'\n');
        let mut text = || std::str::from_utf8(lines.next()?).ok();
        let (method, path, query) = (text()?, text()?, text()?.to_owned());
        let mut headers = Vec::new();
        for line in lines {
            let at = line.iter().position(|byte| *byte == b':')?;
            let name = std::str::from_utf8(&line[..at]).ok()?;
            headers.push((name.to_owned(), line[at + 1..].to_vec()));
        }
        Some(Self {
            method,
            path,
            query,
            headers,
            body,
        })
    }

    fn head(&self) -> RequestHead<'_, impl Iterator<Item = (&str, &[u8])>> {
        RequestHead {
            method: self.method,
            path: self.path,
            query: &self.query,
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_slice())),
        }
    }

    fn verifies(&self, rules: &ServiceRules<'_>) -> bool {
        Presented::parse(self.head()).is_ok_and(|presented| {
            let payload = Payload::Bytes(self.body);
            presented
                .verify(Secret::AccessKey(SECRET.as_bytes()), rules, &payload, NOW)
                .is_ok()
        })
    }

    /// Whether a client could send it and the signer has not been told to sign what it adds itself.
    fn is_signable(&self) -> bool {
        let token = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let plain = |(name, _): &(String, Vec<u8>)| {
            let name = name.to_ascii_lowercase();
            token(&name) && name != "host" && name != "authorization" && !name.starts_with("x-amz-")
        };
        let line = |text: &str| text.bytes().all(|byte| (0x21..0x7F).contains(&byte));
        token(self.method)
            && self.path.starts_with('/')
            && line(self.path)
            && !self.path.contains(['?', '#'])
            && line(&self.query)
            && !self.query.to_ascii_lowercase().contains("amz")
            && !self.query.contains('%')
            && self.headers.iter().all(plain)
            && self
                .headers
                .iter()
                .all(|(_, value)| value.iter().all(|byte| *byte >= 0x20))
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let rules = if choice & 1 == 0 {
        ServiceRules::standard("sqs")
    } else {
        ServiceRules::s3()
    };
    let Some(request) = Request::parse(data) else {
        return;
    };
    assert!(!request.verifies(&rules), "made up");
    if !request.is_signable() {
        return;
    }
    let mut signed = request.clone();
    signed
        .headers
        .push(("Host".to_owned(), b"localhost:4566".to_vec()));
    let mut signer = Signer::new(
        "AKID",
        SECRET,
        (choice & 2 == 0).then_some("a/token+"),
        "eu-west-1",
        rules,
    );
    let presign = choice & 4 == 0;
    if presign {
        signed.query = signer.presign(signed.head(), &Payload::Bytes(signed.body), NOW, 60);
    } else {
        let added = signer.sign(signed.head(), &Payload::Bytes(signed.body), NOW);
        let added: Vec<_> = added
            .iter()
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect();
        signed.headers.extend(added);
    }
    assert!(signed.verifies(&rules), "signed");
    let mut changed = signed.clone();
    changed.query.push_str("&changed=1");
    assert!(!changed.verifies(&rules), "another query");
    let longer = [signed.body, b"x"].concat();
    let changed = Request {
        body: &longer,
        ..signed.clone()
    };
    assert!(
        !changed.verifies(&rules) || (rules.unsigned_payload && presign),
        "another body"
    );
    let changed = Request {
        method: "CHANGED",
        ..signed
    };
    assert!(
        !changed.verifies(&rules) || request.method == "CHANGED",
        "another method"
    );
});
