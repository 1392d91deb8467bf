//! The one place that reads the wall clock.
//!
//! Steps (`decode`, `scrub`, `enrich`, `classify`) never see it: what they decide depends on the record alone, so that
//! a replay decides the same. Composition roots take the time from here and pass it on as a value.

use chrono::{DateTime, Utc};

/// Reads the time of day.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The present moment, in UTC.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the wall clock")]
    pub fn now(self) -> DateTime<Utc> {
        Utc::now()
    }
}
