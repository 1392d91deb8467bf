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
    /// Goes when it looks random and is long: names that end like a secret's and mostly are none.
    Random,
    /// A short name of a password: goes unless it is a number, a path or a sentence.
    Plain,
    /// The name of a field whose value follows elsewhere: `name="client_secret"`, an empty line, the value.
    FieldName,
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

use Manner::{Always, Cookies, Credentials, Echo, FieldName, KeyNumber, Opaque, Paired, Plain, Query, Random};
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
    ("relaystate", Kind::State, Query),
    ("ticket", Kind::Token, Query),
    ("nonce", Kind::Nonce, Opaque),
    ("cnonce", Kind::Nonce, Opaque),
    ("verifier", Kind::CodeVerifier, Opaque),
    ("codeverifier", Kind::CodeVerifier, Always),
    ("pkceverifier", Kind::CodeVerifier, Always),
    ("oauthverifier", Kind::CodeVerifier, Always),
    ("devicecode", Kind::DeviceCode, Always),
    ("usercode", Kind::DeviceCode, Always),
    ("otp", Kind::DeviceCode, Always),
    ("totp", Kind::DeviceCode, Always),
    ("passcode", Kind::DeviceCode, Always),
    ("verificationcode", Kind::DeviceCode, Always),
    ("onetimecode", Kind::DeviceCode, Always),
    ("recoverycode", Kind::DeviceCode, Always),
    ("backupcode", Kind::DeviceCode, Always),
    ("authreqid", Kind::DeviceCode, Opaque),
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
    ("appkey", Kind::ApiKey, Always),
    ("xauthkey", Kind::ApiKey, Always),
    ("fastlykey", Kind::ApiKey, Always),
    ("xmasterkey", Kind::ApiKey, Always),
    ("licensekey", Kind::ApiKey, Always),
    ("xkey", Kind::ApiKey, Opaque),
    ("signingkey", Kind::Secret, Always),
    ("encryptionkey", Kind::Secret, Always),
    ("secret", Kind::Secret, Always),
    ("auth", Kind::Secret, Opaque),
    ("credential", Kind::Secret, Opaque),
    ("credentials", Kind::Secret, Opaque),
    ("password", Kind::Password, Always),
    ("passwd", Kind::Password, Always),
    ("passphrase", Kind::Password, Always),
    ("pass", Kind::Password, Plain),
    ("pwd", Kind::Password, Plain),
    ("pw", Kind::Password, Plain),
    ("psw", Kind::Password, Plain),
    ("bindpw", Kind::Password, Always),
    ("storepass", Kind::Password, Always),
    ("keypass", Kind::Password, Always),
    ("passphrase", Kind::Password, Always),
    ("mnemonic", Kind::Secret, Always),
    ("pgpassword", Kind::Password, Always),
    ("authpass", Kind::Password, Always),
    ("session", Kind::Cookie, Opaque),
    ("sid", Kind::Cookie, Random),
    ("netsessionid", Kind::Cookie, Always),
    ("aspsessionid", Kind::Cookie, Always),
    ("connect.sid", Kind::Cookie, Always),
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
    ("passwordhash", Kind::Password, Always),
    ("d", Kind::PemPrivateKey, KeyNumber),
    ("p", Kind::PemPrivateKey, KeyNumber),
    ("q", Kind::PemPrivateKey, KeyNumber),
    ("dp", Kind::PemPrivateKey, KeyNumber),
    ("dq", Kind::PemPrivateKey, KeyNumber),
    ("qi", Kind::PemPrivateKey, KeyNumber),
    ("k", Kind::PemPrivateKey, KeyNumber),
    ("value", Kind::Secret, Paired),
    ("string", Kind::Secret, Paired),
    ("name", Kind::Secret, FieldName),
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
    ("applicationkey", Kind::ApiKey, Always),
    ("serviceaccountkey", Kind::ApiKey, Always),
    ("masterkey", Kind::ApiKey, Always),
    ("sharedkey", Kind::ApiKey, Always),
    ("hmackey", Kind::Secret, Always),
    ("keymaterial", Kind::Secret, Always),
    ("privatekeypem", Kind::PemPrivateKey, Always),
    ("secretkeybase", Kind::Secret, Always),
    ("seedphrase", Kind::Secret, Always),
    ("recoverycodes", Kind::DeviceCode, Always),
    ("apikeys", Kind::ApiKey, Always),
    ("accesstokens", Kind::AccessToken, Opaque),
    ("passwords", Kind::Password, Opaque),
    ("tokens", Kind::Token, Random),
    ("secrets", Kind::Secret, Random),
];

/// Last words of longer names (`DB_PASS`, `stripe-key`, `userJwt`); only with something before them.
const LAST_WORDS: &[(&str, SecretKind, Manner)] = &[
    ("pass", Kind::Password, Plain),
    ("pwd", Kind::Password, Plain),
    ("pw", Kind::Password, Plain),
    ("pat", Kind::Token, Random),
    ("auth", Kind::Secret, Random),
    ("jwt", Kind::Jwt, Opaque),
    ("credential", Kind::Secret, Opaque),
    ("credentials", Kind::Secret, Opaque),
    ("creds", Kind::Secret, Opaque),
    ("signature", Kind::Signature, Opaque),
    ("hmac", Kind::Signature, Opaque),
    ("assertion", Kind::Assertion, Opaque),
    ("nonce", Kind::Nonce, Opaque),
    ("otp", Kind::DeviceCode, Opaque),
    ("session", Kind::Cookie, Random),
    ("sid", Kind::Cookie, Random),
    ("salt", Kind::Secret, Random),
    ("key", Kind::ApiKey, Random),
];

/// Words before `key` that make it the name of something else.
const OTHER_KEYS: &[&str] = &[
    "sort",
    "partition",
    "primary",
    "foreign",
    "routing",
    "cache",
    "idempotency",
    "public",
    "object",
    "group",
    "index",
    "lookup",
    "map",
    "row",
    "dedup",
    "dedupe",
    "deduplication",
    "shard",
    "tag",
    "label",
    "translation",
    "message",
    "event",
    "kafka",
    "record",
    "file",
    "config",
    "hash",
    "range",
    "s3",
    "storage",
    "issue",
    "project",
    "feature",
    "flag",
    "i18n",
    "unique",
    "natural",
    "composite",
    "correlation",
    "request",
    "registry",
    "ordering",
    "bucket",
    "host",
    "known",
    "verify",
    "verification",
    "metric",
    "property",
    "attribute",
    "column",
    "search",
    "the",
    "a",
    "session",
    "lock",
    "rate",
    "limit",
    "job",
    "queue",
    "topic",
    "blob",
    "data",
    "dict",
    "react",
    "item",
    "component",
];

/// Ends of names that say which one it is, not what (`API_KEY_PROD`, `client_secret_value`).
const QUALIFIERS: &[&str] = &[
    "value",
    "prod",
    "production",
    "staging",
    "stage",
    "dev",
    "development",
    "test",
    "old",
    "new",
    "raw",
    "base64",
    "b64",
    "str",
    "string",
    "text",
    "plain",
    "plaintext",
    "encoded",
    "current",
    "previous",
    "primary",
    "secondary",
    "default",
    "main",
    "admin",
    "live",
    "sandbox",
    "env",
    "input",
    "param",
    "v",
    "eu",
    "us",
    "ro",
    "rw",
    "hash",
];

/// Names of tokens and keys that give no access.
const HARMLESS: &[&str] = &[
    "nextpagetoken",
    "nexttoken",
    "pagetoken",
    "previouspagetoken",
    "prevpagetoken",
    "synctoken",
    "nextsynctoken",
    "continuationtoken",
    "nextcontinuationtoken",
    "paginationtoken",
    "pagingtoken",
    "cursortoken",
    "cancellationtoken",
    "progresstoken",
    "starttoken",
    "resumetoken",
    "endtoken",
    "skiptoken",
    "deltatoken",
    "eostoken",
    "bostoken",
    "padtoken",
    "unktoken",
    "septoken",
    "clstoken",
    "masktoken",
    "stoptoken",
    "firsttoken",
    "lasttoken",
    "idempotencytoken",
    "clientrequesttoken",
    "unexpectedtoken",
    "nexttokens",
    "maxtokens",
    "prompttokens",
    "completiontokens",
    "totaltokens",
    "inputtokens",
    "outputtokens",
    "cachedtokens",
    "reasoningtokens",
    "mintokens",
    "numtokens",
    "contexttokens",
    "usedtokens",
    "remainingtokens",
    "stoptokens",
    "newtokens",
    "maxnewtokens",
    "maxcompletiontokens",
    "maxoutputtokens",
    "imagepullsecrets",
    "ratelimittokens",
];

/// First words that turn a name into a statement about a secret: `invalid_token: …`, `missing_api_key=…`.
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
    "required",
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
    "unauthorized",
    "hashed",
    "redacted",
    "masked",
    "use",
    "uses",
    "allow",
    "enable",
    "disable",
    "validate",
    "verify",
    "supports",
    "need",
    "needs",
    "count",
    "empty",
    "duplicate",
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
        let names = EXACT.iter().chain(SUFFIXES).chain(LAST_WORDS).map(|(name, _, _)| *name);
        for name in names.chain(QUALIFIERS.iter().copied()) {
            endings[ending(last_three(name.as_bytes()))] = true;
        }
        Self { exact, suffixes, endings }
    }

    /// A cheap test that lets every name of the tables pass and few other words: by the last three letters of `text`.
    pub(super) fn may_end(&self, text: &[u8]) -> bool {
        self.endings[ending(last_three(without_number(text)))]
    }

    /// As [`Self::find`], but a longer name that merely ends well is not taken.
    pub(super) fn find_whole(&self, name: &Normal) -> Option<KeyRule> {
        let letters = name.as_bytes();
        let as_suffix = SUFFIXES.iter().find(|(suffix, _, _)| suffix.as_bytes() == letters);
        let rule = as_suffix.map(|(_, kind, manner)| KeyRule { kind: *kind, manner: *manner });
        self.exact.get(letters).copied().or(rule)
    }

    /// What a name with dots in it stands for as a whole (`connect.sid`).
    pub(super) fn find_dotted(&self, written: &[u8]) -> Option<KeyRule> {
        Normal::of(&[written]).and_then(|normal| self.exact.get(normal.as_bytes()).copied())
    }

    /// What the name, as it is written, stands for, if it is the name of a secret.
    pub(super) fn find(&self, written: &[u8]) -> Option<KeyRule> {
        let name = without_number(written);
        if let Some(rule) = self.find_unqualified(name) {
            return Some(rule);
        }
        let last = last_word(name);
        let is_qualified =
            last.len() < name.len() && QUALIFIERS.iter().any(|one| last.eq_ignore_ascii_case(one.as_bytes()));
        let shorter =
            name[..name.len() - last.len()].strip_suffix(b"_").or(name[..name.len() - last.len()].strip_suffix(b"-"));
        let unqualified = is_qualified.then(|| shorter.unwrap_or(&name[..name.len() - last.len()]))?;
        self.find_unqualified(without_number(unqualified)).filter(|rule| rule.manner == Always)
    }

    fn find_unqualified(&self, written: &[u8]) -> Option<KeyRule> {
        let normal = Normal::of(&[written])?;
        let letters = normal.as_bytes();
        if let Some(rule) = self.exact.get(letters) {
            return Some(*rule);
        }
        if is_statement(written) || HARMLESS.iter().any(|one| one.as_bytes() == letters) {
            return None;
        }
        let same_end = &self.suffixes[usize::from(*letters.last()?)];
        if let Some((_, kind, manner)) = same_end.iter().find(|(suffix, _, _)| letters.ends_with(suffix.as_bytes())) {
            return Some(KeyRule { kind: *kind, manner: *manner });
        }
        let last = last_word(written);
        if last.len() == written.len() {
            return None;
        }
        let (word, kind, manner) = LAST_WORDS.iter().find(|(word, _, _)| last.eq_ignore_ascii_case(word.as_bytes()))?;
        let before = last_word(written[..written.len() - last.len()].trim_ascii_end());
        let before = before.strip_suffix(b"_").or(before.strip_suffix(b"-")).unwrap_or(before);
        let is_other = *word == "key" && OTHER_KEYS.iter().any(|one| before.eq_ignore_ascii_case(one.as_bytes()));
        (!is_other).then_some(KeyRule { kind: *kind, manner: *manner })
    }
}

/// Whether the name's first word makes it a statement.
fn is_statement(written: &[u8]) -> bool {
    let separator = written.iter().position(|byte| matches!(byte, b'_' | b'-'));
    let hump = written.windows(2).position(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let end = separator.unwrap_or(written.len()).min(hump.map_or(written.len(), |place| place + 1));
    let first = &written[..end];
    // Long ones are also known without a boundary: `invalidtoken`.
    let begins = |word: &str| {
        word.len() >= 7 && written.len() >= word.len() && written[..word.len()].eq_ignore_ascii_case(word.as_bytes())
    };
    STATEMENTS.iter().any(|word| first.eq_ignore_ascii_case(word.as_bytes()) || begins(word))
}

/// The last word of a name: after `_`, `-`, or where a capital follows a small letter.
fn last_word(name: &[u8]) -> &[u8] {
    let trimmed = name.strip_suffix(b"_").or(name.strip_suffix(b"-")).unwrap_or(name);
    let separator = trimmed.iter().rposition(|byte| matches!(byte, b'_' | b'-')).map_or(0, |place| place + 1);
    let hump = trimmed
        .windows(2)
        .rposition(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
        .map_or(0, |place| place + 1);
    &name[separator.max(hump)..]
}

/// The name without a number of one or two digits at its end, and without the separator before that.
fn without_number(name: &[u8]) -> &[u8] {
    let digits = name.iter().rev().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 2 {
        return name;
    }
    let head = &name[..name.len() - digits];
    head.strip_suffix(b"_").or(head.strip_suffix(b"-")).unwrap_or(head)
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
    use super::{EXACT, Keys, LAST_WORDS, Normal, SUFFIXES};
    use crate::scrub::kind::SecretKind;

    fn kind_of(name: &str) -> Option<SecretKind> {
        Keys::new().find(name.as_bytes()).map(|rule| rule.kind)
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
        for name in [
            "token_endpoint",
            "token_type",
            "invalid_token",
            "client_secret_post",
            "key_id",
            "max_tokens",
            "client_id",
            "sort_key",
            "nextPageToken",
            "has_secret",
            "prompt_tokens",
        ] {
            assert_eq!(kind_of(name), None, "{name}");
        }
    }

    #[test]
    fn the_quick_test_lets_every_name_pass() {
        let keys = Keys::new();
        for (name, _, _) in EXACT.iter().chain(SUFFIXES).chain(LAST_WORDS) {
            let letters = name.as_bytes();
            assert!(keys.may_end(letters) && keys.may_end(&letters.to_ascii_uppercase()), "{name}");
            assert!(keys.may_end(&[b"; ", letters].concat()), "{name}");
            assert!(Normal::of(&[letters]).is_some());
        }
    }
}
