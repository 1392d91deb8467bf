//! How long to wait before the next attempt. The cap is also what keeps many consumers from hammering a server that is
//! coming back.

use std::time::Duration;

use crate::store::error::Remedy;

/// Why, and after how many failures in a row, delivery waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// What the last failure asked for.
    pub remedy: Remedy,
    /// Failures in a row, from 1.
    pub failures: u32,
}

impl Pause {
    /// The longest wait: doubling from failure to failure up to a cap; 15 s from the start where a person is needed.
    #[must_use]
    pub fn longest(self) -> Duration {
        let (first, cap) = match self.remedy {
            Remedy::Retry | Remedy::Bisect => (Duration::from_millis(100), Duration::from_secs(15)),
            // Merges and memory need time more than anything else.
            Remedy::SlowDown => (Duration::from_secs(1), Duration::from_secs(60)),
            // The attempt before is given up by the server after its own timeouts; usually it is over in a moment.
            Remedy::AlreadyRunning => (Duration::from_millis(250), Duration::from_secs(5)),
            Remedy::Halt => (Duration::from_secs(15), Duration::from_secs(15)),
        };
        let doublings = self.failures.saturating_sub(1).min(16);
        first.saturating_mul(1 << doublings).min(cap)
    }

    /// The wait less a random part of up to a half, so that many consumers do not come back at the same moment.
    #[must_use]
    pub fn jittered(self) -> Duration {
        self.longest().mul_f64(1.0 - rand::random::<f64>() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pause;
    use crate::store::error::Remedy;

    #[test]
    fn waits_grow_up_to_their_cap_and_are_jittered_below_it() {
        for (remedy, failures, milliseconds) in [
            (Remedy::Retry, 1, 100),
            (Remedy::Retry, 4, 800),
            (Remedy::Retry, 1_000, 15_000),
            (Remedy::Bisect, 1, 100),
            (Remedy::SlowDown, 1, 1_000),
            (Remedy::SlowDown, 1_000, 60_000),
            (Remedy::AlreadyRunning, 2, 500),
            (Remedy::AlreadyRunning, u32::MAX, 5_000),
            (Remedy::Halt, 1, 15_000),
            (Remedy::Halt, 1_000, 15_000),
        ] {
            let pause = Pause { remedy, failures };
            let longest = Duration::from_millis(milliseconds);
            assert_eq!(pause.longest(), longest, "{remedy:?} {failures}");
            assert!(pause.jittered() <= longest && pause.jittered() >= longest / 2, "{remedy:?} {failures}");
        }
    }
}
