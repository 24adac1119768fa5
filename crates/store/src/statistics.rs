//! Counts and times for those who watch over the server.

use std::time::Duration;

/// What a store did since it was opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Whether it keeps what is appended; says why not.
    pub failure: Option<String>,
    /// Streams that are kept.
    pub streams: usize,
    /// Bytes of payload that wait to be kept.
    pub waiting_bytes: usize,
    /// Messages that were kept.
    pub kept: u64,
    /// Messages that were known already by their id.
    pub known: u64,
    /// Messages that were refused.
    pub refused: u64,
    /// How long each commit took until all of it was on disk.
    pub commit_times: Histogram,
}

/// How often something took how long.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: [u64; Self::BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// The upper bound of each bucket but the last, in seconds.
    pub const BOUNDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

    /// Counts one.
    pub fn add(&mut self, time: Duration) {
        let bucket = Self::BOUNDS.iter().position(|bound| time.as_secs_f64() <= *bound);
        self.counts[bucket.unwrap_or(Self::BOUNDS.len())] += 1;
        self.sum += time;
    }

    /// How often it took at most so many seconds, for each of [`BOUNDS`](Self::BOUNDS).
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        Self::BOUNDS.into_iter().zip(counts)
    }

    /// How often it happened.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long it took in all.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_up_to_each_bound_and_itself() {
        let mut histogram = Histogram::default();
        for milliseconds in [1, 2, 9_000] {
            histogram.add(Duration::from_millis(milliseconds));
        }
        let cumulative: Vec<_> = histogram.cumulative().take(3).collect();
        assert_eq!(cumulative, [(0.0005, 0), (0.001, 1), (0.0025, 2)]);
        assert_eq!(histogram.cumulative().last(), Some((2.5, 2)));
        assert_eq!((histogram.count(), histogram.sum()), (3, Duration::from_millis(9_003)));
    }
}
