//! Ids as they are stored: the usual spellings as raw bytes, every other text as it is.
//!
//! A random id hardly compresses, so its hexadecimal spelling costs twice the bytes to copy, to compress and to compare.
//! The packing can be undone without knowing what was packed: text is UTF-8 and never begins with [`ESCAPE`], so whatever
//! is as long as a UUID is one, and a text of that very length is escaped. The aliases `event_id` and `request_id` of
//! `schemas/clickhouse/0001_events` unpack in SQL; [`pack`] makes what a query compares the stored column with.

use std::borrow::Cow;

/// Stands before a text that is as long as a packed UUID; no UTF-8 text begins with this byte (RFC 3629 §3).
const ESCAPE: u8 = 0xff;
/// Bytes of a UUID (RFC 9562 §4).
const UUID_BYTES: usize = 16;
/// Where the canonical spelling of a UUID has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Where it has the two digits of each byte.
const PAIRS: [usize; UUID_BYTES] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// The stored bytes of an id: a UUID in its canonical lower-case spelling becomes 16 bytes, other text stays what it is.
/// The empty text, which is how NULL is stored, stays empty.
#[must_use]
pub fn pack(id: &str) -> Cow<'_, [u8]> {
    if let Some(uuid) = parse_uuid(id.as_bytes()) {
        return Cow::Owned(uuid.to_vec());
    }
    if id.len() == UUID_BYTES {
        return Cow::Owned([&[ESCAPE], id.as_bytes()].concat());
    }
    Cow::Borrowed(id.as_bytes())
}

/// Calls `take` with the stored bytes of an id, as [`pack`] gives them, without an allocation for a UUID.
pub fn with_packed<T>(id: &str, take: impl FnOnce(&[u8]) -> T) -> T {
    match parse_uuid(id.as_bytes()) {
        Some(uuid) => take(&uuid),
        None => take(&pack(id)),
    }
}

/// The id that these bytes were packed from; `None` for none and for bytes that no id is packed to.
#[must_use]
pub fn unpack(packed: &[u8]) -> Option<String> {
    if let Ok(uuid) = <[u8; UUID_BYTES]>::try_from(packed) {
        return Some(uuid::Uuid::from_bytes(uuid).hyphenated().to_string());
    }
    let text = packed.strip_prefix(&[ESCAPE]).unwrap_or(packed);
    std::str::from_utf8(text).ok().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The bytes behind exactly `2 N` lower-case hexadecimal digits.
#[must_use]
pub fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    let mut faults = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (hex_value(pair[0]), hex_value(pair[1]));
        faults |= high | low;
        *byte = high << 4 | low;
    }
    (faults <= 0x0f).then_some(bytes)
}

fn parse_uuid(text: &[u8]) -> Option<[u8; UUID_BYTES]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if HYPHENS.iter().any(|place| text[*place] != b'-') {
        return None;
    }
    let mut bytes = [0; UUID_BYTES];
    let mut faults = 0;
    for (byte, place) in bytes.iter_mut().zip(PAIRS) {
        let (high, low) = (hex_value(text[place]), hex_value(text[place + 1]));
        faults |= high | low;
        *byte = high << 4 | low;
    }
    (faults <= 0x0f).then_some(bytes)
}

/// 0 to 15, or 255 for what is no lower-case digit: upper case would not come back as it was.
const fn hex_value(digit: u8) -> u8 {
    const VALUES: [u8; 256] = {
        let mut values = [0xff; 256];
        let mut value = 0;
        while value < 16 {
            values[b"0123456789abcdef"[value as usize] as usize] = value;
            value += 1;
        }
        values
    };
    VALUES[digit as usize]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{pack, parse_hex, unpack, with_packed};

    #[test]
    fn only_the_canonical_spelling_of_a_uuid_is_packed() {
        for (id, length) in [
            ("0198f3c2-1234-7abc-8def-0123456789ab", 16),
            ("0198F3C2-1234-7abc-8def-0123456789ab", 36),
            ("0198f3c2_1234-7abc-8def-0123456789ab", 36),
            ("0198f3c-21234-7abc-8def-0123456789ab", 36),
            ("0198f3c21234-7abc-8def-0123456789ab-", 36),
            ("0198f3c2-1234-7abc-8def-01234567-9ab", 36),
            ("0198f3c2-1234-7abc-8def-0123456789ag", 36),
            ("0198f3c212347abc8def0123456789ab", 32),
            ("sixteen bytes ok", 17),
            ("r-1", 3),
            ("ÿÿÿÿÿÿÿÿ", 17),
        ] {
            assert_eq!(pack(id).len(), length, "{id}");
            assert_eq!(unpack(&pack(id)).as_deref(), Some(id));
            with_packed(id, |packed| assert_eq!(packed, &*pack(id)));
        }
        assert_eq!(pack("0198f3c2-1234-7abc-8def-0123456789ab")[..4], [0x01, 0x98, 0xf3, 0xc2]);
    }

    #[test]
    fn nothing_is_packed_to_nothing() {
        assert!(pack("").is_empty());
        assert_eq!(unpack(b""), None);
        assert_eq!(unpack(b"\xff\xfe"), None);
    }

    #[test]
    fn hexadecimal_digits_are_lower_case_and_all_there() {
        assert_eq!(parse_hex::<2>("0aff"), Some([0x0a, 0xff]));
        for text in ["0aF0", "0af", "0af00", "0ag0", ""] {
            assert_eq!(parse_hex::<2>(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_id_comes_back(id in "[ -~]{1,40}|\\PC{1,20}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") {
            let packed = pack(&id).into_owned();
            prop_assert_eq!(unpack(&packed), Some(id));
        }
    }
}
