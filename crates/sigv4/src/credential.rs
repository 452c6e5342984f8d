//! The credential of a request: who signed, and the scope that the signing key was derived for.

use std::borrow::Cow;
use std::fmt;

/// `access-key-id/date/region/service/aws4_request`, as a request names it.
///
/// The five parts are present, the access key id is not empty; what the parts say is not checked here.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential<'a> {
    text: Cow<'a, str>,
    /// Byte positions of the four slashes.
    slashes: [usize; 4],
}

impl<'a> Credential<'a> {
    /// Splits at the slashes; gives the text back if there are not exactly five parts or the first is empty.
    pub(crate) fn parse(text: Cow<'a, str>) -> Result<Self, Cow<'a, str>> {
        match slashes(&text) {
            Some(slashes) => Ok(Self { text, slashes }),
            None => Err(text),
        }
    }

    /// All five parts as the request names them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The access key id, for instance `AKIDEXAMPLE`.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        let [first, ..] = self.slashes;
        self.text.get(..first).unwrap_or_default()
    }

    /// The date of the scope, `YYYYMMDD` when it is well-formed.
    #[must_use]
    pub fn date(&self) -> &str {
        let [from, to, ..] = self.slashes;
        self.between(from, to)
    }

    /// The region of the scope.
    #[must_use]
    pub fn region(&self) -> &str {
        let [_, from, to, _] = self.slashes;
        self.between(from, to)
    }

    /// The service of the scope, for instance `sqs`.
    #[must_use]
    pub fn service(&self) -> &str {
        let [.., from, to] = self.slashes;
        self.between(from, to)
    }

    /// The last part, `aws4_request` when it is well-formed.
    #[must_use]
    pub fn terminator(&self) -> &str {
        let [.., last] = self.slashes;
        self.text.get(last + 1..).unwrap_or_default()
    }

    /// All but the access key id: `date/region/service/aws4_request`.
    #[must_use]
    pub fn scope(&self) -> &str {
        let [first, ..] = self.slashes;
        self.text.get(first + 1..).unwrap_or_default()
    }

    /// The same, independent of the request's bytes.
    #[must_use]
    pub fn into_owned(self) -> Credential<'static> {
        Credential {
            text: Cow::Owned(self.text.into_owned()),
            slashes: self.slashes,
        }
    }

    fn between(&self, from: usize, to: usize) -> &str {
        self.text.get(from + 1..to).unwrap_or_default()
    }
}

/// Where the four slashes are, the first not at the beginning.
fn slashes(text: &str) -> Option<[usize; 4]> {
    let mut slashes = [0; 4];
    let mut found = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'/')
        .map(|(at, _)| at);
    for slash in &mut slashes {
        *slash = found.next()?;
    }
    let [first, ..] = slashes;
    (found.next().is_none() && first > 0).then_some(slashes)
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.text)
    }
}
