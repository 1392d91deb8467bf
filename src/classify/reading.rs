//! What a text says by itself, whatever event it stands in; read once for all events that say the same.
//!
//! Gateways repeat themselves: six of seven texts of simulated failures were said before. So [`Readings`] remembers the
//! latest ones. That spares time and changes no verdict, since a reading depends on the text and the rules alone.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxBuildHasher;

use super::facts::Step;
use super::rules::{Matched, Rules};
use super::said::{code_in, rpc_code_in, status_in, step_in};
use super::unwrap::{LAYERS, Unwrapped, unwrap};
use super::wording::WordScores;
use crate::event::Event;

/// Readings that are remembered, a power of two: one for each of so many hashes.
const PLACES: usize = 1024;
/// Longest text that is remembered, in bytes, so that all of them take a few megabytes.
const LONGEST: usize = 1024;

/// What a text says by itself.
#[derive(Debug)]
pub struct Reading {
    /// Message and error description without their wrapping.
    pub unwrapped: Unwrapped,
    /// OAuth error code that the text names, in lower case.
    pub code: Option<String>,
    /// HTTP status that the text names.
    pub status: Option<u16>,
    /// JSON-RPC error code that the text names.
    pub rpc_code: Option<i64>,
    /// Step that the text says failed.
    pub step: Option<Step>,
    whole: OnceLock<Matched>,
    inner: [OnceLock<Matched>; LAYERS],
    words: OnceLock<WordScores>,
}

impl Reading {
    /// Reads a message and the error description that came with it.
    #[must_use]
    pub fn of(message: &str, description: Option<&str>) -> Self {
        let unwrapped = unwrap(message, description);
        let said = unwrapped.text.as_str();
        Self {
            code: code_in(said).map(str::to_ascii_lowercase),
            status: status_in(said),
            rpc_code: rpc_code_in(said),
            step: step_in(said),
            whole: OnceLock::new(),
            inner: Default::default(),
            words: OnceLock::new(),
            unwrapped,
        }
    }

    /// What the words of the text say of each class.
    pub fn words(&self) -> &WordScores {
        self.words.get_or_init(|| WordScores::of(&self.unwrapped.text))
    }

    /// The whole text, and which rules can fire for it.
    pub fn whole(&self, rules: &Rules) -> (&str, &Matched) {
        let text = self.unwrapped.text.as_str();
        (text, self.whole.get_or_init(|| rules.matched(text)))
    }

    /// As [`Self::whole`] for the innermost cause alone (`depth` 0) or with the layer around it (1); `None` when there
    /// is no such layer.
    pub fn inner(&self, depth: usize, rules: &Rules) -> Option<(&str, &Matched)> {
        let text = self.unwrapped.inner(depth)?;
        Some((text, self.inner.get(depth)?.get_or_init(|| rules.matched(text))))
    }
}

/// A reading and what it was read from.
#[derive(Debug, Clone)]
struct Remembered {
    message: Option<Box<str>>,
    description: Option<Box<str>>,
    reading: Arc<Reading>,
}

/// The latest readings, for one set of rules.
#[derive(Debug)]
pub struct Readings {
    places: Mutex<Box<[Option<Remembered>]>>,
}

impl Default for Readings {
    fn default() -> Self {
        Self { places: Mutex::new(vec![None; PLACES].into_boxed_slice()) }
    }
}

impl Readings {
    /// What the event's text says; `None` when it has none.
    pub fn of_event(&self, event: &Event<'_>) -> Option<Arc<Reading>> {
        let (message, description) = (event.message.as_deref(), event.oauth_error_description.as_deref());
        if message.is_none() && description.is_none() {
            return None;
        }
        let read = || Arc::new(Reading::of(message.unwrap_or(""), description));
        if message.map_or(0, str::len) + description.map_or(0, str::len) > LONGEST {
            return Some(read());
        }
        let place = usize::try_from(FxBuildHasher.hash_one((message, description)) % PLACES as u64).unwrap_or(0);
        // Somebody else looking, or having died while looking, costs time and nothing else.
        if let Ok(places) = self.places.try_lock()
            && let Some(known) = &places[place]
            && (known.message.as_deref(), known.description.as_deref()) == (message, description)
        {
            return Some(Arc::clone(&known.reading));
        }
        let reading = read();
        if let Ok(mut places) = self.places.try_lock() {
            let remembered = Remembered {
                message: message.map(Box::from),
                description: description.map(Box::from),
                reading: Arc::clone(&reading),
            };
            places[place] = Some(remembered);
        }
        Some(reading)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{LONGEST, Readings};
    use crate::classify::testing::failed;
    use crate::event::{Event, Hop};

    fn saying(message: Option<&str>, description: Option<&str>) -> Event<'static> {
        failed("mcp.auth.token", Hop::Upstream, |event| {
            event.message = message.map(|text| text.to_owned().into());
            event.oauth_error_description = description.map(|text| text.to_owned().into());
        })
    }

    #[test]
    fn the_same_text_is_read_once_and_another_one_anew() {
        let readings = Readings::default();
        let read = |message, description| readings.of_event(&saying(message, description));
        assert!(read(None, None).is_none());
        let first = read(Some("HTTP 403: invalid_scope"), None).unwrap();
        assert_eq!((first.status, first.code.as_deref()), (Some(403), Some("invalid_scope")));
        assert!(Arc::ptr_eq(&first, &read(Some("HTTP 403: invalid_scope"), None).unwrap()));
        for other in [read(None, Some("HTTP 403: invalid_scope")), read(Some("HTTP 403: invalid_scope"), Some("x"))] {
            assert!(!Arc::ptr_eq(&first, &other.unwrap()));
        }
    }

    #[test]
    fn a_huge_text_is_not_remembered() {
        let readings = Readings::default();
        let huge = saying(Some(&"x".repeat(LONGEST + 1)), None);
        let (first, second) = (readings.of_event(&huge).unwrap(), readings.of_event(&huge).unwrap());
        assert!(!Arc::ptr_eq(&first, &second));
        assert_eq!(first.unwrapped, second.unwrapped);
    }
}
