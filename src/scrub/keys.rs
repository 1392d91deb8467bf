//! Data: the names before a separator that say "what follows is a secret", and how sure each name is.
//!
//! Names are compared in a normal form: lower case, without `_` and `-` (`X-Api-Key`, `api_key` and `apiKey` are one).
//! Sources: RFC 6749, 7636, 7521, 8628, 8693, OpenID Connect Core for the OAuth parameters; the vendors' header and
//! environment names as they document them. How a value is then read stands in `position`.

use super::kind::SecretKind;
use rustc_hash::FxHashMap;

/// How sure a name makes us that its value is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Whatever stands there goes, except placeholders, masks and words about the value.
    Always,
    /// Goes in a query or form, and where the value does not look like words.
    Opaque,
    /// Goes in a query or form; elsewhere only a long random-looking value (`code` and `state` mean other things too).
    Query,
    /// A place that repeats its input (`Received=`): goes when it does not look like words.
    Echo,
    /// An `Authorization` header: scheme, then credentials.
    Credentials,
    /// `Cookie` and `Set-Cookie`: pairs, then attributes.
    Cookies,
    /// The second half of `{"name": …, "value": …}`: what it is, the name before it says.
    Paired,
    /// A private number of a JSON Web Key: 32 characters of base64url at least.
    KeyNumber,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRule {
    /// Kind of the value.
    pub(super) kind: SecretKind,
    /// When the value is taken for a secret.
    pub(super) manner: Manner,
}

use Manner::{Always, Cookies, Credentials, Echo, KeyNumber, Opaque, Paired, Query};
use SecretKind as Kind;

/// Names that match whole.
const EXACT: &[(&str, SecretKind, Manner)] = &[
    ("authorization", Kind::Authorization, Credentials),
    ("proxyauthorization", Kind::Authorization, Credentials),
    ("xforwardedauthorization", Kind::Authorization, Credentials),
    ("xoriginalauthorization", Kind::Authorization, Credentials),
    ("xserverlessauthorization", Kind::Authorization, Credentials),
    ("httpauthorization", Kind::Authorization, Credentials),
    ("authheader", Kind::Authorization, Credentials),
    ("cookie", Kind::Cookie, Cookies),
    ("setcookie", Kind::Cookie, Cookies),
    ("httpcookie", Kind::Cookie, Cookies),
    ("dpop", Kind::Dpop, Always),
    ("bearer", Kind::Bearer, Opaque),
    ("jwt", Kind::Jwt, Opaque),
    ("token", Kind::Token, Opaque),
    ("authtoken", Kind::Token, Always),
    ("xauth", Kind::Token, Opaque),
    ("oauth2bearer", Kind::Bearer, Always),
    ("idtokenhint", Kind::IdToken, Always),
    ("code", Kind::AuthorizationCode, Query),
    ("authcode", Kind::AuthorizationCode, Always),
    ("authorizationcode", Kind::AuthorizationCode, Always),
    ("state", Kind::State, Query),
    ("oauthstate", Kind::State, Opaque),
    ("nonce", Kind::Nonce, Opaque),
    ("cnonce", Kind::Nonce, Opaque),
    ("verifier", Kind::CodeVerifier, Opaque),
    ("codeverifier", Kind::CodeVerifier, Always),
    ("pkceverifier", Kind::CodeVerifier, Always),
    ("oauthverifier", Kind::CodeVerifier, Always),
    ("devicecode", Kind::DeviceCode, Always),
    ("usercode", Kind::DeviceCode, Always),
    ("otp", Kind::DeviceCode, Opaque),
    ("passcode", Kind::DeviceCode, Opaque),
    ("mfacode", Kind::DeviceCode, Always),
    ("assertion", Kind::Assertion, Opaque),
    ("clientassertion", Kind::Assertion, Always),
    ("samlresponse", Kind::Assertion, Opaque),
    ("samlrequest", Kind::Assertion, Opaque),
    ("samlassertion", Kind::Assertion, Opaque),
    ("key", Kind::ApiKey, Opaque),
    ("authkey", Kind::ApiKey, Opaque),
    ("virtualkey", Kind::ApiKey, Always),
    ("masterkey", Kind::ApiKey, Always),
    ("servicekey", Kind::ApiKey, Always),
    ("servicerolekey", Kind::ApiKey, Always),
    ("subscriptionkey", Kind::ApiKey, Always),
    ("accountkey", Kind::ApiKey, Always),
    ("storagekey", Kind::ApiKey, Always),
    ("sharedaccesskey", Kind::ApiKey, Always),
    ("functionskey", Kind::ApiKey, Always),
    ("appkey", Kind::ApiKey, Opaque),
    ("signingkey", Kind::Secret, Always),
    ("encryptionkey", Kind::Secret, Always),
    ("secret", Kind::Secret, Always),
    ("auth", Kind::Secret, Opaque),
    ("credential", Kind::Secret, Opaque),
    ("credentials", Kind::Secret, Opaque),
    ("password", Kind::Password, Always),
    ("passwd", Kind::Password, Always),
    ("passphrase", Kind::Password, Always),
    ("pass", Kind::Password, Opaque),
    ("pwd", Kind::Password, Opaque),
    ("pgpassword", Kind::Password, Always),
    ("authpass", Kind::Password, Always),
    ("session", Kind::Cookie, Opaque),
    ("connectsid", Kind::Cookie, Always),
    ("jsessionid", Kind::Cookie, Always),
    ("phpsessid", Kind::Cookie, Always),
    ("sig", Kind::Signature, Opaque),
    ("signature", Kind::Signature, Opaque),
    ("xamzsignature", Kind::Signature, Always),
    ("xgoogsignature", Kind::Signature, Always),
    ("xhubsignature", Kind::Signature, Always),
    ("xhubsignature256", Kind::Signature, Always),
    ("xslacksignature", Kind::Signature, Always),
    ("privatekey", Kind::PemPrivateKey, Always),
    ("d", Kind::PemPrivateKey, KeyNumber),
    ("p", Kind::PemPrivateKey, KeyNumber),
    ("q", Kind::PemPrivateKey, KeyNumber),
    ("dp", Kind::PemPrivateKey, KeyNumber),
    ("dq", Kind::PemPrivateKey, KeyNumber),
    ("qi", Kind::PemPrivateKey, KeyNumber),
    ("k", Kind::PemPrivateKey, KeyNumber),
    ("value", Kind::Secret, Paired),
    ("inputvalue", Kind::Secret, Echo),
    ("input", Kind::Secret, Echo),
    ("received", Kind::Secret, Echo),
    ("provided", Kind::Secret, Echo),
    ("supplied", Kind::Secret, Echo),
    ("got", Kind::Secret, Echo),
];

/// Ends of longer names (`GITHUB_TOKEN`, `x-vendor-api-key`), the first that fits wins.
const SUFFIXES: &[(&str, SecretKind, Manner)] = &[
    ("refreshtoken", Kind::RefreshToken, Always),
    ("idtoken", Kind::IdToken, Always),
    ("accesstoken", Kind::AccessToken, Always),
    ("bearertoken", Kind::Bearer, Always),
    ("subjecttoken", Kind::AccessToken, Always),
    ("actortoken", Kind::AccessToken, Always),
    ("csrftoken", Kind::Token, Always),
    ("authtoken", Kind::Token, Always),
    ("token", Kind::Token, Always),
    ("clientsecret", Kind::ClientSecret, Always),
    ("secretkey", Kind::ApiKey, Always),
    ("secretaccesskey", Kind::ApiKey, Always),
    ("accesskey", Kind::ApiKey, Always),
    ("secret", Kind::Secret, Always),
    ("apikey", Kind::ApiKey, Always),
    ("functionskey", Kind::ApiKey, Always),
    ("subscriptionkey", Kind::ApiKey, Always),
    ("accountkey", Kind::ApiKey, Always),
    ("privatekey", Kind::PemPrivateKey, Always),
    ("signingkey", Kind::Secret, Always),
    ("encryptionkey", Kind::Secret, Always),
    ("codeverifier", Kind::CodeVerifier, Always),
    ("password", Kind::Password, Always),
    ("passwd", Kind::Password, Always),
    ("passphrase", Kind::Password, Always),
    ("clientassertion", Kind::Assertion, Always),
    ("sessioncookie", Kind::Cookie, Always),
];

/// Beginnings that turn a name into a statement about a secret (`invalid_token: …`, `missing_api_key=…`), plus
/// names that count or name tokens instead of holding one.
const STATEMENTS: &[&str] = &[
    "invalid",
    "expired",
    "missing",
    "bad",
    "unknown",
    "unsupported",
    "revoked",
    "insufficient",
    "no",
    "wrong",
    "malformed",
    "incorrect",
    "require",
    "requires",
    "has",
    "have",
    "is",
    "with",
    "without",
    "unexpected",
    "num",
    "max",
    "min",
    "public",
    "next",
    "previous",
    "page",
    "continuation",
    "pagination",
    "cursor",
    "sync",
    "cancellation",
    "progress",
    "unauthorized",
];

/// The longest name that is looked at; longer words are no parameter names.
pub(super) const MAX_NAME: usize = 64;

/// A name in normal form on the stack.
pub(super) struct Normal {
    letters: [u8; MAX_NAME],
    length: usize,
}

impl Normal {
    /// The normal form of the parts written one after the other, or `None` when that is too long.
    pub(super) fn of(parts: &[&[u8]]) -> Option<Self> {
        let mut normal = Self { letters: [0; MAX_NAME], length: 0 };
        for byte in parts.iter().flat_map(|part| part.iter()) {
            if matches!(byte, b'_' | b'-') {
                continue;
            }
            *normal.letters.get_mut(normal.length)? = byte.to_ascii_lowercase();
            normal.length += 1;
        }
        Some(normal)
    }

    /// The letters of the normal form.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}

/// One row of the table of endings.
type Suffix = (&'static str, SecretKind, Manner);

/// The table of names, prepared for look-up.
pub(super) struct Keys {
    exact: FxHashMap<&'static [u8], KeyRule>,
    /// Endings by their last letter, in the order of the table.
    suffixes: Vec<Vec<&'static Suffix>>,
    /// For the last three letters whether any name or ending has them: rejects most words without a hash.
    endings: Vec<bool>,
}

/// Place of three letters in [`Keys`]' table of endings; the lower five bits make upper and lower case one.
const fn ending(letters: [u8; 3]) -> usize {
    (letters[0] as usize & 31) << 10 | (letters[1] as usize & 31) << 5 | (letters[2] as usize & 31)
}

impl Keys {
    /// Prepares the tables above.
    pub(super) fn new() -> Self {
        let mut exact = FxHashMap::default();
        let mut suffixes = vec![Vec::new(); 256];
        let mut endings = vec![false; 1 << 15];
        for (name, kind, manner) in EXACT {
            exact.insert(name.as_bytes(), KeyRule { kind: *kind, manner: *manner });
        }
        for suffix in SUFFIXES {
            suffixes[usize::from(suffix.0.as_bytes()[suffix.0.len() - 1])].push(suffix);
        }
        for (name, _, _) in EXACT.iter().chain(SUFFIXES) {
            endings[ending(last_three(name.as_bytes()))] = true;
        }
        Self { exact, suffixes, endings }
    }

    /// A cheap test that lets every name of the table pass and few other words: by the last three letters of `text`.
    pub(super) fn may_end(&self, text: &[u8]) -> bool {
        self.endings[ending(last_three(text))]
    }

    /// As [`Self::find`], but a longer name that merely ends well is not taken.
    pub(super) fn find_whole(&self, name: &Normal) -> Option<KeyRule> {
        let letters = name.as_bytes();
        let as_suffix = SUFFIXES.iter().find(|(suffix, _, _)| suffix.as_bytes() == letters);
        let rule = as_suffix.map(|(_, kind, manner)| KeyRule { kind: *kind, manner: *manner });
        self.exact.get(letters).copied().or(rule)
    }

    /// What the name stands for, if it is the name of a secret.
    pub(super) fn find(&self, name: &Normal) -> Option<KeyRule> {
        let letters = name.as_bytes();
        if let Some(rule) = self.exact.get(letters) {
            return Some(*rule);
        }
        let same_end = &self.suffixes[usize::from(*letters.last()?)];
        let (_, kind, manner) = same_end.iter().find(|(suffix, _, _)| letters.ends_with(suffix.as_bytes()))?;
        let is_statement = STATEMENTS.iter().any(|word| letters.starts_with(word.as_bytes()));
        (!is_statement).then_some(KeyRule { kind: *kind, manner: *manner })
    }
}

/// The last three letters; zeros stand for what is no letter or digit and for everything before it.
fn last_three(text: &[u8]) -> [u8; 3] {
    let mut letters = [0; 3];
    for (place, byte) in text.iter().rev().take(3).take_while(|byte| byte.is_ascii_alphanumeric()).enumerate() {
        letters[2 - place] = *byte;
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::{EXACT, Keys, Normal, SUFFIXES};
    use crate::scrub::kind::SecretKind;

    fn kind_of(name: &str) -> Option<SecretKind> {
        Keys::new().find(&Normal::of(&[name.as_bytes()])?).map(|rule| rule.kind)
    }

    #[test]
    fn spellings_of_one_name_are_one() {
        for name in ["api_key", "apiKey", "API-KEY", "ApiKey", "x-litellm-api-key", "OPENAI_API_KEY"] {
            assert_eq!(kind_of(name), Some(SecretKind::ApiKey), "{name}");
        }
        assert_eq!(kind_of("GITHUB_TOKEN"), Some(SecretKind::Token));
        assert_eq!(kind_of("clientSecret"), Some(SecretKind::ClientSecret));
    }

    #[test]
    fn names_about_secrets_hold_none() {
        for name in
            ["token_endpoint", "token_type", "invalid_token", "client_secret_post", "key_id", "max_tokens", "client_id"]
        {
            assert_eq!(kind_of(name), None, "{name}");
        }
    }

    #[test]
    fn the_quick_test_lets_every_name_pass() {
        let keys = Keys::new();
        for (name, _, _) in EXACT.iter().chain(SUFFIXES) {
            let letters = name.as_bytes();
            assert!(keys.may_end(letters) && keys.may_end(&letters.to_ascii_uppercase()), "{name}");
            assert!(keys.may_end(&[b"; ", letters].concat()), "{name}");
            assert!(Normal::of(&[letters]).is_some());
        }
    }
}
