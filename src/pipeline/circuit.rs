//! The circuit breaker: many refused records in a row mean that a producer or a decoder is broken, and then reading stops
//! instead of draining the topic into the dead letters.
//!
//! It looks at the last [`WINDOW`] records. Once open it stays open: the records that opened it are still in Kafka and would
//! open it again, so that a person has to mend the producer, the decoder or the limit.

use std::collections::VecDeque;

/// Records that are looked at.
pub const WINDOW: usize = 1_000;

/// Counts refused records among the last ones.
#[derive(Debug)]
pub struct Circuit {
    /// Most refused records in a window; `None`: never opens.
    most: Option<usize>,
    /// Lengths of the runs of accepted records between refused ones, oldest first; the last run is still growing.
    runs: VecDeque<usize>,
    seen: usize,
    open: bool,
}

impl Circuit {
    /// Opens when more than `percent` of a window are refused; 100 means never.
    #[must_use]
    pub fn new(percent: u32) -> Self {
        let most = (percent < 100).then(|| usize::try_from(percent).unwrap_or(0) * WINDOW / 100);
        Self { most, runs: VecDeque::from([0]), seen: 0, open: false }
    }

    /// One record; whether it opened the circuit.
    pub fn record(&mut self, refused: bool) -> bool {
        let Some(most) = self.most else { return false };
        self.seen += 1;
        if !refused {
            if let Some(run) = self.runs.back_mut() {
                *run += 1;
            }
            return false;
        }
        self.runs.push_back(0);
        // The span from before the oldest of `most + 1` refused records to now; more records than a window are too old.
        while self.runs.len() > most + 2 {
            self.runs.pop_front();
        }
        let enough = self.runs.len() == most + 2;
        let span = most + 1 + self.runs.iter().skip(1).sum::<usize>();
        if enough && span <= WINDOW && self.seen >= WINDOW && !self.open {
            self.open = true;
            return true;
        }
        false
    }

    /// Whether reading has stopped.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::{Circuit, WINDOW};

    fn opened_after(percent: u32, refused: impl Fn(usize) -> bool, records: usize) -> Option<usize> {
        let mut circuit = Circuit::new(percent);
        (0..records).find(|record| circuit.record(refused(*record)))
    }

    #[test]
    fn it_opens_only_when_more_than_the_share_of_a_window_is_refused() {
        assert_eq!(
            opened_after(5, |record| record % 20 == 0, 100_000),
            None,
            "five in a hundred are not more than five"
        );
        assert_eq!(opened_after(5, |record| record % 100 == 0, 100_000), None);
        assert!(opened_after(5, |record| record % 18 == 0, 100_000).is_some());
        assert!(opened_after(5, |record| record % 2 == 0, 100_000).is_some_and(|at| at <= WINDOW + 1));
    }

    #[test]
    fn a_few_bad_records_at_the_start_are_no_window() {
        assert_eq!(opened_after(5, |_| true, WINDOW - 1), None);
        assert!(opened_after(5, |_| true, WINDOW).is_some());
    }

    #[test]
    fn a_burst_within_a_long_good_stream_opens_it() {
        assert!(opened_after(5, |record| record > 50_000, 60_000).is_some_and(|at| at < 50_060));
    }

    #[test]
    fn a_hundred_percent_never_opens_it() {
        assert_eq!(opened_after(100, |_| true, 100_000), None);
    }
}
