//! Takes the wrapping off a message: escaped JSON, percent-encoding, HTML entities, layers around the innermost cause.
//!
//! Works on the text and not on parsed JSON, because messages arrive cut off, quoted by other languages (Python, Go,
//! Rust) and mixed with prose. Linear time, bounded depth and size. *Innermost*: what stands after the last marker of a
//! layer (`caused by`, `"message":`, `stderr:`, …).

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Longest text that is looked at, in bytes; of a longer one the beginning and the end.
const LONGEST: usize = 16 * 1024;
/// How often escapes are undone: JSON in a string in a string in a string.
const DEEPEST: usize = 4;

/// A message on one line, readable, with the place where its innermost cause begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwrapped {
    /// The whole text, unescaped, white space collapsed.
    pub text: String,
    inner_start: usize,
}

impl Unwrapped {
    /// What stands after the last marker of a layer; `None` when there is no layer.
    #[must_use]
    pub fn inner(&self) -> Option<&str> {
        if self.inner_start == 0 { None } else { self.text.get(self.inner_start..) }
    }
}

#[expect(clippy::expect_used, reason = "constant pattern, compiled by every test of this module")]
static LAYER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)(?:caused by|root cause|original error|underlying error|nested exception(?: is)?|reason given)\s*:?\s+"#,
        r#"|\b(?:stderr|raw body|response body|inner error)\s*[:=]\s*"#,
        r#"|["'](?:error_description|message|msg|detail|cause)["']\s*:\s*["']"#,
        r#"|\berror_description=["']?"#,
    ))
    .expect("the pattern is well formed")
});

/// Unwraps a message and the OAuth error description that came with it.
#[must_use]
pub fn unwrap(message: &str, description: Option<&str>) -> Unwrapped {
    let joined = match description {
        Some(description) if !message.contains(description) => {
            Cow::Owned(format!("{message} error_description={description}"))
        }
        _ => Cow::Borrowed(message),
    };
    let mut text = bounded(&joined).into_owned();
    for _ in 0..DEEPEST {
        match undo_one_layer(&text) {
            Some(undone) => text = undone,
            None => break,
        }
    }
    let text = one_line(&text);
    let inner_start =
        LAYER.find_iter(&text).map(|found| found.end()).filter(|end| *end < text.len()).last().unwrap_or(0);
    Unwrapped { text, inner_start }
}

/// The beginning and the end of a long text: what failed stands first, why stands last.
fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let head_end = text.floor_char_boundary(LONGEST / 2);
    let tail_start = text.ceil_char_boundary(text.len() - LONGEST / 2);
    Cow::Owned([text.get(..head_end).unwrap_or(""), " … ", text.get(tail_start..).unwrap_or("")].concat())
}

/// Undoes one layer of each encoding; `None` when nothing was encoded.
fn undo_one_layer(text: &str) -> Option<String> {
    let mut undone = None;
    if text.contains('\\') {
        undone = Some(without_backslashes(text));
    }
    let current = undone.as_deref().unwrap_or(text);
    if has_percent_escape(current) {
        let decoded = percent_encoding::percent_decode_str(current).decode_utf8_lossy().into_owned();
        let is_query = decoded.contains("error=") || decoded.contains("error_description=");
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
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&apos;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
];

fn without_entities(text: &str) -> String {
    ENTITIES.iter().fold(text.to_owned(), |decoded, (entity, plain)| {
        if decoded.contains(entity) { decoded.replace(entity, plain) } else { decoded }
    })
}

/// JSON string escapes undone once (RFC 8259 §7); any other backslash stays.
fn without_backslashes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let (decoded, length) = decoded_escape(escape);
        match decoded {
            Some(character) => plain.push(character),
            None => plain.push('\\'),
        }
        rest = escape.get(length..).unwrap_or("");
    }
    plain.push_str(rest);
    plain
}

/// The character that the escape at the start of `escape` stands for, and its length in bytes.
fn decoded_escape(escape: &str) -> (Option<char>, usize) {
    match escape.as_bytes().get(1) {
        Some(b'"') => (Some('"'), 2),
        Some(b'\'') => (Some('\''), 2),
        Some(b'/') => (Some('/'), 2),
        Some(b'\\') => (Some('\\'), 2),
        Some(b'n' | b'r' | b't') => (Some(' '), 2),
        Some(b'u') => {
            let code = escape.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            code.and_then(char::from_u32).map_or((None, 1), |character| (Some(character), 6))
        }
        _ => (None, 1),
    }
}

/// White space collapsed to single blanks and typographic quotes made plain, so that one pattern fits all spellings.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            blank if blank.is_whitespace() || blank == '\0' => {
                if !line.is_empty() && !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            '\u{2018}' | '\u{2019}' => line.push('\''),
            '\u{201c}' | '\u{201d}' => line.push('"'),
            other => line.push(other),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, unwrap};

    #[test]
    fn every_layer_comes_off() {
        let cases = [
            (r#"{"error":"{\"message\":\"quota used up\"}"}"#, r#"{"error":"{"message":"quota used up"}"}"#),
            (r#"{"a":"{\"b\":\"{\\\"message\\\":\\\"x\\\"}\"}"}"#, r#"{"a":"{"b":"{"message":"x"}"}"}"#),
            (
                "https://c.example/cb?error=access_denied&error_description=The+user%20said%20no",
                "https://c.example/cb?error=access_denied&error_description=The user said no",
            ),
            ("&quot;error&quot;: &amp;quot;x&amp;quot;", r#""error": "x""#),
            (r"a\u0022b\nc", "a\"b c"),
            ("a \n\t b\u{2019}s", "a b's"),
            (r"C:\Users\x", r"C:\Users\x"),
        ];
        for (wrapped, plain) in cases {
            assert_eq!(unwrap(wrapped, None).text, plain, "{wrapped}");
        }
    }

    #[test]
    fn the_innermost_cause_is_what_follows_the_last_marker() {
        let cases = [
            ("start-up failed: gave up. Caused by: not allowed. Caused by: name not known", Some("name not known")),
            (r#"{"error":{"code":-32603,"message":"401 from the server"}}"#, Some(r#"401 from the server"}}"#)),
            ("connection closed; stderr: no route", Some("no route")),
            ("plain words", None),
            ("it ends with the marker, caused by: ", None),
        ];
        for (message, inner) in cases {
            assert_eq!(unwrap(message, None).inner(), inner, "{message}");
        }
    }

    #[test]
    fn the_description_is_the_innermost_layer() {
        let unwrapped = unwrap("token request refused", Some("code spent"));
        assert_eq!(unwrapped.inner(), Some("code spent"));
        assert_eq!(unwrap("refused: code spent", Some("code spent")).inner(), None, "not said twice");
    }

    #[test]
    fn a_huge_text_is_cut_in_the_middle() {
        let text = format!("first {} last", "é".repeat(LONGEST));
        let unwrapped = unwrap(&text, None);
        assert!(unwrapped.text.len() <= LONGEST + 8);
        assert!(unwrapped.text.starts_with("first ") && unwrapped.text.ends_with(" last"));
    }

    #[test]
    fn ten_thousand_nested_escapes_are_bounded() {
        assert!(!unwrap(&"\\".repeat(10_000), None).text.is_empty());
    }
}
