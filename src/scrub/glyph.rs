//! Reading one character forwards through the encodings that log lines pile up.
//!
//! A *glyph* is one character however it was written: raw, behind backslashes (JSON in JSON), as `\u0022`, as `%22`
//! or `%2522`, as `&quot;` or `&amp;#34;`. The *level* counts the layers, so that the quote that closes a string can
//! be told from a quote inside it. All look-back is bounded; nothing here decides what is a secret.

/// How a glyph was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// As itself, or behind backslashes (the level is their number).
    Plain,
    /// `\u00XX` or `\xXX`; the level is the number of backslashes.
    Code,
    /// `%XX`, `%25XX`, …; the level is the number of percent encodings.
    Percent,
    /// `&name;` or `&#N;`; the level is the number of entity encodings.
    Entity,
    /// A quote written twice, as spreadsheets and SQL do inside quotes.
    Doubled,
}

/// One character as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    /// The character meant, if it is ASCII; else the raw byte.
    pub(super) byte: u8,
    /// How it was written.
    pub(super) writing: Writing,
    /// How many layers of that writing.
    pub(super) level: usize,
    /// Bytes it takes in the text, at least 1.
    pub(super) length: usize,
}

/// More backslashes than this in front of a quote are noise, not nesting (six levels of JSON in JSON are 63).
pub(super) const MAX_BACKSLASHES: usize = 64;

/// Named entities that stand for characters of interest, without the leading `&`.
const ENTITIES: [(&[u8], u8); 8] = [
    (b"quot;", b'"'),
    (b"apos;", b'\''),
    (b"amp;", b'&'),
    (b"lt;", b'<'),
    (b"gt;", b'>'),
    (b"equals;", b'='),
    (b"colon;", b':'),
    (b"nbsp;", b' '),
];

/// Reads the glyph that starts at `position`, which must lie inside `bytes`.
pub(super) fn glyph_at(bytes: &[u8], position: usize) -> Glyph {
    let rest = &bytes[position..];
    let escaped = match rest[0] {
        b'%' => percent(rest),
        b'\\' => backslash(rest),
        b'&' => entity(rest),
        _ => None,
    };
    escaped.unwrap_or(Glyph { byte: rest[0], writing: Writing::Plain, level: 0, length: 1 })
}

/// `%XX` with any number of `25` between.
fn percent(rest: &[u8]) -> Option<Glyph> {
    let mut at = 1;
    let mut level = 1;
    while rest.len() >= at + 4 && &rest[at..at + 2] == b"25" && hex_pair(&rest[at + 2..]).is_some() {
        at += 2;
        level += 1;
    }
    let byte = hex_pair(&rest[at..])?;
    let plain = Glyph { byte, writing: Writing::Percent, level, length: at + 2 };
    if byte == b'\\' { Some(coded_backslash(rest, plain)) } else { Some(plain) }
}

/// Backslashes that are written as escapes themselves (`%5C`, `\x5C`) and what they escape; each adds
/// [`MAX_BACKSLASHES`] to the level, which keeps quotes of different depth apart.
fn coded_backslash(rest: &[u8], first: Glyph) -> Glyph {
    let one = &rest[..first.length];
    let mut count = 1;
    while count < MAX_BACKSLASHES && rest[one.len() * count..].starts_with(one) {
        count += 1;
    }
    let at = one.len() * count;
    let level = first.level + count * MAX_BACKSLASHES;
    let escaped = |byte, length| Glyph { byte, writing: first.writing, level, length: at + length };
    // What stands before the two digits: `%`, `%25`, `\x`, `\u00`.
    let stem = &one[..one.len() - 2];
    match rest.get(at) {
        Some(b'n') => escaped(b'\n', 1),
        Some(b'r') => escaped(b'\r', 1),
        Some(b't') => escaped(b'\t', 1),
        Some(b'/') => escaped(b'/', 1),
        Some(b'u') if rest[at + 1..].starts_with(b"00") => match hex_pair(&rest[at + 3..]) {
            Some(byte) => escaped(byte, 5),
            None => first,
        },
        Some(b'x') => match hex_pair(&rest[at + 1..]) {
            Some(byte) => escaped(byte, 3),
            None => first,
        },
        Some(b'%' | b'\\') => match (rest[at..].starts_with(stem), rest.get(at + stem.len()..).and_then(hex_pair)) {
            (true, Some(byte @ (b'"' | b'\'' | b'/'))) => escaped(byte, one.len()),
            _ => first,
        },
        _ => first,
    }
}

/// Backslashes and what they escape; a long row of backslashes is taken as one raw glyph.
fn backslash(rest: &[u8]) -> Option<Glyph> {
    let count = rest.iter().take_while(|byte| **byte == b'\\').count();
    if count > MAX_BACKSLASHES {
        return Some(Glyph { byte: b'\\', writing: Writing::Plain, level: 0, length: count });
    }
    let plain = |byte| Some(Glyph { byte, writing: Writing::Plain, level: count, length: count + 1 });
    match *rest.get(count)? {
        quote @ (b'"' | b'\'') => plain(quote),
        b'/' => plain(b'/'),
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        b'&' => {
            let inner = entity(&rest[count..]).filter(|inner| matches!(inner.byte, b'"' | b'\''))?;
            Some(Glyph { level: inner.level + count * MAX_BACKSLASHES, length: count + inner.length, ..inner })
        }
        b'u' => {
            let digits = rest.get(count + 1..count + 5)?;
            let byte = if digits.starts_with(b"00") {
                hex_pair(&digits[2..])?
            } else {
                return None;
            };
            Some(code(rest, Glyph { byte, writing: Writing::Code, level: count, length: count + 5 }))
        }
        b'x' => {
            let byte = hex_pair(rest.get(count + 1..)?)?;
            Some(code(rest, Glyph { byte, writing: Writing::Code, level: count, length: count + 3 }))
        }
        _ => None,
    }
}

/// A character written as code; a backslash takes what it escapes with it.
fn code(rest: &[u8], plain: Glyph) -> Glyph {
    if plain.byte == b'\\' { coded_backslash(rest, plain) } else { plain }
}

/// `&name;`, `&#NN;`, `&#xNN;`, each with any number of `amp;` between.
fn entity(rest: &[u8]) -> Option<Glyph> {
    let mut at = 1;
    let mut level = 1;
    while rest[at..].starts_with(b"amp;") && is_entity_body(&rest[at + 4..]) {
        at += 4;
        level += 1;
    }
    let body = &rest[at..];
    for (name, byte) in ENTITIES {
        if body.starts_with(name) {
            return Some(Glyph { byte, writing: Writing::Entity, level, length: at + name.len() });
        }
    }
    let (byte, length) = numeric_entity(body)?;
    Some(Glyph { byte, writing: Writing::Entity, level, length: at + length })
}

/// Whether an entity's text (without `&`) stands here.
fn is_entity_body(body: &[u8]) -> bool {
    ENTITIES.iter().any(|(name, _)| body.starts_with(name)) || numeric_entity(body).is_some()
}

/// `#34;` or `#x22;` for an ASCII character: the character and the length.
fn numeric_entity(body: &[u8]) -> Option<(u8, usize)> {
    let digits_end = body.iter().take(8).position(|byte| *byte == b';')?;
    let number = std::str::from_utf8(body.get(1..digits_end)?).ok()?;
    let value = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u8::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse::<u8>().ok()?,
    };
    (body[0] == b'#' && value.is_ascii()).then_some((value, digits_end + 1))
}

/// The byte written by the first two characters, if both are hexadecimal digits.
pub(super) fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let high = char::from(*bytes.first()?).to_digit(16)?;
    let low = char::from(*bytes.get(1)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

/// Whether `found` ends the string that `open` began: the same quote mark, and not one nested more deeply.
///
/// Behind `n` backslashes the closing quote has `n` as well; `2·(n+1)` more belong to escaped backslashes at the end
/// of the value. Fewer layers than the opening mean that an outer string ends.
pub(super) fn closes(open: Glyph, found: Glyph) -> bool {
    if open.byte != found.byte {
        return false;
    }
    match (open.writing, found.writing) {
        (Writing::Plain, Writing::Plain) => {
            found.level < open.level || found.level % (2 * (open.level + 1)) == open.level
        }
        // The second of two, or the one that ends the field around.
        (Writing::Doubled, Writing::Plain) => true,
        (opening, closing) if opening == closing => found.level <= open.level,
        (_, Writing::Plain) => found.level == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Writing, closes, glyph_at};

    #[test]
    fn reads_every_writing_of_a_quote() {
        let cases = [
            ("\"", Writing::Plain, 0),
            ("\\\"", Writing::Plain, 1),
            ("\\\\\\\"", Writing::Plain, 3),
            ("\\u0022", Writing::Code, 1),
            ("\\x22", Writing::Code, 1),
            ("%22", Writing::Percent, 1),
            ("%2522", Writing::Percent, 2),
            ("%252522", Writing::Percent, 3),
            ("&quot;", Writing::Entity, 1),
            ("&amp;quot;", Writing::Entity, 2),
            ("&#34;", Writing::Entity, 1),
            ("&#x22;", Writing::Entity, 1),
        ];
        for (text, writing, level) in cases {
            let glyph = glyph_at(text.as_bytes(), 0);
            assert_eq!(
                (glyph.byte, glyph.writing, glyph.level, glyph.length),
                (b'"', writing, level, text.len()),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unfinished_escape_is_a_raw_byte() {
        for text in ["%", "%2", "%zz", "\\", "\\u00", "\\q", "&", "&nosuch;", "&#;", "&#999;"] {
            let glyph = glyph_at(text.as_bytes(), 0);
            assert_eq!((glyph.byte, glyph.length), (text.as_bytes()[0], 1), "{text}");
        }
    }

    #[test]
    fn only_a_quote_of_the_same_or_an_outer_layer_closes() {
        let quote = |text: &str| glyph_at(text.as_bytes(), 0);
        let cases = [
            ("\"", "\"", true),
            ("\"", "\\\"", false),
            ("\"", "\\\\\"", true),
            ("\\\"", "\\\"", true),
            ("\\\"", "\"", true),
            ("\\\"", "\\\\\\\"", false),
            ("\\\"", "\\\\\\\\\\\"", true),
            ("%22", "%22", true),
            ("%22", "%2522", false),
            ("%2522", "%22", true),
            ("&quot;", "\"", true),
            ("'", "\"", false),
        ];
        for (open, found, expected) in cases {
            assert_eq!(closes(quote(open), quote(found)), expected, "{open} {found}");
        }
    }
}
