//! Buffers for the bodies of inserts, used again: a body is megabytes, and fresh pages for it cost more than writing it.
//!
//! A body is shared by the attempts to insert it; when the last one lets go, its buffer comes back here. At most
//! [`MOST`] lie here, none larger than [`LARGEST`], so that a rare large batch does not keep its memory.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Most buffers that wait to be used again: as many as are written while as many are sent.
const MOST: usize = 2;
/// Largest buffer that is kept, in bytes.
const LARGEST: usize = 32 * 1024 * 1024;

static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// An empty buffer with room for `bytes`.
#[must_use]
pub fn take(bytes: usize) -> Vec<u8> {
    let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut buffer = spare.unwrap_or_default();
    buffer.reserve(bytes);
    buffer
}

/// The buffer as a body; it comes back when nobody needs the body any more.
#[must_use]
pub fn into_body(buffer: Vec<u8>) -> Bytes {
    Bytes::from_owner(Lent(buffer))
}

struct Lent(Vec<u8>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.0);
        if buffer.capacity() > LARGEST {
            return;
        }
        buffer.clear();
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MOST {
            spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, into_body, take};

    #[test]
    fn a_body_keeps_its_bytes_until_the_last_one_lets_go() {
        let mut buffer = take(10);
        buffer.extend_from_slice(b"the body");
        let body = into_body(buffer);
        let again = body.clone();
        drop(body);
        let mut other = take(1);
        assert!(other.is_empty(), "a buffer comes back empty");
        other.extend_from_slice(b"another");
        assert_eq!(&again[..], b"the body");
    }

    #[test]
    fn a_large_buffer_is_not_kept() {
        drop(into_body(Vec::with_capacity(LARGEST + 1)));
        assert!((0..4).all(|_| take(0).capacity() <= LARGEST));
    }
}
