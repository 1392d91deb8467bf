//! Looking up the names before a separator that say "what follows is a secret"; the names stand in `key_names`.
//!
//! Names are compared in a normal form: lower case, without `_` and `-` (`X-Api-Key`, `api_key` and `apiKey` are one).
//! A name counts whole, by its end, or by its last word; a number or a qualifier behind it does not matter
//! (`API_KEY_2`). How a value is then read stands in `position`.

use super::key_names::{EXACT, HARMLESS, LAST_WORDS, NameRow, OTHER_KEYS, QUALIFIERS, STATEMENTS, SUFFIXES};
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

/// The table of names, prepared for look-up.
pub(super) struct Keys {
    exact: FxHashMap<&'static [u8], KeyRule>,
    /// Endings by their last letter, in the order of the table.
    suffixes: Vec<Vec<&'static NameRow>>,
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
        self.find_unqualified(without_number(unqualified)).filter(|rule| rule.manner == Manner::Always)
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
