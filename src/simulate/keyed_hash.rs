//! The keyed hashes that a gateway puts in its events instead of secrets, computed as the contract says:
//! `hmac-sha256:` + the first 16 lower-case hexadecimal digits of HMAC-SHA256(key, input).
//!
//! Inputs: a token's raw bytes (fingerprint), the raw `state` (flow id), and
//! `workspace LF slug LF (user or "shared") LF (issuer or nothing)` (connection id).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::error::SimulateError;
use super::text::push_hex;

/// `hmac-sha256:` and 16 hexadecimal digits.
pub type HashText = [u8; 28];

const PREFIX: &[u8; 12] = b"hmac-sha256:";

/// Hashes under one key.
#[derive(Clone)]
pub struct KeyedHash {
    keyed: Hmac<Sha256>,
}

impl KeyedHash {
    /// Prepares the key.
    ///
    /// # Errors
    /// An empty key is refused: its hashes could be computed by anybody.
    pub fn new(key: &[u8]) -> Result<Self, SimulateError> {
        let refusal = SimulateError::Option {
            option: "hash key",
            reason: "must not be empty",
        };
        if key.is_empty() {
            return Err(refusal);
        }
        let keyed = Hmac::<Sha256>::new_from_slice(key).map_err(|_| refusal)?;
        Ok(Self { keyed })
    }

    /// The hash of the parts, written one after the other.
    #[must_use]
    pub fn of(&self, parts: &[&[u8]]) -> HashText {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(part);
        }
        let digest = mac.finalize().into_bytes();
        let mut first_eight = [0_u8; 8];
        first_eight.copy_from_slice(&digest[..8]);
        let mut text = PREFIX.to_vec();
        push_hex(&mut text, u64::from_be_bytes(first_eight));
        let mut hash = [0_u8; 28];
        hash.copy_from_slice(&text);
        hash
    }

    /// The id of the connection of a user (`None`: shared by all) with a server.
    #[must_use]
    pub fn connection_id(
        &self,
        workspace: &str,
        slug: &str,
        user: Option<&str>,
        issuer: &str,
    ) -> HashText {
        let who = user.unwrap_or("shared");
        self.of(&[
            workspace.as_bytes(),
            b"\n",
            slug.as_bytes(),
            b"\n",
            who.as_bytes(),
            b"\n",
            issuer.as_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::KeyedHash;

    #[test]
    fn follows_the_contract() {
        // RFC 4231 §4.3 (test case 2): key "Jefe", data "what do ya want for nothing?".
        let hash = KeyedHash::new(b"Jefe")
            .unwrap()
            .of(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(&hash, b"hmac-sha256:5bdcc146bf60754e");
    }

    #[test]
    fn a_connection_is_hashed_line_by_line() {
        let keyed = KeyedHash::new(b"key").unwrap();
        assert_eq!(
            keyed.connection_id("acme", "issues", None, ""),
            keyed.of(&[b"acme\nissues\nshared\n"])
        );
    }

    #[test]
    fn an_empty_key_is_refused() {
        assert_eq!(KeyedHash::new(b"").err().unwrap().code(), "simulate_option");
    }
}
