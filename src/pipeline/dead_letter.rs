//! What becomes of a record that was refused: its reason, its position and a scrubbed excerpt. Never the raw bytes.

use crate::decode::DecodeError;
use crate::scrub::Scrubber;
use crate::store::Refusal;

/// Longest excerpt, in characters.
const EXCERPT_CHARACTERS: usize = 1_000;

/// How much of a record is scrubbed for the excerpt, in bytes: far more than is kept, so that a secret cut in two by this
/// bound lies outside of what is kept.
const LOOKED_AT_BYTES: usize = 16_384;

/// The refusal of a record.
#[must_use]
pub fn refuse(error: &DecodeError, value: Option<&[u8]>, scrubber: &Scrubber) -> Refusal {
    let value = value.unwrap_or_default();
    let scrubbed = |text: &str| scrubber.scrub_text(text).text.into_owned();
    Refusal {
        code: error.code(),
        field: error.field().map(scrubbed),
        detail: scrubbed(&error.to_string()),
        excerpt: excerpt(value, scrubber),
        record_bytes: value.len(),
    }
}

fn excerpt(value: &[u8], scrubber: &Scrubber) -> String {
    let looked_at = &value[..value.len().min(LOOKED_AT_BYTES)];
    let text = String::from_utf8_lossy(looked_at);
    let scrubbed = scrubber.scrub_text(&text).text;
    scrubbed.chars().take(EXCERPT_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::{EXCERPT_CHARACTERS, refuse};
    use crate::decode::DecodeError;
    use crate::scrub::{FingerprintKey, Scrubber};

    #[test]
    fn the_excerpt_is_short_and_without_secrets() {
        let scrubber = Scrubber::new(FingerprintKey::new(b"test"));
        let secret = ["Bearer", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"].join(" ");
        let record = format!("{{\"headers\":\"Authorization: {secret}\",\"rest\":\"{}", "x".repeat(50_000));
        let refusal = refuse(&DecodeError::NotAnObject, Some(record.as_bytes()), &scrubber);
        assert!(!refusal.excerpt.contains("eyJhbGci"), "{}", refusal.excerpt);
        assert_eq!(refusal.excerpt.chars().count(), EXCERPT_CHARACTERS);
        assert_eq!((refusal.code, refusal.record_bytes), ("not_an_object", record.len()));
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_far_as_they_are() {
        let scrubber = Scrubber::new(FingerprintKey::new(b"test"));
        let refusal = refuse(&DecodeError::NotUtf8 { valid_up_to: 2 }, Some(b"ab\xff\xfecd"), &scrubber);
        assert_eq!(refusal.excerpt, "ab\u{fffd}\u{fffd}cd");
    }
}
