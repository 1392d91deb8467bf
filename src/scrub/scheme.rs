//! Authentication schemes and their credentials (RFC 9110 §11.4): in an `Authorization` header, and bare in a text.
//!
//! A challenge (`Bearer error="invalid_token"`, RFC 6750 §3) carries parameters instead of a token and stays.

use super::glyph::{Glyph, glyph_at};
use super::kind::SecretKind;
use super::runs::is_edge;
use super::scan::{Found, View};
use super::value::{self, Ends};
use super::words;

/// What follows a scheme's name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Credentials {
    /// One token.
    Token,
    /// Pairs of name and value, separated by commas.
    Parameters,
}

/// Schemes of the IANA registry and of vendors, in lower case.
const SCHEMES: &[(&[u8], SecretKind, Credentials)] = &[
    (b"bearer", SecretKind::Bearer, Credentials::Token),
    (b"basic", SecretKind::Basic, Credentials::Token),
    (b"dpop", SecretKind::Dpop, Credentials::Token),
    (b"digest", SecretKind::Digest, Credentials::Parameters),
    (b"token", SecretKind::Token, Credentials::Token),
    (b"apikey", SecretKind::ApiKey, Credentials::Token),
    (b"api-key", SecretKind::ApiKey, Credentials::Token),
    (b"key", SecretKind::ApiKey, Credentials::Token),
    (b"ssws", SecretKind::ApiKey, Credentials::Token),
    (b"splunk", SecretKind::Token, Credentials::Token),
    (b"negotiate", SecretKind::Authorization, Credentials::Token),
    (b"ntlm", SecretKind::Authorization, Credentials::Token),
    (b"oauth", SecretKind::Authorization, Credentials::Parameters),
    (b"hawk", SecretKind::Authorization, Credentials::Parameters),
    (b"mac", SecretKind::Authorization, Credentials::Parameters),
    (b"signature", SecretKind::Signature, Credentials::Parameters),
    (b"aws4-hmac-sha256", SecretKind::Signature, Credentials::Parameters),
    (b"sharedaccesssignature", SecretKind::Signature, Credentials::Token),
    (b"geniekey", SecretKind::ApiKey, Credentials::Token),
    (b"klaviyo-api-key", SecretKind::ApiKey, Credentials::Token),
    (b"api-token", SecretKind::Token, Credentials::Token),
    (b"apitoken", SecretKind::Token, Credentials::Token),
    (b"private-token", SecretKind::Token, Credentials::Token),
    (b"zoho-oauthtoken", SecretKind::AccessToken, Credentials::Token),
    (b"bot", SecretKind::Token, Credentials::Token),
    (b"jwt", SecretKind::Jwt, Credentials::Token),
    (b"snowflake", SecretKind::Token, Credentials::Parameters),
    (b"sharedkey", SecretKind::Signature, Credentials::Token),
    (b"sharedkeylite", SecretKind::Signature, Credentials::Token),
    (b"aws", SecretKind::Signature, Credentials::Token),
    (b"eg1-hmac-sha256", SecretKind::Signature, Credentials::Parameters),
    (b"googlelogin", SecretKind::Token, Credentials::Parameters),
    (b"usernametoken", SecretKind::Password, Credentials::Parameters),
    (b"vapid", SecretKind::Token, Credentials::Parameters),
    (b"pveapitoken", SecretKind::Token, Credentials::Parameters),
    (b"hmac", SecretKind::Signature, Credentials::Parameters),
    (b"hmac-sha256", SecretKind::Signature, Credentials::Parameters),
    (b"scram-sha-256", SecretKind::Authorization, Credentials::Parameters),
    (b"gnap", SecretKind::AccessToken, Credentials::Token),
    (b"privatetoken", SecretKind::Token, Credentials::Token),
];

/// Shortest token that is believed after a bare scheme word.
const BARE_MINIMUM: usize = 6;

/// How a token after a scheme ends.
const fn token_ends(percent_level: usize) -> Ends {
    Ends { percent_level, comma: true, semicolon: true, equals: false, limit: None }
}

/// The scheme whose name stands at `at`, and the length of the name.
fn scheme_at(bytes: &[u8], at: usize) -> Option<(SecretKind, Credentials, usize)> {
    let length = bytes[at..].iter().take(32).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let word = &bytes[at..at + length];
    let (_, kind, credentials) = SCHEMES.iter().find(|(name, _, _)| word.eq_ignore_ascii_case(name))?;
    Some((*kind, *credentials, length))
}

/// Whether a value begins with `Bearer`, `Basic` or `DPoP` and a space (under a name like `token` or `x-api-key`).
pub(super) fn begins_with_scheme(value: &[u8]) -> bool {
    let is_telling = |kind| matches!(kind, SecretKind::Bearer | SecretKind::Basic | SecretKind::Dpop);
    scheme_at(value, 0).is_some_and(|(kind, _, length)| is_telling(kind) && value::skip_spaces(value, length) > length)
}

/// The value of an `Authorization` header that begins at `at`, quoted or not.
pub(super) fn in_header(view: View<'_>, at: usize, percent_level: usize) -> Option<Found> {
    let bytes = view.bytes;
    let quote = value::quote_at(bytes, at);
    let start = at + quote.map_or(0, |quote| quote.length);
    if start >= bytes.len() || words::is_placeholder_at(bytes, start) {
        return None;
    }
    let ends = token_ends(percent_level);
    let Some((kind, credentials, length)) = scheme_at(bytes, start) else {
        return unknown_scheme(bytes, start, quote, ends);
    };
    let after = start + length;
    let token = value::skip_form_spaces(bytes, after, percent_level);
    let token = value::skip_line_break(bytes, token).unwrap_or(token);
    if token == after || token >= bytes.len() {
        // The name of a scheme alone, unless more letters go on: then it is a key that begins like one.
        let end = value::bare_end(bytes, start, ends);
        let goes_on = end > after
            && !words::is_placeholder(&bytes[start..end])
            && words::is_opaque(&bytes[start..end], BARE_MINIMUM);
        return goes_on.then_some(Found::plain(start, end, SecretKind::Authorization));
    }
    match credentials {
        Credentials::Parameters => parameters(bytes, token).map(|end| Found::plain(token, end, kind)),
        Credentials::Token if is_named_parameter(kind, bytes, token) => {
            parameters(bytes, token).map(|end| Found::plain(token, end, kind))
        }
        Credentials::Token => token_after(bytes, token, quote, ends)
            .map(|(from, end)| Found { percent_layers: percent_level, ..Found::plain(from, end, kind) }),
    }
}

/// A header without a known scheme: a raw key, or a word and a key.
fn unknown_scheme(bytes: &[u8], start: usize, quote: Option<Glyph>, ends: Ends) -> Option<Found> {
    let end = match quote {
        Some(open) => value::quoted_end(bytes, start, open, None),
        None => value::bare_end(bytes, start, ends),
    };
    let text = &bytes[start..end];
    let is_nothing = text.is_empty()
        || words::is_placeholder(text)
        || matches!(text[0], b'{' | b'[')
        || words::is_statement(text, quote.is_none());
    if is_nothing {
        return None;
    }
    let first_end = text.iter().position(|byte| *byte == b' ').map_or(end, |space| start + space);
    if words::is_wordlike(&bytes[start..first_end]) {
        // `Authorization: Custom a1b2c3` has its key in the second word.
        let second = value::skip_form_spaces(bytes, first_end, ends.percent_level);
        if second > first_end && second < bytes.len() && words::is_placeholder_at(bytes, second) {
            return None;
        }
        let has_second = second > first_end && second < bytes.len();
        let second_end = match (has_second, quote) {
            (true, Some(_)) => end,
            (true, None) => value::bare_end(bytes, second, ends),
            (false, _) => second,
        };
        let word = &bytes[second.min(second_end)..second_end];
        if second_end > second && (words::is_opaque(word, BARE_MINIMUM) || words::is_uuid(word)) {
            return Some(Found::plain(second, second_end, SecretKind::Authorization));
        }
    }
    Some(Found::plain(start, end, SecretKind::Authorization))
}

/// Whether a scheme that has no challenges of this form is followed by `token="…"` (Rails) or `token=…`.
fn is_named_parameter(kind: SecretKind, bytes: &[u8], at: usize) -> bool {
    !matches!(kind, SecretKind::Bearer | SecretKind::Basic | SecretKind::Dpop)
        && [&b"token="[..], b"key=", b"apikey=", b"api_key="].iter().any(|name| bytes[at..].starts_with(name))
}

/// The token after a scheme in a header: everything that is no placeholder, no sentence and no challenge.
fn token_after(bytes: &[u8], at: usize, quote: Option<Glyph>, ends: Ends) -> Option<(usize, usize)> {
    let inner = value::quote_at(bytes, at).filter(|inner| quote != Some(*inner));
    let start = at + inner.map_or(0, |inner| inner.length);
    if start >= bytes.len() || words::is_placeholder_at(bytes, start) {
        return None;
    }
    let end = match inner {
        Some(open) => value::quoted_end(bytes, start, open, None),
        None => value::bare_end(bytes, start, ends),
    };
    let text = &bytes[start..end];
    let is_nothing = text.is_empty()
        || words::is_placeholder(text)
        || words::is_statement(text, true)
        || is_parameter(bytes, start, end);
    (!is_nothing).then_some((start, end))
}

/// Whether `name=…` stands there: a challenge's parameter and no token. A token's own `=` stand at its end.
fn is_parameter(bytes: &[u8], start: usize, end: usize) -> bool {
    let text = &bytes[start..end];
    let name_length =
        text.iter().take(40).take_while(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-')).count();
    if name_length == 0 || text.get(name_length) != Some(&b'=') {
        return false;
    }
    let goes_on = text.len() > name_length + 1 && text[name_length + 1] != b'=';
    goes_on || (end < bytes.len() && matches!(glyph_at(bytes, end).byte, b'"' | b'\''))
}

/// The end of `name="value", name=value, …` that begins at `at`; `None` when no pair stands there.
fn parameters(bytes: &[u8], at: usize) -> Option<usize> {
    let ends = Ends { percent_level: 0, comma: true, semicolon: false, equals: false, limit: None };
    let mut end = None;
    let mut next = at;
    loop {
        let name = bytes[next..]
            .iter()
            .take(64)
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            .count();
        let value_start = next + name + 1;
        if name == 0 || bytes.get(next + name) != Some(&b'=') || value_start >= bytes.len() {
            return end;
        }
        let read = value::read(bytes, value_start, ends);
        let closing = read.quote.filter(|_| read.end < bytes.len()).map_or(0, |_| glyph_at(bytes, read.end).length);
        let pair_end = read.end + closing;
        end = Some(pair_end);
        let comma = value::skip_spaces(bytes, pair_end);
        if bytes.get(comma) != Some(&b',') {
            return end;
        }
        next = value::skip_spaces(bytes, comma + 1);
        if next >= bytes.len() {
            return end;
        }
    }
}

/// A scheme word in a text with no header before it; `position` is a trigger of its letters.
pub(super) fn at_word(view: View<'_>, position: usize) -> Option<Found> {
    let bytes = view.bytes;
    // `DPoP` is seen at its third letter from the end.
    let start = if bytes[position] | 0x20 == b'p' { position.checked_sub(1)? } else { position };
    if start < view.floor || !is_edge(view, start) {
        return None;
    }
    let (kind, _, length) = scheme_at(bytes, start)?;
    let after = start + length;
    let is_form_space = bytes.get(after) == Some(&b'+');
    let token = if is_form_space { after + 1 } else { value::skip_spaces(bytes, after) };
    if token == after || token >= bytes.len() {
        return None;
    }
    let level = if bytes[after] == b'%' { glyph_at(bytes, after).level } else { 0 };
    // A quote right after the word and its space ends the word's own quotes: `use 'Bearer ' first`.
    if value::quote_at(bytes, token).is_some_and(|quote| start > view.floor && bytes[start - 1] == quote.byte) {
        return None;
    }
    let (from, end) = token_after(bytes, token, None, token_ends(level))?;
    let text = &bytes[from..end];
    let is_loud_word = text.len() >= 8 && text.iter().all(u8::is_ascii_uppercase);
    let is_believed = words::is_opaque(text, BARE_MINIMUM)
        || words::is_uuid(text)
        || is_loud_word
        || (text.len() >= 40 && !text.contains(&b'['));
    is_believed.then_some(Found { percent_layers: level, ..Found::plain(from, end, kind) })
}
