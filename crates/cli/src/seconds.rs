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
    match time.as_secs_f64() {
        long if long >= 1.0 => format!("{long:.2} s"),
        short => format!("{:.1} ms", short * 1000.0),
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
        for (microseconds, expected) in
            [(397, "0.4 ms"), (26_600, "26.6 ms"), (1_254_000, "1.25 s")]
        {
            assert_eq!(shown(Duration::from_micros(microseconds)), expected);
        }
    }
}
