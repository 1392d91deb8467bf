//! What tests of classes share: the embedded classifier and events to classify.

use std::sync::LazyLock;

use chrono::DateTime;

use super::Classifier;
use crate::event::{Event, Hop, Outcome};

/// The embedded classifier, loaded once for all tests.
pub(crate) static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::embedded().expect("the embedded rules are sound"));

/// A failed event of this type on this hop, with what `fill` knows about it.
pub(crate) fn failed(type_name: &'static str, hop: Hop, fill: impl FnOnce(&mut Event<'static>)) -> Event<'static> {
    let mut event = Event::new("e1".into(), "//gateway".into(), type_name.into(), DateTime::UNIX_EPOCH);
    event.hop = Some(hop);
    event.outcome = Some(Outcome::Failure);
    fill(&mut event);
    event
}
