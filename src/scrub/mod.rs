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
mod command_line;
mod cookie;
mod event;
mod fingerprint;
mod glyph;
mod glyph_back;
mod keys;
mod kind;
mod layers;
mod lines;
mod name;
mod pem;
mod position;
mod prose;
mod reveal;
mod runs;
mod scan;
mod scheme;
mod shapes;
mod structures;
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
        let found = self.find(text);
        if found.is_empty() {
            return Scrubbed { text: Cow::Borrowed(text), removals: Vec::new() };
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
        let found = self.find(text);
        let cut = text.find(['?', '#']).unwrap_or(text.len());
        let before_cut = found.iter().filter(|one| one.start < cut);
        let kept: Vec<Secret> = before_cut.map(|one| Secret { end: one.end.min(cut), ..one.clone() }).collect();
        let head = &text[..cut];
        let text = if kept.is_empty() { Cow::Borrowed(head) } else { Cow::Owned(replace(head, &kept)) };
        Scrubbed { text, removals: removals(found) }
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

    /// Every secret of the text and of the layers under it, in the order of the text.
    fn find(&self, text: &str) -> Vec<Secret> {
        let bytes = text.as_bytes();
        let mut secrets: Vec<Secret> =
            find_all(&self.tables, bytes).iter().map(|one| self.secret(bytes, one, (one.start, one.end))).collect();
        let layers = layers::under(bytes);
        for (depth, layer) in layers.iter().enumerate() {
            for one in find_all(&self.tables, &layer.text) {
                let outer = &layers[..=depth];
                let place = (layers::place_in_text(outer, one.start), layers::place_in_text(outer, one.end));
                merge(&mut secrets, place, || self.secret(&layer.text, &one, place));
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

/// Adds a find of a layer to those of the text around it, which stay in order and apart: what covers more wins.
fn merge(secrets: &mut Vec<Secret>, (start, end): (usize, usize), make: impl FnOnce() -> Secret) {
    let first = secrets.partition_point(|one| one.end <= start);
    let after = secrets.partition_point(|one| one.start < end);
    if first >= after {
        secrets.insert(first, make());
        return;
    }
    let covered = &secrets[first..after];
    if covered[0].start <= start && end <= covered[covered.len() - 1].end && covered.len() == 1 {
        return;
    }
    let mut whole = make();
    whole.start = start.min(covered[0].start);
    whole.end = end.max(covered[covered.len() - 1].end);
    // Where the find does not cover what was there, the earlier one still says what it is.
    if covered.len() == 1 && (covered[0].start < start || covered[0].end > end) {
        whole.kind = covered[0].kind;
        whole.fingerprint.clone_from(&covered[0].fingerprint);
    }
    secrets.splice(first..after, [whole]);
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
