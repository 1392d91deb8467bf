//! Where the inner causes of a text begin.
//!
//! Two kinds of markers: those that name a cause (`caused by`, `"message":`), and a complaint that goes on behind a
//! colon, as languages chain errors (`failed to open: no route`).

use std::sync::LazyLock;

use regex::Regex;

use super::LAYERS;

#[expect(clippy::expect_used, reason = "constant pattern, compiled by every test of this module")]
static LAYER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)(?:caused by|root cause|original error|underlying error|nested exception(?: is)?|reason given|last error)\s*:?\s+"#,
        r#"|(?-u:\b)(?:stderr|raw body|response body|body|inner error)\s*[:=]\s*"#,
        r#"|["'](?:error_description|errorSummary|message|msg|detail|details|cause|title|reason)["']\s*:\s*["']"#,
        r#"|(?-u:\b)(?:message|description|details?|reason)\s*[:=]\s*["']"#,
        r#"|(?-u:\b)error_description=["']?"#,
        r"|(?-u:\b)(?:fail(?:ed|ure)?|could not|couldn't|cannot|can't|unable to|error|rejected|refused)(?-u:\b)[^:;.]{0,80}:\s",
        r"|(?-u:\b)[a-z0-9_]{1,40}(?:error|exception):\s",
    ))
    .expect("the pattern is well formed")
});

/// Where the innermost causes of `text` begin, the innermost first; 0 where there is none.
pub fn starts_of_causes(text: &str) -> [usize; LAYERS] {
    let mut starts = [0; LAYERS];
    for found in LAYER.find_iter(text) {
        let before = text.get(..found.start()).unwrap_or("");
        // `If you see "Error 400: …"` quotes an error that may be another one.
        let is_quoted = before.ends_with(['"', '\'']) && found.as_str().ends_with(": ");
        if found.end() < text.len() && !is_quoted {
            starts = [found.end(), starts[0]];
        }
    }
    starts
}
