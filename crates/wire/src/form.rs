//! `application/x-www-form-urlencoded` and URL query strings (WHATWG URL Standard, section 5.1).

use crate::malformed::Malformed;
use std::borrow::Cow;

/// How many parameters one request may have. The widest AWS batch needs some hundreds.
pub const FORM_PARAMETERS_MAX: usize = 10_000;

/// The parameters of a request in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form<'a> {
    pub(crate) pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Form<'a> {
    /// Parameters of `text`.
    ///
    /// # Errors
    /// [`Malformed::Syntax`] for a percent sign without two hexadecimal digits, for bytes that are not UTF-8 and
    /// for more than [`FORM_PARAMETERS_MAX`] parameters.
    pub fn parse(text: &'a [u8]) -> Result<Self, Malformed> {
        let mut form = Self::default();
        form.append(text)?;
        Ok(form)
    }

    /// Adds the parameters of `text` behind those that are there.
    ///
    /// # Errors
    /// As [`Form::parse`].
    pub fn append(&mut self, text: &'a [u8]) -> Result<(), Malformed> {
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if self.pairs.len() >= FORM_PARAMETERS_MAX {
                return Err(Malformed::syntax("The request has too many parameters."));
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            self.pairs.push((name, value));
        }
        Ok(())
    }

    /// The last value of that name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_ref())
    }

    /// Whether there is no parameter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Name and value in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// Undoes `%41` and `+`.
fn decode(text: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let bad = || Malformed::syntax("The query string contains a syntax error.");
    if !text
        .iter()
        .fold(false, |found, byte| found | matches!(byte, b'%' | b'+'))
    {
        return std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| bad());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = bytes.next().copied().and_then(hex_digit).ok_or_else(bad)?;
                let low = bytes.next().copied().and_then(hex_digit).ok_or_else(bad)?;
                (high << 4) | low
            }
            plain => *plain,
        });
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| bad())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
