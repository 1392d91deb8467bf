//! Bytes → [`Event`], or a refusal with a stable code. One file a wire form; pure; nothing is repaired in silence.
//!
//! [`native`] reads CloudEvents (structured and binary mode), `plain` the usual ones of them faster, [`registry`] the records of the registry topic. The event
//! borrows from the record. [`limits`] holds every bound, [`error`] every code.

pub mod context;
mod data;
pub mod error;
pub mod levels;
pub mod limits;
pub mod native;
mod plain;
pub mod registry;
#[cfg(test)]
mod tests;
mod value;

pub use error::{Advice, DecodeError, advice};
pub use limits::Limits;
pub use registry::RegistryRecord;

use crate::event::{Event, RecordTime};

/// One record's bytes as a source delivered them.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// Headers by name; an absent value counts as empty.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The value; `None` for a record without one (a tombstone).
    pub value: Option<&'a [u8]>,
    /// The record's own timestamp.
    pub time: RecordTime,
}

/// Decodes one record of an event topic.
///
/// # Errors
/// The first fault found, with its stable code; the record goes to the dead letters under it.
pub fn decode<'a>(payload: &Payload<'a>, limits: &Limits) -> Result<Event<'a>, DecodeError> {
    let text = text_of(payload.value, limits)?;
    if native::is_binary_mode(payload.headers) {
        return native::decode_binary(payload.headers, text, payload.time, limits);
    }
    let mut event = native::blank();
    match plain::read_structured(text, &mut event, payload.time, limits) {
        Some(()) => Ok(event),
        None => native::decode_structured(text, payload.time, limits),
    }
}

/// The value as text, within its size.
fn text_of<'a>(value: Option<&'a [u8]>, limits: &Limits) -> Result<&'a str, DecodeError> {
    let bytes = value.filter(|bytes| !bytes.is_empty()).ok_or(DecodeError::EmptyRecord)?;
    if bytes.len() > limits.record_bytes {
        return Err(DecodeError::RecordTooLarge { bytes: bytes.len(), limit: limits.record_bytes });
    }
    std::str::from_utf8(bytes).map_err(|fault| DecodeError::NotUtf8 { valid_up_to: fault.valid_up_to() })
}
