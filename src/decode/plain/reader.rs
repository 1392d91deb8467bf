//! Reads the tokens of JSON without escapes, eight bytes at a time. Steps back (`None`) from whatever else it meets.

/// Most digits of a number that is read here: all of them fit 53 bits, so that a double holds them exactly.
const MOST_DIGITS: usize = 15;

/// A member name, and its ends as numbers, so that names are compared without a call.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The name.
    pub text: &'a str,
    /// Its first eight bytes, zeros after its end.
    pub head: u64,
    /// Its last eight bytes; 0 when it has no more than eight.
    pub tail: u64,
}

/// A place in a JSON text.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte here, 0 (which no JSON has) behind the end.
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The first byte from here on that is no white space (RFC 8259 §2); the reader stands on it.
    #[inline]
    pub fn next_byte(&mut self) -> u8 {
        let mut byte = self.byte();
        while matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
            byte = self.byte();
        }
        byte
    }

    /// Steps over the byte here.
    #[inline]
    pub fn skip_byte(&mut self) {
        self.at += 1;
    }

    /// Steps over `expected` and white space before it.
    #[inline]
    pub fn expect(&mut self, expected: u8) -> Option<()> {
        let found = self.next_byte() == expected;
        self.at += 1;
        found.then_some(())
    }

    /// Steps over `literal`, which begins here.
    pub fn literal(&mut self, literal: &str) -> Option<()> {
        let found = self.text.as_bytes().get(self.at..)?.starts_with(literal.as_bytes());
        self.at += if found { literal.len() } else { 0 };
        found.then_some(())
    }

    /// Nothing but white space is left.
    pub fn end(&mut self) -> Option<()> {
        (self.next_byte() == 0 && self.at >= self.text.len()).then_some(())
    }

    /// The string whose opening quote was read.
    #[inline]
    pub fn string(&mut self) -> Option<&'a str> {
        let start = self.at;
        let end = self.closing_quote()?;
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// The member name whose opening quote was read.
    #[inline]
    pub fn key(&mut self) -> Option<Key<'a>> {
        let start = self.at;
        let text = self.string()?;
        let head = self.word(start).unwrap_or(0);
        match text.len() {
            length @ 0..8 => Some(Key { text, head: head & !(u64::MAX << (length * 8)), tail: 0 }),
            8 => Some(Key { text, head, tail: 0 }),
            length => Some(Key { text, head, tail: self.word(start + length - 8)? }),
        }
    }

    /// Eight bytes as a number, the first one lowest.
    #[inline]
    fn word(&self, at: usize) -> Option<u64> {
        let bytes = self.text.as_bytes().get(at..)?;
        bytes.first_chunk().map(|eight| u64::from_le_bytes(*eight))
    }

    /// Where the string that goes on here ends; `None` when an escape or a control character (RFC 8259 §7) comes first.
    #[inline]
    fn closing_quote(&self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        let stop = loop {
            let Some(word) = self.word(at) else {
                break at + bytes.get(at..)?.iter().position(|byte| is_stop(*byte))?;
            };
            match stops_in(word) {
                0 => at += 8,
                stops => break at + (stops.trailing_zeros() / 8) as usize,
            }
        };
        (bytes[stop] == b'"').then_some(stop)
    }

    /// The digits of a whole number without sign that begins here, none of them a leading zero.
    fn digits(&mut self) -> Option<&'a str> {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        let digits = self.text.get(start..self.at)?;
        let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
        (!digits.is_empty() && !has_leading_zero && digits.len() <= MOST_DIGITS).then_some(digits)
    }

    /// Whether the number read so far goes on as a fraction or with an exponent.
    fn goes_on(&self) -> bool {
        matches!(self.byte(), b'.' | b'e' | b'E')
    }

    /// The whole number from 0 that begins here, as it is written.
    #[inline]
    pub fn whole_number(&mut self) -> Option<&'a str> {
        let digits = self.digits()?;
        (!self.goes_on()).then_some(digits)
    }

    /// The whole number that begins here. `-0` is a fraction to JSON readers.
    #[inline]
    pub fn integer(&mut self) -> Option<i64> {
        let is_negative = self.byte() == b'-';
        self.at += usize::from(is_negative);
        let number = value_of(self.whole_number()?);
        match (is_negative, number) {
            (true, 0) => None,
            (true, number) => Some(-number),
            (false, number) => Some(number),
        }
    }

    /// The number without sign and exponent that begins here. Exact, since neither its digits as a number nor the power of
    /// ten needs more than 53 bits, and IEEE 754 rounds a division correctly.
    #[inline]
    pub fn decimal(&mut self) -> Option<f64> {
        const POWERS: [f64; MOST_DIGITS] =
            [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];
        let whole = value_of(self.digits()?);
        if self.byte() != b'.' {
            return (!self.goes_on()).then_some(as_double(whole));
        }
        self.at += 1;
        let start = self.at;
        let mut number = whole;
        while self.byte().is_ascii_digit() {
            number = number.checked_mul(10)?.checked_add(i64::from(self.byte() - b'0'))?;
            self.at += 1;
        }
        let power = POWERS.get(self.at - start).filter(|_| self.at > start)?;
        let fits = number < 1 << 53 && !self.goes_on();
        fits.then(|| as_double(number) / power)
    }

    /// A value that is no list and no object, as text; `Some(None)` for `null` and the empty string.
    pub fn scalar(&mut self) -> Option<Option<&'a str>> {
        match self.next_byte() {
            b'"' => {
                self.at += 1;
                self.string().map(|text| Some(text).filter(|text| !text.is_empty()))
            }
            b'0'..=b'9' => self.whole_number().map(Some),
            b't' => self.literal("true").map(|()| Some("true")),
            b'f' => self.literal("false").map(|()| Some("false")),
            b'n' => self.literal("null").map(|()| None),
            _ => None,
        }
    }

    /// Whether the string or literal that begins here is a string; its opening quote is then read.
    #[inline]
    pub fn opens_string(&mut self) -> bool {
        let opens = self.byte() == b'"';
        self.at += usize::from(opens);
        opens
    }

    /// Whether `null` begins here, which is then read.
    #[inline]
    pub fn is_null(&mut self) -> bool {
        self.byte() == b'n' && self.literal("null").is_some()
    }
}

/// The value of at most [`MOST_DIGITS`] digits.
fn value_of(digits: &str) -> i64 {
    digits.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
}

#[expect(clippy::cast_precision_loss, reason = "the number has at most 53 bits")]
fn as_double(number: i64) -> f64 {
    number as f64
}

/// Whether a byte ends a row of plain letters: `"`, `\`, or below the blank.
const fn is_stop(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..b' ')
}

/// The highest bit of each byte of the word that [`is_stop`] holds for. Exact up to the first such byte, which is all
/// that is asked: a borrow can only mark bytes behind it.
#[inline]
const fn stops_in(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let is_quote = quotes.wrapping_sub(ONES) & !quotes;
    let is_backslash = backslashes.wrapping_sub(ONES) & !backslashes;
    let is_control = word.wrapping_sub(ONES * b' ' as u64) & !word;
    (is_quote | is_backslash | is_control) & HIGHS
}
