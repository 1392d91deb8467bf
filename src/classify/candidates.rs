//! Which patterns can match a text at all: those of which every required text stands in it.
//!
//! All required texts of all patterns are looked for at once, in one pass, whatever the case of their ASCII letters.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use rustc_hash::FxHashMap;

use super::required::OneOf;

/// One of a pattern's lists of texts, of which one must be there.
#[derive(Debug, Clone, Copy)]
struct List {
    pattern: usize,
    /// One bit for each list of the pattern.
    bit: u8,
}

/// The required texts of all patterns, ready to be looked for.
#[derive(Debug)]
pub struct Candidates {
    /// Finds the texts; `None` where they are too many for an automaton.
    texts: Option<AhoCorasick>,
    /// The lists that each text stands in.
    lists_of_text: Vec<Vec<List>>,
    /// The lists of each pattern, as bits.
    lists: Vec<u8>,
    /// The patterns without a list: any text may match them.
    always: Vec<usize>,
}

impl Candidates {
    /// What each pattern requires, in the order of their numbers; eight lists of one are as telling as more.
    #[must_use]
    pub fn of(required: impl Iterator<Item = Vec<OneOf>>) -> Self {
        let mut numbers: FxHashMap<String, usize> = FxHashMap::default();
        let mut lists_of_text: Vec<Vec<List>> = Vec::new();
        let mut lists = Vec::new();
        for (pattern, required) in required.enumerate() {
            let mut all = 0;
            for (bit, texts) in (0..u8::BITS).map(|bit| 1 << bit).zip(required) {
                all |= bit;
                for text in texts {
                    let number = *numbers.entry(text).or_insert(lists_of_text.len());
                    if number == lists_of_text.len() {
                        lists_of_text.push(Vec::new());
                    }
                    lists_of_text[number].push(List { pattern, bit });
                }
            }
            lists.push(all);
        }
        let mut texts: Vec<(String, usize)> = numbers.into_iter().collect();
        texts.sort_unstable_by_key(|(_, number)| *number);
        let texts = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(texts.iter().map(|(text, _)| text))
            .ok();
        if texts.is_none() {
            // Too many for an automaton: then each pattern is asked.
            lists.fill(0);
        }
        let always = (0..lists.len()).filter(|pattern| lists[*pattern] == 0).collect();
        Self { texts, lists_of_text, lists, always }
    }

    /// The patterns that can match the text, in no order.
    #[must_use]
    pub fn of_text(&self, text: &str) -> Vec<usize> {
        let mut candidates = self.always.clone();
        let Some(texts) = &self.texts else { return candidates };
        let mut missing = self.lists.clone();
        let mut is_seen = vec![false; self.lists_of_text.len()];
        for found in texts.find_overlapping_iter(text) {
            let number = found.pattern().as_usize();
            if std::mem::replace(&mut is_seen[number], true) {
                continue;
            }
            for List { pattern, bit } in &self.lists_of_text[number] {
                let left = missing[*pattern] & !bit;
                if left == 0 && missing[*pattern] != 0 {
                    candidates.push(*pattern);
                }
                missing[*pattern] = left;
            }
        }
        candidates
    }
}

#[cfg(test)]
mod tests {
    use super::Candidates;

    fn lists(lists: &[&[&str]]) -> Vec<Vec<String>> {
        lists.iter().map(|texts| texts.iter().map(|text| (*text).to_owned()).collect()).collect()
    }

    #[test]
    fn a_pattern_is_one_when_each_of_its_lists_has_a_text_there() {
        let required = [lists(&[&["token", "key"], &["expired"]]), lists(&[]), lists(&[&["key"]])];
        let candidates = Candidates::of(required.into_iter());
        let cases: [(&str, &[usize]); 5] = [
            ("the Token has EXPIRED, expired", &[0, 1]),
            ("a key", &[1, 2]),
            ("a key has expired, key and token", &[0, 1, 2]),
            ("expired", &[1]),
            ("", &[1]),
        ];
        for (text, expected) in cases {
            let mut found = candidates.of_text(text);
            found.sort_unstable();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn without_any_required_text_every_pattern_is_one() {
        assert_eq!(Candidates::of([lists(&[]), lists(&[])].into_iter()).of_text("x"), [0, 1]);
    }
}
