//! The keyed hashes that a gateway puts in its events instead of secrets: those of [`crate::scrub`], kept in place.
//!
//! Gateways and consumer must hash alike under one key, or their ids would not join; hence one implementation.

use super::error::SimulateError;
use crate::scrub::FingerprintKey;

/// `hmac-sha256:` and 16 hexadecimal digits.
pub type HashText = [u8; 28];

/// Hashes under one key.
#[derive(Clone)]
pub struct KeyedHash {
    key: FingerprintKey,
}

impl KeyedHash {
    /// Prepares the key.
    ///
    /// # Errors
    /// An empty key is refused: its hashes could be computed by anybody.
    pub fn new(key: &[u8]) -> Result<Self, SimulateError> {
        if key.is_empty() {
            return Err(SimulateError::Option { option: "hash key", reason: "must not be empty" });
        }
        Ok(Self { key: FingerprintKey::new(key) })
    }

    /// The fingerprint of the parts, written one after the other.
    #[must_use]
    pub fn of(&self, parts: &[&[u8]]) -> HashText {
        in_place(&self.key.fingerprint(&parts.concat()))
    }

    /// The id of the connection of a user (`None`: shared by all) with a server.
    #[must_use]
    pub fn connection_id(&self, workspace: &str, slug: &str, user: Option<&str>, issuer: Option<&str>) -> HashText {
        in_place(&self.key.connection_id(workspace, slug, user, issuer))
    }
}

/// The form is fixed by the contract; other lengths cannot occur, and would be cut or padded with zeros.
fn in_place(text: &str) -> HashText {
    let mut hash = [b'0'; 28];
    for (place, byte) in hash.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::KeyedHash;

    #[test]
    fn hashes_as_the_consumer_does() {
        // RFC 4231 §4.3 (test case 2): key "Jefe", data "what do ya want for nothing?".
        let hash = KeyedHash::new(b"Jefe").unwrap();
        assert_eq!(&hash.of(&[b"what do ya want ", b"for nothing?"]), b"hmac-sha256:5bdcc146bf60754e");
        let connection = hash.connection_id("acme", "issues", None, None);
        assert_eq!(connection, hash.of(&[b"acme\nissues\nshared\n"]));
    }

    #[test]
    fn an_empty_key_is_refused() {
        assert_eq!(KeyedHash::new(b"").err().unwrap().code(), "simulate_option");
    }
}
