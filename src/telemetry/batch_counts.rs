//! What one batch adds to the metrics: plain numbers without locks, filled event by event, applied once.
//!
//! The pipeline owns one per batch and gives it to [`super::Metrics::apply`] after the batch is stored, so that the
//! metrics never count what a crash or a refused insert took back. Nothing here knows how metrics are kept.

use chrono::{DateTime, Utc};
use rustc_hash::FxHashMap;

use super::labels::{RecordOutcome, UNKNOWN};
use super::reconnects::{ReconnectTracker, is_of_people};
use crate::classify::{Class, Verdict};
use crate::event::{Event, EventKind, Hop, Outcome, TokenTrigger};

/// Counts of one batch.
#[derive(Debug, Default)]
pub struct BatchCounts {
    /// Rows for `events`.
    pub event_rows: u64,
    /// Rows for `dead_letters`.
    pub dead_letter_rows: u64,
    /// Timestamp of the newest Kafka record in the batch.
    pub newest_record: Option<DateTime<Utc>>,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) dropped: u64,
    pub(super) dead_letters: FxHashMap<&'static str, u64>,
    pub(super) classified: FxHashMap<(Class, Hop), u64>,
    pub(super) unclassified: u64,
    pub(super) redactions: FxHashMap<Box<str>, u64>,
    /// Where the counts of a slug stand in `slugs`.
    pub(super) slug_places: FxHashMap<Box<str>, usize>,
    pub(super) slugs: Vec<SlugCounts>,
}

/// Counts of one slug; events without one stand under [`UNKNOWN`].
#[derive(Debug, Default)]
pub(super) struct SlugCounts {
    /// Some event about it was not a failed search for a server of that name.
    pub(super) exists: bool,
    pub(super) failures: FxHashMap<(Class, Hop), u64>,
    pub(super) refreshes: FxHashMap<(Outcome, TokenTrigger), u64>,
    pub(super) reconnects: u64,
}

impl BatchCounts {
    /// Records that were left out on purpose.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Counts one Kafka record and keeps the newest timestamp.
    pub fn record(&mut self, outcome: RecordOutcome, record_time: DateTime<Utc>) {
        match outcome {
            RecordOutcome::Accepted => self.accepted += 1,
            RecordOutcome::Refused => self.refused += 1,
            RecordOutcome::Dropped => self.dropped += 1,
        }
        self.newest_record = self.newest_record.max(Some(record_time));
    }

    /// Counts one row for `dead_letters` under its stable code.
    pub fn dead_letter(&mut self, code: &'static str) {
        self.dead_letter_rows += 1;
        *self.dead_letters.entry(code).or_default() += 1;
    }

    /// Counts one row for `events`: its verdict, what was scrubbed, its refresh, whether it is a reconnect.
    pub fn event(&mut self, event: &Event<'_>, verdict: &Verdict<'_, '_>, reconnects: &mut ReconnectTracker) {
        self.event_rows += 1;
        match verdict.class {
            Class::None => {}
            Class::Unclassified => self.unclassified += 1,
            class => *self.classified.entry((class, verdict.hop)).or_default() += 1,
        }
        for redaction in &event.redactions {
            self.redaction(redaction);
        }
        let is_reconnect = reconnects.is_reconnect(event);
        let slug = self.slug(event.slug.as_deref());
        slug.exists |= verdict.class != Class::ServerNotFound;
        slug.reconnects += u64::from(is_reconnect);
        if is_auth_failure(event, verdict) {
            *slug.failures.entry((verdict.class, verdict.hop)).or_default() += 1;
        }
        if event.kind == EventKind::Refresh {
            let outcome = event.outcome.unwrap_or(Outcome::Unknown);
            let trigger = event.token_trigger.unwrap_or(TokenTrigger::Unknown);
            *slug.refreshes.entry((outcome, trigger)).or_default() += 1;
        }
    }

    /// `redaction` reads `kind@member`; the member may be open, the kind is one of the scrubber's.
    fn redaction(&mut self, redaction: &str) {
        let kind = redaction.split_once('@').map_or(redaction, |(kind, _)| kind);
        match self.redactions.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.redactions.insert(kind.into(), 1);
            }
        }
    }

    /// The counts of a slug; a name is copied only the first time it is met in the batch.
    fn slug(&mut self, slug: Option<&str>) -> &mut SlugCounts {
        let name = slug.unwrap_or(UNKNOWN);
        let place = match self.slug_places.get(name) {
            Some(place) => *place,
            None => {
                self.slug_places.insert(name.into(), self.slugs.len());
                self.slugs.push(SlugCounts::default());
                self.slugs.len() - 1
            }
        };
        &mut self.slugs[place]
    }
}

/// Failures of authentication that happened to people. Left out: what went well, calls that failed by themselves
/// (`tool_error`), probes, and the challenge that opens every handshake (`challenge_only`).
fn is_auth_failure(event: &Event<'_>, verdict: &Verdict<'_, '_>) -> bool {
    let failed = !matches!(verdict.class, Class::None | Class::ToolError);
    failed && is_of_people(event) && verdict.reason != Some("challenge_only")
}
