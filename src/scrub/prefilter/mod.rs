//! The prefilter: which bytes of the text are worth a look. Everything else is skipped without a branch per byte.
//!
//! *Triggers* are bytes at which a secret could be known by its place: separators (also escaped), option dashes, the
//! first letters of an authentication scheme. *Token letters* are what vendors' shapes consist of; of them only rows of
//! [`SHORTEST_RUN`] matter. A block of 64 bytes becomes two numbers of one bit a byte. Written twice: for every processor
//! (`portable`, which the compiler makes vectors of), and for those with AVX2 (`avx2`, which looks letters up by their halves).
//! Both see the same, but that the second may see a trigger too many; so whoever looks at one asks [`is_trigger_at`] first, and what
//! is found does not depend on the processor.

mod avx2;
mod portable;

use super::runs::SHORTEST_RUN;
pub(super) use portable::has_trigger;
use portable::is_trigger;

/// Bytes looked at together, one for each bit.
pub(super) const BLOCK: usize = 64;

/// A block and the two bytes after it, so that three letters can be compared at each position.
const WINDOW: usize = BLOCK + 2;

/// How many letters a run has at least, beyond eight.
const BEYOND_EIGHT: u32 = 7;
const _: () = assert!(SHORTEST_RUN == 8 + BEYOND_EIGHT as usize);

/// What the prefilter saw in one block, the lowest bit for its first byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The bytes that are triggers.
    pub(super) triggers: u64,
    /// The bytes that are token letters.
    pub(super) tokens: u64,
}

/// Marks the text block by block until it or the room ends; says how many blocks there were.
pub(super) fn mark(text: &[u8], marks: &mut [Marks]) -> usize {
    let blocks = text.len().div_ceil(BLOCK).min(marks.len());
    let marks = &mut marks[..blocks];
    if !avx2::mark(text, marks) {
        portable::mark(text, marks);
    }
    blocks
}

/// Whether a byte that was marked as a trigger is one.
pub(super) fn is_trigger_at(text: &[u8], position: usize) -> bool {
    let letter = |at: usize| text.get(at).copied().unwrap_or(0);
    is_trigger(letter(position), letter(position + 1), letter(position + 2))
}

/// The bytes at which [`SHORTEST_RUN`] token letters and more begin; `next` are those of the next block.
pub(super) const fn run_starts(tokens: u64, next: u64) -> u64 {
    // `n` letters in a row begin where `k` do, and `n - k` bytes later `k` again.
    let two = tokens & shifted(tokens, next, 1);
    let two_next = next & (next >> 1);
    let four = two & shifted(two, two_next, 2);
    let four_next = two_next & (two_next >> 2);
    let eight = four & shifted(four, four_next, 4);
    let eight_next = four_next & (four_next >> 4);
    eight & shifted(eight, eight_next, BEYOND_EIGHT)
}

/// What stands `by` bytes later, at most 63.
const fn shifted(bits: u64, next: u64, by: u32) -> u64 {
    bits >> by | next << (u64::BITS - by)
}

/// The window at the start of `text`, filled up with bytes that mark nothing where the text ends.
fn with_window<R>(text: &[u8], look: impl FnOnce(&[u8; WINDOW]) -> R) -> R {
    if let Some(window) = text.first_chunk() {
        return look(window);
    }
    let mut window = [0; WINDOW];
    window[..text.len()].copy_from_slice(text);
    look(&window)
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Marks, avx2, is_trigger_at, portable, run_starts};
    use proptest::prelude::*;

    /// The marks of both ways of writing it.
    fn both(text: &[u8]) -> (Vec<Marks>, Option<Vec<Marks>>) {
        let mut portable = vec![Marks::default(); text.len().div_ceil(BLOCK)];
        let mut quick = portable.clone();
        portable::mark(text, &mut portable);
        let is_there = avx2::mark(text, &mut quick);
        (portable, is_there.then_some(quick))
    }

    #[test]
    fn a_run_is_seen_where_it_begins_wherever_it_lies() {
        for start in 0..2 * BLOCK {
            for length in [14, 15, 16, 40] {
                let text = format!("{}{}{}", " ".repeat(start), "a".repeat(length), " ".repeat(3 * BLOCK));
                let (marks, _) = both(text.as_bytes());
                let seen = marks.windows(2).enumerate().flat_map(|(block, pair)| {
                    let starts = run_starts(pair[0].tokens, pair[1].tokens);
                    (0..BLOCK).filter(move |bit| starts >> bit & 1 == 1).map(move |bit| block * BLOCK + bit)
                });
                let expected: Vec<_> = (start..(start + length).saturating_sub(14)).collect();
                assert_eq!(seen.collect::<Vec<_>>(), expected, "{start} {length}");
            }
        }
    }

    /// Texts of what triggers consist of, words and other letters.
    fn texts() -> impl Strategy<Value = String> {
        "([ -~]{0,90}|[%&\\\\;'\"+0-9,#gaux-]{0,90}|(bea|BAS|pop|var|oke|ORD|ret|ey |--|-b|-p|-m|&#|&c|;,|',|é|中){0,40}){0,4}"
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn vectors_see_what_plain_loops_see(text in texts()) {
            let (portable, quick) = both(text.as_bytes());
            for (block, (slow, quick)) in portable.iter().zip(quick.iter().flatten()).enumerate() {
                prop_assert_eq!(slow.tokens, quick.tokens);
                prop_assert_eq!(slow.triggers & !quick.triggers, 0);
                let marked = (0..BLOCK).filter(|bit| quick.triggers >> bit & 1 == 1);
                let are = marked.filter(|bit| is_trigger_at(text.as_bytes(), block * BLOCK + bit));
                prop_assert_eq!(slow.triggers, are.fold(0, |bits, bit| bits | 1 << bit));
            }
        }
    }
}
