//! Gives equal values the same number, in the order in which they first came: what a dictionary column is made of.
//!
//! Values come from records, so somebody may choose them to collide: a value is looked for in at most [`PROBES`] slots,
//! and what finds none of them free goes to a map with a keyed hash. Numbers depend on the order of the values alone.

use std::collections::HashMap;
use std::hash::Hasher;

use rustc_hash::FxHasher;

/// Slots that are looked at for a value.
const PROBES: usize = 16;
/// Slots of an interner that has seen a value.
const FIRST_SLOTS: usize = 256;

/// Byte strings with numbers from 0.
#[derive(Debug, Default)]
pub struct Interner {
    /// The number of a value plus 1; 0 is free. As many as a power of two, at most half of them taken.
    slots: Vec<u32>,
    /// By number.
    hashes: Vec<u32>,
    /// Where the bytes of a value end, by number; they begin where those of the one before end.
    ends: Vec<usize>,
    bytes: Vec<u8>,
    crowded: HashMap<Box<[u8]>, u32>,
}

impl Interner {
    /// The number of a value, and whether it is new.
    pub fn intern(&mut self, value: &[u8]) -> (u32, bool) {
        let hash = hash_of(value);
        if let Some(number) = self.find(hash, value) {
            return (number, false);
        }
        (self.insert(hash, value), true)
    }

    /// How many different values there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The values, in the order of their numbers.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().scan(0, |begin, end| Some(&self.bytes[std::mem::replace(begin, *end)..*end]))
    }

    /// Forgets the values and keeps the room for as many.
    pub fn clear(&mut self) {
        self.slots.fill(0);
        self.hashes.clear();
        self.ends.clear();
        self.bytes.clear();
        self.crowded.clear();
    }

    fn find(&self, hash: u32, value: &[u8]) -> Option<u32> {
        for place in self.places(hash) {
            let number = self.slots[place].checked_sub(1)?;
            let index = number as usize;
            if self.hashes[index] == hash && self.value(index) == value {
                return Some(number);
            }
        }
        if self.crowded.is_empty() { None } else { self.crowded.get(value).copied() }
    }

    fn insert(&mut self, hash: u32, value: &[u8]) -> u32 {
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        self.hashes.push(hash);
        if self.ends.len() * 2 > self.slots.len() {
            self.grow();
        } else {
            self.place(number);
        }
        number
    }

    /// Puts a value's number into a slot, or the value into the map when none is free.
    fn place(&mut self, number: u32) {
        let index = number as usize;
        let free = self.places(self.hashes[index]).find(|place| self.slots[*place] == 0);
        match free {
            Some(place) => self.slots[place] = number + 1,
            None => {
                let value = self.value(index).into();
                self.crowded.insert(value, number);
            }
        }
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(FIRST_SLOTS);
        self.slots.clear();
        self.slots.resize(slots, 0);
        self.crowded.clear();
        for number in (0_u32..).take(self.ends.len()) {
            self.place(number);
        }
    }

    /// The slots a value of this hash may be in; none while there are no slots.
    fn places(&self, hash: u32) -> impl Iterator<Item = usize> + use<> {
        let mask = self.slots.len().wrapping_sub(1);
        (0..PROBES.min(self.slots.len())).map(move |step| (hash as usize).wrapping_add(step) & mask)
    }

    fn value(&self, index: usize) -> &[u8] {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[index]]
    }
}

fn hash_of(value: &[u8]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(value);
    // The lower half: this hash puts its better bits there.
    u32::try_from(hasher.finish() & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{Interner, PROBES};

    /// Numbers in the order in which values first came, by a map of the standard library.
    fn expected(values: &[Vec<u8>]) -> Vec<u32> {
        let mut numbers = HashMap::new();
        values
            .iter()
            .map(|value| {
                let next = u32::try_from(numbers.len()).unwrap();
                *numbers.entry(value.clone()).or_insert(next)
            })
            .collect()
    }

    #[test]
    fn thousands_of_values_keep_their_numbers_and_clearing_forgets_them() {
        let values: Vec<Vec<u8>> = (0..20_000).map(|number| format!("{}", number % 7_000).into_bytes()).collect();
        let mut interner = Interner::default();
        for _ in 0..2 {
            let numbers: Vec<u32> = values.iter().map(|value| interner.intern(value).0).collect();
            assert_eq!(numbers, expected(&values));
            assert_eq!(interner.count(), 7_000);
            assert!(interner.values().eq(values[..7_000].iter().map(Vec::as_slice)));
            interner.clear();
            assert_eq!(interner.count(), 0);
        }
    }

    #[test]
    fn values_that_collide_are_told_apart_without_a_long_walk() {
        let mut interner = Interner::default();
        let colliding: Vec<Vec<u8>> = (0_u16..500).map(|number| number.to_be_bytes().to_vec()).collect();
        for value in &colliding {
            assert_eq!(interner.find(7, value), None);
            interner.insert(7, value);
        }
        for (number, value) in (0_u32..).zip(&colliding) {
            assert_eq!(interner.find(7, value), Some(number));
        }
        assert_eq!(interner.crowded.len(), colliding.len() - PROBES);
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_first_appearance(values in prop::collection::vec(prop::collection::vec(0_u8..3, 0..6), 0..600)) {
            let mut interner = Interner::default();
            let numbers: Vec<u32> = values.iter().map(|value| interner.intern(value).0).collect();
            prop_assert_eq!(numbers, expected(&values));
        }
    }
}
