//! Judging a value without knowing its place: is it masked already, a placeholder, a word, or random-looking?
//!
//! The word lists are in `word_lists`. Every test reads a bounded part or each byte once.

use super::word_lists::{HIDDEN, PROSE, STATUS};

/// A mask that leaves more letters and digits visible than this hides too little.
pub(super) const MAX_VISIBLE: usize = 16;

/// Whether the value was masked by somebody else: `ey****bt`, `sk-...abcd`, `****`.
pub(super) fn is_masked(value: &[u8]) -> bool {
    let mut visible = 0;
    for byte in value {
        if byte.is_ascii_alphanumeric() {
            visible += 1;
            if visible > MAX_VISIBLE {
                return is_filler(value) || holds_both(value);
            }
        }
    }
    has_mask(value) || is_filler(value)
}

/// A mask in which a secret was found by its shape and replaced: it stays the mask it was.
fn holds_both(value: &[u8]) -> bool {
    let head = &value[..value.len().min(128)];
    has_mask(head) && head.windows(b"[redacted:".len()).any(|window| window == b"[redacted:")
}

/// `**`, `...`, `…` or `••` somewhere.
fn has_mask(value: &[u8]) -> bool {
    value.windows(2).any(|pair| pair == b"**")
        || value.windows(3).any(|three| three == b"..." || three == "…".as_bytes() || three == "•".as_bytes())
}

/// One and the same `x` throughout, at least four times.
fn is_filler(value: &[u8]) -> bool {
    value.len() >= 4 && value.iter().all(|byte| matches!(byte, b'x' | b'X' | b'-' | b'*'))
}

/// Whether a placeholder stands there instead of a value: ours, another tool's, a template's or a mask.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let first_two = (value.first().copied().unwrap_or(0), value.get(1).copied().unwrap_or(0));
    match first_two {
        (b'[', _) => is_bracketed_word(value, b']'),
        (b'<', _) => is_bracketed_word(value, b'>'),
        (b'{', _) => true,
        (b'(', _) => is_bracketed_word(value, b')'),
        (b'$', b'{' | b'(' | b'A'..=b'Z' | b'_') => true,
        (b'%', b's' | b'v' | b'q' | b'r' | b'd') => value.len() == 2,
        _ => is_masked(value),
    }
}

/// As [`is_placeholder`], for a value that begins at `start` and whose end is not known yet: bracketed ones only.
pub(super) fn is_placeholder_at(bytes: &[u8], start: usize) -> bool {
    let rest = &bytes[start..];
    let close = match rest.first() {
        Some(b'[') => b']',
        Some(b'<') => b'>',
        Some(b'(') => b')',
        _ => return false,
    };
    let Some(end) = rest.iter().take(64).position(|byte| *byte == close) else {
        return false;
    };
    let next_is_letter = rest.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    !next_is_letter && is_bracketed_word(&rest[..=end], close) && end > 1
}

/// `[redacted:kind]`, `<your token>`, `(hidden)`: bracketed short text of letters, `_`, `-`, `:` and spaces.
fn is_bracketed_word(value: &[u8], close: u8) -> bool {
    let Some(end) = value.iter().take(64).position(|byte| *byte == close) else {
        return false;
    };
    let inner = &value[1..end];
    let rest = &value[end + 1..];
    let is_text = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b':' | b' ' | b'*' | b'.');
    // Lists stand in square brackets too, so there the word must say that something was taken away.
    let is_telling = close != b']' || inner.is_empty() || says_hidden(inner);
    is_telling && inner.iter().all(is_text) && !rest.iter().any(u8::is_ascii_alphanumeric)
}

/// Whether a short text in brackets says that something was taken away or belongs there.
fn says_hidden(inner: &[u8]) -> bool {
    let lower = inner.to_ascii_lowercase();
    HIDDEN.iter().any(|word| lower.windows(word.len()).any(|window| window == word.as_bytes()))
}

/// Whether the value's first word tells about the value instead of being it. `in_prose` admits more words.
pub(super) fn is_statement(value: &[u8], in_prose: bool) -> bool {
    let length = value.iter().take(24).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'\'').count();
    let ends_word = value
        .get(length)
        .is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'+' | b'/' | b'='));
    if length == 0 || !ends_word {
        return false;
    }
    let mut lower = [0_u8; 24];
    for (target, source) in lower.iter_mut().zip(&value[..length]) {
        *target = source.to_ascii_lowercase();
    }
    let word = &lower[..length];
    let listed = |list: &[&str]| list.binary_search_by(|entry| entry.as_bytes().cmp(word)).is_ok();
    listed(STATUS) || (in_prose && listed(PROSE))
}

/// Whether the value is made of words as people write them: `client_secret_post`, `InvalidToken`, `not-found`.
pub(super) fn is_wordlike(value: &[u8]) -> bool {
    value.split(|byte| matches!(byte, b'_' | b'-' | b'.' | b'/' | b'+' | b'~')).all(is_word)
}

/// A word in one case, in camel case with at most two capitals in a row, or a number of four digits at most.
fn is_word(word: &[u8]) -> bool {
    if word.len() > 24 {
        return false;
    }
    if word.len() <= 4 && word.iter().all(u8::is_ascii_digit) {
        return true;
    }
    if !word.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    if word.iter().all(u8::is_ascii_uppercase) || word.iter().all(u8::is_ascii_lowercase) {
        return true;
    }
    let mut capitals_in_row = 0;
    let mut humps = 0;
    for byte in word {
        if byte.is_ascii_uppercase() {
            capitals_in_row += 1;
            humps += usize::from(capitals_in_row == 1);
        } else {
            capitals_in_row = 0;
        }
        if capitals_in_row > 2 {
            return false;
        }
    }
    // Words have four letters and more on average; random letters change case faster.
    humps * 3 <= word.len()
}

/// Whether the value looks random: a token's letters only, at least `minimum` of them, and not words, a UUID, a
/// date or an address.
pub(super) fn is_opaque(value: &[u8], minimum: usize) -> bool {
    let is_token_byte = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'%' | b'!' | b'*' | b'$' | b'@')
    };
    value.len() >= minimum
        && value.iter().any(u8::is_ascii_alphabetic)
        && value.iter().all(is_token_byte)
        && !is_uuid(value)
        && !is_wordlike(value)
        && !value.starts_with(b"/")
        && !is_host(value)
}

/// As [`is_opaque`], and with a digit, and without the marks by which names are strung together from words.
pub(super) fn is_generated(value: &[u8], minimum: usize) -> bool {
    is_opaque(value, minimum)
        && value.iter().any(u8::is_ascii_digit)
        && value
            .split(|byte| matches!(byte, b'-' | b'_' | b'.' | b'/'))
            .any(|part| part.len() >= minimum.min(12) && !is_word(part))
}

/// Whether a digit, a capital and a small letter are among the letters.
pub(super) fn is_mixed(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().any(u8::is_ascii_lowercase)
}

/// A UUID in its usual writing (RFC 9562 §4).
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Something with dots whose last label is letters only and whose labels are in lower case: a host name.
fn is_host(value: &[u8]) -> bool {
    let lower =
        value.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let last = value.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    lower && last.len() < value.len() && last.len() >= 2 && last.iter().all(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::{is_masked, is_opaque, is_placeholder, is_statement, is_wordlike};

    #[test]
    fn masks_and_placeholders_are_known() {
        for text in ["ab****yz", "****", "sk-...wxyz", "ey...***...q", "xxxxxxxx", "pk…9"] {
            assert!(is_masked(text.as_bytes()), "{text}");
        }
        for text in ["hunter2", "a*b", "0123456789abcdef0123...", "xenon"] {
            assert!(!is_masked(text.as_bytes()), "{text}");
        }
        for text in
            ["[redacted:jwt]", "[REDACTED]", "<your token>", "${TOKEN}", "$API_KEY", "{{ key }}", "%s", "(hidden)"]
        {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in ["[redacted:jwt]abc1", "<abc123>", "$ecret", "%secret"] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn words_are_told_from_random_text() {
        for text in
            ["invalid_token", "InvalidToken", "ECONNREFUSED", "not-found", "client_secret_post", "McpError", "on_401"]
        {
            assert!(is_wordlike(text.as_bytes()), "{text}");
        }
        for text in ["hunter2x9", "FAKEfakeFAKE", "aBcDeFgH", "9f86d081884c"] {
            assert!(is_opaque(text.as_bytes(), 8), "{text}");
        }
        for text in ["0198f3c2-7a54-7cc2-98c4-dc0c0c07398f", "mcp1.prod2.example", "/var/run/a1b2c3", "two words 12"] {
            assert!(!is_opaque(text.as_bytes(), 8), "{text}");
        }
    }

    #[test]
    fn sentences_about_a_value_are_known() {
        for (text, in_prose, expected) in [
            ("missing", false, true),
            ("Expired at noon", false, true),
            ("the key", false, false),
            ("the key", true, true),
            ("invalid_but_longer", false, false),
            ("nothing2see", true, false),
        ] {
            assert_eq!(is_statement(text.as_bytes(), in_prose), expected, "{text}");
        }
    }
}
