//! Numbers of `Numeric*` operators: exact decimals, because `10` equals `10.0` and 2^53 + 1 is not 2^53.

/// Decimal places kept.
const PLACES: u32 = 12;
const SCALE: i128 = 1_000_000_000_000;
/// Digits before the point: keeps the scaled number far inside `i128`.
const DIGITS_MAX: usize = 24;

/// A number scaled by 10^12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

impl Decimal {
    pub(crate) fn from_integer(number: i64) -> Self {
        Self(i128::from(number).saturating_mul(SCALE))
    }

    /// Reads an integer or decimal with an optional sign and exponent; `None` when it is no number or too long.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let ends_in_point = unsigned.ends_with('.');
        if (whole.is_empty() && fraction.is_empty()) || !plain(whole) || !plain(fraction) || ends_in_point {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let digits = whole.bytes().chain(fraction.bytes());
        let mut number = 0_i128;
        for (count, digit) in digits.skip_while(|digit| *digit == b'0').enumerate() {
            if count >= DIGITS_MAX {
                return None;
            }
            number = number * 10 + i128::from(digit - b'0');
        }
        let places = i32::try_from(PLACES).ok()?;
        let shift = places
            .checked_add(exponent)?
            .checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let scaled = if number == 0 {
            0
        } else if shift >= 0 {
            number.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?)?
        } else {
            let divisor = 10_i128.checked_pow(shift.unsigned_abs())?;
            (number % divisor == 0).then_some(number / divisor)?
        };
        Some(Self(if negative { -scaled } else { scaled }))
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn numbers_compare_by_value_and_not_by_text() {
        assert_eq!(Decimal::parse("10"), Decimal::parse("10.000"));
        assert_eq!(Decimal::parse("1e3"), Decimal::parse("1000"));
        assert_eq!(Decimal::parse("-0"), Decimal::parse("0"));
        assert!(Decimal::parse("9") < Decimal::parse("10"));
        assert!(Decimal::parse("9007199254740992") < Decimal::parse("9007199254740993"));
        assert_eq!(Some(Decimal::from_integer(7)), Decimal::parse("7"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            "1x",
            "0x10",
            "1e999999999999",
            "99999999999999999999999999999",
            "NaN",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
