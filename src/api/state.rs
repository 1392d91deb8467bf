//! What the handlers share: whom they ask, where events go, and what is bounded.

use std::sync::Arc;

use super::bounds::Bounds;
use super::health::Part;
use super::ingest::{EventCheck, EventSink};
use super::questions::Questions;
use crate::telemetry::Metrics;
use crate::telemetry::clock::Clock;

/// The shared parts; cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// Who answers about requests.
    pub questions: Arc<dyn Questions>,
    /// Where accepted events go.
    pub sink: Arc<dyn EventSink>,
    /// How an event is checked before it goes there.
    pub event_check: EventCheck,
    /// What readiness asks.
    pub parts: Arc<[Part]>,
    /// Counts calls and events.
    pub metrics: Metrics,
    /// The time of receipt of events.
    pub clock: Clock,
    /// Limits of the listener.
    pub bounds: Bounds,
}
