//! Scrubbing a stream of lines, where one secret (a PEM private key, a wrapped token) may be spread over several of them.
//!
//! Gives one line for each line. Does no I/O.

use super::{Removal, Scrubbed, Scrubber, SecretKind};
use super::{pem, wrapped};
use std::borrow::Cow;

/// A line that ends in a secret and is shorter than this is not wrapped, in bytes.
const WRAPPED_LINE: usize = 60;

/// Longest tail of base64 that a line inside a key must have to be seen behind a log prefix.
const BODY_TAIL: usize = 32;

/// Remembers from line to line whether a private key or a wrapped token goes on.
#[derive(Debug)]
pub struct LineScrubber<'s> {
    scrubber: &'s Scrubber,
    in_private_key: bool,
    /// What the last line ended with, when that may go on.
    wraps: Option<SecretKind>,
}

impl<'s> LineScrubber<'s> {
    /// Begins outside any key.
    #[must_use]
    pub const fn new(scrubber: &'s Scrubber) -> Self {
        Self { scrubber, in_private_key: false, wraps: None }
    }

    /// Scrubs the next line, given without its line break.
    pub fn scrub_line<'t>(&mut self, line: &'t str) -> Scrubbed<'t> {
        let goes_on = self.wraps.take().filter(|_| wrapped::goes_on(line.trim().as_bytes()));
        let scrubbed = match goes_on {
            Some(kind) => self.with_removed(kind, "", ""),
            None if self.in_private_key => self.inside_key(line),
            None => self.scrubber.scrub_text(line),
        };
        let ends_in_secret = line.len() >= WRAPPED_LINE && scrubbed.text.ends_with(']');
        let last = scrubbed.removals.last().map(|removal| removal.kind);
        self.wraps = last.filter(|kind| {
            let is_last = scrubbed.text.ends_with(&format!("[redacted:{kind}]"));
            *kind != SecretKind::PemPrivateKey && ((ends_in_secret && is_last) || goes_on.is_some())
        });
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
            return self.with_removed(SecretKind::PemPrivateKey, "", &line[end..]);
        }
        let content = line.trim();
        if content.is_empty() {
            return Scrubbed { text: Cow::Borrowed(line), removals: Vec::new(), email_hashes: Vec::new() };
        }
        if content.bytes().all(is_base64) || is_header(content) {
            return self.with_removed(SecretKind::PemPrivateKey, "", "");
        }
        let tail = content.bytes().rev().take_while(|byte| is_base64(*byte)).count();
        if tail >= BODY_TAIL {
            return self.with_removed(SecretKind::PemPrivateKey, &content[..content.len() - tail], "");
        }
        self.in_private_key = false;
        self.scrubber.scrub_text(line)
    }

    /// `[redacted:kind]` between two scrubbed rests of a line.
    fn with_removed(&self, kind: SecretKind, before: &str, after: &str) -> Scrubbed<'static> {
        let before = self.scrubber.scrub_text(before);
        let after = self.scrubber.scrub_text(after);
        let text = format!("{}[redacted:{kind}]{}", before.text, after.text);
        let removal = Removal { kind, value_fingerprint: None };
        let removals = before.removals.into_iter().chain([removal]).chain(after.removals).collect();
        let email_hashes = before.email_hashes.into_iter().chain(after.email_hashes).collect();
        Scrubbed { text: Cow::Owned(text), removals, email_hashes }
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
