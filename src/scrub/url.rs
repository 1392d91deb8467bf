//! Secrets in the authority and the path of a URL: `scheme://user:password@host/s/KEY/mcp`.
//!
//! Queries and fragments need nothing here: their pairs are found like any other. Also judges single path segments
//! for fields that hold nothing but a URL or a path.

use super::glyph::{Writing, glyph_at};
use super::kind::SecretKind;
use super::scan::{Found, View};
use super::words;

/// Longest user and password of interest, in bytes.
const MAX_USER_INFORMATION: usize = 1024;

/// Longest path that is searched for a key, in bytes.
const MAX_PATH: usize = 512;

/// Segments after which vendors put a key into the path.
const MARKERS: [&[u8]; 14] = [
    b"s",
    b"k",
    b"t",
    b"key",
    b"keys",
    b"apikey",
    b"api-key",
    b"token",
    b"tokens",
    b"secret",
    b"auth",
    b"hook",
    b"hooks",
    b"services",
];

/// Shortest key after such a segment, and shortest segment that is random enough anywhere.
const MARKED_MINIMUM: usize = 8;
const UNMARKED_MINIMUM: usize = 20;

/// Where the authority begins, when `at` (after a `:`) begins with two slashes, escaped or not.
pub(super) fn authority_start(bytes: &[u8], at: usize) -> Option<usize> {
    let mut next = at;
    for _ in 0..2 {
        let glyph = (next < bytes.len()).then(|| glyph_at(bytes, next))?;
        if glyph.byte != b'/' {
            return None;
        }
        next += glyph.length;
    }
    Some(next)
}

/// The first secret of a URL in a text: its password, or a key in its path.
pub(super) fn in_text(view: View<'_>, authority: usize) -> Option<Found> {
    password(view.bytes, authority).or_else(|| path_key(view.bytes, authority))
}

/// Whether this glyph ends a URL's authority and path.
fn ends_url(byte: u8, writing: Writing) -> bool {
    matches!(byte, 0..=b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | 0x7f) && writing == Writing::Plain
        || matches!(byte, b'"' | b'\'' | b' ' | b'\n')
}

/// The password before `@`; a lone user name counts when it looks random.
fn password(bytes: &[u8], authority: usize) -> Option<Found> {
    if authority >= bytes.len() || words::is_placeholder_at(bytes, authority) {
        return None;
    }
    let mut colon = None;
    let mut at_sign = None;
    let mut in_authority = true;
    let last = bytes.len().min(authority + MAX_USER_INFORMATION);
    let mut at = authority;
    while at < last {
        let glyph = glyph_at(bytes, at);
        if ends_url(glyph.byte, glyph.writing) {
            break;
        }
        match glyph.byte {
            // A user's name was replaced: there was no password when that was done.
            b'[' if bytes[at..].starts_with(b"[redacted:") => return None,
            b'@' => {
                at_sign = Some(at);
                if !in_authority {
                    break;
                }
            }
            b':' if colon.is_none() && in_authority => colon = Some((at, glyph.length)),
            b'/' | b'?' | b'#' => {
                // Behind the authority only a password with an unescaped slash is of interest, and no port.
                let may_go_on =
                    at_sign.is_none() && colon.is_some_and(|(colon, length)| !is_port(&bytes[colon + length..at]));
                if !may_go_on {
                    break;
                }
                in_authority = false;
            }
            b'&' | b',' if !in_authority => break,
            // Another URL begins.
            b':' if !in_authority && bytes[at + glyph.length..].starts_with(b"//") => break,
            _ => {}
        }
        at += glyph.length;
    }
    let end = at_sign?;
    let start = match colon {
        Some((colon, length)) if colon < end => colon + length,
        _ => authority,
    };
    let text = bytes.get(start..end).unwrap_or_default();
    let is_nothing = text.is_empty()
        || words::is_placeholder(text)
        || words::is_placeholder_at(bytes, start)
        || matches!(text[0], b'{' | b'$');
    let is_secret = start > authority || words::is_opaque(text, MARKED_MINIMUM);
    (!is_nothing && is_secret).then_some(Found { percent_layers: 1, ..Found::plain(start, end, SecretKind::Password) })
}

/// Whether a port stands there: digits or nothing.
fn is_port(text: &[u8]) -> bool {
    text.len() <= 5 && text.iter().all(u8::is_ascii_digit)
}

/// A key in a path segment behind a marking one: `/s/KEY/mcp`.
fn path_key(bytes: &[u8], authority: usize) -> Option<Found> {
    let last = bytes.len().min(authority + MAX_PATH);
    let mut segment = authority;
    let mut previous = authority..authority;
    let mut at = authority;
    loop {
        let glyph = (at < last).then(|| glyph_at(bytes, at));
        let is_end = glyph.is_none_or(|glyph| {
            ends_url(glyph.byte, glyph.writing)
                || matches!(glyph.byte, b'?' | b'#' | b',' | b')' | b';')
                || (glyph.byte == b':' && segment > authority)
        });
        let is_slash = glyph.is_some_and(|glyph| glyph.byte == b'/');
        if is_end || is_slash {
            let is_host = segment == authority;
            if !is_host && segment < at && is_secret_segment(&bytes[previous.clone()], &bytes[segment..at], false) {
                return Some(Found::plain(segment, at, SecretKind::ApiKey));
            }
            previous = if is_host { authority..authority } else { segment..at };
        }
        if is_end {
            return None;
        }
        at += glyph.map_or(1, |glyph| glyph.length);
        if is_slash {
            segment = at;
        }
    }
}

/// Whether a path segment is a key. `anywhere` also judges segments behind an ordinary one (fields that hold a URL).
pub(super) fn is_secret_segment(previous: &[u8], segment: &[u8], anywhere: bool) -> bool {
    if words::is_uuid(segment) || words::is_placeholder(segment) {
        return false;
    }
    let has_digit = segment.iter().any(u8::is_ascii_digit);
    let has_upper = segment.iter().any(u8::is_ascii_uppercase);
    let has_lower = segment.iter().any(u8::is_ascii_lowercase);
    let is_token = segment
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'=' | b'%'));
    let is_marked = MARKERS.iter().any(|marker| previous.eq_ignore_ascii_case(marker));
    let has_mixed_letters = has_digit || (has_upper && has_lower);
    if !is_token || !has_mixed_letters {
        return false;
    }
    let is_marked_key = is_marked && segment.len() >= MARKED_MINIMUM && (has_upper || !words::is_wordlike(segment));
    let is_random = anywhere
        && segment.len() >= UNMARKED_MINIMUM
        && has_digit
        && has_upper
        && has_lower
        && !words::is_wordlike(segment);
    is_marked_key || is_random
}
