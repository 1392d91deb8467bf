//! Tests of the scrubber as a whole: every shape in every wrapping, look-alikes, properties.
//!
//! All secrets are made up here and put together at run time, so that no scanner takes this file for a leak.

mod encodings;
mod look_alikes;
mod named_places;
mod places;
mod properties;
mod secrets;
mod writings;

use super::{FingerprintKey, Scrubber};

/// A scrubber with a test key.
fn scrubber() -> Scrubber {
    Scrubber::new(FingerprintKey::new(b"a key for tests only"))
}

/// The scrubbed text alone.
fn scrub(text: &str) -> String {
    scrubber().scrub_text(text).text.into_owned()
}
