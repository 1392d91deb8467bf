//! SAML assertions as they stand in XML (SAML 2.0 core §2.3.3): whoever has one is let in, so the whole element goes, or
//! all of it that was not cut off. In base64 they are known by their shape (`shapes`).

use super::kind::SecretKind;
use super::scan::{Found, View};

/// Names of the elements.
const ELEMENTS: [&[u8]; 2] = [b"Assertion", b"EncryptedAssertion"];

/// Longest prefix of a namespace.
const MAX_PREFIX: usize = 16;

/// The assertion whose start tag has its namespace's colon at `colon`.
pub(super) fn at_colon(view: View<'_>, colon: usize) -> Option<Found> {
    let bytes = view.bytes;
    let name = ELEMENTS.into_iter().find(|name| bytes[colon + 1..].starts_with(name))?;
    let ends_name = bytes.get(colon + 1 + name.len()).is_none_or(|byte| matches!(byte, b' ' | b'>' | b'\n' | b'\r'));
    let prefix =
        bytes[view.floor..colon].iter().rev().take(MAX_PREFIX).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let start = colon.checked_sub(prefix + 1).filter(|start| *start >= view.floor)?;
    if !ends_name || prefix == 0 || bytes[start] != b'<' {
        return None;
    }
    let qualified = &bytes[start + 1..colon + 1 + name.len()];
    Some(Found::plain(start, element_end(bytes, colon, qualified), SecretKind::Assertion))
}

/// The end of the element's end tag, or of the text.
fn element_end(bytes: &[u8], from: usize, name: &[u8]) -> usize {
    let closing = [b"</", name, b">"].concat();
    let found = bytes[from..].windows(closing.len()).position(|window| window == closing);
    found.map_or(bytes.len(), |length| from + length + closing.len())
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FingerprintKey, Scrubber};

    #[test]
    fn an_assertion_goes_whole_or_as_far_as_it_is_there() {
        let scrubber = Scrubber::new(FingerprintKey::new(b"test"));
        let body = "<saml:Assertion ID=\"_1\"><saml:Subject>u</saml:Subject></saml:Assertion>";
        for (text, expected) in [
            (format!("got {body} from idp"), "got [redacted:assertion] from idp".to_owned()),
            (format!("got {}", &body[..40]), "got [redacted:assertion]".to_owned()),
            (body.replace('<', "&lt;").replace('>', "&gt;"), "[redacted:assertion]".to_owned()),
        ] {
            assert_eq!(scrubber.scrub_text(&text).text, expected);
        }
        let prose = "urn:oasis:names:tc:SAML:2.0:assertion, saml:Assertion is missing";
        assert_eq!(scrubber.scrub_text(prose).text, prose);
    }
}
