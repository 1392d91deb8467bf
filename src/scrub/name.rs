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

/// The longest row of spaces, or what counts as such, between a name and its separator.
const MAX_SPACES: usize = 16;

/// Letters of names.
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Reads the name that ends before `separator`; `None` when it is no secret's name.
pub(super) fn before(keys: &Keys, view: View<'_>, separator: usize) -> Option<Name> {
    let bytes = view.bytes;
    let mut end = without_spaces(view, separator);
    let in_brackets = bytes[view.floor..end].ends_with(b"]");
    if in_brackets {
        end -= 1;
    }
    let mut is_quoted = false;
    let last_byte = *bytes[view.floor..end].last()?;
    let may_be_quote = matches!(last_byte, b'2' | b'7' | b'"' | b'\'' | b'`' | b';');
    if let Some(before_quote) = quote_before(bytes, view.floor, end).filter(|_| may_be_quote) {
        // Spreadsheets double a quote.
        let is_doubled =
            matches!(last_byte, b'"' | b'\'') && bytes[view.floor..before_quote].last() == Some(&last_byte);
        end = before_quote - usize::from(is_doubled);
        is_quoted = true;
    }
    if !keys_may_end(keys, view, end) {
        return None;
    }
    let length = bytes[view.floor..end].iter().rev().take(MAX_NAME + 1).take_while(|byte| is_name_byte(**byte)).count();
    if length == 0 || length > MAX_NAME {
        return None;
    }
    let word = end - length;
    let escape = escape_tail(bytes, view.floor, word, end).max(colour_tail(view, word, end));
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

/// Steps back over spaces, the colours of a terminal and closing brackets of Erlang's strings before a separator.
fn without_spaces(view: View<'_>, separator: usize) -> usize {
    let bytes = view.bytes;
    let mut end = separator;
    for _ in 0..MAX_SPACES {
        let head = &bytes[view.floor..end];
        let taken = match head.last() {
            Some(b' ' | b'\t') => 1,
            Some(b'm') => colour_before(head),
            Some(b'>') if head.ends_with(b"\">>") => 2,
            // A form's space, and an encoded one, where the separator is encoded too.
            Some(b'+') if bytes.get(separator) == Some(&b'%') => 1,
            Some(b'0') if head.ends_with(b"%20") => 3,
            Some(b'0') if head.ends_with(b"%2520") => 5,
            _ => 0,
        };
        if taken == 0 {
            break;
        }
        end -= taken;
    }
    end
}

/// Length of a colour's code (`ESC [ 0 m`, ECMA-48 §8.3.117) that ends the text, also with its first byte escaped.
fn colour_before(head: &[u8]) -> usize {
    let inner =
        head[..head.len() - 1].iter().rev().take(12).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    let bracket = head.len() - 1 - inner;
    let Some(before) = head[..bracket].strip_suffix(b"[") else { return 0 };
    let escape = [&b"\x1b"[..], b"\\u001b", b"\\u001B", b"\\x1b", b"\\x1B", b"\\e", b"\\033"];
    escape.iter().find(|escape| before.ends_with(escape)).map_or(0, |escape| inner + 2 + escape.len())
}

/// Length of the end of a colour's code that a word begins with: its digits and `m`.
fn colour_tail(view: View<'_>, word: usize, end: usize) -> usize {
    if word == view.floor || view.bytes[word - 1] != b'[' {
        return 0;
    }
    let digits = view.bytes[word..end].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let is_colour = view.bytes[word..end].get(digits) == Some(&b'm');
    let head = &view.bytes[view.floor..word + if is_colour { digits + 1 } else { 0 }];
    if is_colour && colour_before(head) > 0 { digits + 1 } else { 0 }
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
    let whole = if last_part.len() < name.len() { keys.find_dotted(name) } else { None };
    let single = whole.or_else(|| keys.find(last_part));
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
