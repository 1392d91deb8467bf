//! The patterns of all rules, asked about a text: each one only when the text holds what it requires and somebody wants
//! to know.
//!
//! Patterns see the unwrapped, single-spaced text, ignore the case of ASCII letters, and are linear-time by construction
//! (no look-around, no back-references). One automaton of all of them was measured to be forty times slower on texts
//! not seen before: patterns with a gap (`x.*y`) multiply its states, and each new text builds new ones.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use regex::bytes::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

use super::candidates::Candidates;
use super::required::required_texts;

/// The patterns while they are collected.
#[derive(Debug, Default)]
pub struct PatternList {
    expressions: Vec<String>,
    compiled: Vec<Regex>,
    numbers: FxHashMap<String, usize>,
}

impl PatternList {
    /// The number of a pattern, new or already there.
    ///
    /// # Errors
    /// What is wrong with the expression, in one line.
    pub fn add(&mut self, expression: &str) -> Result<usize, String> {
        if let Some(number) = self.numbers.get(expression) {
            return Ok(*number);
        }
        let built = RegexBuilder::new(expression).case_insensitive(true).unicode(false).build();
        let regex = built.map_err(|error| one_line(&error))?;
        let number = self.expressions.len();
        self.expressions.push(expression.to_owned());
        self.compiled.push(regex);
        self.numbers.insert(expression.to_owned(), number);
        Ok(number)
    }

    /// All patterns, ready to match.
    #[must_use]
    pub fn finish(self) -> Patterns {
        let required = self.expressions.iter().map(|expression| required_texts(expression));
        let candidates = Candidates::of(required);
        Patterns { expressions: self.expressions, compiled: self.compiled, candidates }
    }
}

/// The last line of a regex error says what is wrong; the lines before draw the pattern.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

/// A set of small numbers, as bits.
#[derive(Debug, Clone)]
pub struct Numbers {
    words: Vec<u64>,
}

impl Numbers {
    /// No number; room for those below `limit`.
    #[must_use]
    pub fn none(limit: usize) -> Self {
        Self { words: vec![0; limit.div_ceil(64)] }
    }

    /// Adds a number; one beyond the room is left out.
    pub fn insert(&mut self, number: usize) {
        if let Some(word) = self.words.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    /// Whether the number is there.
    #[must_use]
    pub fn contains(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// The numbers, ascending.
    pub fn into_numbers(self) -> impl Iterator<Item = usize> {
        self.words.into_iter().zip((0..).step_by(64)).flat_map(|(word, first)| bits_of(word, first))
    }

    /// Leaves only what `others` has too.
    pub fn keep(&mut self, others: &Self) {
        self.words.iter_mut().zip(&others.words).for_each(|(word, other)| *word &= other);
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().zip((0..).step_by(64)).flat_map(|(word, first)| bits_of(*word, first))
    }
}

/// The numbers that a word of bits stands for, from `first` on.
fn bits_of(word: u64, first: usize) -> impl Iterator<Item = usize> {
    let mut left = word;
    std::iter::from_fn(move || {
        let bit = (left != 0).then_some(left.trailing_zeros())?;
        left &= left - 1;
        Some(first + bit as usize)
    })
}

/// All patterns, ready to match.
#[derive(Debug)]
pub struct Patterns {
    expressions: Vec<String>,
    compiled: Vec<Regex>,
    candidates: Candidates,
}

impl Patterns {
    /// How many patterns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.compiled.len()
    }

    /// Whether there is no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.compiled.is_empty()
    }

    /// The patterns as they were written, in the order of their numbers.
    pub fn expressions(&self) -> impl Iterator<Item = &str> {
        self.expressions.iter().map(String::as_str)
    }

    /// What is known of a text before any pattern was asked about it.
    #[must_use]
    pub fn of_text(&self, text: &str) -> Matches {
        let mut possible = Numbers::none(self.len());
        self.candidates.of_text(text).into_iter().for_each(|number| possible.insert(number));
        let none = || possible.words.iter().map(|_| AtomicU64::new(0)).collect();
        Matches { asked: none(), matching: none(), possible }
    }

    /// Where a pattern matches; a longer span is cut, it is evidence for a reader.
    #[must_use]
    pub fn span(&self, number: usize, text: &str) -> Option<Range<usize>> {
        const LONGEST_SPAN: usize = 160;
        let found = self.compiled.get(number)?.find(text.as_bytes())?;
        let start = text.floor_char_boundary(found.start());
        let end = text.floor_char_boundary(found.end().min(start + LONGEST_SPAN));
        Some(start..end)
    }
}

/// Which patterns match one text: each is asked when somebody wants to know, and its answer remembered.
#[derive(Debug)]
pub struct Matches {
    /// The patterns whose required texts stand in the text.
    possible: Numbers,
    asked: Box<[AtomicU64]>,
    matching: Box<[AtomicU64]>,
}

impl Matches {
    /// The patterns that can match, ascending.
    pub fn possible(&self) -> impl Iterator<Item = usize> {
        self.possible.iter()
    }

    /// Whether a pattern matches `text`, which is the one that this was made of.
    #[must_use]
    pub fn contains(&self, number: usize, patterns: &Patterns, text: &str) -> bool {
        if !self.possible.contains(number) {
            return false;
        }
        let (word, bit) = (number / 64, 1 << (number % 64));
        let (Some(asked), Some(matching)) = (self.asked.get(word), self.matching.get(word)) else { return false };
        // Whoever else asks at the same time finds the same, so neither waits; the answer is written before that it is known.
        if asked.load(Ordering::Acquire) & bit != 0 {
            return matching.load(Ordering::Relaxed) & bit != 0;
        }
        let is_match = patterns.compiled.get(number).is_some_and(|pattern| pattern.is_match(text.as_bytes()));
        if is_match {
            matching.fetch_or(bit, Ordering::Relaxed);
        }
        asked.fetch_or(bit, Ordering::Release);
        is_match
    }
}
