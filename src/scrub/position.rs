//! Secrets known by where they stand: after a name and a separator, in a pair of a header dump, after a command-line
//! option, and where an environment variable's name was expected.

use super::glyph::{Glyph, Writing, glyph_at};
use super::glyph_back::quote_before;
use super::keys::{KeyRule, Manner, Normal};
use super::kind::SecretKind;
use super::name::{self, Name};
use super::runs::is_edge;
use super::scan::{Found, Tables, View};
use super::value::{self, Ends, Value};
use super::{cookie, scheme, words};

/// Longest value of interest where the name is vague, in bytes.
const VAGUE_LIMIT: usize = 4096;

/// Shortest value that can look random in a place whose name says little.
const SHORT_OPAQUE: usize = 6;

/// Shortest value that can look random where the name usually means something else (`code`, `state`).
const LONG_OPAQUE: usize = 16;

/// How far before the second half of a pair the comma may stand, spaces and escapes included, in bytes.
const COMMA_LOOK_BACK: usize = 24;

/// Decides about the value after a separator (`=`, `:`, `>`), which may be written as an escape.
pub(super) fn at_separator(tables: &Tables, view: View<'_>, position: usize, separator: Glyph) -> Option<Found> {
    let name = match name::before(&tables.keys, view, position)? {
        name if name.rule.manner == Manner::Paired => paired_name(tables, view, name)?,
        name => name,
    };
    let bytes = view.bytes;
    if separator.byte == b'>' && name.before != b'<' && name.before != b';' {
        return None;
    }
    let mut at = position + separator.length;
    match (separator.byte, bytes.get(at)) {
        // `=>`, `==` before a value, `:=`; but `::` belongs to paths.
        (b'=', Some(b'>')) | (b':', Some(b'=')) => at += 1,
        (b'=', Some(b'=')) => at += 1,
        (b':', Some(b':')) => return None,
        _ => {}
    }
    let value_start = value::skip_spaces(bytes, at);
    let place = Place { name, separator, has_space: value_start > at };
    decide(view, value_start, place)
}

/// The name that `{"name": "x-api-key", "value": …}` gives to its value, as exports of HTTP traffic write headers.
fn paired_name(tables: &Tables, view: View<'_>, second: Name) -> Option<Name> {
    let quote = quote_before(view.bytes, view.floor, second.start)?;
    let earliest = quote.saturating_sub(COMMA_LOOK_BACK).max(view.floor);
    let is_comma = |at: &usize| {
        let glyph = glyph_at(view.bytes, *at);
        glyph.byte == b',' && value::skip_spaces(view.bytes, at + glyph.length) == quote
    };
    let comma = (earliest..quote).find(is_comma)?;
    let name = name::before(&tables.keys, view, comma)?;
    let is_sure = matches!(name.rule.manner, Manner::Always | Manner::Credentials | Manner::Cookies);
    (name.is_quoted && is_sure).then_some(name)
}

/// What surrounds a value.
#[derive(Clone, Copy)]
struct Place {
    name: Name,
    separator: Glyph,
    /// Whether spaces stand between the separator and the value.
    has_space: bool,
}

impl Place {
    /// Percent layers of the text around the value.
    fn percent_level(&self) -> usize {
        if self.separator.writing == Writing::Percent { self.separator.level } else { 0 }
    }

    /// Whether prose may go on after the separator: `api key: the given one …`.
    fn in_prose(&self, value: &Value) -> bool {
        self.separator.byte == b':' && self.has_space && value.quote.is_none() && !self.name.is_quoted
    }

    /// How a bare value ends here.
    fn ends(&self) -> Ends {
        let rule = self.name.rule;
        let is_sure = rule.manner == Manner::Always || (self.name.in_query && self.separator.byte == b'=');
        Ends {
            percent_level: self.percent_level(),
            comma: rule.kind != SecretKind::Password,
            semicolon: true,
            equals: !is_sure,
            limit: (!is_sure).then_some(VAGUE_LIMIT),
        }
    }
}

/// Reads the value at `start` and decides about it.
fn decide(view: View<'_>, start: usize, place: Place) -> Option<Found> {
    let bytes = view.bytes;
    if start >= bytes.len() || words::is_placeholder_at(bytes, start) {
        return None;
    }
    let at = value::skip_openers(bytes, start);
    if at >= bytes.len() {
        return None;
    }
    match place.name.rule.manner {
        Manner::Credentials => return scheme::in_header(view, at, place.percent_level()),
        Manner::Cookies => return cookie::in_header(view, at, place.percent_level()),
        _ => {}
    }
    let content = at + value::quote_at(bytes, at).map_or(0, |quote| quote.length);
    let quoted = Value { start: content, end: content, quote: value::quote_at(bytes, at) };
    if content < bytes.len() && scheme::begins_with_scheme(&bytes[content..]) {
        return scheme::in_header(view, at, place.percent_level());
    }
    if content >= bytes.len()
        || words::is_placeholder_at(bytes, content)
        || words::is_statement(&bytes[content..], place.in_prose(&quoted))
    {
        return None;
    }
    let mut read = value::read(bytes, at, place.ends());
    let text = &bytes[read.start..read.end];
    let is_nothing = text.is_empty() || words::is_placeholder(text) || matches!(text[0], b'{' | b'[');
    if is_nothing || !is_taken(bytes, &read, place) {
        return None;
    }
    if place.ends().limit.is_some_and(|limit| text.len() >= limit) {
        // What was read shows that it is a secret: now all of it.
        read = value::read(bytes, at, Ends { limit: None, ..place.ends() });
    }
    Some(Found {
        start: read.start,
        end: read.end,
        kind: place.name.rule.kind,
        percent_layers: percent_layers(place, &read),
        json_layers: read.quote.filter(|quote| quote.writing == Writing::Plain).map_or(0, json_layers),
    })
}

/// Percent layers on the value: those of the text around, and one more where the value stands in a query or form.
fn percent_layers(place: Place, read: &Value) -> usize {
    match read.quote {
        Some(quote) if quote.writing == Writing::Percent => quote.level,
        Some(_) => 0,
        None if place.separator.byte == b'=' => place.percent_level() + 1,
        None => place.percent_level(),
    }
}

/// Layers of JSON in JSON by the backslashes before the opening quote: 0, 1, 3, 7, … mean 1, 2, 3, 4, ….
fn json_layers(quote: Glyph) -> usize {
    usize::try_from((quote.level + 1).ilog2()).unwrap_or(0) + 1
}

/// Whether the value is taken for a secret, after the manner of its name.
fn is_taken(bytes: &[u8], read: &Value, place: Place) -> bool {
    let text = &bytes[read.start..read.end];
    let is_pair_of_form =
        place.separator.byte == b'=' && !place.has_space && (place.name.in_query || ends_with_ampersand(bytes, read));
    let is_short_number = text.len() <= 5 && text.iter().all(u8::is_ascii_digit);
    match place.name.rule.manner {
        Manner::Always => true,
        Manner::Opaque => !is_short_number && (is_pair_of_form || words::is_opaque(text, SHORT_OPAQUE)),
        Manner::Query => !is_short_number && (is_pair_of_form || words::is_opaque(text, LONG_OPAQUE)),
        Manner::Echo => words::is_opaque(text, SHORT_OPAQUE + 2),
        Manner::KeyNumber => place.name.is_quoted && words::is_opaque(text, 32) && !text.contains(&b'.'),
        Manner::Credentials | Manner::Cookies | Manner::Paired => false,
    }
}

/// Whether the bare value is followed by another pair of a form.
fn ends_with_ampersand(bytes: &[u8], read: &Value) -> bool {
    let is_ampersand = |at: usize| at < bytes.len() && glyph_at(bytes, at).byte == b'&';
    read.quote.is_none() && is_ampersand(read.end)
}

/// A pair as header dumps print it: `('x-api-key', 'value')`, `"x-api-key", "value"`; `comma` is where the comma
/// after the name's closing quote stands. Lists of names look the same, so a value must look random unless brackets
/// make it a pair.
pub(super) fn at_tuple(tables: &Tables, view: View<'_>, comma: usize) -> Option<Found> {
    let bytes = view.bytes;
    let name = name::before(&tables.keys, view, comma).filter(|name| name.is_quoted)?;
    let name_quote = quote_before(bytes, view.floor, name.start)?;
    let mut at = value::skip_spaces(bytes, comma + glyph_at(bytes, comma).length);
    if matches!(bytes.get(at), Some(b'b' | b'u')) {
        at += 1;
    }
    let quote = value::quote_at(bytes, at)?;
    let start = at + quote.length;
    let end = value::quoted_end(bytes, start, quote, Some(VAGUE_LIMIT));
    let text = &bytes[start..end];
    let head = &bytes[view.floor..name_quote];
    let head = head.strip_suffix(b"b").unwrap_or(head);
    let opens_pair = head.ends_with(b"(") || head.ends_with(b"28");
    let after = end + quote.length;
    let closes_pair = after < bytes.len() && glyph_at(bytes, after).byte == b')';
    let is_name_again = Normal::of(&[text]).is_some_and(|normal| tables.keys.find(&normal).is_some());
    if text.is_empty() || is_name_again || words::is_placeholder(text) || words::is_statement(text, false) {
        return None;
    }
    let looks_random = words::is_opaque(text, SHORT_OPAQUE + 2);
    match name.rule.manner {
        Manner::Credentials if opens_pair || looks_random || scheme::begins_with_scheme(text) => {
            scheme::in_header(view, at, 0)
        }
        Manner::Cookies => cookie::in_header(view, at, 0),
        Manner::Always if opens_pair && closes_pair => Some(Found::plain(start, end, name.rule.kind)),
        Manner::Always | Manner::Opaque if looks_random => Some(Found::plain(start, end, name.rule.kind)),
        _ => None,
    }
}

/// A command-line option and its value: `--token value`, `-u user:password`.
pub(super) fn at_option(tables: &Tables, view: View<'_>, position: usize) -> Option<Found> {
    let bytes = view.bytes;
    let is_at_edge = position == view.floor || matches!(bytes[position - 1], b' ' | b'\t' | b'"' | b'\'' | b'\n');
    if !is_at_edge {
        return None;
    }
    let rest = &bytes[position..];
    let dashes = if rest.starts_with(b"--") { 2 } else { 1 };
    if !rest.get(dashes).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let length =
        rest[dashes..].iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let option = &rest[dashes..dashes + length];
    let after = position + dashes + length;
    let start = value::skip_spaces(bytes, after);
    if start == after || start >= bytes.len() || bytes[start] == b'-' || words::is_placeholder_at(bytes, start) {
        return None;
    }
    let ends = Ends { percent_level: 0, comma: false, semicolon: false, equals: false, limit: Some(VAGUE_LIMIT) };
    let read = value::read(bytes, start, ends);
    let text = &bytes[read.start..read.end];
    if matches!(option, b"u" | b"user" | b"proxy-user") {
        let colon = text.iter().position(|byte| *byte == b':')?;
        let password = &text[colon + 1..];
        let is_masked = text[..colon].ends_with(b"[redacted")
            || words::is_placeholder(password)
            || words::is_placeholder_at(bytes, read.start + colon + 1);
        let is_password = !password.is_empty() && !is_masked;
        return is_password.then_some(Found::plain(read.start + colon + 1, read.end, SecretKind::Password));
    }
    let rule = option_rule(tables, option)?;
    let is_nothing = text.is_empty() || words::is_placeholder(text) || words::is_statement(text, true);
    let is_taken = rule.manner == Manner::Always || words::is_opaque(text, SHORT_OPAQUE);
    (!is_nothing && is_taken).then_some(Found::plain(read.start, read.end, rule.kind))
}

/// What an option's name stands for; headers and cookies are no options' values here.
fn option_rule(tables: &Tables, option: &[u8]) -> Option<KeyRule> {
    let rule = Normal::of(&[option]).and_then(|normal| tables.keys.find(&normal))?;
    matches!(rule.manner, Manner::Always | Manner::Opaque).then_some(rule)
}

/// A secret where a variable's name was expected: `Environment variable 'my-secret-1' not found`. Names of variables
/// are identifiers (POSIX.1-2017 §8.1); what is none was pasted there by mistake.
pub(super) fn at_variable(view: View<'_>, position: usize) -> Option<Found> {
    let bytes = view.bytes;
    let word = bytes.get(position..position + b"variable".len())?;
    if !word.eq_ignore_ascii_case(b"variable") || !is_edge(view, position) {
        return None;
    }
    let at = value::skip_spaces(bytes, position + word.len());
    let quote = value::quote_at(bytes, at)?;
    let start = at + quote.length;
    let end = value::quoted_end(bytes, start, quote, Some(256));
    let text = &bytes[start..end];
    let is_identifier = text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let has_digit = text.iter().any(u8::is_ascii_digit);
    let is_token = text.iter().all(|byte| byte.is_ascii_graphic()) && !is_identifier && has_digit;
    let is_taken = is_token && !words::is_placeholder(text) && !matches!(text[0], b'$' | b'%');
    is_taken.then_some(Found::plain(start, end, SecretKind::ApiKey))
}
