//! Secrets in the authority and the path of a URL: `scheme://user:password@host/s/KEY/mcp`.
//!
//! Queries and fragments need nothing here: their pairs are found like any other. Also judges single path segments
//! for fields that hold nothing but a URL or a path.

use super::glyph::{Glyph, Writing, glyph_at};
use super::kind::SecretKind;
use super::scan::{Found, View};
use super::words;

/// Longest user and password of interest, in bytes.
const MAX_USER_INFORMATION: usize = 1024;

/// Longest path that is searched for a key, in bytes.
const MAX_PATH: usize = 512;

/// Longest user and password of a data source without `//`, in bytes.
const MAX_DATA_SOURCE: usize = 128;

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
    password(view.bytes, authority)
        .or_else(|| webhook(view.bytes, authority))
        .or_else(|| path_key(view.bytes, authority))
}

/// Hosts whose addresses are keys, and the part of the path before the key.
const WEBHOOKS: [(&[u8], &[u8]); 7] = [
    (b"hooks.slack.com", b"services"),
    (b"hooks.slack.com", b"workflows"),
    (b"hooks.slack.com", b"triggers"),
    (b"discord.com", b"webhooks"),
    (b"discordapp.com", b"webhooks"),
    (b"webhook.office.com", b"webhookb2"),
    (b"hooks.zapier.com", b"catch"),
];

/// The path of an address that lets whoever knows it post.
fn webhook(bytes: &[u8], authority: usize) -> Option<Found> {
    let last = bytes.len().min(authority + MAX_PATH);
    let mut ends = [0; 6];
    let mut count = 0;
    let mut at = authority;
    while at < last {
        let glyph = glyph_at(bytes, at);
        if ends_url(glyph.byte, glyph.writing) || matches!(glyph.byte, b'?' | b'#' | b',' | b')' | b'&') {
            break;
        }
        if glyph.byte == b'/' && count < ends.len() {
            ends[count] = at;
            count += 1;
        }
        at += glyph.length;
    }
    let host = &bytes[authority..*ends[..count].first()?];
    for pair in ends[..count].windows(2) {
        let slash = glyph_at(bytes, pair[0]).length;
        let segment = &bytes[pair[0] + slash..pair[1]];
        if WEBHOOKS.iter().any(|(name, before)| host.ends_with(name) && segment == *before) {
            let start = pair[1] + glyph_at(bytes, pair[1]).length;
            let is_key = at > start && !words::is_placeholder_at(bytes, start) && !words::is_masked(&bytes[start..at]);
            return is_key.then_some(Found::plain(start, at, SecretKind::ApiKey));
        }
    }
    None
}

/// The password of a Go data source (`user:password@tcp(host)/db`) or of Oracle's thin driver (`thin:user/password@`),
/// at the colon before it.
pub(super) fn data_source(view: View<'_>, position: usize, colon: Glyph) -> Option<Found> {
    let bytes = view.bytes;
    let after = position + colon.length;
    let last = bytes.len().min(after + MAX_DATA_SOURCE);
    let is_thin = bytes[view.floor..position].ends_with(b"thin");
    let mut at = after;
    let mut slash = None;
    while at < last {
        let glyph = glyph_at(bytes, at);
        match glyph.byte {
            b'/' if is_thin && slash.is_none() => slash = Some(at + glyph.length),
            b'@' => {
                let rest = &bytes[at + glyph.length..];
                let is_go =
                    [&b"tcp("[..], b"unix(", b"tcp%28", b"tcp%2528", b"tcp\\u0028", b"tcp%252528", b"tcp\\\\u0028"]
                        .iter()
                        .any(|one| rest.starts_with(one));
                let start = if is_thin { slash? } else { after };
                let is_taken = (is_go || is_thin) && at > start && !words::is_placeholder_at(bytes, start);
                return is_taken.then_some(Found::plain(start, at, SecretKind::Password));
            }
            byte if ends_url(byte, glyph.writing) || byte == b',' => return None,
            _ => {}
        }
        at += glyph.length;
    }
    None
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
    // A text that was cut off before the `@`: what stands behind the colon is no port.
    let cut_off = colon.filter(|_| at_sign.is_none() && in_authority && at >= bytes.len());
    if let Some((colon, length)) = cut_off {
        let text = &bytes[colon + length..];
        let is_password = text.len() >= MARKED_MINIMUM && words::is_opaque(text, MARKED_MINIMUM);
        return is_password
            .then_some(Found { percent_layers: 1, ..Found::plain(colon + length, bytes.len(), SecretKind::Password) });
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
