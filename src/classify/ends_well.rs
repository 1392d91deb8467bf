//! Whether a text that tells of several things ends well: success that comes last outweighs what went wrong before it.

use std::sync::LazyLock;

use regex::Regex;

#[expect(clippy::expect_used, reason = "constant patterns, compiled by the tests of this module")]
static SUCCESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:success(?:ful(?:ly)?)?|succeeded|completed|auth(?:entication|orization)? ok|authenticated (?:as|with)|(?:tokens?|credentials?|session|signature|jwt) (?:is|are) (?:still )?valid|connected to|logged in as|(?:tokens?|credentials?) (?:was |were |has been |have been )?(?:refreshed|stored|saved|obtained|renewed)|2\d\d ok)\b|\bfound [1-9]\d* tools?\b|\bresult: ?authori[sz]ed\b")
        .expect("the pattern is well formed")
});
#[expect(clippy::expect_used, reason = "constant patterns, compiled by the tests of this module")]
static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:un|not |not indicate )success|\b(?:error|fail(?:s|ed|ure|ing)?|denied|invalid|expired|refused|rejected|forbidden|unauthori[sz]ed",
        r"|cannot|can't|could not|couldn't|unable|missing|not found|mismatch|required|timed? ?out|revoked|not completed|[45]\d\d (?:[a-z])|exit(?:ed)?(?: with)?(?: code)? [1-9]|but\b|must be\b|no (?:\w+ ){0,2}tokens?\b)",
    ))
    .expect("the pattern is well formed")
});

#[expect(clippy::expect_used, reason = "constant patterns, compiled by the tests of this module")]
static PLAIN_SUCCESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:successful(?:ly)?|succeeded|connected to (?:the )?(?:remote )?server|2\d\d ok|found [1-9]\d* tools?|result: ?authori[sz]ed)\b")
        .expect("the pattern is well formed")
});

/// Whether the last mark of success stands behind every mark of failure: the normal handshake ends so.
#[must_use]
pub fn ends_well(text: &str) -> bool {
    let last_success = SUCCESS.find_iter(text).last().map(|found| found.start());
    let last_failure = FAILURE.find_iter(text).last().map(|found| found.end());
    last_success.is_some_and(|success| last_failure.is_none_or(|failure| success >= failure))
}

/// Whether the text tells of a failure and of success behind it, in so many words: then what was quoted on the way is no cause.
#[must_use]
pub fn recovers(text: &str) -> bool {
    let last_failure = FAILURE.find_iter(text).last().and_then(|failure| text.get(failure.end()..));
    last_failure.is_some_and(|rest| PLAIN_SUCCESS.is_match(rest))
}

#[cfg(test)]
mod tests {
    use super::{ends_well, recovers};

    #[test]
    fn the_last_word_decides_whether_a_text_ends_well() {
        let cases = [
            ("401, then metadata, then 200 OK", true),
            ("sign-in completed", true),
            ("completed with error", false),
            ("login failed, retried, succeeded", true),
            ("succeeded, then failed", false),
            ("unsuccessful", false),
            ("nothing said", false),
        ];
        for (text, expected) in cases {
            assert_eq!(ends_well(text), expected, "{text}");
        }
    }

    #[test]
    fn what_went_wrong_on_the_way_is_no_cause_where_it_ends_well() {
        let cases = [
            ("Error POSTing (HTTP 404): Not Found. Falling back to SSE. Proxy established successfully", true),
            ("established successfully, then: Not Found", false),
            ("rejected for want of a scope. The token itself is valid.", false),
            ("exited before it completed (exit code 1)", false),
            ("successfully connected", false),
        ];
        for (text, expected) in cases {
            assert_eq!(recovers(text), expected, "{text}");
        }
    }
}
