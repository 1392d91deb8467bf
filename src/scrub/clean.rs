//! Texts that need no scan: ids of a shape that holds no secret, short texts without a trigger, texts seen lately.
//!
//! All three only spare work: what they call clean, a scan would leave as it is, which property tests hold them to.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use super::prefilter::has_trigger;
use super::runs::SHORTEST_RUN;

/// Longest text that is remembered, in bytes: names, addresses and user agents are shorter.
const LONGEST: usize = 256;

/// Whether the text is an id that no scan finds a secret in: lower-case hexadecimal digits, a UUID of them (RFC 9562
/// §4), or a fingerprint of ours. No vendor's prefix, scheme or name consists of such digits.
pub(super) fn is_plain_id(text: &[u8]) -> bool {
    if let Ok(uuid) = <&[u8; 36]>::try_from(text)
        && [uuid[8], uuid[13], uuid[18], uuid[23]] == *b"----"
    {
        return uuid.iter().fold(0_u8, |dashes, byte| dashes + u8::from(!is_digit(*byte))) == 4;
    }
    let digits = text.strip_prefix(b"hmac-sha256:").unwrap_or(text);
    digits.iter().all(|byte| is_digit(*byte))
}

/// Whether a byte is a lower-case hexadecimal digit; `|` so that there is no branch.
const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() | (byte.wrapping_sub(b'a') < 6)
}

/// Whether a text is too short for a vendor's shape, has nothing by which a secret is known by its place, and no e-mail
/// address.
pub(super) fn is_short_and_clean(text: &[u8]) -> bool {
    text.len() < SHORTEST_RUN && !text.contains(&b'@') && !has_trigger(&window_of(text))
}

/// The text, shorter than [`SHORTEST_RUN`], filled up with zeros. Two overlapping halves, because copying an unknown
/// number of bytes is a call.
fn window_of(text: &[u8]) -> [u8; SHORTEST_RUN + 3] {
    let low = |bytes: &[u8]| match (bytes.first_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(eight), _, _) => u64::from_le_bytes(*eight),
        (None, Some(first), Some(last)) => {
            let shift = (bytes.len() - 4) * 8;
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << shift
        }
        _ => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let high = match text.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last).checked_shr(((16 - text.len()) * 8).try_into().unwrap_or(u32::MAX)),
        None => None,
    };
    let mut window = [0; SHORTEST_RUN + 3];
    window[..8].copy_from_slice(&low(text).to_le_bytes());
    window[8..16].copy_from_slice(&high.unwrap_or(0).to_le_bytes());
    window
}

/// Texts in which lately no secret was found: one place for each of some hashes, the latest text stays.
pub(super) struct CleanTexts {
    /// A power of two of places.
    places: Box<[Option<Box<str>>]>,
}

impl CleanTexts {
    /// Room for `2^bits` texts.
    pub(super) fn new(bits: u32) -> Self {
        Self { places: vec![None; 1 << bits].into_boxed_slice() }
    }

    fn place_of(&self, text: &str) -> usize {
        let hash = FxBuildHasher.hash_one(text.as_bytes());
        usize::try_from(hash & (self.places.len() as u64 - 1)).unwrap_or(0)
    }

    /// Whether the text was found clean before.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.places[self.place_of(text)].as_deref() == Some(text)
    }

    /// Remembers a text that was found clean; one of unusual length is not worth the room.
    pub(super) fn insert(&mut self, text: &str) {
        if text.len() <= LONGEST {
            let place = self.place_of(text);
            self.places[place] = Some(Box::from(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CleanTexts, is_plain_id, is_short_and_clean, window_of};
    use crate::scrub::runs::SHORTEST_RUN;
    use crate::scrub::scan::{Tables, find_all};
    use crate::scrub::shapes::SHAPES;

    #[test]
    fn no_vendors_prefix_can_begin_an_id() {
        for shape in SHAPES {
            let digits = shape.prefix.bytes().take_while(|byte| super::is_digit(*byte)).count();
            let goes_on_as_uuid = [4, 8].contains(&digits) && shape.prefix[digits..].starts_with('-');
            assert!(digits < shape.prefix.len() && !goes_on_as_uuid, "{}", shape.prefix);
        }
    }

    #[test]
    fn ids_are_known_by_their_shape() {
        for id in ["0198f3c2-7a54-7cc2-98c4-dc0c0c07398f", "hmac-sha256:b0344c61d8db3853", "00f067aa0ba902b7", ""] {
            assert!(is_plain_id(id.as_bytes()), "{id}");
        }
        for other in [
            "0198f3c2-7a54-7cc2-98c4-dc0c0c07398g",
            "0198f3c2-7a54-7cc2-98c4--c0c0c07398f",
            "B0344C",
            "hmac-sha256:x",
            "gw-1",
        ] {
            assert!(!is_plain_id(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_window_is_the_text_and_zeros() {
        for length in 0..SHORTEST_RUN {
            let text = &b"abcdefghijklmno"[..length];
            let window = window_of(text);
            assert_eq!(&window[..length], text);
            assert!(window[length..].iter().all(|byte| *byte == 0), "{length}: {window:?}");
        }
    }

    #[test]
    fn the_latest_text_of_a_place_is_remembered() {
        let mut texts = CleanTexts::new(0);
        texts.insert("a");
        assert!(texts.contains("a") && !texts.contains("b"));
        texts.insert("b");
        assert!(texts.contains("b") && !texts.contains("a"));
        texts.insert(&"x".repeat(257));
        assert!(texts.contains("b"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_id_holds_no_secret(id in "[0-9a-f]{1,64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|hmac-sha256:[0-9a-f]{0,40}|[abef]{8}-[abef]{4}-[abef]{4}-[abef]{4}-[abcdef]{12}") {
            prop_assert!(is_plain_id(id.as_bytes()));
            prop_assert!(find_all(&Tables::new(), id.as_bytes()).is_empty());
        }

        #[test]
        fn a_short_text_without_triggers_holds_no_secret(text in "([a-zA-Z0-9 ,._/-]{0,14}|.{0,14}|(key|pass|token|sk-|:|=|--|-u|s/|https|Bearer|a1|ya29\\.|@|%3D){1,6})") {
            if is_short_and_clean(text.as_bytes()) {
                prop_assert!(find_all(&Tables::new(), text.as_bytes()).is_empty());
            }
        }
    }
}
