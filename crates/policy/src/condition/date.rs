//! Points in time of `Date*` operators.
//!
//! Policies and contexts write W3C date-times (a profile of ISO 8601: from `2026` to `2026-11-21T10:00:00.5+01:00`)
//! or seconds since 1970. Source: IAM User Guide, "Date condition operators".
//! A time without zone is read as UTC. Proleptic Gregorian calendar, years 0001 to 9999.

use std::fmt;

/// A point in time: seconds since 1970 and nanoseconds within that second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    seconds: i64,
    nanoseconds: u32,
}

impl Moment {
    pub(crate) const fn from_seconds(seconds: i64) -> Self {
        Self {
            seconds,
            nanoseconds: 0,
        }
    }

    /// Reads either form. Four digits alone are a year.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (epoch, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = epoch.strip_prefix('-').unwrap_or(epoch);
        if digits.len() != 4 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = epoch.parse().ok()?;
            return Some(Self {
                seconds,
                nanoseconds: nanoseconds(fraction)?,
            });
        }
        calendar(text)
    }
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn eat(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    fn number(&mut self, digits: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let head = self
            .0
            .get(..digits)
            .filter(|head| head.bytes().all(|byte| byte.is_ascii_digit()))?;
        let number = head.parse().ok()?;
        self.0 = self.0.get(digits..)?;
        range.contains(&number).then_some(number)
    }
}

fn calendar(text: &str) -> Option<Moment> {
    let mut cursor = Cursor(text);
    let year = cursor.number(4, 1..=9999)?;
    let (mut month, mut day) = (1, 1);
    if cursor.eat('-').is_some() {
        month = cursor.number(2, 1..=12)?;
        if cursor.eat('-').is_some() {
            day = cursor.number(2, 1..=days_in_month(year, month))?;
        } else if !cursor.0.is_empty() {
            return None;
        }
    }
    let midnight = days_since_1970(year, month, day).checked_mul(86_400)?;
    if cursor.0.is_empty() {
        return Some(Moment::from_seconds(midnight));
    }
    if cursor.eat('T').is_none() {
        cursor.eat('t')?;
    }
    let hours = cursor.number(2, 0..=23)?;
    cursor.eat(':')?;
    let minutes = cursor.number(2, 0..=59)?;
    let mut seconds = 0;
    let mut nanos = 0;
    if cursor.eat(':').is_some() {
        seconds = cursor.number(2, 0..=60)?;
        if cursor.eat('.').is_some() {
            let end = cursor
                .0
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(cursor.0.len());
            let (fraction, rest) = cursor
                .0
                .split_at_checked(end)
                .filter(|(fraction, _)| !fraction.is_empty())?;
            nanos = nanoseconds(fraction)?;
            cursor.0 = rest;
        }
    }
    let offset = zone(&mut cursor)?;
    let total = midnight + hours * 3_600 + minutes * 60 + seconds - offset;
    Some(Moment {
        seconds: total,
        nanoseconds: nanos,
    })
}

/// Seconds east of UTC; nothing may follow.
fn zone(cursor: &mut Cursor<'_>) -> Option<i64> {
    if matches!(cursor.0, "" | "Z" | "z") {
        return Some(0);
    }
    let sign = if cursor.eat('+').is_some() {
        1
    } else {
        cursor.eat('-')?;
        -1
    };
    let hours = cursor.number(2, 0..=23)?;
    let _optional = cursor.eat(':');
    let minutes = cursor.number(2, 0..=59)?;
    cursor
        .0
        .is_empty()
        .then_some(sign * (hours * 3_600 + minutes * 60))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, by counting in years that begin in March and eras of 400 years.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Writes seconds since 1970 as `2026-11-21T10:00:00Z`.
pub(crate) fn write(seconds: i64, to: &mut impl fmt::Write) -> fmt::Result {
    let days = seconds.div_euclid(86_400) + 719_468;
    let of_day = seconds.rem_euclid(86_400);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hours, minutes, rest) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    write!(
        to,
        "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{rest:02}Z"
    )
}

#[cfg(test)]
mod tests {
    use super::{Moment, write};

    #[test]
    fn both_forms_name_the_same_moment() {
        let expected = Some(Moment::from_seconds(1_795_255_200));
        for text in [
            "1795255200",
            "2026-11-21T10:00:00Z",
            "2026-11-21T10:00Z",
            "2026-11-21T11:30:00+01:30",
            "2026-11-21T10:00:00.000Z",
        ] {
            assert_eq!(Moment::parse(text), expected, "{text}");
        }
        assert_eq!(Moment::parse("2026"), Moment::parse("2026-01-01T00:00:00Z"));
        assert_eq!(Moment::parse("2024-02-29"), Moment::parse("2024-02-29T00:00:00Z"));
        assert!(Moment::parse("2026-11-21T10:00:00.1Z") > expected);
        assert_eq!(Moment::parse("1970-01-01"), Moment::parse("0"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-29",
            "2026-11-21T25:00:00Z",
            "2026-11-21T10:00:00Zz",
            "21.11.2026",
            "2026-11-21 10:00",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn formatting_and_reading_agree() {
        for seconds in [0, -1, 951_782_400, 1_795_255_200, 4_102_444_799, -2_208_988_800] {
            let mut text = String::new();
            write(seconds, &mut text).unwrap();
            assert_eq!(
                Moment::parse(&text),
                Some(Moment::from_seconds(seconds)),
                "{seconds}"
            );
        }
    }
}
