//! Secrets known by their shape: vendors' prefixes, JSON Web Tokens, Entra client secrets.
//!
//! Works on *runs*, rows of token letters as they stand between spaces, quotes and separators. A shape counts at the
//! edge of a word only, so that `sk-` inside `task-queue` is none.

use super::glyph::{Writing, glyph_at};
use super::glyph_back::escape_tail;
use super::kind::SecretKind;
use super::scan::{Found, View};
use super::shapes::{Alphabet, Demand, SHAPES, Shape};
use super::structures;
use super::words::{MAX_VISIBLE, is_masked, is_mixed, is_uuid};
use std::ops::Range;

/// Fewest letters of a JSON Web Token's first part after `eyJ`.
const JWT_MINIMUM: usize = 10;

/// A token shows what its row demands in its first letters; reading no more keeps refusals cheap.
const TELLING_LENGTH: usize = 128;

/// Fewest letters after `Q~` of an Entra client secret (34 in those issued today).
const ENTRA_MINIMUM: usize = 16;

/// Most letters before an Entra secret that are removed with it.
const MAX_ENTRA_LEAD: usize = 64;

/// Shorter runs are not searched: the prefilter sees every run of 15 letters and more, shorter ones only where they
/// happen to lie well, and what is found must not depend on that.
pub(super) const SHORTEST_RUN: usize = 15;

/// Shapes by the first letter of their prefix.
pub(super) struct ShapeIndex {
    by_first: Vec<Vec<&'static Shape>>,
    /// Whether any prefix begins with these two ASCII letters: rejects most words at once.
    pairs: Vec<bool>,
}

/// Place of two letters in [`ShapeIndex`]'s table of pairs.
const fn pair(first: u8, second: u8) -> usize {
    (first as usize & 0x7f) << 7 | (second as usize & 0x7f)
}

impl ShapeIndex {
    /// Sorts the table.
    pub(super) fn new() -> Self {
        let mut by_first = vec![Vec::new(); 256];
        let mut pairs = vec![false; 1 << 14];
        pairs[pair(b'e', b'y')] = true;
        for [first, second] in structures::STARTS.iter().chain(structures::MARKS) {
            pairs[pair(*first, *second)] = true;
        }
        for shape in SHAPES {
            let prefix = shape.prefix.as_bytes();
            by_first[usize::from(prefix[0])].push(shape);
            pairs[pair(prefix[0], prefix[1])] = true;
        }
        Self { by_first, pairs }
    }
}

/// The letters a run is made of.
pub(super) const fn is_run_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'/' | b'+')
}

/// The run that covers `position`, not reaching back before `from`; empty when no run letter stands there.
pub(super) fn run_around(view: View<'_>, position: usize, from: usize) -> Range<usize> {
    let first = from.max(view.floor);
    let back = view.bytes[first..position].iter().rev().take_while(|byte| is_run_byte(**byte)).count();
    let ahead = view.bytes[position..].iter().take_while(|byte| is_run_byte(**byte)).count();
    if ahead == 0 { position..position } else { position - back..position + ahead }
}

/// The first shape that begins in the bytes from `from` to `end`, all of them run letters.
pub(super) fn find_shape(index: &ShapeIndex, view: View<'_>, from: usize, end: usize) -> Option<Found> {
    if let Some(found) = slashed_prefix_before(view, from, end) {
        return Some(found);
    }
    if end < from + SHORTEST_RUN {
        return None;
    }
    let escaped = from + escape_tail(view.bytes, view.floor, from, end);
    for start in from..end - 1 {
        let byte = view.bytes[start];
        if byte == b'~'
            && let Some(found) = entra_secret(view, from, start, 1)
        {
            return Some(found);
        }
        if !index.pairs[pair(byte, view.bytes[start + 1])] {
            continue;
        }
        if matches!(byte, b'-' | b'N' | b'.' | b'J' | b'A' | b'+')
            && let Some(found) = structures::around_mark(view, if start >= escaped { escaped } else { from }, start)
        {
            return Some(found);
        }
        let at_edge = start == escaped || start == view.floor || !view.bytes[start - 1].is_ascii_alphanumeric();
        if !at_edge {
            continue;
        }
        if byte == b'e'
            && let Some(found) = web_token(view.bytes, start)
        {
            return Some(found);
        }
        for shape in &index.by_first[usize::from(byte)] {
            if let Some(found) = match_shape(view.bytes, start, shape) {
                return Some(found);
            }
        }
        if let Some(found) = structures::at_edge(view.bytes, start) {
            return Some(found);
        }
    }
    None
}

/// The vendor's shape that begins exactly at `start`, however long the run is.
pub(super) fn shape_at(index: &ShapeIndex, view: View<'_>, start: usize) -> Option<Found> {
    let bytes = view.bytes;
    let byte = *bytes.get(start)?;
    if let Some(found) = web_token(bytes, start) {
        return Some(found);
    }
    index.by_first[usize::from(byte)].iter().find_map(|shape| match_shape(bytes, start, shape))
}

/// Matches one row of the table at `start`.
fn match_shape(bytes: &[u8], start: usize, shape: &Shape) -> Option<Found> {
    let after_prefix = match_prefix(bytes, start, shape.prefix.as_bytes())?;
    let head_end = extend(bytes, after_prefix, shape.alphabet, Some(TELLING_LENGTH));
    let head = &bytes[after_prefix..trim_stops(bytes, after_prefix, head_end)];
    if head.len() < shape.minimum || !meets(shape.demand, head) {
        return None;
    }
    let end = trim_stops(bytes, after_prefix, extend(bytes, after_prefix, shape.alphabet, None));
    (!is_masked_token(bytes, start, end)).then_some(Found::plain(start, end, shape.kind))
}

/// The end of the prefix, its slashes written in whatever way.
fn match_prefix(bytes: &[u8], start: usize, prefix: &[u8]) -> Option<usize> {
    if bytes[start..].starts_with(prefix) {
        return Some(start + prefix.len());
    }
    if !prefix.contains(&b'/') {
        return None;
    }
    let mut at = start;
    for expected in prefix {
        if at >= bytes.len() {
            return None;
        }
        let glyph = glyph_at(bytes, at);
        if glyph.byte != *expected {
            return None;
        }
        at += glyph.length;
    }
    Some(at)
}

/// Google's prefixes contain slashes; escaped ones (`1%2F%2F0…`) end the run, so the prefix stands before it.
fn slashed_prefix_before(view: View<'_>, from: usize, end: usize) -> Option<Found> {
    let has_escape_before = from > view.floor && matches!(view.bytes[from - 1], b'%' | b'\\');
    if !has_escape_before || end < from + SHORTEST_RUN {
        return None;
    }
    let earliest = from.saturating_sub(20).max(view.floor);
    for start in earliest..from {
        if !matches!(view.bytes[start], b'1' | b'4') || !is_edge(view, start) {
            continue;
        }
        for shape in SHAPES.iter().filter(|shape| shape.prefix.contains('/')) {
            if let Some(found) = match_shape(view.bytes, start, shape)
                && found.end > from
            {
                return Some(Found { percent_layers: 1, ..found });
            }
        }
    }
    None
}

/// Whether a word may begin at `start`: after no letter or digit, or after an escape that ends in one.
pub(super) fn is_edge(view: View<'_>, start: usize) -> bool {
    if start == view.floor || !view.bytes[start - 1].is_ascii_alphanumeric() {
        return true;
    }
    let earliest = start.saturating_sub(10).max(view.floor);
    let back = view.bytes[earliest..start].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = start - back;
    escape_tail(view.bytes, view.floor, word, start) == back
}

/// How far the letters of the alphabet go on from `from`; escaped letters of it count.
fn extend(bytes: &[u8], from: usize, alphabet: Alphabet, limit: Option<usize>) -> usize {
    let last = limit.map_or(bytes.len(), |limit| bytes.len().min(from + limit));
    let mut at = from;
    while at < last {
        if alphabet.contains(bytes[at]) {
            at += 1;
            continue;
        }
        if !matches!(bytes[at], b'%' | b'\\') {
            break;
        }
        let glyph = glyph_at(bytes, at);
        let is_escaped_letter =
            glyph.length > 1 && !glyph.byte.is_ascii_alphanumeric() && alphabet.contains(glyph.byte);
        if !is_escaped_letter || glyph.writing == Writing::Plain && glyph.byte != b'/' {
            break;
        }
        at += glyph.length;
    }
    at
}

/// Takes full stops and slashes off the end: they belong to the sentence or the path around.
fn trim_stops(bytes: &[u8], from: usize, end: usize) -> usize {
    let kept = bytes[from..end].iter().rev().skip_while(|byte| matches!(byte, b'.' | b'/' | b'!')).count();
    from + kept
}

/// Whether the letters after a prefix show what its row demands.
fn meets(demand: Demand, tail: &[u8]) -> bool {
    let has_upper = tail.iter().any(u8::is_ascii_uppercase);
    let has_digit = |part: &[u8]| part.iter().any(u8::is_ascii_digit);
    match demand {
        Demand::Nothing => true,
        Demand::Mixed => has_digit(tail) || (has_upper && tail.iter().any(u8::is_ascii_lowercase)),
        Demand::Strong => is_mixed(tail),
        Demand::Uuid => tail.get(..36).is_some_and(is_uuid),
        Demand::Random => has_upper || tail.split(|byte| *byte == b'-').any(|part| part.len() >= 16 && has_digit(part)),
    }
}

/// Whether somebody masked the token already: little of it is visible and a mask stands before or after it.
fn is_masked_token(bytes: &[u8], start: usize, end: usize) -> bool {
    let head = &bytes[..start];
    let is_mask_before = head.ends_with(b"**")
        || head.ends_with(b"...")
        || head.ends_with("…".as_bytes())
        || head.ends_with("•".as_bytes());
    if is_mask_before && end - start <= MAX_VISIBLE {
        return true;
    }
    let mask = bytes[end..].iter().take(64).take_while(|byte| matches!(byte, b'*' | b'.') || !byte.is_ascii()).count();
    if mask == 0 {
        return false;
    }
    let after = bytes[end + mask..].iter().take(16).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    is_masked(&bytes[start..end + mask + after])
}

/// A JSON Web Token, signed (three parts) or encrypted (five), whole or cut off: base64url of `{"…` begins `eyJ`. Also
/// other JSON in plain base64.
fn web_token(bytes: &[u8], start: usize) -> Option<Found> {
    if !bytes[start..].starts_with(b"eyJ") {
        return None;
    }
    let first_part = extend(bytes, start, Alphabet::Word, Some(JWT_MINIMUM + 3)) - start;
    if first_part < JWT_MINIMUM + 3 && !goes_on_in_base64(bytes, start + first_part) {
        return None;
    }
    let mut end = trim_stops(bytes, start, extend(bytes, start, Alphabet::Dotted, None));
    while goes_on_in_base64(bytes, end) {
        end = trim_stops(bytes, start, extend(bytes, end, Alphabet::Base64, None)).max(end + 1);
    }
    (!is_masked_token(bytes, start, end)).then_some(Found::plain(start, end, SecretKind::Jwt))
}

/// Whether `+`, `/` or `=` stands at `at`, however written, and base64 goes on behind it (a path would have words) or
/// ends with it.
fn goes_on_in_base64(bytes: &[u8], at: usize) -> bool {
    if at >= bytes.len() {
        return false;
    }
    let mark = glyph_at(bytes, at);
    let after = at + mark.length;
    let letters = bytes[after..].iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    match mark.byte {
        b'=' => letters == 0,
        b'+' | b'/' => {
            let text = &bytes[after..after + letters];
            (letters >= 12 || text.iter().any(u8::is_ascii_uppercase)) && (letters >= 4 || mark.byte == b'+')
                || bytes.get(after + letters) == Some(&b'=')
        }
        _ => false,
    }
}

/// An Entra client secret: three letters, a digit, `Q~`, some thirty letters. Its first `~` stands at `tilde` and
/// takes `length` bytes (more than one when it is escaped); nothing before `from` belongs to it.
pub(super) fn entra_secret(view: View<'_>, from: usize, tilde: usize, length: usize) -> Option<Found> {
    let core = tilde.checked_sub(5).filter(|start| *start >= from)?;
    let has_marks = view.bytes[tilde - 1] == b'Q' && view.bytes[tilde - 2].is_ascii_digit();
    if !has_marks || !view.bytes[core..tilde].iter().all(|byte| is_run_byte(*byte)) {
        return None;
    }
    let tail = tilde + length;
    let end = trim_stops(view.bytes, tail, extend(view.bytes, tail, Alphabet::Dotted, None));
    let back = view.bytes[from..core]
        .iter()
        .rev()
        .take(MAX_ENTRA_LEAD)
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let word = core - back;
    // An escape's digits in front of the secret are none of its letters.
    let start = (word + escape_tail(view.bytes, view.floor, word, core)).min(core);
    (end - tail >= ENTRA_MINIMUM).then_some(Found::plain(start, end, SecretKind::ClientSecret))
}
