//! Undoes encodings: backslash escapes of JSON and of languages' string literals, percent-encoding, HTML entities.

/// Undoes one layer of each encoding; `None` when nothing was encoded.
pub fn undo_one_layer(text: &str) -> Option<String> {
    let mut undone = None;
    if text.contains('\\') {
        undone = Some(without_backslashes(text));
    }
    let current = undone.as_deref().unwrap_or(text);
    // The answer of an authorization server comes as a query (RFC 6749 §4.1.2.1), in which `+` is a blank.
    let is_query =
        current.contains("error_description=") || (has_percent_escape(current) && current.contains("error="));
    if has_percent_escape(current) || (is_query && current.contains('+')) {
        let decoded = percent_encoding::percent_decode_str(current).decode_utf8_lossy().into_owned();
        undone = Some(if is_query { decoded.replace('+', " ") } else { decoded });
    }
    let current = undone.as_deref().unwrap_or(text);
    if current.contains('&') {
        let decoded = without_entities(current);
        if decoded != current {
            undone = Some(decoded);
        }
    }
    undone.filter(|decoded| decoded != text)
}

fn has_percent_escape(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|three| matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()))
}

const ENTITIES: &[(&str, &str)] = &[
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#x22;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&apos;", "'"),
    ("&#x2F;", "/"),
    ("&#47;", "/"),
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
];

fn without_entities(text: &str) -> String {
    ENTITIES.iter().fold(text.to_owned(), |decoded, (entity, plain)| {
        if decoded.contains(entity) { decoded.replace(entity, plain) } else { decoded }
    })
}

/// String escapes undone (RFC 8259 §7, and `\x` of Python and Rust). A run of backslashes is one escape, because each
/// further string around a string doubles them; before any other character one backslash stays.
fn without_backslashes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, run) = rest.split_at(at);
        plain.push_str(before);
        let escaped = run.trim_start_matches('\\');
        let (decoded, length) = decoded_escape(escaped).unwrap_or(('\\', 0));
        plain.push(decoded);
        rest = escaped.get(length..).unwrap_or("");
    }
    plain.push_str(rest);
    plain
}

/// The character that `escaped` stands for after a backslash, and how many bytes of it were read.
fn decoded_escape(escaped: &str) -> Option<(char, usize)> {
    let hexadecimal = |digits: usize| {
        let code = u32::from_str_radix(escaped.get(1..=digits)?, 16).ok()?;
        Some((char::from_u32(code)?, digits + 1))
    };
    match escaped.as_bytes().first()? {
        quote @ (b'"' | b'\'' | b'/') => Some((char::from(*quote), 1)),
        b'n' | b'r' => Some(('\n', 1)),
        b't' => Some((' ', 1)),
        b'u' => hexadecimal(4),
        b'x' => hexadecimal(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{undo_one_layer, without_backslashes};

    #[test]
    fn a_run_of_backslashes_is_one_escape() {
        let cases = [
            (r#"\\\\\\\"x"#, "\"x"),
            (r"a\\\\nb", "a\nb"),
            (r"\\\u0041", "A"),
            (r"C:\\\\Zone", r"C:\Zone"),
            (r"\ud800", r"\ud800"),
            (r"\xZZ", r"\xZZ"),
            (r"end\", r"end\"),
            (r"\x€", r"\x€"),
        ];
        for (escaped, plain) in cases {
            assert_eq!(without_backslashes(escaped), plain, "{escaped}");
        }
    }

    #[test]
    fn in_the_query_of_an_answer_a_plus_is_a_blank() {
        let query = "?error=access_denied&error_description=the+owner+said+no";
        assert_eq!(undo_one_layer(query).as_deref(), Some("?error=access_denied&error_description=the owner said no"));
    }

    #[test]
    fn what_is_not_encoded_stays() {
        for plain in ["plain words", "100 % sure", "Tom & Jerry", "a+b"] {
            assert_eq!(undo_one_layer(plain), None, "{plain}");
        }
    }
}
