//! Durations: decimal seconds or `off` on the command line, and how they are shown.

use std::{str::FromStr, time::Duration};

/// A timeout, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) Option<Duration>);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seconds, String> {
        if text == "off" {
            return Ok(Seconds(None));
        }
        let seconds: f64 = text.parse().map_err(|_| "give seconds, such as 2.5, or off")?;
        let time = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
        if time.is_zero() {
            return Err("it has to be more than 0".into());
        }
        Ok(Seconds(Some(time)))
    }
}

/// A duration for people.
pub(crate) fn shown(time: Duration) -> String {
    // What is rounded up to a whole unit is shown in that unit.
    let microseconds = (time.as_secs_f64() * 1e6).round();
    let milliseconds = (microseconds / 100.0).round() / 10.0;
    match () {
        () if microseconds < 1000.0 => format!("{microseconds} µs"),
        () if milliseconds < 1000.0 => format!("{milliseconds:.1} ms"),
        () => format!("{:.2} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_or_refused() {
        assert_eq!("2.5".parse(), Ok(Seconds(Some(Duration::from_millis(2500)))));
        assert_eq!("off".parse(), Ok(Seconds(None)));
        for wrong in ["", "0", "-1", "nan", "1e30", "1s"] {
            assert!(wrong.parse::<Seconds>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_are_shown_in_the_unit_that_fits() {
        for (nanoseconds, expected) in [
            (0, "0 µs"),
            (1_499, "1 µs"),
            (49_000, "49 µs"),
            (999_400, "999 µs"),
            (999_600, "1.0 ms"),
            (26_600_000, "26.6 ms"),
            (999_940_000, "999.9 ms"),
            (999_960_000, "1.00 s"),
            (1_254_000_000, "1.25 s"),
        ] {
            assert_eq!(shown(Duration::from_nanos(nanoseconds)), expected);
        }
    }
}
