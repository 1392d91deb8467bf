//! Secrets that go on behind a line break: base64 wrapped at 64 or 76 letters, strings that a debug print cut up.
//!
//! Only long secrets do that, and what goes on must be a line of nothing but such letters that looks generated, so that
//! a sentence or an id on the next line stays.

use super::glyph::{Writing, glyph_at};
use super::kind::SecretKind;
use super::scan::Found;
use super::words;

/// Shortest part on the first line, in bytes.
const FIRST: usize = 32;
/// Shortest part on a line in the middle, and on the last.
const MIDDLE: usize = 40;
const LAST: usize = 8;
/// Most indentation of a line that goes on, in bytes.
const MAX_INDENT: usize = 16;

/// The end of the secret with the lines it goes on with.
pub(super) fn end(bytes: &[u8], found: &Found) -> usize {
    let mut end = found.end;
    if end - found.start < FIRST || !is_wrapping(found.kind) {
        return end;
    }
    while let Some(start) = next_line(bytes, end) {
        let row = row_end(bytes, start);
        let text = &bytes[start..row];
        if !goes_on(text) || !ends_line(bytes, row) {
            break;
        }
        end = row;
        if text.len() < MIDDLE {
            break;
        }
    }
    end
}

/// Whether a line of nothing but these letters goes on with a secret from the line before.
pub(super) fn goes_on(text: &[u8]) -> bool {
    let is_letter =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'%');
    let looks_generated = words::is_mixed(text) || (text.len() >= MIDDLE && words::is_opaque(text, MIDDLE));
    text.len() >= LAST && text.iter().all(is_letter) && looks_generated && !words::is_wordlike(text)
}

/// Whether secrets of this kind are long enough to be wrapped.
const fn is_wrapping(kind: SecretKind) -> bool {
    !matches!(
        kind,
        SecretKind::State | SecretKind::Password | SecretKind::Cookie | SecretKind::DeviceCode | SecretKind::Email
    )
}

/// Where the next line's letters begin: behind a line break in any writing, with the quotes and the `+` of a string
/// that was cut up.
fn next_line(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut has_break = false;
    let mut quotes = 0;
    while at < bytes.len() && at < from + MAX_INDENT + 16 {
        let glyph = glyph_at(bytes, at);
        match glyph.byte {
            b'\n' => has_break = true,
            b'\r' | b' ' | b'\t' => {}
            b'+' if quotes == 1 && !has_break => {}
            b'=' if bytes[at..].starts_with(b"=\n") || bytes[at..].starts_with(b"=\r\n") => {}
            b'"' | b'\'' if glyph.writing == Writing::Plain => quotes += 1,
            _ => break,
        }
        at += glyph.length;
    }
    // The quote before the break may have been taken for a letter of an unfinished string.
    (has_break && quotes <= 2 && at < bytes.len()).then_some(at)
}

/// The end of the row of letters.
fn row_end(bytes: &[u8], start: usize) -> usize {
    let is_letter =
        |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'%');
    start + bytes[start..].iter().take_while(is_letter).count()
}

/// Whether the line ends behind the row: with a break, a quote, or the text.
fn ends_line(bytes: &[u8], at: usize) -> bool {
    at >= bytes.len() || matches!(glyph_at(bytes, at).byte, b'\n' | b'\r' | b'"' | b'\'' | b'<' | b',' | b')' | b'}')
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FingerprintKey, LineScrubber, Scrubber};

    fn wrapped(text: &str, width: usize, line_break: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        letters.chunks(width).map(|line| line.iter().collect::<String>()).collect::<Vec<_>>().join(line_break)
    }

    #[test]
    fn a_wrapped_secret_goes_whole() {
        let scrubber = Scrubber::new(FingerprintKey::new(b"test"));
        let body = "hbGciOiJSUzI1Ni89Aq".repeat(12);
        let secret = [["ey", "J"].concat(), body].concat();
        for width in [64, 76] {
            for line_break in ["\n", "\r\n", "\n    ", "\\n", "\\r\\n", "=\n", "' +\n  '"] {
                for place in ["Authorization: Bearer @", "{\"access_token\":\"@\"}", "token '@'", "@"] {
                    let text = wrapped(&place.replace('@', &secret), width, line_break);
                    let scrubbed = scrubber.scrub_text(&text).text;
                    let plain = scrubbed.replace("' +\n  '", "");
                    assert!(!plain.contains("bGciOiJS") && !plain.contains("1Ni89Aqh"), "{text}\n  {scrubbed}");
                }
            }
        }
    }

    #[test]
    fn what_stands_on_the_next_line_stays() {
        let scrubber = Scrubber::new(FingerprintKey::new(b"test"));
        let secret = [["ey", "J"].concat(), "hbGciOiJSUzI1Ni89Aq".repeat(4)].concat();
        for next in
            ["the next sentence", "0198f3c2-7a54-7cc2-98c4-dc0c0c07398f", "Host: mcp.example", "done", "invalid_token"]
        {
            let text = format!("token {secret}\n{next}\n");
            assert_eq!(scrubber.scrub_text(&text).text.lines().nth(1), Some(next));
        }
    }

    #[test]
    fn line_by_line_it_goes_whole_too() {
        let scrubber = Scrubber::new(FingerprintKey::new(b"test"));
        let secret = [["ey", "J"].concat(), "hbGciOiJSUzI1Ni89Aq".repeat(12)].concat();
        let text = wrapped(&format!("Authorization: Bearer {secret}"), 76, "\n");
        let mut lines = LineScrubber::new(&scrubber);
        let scrubbed: Vec<String> = text.lines().map(|line| lines.scrub_line(line).text.into_owned()).collect();
        assert!(scrubbed.iter().all(|line| !line.contains("bGciOiJS")), "{scrubbed:?}");
        assert_eq!(lines.scrub_line("a1B2c3D4 is the next").text, "a1B2c3D4 is the next");
    }
}
