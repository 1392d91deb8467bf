//! Secrets out of texts, before anything else sees them.
//!
//! [`Scrubber`] is pure: text in, text out, with a list of what was removed. It knows a secret by its *shape* (a
//! vendor's prefix, `shapes`) or by its *place* (a name before a separator `keys`, a scheme word `scheme`, a URL
//! `url`), through JSON in JSON, percent encoding, HTML entities and debug prints (`glyph`). It does not know the
//! event: whoever calls it walks the fields. What was removed never leaves it, only its kind and keyed fingerprint.
//!
//! Invariants: any text in, never a panic; time linear in the text; scrubbed text passes unchanged; a text without
//! secrets is borrowed, not copied. Masks and placeholders of others, and words about secrets, stay word for word.
//!
//! Read next: `scan` (the pass), then `position`.

mod clean;
mod cookie;
mod event;
mod fingerprint;
mod glyph;
mod glyph_back;
mod keys;
mod kind;
mod lines;
mod name;
mod pem;
mod position;
mod reveal;
mod runs;
mod scan;
mod scheme;
mod shapes;
mod trigger;
mod url;
mod value;
mod word_lists;
mod words;

#[cfg(test)]
mod tests;

pub use event::scrub_event;
pub use fingerprint::FingerprintKey;
pub use kind::SecretKind;
pub use lines::LineScrubber;

use scan::{Found, Tables, find_all};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// How often a text that had secrets is looked at again, at most; once is nearly always enough to find nothing.
const MAX_SECOND_LOOKS: usize = 3;

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
    /// What [`scrub_event`] found clean lately; it changes nothing but the time that the next event takes.
    known: Mutex<event::Known>,
}

impl Scrubber {
    /// Prepares the tables. `key` is what fingerprints of removed values are made with.
    #[must_use]
    pub fn new(key: FingerprintKey) -> Self {
        Self { tables: Tables::new(), key, known: Mutex::default() }
    }

    /// The key that fingerprints are made with.
    #[must_use]
    pub const fn key(&self) -> &FingerprintKey {
        &self.key
    }

    /// Replaces every secret in `text` by `[redacted:kind]`.
    #[must_use]
    pub fn scrub_text<'t>(&self, text: &'t str) -> Scrubbed<'t> {
        let found = find_all(&self.tables, text.as_bytes());
        if found.is_empty() {
            return Scrubbed { text: Cow::Borrowed(text), removals: Vec::new() };
        }
        let mut removals = self.removals(text, &found);
        let mut clean = replace(text, &found);
        // A replacement can make its surroundings more telling than they were (one text in about 200,000 random ones
        // strung together from telling pieces), so texts that had secrets are looked at again.
        for _ in 0..MAX_SECOND_LOOKS {
            let more = find_all(&self.tables, clean.as_bytes());
            if more.is_empty() {
                break;
            }
            removals.extend(self.removals(&clean, &more));
            clean = replace(&clean, &more);
        }
        Scrubbed { text: Cow::Owned(clean), removals }
    }

    /// For fields that hold one URL: origin and path only. User information, query and fragment are dropped, secrets
    /// in the path replaced; what was secret in the dropped parts is listed in `removals` too (a `state` in a
    /// redirect URI is its `flow_id`).
    #[must_use]
    pub fn strip_url<'t>(&self, text: &'t str) -> Scrubbed<'t> {
        let cut = self.without_query(text);
        match without_user_information(&cut.text) {
            Some(text) => self.scrub_path(Scrubbed { text: Cow::Owned(text), removals: cut.removals }),
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
        let found = find_all(&self.tables, text.as_bytes());
        let removals = self.removals(text, &found);
        let cut = text.find(['?', '#']).unwrap_or(text.len());
        let before_cut = found.into_iter().filter(|one| one.start < cut);
        let kept: Vec<Found> = before_cut.map(|one| Found { end: one.end.min(cut), ..one }).collect();
        let head = &text[..cut];
        let text = if kept.is_empty() { Cow::Borrowed(head) } else { Cow::Owned(replace(head, &kept)) };
        Scrubbed { text, removals }
    }

    /// What is left of a URL, looked at once more by itself, and its segments one by one.
    fn scrub_path<'t>(&self, cut: Scrubbed<'t>) -> Scrubbed<'t> {
        let mut removals = cut.removals;
        let mut text = cut.text;
        for _ in 0..=MAX_SECOND_LOOKS {
            let again = self.scrub_text(&text);
            let is_clean = again.removals.is_empty();
            removals.extend(again.removals);
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
        Scrubbed { text, removals }
    }

    /// What was found, without the values.
    fn removals(&self, text: &str, found: &[Found]) -> Vec<Removal> {
        let describe = |one: &Found| Removal {
            kind: one.kind,
            value_fingerprint: one.kind.has_fingerprint().then(|| self.key.fingerprint(&reveal::raw_value(text, one))),
        };
        found.iter().map(describe).collect()
    }
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scrubber").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The text with each find replaced. Finds begin and end at ASCII characters or at the edges of values, hence always
/// at character boundaries; a find that does not is widened to the next ones, so that nothing of it stays.
fn replace(text: &str, found: &[Found]) -> String {
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
