//! A bounded memory of what was seen lately: two generations, of which the older is dropped when the younger is full.
//!
//! So the latest half is always remembered, forgetting costs nothing at each use, and which entries are forgotten follows
//! from the order of use alone. Entries are found by a 64-bit hash of their id.

use rustc_hash::FxHashMap;

/// A bounded memory.
#[derive(Debug)]
pub struct Recent<V> {
    young: FxHashMap<u64, V>,
    old: FxHashMap<u64, V>,
    young_heap: usize,
    old_heap: usize,
    /// Most entries, and most bytes on the heap, of a generation.
    most: usize,
    most_heap: usize,
}

impl<V: Default> Recent<V> {
    /// A memory of at most `bytes`, of which a quarter is for what its entries have on the heap.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let place = size_of::<(u64, V)>() + 1;
        let places = bytes / 2 / 4 * 3 / place;
        // The table has a power of two of places and is filled to seven eighths.
        let most = if places < 8 { 1 } else { (1 << places.ilog2()) / 8 * 7 };
        Self {
            young: FxHashMap::default(),
            old: FxHashMap::default(),
            young_heap: 0,
            old_heap: 0,
            most,
            most_heap: bytes / 2 / 4,
        }
    }

    /// What is remembered under a key.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// Changes what is remembered under a key, or begins it; `change` says how many bytes it put on the heap.
    pub fn update(&mut self, key: u64, change: impl FnOnce(&mut V) -> usize) {
        if let Some(entry) = self.young.get_mut(&key) {
            self.young_heap += change(entry);
            return;
        }
        let mut entry = self.old.remove(&key).unwrap_or_default();
        self.young_heap += change(&mut entry);
        if self.young.len() >= self.most || self.young_heap > self.most_heap {
            self.old = std::mem::take(&mut self.young);
            self.old_heap = std::mem::take(&mut self.young_heap);
        }
        self.young.insert(key, entry);
    }

    /// Entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the entries, about; what was replaced on the heap counts until its generation is dropped.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let places = self.young.capacity() + self.old.capacity();
        places * (size_of::<(u64, V)>() + 1) * 8 / 7 + self.young_heap + self.old_heap
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn the_latest_half_stays_and_bytes_are_bounded() {
        let bound = 16_384;
        let mut recent: Recent<u64> = Recent::new(bound);
        for key in 0..10_000 {
            recent.update(key, |value| {
                *value = key;
                0
            });
            assert!(recent.bytes() <= bound, "{}", recent.bytes());
        }
        let most = recent.most as u64;
        assert!(most >= 100, "{most}");
        for key in 10_000 - most..10_000 {
            assert_eq!(recent.get(key), Some(&key));
        }
        assert_eq!(recent.get(0), None);
    }

    #[test]
    fn what_is_used_again_stays() {
        let mut recent: Recent<u64> = Recent::new(16_384);
        for key in 1..10_000 {
            recent.update(0, |uses| {
                *uses += 1;
                0
            });
            recent.update(key, |_| 0);
        }
        assert_eq!(recent.get(0), Some(&9_999));
    }

    #[test]
    fn bytes_on_the_heap_count() {
        let mut recent: Recent<u64> = Recent::new(16_384);
        for key in 0..100 {
            recent.update(key, |_| 1_000);
            assert!(recent.len() <= 6, "{}", recent.len());
        }
        assert_eq!(recent.get(99), Some(&0));
    }
}
