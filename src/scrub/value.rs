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

/// Longest name of a constructor in front of a value, in bytes.
const MAX_CONSTRUCTOR: usize = 40;

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

/// Skips one line break and the indentation that must follow it; `None` when there is none.
pub(super) fn skip_line_break(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut breaks = 0;
    while at < bytes.len() && breaks < 2 {
        let glyph = glyph_at(bytes, at);
        match glyph.byte {
            b'\n' => breaks += 1,
            b'\r' if breaks == 0 => {}
            _ => break,
        }
        at += glyph.length;
    }
    let after = skip_spaces(bytes, at);
    (breaks == 1 && after > at && after < bytes.len()).then_some(after)
}

/// As [`skip_spaces`], where the separator before was percent-encoded: a form's `+` is a space, in fewer layers.
pub(super) fn skip_form_spaces(bytes: &[u8], from: usize, percent_level: usize) -> usize {
    let mut at = skip_spaces(bytes, from);
    if percent_level > 0 && at < bytes.len() {
        let glyph = glyph_at(bytes, at);
        if glyph.byte == b'+' && (glyph.writing == Writing::Plain || glyph.level < percent_level) {
            at = skip_spaces(bytes, at + glyph.length);
        }
    }
    at
}

/// The opening quote at `at`, if one stands there.
pub(super) fn quote_at(bytes: &[u8], at: usize) -> Option<Glyph> {
    if at >= bytes.len() {
        return None;
    }
    let glyph = glyph_at(bytes, at);
    if !matches!(glyph.byte, b'"' | b'\'' | b'`') {
        return None;
    }
    // Twice the same quote and then text: a quote inside a spreadsheet's field. Else an empty string.
    let is_doubled = glyph.length == 1 && bytes.get(at + 1) == Some(&glyph.byte) && glyph.byte != b'`';
    let goes_on = bytes.get(at + 2).is_some_and(|byte| {
        !matches!(byte, 0..=b' ' | b',' | b'}' | b']' | b')' | b':' | b';' | b'&' | b'"' | b'\'' | b'\\' | b'<' | b'>')
    });
    Some(if is_doubled && goes_on { Glyph { writing: Writing::Doubled, length: 2, ..glyph } } else { glyph })
}

/// Skips brackets, constructors (`Some(`, `string(32) `), string prefixes (`b'…'`, `<<`) and colours in front of a value.
pub(super) fn skip_openers(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut before = 0;
    for _ in 0..6 {
        if at >= bytes.len() {
            break;
        }
        let glyph = glyph_at(bytes, at);
        let is_bracket = matches!((before, glyph.byte), (_, b'[' | b'(') | (b'[', b']') | (b'g', b'{'));
        let colour = colour_at(bytes, at);
        if colour > 0 {
            at += colour;
        } else if is_bracket {
            at += glyph.length;
            before = glyph.byte;
        } else if before == b']' && bytes[at..].starts_with(b"string") {
            // Go's `[]string{` is read bracket by bracket.
            at += b"string".len();
            before = b'g';
        } else if let Some(length) = constructor(bytes, at) {
            at += length;
            before = b'(';
        } else if bytes[at..].starts_with(b"<<\"") {
            at += 2;
        } else if matches!(glyph.byte, b'b' | b'u' | b'@') && quote_at(bytes, at + 1).is_some() {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// Length of a constructor that stands before a quoted value: `Some(`, `Secret(b`, `std::string::String(`, PHP's
/// `string(32) `.
fn constructor(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.');
    let name = rest.iter().take(MAX_CONSTRUCTOR).take_while(|byte| is_letter(byte)).count();
    if name < 2 || rest.get(name) != Some(&b'(') {
        return None;
    }
    let inside = name + 1;
    let digits = rest[inside..].iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && rest[inside + digits..].starts_with(b") ") {
        return quote_at(bytes, at + inside + digits + 2).map(|_| inside + digits + 2);
    }
    let prefix = usize::from(rest.get(inside) == Some(&b'b'));
    let is_known = [&b"Some"[..], b"Ok", b"Secret"].contains(&&rest[..name]);
    (is_known || quote_at(bytes, at + inside + prefix).is_some()).then_some(inside)
}

/// Length of a terminal's colour code (ECMA-48 §8.3.117) that begins at `at`.
pub(super) fn colour_at(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let escape = [&b"\x1b["[..], b"\\u001b[", b"\\u001B[", b"\\x1b[", b"\\x1B[", b"\\e[", b"\\033["];
    let Some(length) = escape.iter().find(|escape| rest.starts_with(escape)).map(|escape| escape.len()) else {
        return 0;
    };
    let inner = rest[length..].iter().take(12).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    if rest.get(length + inner) == Some(&b'm') { length + inner + 1 } else { 0 }
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

/// The end of the last item of a list that goes on behind a quoted item with more quoted ones.
pub(super) fn list_end(bytes: &[u8], first: Value) -> usize {
    let Some(open) = first.quote else { return first.end };
    let mut end = first.end;
    while end < bytes.len() {
        let comma = skip_spaces(bytes, end + glyph_at(bytes, end).length);
        if comma >= bytes.len() || glyph_at(bytes, comma).byte != b',' {
            break;
        }
        let next = skip_spaces(bytes, comma + glyph_at(bytes, comma).length);
        let Some(quote) = quote_at(bytes, next).filter(|quote| quote.byte == open.byte) else { break };
        let item_end = quoted_end(bytes, next + quote.length, quote, None);
        // The next pair's name is no item.
        if item_end < bytes.len() {
            let after = skip_spaces(bytes, item_end + glyph_at(bytes, item_end).length);
            if after < bytes.len() && matches!(glyph_at(bytes, after).byte, b':' | b'=') {
                break;
            }
        }
        end = item_end;
    }
    end
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
        // A form's space.
        b'+' => ends.percent_level > 0 && (glyph.writing == Writing::Plain || glyph.level < ends.percent_level),
        b'\\' => colour_at(bytes, at) > 0,
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
