//! Secrets out of every string.

pub mod fingerprint;

pub use fingerprint::FingerprintKey;
