//! Secrets out of texts, before anything else sees them.
//!
//! [`Scrubber`] is pure: text in, text out, with a list of what was removed. It knows a secret by its *shape* (a
//! vendor's prefix, `shapes`) or by its *place* (a name before a separator `keys`, a scheme word `scheme`, a URL
//! `url`), through JSON in JSON, percent encoding, HTML entities and debug prints (`glyph`). It does not know the
//! event: whoever calls it walks the fields. What was removed never leaves it, only its kind and keyed fingerprint.
//!
//! Invariants: any text in, never a panic; time linear in the text; scrubbed text passes unchanged; a text without
//! secrets is borrowed, not copied. Encoded texts inside a text are looked at too, layer by layer (`layers`). Masks and placeholders of others, and words about secrets, stay word for word.
//!
//! Read next: `scan` (the pass), then `position`.

mod clean;
mod command_line;
mod cookie;
mod email;
mod event;
mod fingerprint;
mod glyph;
mod glyph_back;
mod key_names;
mod keys;
mod kind;
mod layers;
mod lines;
mod markup;
mod name;
mod pem;
mod position;
mod prefilter;
mod prose;
mod registry;
mod reveal;
mod runs;
mod scan;
mod scheme;
mod shapes;
mod structures;
mod url;
mod value;
mod word_lists;
mod words;
mod wrapped;

#[cfg(test)]
mod tests;

pub use email::{Emails, email_hash};
pub use event::scrub_event;
pub use fingerprint::FingerprintKey;
pub use kind::SecretKind;
pub use lines::LineScrubber;
pub use registry::scrub_registry;

use scan::{Found, Tables, find_all};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

/// How often a text that had secrets is looked at again, at most; once is nearly always enough to find nothing.
const MAX_SECOND_LOOKS: usize = 3;

/// For texts whose removals nobody asks about: log lines, answers.
static PLAIN: LazyLock<Scrubber> = LazyLock::new(|| Scrubber::new(FingerprintKey::new(b"")));

/// The text without its secrets, for logs and answers: nothing tells what was removed.
#[must_use]
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    PLAIN.scrub_text(text).text
}

/// One secret that was removed. Never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// What it was.
    pub kind: SecretKind,
    /// The keyed fingerprint of its raw value, percent-decoded where it stood in a query or form; for the kinds of
    /// [`SecretKind::has_fingerprint`], else absent.
    pub value_fingerprint: Option<String>,
}

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbed<'t> {
    /// The text with `[redacted:kind]` where secrets stood; borrowed when there were none.
    pub text: Cow<'t, str>,
    /// What was removed, in the order of the text.
    pub removals: Vec<Removal>,
    /// The hashes of the e-mail addresses that stand, or stood, in the text.
    pub email_hashes: Vec<String>,
}

impl Scrubbed<'_> {
    /// How many secrets of each kind were removed.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<SecretKind, u64> {
        let mut counts = BTreeMap::new();
        for removal in &self.removals {
            *counts.entry(removal.kind).or_insert(0) += 1;
        }
        counts
    }
}

/// Finds and replaces secrets; made once, used by reference from every thread.
pub struct Scrubber {
    tables: Tables,
    key: FingerprintKey,
    emails: Emails,
    /// What [`scrub_event`] found clean lately; it changes nothing but the time that the next event takes.
    known: Mutex<event::Known>,
}

impl Scrubber {
    /// Prepares the tables. `key` is what fingerprints of removed values are made with.
    #[must_use]
    pub fn new(key: FingerprintKey) -> Self {
        Self { tables: Tables::new(), key, emails: Emails::default(), known: Mutex::default() }
    }

    /// The same, treating e-mail addresses this way.
    #[must_use]
    pub fn with_emails(self, emails: Emails) -> Self {
        Self { emails, ..self }
    }

    /// The key that fingerprints are made with.
    #[must_use]
    pub const fn key(&self) -> &FingerprintKey {
        &self.key
    }

    /// Replaces every secret in `text` by `[redacted:kind]`.
    #[must_use]
    pub fn scrub_text<'t>(&self, text: &'t str) -> Scrubbed<'t> {
        let found = self.find(text);
        if found.is_empty() {
            return self.look_for_emails(Cow::Borrowed(text), Vec::new());
        }
        let mut clean = replace(text, &found);
        let mut removals = removals(found);
        // A replacement can make its surroundings more telling than they were (one text in about 200,000 random ones
        // strung together from telling pieces), so texts that had secrets are looked at again.
        for _ in 0..MAX_SECOND_LOOKS {
            let more = self.find(&clean);
            if more.is_empty() {
                break;
            }
            clean = replace(&clean, &more);
            removals.extend(self::removals(more));
        }
        self.look_for_emails(Cow::Owned(clean), removals)
    }

    /// The last step: addresses in what is left.
    fn look_for_emails<'t>(&self, text: Cow<'t, str>, mut removals: Vec<Removal>) -> Scrubbed<'t> {
        let (text, email_hashes) = email::look(&self.key, self.emails, text);
        if self.emails == Emails::Hide {
            let hidden = Removal { kind: SecretKind::Email, value_fingerprint: None };
            removals.extend(std::iter::repeat_n(hidden, email_hashes.len()));
        }
        Scrubbed { text, removals, email_hashes }
    }

    /// For fields that hold one URL: origin and path only. User information, query and fragment are dropped, secrets
    /// in the path replaced; what was secret in the dropped parts is listed in `removals` too (a `state` in a
    /// redirect URI is its `flow_id`).
    #[must_use]
    pub fn strip_url<'t>(&self, text: &'t str) -> Scrubbed<'t> {
        let cut = self.without_query(text);
        match without_user_information(&cut.text) {
            Some(text) => self.scrub_path(Scrubbed { text: Cow::Owned(text), ..cut }),
            None => self.scrub_path(cut),
        }
    }

    /// For fields that hold a path (`url_path`) or a URL: query and fragment are dropped, segments that are secrets
    /// replaced.
    #[must_use]
    pub fn scrub_url<'t>(&self, text: &'t str) -> Scrubbed<'t> {
        self.scrub_path(self.without_query(text))
    }

    /// The text up to `?` or `#`, scrubbed; a secret that spans the cut (a password with `#`) is replaced whole.
    fn without_query<'t>(&self, text: &'t str) -> Scrubbed<'t> {
        let found = self.find(text);
        let cut = text.find(['?', '#']).unwrap_or(text.len());
        let before_cut = found.iter().filter(|one| one.start < cut);
        let kept: Vec<Secret> = before_cut.map(|one| Secret { end: one.end.min(cut), ..one.clone() }).collect();
        let head = &text[..cut];
        let text = if kept.is_empty() { Cow::Borrowed(head) } else { Cow::Owned(replace(head, &kept)) };
        Scrubbed { text, removals: removals(found), email_hashes: Vec::new() }
    }

    /// What is left of a URL, looked at once more by itself, and its segments one by one.
    fn scrub_path<'t>(&self, cut: Scrubbed<'t>) -> Scrubbed<'t> {
        let mut removals = cut.removals;
        let mut text = cut.text;
        let mut email_hashes = Vec::new();
        for _ in 0..=MAX_SECOND_LOOKS {
            let again = self.scrub_text(&text);
            let is_clean = again.removals.is_empty();
            removals.extend(again.removals);
            email_hashes.extend(again.email_hashes);
            if let Cow::Owned(clean) = again.text {
                text = Cow::Owned(clean);
            }
            match replace_segments(&text) {
                Some((replaced, count)) => {
                    let segment = Removal { kind: SecretKind::ApiKey, value_fingerprint: None };
                    removals.extend(std::iter::repeat_n(segment, count));
                    text = Cow::Owned(replaced);
                }
                None if is_clean => break,
                None => {}
            }
        }
        Scrubbed { text, removals, email_hashes }
    }

    /// Every secret of the text and of the layers under it, in the order of the text.
    fn find(&self, text: &str) -> Vec<Secret> {
        let bytes = text.as_bytes();
        let mut secrets: Vec<Secret> =
            find_all(&self.tables, bytes).iter().map(|one| self.secret(bytes, one, (one.start, one.end))).collect();
        let layers = layers::under(bytes);
        for (depth, layer) in layers.iter().enumerate() {
            let outer = &layers[..=depth];
            let place_of =
                |one: &Found| (layers::place_in_text(outer, one.start), layers::place_in_text(outer, one.end));
            let found = find_all(&self.tables, &layer.text);
            if !found.is_empty() {
                let inner = found.iter().map(|one| self.secret(&layer.text, one, place_of(one))).collect();
                secrets = merge(secrets, inner);
            }
        }
        secrets
    }

    /// A find in `bytes`, standing at `place` in the whole text, with its fingerprint instead of its value.
    fn secret(&self, bytes: &[u8], found: &Found, (start, end): (usize, usize)) -> Secret {
        let has_fingerprint = found.kind.has_fingerprint();
        let fingerprint = has_fingerprint.then(|| self.key.fingerprint(&reveal::raw_value(bytes, found)));
        Secret { start, end, kind: found.kind, fingerprint }
    }
}

/// A secret's place in the whole text, and its fingerprint.
#[derive(Debug, Clone)]
struct Secret {
    start: usize,
    end: usize,
    kind: SecretKind,
    fingerprint: Option<String>,
}

/// The finds of a text and of a layer under it, both in order, as one list in order without overlaps.
fn merge(outer: Vec<Secret>, inner: Vec<Secret>) -> Vec<Secret> {
    let mut merged: Vec<Secret> = Vec::with_capacity(outer.len() + inner.len());
    let (mut outer, mut inner) = (outer.into_iter().peekable(), inner.into_iter().peekable());
    loop {
        let next = match (outer.peek(), inner.peek()) {
            (Some(one), Some(other)) if other.start < one.start => inner.next(),
            (Some(_), _) => outer.next(),
            (None, _) => inner.next(),
        };
        let Some(next) = next else { return merged };
        match merged.last_mut().filter(|last| next.start < last.end) {
            Some(last) => join(last, next),
            None => merged.push(next),
        }
    }
}

/// Makes one find of two that overlap, of which `last` begins first: what covers the other says what it is.
fn join(last: &mut Secret, next: Secret) {
    if next.end <= last.end {
        return;
    }
    if next.start == last.start {
        *last = next;
    } else {
        last.end = next.end;
    }
}

/// What was found, without the places.
fn removals(found: Vec<Secret>) -> Vec<Removal> {
    found.into_iter().map(|one| Removal { kind: one.kind, value_fingerprint: one.fingerprint }).collect()
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scrubber").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The text with each find replaced. Finds begin and end at ASCII characters or at the edges of values, hence always
/// at character boundaries; a find that does not is widened to the next ones, so that nothing of it stays.
fn replace(text: &str, found: &[Secret]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut copied = 0;
    for one in found {
        let start = text.floor_char_boundary(one.start).max(copied);
        clean.push_str(&text[copied..start]);
        clean.push_str("[redacted:");
        clean.push_str(one.kind.as_str());
        clean.push(']');
        copied = text.ceil_char_boundary(one.end).max(start);
    }
    clean.push_str(&text[copied..]);
    clean
}

/// The URL without `user:password@`, if it has that.
fn without_user_information(text: &str) -> Option<String> {
    let authority = text.find("://")? + "://".len();
    let end = text[authority..].find('/').map_or(text.len(), |length| authority + length);
    let at_sign = text[authority..end].rfind('@')? + authority;
    Some([&text[..authority], &text[at_sign + 1..]].concat())
}

/// Replaces path segments that are keys; `None` when there are none.
fn replace_segments(text: &str) -> Option<(String, usize)> {
    let path = text.find("://").map_or(0, |colon| {
        let authority = colon + "://".len();
        text[authority..].find('/').map_or(text.len(), |length| authority + length)
    });
    let (origin, path) = text.split_at(path);
    let mut previous = "";
    let mut count = 0;
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let is_secret = url::is_secret_segment(previous.as_bytes(), segment.as_bytes(), true);
        count += usize::from(is_secret);
        segments.push(if is_secret { "[redacted:api_key]" } else { segment });
        previous = segment;
    }
    (count > 0).then(|| ([origin, &segments.join("/")].concat(), count))
}
