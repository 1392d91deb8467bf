//! Codes that stand for a sentence (`TOKEN_EXCHANGE_FAILED`, `RefreshTokenExpiredError`), read as one.

/// More words than these are a sentence already.
const MOST_WORDS: usize = 3;
/// Longer texts are no codes.
const LONGEST: usize = 120;

/// Appends the words of the names in `line` when it consists of little else.
pub fn spell_out(line: &mut String) {
    let is_short = line.len() <= LONGEST && line.split(' ').count() <= MOST_WORDS;
    if !is_short {
        return;
    }
    let names: Vec<String> = line
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter_map(words_of)
        .collect();
    for words in names {
        line.push(' ');
        line.push_str(&words);
    }
}

/// The words of a name, in small letters; `None` when it is one word.
fn words_of(name: &str) -> Option<String> {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = '_';
    for character in name.chars() {
        let begins_word = character.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (character == '_' || begins_word) && !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
        if character != '_' {
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
        ];
        for (name, words) in cases {
            assert_eq!(words_of(name).as_deref(), words, "{name}");
        }
    }

    #[test]
    fn only_a_text_that_is_little_more_than_a_name_is_spelled_out() {
        for (line, spelled) in [
            ("error: LOGIN_EXPIRED", "error: LOGIN_EXPIRED login expired"),
            ("set LOGIN_URL and try again", "set LOGIN_URL and try again"),
            ("", ""),
        ] {
            let mut text = line.to_owned();
            spell_out(&mut text);
            assert_eq!(text, spelled, "{line}");
        }
    }
}
