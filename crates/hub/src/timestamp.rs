//! A moment, as told by the caller.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// A moment in UTC, to the millisecond. The engine never reads a clock; the embedding server tells the time,
/// best as a monotonic clock added to the wall time of its start, so that it never steps back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_milliseconds: u64,
}

impl Timestamp {
    /// The moment this many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_milliseconds(unix_milliseconds: u64) -> Self {
        Self { unix_milliseconds }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_milliseconds(self) -> u64 {
        self.unix_milliseconds
    }

    /// How long ago `earlier` was; nothing if it has yet to come.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.unix_milliseconds.saturating_sub(earlier.unix_milliseconds))
    }
}

/// As RFC 3339 writes it: `2026-11-23T01:02:03.456Z`. What comes after the year 9999 has no such form and is written as
/// the last moment of that year.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(as_text(&self.written()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(as_text(&self.written()))
    }
}

impl Timestamp {
    const LAST: u64 = 253_402_300_799_999;

    /// Digit by digit, for every message has one, and formatting seven numbers takes longer than all the rest of it.
    pub(crate) fn written(self) -> [u8; 24] {
        let milliseconds = self.unix_milliseconds.min(Self::LAST);
        let seconds = milliseconds / 1000;
        let (year, month, day) = civil_date(seconds / 86_400);
        let second_of_day = seconds % 86_400;
        let (hour, minute) = (second_of_day / 3600, second_of_day / 60 % 60);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (mut number, places) in [
            (year, 0..4),
            (month, 5..7),
            (day, 8..10),
            (hour, 11..13),
            (minute, 14..16),
            (second_of_day % 60, 17..19),
            (milliseconds % 1000, 20..23),
        ] {
            for place in text[places].iter_mut().rev() {
                *place = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
        text
    }
}

fn as_text(written: &[u8]) -> &str {
    std::str::from_utf8(written).unwrap_or_default()
}

/// The date of a day counted from 1970-01-01. Years begin in March here, so that the leap day is the last of the
/// year and the lengths of the months follow a straight line (153 days in five months).
fn civil_date(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + 719_468; // from 0000-03-01
    let era = days / 146_097; // 400 years
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_rfc_3339() {
        for (milliseconds, written) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_763_859_723_456, "2025-11-23T01:02:03.456Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_unix_milliseconds(milliseconds).to_string(), written);
        }
        let after = |milliseconds| Timestamp::from_unix_milliseconds(milliseconds).to_string();
        assert_eq!(after(Timestamp::LAST + 1), after(Timestamp::LAST));
        assert_eq!(after(u64::MAX), after(Timestamp::LAST));
    }
}
