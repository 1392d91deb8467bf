//! Takes the quotes off single words in prose, so that `unexpected "aud" claim` reads like `unexpected aud claim`.
//!
//! Quotes of data stay: what stands behind a colon or an equals sign, opens a bracket or is a key.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

#[expect(clippy::expect_used, reason = "constant pattern, compiled by every test of this module")]
static QUOTED_WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?-u)([A-Za-z0-9] )(?:"([\w.:/-]{1,60})"|'([\w.:/-]{1,60})'|`([\w.:/-]{1,60})`)([ .,;)]|$)"#)
        .expect("the pattern is well formed")
});

/// The line without quotes around single words.
pub fn without_quotes(line: &str) -> Cow<'_, str> {
    QUOTED_WORD.replace_all(line, "${1}${2}${3}${4}${5}")
}

#[cfg(test)]
mod tests {
    use super::without_quotes;

    #[test]
    fn quotes_come_off_words_in_prose_and_stay_on_data() {
        let cases = [
            (r#"unexpected "aud" claim"#, "unexpected aud claim"),
            ("needs 'files:read', or `admin`.", "needs files:read, or admin."),
            (r#"{"error": "invalid_scope", "aud": 1}"#, r#"{"error": "invalid_scope", "aud": 1}"#),
            ("it's the user's own", "it's the user's own"),
            (r#"says "not so" twice"#, r#"says "not so" twice"#),
        ];
        for (line, plain) in cases {
            assert_eq!(without_quotes(line), plain, "{line}");
        }
    }
}
