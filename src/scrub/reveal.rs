//! The raw value of a find, for its fingerprint: the encodings it travelled in taken off.
//!
//! Percent decoding leaves `+` alone: an OAuth `state` is base64 far more often than it holds a space. What cannot be
//! decoded is taken as it stands.

use super::scan::Found;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The bytes that the issuer of the secret sent.
pub(super) fn raw_value<'t>(text: &'t [u8], found: &Found) -> Cow<'t, [u8]> {
    let mut value = Cow::Borrowed(&text[found.start..found.end]);
    for _ in 0..found.json_layers {
        match without_json_escapes(&value) {
            Some(decoded) => value = Cow::Owned(decoded),
            None => break,
        }
    }
    for _ in 0..found.percent_layers {
        if !value.contains(&b'%') {
            break;
        }
        value = Cow::Owned(percent_decode(&value).collect());
    }
    value
}

/// One layer of JSON string escapes off; `None` when there are none or the text is no JSON string.
fn without_json_escapes(value: &[u8]) -> Option<Vec<u8>> {
    if !value.contains(&b'\\') {
        return None;
    }
    let quoted = [b"\"", value, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).ok().map(String::into_bytes)
}
