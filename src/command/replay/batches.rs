//! Reads a part of a range through the steps into one batch, and seals it under a token of a replay.

use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Message};
use sha2::{Digest, Sha256};

use crate::decode::Payload;
use crate::event::KafkaPosition;
use crate::pipeline::Steps;
use crate::pipeline::batch::{Batch, SealAt};
use crate::pipeline::plan::Range;
use crate::source::Record;
use crate::source::kafka::{headers, record_time};
use crate::source::reread::RangeReader;
use crate::store::{Insert, Span};

/// When a batch is full: as large as one ClickHouse block should be, and no more record bytes than a batch of `consume`.
const SEAL_AT: SealAt = SealAt { rows: 50_000, bytes: 32 << 20 };

/// One partition of a topic.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub topic: Arc<str>,
    pub topic_id: Option<Arc<str>>,
    pub partition: i32,
}

/// What was read in one go.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub batch: Batch,
    /// First offset read and the one after the last; `None` when nothing was read.
    pub offsets: Option<(i64, i64)>,
    pub records: u64,
    /// Whether the range was read to its end.
    pub is_last: bool,
}

/// Reads on until the batch is full or the range ends; `wanted` says which records are put through.
pub(super) fn read_part(
    reader: &mut RangeReader,
    steps: &mut Steps,
    place: &Place,
    mut part: Part,
    wanted: &mut dyn FnMut(&BorrowedMessage<'_>) -> bool,
) -> anyhow::Result<Part> {
    part.is_last = false;
    while !part.batch.is_full(SEAL_AT) {
        let Some(message) = reader.next_record()? else {
            part.is_last = true;
            break;
        };
        if !wanted(&message) {
            continue;
        }
        let mut header_list = Vec::new();
        headers(&message, &mut header_list);
        let payload = Payload { headers: &header_list, value: message.payload(), time: record_time(&message) };
        let offset = message.offset();
        let record = Record { topic: &place.topic, partition: place.partition, offset, payload };
        let position = KafkaPosition {
            topic: Arc::clone(&place.topic),
            topic_id: place.topic_id.clone(),
            partition: place.partition,
            offset,
            index: 0,
        };
        steps.ingest(&record, &position, &mut part.batch)?;
        let (first, _) = part.offsets.unwrap_or((offset, offset));
        part.offsets = Some((first, offset + 1));
        part.records += 1;
    }
    Ok(part)
}

/// Whether a part should be stored before more is read.
pub(super) fn is_full(part: &Part) -> bool {
    part.batch.is_full(SEAL_AT)
}

/// The rows of a part as inserts, with the span they lie in; `None` when nothing was read.
///
/// The tokens hold a hash of the rows: they collide with no plan's, two replays at the same time store one row, and rows
/// that another version of the steps makes have another token.
pub(super) fn seal(part: &mut Part, place: &Place) -> anyhow::Result<Option<(Span, Vec<Insert>)>> {
    let Some((first, next)) = part.offsets.take() else { return Ok(None) };
    let span = Span {
        topic: Arc::clone(&place.topic),
        topic_id: place.topic_id.clone(),
        partition: place.partition,
        first,
        next,
    };
    let epoch = place.topic_id.as_deref().unwrap_or("-");
    let Some(range) = Range::new(first, next) else { return Ok(None) };
    let token = format!("v1:{epoch}:{}:{}:{first}:{next}", place.topic, place.partition);
    let sealed = part.batch.seal(range, &token)?;
    part.records = 0;
    let inserts = sealed.inserts.into_iter().map(with_hash).collect();
    Ok(Some((span, inserts)))
}

fn with_hash(insert: Insert) -> Insert {
    let hash = hex::encode(&Sha256::digest(&insert.body)[..8]);
    Insert { token: format!("{}:replay:{hash}", insert.token), ..insert }
}
