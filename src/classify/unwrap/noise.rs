//! Leaves out what says nothing about a cause: stack frames, markup, the framing of event streams.
//!
//! A Python chain names the cause first (`… was the direct cause of the following exception`); it is put last, where
//! every other language has it.

use std::borrow::Cow;

/// The text without noise, line by line as far as it has lines.
pub fn without_noise(text: &str) -> Cow<'_, str> {
    let plain = if has_markup(text) { Cow::Owned(without_markup(text)) } else { Cow::Borrowed(text) };
    if !plain.contains('\n') {
        return plain;
    }
    let parts = causes_last(&plain);
    let mut kept = String::with_capacity(plain.len() + 16);
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            kept.push_str(" caused by: ");
        }
        push_lines_that_speak(part, &mut kept);
    }
    Cow::Owned(kept)
}

/// The sentences with which Python joins two tracebacks.
const CHAINS: [&str; 2] = [
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
];

/// The tracebacks of a chain, the outermost first.
fn causes_last(text: &str) -> Vec<&str> {
    let mut parts = vec![text];
    for chain in CHAINS {
        parts = parts.into_iter().flat_map(|part| part.split(chain)).collect();
    }
    parts.reverse();
    parts
}

fn push_lines_that_speak(part: &str, kept: &mut String) {
    let mut after_frame = false;
    for line in part.lines() {
        let words = line.trim_start_matches([' ', '\t', '|', '+', '>']);
        let indented = line.len() - words.len() >= 4;
        let is_source = after_frame && indented;
        after_frame = is_python_frame(words);
        if after_frame || is_source || is_frame(words) {
            continue;
        }
        kept.push_str(words.strip_prefix("data: ").unwrap_or(words));
        kept.push('\n');
    }
}

/// `File "x.py", line 3, in f`
fn is_python_frame(words: &str) -> bool {
    words.starts_with("File \"") && words.contains("\", line ")
}

/// A frame of JavaScript or Java (`at f (x.js:3:4)`), what underlines a Python source line, the framing of server-sent
/// events (WHATWG HTML §9.2.5).
fn is_frame(words: &str) -> bool {
    (words.starts_with("at ") && words.trim_end().ends_with(')') && words.contains('('))
        || (words.starts_with("at ") && words.contains("://") && words.contains(".js:"))
        || words.starts_with("^^^^")
        || words.starts_with("~~~~")
        || words.starts_with("event: message")
        || words.starts_with("retry: ")
}

fn has_markup(text: &str) -> bool {
    text.contains("</")
}

/// Text between tags, one blank for each; what is said about style and scripts left out. That it was a page is kept,
/// because where JSON belongs, a page is the fault.
fn without_markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        plain.push_str(before);
        let Some(length) = length_of_tag(tag) else {
            plain.push('<');
            rest = tag.get(1..).unwrap_or("");
            continue;
        };
        let (tag, behind) = tag.split_at(length);
        let name = name_of_tag(tag);
        if name.eq_ignore_ascii_case("html") || name.eq_ignore_ascii_case("!doctype") {
            plain.push_str(tag);
        } else {
            plain.push(' ');
        }
        rest = if name.eq_ignore_ascii_case("style") || name.eq_ignore_ascii_case("script") {
            behind.find("</").and_then(|end| behind.get(end..)).unwrap_or("")
        } else {
            behind
        };
    }
    plain.push_str(rest);
    plain
}

/// The length of the tag at the start; `None` when `<` begins none.
fn length_of_tag(text: &str) -> Option<usize> {
    const LONGEST_TAG: usize = 400;
    let begins_tag =
        text.as_bytes().get(1).is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, b'/' | b'!'));
    let end = text.bytes().take(LONGEST_TAG).position(|byte| byte == b'>')?;
    begins_tag.then_some(end + 1)
}

fn name_of_tag(tag: &str) -> &str {
    let inside = tag.trim_start_matches('<');
    inside.split([' ', '>', '\n', '\t']).next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::without_noise;

    #[test]
    fn a_page_is_read_as_its_words() {
        let page = "<!DOCTYPE html><html><head><style>b { color: red }</style><title>502</title></head>\
                    <body><h1>Bad Gateway</h1><script>var x = 1;</script><code>no route</code></body></html>";
        let words = without_noise(page);
        for word in ["<!DOCTYPE html>", "502", "Bad Gateway", "no route"] {
            assert!(words.contains(word), "{words}");
        }
        assert!(!words.contains("color") && !words.contains("var x"), "{words}");
    }

    #[test]
    fn frames_are_left_out_and_the_cause_of_a_python_chain_comes_last() {
        let text = "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    ask(host)\nOSError: no route\n\n\
                    The above exception was the direct cause of the following exception:\n\n\
                    Traceback (most recent call last):\n  File \"b.py\", line 5, in g\n    raise Closed()\nClosed: gone\n";
        let words = without_noise(text);
        let (outer, inner) = words.split_once("caused by: ").expect("a chain");
        assert!(outer.contains("Closed: gone") && inner.contains("OSError: no route"), "{words}");
        assert!(!words.contains("a.py") && !words.contains("ask(host)"), "{words}");
    }

    #[test]
    fn frames_of_other_languages_and_event_streams_are_left_out() {
        let text = "Error: no route\n    at ask (file:///x/y.js:3:4)\n    at a.b.C.d(C.java:7)\nevent: message\ndata: {\"a\":1}\n";
        assert_eq!(without_noise(text), "Error: no route\n{\"a\":1}\n");
    }

    #[test]
    fn what_only_looks_like_markup_stays() {
        for plain in ["1 < 2 and </", "x <- y </3", "no </ tag"] {
            assert_eq!(without_noise(plain), plain);
        }
    }
}
