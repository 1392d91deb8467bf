//! Names that stand for a sentence (`TOKEN_EXCHANGE_FAILED`, `auth.session.expired`, `RefreshTokenExpiredError`), read as one.

use std::sync::LazyLock;

use regex::Regex;

/// More words than these are a sentence already.
const MOST_WORDS: usize = 3;
/// Longer texts are no codes.
const LONGEST_CODE: usize = 120;
/// In a sentence, this many names that complain are read.
const MOST_NAMES: usize = 4;

#[expect(clippy::expect_used, reason = "constant pattern, compiled by every test of this module")]
static COMPLAINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)\b(?:not|no|needs?|requires?|required|missing|invalid|expired|denied|rejected|refused|mismatch|failed|unauthorized|forbidden|unsupported|unknown|revoked|disabled|blocked|disallowed|exceeded|absent|unavailable|unreachable)\b",
    )
    .expect("the pattern is well formed")
});

/// Appends the words of the names in `line`: of all when it consists of little else, of those that complain
/// (`NeedsLogin`) when it is a sentence.
pub fn spell_out(line: &mut String) {
    let is_code = line.len() <= LONGEST_CODE && line.split(' ').count() <= MOST_WORDS;
    let has_dotted = is_code && !line.contains("://");
    let is_part_of_name =
        |character: char| character.is_ascii_alphanumeric() || character == '_' || (has_dotted && character == '.');
    let names = line.split(|character: char| !is_part_of_name(character));
    let words: Vec<String> = if is_code {
        names.filter_map(words_of).collect()
    } else {
        names
            .filter(|name| has_two_humps(name))
            .filter_map(words_of)
            .filter(|words| COMPLAINT.is_match(words))
            .take(MOST_NAMES)
            .collect()
    };
    for words in words {
        line.push(' ');
        line.push_str(&words);
    }
}

/// Whether a small letter is followed by a capital one.
fn has_two_humps(name: &str) -> bool {
    name.as_bytes().windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase())
}

/// The words of a name, in small letters; `None` when it is one word.
fn words_of(name: &str) -> Option<String> {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = '_';
    for character in name.chars() {
        let begins_word = character.is_ascii_uppercase() && before.is_ascii_lowercase();
        let separates = matches!(character, '_' | '.');
        if (separates || begins_word) && !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
        if !separates {
            words.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    let words = words.trim_end().to_owned();
    words.contains(' ').then_some(words)
}

#[cfg(test)]
mod tests {
    use super::{spell_out, words_of};

    #[test]
    fn names_are_read_as_words() {
        let cases = [
            ("TOKEN_EXCHANGE_FAILED", Some("token exchange failed")),
            ("RefreshTokenExpiredError", Some("refresh token expired error")),
            ("__init__", None),
            ("plain", None),
            ("HTTPError", None),
            ("auth.session.timed_out", Some("auth session timed out")),
        ];
        for (name, words) in cases {
            assert_eq!(words_of(name).as_deref(), words, "{name}");
        }
    }

    #[test]
    fn a_text_that_is_little_more_than_a_name_is_spelled_out_and_of_a_sentence_the_names_that_complain() {
        for (line, spelled) in [
            ("error: LOGIN_EXPIRED", "error: LOGIN_EXPIRED login expired"),
            ("set LOGIN_URL and try again", "set LOGIN_URL and try again"),
            (
                "the worker of HttpClient ended with NeedsLogin",
                "the worker of HttpClient ended with NeedsLogin needs login",
            ),
            ("", ""),
        ] {
            let mut text = line.to_owned();
            spell_out(&mut text);
            assert_eq!(text, spelled, "{line}");
        }
    }
}
