//! The one source of chance: every choice of a simulation is drawn from here, in one order, so that a seed decides all.
//!
//! The draws are made from `next_u64` alone and not by a distribution of a library, so that a seed keeps its meaning
//! when the library changes how it samples. The generator is `ChaCha8` (portable: same stream on every machine).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A seeded stream of choices.
#[derive(Debug, Clone)]
pub struct Dice {
    stream: ChaCha8Rng,
}

impl Dice {
    /// The stream that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { stream: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(bound);
        (product >> 64) as u64
    }

    /// A number in `low..=high`; `low` when the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// An index into a list of `length` entries; 0 when the list is empty.
    #[expect(clippy::cast_possible_truncation, reason = "the result is smaller than a usize that was given")]
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// An index that prefers the front of the list: the density falls like that of a squared uniform number,
    /// so that some people call far more often than others.
    pub fn skewed_index(&mut self, length: usize) -> usize {
        let first = self.index(length);
        let second = self.index(length);
        first.min(second)
    }

    /// True in `percent` of 100 draws.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Picks from running totals of weights (`totals[i]` = sum of the weights up to and including entry `i`).
    pub fn weighted(&mut self, totals: &[u64]) -> usize {
        let sum = totals.last().copied().unwrap_or(0);
        let point = self.below(sum);
        totals.partition_point(|total| *total <= point)
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_seed_decides_the_stream() {
        let draw = |seed| {
            let mut dice = Dice::new(seed);
            [dice.bits(), dice.below(1000), dice.between(5, 9)]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn draws_stay_in_range_and_follow_weights() {
        let mut dice = Dice::new(1);
        let mut counts = [0_u32; 3];
        for _ in 0..10_000 {
            assert!((5..=9).contains(&dice.between(5, 9)));
            assert!(dice.index(3) < 3);
            assert!(dice.skewed_index(3) < 3);
            counts[dice.weighted(&[1, 1, 4])] += 1;
        }
        assert_eq!(counts[1], 0, "an entry without weight is never picked");
        assert!(counts[2] > 2 * counts[0], "{counts:?}");
        assert_eq!(dice.index(0), 0);
    }
}
