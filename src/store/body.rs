//! Looks into a body that was made for an insert: how many rows it has, when they were, and which of them to keep.
//!
//! Events are one Arrow IPC stream, dead letters are JSON lines. A row is known by `kafka_offset` and `kafka_index`, under
//! these names in both. Nothing here is needed while every insert succeeds at once, except [`row_count`].

use std::io::Cursor;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType, UInt32Type};
use arrow_array::{BooleanArray, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use bytes::Bytes;
use serde::Deserialize;

use super::error::StoreError;
use super::span::Identity;
use super::writer::Insert;

/// ClickHouse's name for JSON lines; every other body is an Arrow stream.
const JSON_LINES: &str = "JSONEachRow";
/// Marks the beginning of a message in an Arrow IPC stream (Arrow columnar format, "Encapsulated message format").
const CONTINUATION: [u8; 4] = [0xff; 4];

/// First and last moment of some rows, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeBounds {
    /// Of the first one.
    pub first: i64,
    /// Of the last one.
    pub last: i64,
}

impl TimeBounds {
    /// No moment at all.
    pub const NONE: Self = Self { first: 0, last: -1 };
    /// Every moment that a row can have: the years that `DateTime64` holds.
    pub const ALL: Self = Self { first: -2_208_988_800_000_000, last: 9_000_000_000_000_000 };

    /// From the first moment of both to the last of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NONE, only) | (only, Self::NONE) => only,
            _ => Self { first: self.first.min(other.first), last: self.last.max(other.last) },
        }
    }
}

/// A row of a JSON body, as far as it matters here.
#[derive(Deserialize)]
struct Line {
    kafka_offset: i64,
    kafka_index: u32,
}

/// How many rows the body has, without decoding a column.
///
/// # Errors
/// [`StoreError::Encode`] when it is not an Arrow stream.
pub fn row_count(insert: &Insert) -> Result<u64, StoreError> {
    if insert.format == JSON_LINES {
        return Ok(lines(&insert.body).map(|_| 1).sum());
    }
    let mut rows = 0;
    let mut rest = insert.body.as_ref();
    while let Some((header, after)) = next_message(rest)? {
        let message = arrow_ipc::root_as_message(header)
            .map_err(|error| ArrowError::IpcError(format!("a message cannot be read: {error}")))?;
        if let Some(batch) = message.header_as_record_batch() {
            rows += u64::try_from(batch.length()).unwrap_or(0);
        }
        let length = usize::try_from(message.bodyLength()).unwrap_or(usize::MAX);
        rest = after.get(length..).ok_or_else(cut_short)?;
    }
    Ok(rows)
}

/// The names of the body's columns, in its order: those of the stream, or the members of the first line.
///
/// # Errors
/// [`StoreError::Encode`] or [`StoreError::EncodeDeadLetters`] when it is not a body of rows.
pub fn column_names(insert: &Insert) -> Result<Vec<String>, StoreError> {
    if insert.format == JSON_LINES {
        let Some(line) = lines(&insert.body).next() else { return Ok(Vec::new()) };
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line)?;
        return Ok(members.into_iter().map(|(name, _)| name).collect());
    }
    Ok(batches(&insert.body)?.schema().fields().iter().map(|field| field.name().clone()).collect())
}

/// A message's metadata, and what follows it.
type MessageAndRest<'s> = (&'s [u8], &'s [u8]);

/// The header of the next message of an Arrow stream and what follows it; `None` at the end of the stream.
fn next_message(stream: &[u8]) -> Result<Option<MessageAndRest<'_>>, ArrowError> {
    let Some((mark, rest)) = stream.split_first_chunk::<4>() else { return Ok(None) };
    if *mark != CONTINUATION {
        return Err(ArrowError::IpcError("a message does not begin as one".to_owned()));
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
    let length = usize::try_from(i32::from_le_bytes(*length)).map_err(|_| cut_short())?;
    if length == 0 {
        return Ok(None);
    }
    Ok(Some(rest.split_at_checked(length).ok_or_else(cut_short)?))
}

fn cut_short() -> ArrowError {
    ArrowError::IpcError("the stream is cut short".to_owned())
}

/// Between which moments the rows' column `time` lies; [`TimeBounds::NONE`] for dead letters, which have no such column,
/// and [`TimeBounds::ALL`] when it cannot be told.
///
/// # Errors
/// [`StoreError::Encode`] when it is not an Arrow stream.
pub fn event_times(insert: &Insert) -> Result<TimeBounds, StoreError> {
    if insert.format == JSON_LINES {
        return Ok(TimeBounds::NONE);
    }
    let mut first = i64::MAX;
    let mut last = i64::MIN;
    for batch in batches(&insert.body)? {
        let batch = batch?;
        let Some(times) =
            batch.column_by_name("time").and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
        else {
            return Ok(TimeBounds::ALL);
        };
        for time in times.values() {
            first = first.min(*time);
            last = last.max(*time);
        }
    }
    Ok(if first > last { TimeBounds::NONE } else { TimeBounds { first, last } })
}

/// The body with only those rows that `keep` says, in the same order; the very same bytes when it keeps all, and `None`
/// when it keeps none.
///
/// # Errors
/// [`StoreError::Encode`] or [`StoreError::EncodeDeadLetters`] when it is not a body of rows with identities.
pub fn keep_rows(insert: &Insert, keep: &mut dyn FnMut(Identity) -> bool) -> Result<Option<Bytes>, StoreError> {
    let (body, kept, all) =
        if insert.format == JSON_LINES { keep_lines(&insert.body, keep)? } else { keep_arrow(&insert.body, keep)? };
    Ok(match kept {
        0 => None,
        _ if kept == all => Some(insert.body.clone()),
        _ => Some(Bytes::from(body)),
    })
}

/// The body that is left, how many rows it has, and how many there were.
type Kept = (Vec<u8>, usize, usize);

fn keep_lines(body: &Bytes, keep: &mut dyn FnMut(Identity) -> bool) -> Result<Kept, StoreError> {
    let (mut left, mut kept, mut all) = (Vec::new(), 0, 0);
    for line in lines(body) {
        let Line { kafka_offset, kafka_index } = serde_json::from_slice(line)?;
        all += 1;
        if keep(Identity { offset: kafka_offset, index: kafka_index }) {
            kept += 1;
            left.extend_from_slice(line);
            left.push(b'\n');
        }
    }
    Ok((left, kept, all))
}

fn keep_arrow(body: &Bytes, keep: &mut dyn FnMut(Identity) -> bool) -> Result<Kept, StoreError> {
    let reader = batches(body)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &reader.schema())?;
    let (mut kept, mut all) = (0, 0);
    for batch in reader {
        let batch = batch?;
        let chosen: Vec<bool> = identities(&batch)?.map(&mut *keep).collect();
        let left = filter_record_batch(&batch, &BooleanArray::from(chosen))?;
        kept += left.num_rows();
        all += batch.num_rows();
        if left.num_rows() > 0 {
            writer.write(&left)?;
        }
    }
    Ok((writer.into_inner()?, kept, all))
}

fn identities(batch: &RecordBatch) -> Result<impl Iterator<Item = Identity>, ArrowError> {
    let lacks = |name: &str| ArrowError::SchemaError(format!("the body has no column `{name}` that names a row"));
    let offsets = batch
        .column_by_name("kafka_offset")
        .and_then(|column| column.as_primitive_opt::<Int64Type>())
        .ok_or_else(|| lacks("kafka_offset"))?;
    let indexes = batch
        .column_by_name("kafka_index")
        .and_then(|column| column.as_primitive_opt::<UInt32Type>())
        .ok_or_else(|| lacks("kafka_index"))?;
    Ok(offsets.values().iter().zip(indexes.values()).map(|(offset, index)| Identity { offset: *offset, index: *index }))
}

fn batches(body: &Bytes) -> Result<StreamReader<Cursor<&[u8]>>, ArrowError> {
    StreamReader::try_new(Cursor::new(body.as_ref()), None)
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}
