//! Secrets known by how they are built, where no prefix alone would be telling: parts of a certain length, a mark in
//! the middle, numbers before a colon.
//!
//! Sources: each vendor's own documentation of its token format. Works inside one run (`runs`) or around one colon.

use super::glyph::Glyph;
use super::kind::SecretKind;
use super::runs::is_edge;
use super::scan::{Found, View};
use super::words::is_mixed;

/// First two letters of the structures that begin at a word's edge.
pub(super) const STARTS: &[[u8; 2]] =
    &[*b"MT", *b"Mj", *b"Mz", *b"ND", *b"NT", *b"Nj", *b"Nz", *b"OD", *b"OT", *b"00", *b"SK", *b"s.", *b"ke", *b"pa"];

/// First two letters of the marks that stand inside a structure.
pub(super) const MARKS: &[[u8; 2]] = &[*b"-u", *b"NR", *b".a", *b"JQ", *b"AZ", *b"+A"];

/// Shortest run that a mark of Microsoft's generated keys is believed in.
const GENERATED_KEY: usize = 48;

/// Most letters that are looked at around a mark.
const MAX_AROUND: usize = 160;

/// Length of the row of letters of one kind that begins at `at`.
fn row(bytes: &[u8], at: usize, is_letter: impl Fn(u8) -> bool, most: usize) -> usize {
    bytes[at.min(bytes.len())..].iter().take(most).take_while(|byte| is_letter(**byte)).count()
}

/// Length of the row of letters of one kind that ends before `at`, not reaching back before `from`.
fn row_before(bytes: &[u8], from: usize, at: usize, is_letter: impl Fn(u8) -> bool, most: usize) -> usize {
    bytes[from.min(at)..at].iter().rev().take(most).take_while(|byte| is_letter(**byte)).count()
}

const fn is_word_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

const fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

/// A structure that begins at the word's edge `start`, of which the first two letters are in [`STARTS`].
pub(super) fn at_edge(bytes: &[u8], start: usize) -> Option<Found> {
    let alphanumeric = |from| row(bytes, from, |byte| byte.is_ascii_alphanumeric(), 64);
    let ends_word = |at: usize| bytes.get(at).is_none_or(|byte| !is_word_letter(*byte));
    let found = |end: usize, kind| (ends_word(end)).then_some(Found::plain(start, end, kind));
    match &bytes[start..start + 2] {
        // Discord's bot tokens: the bot's number in base64, a time, an HMAC.
        [b'M'..=b'O', _] => {
            let first = row(bytes, start, is_word_letter, 40);
            let second = start + first + 1;
            let third = second + 7;
            let has_parts = (22..=30).contains(&first)
                && bytes.get(second - 1) == Some(&b'.')
                && row(bytes, second, is_word_letter, 8) == 6
                && bytes.get(third - 1) == Some(&b'.');
            let last = if has_parts { row(bytes, third, is_word_letter, 64) } else { 0 };
            (last >= 25).then_some(Found::plain(start, third + last, SecretKind::Token))
        }
        b"00" => salesforce_session(bytes, start).or_else(|| {
            let length = row(bytes, start, is_word_letter, 64);
            let is_okta = length == 42 && is_mixed(&bytes[start..start + length]);
            is_okta.then_some(Found::plain(start, start + length, SecretKind::ApiKey))
        }),
        // Twilio's keys.
        b"SK" if row(bytes, start + 2, is_hex, 33) == 32 => found(start + 34, SecretKind::ApiKey),
        // Vault's older tokens.
        b"s." if alphanumeric(start + 2) == 24 && is_mixed(&bytes[start + 2..start + 26]) => {
            found(start + 26, SecretKind::Token)
        }
        // Airtable's older keys, and its personal access tokens.
        b"ke" if bytes[start..].starts_with(b"key") && alphanumeric(start + 3) == 14 => {
            if is_mixed(&bytes[start + 3..start + 17]) { found(start + 17, SecretKind::ApiKey) } else { None }
        }
        b"pa" if bytes[start..].starts_with(b"pat") && alphanumeric(start + 3) == 14 => {
            let has_dot = bytes.get(start + 17) == Some(&b'.');
            (has_dot && row(bytes, start + 18, is_hex, 64) >= 32)
                .then(|| Found::plain(start, start + 18 + alphanumeric(start + 18), SecretKind::Token))
        }
        _ => None,
    }
}

/// A Salesforce session: the organisation's id, `!`, the token.
fn salesforce_session(bytes: &[u8], start: usize) -> Option<Found> {
    if bytes.get(start + 2) != Some(&b'D') {
        return None;
    }
    let length = row(bytes, start, |byte| byte.is_ascii_alphanumeric(), 20);
    if length != 15 && length != 18 {
        return None;
    }
    let mark = super::glyph::glyph_at(bytes, (start + length).min(bytes.len() - 1));
    let token = start + length + mark.length;
    let letters = row(bytes, token, |byte| is_word_letter(byte) || byte == b'.', 512);
    (mark.byte == b'!' && letters >= 20).then_some(Found::plain(start, token + letters, SecretKind::AccessToken))
}

/// A structure around a mark at `mark`, of which the first two letters are in [`MARKS`]; nothing before `from` belongs
/// to it.
pub(super) fn around_mark(view: View<'_>, from: usize, mark: usize) -> Option<Found> {
    let bytes = view.bytes;
    let rest = &bytes[mark..];
    match &rest[..2] {
        // Mailchimp: 32 hexadecimal digits, the data centre.
        b"-u" => {
            let digits = row(bytes, mark + 3, |byte| byte.is_ascii_digit(), 3);
            let is_key = rest.get(2) == Some(&b's') && (1..=2).contains(&digits);
            let back = row_before(bytes, from, mark, is_hex, 33);
            (is_key && back == 32).then(|| Found::plain(mark - 32, mark + 3 + digits, SecretKind::ApiKey))
        }
        // New Relic's licence keys end so.
        b"NR" => {
            let back = row_before(bytes, from, mark, is_hex, 41);
            (rest.starts_with(b"NRAL") && back >= 32).then(|| Found::plain(mark - back, mark + 4, SecretKind::ApiKey))
        }
        // Terraform Cloud.
        b".a" => {
            let back = row_before(bytes, from, mark, |byte| byte.is_ascii_alphanumeric(), 15);
            let tail = row(bytes, mark + 9, is_word_letter, 128);
            (rest.starts_with(b".atlasv1.") && back == 14 && tail >= 24)
                .then(|| Found::plain(mark - back, mark + 9 + tail, SecretKind::Token))
        }
        // Keys that Azure generates carry a mark near their end.
        _ => {
            let is_marked =
                [&b"JQQJ9"[..], b"AZDO", b"+AStA", b"+ACDb", b"+ARm"].iter().any(|one| rest.starts_with(one));
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            if !is_marked {
                return None;
            }
            let back = row_before(bytes, from, mark, is_letter, MAX_AROUND);
            let ahead = row(bytes, mark, is_letter, MAX_AROUND);
            let padding = row(bytes, mark + ahead, |byte| byte == b'=', 2);
            (back + ahead >= GENERATED_KEY)
                .then(|| Found::plain(mark - back, mark + ahead + padding, SecretKind::ApiKey))
        }
    }
}

/// A token whose first part is a number before a colon: Telegram's bots, Asana's personal tokens, Twilio's pair.
pub(super) fn around_colon(view: View<'_>, position: usize, colon: Glyph) -> Option<Found> {
    let bytes = view.bytes;
    let after = position + colon.length;
    let digits = row_before(bytes, view.floor, position, |byte| byte.is_ascii_digit(), 20);
    if bytes.get(after).is_none_or(|byte| !is_word_letter(*byte)) {
        return None;
    }
    if (6..=12).contains(&digits) {
        let tail = row(bytes, after, is_word_letter, 64);
        let is_telegram = bytes[after..].starts_with(b"AA") && (30..=40).contains(&tail);
        return is_telegram.then_some(Found::plain(position - digits, after + tail, SecretKind::Token));
    }
    let hex = row(bytes, after, is_hex, 41);
    if hex < 32 {
        return None;
    }
    if digits >= 10 && bytes[view.floor..position - digits].ends_with(b"/") {
        let slash = position - digits - 1;
        let back = row_before(bytes, view.floor, slash, |byte| byte.is_ascii_digit() || byte == b'/', 24);
        return (back > 0).then_some(Found::plain(slash - back, after + hex, SecretKind::Token));
    }
    let sid = row_before(bytes, view.floor, position, is_hex, 32);
    let is_twilio =
        sid == 32 && bytes[view.floor..position - sid].ends_with(b"AC") && is_edge(view, position - sid - 2);
    is_twilio.then_some(Found::plain(after, after + hex, SecretKind::Token))
}
