//! Reading the name before a separator, and what stands before the name.
//!
//! The name may be quoted, escaped or bare, camel case or with dashes, the end of a path (`headers.authorization`),
//! or two words (`API key: …`). Look-back is bounded by the longest name of interest.

use super::glyph::glyph_at;
use super::glyph_back::{escape_tail, quote_before};
use super::keys::{KeyRule, Keys, MAX_NAME, Manner, Normal};
use super::scan::View;

/// The name before a separator, known to be the name of a secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    /// What the name stands for.
    pub(super) rule: KeyRule,
    /// First byte of the name.
    pub(super) start: usize,
    /// Whether quotes stand around the name.
    pub(super) is_quoted: bool,
    /// Whether `?`, `&` or `#` stands before it, as in a query, a form or a fragment.
    pub(super) in_query: bool,
    /// The character before the name and its quote, or a space at the text's beginning.
    pub(super) before: u8,
}

/// The longest row of spaces between a name and its separator.
const MAX_SPACES: usize = 4;

/// Letters of names.
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Reads the name that ends before `separator`; `None` when it is no secret's name.
pub(super) fn before(keys: &Keys, view: View<'_>, separator: usize) -> Option<Name> {
    let bytes = view.bytes;
    let spaces = bytes[view.floor..separator]
        .iter()
        .rev()
        .take(MAX_SPACES)
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let mut end = separator - spaces;
    let in_brackets = bytes[view.floor..end].ends_with(b"]");
    if in_brackets {
        end -= 1;
    }
    let mut is_quoted = false;
    let last_byte = *bytes[view.floor..end].last()?;
    if !keys_may_end(keys, view, end) || matches!(last_byte, b'2' | b'7') {
        end = quote_before(bytes, view.floor, end)?;
        is_quoted = true;
        if !keys_may_end(keys, view, end) {
            return None;
        }
    }
    let length = bytes[view.floor..end].iter().rev().take(MAX_NAME + 1).take_while(|byte| is_name_byte(**byte)).count();
    if length == 0 || length > MAX_NAME {
        return None;
    }
    let word = end - length;
    let escape = escape_tail(bytes, view.floor, word, end);
    let found = find_from(keys, view, word + escape, end, is_quoted).map(|rule| (word + escape, rule));
    let (start, rule) = match found {
        Some(found) => found,
        None if escape > 0 => (word, find_from(keys, view, word, end, is_quoted)?),
        None => return None,
    };
    // `[token] =>`, `form["token"]=`; but not the kind in our own `[redacted:kind]`.
    if in_brackets && !matches!(bytes[view.floor..word].last(), Some(b'[' | b'"' | b'\'')) {
        return None;
    }
    let preceding = character_before(view, word, start > word || escape > 0);
    Some(Name { rule, start, is_quoted, in_query: matches!(preceding, b'?' | b'&' | b'#'), before: preceding })
}

/// The cheap test on the last letters before `end`.
fn keys_may_end(keys: &Keys, view: View<'_>, end: usize) -> bool {
    end > view.floor && keys.may_end(&view.bytes[view.floor..end])
}

/// Looks the name up: its last part after a dot, alone or, where that is vague, together with the word before.
fn find_from(keys: &Keys, view: View<'_>, start: usize, end: usize, is_quoted: bool) -> Option<KeyRule> {
    let bytes = view.bytes;
    let name = &bytes[start..end];
    let last_part = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let single = Normal::of(&[last_part]).and_then(|normal| keys.find(&normal));
    let is_sure = single.is_some_and(|rule| rule.manner == Manner::Always);
    let may_be_two_words = !is_quoted && !is_sure && last_part.len() == name.len();
    if may_be_two_words
        && let Some(word) = word_before(view, start)
        && let Some(rule) = Normal::of(&[word, name]).and_then(|normal| keys.find_whole(&normal))
    {
        return Some(rule);
    }
    single
}

/// The word that stands before `start`, one space apart.
fn word_before(view: View<'_>, start: usize) -> Option<&[u8]> {
    let head = view.bytes[view.floor..start].strip_suffix(b" ")?;
    let length = head.iter().rev().take(24).take_while(|byte| byte.is_ascii_alphabetic()).count();
    (length > 0).then(|| &head[head.len() - length..])
}

/// The character before the word at `word`; when the word began with an escape's tail, that escape's character.
fn character_before(view: View<'_>, word: usize, is_escape: bool) -> u8 {
    if word == view.floor {
        return b' ';
    }
    let byte = view.bytes[word - 1];
    if is_escape {
        return glyph_at(view.bytes, word - 1).byte;
    }
    if byte == b';' && view.bytes[view.floor..word].ends_with(b"amp;") {
        return b'&';
    }
    match quote_before(view.bytes, view.floor, word) {
        Some(quote) if quote > view.floor => view.bytes[quote - 1],
        _ => byte,
    }
}
