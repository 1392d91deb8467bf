//! Keyed fingerprints: the same secret is recognised again without being stored.
//!
//! Form of every fingerprint: `hmac-sha256:` followed by the first 16 lower-case hexadecimal digits of
//! HMAC-SHA256 (RFC 2104, FIPS 180-4) under the configured key. Inputs: the raw bytes of a token; the raw,
//! percent-decoded value of `state`; for a connection the lines described at [`FingerprintKey::connection_id`].
//! Where the key comes from is not decided here.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Number of hexadecimal digits of a fingerprint: 64 bits.
const DIGITS: usize = 16;

/// The configured key of all fingerprints, ready for use. Its `Debug` shows nothing of the key.
#[derive(Clone)]
pub struct FingerprintKey {
    /// HMAC state after the key was absorbed: a fingerprint starts from a copy of it.
    keyed: Hmac<Sha256>,
}

impl FingerprintKey {
    /// Takes a key of any length (RFC 2104 §3: at least 32 bytes are advised, longer than 64 are hashed first).
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC accepts a key of any length (RFC 2104 §2), so this cannot fail")]
        let keyed = Hmac::<Sha256>::new_from_slice(key).expect("hmac accepts keys of any length");
        Self { keyed }
    }

    /// The fingerprint of `value`: `hmac-sha256:` and 16 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self, value: &[u8]) -> String {
        let mut mac = self.keyed.clone();
        mac.update(value);
        let digest = mac.finalize().into_bytes();
        let mut text = String::with_capacity("hmac-sha256:".len() + DIGITS);
        text.push_str("hmac-sha256:");
        text.push_str(&hex::encode(&digest[..DIGITS / 2]));
        text
    }

    /// The `connection_id` of a user's link to a server: the fingerprint of
    /// `workspace LF slug LF (user or "shared") LF (issuer or nothing)`.
    #[must_use]
    pub fn connection_id(&self, workspace: &str, slug: &str, user: Option<&str>, issuer: Option<&str>) -> String {
        let input = [workspace, slug, user.unwrap_or("shared"), issuer.unwrap_or("")].join("\n");
        self.fingerprint(input.as_bytes())
    }
}

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("FingerprintKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::FingerprintKey;

    #[test]
    fn matches_the_published_vectors_of_rfc_4231() {
        // RFC 4231 §4.2, §4.3 and §4.7 (a key longer than one block).
        let cases: [(&[u8], &[u8], &str); 3] = [
            (&[0x0b; 20], b"Hi There", "hmac-sha256:b0344c61d8db3853"),
            (b"Jefe", b"what do ya want for nothing?", "hmac-sha256:5bdcc146bf60754e"),
            (&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First", "hmac-sha256:60e431591ee0b67f"),
        ];
        for (key, value, expected) in cases {
            assert_eq!(FingerprintKey::new(key).fingerprint(value), expected);
        }
    }

    #[test]
    fn a_connection_is_its_four_lines() {
        let key = FingerprintKey::new(b"unit test key");
        assert_eq!(key.connection_id("acme", "wiki", None, None), key.fingerprint(b"acme\nwiki\nshared\n"));
        assert_eq!(
            key.connection_id("acme", "wiki", Some("u_1"), Some("https://idp.example")),
            key.fingerprint(b"acme\nwiki\nu_1\nhttps://idp.example")
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", FingerprintKey::new(b"very-visible-key"));
        assert!(!shown.contains("very-visible-key"));
    }
}
