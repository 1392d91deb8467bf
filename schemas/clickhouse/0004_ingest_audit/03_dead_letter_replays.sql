-- One row a dead letter that `gatetrail replay` has put through again, and what became of it. Added to, never changed:
-- of several rows with one position the newest counts.
CREATE TABLE IF NOT EXISTS ${database}.dead_letter_replays
(
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(Nullable(String)),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_index UInt32,
    -- of the dead letter; bounds the search for it
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    replayed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    -- stored: it is in `events` now; still_refused: see `code`; gone_from_kafka: its record could not be read again
    outcome LowCardinality(String),
    -- why it is still refused
    code LowCardinality(Nullable(String))
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (kafka_topic, kafka_partition, kafka_offset, kafka_index)
TTL toDateTime(received_at) + toIntervalDay(${auth_retention_days})
SETTINGS
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000
