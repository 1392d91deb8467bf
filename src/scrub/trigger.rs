//! The prefilter: which 16 bytes of the text are worth a look. Everything else is skipped without a branch per byte.
//!
//! *Triggers* are bytes at which a secret could be known by its place: separators (also escaped), option dashes, the
//! first letters of an authentication scheme. A *run* is eight aligned bytes of token letters: every row of 15 such
//! letters covers one, so no vendor shape is missed. Both may say yes too often, never too seldom.
//! The loops are written so that the compiler turns them into vector instructions; no table, no early exit.

/// Bytes looked at together.
pub(super) const BLOCK: usize = 16;

/// A block and the two bytes after it, so that three letters can be compared at each position.
pub(super) const WINDOW: usize = BLOCK + 2;

/// What the prefilter saw in one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// One bit in each byte that is a trigger, for the lower and the upper eight bytes.
    pub(super) triggers: [u64; 2],
    /// Whether the lower and the upper eight bytes are token letters throughout.
    pub(super) runs: [bool; 2],
}

impl Marks {
    /// Whether nothing in the block needs a look.
    pub(super) const fn is_clean(self) -> bool {
        self.triggers[0] == 0 && self.triggers[1] == 0 && !self.runs[0] && !self.runs[1]
    }
}

/// Marks the first 16 bytes of the window.
#[inline]
pub(super) fn mark(window: &[u8; WINDOW]) -> Marks {
    let mut triggers = [0_u8; BLOCK];
    let mut breaks = [0_u8; BLOCK];
    for index in 0..BLOCK {
        let first = window[index];
        let second = window[index + 1];
        let third = window[index + 2];
        triggers[index] =
            u8::from(is_separator(first, second) | is_dash(first, second) | is_word_start(first, second, third));
        breaks[index] = u8::from(!may_be_token(first));
    }
    let [trigger_low, trigger_high] = halves(triggers);
    let [break_low, break_high] = halves(breaks);
    Marks { triggers: [trigger_low, trigger_high], runs: [break_low == 0, break_high == 0] }
}

/// The two halves of a block of flags as numbers; byte order as in the text.
#[inline]
fn halves(flags: [u8; BLOCK]) -> [u64; 2] {
    let mut low = [0_u8; 8];
    let mut high = [0_u8; 8];
    low.copy_from_slice(&flags[..8]);
    high.copy_from_slice(&flags[8..]);
    [u64::from_le_bytes(low), u64::from_le_bytes(high)]
}

/// `=`, `:`, `>`; the first bytes of their escaped forms; a quote (`&quot;` too) before a comma. `|` and `&` instead of `||` and
/// `&&`: no branches.
#[inline]
fn is_separator(first: u8, second: u8) -> bool {
    (first == b'=')
        | (first == b':')
        | (first == b'>')
        | ((first == b'%') & ((second == b'3') | (second == b'2') | (second == b'7')))
        | ((first == b'\\') & ((second == b'u') | (second == b'x')))
        | ((first == b'&') & ((second == b'#') | (second == b'g') | (second == b'a')))
        | (((first == b'"') | (first == b'\'') | (first == b';')) & (second == b','))
}

/// `--` of an option or a PEM line, `-u` and `-b` of curl, `-p` of a password.
#[inline]
fn is_dash(first: u8, second: u8) -> bool {
    (first == b'-') & ((second == b'-') | (second == b'u') | (second == b'b') | (second == b'p'))
}

/// The first three letters of `Bearer`, `Basic` and `variable`, the last three of `DPoP`, and of `token`, `secret` and
/// `password` three near the end, in any case; `key` and `code` with what must follow.
#[inline]
fn is_word_start(first: u8, second: u8, third: u8) -> bool {
    let (one, two, three) = (first | 0x20, second | 0x20, third | 0x20);
    ((one == b'b') & (((two == b'e') & (three == b'a')) | ((two == b'a') & (three == b's'))))
        | ((one == b'p') & (two == b'o') & (three == b'p'))
        | ((one == b'v') & (two == b'a') & (three == b'r'))
        | ((one == b'o') & (((two == b'k') & (three == b'e')) | ((two == b'r') & (three == b'd'))))
        | ((one == b'r') & (two == b'e') & (three == b't'))
        | ((one == b'e') & (two == b'y') & (third == b' '))
}

/// Letters, digits, `+ , - . /`, `_`, `~`: a little more than what tokens are made of.
#[inline]
fn may_be_token(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit_or_mark = byte.wrapping_sub(b'+') <= b'9' - b'+';
    letter | digit_or_mark | (byte == b'_') | (byte == b'~')
}

#[cfg(test)]
mod tests {
    use super::{Marks, WINDOW, mark};

    fn marks(text: &str) -> Marks {
        let mut window = [0_u8; WINDOW];
        window[..text.len()].copy_from_slice(text.as_bytes());
        mark(&window)
    }

    #[test]
    fn plain_words_are_clean() {
        for text in ["the tool failed ", "no such server. ", ""] {
            assert!(marks(text).is_clean(), "{text}");
        }
    }

    #[test]
    fn every_trigger_is_seen_at_its_place() {
        for trigger in [
            "=", ":", ">", "%3D", "%253D", "\\u003d", "&#61;", "&gt;", "\",", "',", ";,", "--", "-u", "Bearer",
            "basic", "poP", "Var",
        ] {
            let text = format!("a b {trigger}");
            assert_eq!(marks(&text).triggers[0] & (0xff << 32), 1 << 32, "{trigger}");
        }
    }

    #[test]
    fn fifteen_token_letters_always_cover_eight_aligned_ones() {
        let text = format!("{}{}", " ".repeat(32), "a".repeat(15));
        for shift in 0..16 {
            let shifted = &text.as_bytes()[shift..];
            let seen = shifted.chunks(8).filter(|chunk| chunk.len() == 8).any(|chunk| {
                let mut window = [0_u8; WINDOW];
                window[..8].copy_from_slice(chunk);
                mark(&window).runs[0]
            });
            assert!(seen, "shift {shift}");
        }
    }
}
