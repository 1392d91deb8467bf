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
    "\"\"",
    "+",
    "%2B",
    "\\x5C\\x22",
    "token ",
    " is ",
    "-p",
    "-b",
    "value",
    "<key>",
    "</key>",
    "string",
    "\u{1b}[0m",
    "a@b.example",
    "hooks.slack.com/services/",
    "thin:",
    "@tcp(",
    "| ",
    "_PROD",
    "Some(",
    "<<",
    ">>",
    "JQQJ99",
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

/// A small generator (Marsaglia's xorshift), faster than proptest's.
struct Fast(u64);

impl Fast {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % below
    }
}

/// Ten million texts of telling pieces and of any bytes: no panic, and scrubbed text passes unchanged.
#[test]
#[ignore = "takes minutes: run it in release, after a change of the scanner"]
fn ten_million_texts() {
    let mut random = Fast(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::new();
    for case in 0..10_000_000 {
        bytes.clear();
        for _ in 0..random.next(10) + 1 {
            match random.next(8) {
                0 => bytes.extend((0..random.next(6)).map(|_| u8::try_from(random.next(256)).expect("a byte"))),
                _ => bytes.extend_from_slice(PIECES[random.next(PIECES.len())].as_bytes()),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let once = SCRUBBER.scrub_text(&text).text;
        let twice = SCRUBBER.scrub_text(&once).text;
        assert_eq!(once, twice, "case {case}: {text:?}");
    }
}

#[test]
fn any_letter_a_million_times_and_nested_escapes_stay_linear() {
    let mut texts: Vec<String> = (1..128_u8).map(|byte| char::from(byte).to_string().repeat(200_000)).collect();
    texts.push(format!("{{\"token\":{}\"a1b2c3d4\"}}", "\\".repeat(10_000)));
    texts.push(format!("%{}22token%3Da1b2c3d4", "25".repeat(10_000)));
    texts.push(format!("&{}quot;token=a1b2c3d4", "amp;".repeat(10_000)));
    texts.push("[".repeat(10_000) + "token=a1b2c3d4");
    for text in texts {
        let started = Instant::now();
        let once = SCRUBBER.scrub_text(&text).text.into_owned();
        assert!(started.elapsed().as_secs() < 10, "{:?} took {:?}", &text[..9], started.elapsed());
        assert_eq!(SCRUBBER.scrub_text(&once).text, once);
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
        "%2525",
        "\\u0022",
        "\\x5C\\x22",
        "&#34;",
        "\"\"",
        "=3D",
        "+%20",
        "@",
        "a@b.example ",
        "<a b=\"c\">",
        "token '",
        "key \"a",
        "api_keys=['a', ",
        "{\"name\":\"token\",\"value\":\"",
        "name=\"token\"\n\n",
        "Authorization: Digest a=b, ",
        "password='[",
        "-p x ",
        "mysql -p",
        "\u{1b}[0m",
        "key%5B%5D=1&token=a1b2c3d4e5f6%26",
        "https://hooks.slack.com/services/",
        "thin:a/",
        "password: |\n  ",
    ];
    for unit in units {
        let text = unit.repeat(200_000 / unit.len());
        let started = Instant::now();
        let once = SCRUBBER.scrub_text(&text).text.into_owned();
        assert!(started.elapsed().as_secs() < 10, "{unit:?} took {:?}", started.elapsed());
        assert_eq!(SCRUBBER.scrub_text(&once).text, once, "{unit:?}");
    }
}
