//! The byte budget: what may be in memory between a record's poll and the progress of its range.
//!
//! Charged with a record's size at its poll, refunded when its range is stored, given up or read again. Over the limit
//! every partition is paused at Kafka and polling goes on; what is under way still finishes, and reading resumes at three
//! quarters of the limit, so that it does not flap.

/// Bytes under way, and how many may be.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: usize,
    exhausted: bool,
}

/// What a record costs beside its value: its row's numbers and its share of the builders, in bytes.
pub const RECORD_OVERHEAD: usize = 256;

impl Budget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, used: 0, exhausted: false }
    }

    /// A record was taken.
    pub fn charge(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(bytes);
        self.exhausted |= self.used >= self.limit;
    }

    /// Bytes that are not needed any more.
    pub fn refund(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
        if self.used < self.limit / 4 * 3 {
            self.exhausted = false;
        }
    }

    /// Whether reading has to wait.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Bytes under way.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn it_is_exhausted_at_the_limit_and_recovers_below_three_quarters() {
        let mut budget = Budget::new(1_000);
        budget.charge(999);
        assert!(!budget.is_exhausted());
        budget.charge(1);
        assert!(budget.is_exhausted());
        budget.refund(250);
        assert!(budget.is_exhausted(), "750 are still too much");
        budget.refund(1);
        assert!(!budget.is_exhausted());
        budget.refund(10_000);
        assert_eq!(budget.used(), 0);
    }
}
