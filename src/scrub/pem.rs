//! Private keys in PEM form (RFC 7468 §10), whole or cut off, on several lines or with their line breaks escaped.
//!
//! Certificates and public keys stay. A key that is spread over several *records* is followed by `lines`.

use super::glyph::{Writing, glyph_at};
use super::kind::SecretKind;
use super::scan::{Found, View};

/// What a block begins with.
pub(super) const BEGIN: &[u8] = b"-----BEGIN";
/// What a block ends with.
pub(super) const END: &[u8] = b"-----END";
/// What closes both lines.
const DASHES: &[u8] = b"-----";
/// Longest label of a block, its spaces escaped.
const MAX_LABEL: usize = 80;
/// A word of a key's body has a line's length; shorter ones are believed only alone on a line.
const BODY_WORD: usize = 16;

/// A private key that begins at `position`, if its body is there.
pub(super) fn at_dashes(view: View<'_>, position: usize) -> Option<Found> {
    let body = header_end(view.bytes, position)?;
    let end = body_end(view.bytes, body)?;
    Some(Found::plain(position, end, SecretKind::PemPrivateKey))
}

/// The end of `-----BEGIN … PRIVATE KEY-----` that begins at `position`.
pub(super) fn header_end(bytes: &[u8], position: usize) -> Option<usize> {
    if !bytes[position..].starts_with(BEGIN) {
        return None;
    }
    let label_start = position + BEGIN.len();
    let length = dashes_in(&bytes[label_start..])?;
    let label = &bytes[label_start..label_start + length];
    let is_private = contains(label, b"PRIVATE") && contains(label, b"KEY");
    is_private.then_some(label_start + length + DASHES.len())
}

/// The end of `-----END … -----` that begins at `position`.
pub(super) fn footer_end(bytes: &[u8], position: usize) -> usize {
    let label_start = position + END.len();
    match dashes_in(&bytes[label_start..]) {
        Some(length) => label_start + length + DASHES.len(),
        None => label_start,
    }
}

/// Where the closing dashes stand, within a label's length.
fn dashes_in(text: &[u8]) -> Option<usize> {
    text[..text.len().min(MAX_LABEL)].windows(DASHES.len()).position(|window| window == DASHES)
}

/// Whether `part` stands somewhere in the short text.
fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The end of the body and its footer; `None` when neither is there.
fn body_end(bytes: &[u8], body: usize) -> Option<usize> {
    let mut end = None;
    let mut at = body;
    loop {
        let (next, has_line_break) = skip_breaks(bytes, at);
        if bytes[next..].starts_with(END) {
            return Some(footer_end(bytes, next));
        }
        let word_end = base64_end(bytes, next);
        let length = word_end - next;
        if length == 0 || is_header_name(bytes, word_end) {
            let Some(after) = header_line_end(bytes, next) else {
                return end;
            };
            at = after;
            continue;
        }
        let stands_alone = has_line_break && ends_line(bytes, word_end);
        if length < BODY_WORD && !stands_alone {
            return end;
        }
        end = Some(word_end);
        at = word_end;
    }
}

/// Skips spaces and line breaks, also escaped ones; tells whether a line break was among them.
fn skip_breaks(bytes: &[u8], from: usize) -> (usize, bool) {
    let mut at = from;
    let mut has_line_break = false;
    while at < bytes.len() {
        let glyph = glyph_at(bytes, at);
        match glyph.byte {
            b'\n' | b'\r' => has_line_break = true,
            b' ' | b'\t' => {}
            _ => break,
        }
        at += glyph.length;
    }
    (at, has_line_break)
}

/// The end of a row of base64 letters, percent-encoded ones included.
fn base64_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') {
            at += 1;
            continue;
        }
        if !matches!(byte, b'%' | b'\\') {
            break;
        }
        let glyph = glyph_at(bytes, at);
        let is_letter =
            matches!(glyph.byte, b'+' | b'/' | b'=') && (glyph.writing != Writing::Plain || glyph.byte == b'/');
        if !is_letter {
            break;
        }
        at += glyph.length;
    }
    at
}

/// Whether a header of an old-style block goes on here: `Proc-Type: …`, `DEK-Info: …`, `Comment: …` (RFC 1421 §4.6).
fn is_header_name(bytes: &[u8], word_end: usize) -> bool {
    matches!(bytes.get(word_end), Some(b'-' | b':')) && !bytes[word_end..].starts_with(DASHES)
}

/// The end of a header line, if a header stands there.
fn header_line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let is_header =
        [&b"Proc-Type:"[..], b"DEK-Info:", b"Comment:", b"Version:"].iter().any(|name| bytes[at..].starts_with(name));
    if !is_header {
        return None;
    }
    let mut end = at;
    while end < bytes.len() && end < at + 256 {
        let glyph = glyph_at(bytes, end);
        if matches!(glyph.byte, b'\n' | b'\r' | b'"') {
            return Some(end);
        }
        end += glyph.length;
    }
    None
}

/// Whether a line ends here: a break, a quote, or the text's end.
fn ends_line(bytes: &[u8], at: usize) -> bool {
    at >= bytes.len() || matches!(glyph_at(bytes, at).byte, b'\n' | b'\r' | b'"' | b'\'' | b'`')
}
