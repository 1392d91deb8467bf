//! Weighs features by examples: an averaged perceptron with a margin (Collins 2002; Freund and Schapire 1999).
//!
//! An example whose own class does not lead every other one by [`MARGIN`] moves its features one step towards the own class and away
//! from the leader. What counts in the end is the average over all steps. Only integers are added, in an order that never
//! changes: the same examples make the same weights everywhere.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rustc_hash::FxHashMap;

use super::examples::{circumstances_of, class_of};
use super::words::{Feature, words_of_message};
use crate::classify::class::Class;
use crate::classify::labelled::Entry;
use crate::event::vocabulary::ClosedEnum;

/// The lead that is strived for, in steps.
pub const MARGIN: i64 = 40;
/// How often all examples are gone through.
const ROUNDS: usize = 8;
/// A feature of fewer examples is a name.
const FEWEST_EXAMPLES: u32 = 2;
/// Classes, [`Class::KNOWN`].
const CLASSES: usize = Class::KNOWN.len();

/// One step, in the unit of averages and scores.
pub const STEP: i32 = 256;

type PerClass = [i64; CLASSES];

/// What features say of each class, [`Class::KNOWN`], in [`STEP`]s.
pub type Scores = [i32; CLASSES];

/// What each known feature says of each class.
#[derive(Debug)]
pub struct Weights {
    places: FxHashMap<u64, usize>,
    averages: Vec<Scores>,
}

impl Weights {
    /// Learns from the examples.
    pub fn learned_from(examples: &[Entry]) -> Self {
        let labelled: Vec<(usize, Vec<Feature>)> = examples
            .iter()
            .filter_map(|example| {
                let class = Class::KNOWN.iter().position(|known| Some(*known) == class_of(example))?;
                let mut features = words_of_message(&example.message);
                features.extend(circumstances_of(example).features());
                Some((class, features))
            })
            .collect();
        let places = places_of(&labelled);
        let located: Vec<(usize, Vec<usize>)> = labelled
            .into_iter()
            .map(|(class, features)| (class, features.iter().filter_map(|one| places.get(&one.key).copied()).collect()))
            .collect();
        Self { averages: learn(&located, places.len()), places }
    }

    /// What one feature says; `None` when it is unknown.
    pub fn of(&self, feature: &Feature) -> Option<&Scores> {
        self.averages.get(*self.places.get(&feature.key)?)
    }
}

/// A place for each feature of enough examples.
fn places_of(labelled: &[(usize, Vec<Feature>)]) -> FxHashMap<u64, usize> {
    let mut counts: FxHashMap<u64, u32> = FxHashMap::default();
    for feature in labelled.iter().flat_map(|(_, features)| features) {
        *counts.entry(feature.key).or_default() += 1;
    }
    let mut keys: Vec<u64> =
        counts.into_iter().filter(|(_, count)| *count >= FEWEST_EXAMPLES).map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.into_iter().zip(0..).collect()
}

/// Goes through the examples; the average over all steps of each weight.
fn learn(examples: &[(usize, Vec<usize>)], features: usize) -> Vec<Scores> {
    let mut weights = vec![[0; CLASSES]; features];
    // What each change would have added to the sums had it been there from the first step.
    let mut late = vec![[0; CLASSES]; features];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut step = 0;
    for _ in 0..ROUNDS {
        shuffle(&mut order, &mut chance);
        for (own, features) in order.iter().filter_map(|place| examples.get(*place)) {
            step += 1;
            let mut scores = [0; CLASSES];
            for feature in features {
                scores.iter_mut().zip(&weights[*feature]).for_each(|(score, weight)| *score += weight);
            }
            scores[*own] -= MARGIN;
            let leader = (0..CLASSES).max_by_key(|class| (scores[*class], CLASSES - class)).unwrap_or(*own);
            if leader == *own {
                continue;
            }
            for feature in features {
                weights[*feature][*own] += 1;
                weights[*feature][leader] -= 1;
                late[*feature][*own] += step;
                late[*feature][leader] -= step;
            }
        }
    }
    let average = |(weight, late): (i64, i64)| {
        let sum = weight * step - late;
        i32::try_from(sum * i64::from(STEP) / step.max(1)).unwrap_or(0)
    };
    let averages = |(weights, late): (PerClass, PerClass)| {
        let mut scores = [0; CLASSES];
        scores.iter_mut().zip(weights.into_iter().zip(late)).for_each(|(score, sums)| *score = average(sums));
        scores
    };
    weights.into_iter().zip(late).map(averages).collect()
}

/// Fisher and Yates.
fn shuffle(order: &mut [usize], chance: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        let other = usize::try_from(chance.next_u64() % (last as u64 + 1)).unwrap_or(0);
        order.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::{Scores, Weights};
    use crate::classify::class::Class;
    use crate::classify::labelled::Entry;
    use crate::classify::wording::words::words_of_message;
    use crate::event::vocabulary::ClosedEnum;

    fn example(class: &str, message: &str) -> Entry {
        serde_json::from_value(serde_json::json!({ "class": class, "message": message })).expect("an example")
    }

    #[test]
    fn what_was_learned_is_known_again_in_other_words() {
        let weights = Weights::learned_from(&[
            example("rate_limited", "too many calls, slow down please"),
            example("rate_limited", "calls come too fast, slow down"),
            example("consent_denied", "the owner said no to the consent page"),
            example("consent_denied", "consent was not given by the owner"),
        ]);
        let score = |text: &str, class: Class| -> i32 {
            let place = Class::KNOWN.iter().position(|known| *known == class).unwrap();
            words_of_message(text).iter().filter_map(|word| weights.of(word)).map(|scores: &Scores| scores[place]).sum()
        };
        for (text, class, other) in [
            ("please slow down the calls", Class::RateLimited, Class::ConsentDenied),
            ("the owner gave no consent", Class::ConsentDenied, Class::RateLimited),
        ] {
            assert!(score(text, class) > score(text, other), "{text}");
        }
    }

    #[test]
    fn a_word_of_one_example_alone_is_not_learned() {
        let weights = Weights::learned_from(&[example("none", "once twice"), example("forbidden", "twice")]);
        let known: Vec<bool> = words_of_message("once twice").iter().map(|word| weights.of(word).is_some()).collect();
        assert_eq!(known.iter().filter(|known| **known).count(), 1);
    }
}
