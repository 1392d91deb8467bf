//! Takes the quotes off names of parameters and claims in prose, so that `unexpected "aud" claim` reads like
//! `unexpected aud claim`.
//!
//! Other quotes stay: what stands in them is a name of somebody or something, or data.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Names of OAuth parameters (IANA "OAuth Parameters"), JWT claims (RFC 7519 §4.1, RFC 9068 §2.2) and header members (RFC
/// 7515 §4.1), behind a word and before the end of a word.
#[expect(clippy::expect_used, reason = "constant pattern, compiled by every test of this module")]
static QUOTED_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let names = concat!(
        "aud(?:ience)?|iss(?:uer)?|sub(?:ject)?|exp|nbf|iat|jti|azp|kid|alg|hd|tid|oid|scopes?|scp|roles?|groups|state|nonce|code",
        "|resource|redirect_ur[il]s?|client_(?:id|secret|assertion)|code_(?:verifier|challenge|challenge_method)|grant_types?",
        "|response_types?|(?:refresh|access|id|subject|actor)_token|token_endpoint|authorization_endpoint|registration_endpoint",
    );
    let quoted = format!("(?i-u)([A-Za-z0-9] )(?:\"({names})\"|'({names})'|`({names})`)([ .,;:)]|$)");
    Regex::new(&quoted).expect("the pattern is well formed")
});

/// The line without quotes around such names.
pub fn without_quotes(line: &str) -> Cow<'_, str> {
    QUOTED_NAME.replace_all(line, "${1}${2}${3}${4}${5}")
}

#[cfg(test)]
mod tests {
    use super::without_quotes;

    #[test]
    fn quotes_come_off_names_of_the_protocol_in_prose_and_stay_on_everything_else() {
        let cases = [
            (r#"unexpected "aud" claim"#, "unexpected aud claim"),
            ("the 'redirect_uri' is not ours, nor is `state`.", "the redirect_uri is not ours, nor is state."),
            (r#"{"error": "invalid_scope", "aud": 1}"#, r#"{"error": "invalid_scope", "aud": 1}"#),
            ("server 'wiki' of the user's own", "server 'wiki' of the user's own"),
            (r#"says "scope creep" twice"#, r#"says "scope creep" twice"#),
        ];
        for (line, plain) in cases {
            assert_eq!(without_quotes(line), plain, "{line}");
        }
    }
}
