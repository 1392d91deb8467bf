//! Any text at all is unwrapped and classified: no panic, nothing made up, bounded work.
//!
//! The short run belongs to every test run; the long one is asked for by name, in a release build:
//! `cargo test --release --lib -- --ignored ten_million_texts`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::testing::CLASSIFIER;
use super::unwrap::{LAYERS, unwrap};
use super::{Class, Phase, TextCase};
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;

/// What texts are put together from: what wrapping is made of, words that rules know, bytes that break things.
const PIECES: &[&str] = &[
    "\\",
    "\\\\\\\"",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    ",",
    ".",
    ";",
    "%25",
    "%",
    "%2",
    "%ff",
    "+",
    "&amp;",
    "&quot;",
    "&",
    "<",
    ">",
    "</",
    "<html>",
    "<style>",
    "<!doctype html>",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\\n",
    "\\u0022",
    "\\ud800",
    "\\u00",
    "\\x",
    "\\xff",
    "é",
    "€",
    "🔑",
    "\u{202e}",
    "\u{fffd}",
    " caused by: ",
    "\"message\":\"",
    "error_description=",
    "File \"a\", line 1, in f\n",
    "    at f (x.js:1:1)\n",
    "The above exception was the direct cause of the following exception:",
    "data: ",
    "failed: ",
    "Error: ",
    "could not ",
    "error=",
    "\"error\":\"",
    "invalid_grant",
    "invalid_client",
    "access_denied",
    "AADSTS",
    "65001",
    "E0000047",
    "401",
    "403",
    "HTTP 503",
    "-32603",
    "\"code\":",
    "refresh token",
    "client",
    "scope",
    "redirect_uri",
    "resource",
    "audience",
    "session",
    "not found",
    "expired",
    "revoked",
    "missing",
    "unauthorized",
    "metadata",
    "https://a.example/mcp",
    "http://10.0.0.1",
    "https://",
    "timed out",
    "rate limit",
    "success",
    "completed",
    " ",
    "  ",
    "x",
    "_",
    "-",
];

fn random_text(random: &mut ChaCha8Rng, text: &mut String) {
    text.clear();
    let pieces = random.next_u32() % 24;
    for _ in 0..pieces {
        let choice = random.next_u32();
        if choice % 8 == 0 {
            let bytes = random.next_u64().to_le_bytes();
            text.push_str(&String::from_utf8_lossy(&bytes));
        } else {
            text.push_str(PIECES[choice as usize / 8 % PIECES.len()]);
        }
    }
    // Now and then one that is longer than what is looked at.
    if random.next_u32() % 20_000 == 0 {
        let whole = text.repeat(40_000 / text.len().max(1) + 1);
        text.push_str(&whole);
    }
}

fn classify_random_texts(seed: u64, cases: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut case = TextCase::of("");
    for _ in 0..cases {
        random_text(&mut random, &mut case.message);
        let choice = random.next_u32();
        case.phase =
            Phase::KNOWN.iter().copied().chain([Phase::Unknown]).nth(choice as usize % 8).unwrap_or(Phase::Unknown);
        case.hop = [Hop::Unknown, Hop::Upstream, Hop::Downstream, Hop::Internal][choice as usize / 8 % 4];
        case.http_status = [None, None, Some(401), Some(403), Some(404), Some(500)][choice as usize / 32 % 6];
        case.oauth_error = (choice % 97 == 0).then(|| "invalid_grant".to_owned());

        let unwrapped = unwrap(&case.message, None);
        assert!(unwrapped.text.len() <= 64 * 1024, "{:?}", case.message);
        for depth in 0..LAYERS {
            assert!(unwrapped.inner(depth).is_none_or(|inner| unwrapped.text.ends_with(inner)), "{:?}", case.message);
        }
        let event = case.as_event();
        let verdict = CLASSIFIER.classify(&event);
        let has_rule = !matches!(verdict.rule, "none" | "unclassified");
        assert!(has_rule || matches!(verdict.class, Class::None | Class::Unclassified), "{:?}", case.message);
        let quoted = verdict.evidence.iter().filter(|(column, _)| *column == "message");
        for (_, words) in quoted {
            let is_said = unwrapped.text.contains(words.as_ref()) || case.message.contains(words.as_ref());
            // Codes and statuses are shown as they were read, not as they were written.
            let is_fact = words.len() <= 80 && unwrapped.text.to_ascii_lowercase().contains(words.as_ref());
            assert!(is_said || is_fact, "{words:?} in {:?}", case.message);
        }
    }
}

#[test]
fn any_text_is_classified() {
    classify_random_texts(1, 3_000);
}

#[test]
#[ignore = "ten million cases: minutes, and only in a release build"]
fn ten_million_texts_are_classified() {
    classify_random_texts(20_261_127, 10_000_000);
}
