//! The prefilter for every processor, and what exactly a trigger is.
//!
//! The loops are written so that the compiler turns them into vector instructions; no table, no early exit.

use super::{BLOCK, Marks, WINDOW, with_window};
use crate::scrub::runs::SHORTEST_RUN;

/// Bytes whose flags become one number at once.
const LANES: usize = 8;

/// Marks each block of the text, as many as there is room for.
pub(super) fn mark(text: &[u8], marks: &mut [Marks]) {
    for (index, marks) in marks.iter_mut().enumerate() {
        *marks = with_window(&text[index * BLOCK..], mark_block);
    }
}

/// Marks the first 64 bytes of the window.
fn mark_block(window: &[u8; WINDOW]) -> Marks {
    let mut triggers = [0_u8; BLOCK];
    let mut tokens = [0_u8; BLOCK];
    for index in 0..BLOCK {
        triggers[index] = u8::from(is_trigger(window[index], window[index + 1], window[index + 2]));
        tokens[index] = u8::from(is_token_letter(window[index]));
    }
    Marks { triggers: bits(&triggers), tokens: bits(&tokens) }
}

/// Flags of 0 and 1, one a byte, as bits of a number.
fn bits(flags: &[u8; BLOCK]) -> u64 {
    let (lanes, _) = flags.as_chunks::<LANES>();
    // Multiplying by this gathers the lowest bits of eight bytes in the highest byte, in their order.
    let gathered = |lane: &[u8; LANES]| u64::from_le_bytes(*lane).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    lanes.iter().rev().fold(0, |bits, lane| bits << LANES | gathered(lane))
}

/// Whether a text shorter than [`SHORTEST_RUN`], filled up with zeros, has a trigger.
pub(in crate::scrub) fn has_trigger(window: &[u8; SHORTEST_RUN + 3]) -> bool {
    let mut triggers = [0_u8; SHORTEST_RUN + 1];
    for (index, trigger) in triggers.iter_mut().enumerate() {
        *trigger = u8::from(is_trigger(window[index], window[index + 1], window[index + 2]));
    }
    u128::from_le_bytes(triggers) != 0
}

/// Whether a secret could be known by its place here. `|` and `&` instead of `||` and `&&`: no branches.
#[inline]
pub(super) fn is_trigger(first: u8, second: u8, third: u8) -> bool {
    is_separator(first, second) | is_dash(first, second) | is_word_start(first, second, third)
}

/// `=`, `:`, `>`; the first bytes of their escaped forms; a quote (`&quot;` too) before a comma.
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

/// Letters, digits, `+ - . /`, `_`, `~`: what tokens are made of.
#[inline]
fn is_token_letter(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit_or_mark = (byte.wrapping_sub(b'+') <= b'9' - b'+') & (byte != b',');
    letter | digit_or_mark | (byte == b'_') | (byte == b'~')
}

#[cfg(test)]
mod tests {
    use super::super::{BLOCK, Marks};
    use super::{is_token_letter, mark};
    use crate::scrub::runs::is_run_byte;

    fn marks(text: &str) -> Marks {
        let mut marks = [Marks::default()];
        mark(text.as_bytes(), &mut marks);
        marks[0]
    }

    #[test]
    fn plain_words_are_clean() {
        for text in ["the tool failed ", "no such server. ", ""] {
            assert_eq!(marks(text).triggers, 0, "{text}");
        }
    }

    #[test]
    fn every_trigger_is_seen_at_its_place() {
        for trigger in [
            "=", ":", ">", "%3D", "%253D", "\\u003d", "&#61;", "&gt;", "\",", "',", ";,", "--", "-u", "Bearer",
            "basic", "poP", "Var",
        ] {
            for place in [0, 4, 30, BLOCK - 1] {
                let text = format!("{}{trigger}", " ".repeat(place));
                assert_eq!(marks(&text).triggers, 1 << place, "{trigger} at {place}");
            }
        }
    }

    #[test]
    fn token_letters_are_those_of_runs() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_token_letter(byte), is_run_byte(byte), "{byte}");
        }
    }
}
