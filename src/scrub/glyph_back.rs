//! Reading backwards over what may stand before a position: a closing quote in any writing, the tail of an escape.
//!
//! All look-back is bounded. Forward reading stands in `glyph`.

use super::glyph::{MAX_BACKSLASHES, hex_pair};

/// Steps back over one closing quote that ends at `end`, however it is written; `None` when there is none.
pub(super) fn quote_before(bytes: &[u8], floor: usize, end: usize) -> Option<usize> {
    let text = &bytes[floor..end];
    let last = *text.last()?;
    if matches!(last, b'"' | b'\'' | b'`') {
        let slashes =
            text[..text.len() - 1].iter().rev().take(MAX_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
        return Some(end - 1 - slashes);
    }
    for name in [&b"quot;"[..], b"apos;", b"#34;", b"#39;", b"#x22;", b"#x27;"] {
        if text.ends_with(name) {
            return entity_start(text, text.len() - name.len()).map(|start| floor + start);
        }
    }
    if text.ends_with(b"22") || text.ends_with(b"27") {
        return coded_start(text, text.len() - 2).map(|start| floor + start);
    }
    None
}

/// The start of `&amp;…name;` whose name begins at `name_start`.
fn entity_start(text: &[u8], name_start: usize) -> Option<usize> {
    let mut start = name_start;
    while text[..start].ends_with(b"amp;") && start > 4 {
        start -= 4;
    }
    let before = text[..start].strip_suffix(b"&")?;
    let slashes = before.iter().rev().take(MAX_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
    Some(before.len() - slashes)
}

/// The start of `%22`, `%2522`, `\u0022` or `\x22` whose last two digits begin at `digits_start`.
fn coded_start(text: &[u8], digits_start: usize) -> Option<usize> {
    let mut start = digits_start;
    while text[..start].ends_with(b"25") {
        start -= 2;
    }
    if text[..start].ends_with(b"%") {
        return Some(without_percent_backslashes(text, start - 1));
    }
    let head = &text[..digits_start];
    let stem = head.strip_suffix(b"u00").or_else(|| head.strip_suffix(b"x"))?;
    let slashes = stem.iter().rev().take(MAX_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
    (slashes > 0).then(|| without_coded_backslashes(text, stem.len() - slashes, slashes))
}

/// Steps back over `\x5C` or `\u005c`, each behind so many backslashes, before `end`.
fn without_coded_backslashes(text: &[u8], end: usize, slashes: usize) -> usize {
    let mut start = end;
    for _ in 0..MAX_BACKSLASHES {
        let Some(head) = text[..start].strip_suffix(b"5C").or_else(|| text[..start].strip_suffix(b"5c")) else {
            break;
        };
        let Some(stem) = head.strip_suffix(b"u00").or_else(|| head.strip_suffix(b"x")) else {
            break;
        };
        let here = stem.iter().rev().take(slashes).take_while(|byte| **byte == b'\\').count();
        if here < slashes {
            break;
        }
        start = stem.len() - here;
    }
    start
}

/// Steps back over `%5C` (with any number of `25`) before `end`.
fn without_percent_backslashes(text: &[u8], end: usize) -> usize {
    let mut start = end;
    for _ in 0..MAX_BACKSLASHES {
        let Some(mut head) = text[..start].strip_suffix(b"5C").or_else(|| text[..start].strip_suffix(b"5c")) else {
            break;
        };
        while let Some(shorter) = head.strip_suffix(b"25") {
            head = shorter;
        }
        let Some(before) = head.strip_suffix(b"%") else {
            break;
        };
        start = before.len();
    }
    start
}

/// Length of the tail of an escape (`%3F`, `\u0026`, `\n`) that a word starting at `start` begins with, because the
/// word's letters include the escape's: 0 when the character before `start` begins no escape.
pub(super) fn escape_tail(bytes: &[u8], floor: usize, start: usize, end: usize) -> usize {
    if start == floor {
        return 0;
    }
    let word = &bytes[start..end];
    match bytes[start - 1] {
        b'%' => {
            let mut at = 0;
            while word.len() >= at + 4 && &word[at..at + 2] == b"25" && hex_pair(&word[at + 2..]).is_some() {
                at += 2;
            }
            match hex_pair(&word[at..]) {
                Some(b'\\') => at + 2 + backslash_tail(&word[at + 2..]),
                Some(_) => at + 2,
                None => 0,
            }
        }
        b'\\' => backslash_tail(word),
        _ => 0,
    }
}

/// Length of what a backslash before the word takes of it.
fn backslash_tail(word: &[u8]) -> usize {
    match word.first() {
        Some(b'u') if word.len() >= 5 && word[1..5].iter().all(u8::is_ascii_hexdigit) => 5,
        Some(b'x') if word.len() >= 3 && word[1..3].iter().all(u8::is_ascii_hexdigit) => 3,
        Some(b'n' | b'r' | b't') => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{escape_tail, quote_before};

    #[test]
    fn steps_back_over_every_writing_of_a_quote() {
        let writings = [
            "\"",
            "'",
            "\\\"",
            "\\\\\\\"",
            "\\u0022",
            "\\x22",
            "%22",
            "%2522",
            "%252522",
            "%5C%22",
            "%255C%2522",
            "&quot;",
            "&amp;quot;",
            "&#34;",
            "&#39;",
            "&#x22;",
        ];
        for writing in writings {
            let text = ["name", writing].concat();
            assert_eq!(quote_before(text.as_bytes(), 0, text.len()), Some(4), "{writing}");
        }
        for text in ["name", "n22", "quot;", "x"] {
            assert_eq!(quote_before(text.as_bytes(), 0, text.len()), None, "{text}");
        }
    }

    #[test]
    fn an_escape_before_a_word_is_told_from_the_word() {
        let cases = [("%3Fcode", 1, 2), ("%253Fcode", 1, 4), ("\\u0026code", 1, 5), ("\\ncode", 1, 1), ("?code", 1, 0)];
        for (text, start, expected) in cases {
            assert_eq!(escape_tail(text.as_bytes(), 0, start, text.len()), expected, "{text}");
        }
    }
}
