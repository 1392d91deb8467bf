//! What a text says by its structure, whatever rules there are: OAuth code, HTTP status, JSON-RPC code, failed step.
//!
//! Each search looks first for what it cannot do without, because most texts have none of it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::{Captures, Regex};

use super::facts::Step;

/// A constant pattern, compiled once; the tests of this module compile each of them.
macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("the pattern is well formed"));
    };
}

pattern!(
    KNOWN_CODE,
    concat!(
        r"(?i)\b(invalid_(?:request|client|grant|scope|target|token|redirect_uri|client_metadata|software_statement|dpop_proof)",
        r"|unauthorized_client|unsupported_(?:grant|response)_type|access_denied|insufficient_scope|insufficient_user_authentication",
        r"|interaction_required|login_required|consent_required|account_selection_required|server_error|temporarily_unavailable)\b"
    )
);
// A provider's own code where an OAuth code would stand: `"error":"missing_scope"`, `errorCode: 'X_Y'`, `error=x_y`.
pattern!(
    PROVIDER_CODE,
    r#"(?i)(?:(?:\b|_)error(?:_?code)?|"(?:status|code|category|reason|\.tag)"|\berror ?reason)["']?\s*[:=]\s*["']?([a-z]{2,30}(?:_[a-z0-9]{1,30}){1,6})(?:["'&,;}\s]|$)"#
);
pattern!(
    SAID_STATUS,
    concat!(
        r#"(?i)(?:\bhttp(?:/[\d.]+)?(?: error)?|\bstatus(?:[ _-]?code)?["']?|\berror(?: code)?|["']code["']|\breturned(?: an?)?(?: http)?|\bresponded with(?: status)?|\bgot|\bfailed(?: with)?|\banswered(?: with)?|\bindicate success)"#,
        r#"[ =:("']{1,3}([45]\d\d)\b"#,
        r"|\b(?:error|failed|failure)\b[^.;{]{0,120}: ([45]\d\d)\b",
        r"|\b([45]\d\d)[ :-]{1,3}(?:unauthorized|forbidden|not found|gone|bad request|bad gateway|service unavailable|gateway time-?out|too many|internal server|misdirected|conflict|unprocessable|method not)",
    )
);
pattern!(
    SAID_RPC_CODE,
    r#"(?i)(?:["']?code["']?\s*[:=]\s*|mcp error |json-?rpc (?:error )?(?:code )?|\berror |^\W{0,3})\(?(-32\d{3})\b"#
);

/// The OAuth code named in a text: the last one in `error=` or `"error":` position, else the first one named at all,
/// else a provider's own.
pub fn code_in(said: &str) -> Option<&str> {
    // Each code has one; most texts have none.
    if !said.contains('_') {
        return None;
    }
    let mut first = None;
    let mut last_in_place = None;
    for found in KNOWN_CODE.find_iter(said) {
        let before = said.get(..found.start()).unwrap_or("").trim_end_matches(['"', '\'', ' ', ':', '=']);
        if before.ends_with("error") {
            last_in_place = Some(found.as_str());
        }
        first = first.or(Some(found.as_str()));
    }
    let providers_own = || Some(PROVIDER_CODE.captures_iter(said).last()?.get(1)?.as_str());
    last_in_place.or(first).or_else(providers_own)
}

/// The status named last in a text.
pub fn status_in(said: &str) -> Option<u16> {
    let has_status = said
        .as_bytes()
        .windows(3)
        .any(|three| matches!(three[0], b'4' | b'5') && three[1].is_ascii_digit() && three[2].is_ascii_digit());
    if !has_status {
        return None;
    }
    let number = |captures: &Captures<'_>| {
        captures.iter().skip(1).flatten().next().and_then(|digits| digits.as_str().parse().ok())
    };
    SAID_STATUS.captures_iter(said).filter_map(|captures| number(&captures)).last()
}

/// The JSON-RPC error code named last in a text.
pub fn rpc_code_in(said: &str) -> Option<i64> {
    if !said.contains("-32") {
        return None;
    }
    SAID_RPC_CODE.captures_iter(said).filter_map(|captures| captures.get(1)?.as_str().parse().ok()).last()
}

// How a text says which step failed: the step's name and that it failed, in this order or the other.
pattern!(
    REFRESH,
    concat!(
        r"(?i)\b(?:tokens?|credentials?|oauth|grant|session) refresh(?:ing)?\b[^.;]{0,40}\b(?:fail(?:ed|ure)?|error|rejected|refused|denied)\b",
        r"|\brefresh(?:ing)?(?: \w+){0,3} (?:tokens?|credentials?|grant)\b[^.;]{0,30}\b(?:failed|failure|rejected|refused|denied)\b",
        r"|\b(?:failed|failure|unable|could not|cannot|couldn't|can't|error)\b[^.;:]{0,20}\brefresh(?:ing)?\b[^.;:]{0,30}\b(?:tokens?|credentials?|grant|session|authori[sz]ation)\b",
        r"|\brefresh_token_error\b|\bgrant_type=refresh_token\b|\brefresherror\b",
    )
);
pattern!(
    REGISTRATION,
    concat!(
        r"(?i)\b(?:client|dynamic|dcr) registration\b[^.;]{0,40}\b(?:fail(?:ed|ure)?|error|rejected|refused|denied|unsuccessful)\b",
        r"|\b(?:failed|unable|could not|cannot|couldn't|error)\b[^.;:]{0,20}\b(?:dynamically )?regist(?:er|ering|ration)\b[^.;:]{0,25}\b(?:client|application)\b",
        r"|\b[45]\d\d (?:while |when |trying to )?register(?:ing)?\b[^.;]{0,25}\b(?:client|application)\b",
        r"|\bclient_register_error\b",
    )
);
pattern!(
    DISCOVERY,
    concat!(
        r"(?i)\b(?:oauth|authori[sz]ation server|protected resource|openid|oidc|issuer)( \w+)? (?:metadata|configuration|discovery)( \w+)? (?:failed|failure|error)\b",
        r"|\b(?:failed|unable|could not|cannot|couldn't|error)\b[^.;:]{0,20}\b(?:discover|discovering|fetch|fetching|load|loading|retrieve)\b[^.;:]{0,30}\b(?:metadata|openid|well-known|authori[sz]ation server)\b",
        r"|\b[45]\d\d (?:trying to )?(?:load|fetch)(?:ing)?\b.{0,20}\b(?:metadata|well-known)\b",
    )
);
pattern!(
    TOKEN,
    concat!(
        r"(?i)\b(?:token|code) exchange\b[^.;]{0,30}\b(?:fail(?:ed|ure)?|error|rejected|refused|denied)\b",
        r"|\b(?:failed|unable|could not|cannot|couldn't|error)\b[^.;:]{0,12}\bexchang(?:e|ing)\b[^.;:]{0,30}\b(?:code|tokens?)\b",
        r"|\bcode_to_token_error\b|\bgrant_type=authorization_code\b",
    )
);

/// A word without which a text says nothing of a step, and the step.
const STEP_WORDS: [(&str, Step); 8] = [
    ("refresh", Step::Refresh),
    ("regist", Step::Registration),
    ("exchang", Step::Token),
    ("code_to_token", Step::Token),
    ("grant_type", Step::Token),
    ("metadata", Step::Discovery),
    ("discover", Step::Discovery),
    ("well-known", Step::Discovery),
];

static STEP_WORD: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder().ascii_case_insensitive(true).build(STEP_WORDS.iter().map(|(word, _)| word)).ok()
});

/// The step that a text says failed; of several the first of [`STEP_WORDS`].
pub fn step_in(said: &str) -> Option<Step> {
    let mut is_named = [false; STEP_WORDS.len()];
    for found in STEP_WORD.iter().flat_map(|words| words.find_overlapping_iter(said)) {
        is_named[found.pattern().as_usize()] = true;
    }
    let pattern_of = |step: Step| match step {
        Step::Refresh => &*REFRESH,
        Step::Registration => &*REGISTRATION,
        Step::Token => &*TOKEN,
        _ => &*DISCOVERY,
    };
    let mut named = STEP_WORDS.iter().zip(is_named).filter(|(_, is_named)| *is_named).map(|((_, step), _)| *step);
    named.find(|step| pattern_of(*step).is_match(said))
}

#[cfg(test)]
mod tests {
    use super::{code_in, rpc_code_in, status_in, step_in};
    use crate::classify::facts::Step;

    #[test]
    fn an_oauth_code_is_found_in_text() {
        let cases = [
            (r#"{"error":"invalid_grant","hint":"not invalid_client"}"#, Some("invalid_grant")),
            ("refused: invalid_scope, see the manual", Some("invalid_scope")),
            ("https://c.example/#error=access_denied&x=1", Some("access_denied")),
            (r#"{"ok":false,"error":"no_such_room"}"#, Some("no_such_room")),
            (r#"{"vendor_error_code": "no_such_room"}"#, Some("no_such_room")),
            (r#"{"errorCode": "API_OFF_FOR_ORG"}"#, Some("API_OFF_FOR_ORG")),
            ("invalid_granted", None),
            ("error: some_file.py is gone", None),
        ];
        for (text, code) in cases {
            assert_eq!(code_in(text), code, "{text}");
        }
    }

    #[test]
    fn a_status_is_found_in_text_and_the_last_one_counts() {
        let cases = [
            ("(HTTP 403): no", Some(403)),
            ("HTTP/1.1 401 Unauthorized", Some(401)),
            ("got 502 Bad Gateway, then status code: 404", Some(404)),
            ("{'code': 403}", Some(403)),
            ("port 443, id 404123", None),
            ("status=200", None),
            ("Error sending the message: 404", Some(404)),
            ("the answer: 404", None),
        ];
        for (text, status) in cases {
            assert_eq!(status_in(text), status, "{text}");
        }
    }

    #[test]
    fn a_json_rpc_code_is_found_in_text() {
        assert_eq!(rpc_code_in(r#"{"code":-32602,"message":"x"}"#), Some(-32602));
        assert_eq!(rpc_code_in("MCP error -32001: x"), Some(-32001));
        assert_eq!(rpc_code_in("-32001: x"), Some(-32001));
        assert_eq!(rpc_code_in("minus 32602"), None);
    }

    #[test]
    fn a_text_says_which_step_failed() {
        let cases = [
            ("OAuth token refresh failed: no", Some(Step::Refresh)),
            ("could not refresh the access token", Some(Step::Refresh)),
            ("refreshing the list of tools failed", None),
            ("Dynamic client registration was rejected", Some(Step::Registration)),
            ("unable to register the OAuth client", Some(Step::Registration)),
            ("tool registration failed", None),
            ("failed to exchange the code for tokens", Some(Step::Token)),
            ("token exchange failed (400)", Some(Step::Token)),
            ("failed to load authorization server metadata", Some(Step::Discovery)),
            ("error during discovery of tools", None),
        ];
        for (text, step) in cases {
            assert_eq!(step_in(text), step, "{text}");
        }
    }
}
