//! What a simulation hands out: one Kafka record at a time, in buffers that are used again.

/// The topic a record belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecordKind {
    /// An event of a gateway.
    #[default]
    Event,
    /// A fact of the registry (the compacted topic).
    Registry,
    /// A malformed record, on the topic of the events.
    Poison,
}

/// A record.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Where it belongs.
    pub kind: RecordKind,
    /// Its time, microseconds since 1970.
    pub time: u64,
    /// The Kafka key: connection id, else flow id, else request id; empty: no key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

impl Record {
    /// Empties the buffers.
    pub fn clear(&mut self) {
        self.key.clear();
        self.value.clear();
    }
}
