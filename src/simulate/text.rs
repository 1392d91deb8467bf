//! Small pieces of text written straight into a byte buffer: numbers, hexadecimal digits, UUIDs, times.
//!
//! Nothing here escapes: all that is written is plain ASCII that JSON takes as it is.

use chrono::{DateTime, Utc};
use uuid::Builder;

use super::dice::Dice;

/// Text of at most [`ShortText::CAPACITY`] bytes, kept in place, for the ids that a story carries along.
#[derive(Clone, Copy)]
pub struct ShortText {
    bytes: [u8; Self::CAPACITY],
    length: usize,
}

impl ShortText {
    /// The most bytes it holds; what is longer is cut.
    pub const CAPACITY: usize = 64;

    /// No text: the id is unknown.
    pub const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], length: 0 };

    /// Takes the text over.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let length = text.len().min(Self::CAPACITY);
        let mut bytes = [0; Self::CAPACITY];
        bytes[..length].copy_from_slice(&text[..length]);
        Self { bytes, length }
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// Appends a number in decimal.
pub fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends `number` with exactly `width` decimal digits, the highest cut off.
pub fn push_padded(out: &mut Vec<u8>, number: u64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    let mut rest = number;
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

/// Appends the 16 lower-case hexadecimal digits of `bits`.
pub fn push_hex(out: &mut Vec<u8>, bits: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bits.to_be_bytes() {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Appends microseconds as milliseconds with up to three decimals (`182.4`).
pub fn push_milliseconds(out: &mut Vec<u8>, microseconds: u64) {
    push_number(out, microseconds / 1000);
    out.push(b'.');
    push_padded(out, microseconds % 1000, 3);
}

/// Appends a `UUIDv7` (RFC 9562 §5.7) whose time is `milliseconds` since 1970.
pub fn push_uuid_v7(out: &mut Vec<u8>, milliseconds: u64, dice: &mut Dice) {
    let mut random = [0_u8; 10];
    random[..8].copy_from_slice(&dice.bits().to_le_bytes());
    random[8..].copy_from_slice(&dice.bits().to_le_bytes()[..2]);
    let id = Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid();
    out.extend_from_slice(id.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
}

/// Appends a random UUID of version 4.
pub fn push_uuid_v4(out: &mut Vec<u8>, dice: &mut Dice) {
    let mut random = [0_u8; 16];
    random[..8].copy_from_slice(&dice.bits().to_le_bytes());
    random[8..].copy_from_slice(&dice.bits().to_le_bytes());
    let id = Builder::from_random_bytes(random).into_uuid();
    out.extend_from_slice(id.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
}

/// Writes times as RFC 3339 with microseconds; keeps the text of the last second, since neighbours mostly share it.
#[derive(Debug, Default)]
pub struct TimeWriter {
    second: Option<u64>,
    prefix: String,
}

impl TimeWriter {
    /// Appends the time, given in microseconds since 1970.
    pub fn push(&mut self, out: &mut Vec<u8>, microseconds: u64) {
        let second = microseconds / 1_000_000;
        if self.second != Some(second) {
            let whole = i64::try_from(second).unwrap_or(i64::MAX);
            let time = DateTime::<Utc>::from_timestamp(whole, 0).unwrap_or_default();
            self.prefix = time.format("%Y-%m-%dT%H:%M:%S").to_string();
            self.second = Some(second);
        }
        out.extend_from_slice(self.prefix.as_bytes());
        out.push(b'.');
        push_padded(out, microseconds % 1_000_000, 6);
        out.push(b'Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_and_digits() {
        assert_eq!(written(|out| push_number(out, 0)), "0");
        assert_eq!(written(|out| push_number(out, u64::MAX)), u64::MAX.to_string());
        assert_eq!(written(|out| push_padded(out, 42, 6)), "000042");
        assert_eq!(written(|out| push_hex(out, 0xab)), "00000000000000ab");
        assert_eq!(written(|out| push_milliseconds(out, 182_400)), "182.400");
    }

    #[test]
    fn a_uuid_carries_its_time() {
        let text = written(|out| push_uuid_v7(out, 1_763_805_600_123, &mut Dice::new(3)));
        let id = uuid::Uuid::parse_str(&text).unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().unwrap().to_unix(), (1_763_805_600, 123_000_000));
    }

    #[test]
    fn times_follow_the_second() {
        let mut writer = TimeWriter::default();
        let text = written(|out| {
            writer.push(out, 1_763_805_600_123_456);
            out.push(b' ');
            writer.push(out, 1_763_805_601_000_001);
        });
        assert_eq!(text, "2025-11-22T10:00:00.123456Z 2025-11-22T10:00:01.000001Z");
    }
}
