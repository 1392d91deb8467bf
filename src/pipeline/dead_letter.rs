//! What becomes of a record that was refused: its reason, its position and a scrubbed excerpt. Never the raw bytes.

use bytes::Bytes;
use chrono::DateTime;

use super::batch::Sealed;
use super::budget::RECORD_OVERHEAD;
use crate::decode::DecodeError;
use crate::event::KafkaPosition;
use crate::scrub::Scrubber;
use crate::store::{DeadLetter, Insert, Refusal, StoreError, dead_letter_rows, token};
use crate::telemetry::{BatchCounts, RecordOutcome, with_causes};

/// The code of a record whose row ClickHouse cannot take.
pub const REFUSED_BY_STORE: &str = "row_refused";

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

/// A batch of one record whose row ClickHouse refuses, as a dead letter instead. The record itself was not kept, so its
/// excerpt says where it lies; its time is that of the batch's newest record.
///
/// # Errors
/// When the dead letter cannot be encoded.
pub fn refused_row(
    sealed: Sealed,
    place: &KafkaPosition,
    scrubber: &Scrubber,
    error: &StoreError,
) -> Result<Sealed, StoreError> {
    let position = KafkaPosition { offset: sealed.range.first, index: 0, ..place.clone() };
    let refusal = Refusal {
        code: REFUSED_BY_STORE,
        field: None,
        detail: scrubber.scrub_text(&with_causes(error)).text.into_owned(),
        excerpt: "(the record was not kept; Kafka has it at this position)".to_owned(),
        record_bytes: sealed.charged.saturating_sub(RECORD_OVERHEAD),
    };
    let Sealed { range, charged, since, records, counts, inserts, .. } = sealed;
    let Some(token) = inserts.first().and_then(|insert| token::of_range(&insert.token, range.first, range.next)) else {
        return Ok(Sealed { range, inserts, counts, rows: 0, records, charged, since });
    };
    let time = counts.newest_record.unwrap_or(DateTime::UNIX_EPOCH);
    let mut refused = BatchCounts::default();
    refused.record(RecordOutcome::Refused, time);
    refused.dead_letter(refusal.code);
    let body = dead_letter_rows::encode(&[DeadLetter::new(refusal, &position, time)])?;
    let insert =
        Insert { table: "dead_letters", format: "JSONEachRow", body: Bytes::from(body), token: format!("{token}:dlq") };
    Ok(Sealed { range, inserts: vec![insert], counts: refused, rows: 1, records, charged, since })
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
