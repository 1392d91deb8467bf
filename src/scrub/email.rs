//! E-mail addresses in a text: found, hashed so that a person can be found by them, and hidden where that is configured.
//!
//! An address is what people write as one: letters, digits and `. _ % + - '` before `@` (also `%40`), a domain of at
//! least two labels after it, letters of any script. Looks only at texts whose secrets are gone already. The hash is the
//! fingerprint of the address in lower case, as the contract defines it (`schemas/events/README.md` §4).

use std::borrow::Cow;
use std::ops::Range;

use super::FingerprintKey;

/// What becomes of e-mail addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Emails {
    /// They stay as they were sent.
    #[default]
    Keep,
    /// `[email:hmac-sha256:…]` stands in their place.
    Hide,
}

/// Longest parts of an address, in bytes (RFC 5321 §4.5.3.1).
const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 255;

/// The fingerprint by which a person is found: of the address, trimmed and in lower case.
#[must_use]
pub fn email_hash(key: &FingerprintKey, address: &str) -> String {
    key.fingerprint(address.trim().to_lowercase().as_bytes())
}

/// The hashes of the addresses in `text`, and the text without them where they are to be hidden.
pub(super) fn look<'t>(key: &FingerprintKey, emails: Emails, text: Cow<'t, str>) -> (Cow<'t, str>, Vec<String>) {
    let found = find(&text);
    if found.is_empty() {
        return (text, Vec::new());
    }
    let hash_of = |range: &Range<usize>| email_hash(key, &text[range.clone()].replace("%40", "@"));
    let hashes: Vec<String> = found.iter().map(hash_of).collect();
    if emails == Emails::Keep {
        return (text, hashes);
    }
    let mut hidden = String::with_capacity(text.len() + found.len() * 24);
    let mut copied = 0;
    for (range, hash) in found.iter().zip(&hashes) {
        hidden.push_str(&text[copied..range.start]);
        hidden.push_str("[email:");
        hidden.push_str(hash);
        hidden.push(']');
        copied = range.end;
    }
    hidden.push_str(&text[copied..]);
    (Cow::Owned(hidden), hashes)
}

/// Where addresses stand.
fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in memchr::memchr2_iter(b'@', b'%', bytes) {
        let sign = match bytes[at] {
            b'@' => 1,
            _ if bytes[at..].starts_with(b"%40") => 3,
            _ => continue,
        };
        let floor = found.last().map_or(0, |last| last.end);
        if at < floor {
            continue;
        }
        let local = bytes[floor..at].iter().rev().take(MAX_LOCAL + 1).take_while(|byte| is_local(**byte)).count();
        let dots = bytes[at - local..at].iter().take_while(|byte| matches!(byte, b'.' | b'-' | b'\'' | b'%')).count();
        let start = at - local + dots;
        let end = domain_end(bytes, at + sign);
        let is_user_of_url = bytes[..start].ends_with(b"//");
        if start < at
            && local <= MAX_LOCAL
            && !is_user_of_url
            && let Some(end) = end
        {
            found.push(start..end);
        }
    }
    found
}

/// Letters of the part before `@`.
const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}

/// The end of a domain of two labels and more whose last is made of letters.
fn domain_end(bytes: &[u8], start: usize) -> Option<usize> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'.' | b'-');
    let length = bytes[start..].iter().take(MAX_DOMAIN).take_while(|byte| is_letter(byte)).count();
    let domain = &bytes[start..start + length];
    let trimmed = domain.iter().rev().skip_while(|byte| matches!(byte, b'.' | b'-')).count();
    let domain = &domain[..trimmed];
    let last = domain.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_name = last.len() >= 2
        && last.len() < domain.len()
        && last.iter().all(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        && domain.split(|byte| *byte == b'.').all(|label| !label.is_empty());
    is_name.then_some(start + trimmed)
}

#[cfg(test)]
mod tests {
    use super::{Emails, email_hash, find, look};
    use crate::scrub::FingerprintKey;
    use std::borrow::Cow;

    #[test]
    fn addresses_are_told_from_what_looks_like_them() {
        for (text, expected) in [
            ("somebody@mail.example", &["somebody@mail.example"][..]),
            ("from <a.b+c@mail.example>, to d_e@x.mail.example.", &["a.b+c@mail.example", "d_e@x.mail.example"]),
            ("login_hint=so%40mail.example&x=1", &["so%40mail.example"]),
            ("BÜRO@Bücher.example!", &["BÜRO@Bücher.example"]),
            ("'x@y.example'", &["x@y.example"]),
            ("pkg@1.2.3 and actions/checkout@v4, @scope/name", &[]),
            ("https://user@mail.example/a", &[]),
            ("user@host and @ alone, a@.example", &[]),
        ] {
            let found: Vec<&str> = find(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_hidden_address_leaves_its_hash_and_stays_hidden() {
        let key = FingerprintKey::new(b"test");
        let (hidden, hashes) = look(&key, Emails::Hide, Cow::Borrowed("for Some@Mail.example only"));
        let hash = email_hash(&key, " some@mail.EXAMPLE ");
        assert_eq!(hashes, std::slice::from_ref(&hash));
        assert_eq!(hidden, format!("for [email:{hash}] only"));
        assert_eq!(look(&key, Emails::Hide, hidden.clone()), (hidden, Vec::new()));
    }
}
