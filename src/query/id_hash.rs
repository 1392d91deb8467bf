//! The hash by which the `lookup` table knows an id: ClickHouse's `sipHash64` of the id as text.

#[expect(
    deprecated,
    reason = "SipHash 2-4 with a key of zeros is what ClickHouse computes; std has no other name for it"
)]
use std::hash::{Hasher as _, SipHasher};

/// `sipHash64(id)`.
#[must_use]
#[expect(deprecated, reason = "as above")]
pub fn id_hash(id: &str) -> u64 {
    let mut hasher = SipHasher::new();
    hasher.write(id.as_bytes());
    hasher.finish()
}

/// `toUInt32(sipHash64(id))`: the lower half, enough to leave nearly all other connections of a server out.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
pub fn short_hash(id: &str) -> u32 {
    id_hash(id) as u32
}

#[cfg(test)]
mod tests {
    use super::{id_hash, short_hash};

    #[test]
    fn hashes_are_those_of_clickhouse() {
        // SELECT sipHash64('…'), toUInt32(sipHash64('…'))
        let cases = [
            ("", 2_202_906_307_356_721_367, 1_937_178_839),
            ("r", 233_329_666_533_924_104, 1_901_108_488),
            ("019aab12-3456-7abc-8def-0123456789ab", 11_801_781_200_690_918_322, 940_618_674),
            ("hmac-sha256:0123456789abcdef", 17_480_475_096_047_183_781, 4_243_875_749),
        ];
        for (id, hash, short) in cases {
            assert_eq!((id_hash(id), short_hash(id)), (hash, short), "{id}");
        }
    }
}
