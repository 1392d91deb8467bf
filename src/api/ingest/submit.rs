//! Checks the events of a body, produces the valid ones and says what became of each.

use super::{Candidate, EventCheck, EventSink, OutgoingRecord, SinkError};
use crate::api::code::Code;
use crate::api::problem::{Problem, RejectedEvent};
use crate::event::RecordTime;
use crate::telemetry::{HttpEventOutcome, Metrics};

/// Seconds after which a gateway shall send again when Kafka did not confirm.
const RETRY_AFTER_SECONDS: u32 = 5;

/// The events of a body, sorted by whether the decoder takes them.
#[derive(Debug, Default)]
pub struct Checked {
    /// Place in the body, and the record to produce.
    pub valid: Vec<(usize, OutgoingRecord)>,
    /// Those that were refused.
    pub rejected: Vec<RejectedEvent>,
}

/// What became of a body of which at least one event was accepted.
#[derive(Debug, PartialEq, Eq)]
pub struct Accepted {
    /// How many events Kafka confirmed.
    pub count: usize,
    /// The others, by their place.
    pub rejected: Vec<RejectedEvent>,
}

/// Checks every event as `consume` will.
#[must_use]
pub fn check(candidates: Vec<Candidate>, received: RecordTime, event_check: &EventCheck) -> Checked {
    let mut checked = Checked::default();
    for (index, candidate) in candidates.into_iter().enumerate() {
        match event_check(&candidate, received) {
            Ok(key) => checked.valid.push((index, OutgoingRecord { key, candidate, received })),
            Err(refusal) => checked.rejected.push(RejectedEvent {
                index,
                code: refusal.code.to_owned(),
                field: refusal.field,
                detail: refusal.detail,
            }),
        }
    }
    checked
}

/// Produces what was valid and waits until Kafka confirmed all of it.
///
/// # Errors
/// `no_event_accepted` when every event was refused, `kafka_unreachable` when none was confirmed; both list the events.
pub async fn produce(checked: Checked, sink: &dyn EventSink, metrics: &Metrics) -> Result<Accepted, Problem> {
    let Checked { valid, mut rejected } = checked;
    let (indexes, records): (Vec<usize>, Vec<OutgoingRecord>) = valid.into_iter().unzip();
    let confirmations = if records.is_empty() { Vec::new() } else { sink.produce(records).await };

    let mut count = 0;
    let mut failed = 0;
    let mut first_fault_of_kafka = None;
    for (index, confirmation) in indexes.into_iter().zip(confirmations) {
        let Err(fault) = confirmation else {
            count += 1;
            continue;
        };
        rejected.push(RejectedEvent { index, code: fault.code().to_owned(), field: None, detail: fault.to_string() });
        if fault.is_kafkas() {
            failed += 1;
            first_fault_of_kafka.get_or_insert(fault);
        }
    }
    rejected.sort_by_key(|event| event.index);
    for (outcome, events) in [
        (HttpEventOutcome::Accepted, count),
        (HttpEventOutcome::Failed, failed),
        (HttpEventOutcome::Refused, rejected.len() - failed),
    ] {
        metrics.add_http_events(outcome, u64::try_from(events).unwrap_or(u64::MAX));
    }

    match (count, first_fault_of_kafka) {
        (0, Some(fault)) => Err(unconfirmed(&fault, rejected)),
        (0, None) => Err(refused(rejected)),
        (count, _) => Ok(Accepted { count, rejected }),
    }
}

fn unconfirmed(fault: &SinkError, rejected: Vec<RejectedEvent>) -> Problem {
    tracing::warn!(fault = fault.code(), events = rejected.len(), "Kafka confirmed no event of a body");
    let detail = format!(
        "No event was confirmed: {fault}. Sending the same events again is safe: they are told apart by source and id."
    );
    Problem { rejected, ..Problem::new(Code::KafkaUnreachable, detail).retry_after(RETRY_AFTER_SECONDS) }
}

fn refused(rejected: Vec<RejectedEvent>) -> Problem {
    let detail = match rejected.as_slice() {
        [only] => format!("The event was refused ({}): {}.", only.code, only.detail),
        all => format!("All {} events were refused; `rejected` names the fault of each.", all.len()),
    };
    Problem { rejected, ..Problem::new(Code::NoEventAccepted, detail) }
}
