//! Takes the wrapping off a message: escapes, percent-encoding, markup, stack frames, layers around the innermost cause.
//!
//! Works on the text and not on parsed JSON, because messages arrive cut off, quoted by other languages (Python, Go,
//! Rust) and mixed with prose. Linear time, bounded depth and size. A *layer* is what wraps a cause: `caused by`,
//! `"message":`, `failed to …:`; *innermost* is what stands after the last one.

mod escapes;
mod layers;
mod names;
mod noise;
mod quotes;

use std::borrow::Cow;

/// Longest text that is looked at, in bytes; of a longer one the beginning and the end.
const LONGEST: usize = 16 * 1024;
/// How often encodings are undone. Backslashes need one pass however deep they are; an encoding within another one
/// needs more.
const DEEPEST: usize = 4;
/// How many causes are looked at by themselves: the innermost and the one around it.
pub const LAYERS: usize = 2;

/// A message on one line, readable, with the places where its inner causes begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwrapped {
    /// The whole text, unescaped, white space collapsed.
    pub text: String,
    /// Where the inner causes begin, the innermost first; 0 for none.
    starts: [usize; LAYERS],
}

impl Unwrapped {
    /// What stands after the last marker of a layer (`depth` 0) or the one before (1); `None` when there is none.
    #[must_use]
    pub fn inner(&self, depth: usize) -> Option<&str> {
        match self.starts.get(depth) {
            None | Some(0) => None,
            Some(start) => self.text.get(*start..),
        }
    }
}

/// Unwraps a message and the OAuth error description that came with it.
#[must_use]
pub fn unwrap(message: &str, description: Option<&str>) -> Unwrapped {
    let joined = match description {
        Some(description) if !message.contains(description) => {
            Cow::Owned(format!("{message} error_description={description}"))
        }
        _ => Cow::Borrowed(message),
    };
    let mut text = bounded(&joined);
    for _ in 0..DEEPEST {
        match escapes::undo_one_layer(&text) {
            Some(undone) => text = Cow::Owned(undone),
            None => break,
        }
    }
    let mut text = quotes::without_quotes(&one_line(&noise::without_noise(&text))).into_owned();
    names::spell_out(&mut text);
    let starts = layers::starts_of_causes(&text);
    Unwrapped { text, starts }
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
    line.truncate(line.trim_end_matches(' ').len());
    line
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::{LONGEST, unwrap};

    #[test]
    fn every_wrapping_comes_off() {
        let cases = [
            (r#"{"error":"{\"message\":\"quota used up\"}"}"#, r#"{"error":"{"message":"quota used up"}"}"#),
            (r#"{"a":"{\"b\":\"{\\\"message\\\":\\\"x\\\"}\"}"}"#, r#"{"a":"{"b":"{"message":"x"}"}"}"#),
            (
                "https://c.example/cb?error=access_denied&error_description=The+user%20said%20no",
                "https://c.example/cb?error=access_denied&error_description=The user said no",
            ),
            ("%2522x%2522", "\"x\""),
            ("&quot;error&quot;: &amp;quot;x&amp;quot;", r#""error": "x""#),
            (r"a\u0022b\nc", "a\"b c"),
            (r"b'caf\x27 shut'", "b'caf' shut'"),
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
            ("start-up failed; gave up. Caused by: not allowed. Caused by: name not known", Some("name not known")),
            (r#"{"error":{"code":-32603,"message":"401 from the server"}}"#, Some(r#"401 from the server"}}"#)),
            ("connection closed; stderr: no route", Some("no route")),
            ("failed to open the list: could not ask the host: no route", Some("no route")),
            (r#"Status { code: Unknown, message: "no route" }"#, Some(r#"no route" }"#)),
            ("plain words", None),
            ("it ends with the marker, caused by: ", None),
        ];
        for (message, inner) in cases {
            assert_eq!(unwrap(message, None).inner(0), inner, "{message}");
        }
        let chain = unwrap("failed to open the list: could not ask the host: no route", None);
        assert_eq!(chain.inner(1), Some("could not ask the host: no route"));
    }

    #[test]
    fn the_description_is_the_innermost_layer() {
        let unwrapped = unwrap("token request refused", Some("code spent"));
        assert_eq!(unwrapped.inner(0), Some("code spent"));
        assert_eq!(unwrap("refused; code spent", Some("code spent")).inner(0), None, "not said twice");
    }

    #[test]
    fn a_huge_text_is_cut_in_the_middle() {
        let text = format!("first {} last", "é".repeat(LONGEST));
        let unwrapped = unwrap(&text, None);
        assert!(unwrapped.text.len() <= LONGEST + 8);
        assert!(unwrapped.text.starts_with("first ") && unwrapped.text.ends_with(" last"));
    }

    #[test]
    fn a_megabyte_and_ten_thousand_nested_escapes_are_bounded() {
        assert!(!unwrap(&"\\".repeat(10_000), None).text.is_empty());
        assert!(unwrap(&"{\"message\":\"".repeat(100_000), None).text.len() <= LONGEST + 8);
        let mut nested = String::new();
        for depth in 0..10_000 {
            write!(nested, "%{}5C\\u00{}5c&amp;", "25".repeat(depth % 5), "0".repeat(depth % 3))
                .expect("a string grows");
        }
        assert!(unwrap(&nested, None).text.len() <= LONGEST + 8);
        let escaped_deep = format!("{}\"message{}\": {}\"no route", "\\".repeat(31), "\\".repeat(31), "\\".repeat(31));
        assert_eq!(unwrap(&escaped_deep, None).inner(0), Some("no route"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_unwrapped_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let text = String::from_utf8_lossy(&bytes);
            let unwrapped = unwrap(&text, None);
            prop_assert!(unwrapped.text.len() <= text.len().max(8) * 3 + 240);
            prop_assert!(unwrapped.inner(0).is_none_or(|inner| unwrapped.text.ends_with(inner)));
        }
    }
}
