//! Reading the value after a separator: where it begins and ends, through whatever encodings stand around it.
//!
//! Decides nothing about what the value is.

use super::glyph::{Glyph, Writing, closes, glyph_at};

/// A value's place and how it was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    /// First byte of the value, after its opening quote.
    pub(super) start: usize,
    /// First byte after the value, before its closing quote.
    pub(super) end: usize,
    /// The opening quote, if the value is quoted.
    pub(super) quote: Option<Glyph>,
}

/// How a bare value may end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// Percent layers of the text around: an `&` written in that many layers or fewer ends the value.
    pub(super) percent_level: usize,
    /// Whether a comma ends it anywhere, or only before a space.
    pub(super) comma: bool,
    /// Whether `;` ends it.
    pub(super) semicolon: bool,
    /// Whether `=` followed by a letter ends it (a new pair has begun).
    pub(super) equals: bool,
    /// Longest value of interest, in bytes; `None` is unbounded.
    pub(super) limit: Option<usize>,
}

/// More spaces than this between a separator and its value make them strangers.
const MAX_SPACES: usize = 8;

/// What may stand between a separator and the value: list brackets and constructors of debug prints.
const OPENERS: [&[u8]; 4] = [b"Some(", b"Ok(", b"Secret(", b"string"];

/// Skips spaces and tabs, also escaped ones.
pub(super) fn skip_spaces(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    for _ in 0..MAX_SPACES {
        if at >= bytes.len() {
            break;
        }
        let glyph = glyph_at(bytes, at);
        if !matches!(glyph.byte, b' ' | b'\t') {
            break;
        }
        at += glyph.length;
    }
    at
}

/// The opening quote at `at`, if one stands there.
pub(super) fn quote_at(bytes: &[u8], at: usize) -> Option<Glyph> {
    if at >= bytes.len() {
        return None;
    }
    let glyph = glyph_at(bytes, at);
    matches!(glyph.byte, b'"' | b'\'' | b'`').then_some(glyph)
}

/// Skips brackets, constructors and string prefixes (`b'…'`) in front of a value.
pub(super) fn skip_openers(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut before = 0;
    for _ in 0..4 {
        if at >= bytes.len() {
            break;
        }
        let glyph = glyph_at(bytes, at);
        let is_bracket = matches!((before, glyph.byte), (_, b'[' | b'(') | (b'[', b']') | (b'g', b'{'));
        if is_bracket {
            at += glyph.length;
            before = glyph.byte;
        } else if let Some(opener) = OPENERS.iter().find(|opener| opens(bytes, at, opener, before)) {
            at += opener.len();
            before = opener[opener.len() - 1];
        } else if matches!(glyph.byte, b'b' | b'u') && quote_at(bytes, at + 1).is_some() {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// Whether the opener stands at `at`; Go's `[]string{` is read bracket by bracket, so `string` counts after `]` only.
fn opens(bytes: &[u8], at: usize, opener: &[u8], before: u8) -> bool {
    bytes[at..].starts_with(opener) && (opener != b"string" || before == b']')
}

/// Reads a quoted or bare value that begins exactly at `at`; an unfinished quote ends at the line's end.
pub(super) fn read(bytes: &[u8], at: usize, ends: Ends) -> Value {
    match quote_at(bytes, at) {
        Some(open) => {
            let start = at + open.length;
            Value { start, end: quoted_end(bytes, start, open, ends.limit), quote: Some(open) }
        }
        None => Value { start: at, end: bare_end(bytes, at, ends), quote: None },
    }
}

/// Where the string that `open` began ends.
pub(super) fn quoted_end(bytes: &[u8], start: usize, open: Glyph, limit: Option<usize>) -> usize {
    let last = limit.map_or(bytes.len(), |limit| bytes.len().min(start.saturating_add(limit)));
    let mut at = start;
    while at < last {
        match bytes[at] {
            b'\n' | b'\r' => return at,
            b'"' | b'\'' | b'`' | b'\\' | b'%' | b'&' => {
                let glyph = glyph_at(bytes, at);
                if closes(open, glyph) {
                    return at;
                }
                at += glyph.length;
            }
            _ => at += 1,
        }
    }
    at.min(bytes.len())
}

/// Where a value without quotes ends.
pub(super) fn bare_end(bytes: &[u8], start: usize, ends: Ends) -> usize {
    let last = ends.limit.map_or(bytes.len(), |limit| bytes.len().min(start.saturating_add(limit)));
    let mut at = start;
    while at < last {
        let byte = bytes[at];
        if byte.is_ascii_alphanumeric() || !byte.is_ascii() {
            at += 1;
            continue;
        }
        let glyph = glyph_at(bytes, at);
        if ends_bare(bytes, at, glyph, ends) {
            break;
        }
        at += glyph.length;
    }
    trim_sentence(bytes, start, at.min(bytes.len()))
}

/// Whether this glyph ends a bare value.
fn ends_bare(bytes: &[u8], at: usize, glyph: Glyph, ends: Ends) -> bool {
    if glyph.writing == Writing::Percent && glyph.level > ends.percent_level {
        return false;
    }
    let next = bytes.get(at + glyph.length).copied();
    let before_gap =
        next.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'%' | b'+' | b'/'));
    match glyph.byte {
        0..=b' ' | b'"' | b'\'' | b'`' | b'&' | b'<' | b'>' | 0x7f => true,
        b'#' => glyph.writing == Writing::Percent,
        b';' => ends.semicolon,
        b',' => ends.comma || before_gap,
        b'}' | b')' | b']' => before_gap,
        b'=' => ends.equals && next.is_some_and(|byte| byte.is_ascii_alphanumeric()),
        _ => false,
    }
}

/// Takes a sentence's punctuation off the end; dots in a row are a mask and stay.
fn trim_sentence(bytes: &[u8], start: usize, end: usize) -> usize {
    let value = &bytes[start..end];
    if value.ends_with(b"..") {
        return end;
    }
    let kept = value.iter().rev().skip_while(|byte| matches!(byte, b'.' | b',' | b':' | b'!' | b'?' | b'\\')).count();
    if kept == 0 { end } else { start + kept }
}
