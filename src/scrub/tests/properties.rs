//! Properties over generated texts: no panic, idempotent, linear, nothing marked survives, prose is borrowed.

use super::scrubber;
use proptest::prelude::*;
use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Instant;

static SCRUBBER: LazyLock<super::Scrubber> = LazyLock::new(scrubber);

/// Pieces that scrubbing reacts to, to be strung together at random.
const PIECES: &[&str] = &[
    "Authorization",
    "authorization",
    "Bearer",
    "Basic",
    "DPoP",
    "Digest",
    "Cookie",
    "Set-Cookie",
    "access_token",
    "refresh_token",
    "state",
    "code",
    "password",
    "api_key",
    "token",
    "key",
    "secret",
    "variable",
    "name",
    "--token",
    "-u",
    ":",
    "=",
    ": ",
    "=\"",
    "\":\"",
    "'",
    "\"",
    "\\\"",
    "\\\\\\\"",
    "%22",
    "%2522",
    "%3D",
    "%253D",
    "%26",
    "%20",
    "&quot;",
    "&amp;",
    "\\u0022",
    "\\u003d",
    "\\n",
    "\n",
    " ",
    ", ",
    ";",
    "&",
    "?",
    "#",
    "/",
    "//",
    "://",
    "@",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "{",
    "}",
    "***",
    "...",
    "…",
    "é",
    "[redacted:jwt]",
    "missing",
    "invalid",
    "the",
    "a1b2c3d4e5f6",
    "Zz9",
    "ya29.",
    "1//0",
    "4/0",
    "%2F",
    "sk-",
    "eyJ",
    "8Q~",
    "AKIA",
    "s/",
    "-----BEGIN",
    " PRIVATE KEY-----",
    "-----END",
    "==",
    "abcDEF123456789abcDEF123456789",
    "0198f3c2-7a54-7cc2-98c4-dc0c0c07398f",
    "user:",
    "=>",
    "b'",
    "u0022",
    "25",
    "3D",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_taken_and_twice_is_once(text in any::<String>()) {
        let once = SCRUBBER.scrub_text(&text).text.into_owned();
        let twice = SCRUBBER.scrub_text(&once).text;
        prop_assert_eq!(&once, &twice);
    }

    #[test]
    fn texts_made_of_telling_pieces_are_scrubbed_once(text in pieces()) {
        let once = SCRUBBER.scrub_text(&text).text.into_owned();
        let twice = SCRUBBER.scrub_text(&once).text;
        prop_assert_eq!(&once, &twice, "from {}", text);
    }

    #[test]
    fn urls_of_any_form_are_stripped_once(text in pieces()) {
        let once = SCRUBBER.strip_url(&text).text.into_owned();
        prop_assert!(!once.contains(['?', '#']));
        prop_assert_eq!(SCRUBBER.scrub_url(&once).text, once.as_str(), "from {}", text);
    }

    #[test]
    fn a_named_secret_never_survives(before in "[a-z ,.]{0,40}", after in "[a-z ,.]{0,40}", secret in "MARK[A-Za-z0-9]{8,60}", form in 0..6_usize) {
        let core = match form {
            0 => format!("Authorization: Bearer {secret}"),
            1 => format!("{{\"access_token\":\"{secret}\"}}"),
            2 => format!("client_secret={secret}&x=1"),
            3 => format!("{{\\\"refresh_token\\\":\\\"{secret}\\\"}}"),
            4 => format!("%3Fcode%3D{secret}%26state%3D{secret}"),
            _ => format!("x-api-key: {secret}"),
        };
        let text = format!("{before} {core} {after}");
        let scrubbed = SCRUBBER.scrub_text(&text);
        prop_assert!(!scrubbed.text.contains("MARK"), "{} became {}", text, scrubbed.text);
    }

    #[test]
    fn plain_prose_is_borrowed(words in prop::collection::vec("[a-zA-Z]{1,9}", 0..40)) {
        let text = words.join(" ");
        // Two words together can be a scheme and its token; nothing else in prose is telling.
        prop_assume!(!["bearer", "basic", "dpop", "token"].iter().any(|word| text.to_ascii_lowercase().contains(word)));
        prop_assert!(matches!(SCRUBBER.scrub_text(&text).text, Cow::Borrowed(_)));
    }
}

/// Texts that make a careless scanner quadratic: time must grow with the length, so twice 200 kB in a few seconds
/// even in a debug build.
#[test]
fn hostile_repetition_stays_linear() {
    let units = [
        "\\",
        "%25",
        "key=",
        "password:'no ",
        "-----BEGIN PRIVATE KEY-----",
        "a://b:c/",
        "eyJ",
        "&amp;",
        "Bearer ",
        "'token',",
        "\"state\":\"",
        "sk-",
        "--token ",
        "variable '",
        "Cookie: ",
        "a=b; ",
        "1//0",
        "%2F0",
        "Q~",
        "=",
        ":",
        "s/",
        "://",
        "x-",
    ];
    for unit in units {
        let text = unit.repeat(200_000 / unit.len());
        let started = Instant::now();
        let once = SCRUBBER.scrub_text(&text).text.into_owned();
        assert!(started.elapsed().as_secs() < 10, "{unit:?} took {:?}", started.elapsed());
        assert_eq!(SCRUBBER.scrub_text(&once).text, once, "{unit:?}");
    }
}
