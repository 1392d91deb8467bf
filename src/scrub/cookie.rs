//! The value of a `Cookie` or `Set-Cookie` header (RFC 6265 §4): pairs, then attributes, removed as one.

use super::glyph::glyph_at;
use super::kind::SecretKind;
use super::scan::{Found, View};
use super::value::{self, Ends};
use super::words;

/// Most words that a date after `Expires=` has: `Wed, 21 Oct 2026 07:28:00 GMT`.
const DATE_WORDS: usize = 6;

/// The cookies that begin at `at`, quoted or not; `None` when no pair stands there (prose about cookies).
pub(super) fn in_header(view: View<'_>, at: usize, percent_level: usize) -> Option<Found> {
    let bytes = view.bytes;
    let quote = value::quote_at(bytes, at);
    let start = at + quote.map_or(0, |quote| quote.length);
    if start >= bytes.len() || words::is_placeholder_at(bytes, start) {
        return None;
    }
    let end = match quote {
        Some(open) => value::quoted_end(bytes, start, open, None),
        None => bare_cookies_end(bytes, start, percent_level),
    };
    let text = &bytes[start..end];
    let first_value = first_value(text)?;
    let is_masked = words::is_placeholder(&text[first_value..]);
    let is_empty = first_value >= text.len();
    (!is_masked && !is_empty)
        .then_some(Found { percent_layers: percent_level, ..Found::plain(start, end, SecretKind::Cookie) })
}

/// Where the value of the first pair begins: after `=`, however it is written.
fn first_value(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let glyph = glyph_at(text, at);
        at += glyph.length;
        if glyph.byte == b'=' {
            return Some(at);
        }
    }
    None
}

/// Words go on as long as the last one ended with `;` or `,`, or a date is being read.
fn bare_cookies_end(bytes: &[u8], start: usize, percent_level: usize) -> usize {
    let ends = Ends { percent_level, comma: false, semicolon: false, equals: false, limit: None };
    let mut end = word_end(bytes, start, ends);
    let mut word = start;
    let mut date_words = 0;
    loop {
        let text = &bytes[word..end];
        let begins_date = text.len() >= 8 && text[..8].eq_ignore_ascii_case(b"expires=");
        date_words = if begins_date { DATE_WORDS } else { date_words };
        let goes_on = text.ends_with(b";") || text.ends_with(b",") || (date_words > 0 && !text.ends_with(b"GMT"));
        let next = value::skip_spaces(bytes, end);
        if !goes_on || next == end || next >= bytes.len() {
            return trim(bytes, start, end);
        }
        let next_end = word_end(bytes, next, ends);
        if next_end == next {
            return trim(bytes, start, end);
        }
        date_words = date_words.saturating_sub(1);
        word = next;
        end = next_end;
    }
}

/// The end of one word, its `;` or `,` included.
fn word_end(bytes: &[u8], start: usize, ends: Ends) -> usize {
    let end = value::bare_end(bytes, start, ends);
    if matches!(bytes.get(end), Some(b';' | b',')) { end + 1 } else { end }
}

/// Takes the separator off the end of the last pair.
fn trim(bytes: &[u8], start: usize, end: usize) -> usize {
    let kept = bytes[start..end].iter().rev().skip_while(|byte| matches!(byte, b';' | b',')).count();
    start + kept
}
