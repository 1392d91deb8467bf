//! A memory of what matters for seconds only: one place for each of so many hashes, and whoever comes last has it.
//!
//! Where [`super::recent::Recent`] looks in two tables and moves entries, this touches one place, which is what an event
//! costs that has nothing to ask. The price: something may be forgotten early when another one has its place. A place is
//! found by the lower bits of a 64-bit hash and compared by all of them.

/// What an entry has on the heap.
pub trait HeapBytes {
    /// Bytes, about.
    fn heap_bytes(&self) -> usize;
}

/// A bounded memory.
#[derive(Debug)]
pub struct Slots<V> {
    /// Made when the first entry comes.
    places: Vec<Option<(u64, V)>>,
    count: usize,
    used: usize,
    heap: usize,
}

impl<V: Default + HeapBytes> Slots<V> {
    /// A memory of at most `bytes`, without what its entries have on the heap.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let count = bytes / size_of::<Option<(u64, V)>>();
        Self { places: Vec::new(), count: if count == 0 { 1 } else { 1 << count.ilog2() }, used: 0, heap: 0 }
    }

    /// What is remembered under a key.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&V> {
        let (known, entry) = self.places.get(self.place_of(key))?.as_ref()?;
        (*known == key).then_some(entry)
    }

    /// Changes what is remembered under a key, or begins it; `change` says how many bytes it put on the heap.
    pub fn update(&mut self, key: u64, change: impl FnOnce(&mut V) -> usize) {
        if self.places.is_empty() {
            self.places.resize_with(self.count, || None);
        }
        let place = self.place_of(key);
        let Some(held) = self.places.get_mut(place) else { return };
        match held {
            Some((known, entry)) if *known == key => self.heap += change(entry),
            Some((known, entry)) => {
                self.heap -= entry.heap_bytes().min(self.heap);
                (*known, *entry) = (key, V::default());
                self.heap += change(entry);
            }
            None => {
                let mut entry = V::default();
                self.heap += change(&mut entry);
                *held = Some((key, entry));
                self.used += 1;
            }
        }
    }

    /// Entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Bytes of the entries, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Option<(u64, V)>>() + self.heap
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is asked for")]
    fn place_of(&self, key: u64) -> usize {
        key as usize & (self.count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{HeapBytes, Slots};

    #[derive(Debug, Default, PartialEq)]
    struct Entry(usize);

    impl HeapBytes for Entry {
        fn heap_bytes(&self) -> usize {
            self.0
        }
    }

    fn put(bytes: usize) -> impl FnOnce(&mut Entry) -> usize {
        move |entry| {
            entry.0 += bytes;
            bytes
        }
    }

    #[test]
    fn whoever_comes_last_has_the_place_and_bytes_are_bounded() {
        let mut slots: Slots<Entry> = Slots::new(1_024);
        assert_eq!((slots.get(1), slots.bytes()), (None, 0));
        let count = slots.count as u64;
        assert!((8..64).contains(&count), "{count}");
        for key in 0..10 * count {
            slots.update(key, put(100));
            assert!(slots.bytes() <= 1_024 + slots.count * 100, "{}", slots.bytes());
        }
        assert_eq!(slots.len() as u64, count);
        assert_eq!((slots.get(10 * count - 1), slots.get(0)), (Some(&Entry(100)), None));
        slots.update(10 * count - 1, put(1));
        assert_eq!(slots.get(10 * count - 1), Some(&Entry(101)));
    }
}
