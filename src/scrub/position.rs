//! Secrets known by where they stand: after a name and a separator, in a pair of a header dump, and where an environment
//! variable's name was expected.

use super::glyph::{Glyph, Writing, glyph_at};
use super::glyph_back::quote_before;
use super::keys::{MAX_NAME, Manner};
use super::kind::SecretKind;
use super::name::{self, Name};
use super::runs::{self, is_edge};
use super::scan::{Found, Tables, View};
use super::value::{self, Ends, Value};
use super::{cookie, scheme, words};

/// Longest value of interest where the name is vague, in bytes.
const VAGUE_LIMIT: usize = 4096;

/// Shortest value that can look random in a place whose name says little.
const SHORT_OPAQUE: usize = 6;

/// Shortest value that can look random where the name usually means something else (`code`, `state`).
const LONG_OPAQUE: usize = 16;

/// How far before the end of a start tag its beginning is looked for, in bytes.
const MAX_TAG: usize = 200;

/// How far before the second half of a pair the comma may stand, spaces and escapes included, in bytes.
const COMMA_LOOK_BACK: usize = 24;

/// Shortest value that looks random after a name that mostly stands for something else, in bytes.
const RANDOM: usize = 16;

/// Decides about the value after a separator (`=`, `:`, `>`), which may be written as an escape.
pub(super) fn at_separator(tables: &Tables, view: View<'_>, position: usize, separator: Glyph) -> Option<Found> {
    let bytes = view.bytes;
    let written = match name::before(&tables.keys, view, position) {
        Some(name) if separator.byte == b'>' && name.is_quoted => element_name(tables, view, position, Some(name)),
        None if separator.byte == b'>' => element_name(tables, view, position, None),
        Some(name) if separator.byte == b'>' && name.before != b'<' && name.before != b';' => None,
        other => other,
    }?;
    let name = match written.rule.manner {
        Manner::Paired => paired_name(tables, view, written)?,
        Manner::Echo => echoed_name(tables, view, written),
        _ => written,
    };
    let mut at = position + separator.length;
    match (separator.byte, bytes.get(at)) {
        // `=>`, `==` before a value, `:=`; but `::` belongs to paths.
        (b'=', Some(b'>')) | (b':', Some(b'=')) => at += 1,
        (b'=', Some(b'=')) => at += 1,
        (b':', Some(b':')) => return None,
        _ => {}
    }
    let level = if separator.writing == Writing::Percent { separator.level } else { 0 };
    let value_start = value::skip_form_spaces(bytes, at, level);
    let place = Place { name, separator, has_space: value_start > at };
    if name.rule.manner == Manner::FieldName {
        return multipart_value(tables, view, value_start);
    }
    let value_start = next_line(bytes, value_start, place).unwrap_or(value_start);
    decide(tables, view, value_start, place)
}

/// The name of an XML element whose start tag ends at `position`: `<password type="…">`, or that of the attribute in
/// `<entry key="client_secret">`, which is `last`.
fn element_name(tables: &Tables, view: View<'_>, position: usize, last: Option<Name>) -> Option<Name> {
    let bytes = view.bytes;
    let quote = quote_before(bytes, view.floor, position)?;
    if let Some(name) = last {
        let name_quote = quote_before(bytes, view.floor, name.start).unwrap_or(view.floor);
        let head = &bytes[view.floor..name_quote];
        if head.ends_with(b"key=") || head.ends_with(b"name=") || head.ends_with(b"id=") {
            return Some(name);
        }
    }
    let earliest = quote.saturating_sub(MAX_TAG).max(view.floor);
    let open = (earliest..quote).rev().find(|at| bytes[*at] == b'<' || bytes[*at..].starts_with(b"&lt;"))?;
    let start = open + glyph_at(bytes, open).length;
    let length =
        bytes[start..quote].iter().take(MAX_NAME).take_while(|byte| !matches!(byte, b' ' | b'\n' | b'\t')).count();
    name::before(&tables.keys, view, start + length).filter(|name| name.start >= start)
}

/// What was received, where that is said: `API key provided: …` is the key.
fn echoed_name(tables: &Tables, view: View<'_>, echo: Name) -> Name {
    let before = view.bytes[view.floor..echo.start].strip_suffix(b" ").map(<[u8]>::len);
    let said = before.and_then(|length| name::before(&tables.keys, view, view.floor + length));
    let is_sure = |name: &Name| matches!(name.rule.manner, Manner::Always | Manner::Opaque);
    said.filter(|name| is_sure(name) && !echo.is_quoted).unwrap_or(echo)
}

/// The start of a value that stands on the next line: of a folded header (RFC 9112 §5.2), after YAML's `|` and `>`.
fn next_line(bytes: &[u8], at: usize, place: Place) -> Option<usize> {
    let marker = bytes.get(at..)?.iter().take(3).take_while(|byte| matches!(byte, b'|' | b'>' | b'-' | b'+')).count();
    let is_block = marker > 0 && matches!(bytes[at], b'|' | b'>') && place.separator.byte == b':';
    let is_header = matches!(place.name.rule.manner, Manner::Credentials | Manner::Cookies);
    if !is_block && !is_header {
        return None;
    }
    value::skip_line_break(bytes, if is_block { at + marker } else { at })
}

/// The value of a form's part (RFC 7578 §4.2): `name="client_secret"`, an empty line, the value.
fn multipart_value(tables: &Tables, view: View<'_>, at: usize) -> Option<Found> {
    let bytes = view.bytes;
    let quote = value::quote_at(bytes, at)?;
    let start = at + quote.length;
    let end = value::quoted_end(bytes, start, quote, Some(MAX_NAME));
    let rule = tables.keys.find(bytes.get(start..end)?).filter(|rule| rule.manner == Manner::Always)?;
    let mut next = end + quote.length;
    let mut breaks = 0;
    while next < bytes.len() {
        let glyph = glyph_at(bytes, next);
        match glyph.byte {
            b'\n' => breaks += 1,
            b'\r' => {}
            _ => break,
        }
        next += glyph.length;
    }
    if breaks < 2 || next >= bytes.len() || words::is_placeholder_at(bytes, next) {
        return None;
    }
    let ends = Ends { percent_level: 0, comma: false, semicolon: false, equals: false, limit: None };
    let end = value::bare_end(bytes, next, ends);
    let text = &bytes[next..end];
    let is_nothing = text.is_empty() || text.starts_with(b"--") || words::is_placeholder(text);
    (!is_nothing).then_some(Found::plain(next, end, rule.kind))
}

/// The name that gives its value a meaning: `{"name": "x-api-key", "value": …}` as exports of HTTP traffic write it,
/// `name="x" value="…"` of HTML and of settings in XML, YAML's list of variables, `<key>x</key><string>…`,
/// `AccessToken(value=…`.
fn paired_name(tables: &Tables, view: View<'_>, second: Name) -> Option<Name> {
    let bytes = view.bytes;
    let first = first_of_pair(view, second)?;
    let name = name::before(&tables.keys, view, first)?;
    let is_sure = matches!(name.rule.manner, Manner::Always | Manner::Plain | Manner::Credentials | Manner::Cookies)
        || (name.is_quoted && matches!(name.rule.manner, Manner::Query | Manner::Opaque | Manner::Random));
    let is_constructor = bytes.get(first) == Some(&b'(');
    let is_line = bytes.get(first) == Some(&b'\n');
    (is_sure && (name.is_quoted || is_constructor || is_line || bytes.get(first) == Some(&b'<'))).then_some(name)
}

/// Where the name's value ends, before what stands between the two halves of a pair.
fn first_of_pair(view: View<'_>, second: Name) -> Option<usize> {
    let bytes = view.bytes;
    let start = if second.is_quoted { quote_before(bytes, view.floor, second.start)? } else { second.start };
    let earliest = start.saturating_sub(COMMA_LOOK_BACK).max(view.floor);
    let head = &bytes[earliest..start];
    // `(value=`, and Erlang's and Swift's brackets.
    if head.last() == Some(&b'(') {
        return Some(start - 1);
    }
    if head.ends_with(b"<") {
        let gap = head.len() - head[..head.len() - 1].trim_ascii_end().len();
        let closed = bytes[view.floor..start - gap].strip_suffix(b"</key>")?;
        return Some(view.floor + closed.len());
    }
    // Another line of YAML: the name ends its own.
    let spaces = head.iter().rev().take_while(|byte| **byte == b' ').count();
    if bytes[..start - spaces].ends_with(b"\n") && spaces > 0 {
        return Some(start - spaces - 1);
    }
    let is_comma = |at: &usize| {
        let glyph = glyph_at(bytes, *at);
        glyph.byte == b',' && value::skip_spaces(bytes, at + glyph.length) == start
    };
    if let Some(comma) = (earliest..start).find(is_comma) {
        return Some(comma);
    }
    let is_space = |at: &usize| {
        let glyph = glyph_at(bytes, *at);
        matches!(glyph.byte, b' ' | b'\n' | b'+') && value::skip_spaces(bytes, at + glyph.length) == start
    };
    (earliest..start).find(is_space)
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
fn decide(tables: &Tables, view: View<'_>, start: usize, place: Place) -> Option<Found> {
    let bytes = view.bytes;
    if start >= bytes.len() || words::is_placeholder_at(bytes, start) {
        return None;
    }
    let at = value::skip_openers(bytes, start);
    if at >= bytes.len() {
        return None;
    }
    let in_list = at > start && matches!(bytes[start], b'[' | b'(');
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
        || (place.in_prose(&quoted)
            && place.name.rule.kind != SecretKind::Password
            && words::begins_sentence(&bytes[content..]))
    {
        return None;
    }
    let mut read = value::read(bytes, at, place.ends());
    let text = &bytes[read.start..read.end];
    let is_error_name =
        place.in_prose(&read) && place.name.rule.kind != SecretKind::Password && words::is_error_name(text);
    let is_nothing = text.is_empty() || is_error_name || words::is_placeholder(text) || matches!(text[0], b'{' | b'[');
    if is_nothing || !is_taken(bytes, &read, place) {
        return None;
    }
    if place.ends().limit.is_some_and(|limit| text.len() >= limit) {
        // What was read shows that it is a secret: now all of it.
        read = value::read(bytes, at, Ends { limit: None, ..place.ends() });
    }
    // A vendor's form may go on behind what looks like an end (`=` before a checksum).
    let shaped_end = runs::shape_at(&tables.shapes, view, read.start).map_or(read.end, |found| found.end);
    let list_end = if in_list { value::list_end(bytes, read) } else { read.end };
    Some(Found {
        start: read.start,
        end: read.end.max(shaped_end).max(list_end),
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
        Manner::Query => {
            let is_random = words::is_opaque(text, LONG_OPAQUE) && !words::is_constant(text);
            !is_short_number && (is_pair_of_form || is_random || is_short_code(bytes, read))
        }
        Manner::Random => words::is_generated(text, RANDOM),
        Manner::Plain => is_plain_password(bytes, read, place),
        Manner::Echo => words::is_opaque(text, SHORT_OPAQUE + 2),
        Manner::KeyNumber => place.name.is_quoted && words::is_opaque(text, 32) && !text.contains(&b'.'),
        Manner::Credentials | Manner::Cookies | Manner::Paired | Manner::FieldName => false,
    }
}

/// Whether a `code` or `state` that is too short to be sure of stands in the body of a token request, where nothing
/// else is called so. Codes of errors are words or capitals.
fn is_short_code(bytes: &[u8], read: &Value) -> bool {
    const NEIGHBOURS: [&[u8]; 5] = [b"grant_type", b"redirect_uri", b"code_verifier", b"redirectUri", b"codeVerifier"];
    let text = &bytes[read.start..read.end];
    let has_small = text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_digit);
    if !has_small || !words::is_opaque(text, 8) {
        return false;
    }
    let around = &bytes[read.start.saturating_sub(200)..bytes.len().min(read.end + 200)];
    NEIGHBOURS.iter().any(|name| around.windows(name.len()).any(|window| window == *name))
}

/// Whether a short name's value (`pass`, `pwd`) is a password: no number, no path, no word of a report.
fn is_plain_password(bytes: &[u8], read: &Value, place: Place) -> bool {
    let text = &bytes[read.start..read.end];
    let is_number = text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let is_path =
        matches!(text[0], b'/' | b'~' | b'.') || text.get(1..3) == Some(b":\\") || text.get(1..3) == Some(b":/");
    let is_set = read.quote.is_some() || (place.separator.byte == b'=' && !place.has_space);
    !(is_path || is_number && text.len() <= 5) && (is_set || words::is_opaque(text, SHORT_OPAQUE))
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
    if bytes.get(at..at + 2) == Some(b"<<") {
        at += 2;
    }
    if matches!(bytes.get(at), Some(b'b' | b'u')) {
        at += 1;
    }
    let quote = value::quote_at(bytes, at)?;
    let start = at + quote.length;
    let end = value::quoted_end(bytes, start, quote, Some(VAGUE_LIMIT));
    let text = &bytes[start..end];
    let head = &bytes[view.floor..name_quote];
    let head = head.strip_suffix(b"b").unwrap_or(head);
    let opens_pair = head.ends_with(b"(") || head.ends_with(b"28") || head.ends_with(b"{<<");
    let after = end + quote.length;
    let closes_pair = after < bytes.len() && glyph_at(bytes, after).byte == b')';
    let is_name_again = tables.keys.find(text).is_some();
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
