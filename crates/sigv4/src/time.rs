//! The date of a request: ISO 8601 "basic format" in UTC, or an HTTP date.
//!
//! A calendar of a few lines stands here so that the crate needs no other; it covers the years 1970 to 9999.

use std::fmt;

const DAY_SECONDS: i64 = 86_400;
/// 9999-12-31T23:59:59Z.
const SECONDS_MAX: i64 = 253_402_300_799;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// When a request says that it was signed, to the second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestTime {
    /// Since 1970-01-01T00:00:00Z, 0 to the end of the year 9999.
    epoch_seconds: i64,
    /// `20150830T123600Z`.
    text: [u8; 16],
}

impl RequestTime {
    /// The time that many seconds after 1970-01-01T00:00:00Z, brought into the years 1970 to 9999.
    #[must_use]
    pub fn from_epoch_seconds(epoch_seconds: i64) -> Self {
        let epoch_seconds = epoch_seconds.clamp(0, SECONDS_MAX);
        let (year, month, day) = civil(epoch_seconds / DAY_SECONDS);
        let second = epoch_seconds % DAY_SECONDS;
        let mut text = *b"00000000T000000Z";
        let fields = [
            (year / 100, 0),
            (year % 100, 2),
            (month, 4),
            (day, 6),
            (second / 3600, 9),
            (second / 60 % 60, 11),
            (second % 60, 13),
        ];
        for (number, at) in fields {
            if let Some([tens, ones]) = text.get_mut(at..at + 2) {
                *tens = digit(number / 10);
                *ones = digit(number);
            }
        }
        Self { epoch_seconds, text }
    }

    /// Reads `20150830T123600Z`; nothing else, and no date that the calendar does not have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
        if bytes.get(8) != Some(&b'T') || bytes.get(15) != Some(&b'Z') {
            return None;
        }
        let field = |from: usize, to: usize| number(text.get(from..to)?);
        let days = days_since_epoch(field(0, 4)?, field(4, 6)?, field(6, 8)?)?;
        Self::of(days, field(9, 11)?, field(11, 13)?, field(13, 15)?)
    }

    /// Reads `Sun, 30 Aug 2015 12:36:00 GMT`, the form that HTTP prefers for its `Date` header.
    ///
    /// Source: RFC 9110, 5.6.7.
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(", ")?;
        let mut words = rest.split(' ');
        let day = number(words.next()?)?;
        let month_name = words.next()?;
        let month = (1..).zip(MONTHS).find(|(_, name)| *name == month_name)?.0;
        let year = number(words.next()?)?;
        let mut clock = words.next()?.split(':');
        let (hour, minute, second) = (
            number(clock.next()?)?,
            number(clock.next()?)?,
            number(clock.next()?)?,
        );
        if words.next() != Some("GMT") || words.next().is_some() || clock.next().is_some() {
            return None;
        }
        Self::of(days_since_epoch(year, month, day)?, hour, minute, second)
    }

    fn of(days: i64, hour: i64, minute: i64, second: i64) -> Option<Self> {
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Self::from_epoch_seconds(
            days * DAY_SECONDS + hour * 3600 + minute * 60 + second,
        ))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn epoch_seconds(&self) -> i64 {
        self.epoch_seconds
    }

    /// `20150830T123600Z`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// `20150830`, the date that the credential scope must have.
    #[must_use]
    pub fn date(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }
}

impl fmt::Display for RequestTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn digit(number: i64) -> u8 {
    b'0' + u8::try_from(number.rem_euclid(10)).unwrap_or_default()
}

fn number(text: &str) -> Option<i64> {
    let decimal = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if decimal { text.parse().ok() } else { None }
}

/// Days from 1970-01-01, for the proleptic Gregorian calendar; `None` for a date that does not exist.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The year is taken to begin in March, so that the leap day is its last.
    let march_year = if month <= 2 { year - 1 } else { year };
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let days =
        march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + day_of_year - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

/// Year, month and day of that many days after 1970-01-01 (not negative).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_format_is_read_and_written() {
        let time = RequestTime::parse("20150830T123600Z").unwrap();
        assert_eq!(time.epoch_seconds(), 1_440_938_160);
        assert_eq!(
            RequestTime::from_epoch_seconds(1_440_938_160).as_str(),
            "20150830T123600Z"
        );
        assert_eq!(time.date(), "20150830");
    }

    #[test]
    fn every_day_of_the_calendar_is_read_as_it_is_written() {
        for day in 0..365 * 500 {
            let time = RequestTime::from_epoch_seconds(day * DAY_SECONDS + 43_210);
            assert_eq!(RequestTime::parse(time.as_str()), Some(time));
        }
    }

    #[test]
    fn http_date_is_read() {
        let time = RequestTime::parse_http_date("Sun, 30 Aug 2015 12:36:00 GMT");
        assert_eq!(time, RequestTime::parse("20150830T123600Z"));
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "20150230T000000Z",
            "20151301T000000Z",
            "20150001T000000Z",
            "20150100T000000Z",
            "20150101T240000Z",
            "20150101T006000Z",
            "20150101T000060Z",
            "19690101T000000Z",
            "2015-08-30T12:36Z",
            "20150830T123600z",
            "+0150830T123600Z",
            "",
            "20150830T1236000Z",
        ] {
            assert_eq!(RequestTime::parse(text), None, "{text}");
        }
        assert!(RequestTime::parse("20160229T000000Z").is_some());
        assert!(RequestTime::parse("21000229T000000Z").is_none());
    }
}
