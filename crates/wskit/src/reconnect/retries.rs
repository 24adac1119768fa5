//! Whether to connect again, and when.

use super::Ended;
use std::time::Duration;
use tokio::time::Instant;

/// How persistently to connect again.
///
/// The pause before each further try is chosen at random from nothing to a bound, so that the clients of
/// a server that was away do not come back all at once. The bound doubles with each try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// The longest that the first pause can be: 1 s.
    pub first_pause_max: Duration,
    /// The longest that any pause can be: 30 s.
    pub pause_max: Duration,
    /// How long a connection has to last until the pauses begin small again: 10 s.
    pub steady_after: Duration,
    /// The longest that a server is obeyed with `Retry-After`: 5 minutes. What it asks for is added to the
    /// pause.
    pub retry_after_max: Duration,
    /// How many times in a row is tried again: without end. A connection that was steady ends the row.
    pub retries_max: Option<u32>,
}

impl Default for Persistence {
    fn default() -> Persistence {
        Persistence {
            first_pause_max: Duration::from_secs(1),
            pause_max: Duration::from_secs(30),
            steady_after: Duration::from_secs(10),
            retry_after_max: Duration::from_secs(300),
            retries_max: None,
        }
    }
}

/// Decides whether to connect again, and when: for those who do not use
/// [`Reconnecting`](super::Reconnecting), which asks one too.
#[derive(Clone, Debug, Default)]
pub struct Retries {
    persistence: Persistence,
    /// How many tries have failed in a row, or led to a connection that was not steady.
    row: u32,
    opened: Option<Instant>,
}

impl Retries {
    /// As persistent as this.
    pub fn new(persistence: Persistence) -> Retries {
        Retries { persistence, row: 0, opened: None }
    }

    /// Takes note that a connection is open now.
    pub fn opened(&mut self) {
        self.opened = Some(Instant::now());
    }

    /// How long to wait before the next try, after a connection ended like this or did not come about;
    /// `None` if there is to be none.
    pub fn pause(&mut self, ended: &Ended) -> Option<Duration> {
        self.pause_by(ended, rand::random())
    }

    /// `chance` is from 0 to below 1.
    fn pause_by(&mut self, ended: &Ended, chance: f64) -> Option<Duration> {
        let Persistence { first_pause_max, pause_max, steady_after, .. } = self.persistence;
        if self.opened.take().is_some_and(|opened| opened.elapsed() >= steady_after) {
            self.row = 0;
        }
        if !ended.is_transient() || self.persistence.retries_max.is_some_and(|max| self.row >= max)
        {
            return None;
        }
        let doubled = 2_u32.saturating_pow(self.row);
        self.row = self.row.saturating_add(1);
        let bound = first_pause_max.saturating_mul(doubled).min(pause_max);
        let asked_for = ended.retry_after().unwrap_or_default();
        let pause = bound.mul_f64(chance.clamp(0.0, 1.0));
        Some(pause.saturating_add(asked_for.min(self.persistence.retry_after_max)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CloseCode, Error, Lost};
    use tokio::time::advance;

    fn lost() -> Ended {
        Ended::Failed(Error::Lost(Lost::Ended))
    }

    fn seconds(pause: Option<Duration>) -> Option<f64> {
        pause.map(|pause| pause.as_secs_f64())
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_are_jittered_down_to_nothing() {
        let mut retries = Retries::default();
        let bounds: Vec<_> =
            (0..8).filter_map(|_| seconds(retries.pause_by(&lost(), 1.0))).collect();
        assert_eq!(bounds, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!(seconds(retries.pause_by(&lost(), 0.5)), Some(15.0));
        assert_eq!(seconds(retries.pause_by(&lost(), 0.0)), Some(0.0));
        retries.row = u32::MAX;
        assert_eq!(seconds(retries.pause_by(&lost(), 1.0)), Some(30.0));
        for _ in 0..100 {
            assert!(retries.pause(&lost()).unwrap() <= Duration::from_secs(30));
        }
    }

    #[test]
    fn tries_can_be_bounded() {
        let bounded = Persistence { retries_max: Some(2), ..Persistence::default() };
        let mut retries = Retries::new(bounded);
        let pauses = [(); 4].map(|()| seconds(retries.pause_by(&lost(), 1.0)));
        assert_eq!(pauses, [Some(1.0), Some(2.0), None, None]);
        let mut never = Retries::new(Persistence { retries_max: Some(0), ..bounded });
        assert_eq!(never.pause(&lost()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_was_steady_ends_the_row() {
        let mut retries = Retries::default();
        for (lasted, pause) in [(0, 1.0), (9_999, 2.0), (10_000, 1.0), (5_000, 2.0)] {
            retries.opened();
            advance(Duration::from_millis(lasted)).await;
            assert_eq!(seconds(retries.pause_by(&lost(), 1.0)), Some(pause), "{lasted}");
        }
    }

    #[test]
    fn what_is_final_is_not_tried_again() {
        let closed = |code| Ended::Closed(Some(CloseCode::new(code).unwrap().into()));
        let pause = |ended| Retries::default().pause(&ended);
        for code in [1001, 1011, 1012, 1013, 1014] {
            assert!(pause(closed(code)).is_some(), "{code}");
        }
        for code in [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 4999] {
            assert!(pause(closed(code)).is_none(), "{code}");
        }
        assert!(pause(Ended::Closed(None)).is_none());
    }
}
