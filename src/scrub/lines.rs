//! Scrubbing a stream of lines, where one secret (a PEM private key) may be spread over several of them.
//!
//! Gives one line for each line. Does no I/O.

use super::pem;
use super::{Removal, Scrubbed, Scrubber, SecretKind};
use std::borrow::Cow;

/// Longest tail of base64 that a line inside a key must have to be seen behind a log prefix.
const BODY_TAIL: usize = 32;

/// Remembers from line to line whether a private key goes on.
#[derive(Debug)]
pub struct LineScrubber<'s> {
    scrubber: &'s Scrubber,
    in_private_key: bool,
}

impl<'s> LineScrubber<'s> {
    /// Begins outside any key.
    #[must_use]
    pub const fn new(scrubber: &'s Scrubber) -> Self {
        Self { scrubber, in_private_key: false }
    }

    /// Scrubs the next line, given without its line break.
    pub fn scrub_line<'t>(&mut self, line: &'t str) -> Scrubbed<'t> {
        let scrubbed = if self.in_private_key { self.inside_key(line) } else { self.scrubber.scrub_text(line) };
        // A block that is complete on one line has been replaced, so a beginning that is left is an open one.
        if opens_key(&scrubbed.text) {
            self.in_private_key = true;
        }
        scrubbed
    }

    /// A line that may belong to a private key.
    fn inside_key<'t>(&mut self, line: &'t str) -> Scrubbed<'t> {
        if let Some(footer) = line.find("-----END") {
            self.in_private_key = false;
            let end = line.ceil_char_boundary(pem::footer_end(line.as_bytes(), footer));
            return self.with_key_removed("", &line[end..]);
        }
        let content = line.trim();
        if content.is_empty() {
            return Scrubbed { text: Cow::Borrowed(line), removals: Vec::new() };
        }
        if content.bytes().all(is_base64) || is_header(content) {
            return self.with_key_removed("", "");
        }
        let tail = content.bytes().rev().take_while(|byte| is_base64(*byte)).count();
        if tail >= BODY_TAIL {
            return self.with_key_removed(&content[..content.len() - tail], "");
        }
        self.in_private_key = false;
        self.scrubber.scrub_text(line)
    }

    /// `[redacted:pem_private_key]` between two scrubbed rests of a line.
    fn with_key_removed(&self, before: &str, after: &str) -> Scrubbed<'static> {
        let before = self.scrubber.scrub_text(before);
        let after = self.scrubber.scrub_text(after);
        let kind = SecretKind::PemPrivateKey;
        let text = format!("{}[redacted:{kind}]{}", before.text, after.text);
        let removal = Removal { kind, value_fingerprint: None };
        let removals = before.removals.into_iter().chain([removal]).chain(after.removals).collect();
        Scrubbed { text: Cow::Owned(text), removals }
    }
}

/// Whether a private key begins on the line and does not end on it.
fn opens_key(text: &str) -> bool {
    let Some(begin) = text.rfind("-----BEGIN") else {
        return false;
    };
    pem::header_end(text.as_bytes(), begin).is_some() && !text[begin..].contains("-----END")
}

/// Letters of base64.
const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// A header of an old-style block (RFC 1421 §4.6).
fn is_header(line: &str) -> bool {
    ["Proc-Type:", "DEK-Info:", "Comment:", "Version:"].iter().any(|name| line.starts_with(name))
}
