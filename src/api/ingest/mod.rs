//! Events over HTTP: from a body to confirmed Kafka records.
//!
//! 1. [`form`]: what the headers say the body is.
//! 2. [`split`]: the body's events, each with its own original bytes.
//! 3. [`submit`]: every event is checked by the decoder that `consume` uses ([`check`]), the valid ones are produced and
//!    confirmed.
//! 4. [`kafka`]: the sink that talks to a real broker.
//!
//! Nothing is decoded into a table here: `consume` does that with what Kafka holds.

pub mod check;
pub mod form;
pub mod kafka;
pub mod split;
pub mod submit;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::Bytes;
use futures_util::future::BoxFuture;

use crate::event::RecordTime;

/// Most events of one body.
pub const MAXIMUM_EVENTS: usize = 10_000;

/// Largest body, in bytes.
pub const MAXIMUM_BODY_BYTES: usize = 16 * 1024 * 1024;

/// One event as it was sent, before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The event's own bytes.
    pub value: Bytes,
    /// Headers by their Kafka names (`ce_id`, `content-type`); empty unless the event came in binary mode.
    pub headers: Vec<(String, String)>,
}

/// One record on its way to Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingRecord {
    /// `connection_id`, else `flow_id`, else `request_id`, so that one story stays in order in one partition.
    pub key: Option<String>,
    /// The event as it was sent.
    pub candidate: Candidate,
    /// When it was received; the record's timestamp, by which `consume` judges the event's time again.
    pub received: RecordTime,
}

/// Why the decoder refuses an event; the words of [`crate::decode`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code of the event contract.
    pub code: &'static str,
    /// Path of the member at fault, where one is.
    pub field: Option<String>,
    /// What is wrong and what to send instead.
    pub detail: String,
}

/// Decodes an event as `consume` will and answers its Kafka key.
pub type EventCheck = Arc<dyn Fn(&Candidate, RecordTime) -> Result<Option<String>, Refusal> + Send + Sync>;

/// Why a record was not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// No broker, or no confirmation in time. Whether the record was written is not known.
    #[error("Kafka did not confirm the record in time; send it again")]
    Unreachable,
    /// The topic does not exist.
    #[error("the Kafka topic does not exist; run `gatetrail migrate --topics`")]
    NoTopic,
    /// The broker takes no record of this size.
    #[error("the record is larger than the broker accepts")]
    TooLarge,
    /// The broker refused for another reason.
    #[error("the broker refused the record: {reason}")]
    Refused {
        /// The broker's own code.
        reason: String,
    },
}

impl SinkError {
    /// The stable code, as in an event's rejection.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "kafka_unreachable",
            Self::NoTopic => "kafka_topic_missing",
            Self::TooLarge => "record_too_large",
            Self::Refused { .. } => "kafka_refused",
        }
    }

    /// Whether the fault lies with Kafka and not with the record, so that sending again may help.
    #[must_use]
    pub fn is_kafkas(&self) -> bool {
        !matches!(self, Self::TooLarge)
    }
}

/// Takes records and answers when they are confirmed: Kafka, and a stand-in in tests.
pub trait EventSink: Send + Sync {
    /// Produces `records` in their order; one answer a record, in the same order, within a bounded time.
    fn produce(&self, records: Vec<OutgoingRecord>) -> BoxFuture<'_, Vec<Result<(), SinkError>>>;
}
