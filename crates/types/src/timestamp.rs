//! Points in time.

use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// This much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// `2026-11-21T05:14:06Z`, whole seconds (ISO 8601).
    #[must_use]
    pub fn iso8601(self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        self.date_time().format(&format).unwrap_or_default()
    }

    /// `2026-11-21T05:14:06.123Z`.
    #[must_use]
    pub fn iso8601_millis(self) -> String {
        let format =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        self.date_time().format(&format).unwrap_or_default()
    }

    /// `20261121T051406Z`, the form that signatures use.
    #[must_use]
    pub fn iso8601_basic(self) -> String {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        self.date_time().format(&format).unwrap_or_default()
    }

    /// Reads an ISO 8601 time with offset or `Z`; `None` when it is not one or lies before the epoch.
    #[must_use]
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(at.unix_timestamp_nanos() / 1_000_000)
            .ok()
            .map(Self)
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn a_time_is_written_as_aws_writes_it() {
        let at = Timestamp::from_millis(1_795_238_046_123);
        assert_eq!(at.iso8601(), "2026-11-21T05:14:06Z");
        assert_eq!(at.iso8601_millis(), "2026-11-21T05:14:06.123Z");
        assert_eq!(at.iso8601_basic(), "20261121T051406Z");
    }

    #[test]
    fn a_written_time_reads_back() {
        let at = Timestamp::from_millis(1_795_238_046_123);
        assert_eq!(Timestamp::parse_iso8601(&at.iso8601_millis()), Some(at));
        assert_eq!(Timestamp::parse_iso8601("yesterday"), None);
    }
}
