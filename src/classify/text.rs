//! The patterns of all rules, matched in one pass over a text.
//!
//! Patterns see the unwrapped, single-spaced text, ignore the case of ASCII letters, and are linear-time by
//! construction (no look-around, no back-references).

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder, SetMatches};
use rustc_hash::FxHashMap;

/// Largest compiled set, in bytes; far above what the embedded rules need, so that an operator's rules fit too.
const COMPILED_LIMIT: usize = 64 << 20;
/// Largest cache of automaton states, in bytes and for each thread that matches at the same time. The states of a text
/// are built once and then cost one look-up a byte; a small cache is thrown away and rebuilt for every text, which was
/// measured to be more than twenty times slower.
const CACHE_LIMIT: usize = 64 << 20;

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

    /// Compiles all patterns into one set.
    ///
    /// # Errors
    /// When the set as a whole grows too large.
    pub fn finish(self) -> Result<Patterns, String> {
        let set = RegexSetBuilder::new(&self.expressions)
            .case_insensitive(true)
            .unicode(false)
            .size_limit(COMPILED_LIMIT)
            .dfa_size_limit(CACHE_LIMIT)
            .build()
            .map_err(|error| one_line(&error))?;
        Ok(Patterns { set, compiled: self.compiled })
    }
}

/// The last line of a regex error says what is wrong; the lines before draw the pattern.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

/// All patterns, ready to match.
#[derive(Debug)]
pub struct Patterns {
    set: RegexSet,
    compiled: Vec<Regex>,
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

    /// Which patterns match, in one pass.
    #[must_use]
    pub fn matches(&self, text: &str) -> SetMatches {
        self.set.matches(text.as_bytes())
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
