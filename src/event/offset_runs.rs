//! A set of offsets of one partition, kept as runs: offsets lie in long stretches with few holes, so millions of them
//! take a few dozen bytes. Pure; says nothing about what the offsets are.
//!
//! Invariant: runs are sorted, not empty, and neither overlap nor touch.

/// Offsets `first` up to, not including, `next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// First offset.
    pub first: i64,
    /// Offset after the last one.
    pub next: i64,
}

impl Run {
    /// Offsets in it.
    #[must_use]
    pub fn len(self) -> u64 {
        u64::try_from(self.next - self.first).unwrap_or(0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.next <= self.first
    }
}

/// A set of offsets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OffsetRuns {
    runs: Vec<Run>,
}

impl OffsetRuns {
    /// The offsets of these runs, which may come in any order, overlap and be empty.
    pub fn of(runs: impl IntoIterator<Item = Run>) -> Self {
        let mut all: Vec<Run> = runs.into_iter().filter(|run| !run.is_empty()).collect();
        all.sort_unstable();
        let mut set = Self { runs: Vec::with_capacity(all.len()) };
        for run in all {
            set.push_run(run);
        }
        set
    }

    /// Adds an offset that is not before any other.
    pub fn push(&mut self, offset: i64) {
        self.push_run(Run { first: offset, next: offset + 1 });
    }

    fn push_run(&mut self, run: Run) {
        match self.runs.last_mut() {
            Some(last) if run.first <= last.next => last.next = last.next.max(run.next),
            _ => self.runs.push(run),
        }
    }

    /// Offsets in the set.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The runs, in order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Each offset, in order.
    pub fn offsets(&self) -> impl Iterator<Item = i64> + '_ {
        self.runs.iter().flat_map(|run| run.first..run.next)
    }

    /// The offsets of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.runs.iter().chain(&other.runs).copied())
    }

    /// The offsets that `other` does not have.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = Self::default();
        let mut taken = other.runs.iter().copied().peekable();
        for run in &self.runs {
            let mut first = run.first;
            while taken.next_if(|taken| taken.next <= first).is_some() {}
            while let Some(hole) = taken.peek().copied().filter(|taken| taken.first < run.next) {
                if hole.first > first {
                    left.runs.push(Run { first, next: hole.first });
                }
                first = first.max(hole.next);
                if hole.next > run.next {
                    // It may also reach into the next run.
                    break;
                }
                taken.next();
            }
            if first < run.next {
                left.runs.push(Run { first, next: run.next });
            }
        }
        left
    }

    /// The offsets from `run.first` up to `run.next`.
    #[must_use]
    pub fn within(&self, run: Run) -> Self {
        Self::of(self.runs.iter().map(|own| Run { first: own.first.max(run.first), next: own.next.min(run.next) }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{OffsetRuns, Run};

    fn of(offsets: &BTreeSet<i64>) -> OffsetRuns {
        let mut runs = OffsetRuns::default();
        offsets.iter().for_each(|offset| runs.push(*offset));
        runs
    }

    fn is_in_order(runs: &OffsetRuns) -> bool {
        runs.runs().windows(2).all(|pair| pair[0].next < pair[1].first) && runs.runs().iter().all(|run| !run.is_empty())
    }

    proptest! {
        #[test]
        fn it_is_the_set_that_it_stands_for(
            ours in prop::collection::btree_set(0_i64..60, 0..40),
            theirs in prop::collection::btree_set(0_i64..60, 0..40),
            (first, next) in (0_i64..60, 0_i64..60),
        ) {
            let (a, b) = (of(&ours), of(&theirs));
            let minus = a.minus(&b);
            prop_assert_eq!(&minus, &of(&ours.difference(&theirs).copied().collect()));
            let union = a.union(&b);
            prop_assert_eq!(&union, &of(&ours.union(&theirs).copied().collect()));
            let within = a.within(Run { first, next });
            prop_assert_eq!(&within, &of(&ours.iter().copied().filter(|o| (first..next).contains(o)).collect()));
            prop_assert!(is_in_order(&minus) && is_in_order(&union) && is_in_order(&within));
            prop_assert_eq!(a.len(), u64::try_from(ours.len()).unwrap());
            prop_assert_eq!(a.offsets().collect::<Vec<_>>(), ours.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn runs_may_come_in_any_order() {
        let run = |first, next| Run { first, next };
        let set = OffsetRuns::of([run(8, 8), run(5, 9), run(1, 3), run(3, 4), run(6, 7)]);
        assert_eq!(set.runs(), [run(1, 4), run(5, 9)]);
        assert_eq!((set.len(), set.is_empty(), OffsetRuns::default().is_empty()), (7, false, true));
    }
}
