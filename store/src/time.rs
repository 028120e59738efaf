//! Points in time as the database keeps them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads the system's clock.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Reads a time of RFC 3339 that is still to come.
    pub fn future(text: &str) -> Option<Self> {
        let time: jiff::Timestamp = text.parse().ok()?;
        Some(Self(time.as_microsecond())).filter(|time| *time > Self::now())
    }

    /// Writes it as RFC 3339 does, in UTC; what is out of range is past the year 9999.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::MAX).to_string()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64)
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_micros(time.0.max(0) as u64)
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_micros() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        assert_eq!(Timestamp(784_111_777_000_000).rfc3339(), "1994-11-06T08:49:37Z");
        assert!(
            Timestamp::future("1994-11-06T08:49:37Z").is_none() && Timestamp::future("tomorrow").is_none()
        );
        assert!(Timestamp::future("9994-11-06T08:49:37+02:00").is_some());
        assert_eq!(Timestamp(784_111_777_250_000).rfc3339(), "1994-11-06T08:49:37.25Z");
    }
}
