//! A message taken apart: stems of its words, pairs of neighbours, and the circumstances it was seen in.

use std::hash::BuildHasher;
use std::ops::Range;

use rustc_hash::FxBuildHasher;

/// Letters of a word that count: `expired`, `expires` and `expiry` are one.
const STEM: usize = 5;
/// Words that are looked at; what failed stands in front.
const MOST_WORDS: usize = 200;

/// Where a message was seen, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Step of the sign-in or request.
    pub step: &'a str,
    /// Hop.
    pub hop: &'a str,
    /// HTTP status.
    pub status: Option<u16>,
    /// OAuth error code, in lower case.
    pub code: Option<&'a str>,
}

/// One feature, as a hash, and where in the text it stands; an empty range for a circumstance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Stands for the feature.
    pub key: u64,
    /// Bytes of the text.
    pub span: Range<usize>,
}

impl Circumstances<'_> {
    /// What is known, as features.
    pub fn features(&self) -> impl Iterator<Item = Feature> {
        let said = [
            Some(key(('s', self.step))),
            Some(key(('h', self.hop))),
            self.status.map(|status| key(('n', status))),
            self.code.map(|code| key(('c', code))),
        ];
        said.into_iter().flatten().map(|key| Feature { key, span: 0..0 })
    }
}

/// The words of a message and the pairs of neighbours, each once.
pub fn words_of_message(text: &str) -> Vec<Feature> {
    let words = words_of(text);
    let stems: Vec<u64> = words.iter().map(|span| stem(text.get(span.clone()).unwrap_or(""))).collect();
    let mut features = Vec::with_capacity(2 * words.len());
    for (place, (span, stem)) in words.iter().zip(&stems).enumerate() {
        features.push(Feature { key: key(('w', *stem)), span: span.clone() });
        if let (Some(next), Some(next_stem)) = (words.get(place + 1), stems.get(place + 1)) {
            features.push(Feature { key: key(('p', *stem, *next_stem)), span: span.start..next.end });
        }
    }
    features.sort_by_key(|feature| (feature.key, feature.span.start));
    features.dedup_by_key(|feature| feature.key);
    features
}

fn key(feature: impl std::hash::Hash) -> u64 {
    FxBuildHasher.hash_one(feature)
}

/// The first letters of a word, in small ones, as a number; a character of another script is shorter than that.
fn stem(word: &str) -> u64 {
    let letters = word.bytes().take(STEM);
    letters.fold(0, |stem, letter| (stem << 8) | u64::from(letter.to_ascii_lowercase()))
}

/// Where the words stand: runs of ASCII letters, parted where a small letter meets a capital one; numbers of three digits; and
/// each character of scripts that do not part words. Addresses are left out.
fn words_of(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut rest = 0;
    while let Some(character) = text.get(rest..).and_then(|rest| rest.chars().next()) {
        if words.len() == MOST_WORDS {
            break;
        }
        let start = rest;
        rest += character.len_utf8();
        let run = |part_of: &dyn Fn(u8) -> bool| {
            let behind = text.as_bytes().iter().skip(start);
            start + behind.take_while(|byte| part_of(**byte)).count()
        };
        if character.is_ascii_alphabetic() {
            let is_address =
                text.get(start..).is_some_and(|rest| rest.starts_with("http://") || rest.starts_with("https://"));
            if is_address {
                rest = run(&|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b')' | b'>' | b','));
                continue;
            }
            rest = end_of_hump(text, start);
            words.push(start..rest);
        } else if character.is_ascii_digit() {
            rest = run(&|byte| byte.is_ascii_digit());
            if rest - start == 3 {
                words.push(start..rest);
            }
        } else if character.is_alphanumeric() {
            words.push(start..rest);
        }
    }
    words
}

/// The end of the letters from `start` on, before a capital letter that follows a small one.
fn end_of_hump(text: &str, start: usize) -> usize {
    let mut before = b'A';
    let letters = text.as_bytes().iter().skip(start).take_while(|letter| {
        let goes_on = letter.is_ascii_alphabetic() && !(before.is_ascii_lowercase() && letter.is_ascii_uppercase());
        before = **letter;
        goes_on
    });
    start + letters.count()
}

#[cfg(test)]
mod tests {
    use super::{Circumstances, words_of, words_of_message};

    fn words(text: &str) -> Vec<&str> {
        words_of(text).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn a_text_is_parted_into_words() {
        for (text, expected) in [
            ("NeedsLogin for user_id", vec!["Needs", "Login", "for", "user", "id"]),
            ("HTTP 401, 12 of 4096", vec!["HTTP", "401", "of"]),
            ("see https://a.example/b?c=d now", vec!["see", "now"]),
            ("令牌 x", vec!["令", "牌", "x"]),
            ("", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn a_feature_counts_once_and_forms_of_a_word_are_one() {
        let keys = |text: &str| -> Vec<u64> { words_of_message(text).into_iter().map(|feature| feature.key).collect() };
        assert_eq!(keys("expired"), keys("Expires"));
        assert_ne!(keys("令"), keys("牌"));
        assert_eq!(keys("a a a").len(), 2, "one word, one pair");
        let known = Circumstances { step: "token", hop: "upstream", status: Some(401), code: Some("invalid_grant") };
        assert_eq!(known.features().count(), 4);
        assert_eq!(Circumstances { status: None, code: None, ..known }.features().count(), 2);
    }

    #[test]
    fn any_text_is_read() {
        let long = "äöü ".repeat(10_000);
        assert!(words_of(&long).len() <= super::MOST_WORDS);
    }
}
